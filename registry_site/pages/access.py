"""A page is for people who are signed in, unless it says otherwise. A test walks the URLs and checks it."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.http import HttpResponseBase

from registry_site.pages.middleware import PageRequest

P = ParamSpec("P")
Answer = TypeVar("Answer", bound=HttpResponseBase)


def signed_in(
    view: Callable[Concatenate[PageRequest, P], Answer],
) -> Callable[Concatenate[PageRequest, P], Answer]:
    """Send strangers to the sign-in page, and bring them back afterwards."""

    @wraps(view)
    def guarded(request: PageRequest, /, *args: P.args, **kwargs: P.kwargs) -> Answer:
        request.actor.require_signed_in()
        return view(request, *args, **kwargs)

    return guarded
