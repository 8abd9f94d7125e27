"""Every refusal and failure, once, in MLflow's words: an HTTP status and a body of `error_code` and `message`."""

import logging
from http import HTTPStatus

import msgspec
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError

from registry_site.core import errors
from registry_site.core.refusals import CODES_BY_STATUS, refusal_of

log = logging.getLogger(__name__)

_CODES_BY_STATUS = CODES_BY_STATUS | {
    400: "BAD_REQUEST",
    404: "ENDPOINT_NOT_FOUND",
    # Old clients try an endpoint with another method when they are told that this one is not there.
    405: "ENDPOINT_NOT_FOUND",
    500: "INTERNAL_ERROR",
}


def json_error(
    status: int, message: str, *, error_code: str = "", headers: dict[str, str] | None = None
) -> HttpResponse:
    """A refusal as MLflow's clients read it. Without an error_code, the one that is usual for the status."""
    code = error_code or _CODES_BY_STATUS.get(status, "INTERNAL_ERROR" if status >= 500 else "BAD_REQUEST")
    body = msgspec.json.encode({"error_code": code, "message": message})
    return HttpResponse(body, status=status, content_type="application/json", headers=headers)


def error_response(error: Exception) -> HttpResponse:
    """The answer to whatever a call raised. What nobody foresaw is logged, and nothing of it is told."""
    match error:
        case errors.PodiumError():
            refusal = refusal_of(error)
            return json_error(refusal.status, error.message, error_code=refusal.code, headers=refusal.headers)
        case RequestDataTooBig():
            return json_error(413, "The body of the request is larger than this server accepts.")
        case SuspiciousOperation() | UnreadablePostError():
            return json_error(400, "The request cannot be read: it is cut off, or has too many fields.")
        case Http404():
            return json_error(404, "There is nothing of that name.", error_code="RESOURCE_DOES_NOT_EXIST")
        case IntegrityError():
            log.warning("A constraint of the database refused a change", exc_info=error)
            return json_error(
                409, "Another change came first and does not go with this one. Look again, then repeat the call."
            )
        case DataError():
            log.warning("The database refused a value", exc_info=error)
            return json_error(400, "A value is too long or out of range.", error_code="INVALID_PARAMETER_VALUE")
        case OperationalError() | InterfaceError():
            log.error("The database does not answer", exc_info=error)
            return json_error(503, "The database does not answer now.", headers={"Retry-After": "5"})
        case _:
            log.error("A call failed", exc_info=error)
            return json_error(500, "The server failed to answer this call; its log says why.")


def endpoint_not_found(request: HttpRequest, path: str = "") -> HttpResponse:
    """The JSON answer for a path that is no endpoint."""
    return json_error(404, f"No endpoint at {request.path}: see MLflow's REST API for what there is.")


def method_not_allowed(request: HttpRequest, allowed: list[str]) -> HttpResponse:
    """The JSON answer for an endpoint that is there, and takes other methods."""
    words = " or ".join(allowed)
    return json_error(
        HTTPStatus.METHOD_NOT_ALLOWED,
        f"{request.path} does not take {request.method}; use {words}.",
        headers={"Allow": ", ".join(allowed)},
    )
