"""Pages go over the wire compressed. A guess at what else is in one by its length does not work: Django adds bytes at
random, and masks its CSRF tokens anew for each answer."""

from django.http import HttpRequest, HttpResponseBase
from django.middleware.gzip import GZipMiddleware

COMPRESSED = ("text/html", "application/json", "text/csv")


class CompressPages(GZipMiddleware):
    """Compresses what people read; files go out as they are, since most of them are compressed already."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        if response.streaming or kind not in COMPRESSED or "Content-Disposition" in response.headers:
            return response
        return super().process_response(request, response)
