"""What is answered where no view was found, or one failed: JSON under the APIs, pages elsewhere."""

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from registry_site.mlflow_api.errors import json_error

API_PREFIXES = ("/api/", "/ajax-api/")


def _answer(request: HttpRequest, status: int, message: str) -> HttpResponse:
    if request.path.startswith(API_PREFIXES):
        return json_error(status, message)
    return render(request, f"errors/{status}.html", status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, DisallowedHost) and not request.path.startswith(API_PREFIXES):
        # No page: its links would begin with that host.
        said = "This site is not called that. PODIUM_ALLOWED_HOSTS says under which names it answers.\n"
        return HttpResponse(said, status=400, content_type="text/plain; charset=utf-8")
    return _answer(request, 400, "The request could not be understood.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 403, "This is not allowed.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 404, f"No endpoint is at {request.path}.")


def server_error(request: HttpRequest) -> HttpResponse:
    return _answer(request, 500, "Podium made a mistake. It is in the server's log.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose token is missing or old: sent from another site, or left open since the last sign-in."""
    message = "The form is too old, or came from another site. Reload the page and send it again."
    return render(request, "errors/403.html", {"message": message}, status=403)
