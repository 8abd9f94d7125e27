"""Podium's errors as pages, or as a short part where htmx asked."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from registry_site.core.errors import (
    AlreadyExists,
    Conflict,
    InvalidParameter,
    NotFound,
    NotSupported,
    PermissionDenied,
    PodiumError,
    StorageFull,
    TooLarge,
    TooManyAttempts,
    Unavailable,
)
from registry_site.core.refusals import refusal_of
from registry_site.pages.near import near_matches

STATUSES: dict[type[PodiumError], int] = {
    InvalidParameter: 400,
    NotFound: 404,
    AlreadyExists: 409,
    PermissionDenied: 403,
    Conflict: 409,
    TooLarge: 413,
    TooManyAttempts: 429,
    StorageFull: 507,
    Unavailable: 503,
    NotSupported: 501,
}
WITH_A_PAGE_OF_THEIR_OWN = (400, 403, 404, 409, 429, 503)


def status_of(error: PodiumError) -> int:
    """The HTTP status that tells of this error."""
    return STATUSES.get(type(error), 400)


def error_response(request: HttpRequest, error: PodiumError, *, way_out: tuple[str, str] | None = None) -> HttpResponse:
    """The error as a page, with what went wrong and what to do; the button on it leads to one's work, or by
    `way_out` (words and address) to a better place."""
    status = status_of(error)
    if getattr(request, "htmx", None):
        template = "errors/_error.html"
    else:
        template = f"errors/{status if status in WITH_A_PAGE_OF_THEIR_OWN else 'error'}.html"
    context: dict[str, Any] = {"message": error.message, "status": status, "way_out": way_out}
    if status == 404 and template == "errors/404.html":
        context["searched"], context["suggestions"] = near_matches(request)
    response = render(request, template, context, status=status)
    for name, value in refusal_of(error).headers.items():  # when to try again
        response.headers[name] = value
    return response
