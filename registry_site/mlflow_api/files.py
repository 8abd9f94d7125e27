"""Files over HTTP: sent with ranges and never as something that a browser would run, received in bounded memory."""

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from registry_site.artifacts.paths import content_disposition, content_type_of
from registry_site.artifacts.ranges import part_of
from registry_site.artifacts.store import CHUNK, Source
from registry_site.core.errors import InvalidParameter
from registry_site.mlflow_api.bodies import chunked_body
from registry_site.mlflow_api.errors import json_error
from registry_site.tracking.artifact_files import open_stored, stat_stored


def file_response(http: HttpRequest, stored: str) -> HttpResponseBase:
    """The file at a path of the store that `tracking.artifact_files` resolved: 200, 206 for a Range, or 416.

    Raises NotFound, and InvalidParameter for a folder.
    """
    entry = stat_stored(stored)
    if entry.is_dir:
        raise InvalidParameter(f"{stored} is a folder; ask for a file in it.", field="path")
    part = part_of(entry.size or 0, range_header=http.headers.get("Range", ""), has_if_range="If-Range" in http.headers)
    if part.status == 416:
        return json_error(
            416,
            f"The file has {entry.size} bytes; the range asked for lies behind them.",
            error_code="INVALID_PARAMETER_VALUE",
            headers=dict(part.headers),
        )
    content_type = content_type_of(entry.name)
    headers = {
        **part.headers,
        "Content-Disposition": content_disposition(entry.name),
        "Content-Length": str(part.length),
        "Content-Security-Policy": "sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    if http.method == "HEAD":
        return HttpResponse(status=part.status, content_type=content_type, headers=headers)
    reader = open_stored(stored, offset=part.first, length=part.length)
    response = FileResponse(reader, status=part.status, content_type=content_type, headers=headers)
    response.block_size = CHUNK
    return response


def upload(http: HttpRequest) -> tuple[Source, int | None]:
    """The body of a request, to be read in pieces, and its length; None for a chunked one, which ends where it ends.

    Raises InvalidParameter for a chunked body that the web server cannot tell the end of.
    """
    chunked = chunked_body(http)
    if chunked is not None:
        return chunked, None
    return http, int(http.META.get("CONTENT_LENGTH") or 0)
