"""The short way in: most calls name an address that has no variable parts."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from registry_site.mlflow_api.urls import addresses_without_parts


class AnswerAtOnce:
    """Answers calls of this door before anything that is there for pages: sessions, messages, forms, static files.

    Stands behind what every answer needs, such as the security headers. Calls whose address has variable parts go the
    long way, and get the same answers.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._views = addresses_without_parts()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        view = self._views.get(request.path_info)
        if view is None:
            return self.get_response(request)
        request.get_host()  # raises DisallowedHost for a name that is not this site's
        response = view(request)
        if isinstance(response, HttpResponse):
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response
