"""What every page needs of a request: who asks, in which time zone, and a kind answer when a service says no."""

import zoneinfo
from collections.abc import Callable
from contextlib import nullcontext
from typing import cast

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone

from registry_site.accounts.actors import Actor, person
from registry_site.accounts.authentication import open_actor
from registry_site.audit.kinds import Origin
from registry_site.core.errors import NotSignedIn, PodiumError
from registry_site.core.once import asking_once
from registry_site.pages.errors import error_response


class PageRequest(HttpRequest):
    """A request of the pages: it has an actor, and htmx details."""

    actor: Actor
    htmx: object


class PagesMiddleware:
    """Sets `request.actor` and the time zone; makes pages of Podium's errors, and shows strangers where to sign in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request = cast(PageRequest, request)
        actor = person(request.user, Origin.PAGE)
        request.actor = actor if actor.is_signed_in else open_actor(Origin.PAGE)
        reads_only = request.method in ("GET", "HEAD")
        with (
            timezone.override(zoneinfo.ZoneInfo(request.actor.time_zone)),
            asking_once() if reads_only else nullcontext(),
        ):
            return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, NotSignedIn):
            return redirect_to_login(request.get_full_path())
        if isinstance(exception, PodiumError):
            return error_response(request, exception)
        return None
