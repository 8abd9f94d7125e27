"""Files over HTTP: sent with ranges and never as something that a browser would run, received in bounded memory."""

import re

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from registry_site.artifacts.paths import content_disposition, content_type_of
from registry_site.artifacts.store import CHUNK, Source
from registry_site.core.errors import InvalidParameter
from registry_site.mlflow_api.errors import json_error
from registry_site.tracking.artifact_files import open_stored, stat_stored

_RANGE = re.compile(r"bytes=(?:(?P<first>[0-9]{1,18})-(?P<last>[0-9]{0,18})|-(?P<suffix>[0-9]{1,18}))\Z")


def file_response(http: HttpRequest, stored: str) -> HttpResponseBase:
    """The file at a path of the store that `tracking.artifact_files` resolved: 200, 206 for a Range, or 416.

    Raises NotFound, and InvalidParameter for a folder.
    """
    entry = stat_stored(stored)
    if entry.is_dir:
        raise InvalidParameter(f"{stored} is a folder; ask for a file in it.", field="path")
    size = entry.size or 0
    asked = None if "If-Range" in http.headers else requested_range(http.headers.get("Range", ""), size)
    if asked is not None and asked[0] >= size:
        return json_error(
            416,
            f"The file has {size} bytes; the range asked for lies behind them.",
            error_code="INVALID_PARAMETER_VALUE",
            headers={"Content-Range": f"bytes */{size}"},
        )
    first, last = asked or (0, size - 1)
    reader = open_stored(stored, offset=first, length=last - first + 1)
    length = reader.remaining
    response: HttpResponse | FileResponse
    if http.method == "HEAD":
        reader.close()
        response = HttpResponse()
    else:
        response = FileResponse(reader)
        response.block_size = CHUNK
    response.status_code = 200 if asked is None else 206
    for name, value in {
        "Accept-Ranges": "bytes",
        "Content-Disposition": content_disposition(entry.name),
        "Content-Length": str(length),
        "Content-Security-Policy": "sandbox",
        "Content-Type": content_type_of(entry.name),
        "X-Content-Type-Options": "nosniff",
    }.items():
        response.headers[name] = value
    if asked is not None:
        response.headers["Content-Range"] = f"bytes {first}-{first + length - 1}/{size}"
    return response


def requested_range(header: str, size: int) -> tuple[int, int] | None:
    """The first and last byte of a Range header for a file of this size; the first lies behind the end where the range
    cannot be met. None without a range, and for several ranges or what is no range, which mean the whole file."""
    found = _RANGE.match(header.strip())
    if found is None:
        return None
    if found["suffix"]:
        length = int(found["suffix"])
        return (max(size - length, 0), size - 1) if length else (size, size)
    first, last = int(found["first"]), int(found["last"] or size - 1)
    return None if found["last"] and last < first else (first, min(last, size - 1))


def upload(http: HttpRequest) -> tuple[Source, int | None]:
    """The body of a request, to be read in pieces, and its length; None for a chunked one, which ends where it ends.

    Raises InvalidParameter for a chunked body that the web server cannot tell the end of.
    """
    if "chunked" in http.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        if not http.META.get("wsgi.input_terminated"):
            raise InvalidParameter("This web server takes no chunked uploads: send the Content-Length.")
        return http.META["wsgi.input"], None  # Django would take the missing Content-Length for an empty body
    return http, int(http.META.get("CONTENT_LENGTH") or 0)
