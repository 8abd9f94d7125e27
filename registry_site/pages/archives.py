"""Folders that are downloaded as one file."""

from collections.abc import Callable, Sequence

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import urlencode

from registry_site.artifacts.archives import Format, Member, archive_of
from registry_site.artifacts.paths import content_disposition
from registry_site.pages.middleware import PageRequest


def archive_url(route: str, *arguments: object) -> Callable[[str], str]:
    """Where a folder's archive is, by the folder's path."""
    address = reverse(route, args=arguments)
    return lambda path: f"{address}?{urlencode({'path': path})}" if path else address


def archive_response(request: PageRequest, members: Sequence[Member], format: Format, *, name: str) -> HttpResponseBase:
    """The members in one file, called `name` and the format's extension, made while it is sent.

    Where something goes wrong in the middle the connection is cut, which every client reports: the answer has a length
    or is sent in chunks, and neither is complete then.
    """
    archive = archive_of(members, format)
    headers = {
        "Cache-Control": "private, no-store",
        "Content-Disposition": content_disposition(f"{name}.{format}"),
        "Content-Security-Policy": "sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    if archive.length is not None:
        headers["Content-Length"] = str(archive.length)
    if request.method == "HEAD":
        return HttpResponse(content_type=format.content_type, headers=headers)
    return StreamingHttpResponse(archive.chunks, content_type=format.content_type, headers=headers)
