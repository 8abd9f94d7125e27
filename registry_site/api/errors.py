"""Every refusal, once: a status, and a body of `code`, `message` and, where one is at fault, `field`."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions

from registry_site.core.errors import InvalidParameter, NotFound, NotSignedIn, PermissionDenied, PodiumError
from registry_site.core.refusals import refusal_of


def problem(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """The answer to whatever a view raised; None for what nobody foresaw, which Django answers and logs."""
    if isinstance(error, exceptions.MethodNotAllowed):
        allowed = ", ".join(context["view"].allowed_methods)
        message = f"{context['request'].path} takes {allowed}, and not {context['request'].method}."
        return JsonResponse({"code": "ENDPOINT_NOT_FOUND", "message": message}, status=405, headers={"Allow": allowed})
    known = _known(error)
    if known is None:
        return None
    refusal = refusal_of(known)
    field = {"field": known.field} if known.field else {}
    return JsonResponse(
        {"code": refusal.code, "message": known.message} | field, status=refusal.status, headers=refusal.headers
    )


def not_found(request: HttpRequest, path: str = "") -> HttpResponse:
    """The answer for an address that is none."""
    message = f"No endpoint at {request.path}: /api-docs shows what there is."
    return JsonResponse({"code": "ENDPOINT_NOT_FOUND", "message": message}, status=404)


def _known(error: Exception) -> PodiumError | None:
    """The error in Podium's words."""
    match error:
        case PodiumError():
            return error
        case exceptions.ValidationError():
            return _first(error.detail)
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return NotSignedIn(str(error.detail))
        case exceptions.PermissionDenied():
            return PermissionDenied(str(error.detail))
        case exceptions.ParseError() | exceptions.UnsupportedMediaType():
            return InvalidParameter(str(error.detail))
        case Http404():
            return NotFound("There is nothing of that name.")
        case _:
            return None


def _first(detail: Any, field: str = "") -> InvalidParameter:
    """The first of the complaints that a serializer has, with the path of its field."""
    while isinstance(detail, dict | list):
        if isinstance(detail, dict):
            name, detail = next(iter(detail.items()))
            field = field if name == "non_field_errors" else f"{field}.{name}".removeprefix(".")
        else:
            detail = next((item for item in detail if item), "")
    return InvalidParameter(f"Parameter '{field}': {detail}" if field else str(detail), field=field)
