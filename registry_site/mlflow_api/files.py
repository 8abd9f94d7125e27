"""Files over HTTP: sent with ranges and never as something that a browser would run, received in bounded memory."""

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from registry_site.artifacts.front import handed_over
from registry_site.artifacts.paths import content_disposition, content_type_of
from registry_site.artifacts.ranges import part_of
from registry_site.artifacts.store import CHUNK, Source
from registry_site.core.errors import InvalidParameter
from registry_site.mlflow_api.bodies import chunked_body, sized_body
from registry_site.mlflow_api.errors import json_error
from registry_site.tracking.artifact_files import open_stored, stat_stored

LONGEST_LENGTH = 18  # digits


def file_response(http: HttpRequest, stored: str) -> HttpResponseBase:
    """The file at a path of the store that `tracking.artifact_files` resolved: 200, 206 for a Range, or 416.

    Raises NotFound, and InvalidParameter for a folder.
    """
    entry = stat_stored(stored)
    if entry.is_dir:
        raise InvalidParameter(f"{stored} is a folder; ask for a file in it.", field="path")
    headers = {
        "Content-Disposition": content_disposition(entry.name),
        "Content-Security-Policy": "sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    content_type = content_type_of(entry.name)
    if elsewhere := handed_over(stored):
        return HttpResponse(content_type=content_type, headers=headers | elsewhere)
    part = part_of(entry.size or 0, range_header=http.headers.get("Range", ""), has_if_range="If-Range" in http.headers)
    if part.status == 416:
        return json_error(
            416,
            f"The file has {entry.size} bytes; the range asked for lies behind them.",
            error_code="INVALID_PARAMETER_VALUE",
            headers=dict(part.headers),
        )
    headers |= {**part.headers, "Content-Length": str(part.length)}
    if http.method == "HEAD":
        return HttpResponse(status=part.status, content_type=content_type, headers=headers)
    reader = open_stored(stored, offset=part.first, length=part.length)
    response = FileResponse(reader, status=part.status, content_type=content_type, headers=headers)
    response.block_size = CHUNK
    return response


def upload(http: HttpRequest) -> tuple[Source, int | None]:
    """The body of a request, to be read in pieces, and its length; None for a chunked one, which ends where it ends.

    Raises InvalidParameter for a chunked body that the web server cannot tell the end of, and for a length that is no
    number.
    """
    chunked = chunked_body(http)
    if chunked is not None:
        return chunked, None
    length = http.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdecimal() and len(length) <= LONGEST_LENGTH):
        raise InvalidParameter(f"The Content-Length {length[:40]!r} is no number of bytes.")
    return sized_body(http), int(length)
