"""Bodies that come in chunks, without saying how long they are."""

from django.http import HttpRequest

from registry_site.artifacts.store import Source
from registry_site.core.errors import InvalidParameter


def chunked_body(http: HttpRequest) -> Source | None:
    """The body of a chunked request, which Django takes for an empty one; None for a request that is not chunked.

    Raises InvalidParameter where the web server does not tell the end of such a body.
    """
    if "chunked" not in http.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        return None
    if not http.META.get("wsgi.input_terminated"):
        raise InvalidParameter("This web server takes no chunked uploads: send the Content-Length.")
    stream: Source = http.META["wsgi.input"]
    return stream
