"""A name for each request: in the answer, in the log and on error pages, so that one leads to the other."""

import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the log asks for names before Django is there
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

HEADER = "X-Request-ID"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{1,128}\Z")
_current: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """The name of the request that is being answered here; empty outside of one."""
    return _current.get()


class RequestIds:
    """Names every request, by what a server in front calls it if that is well-formed, and says the name in the
    answer."""

    def __init__(self, get_response: "Callable[[HttpRequest], HttpResponseBase]") -> None:
        self.get_response = get_response

    def __call__(self, request: "HttpRequest") -> "HttpResponseBase":
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        name = given if _WELL_FORMED.match(given) else uuid.uuid4().hex
        token = _current.set(name)
        try:
            response = self.get_response(request)
        finally:
            _current.reset(token)
        response.headers[HEADER] = name
        return response
