"""A page is for people who are signed in, unless it says otherwise. A test walks the URLs and checks it."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.http import HttpResponseBase

from registry_site.pages.middleware import PageRequest

P = ParamSpec("P")
View = Callable[Concatenate[PageRequest, P], HttpResponseBase]


def signed_in(view: View[P]) -> View[P]:
    """Send strangers to the sign-in page, and bring them back afterwards."""

    @wraps(view)
    def guarded(request: PageRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        request.actor.require_signed_in()
        return view(request, *args, **kwargs)

    return guarded


def public(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view that strangers may see: signing in, and nothing else."""
    view.is_public = True  # type: ignore[attr-defined]
    return view
