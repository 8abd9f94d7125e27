"""Files of runs, logged models and versions: saved by default, shown only where nothing in them can act in the reader's
name. HTML is shown in frames only, from other addresses (`frames.py`)."""

from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase

from registry_site.artifacts.front import handed_over
from registry_site.artifacts.paths import content_disposition, content_type_of
from registry_site.artifacts.ranges import part_of
from registry_site.artifacts.store import CHUNK
from registry_site.core.errors import InvalidParameter
from registry_site.pages.middleware import PageRequest
from registry_site.tracking.artifact_files import open_stored, stat_stored

RASTER = frozenset(
    f"image/{kind}" for kind in ("png", "jpeg", "gif", "webp", "avif", "bmp", "x-icon", "vnd.microsoft.icon")
)
PLAYED = ("audio/", "video/")
_SEALED = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"
_NO_SCRIPTS = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"


def policy_of(content_type: str) -> str | None:
    """The Content-Security-Policy under which a file of this type may be shown; None for one that is only saved."""
    if content_type in RASTER or content_type == "image/svg+xml" or content_type.startswith(PLAYED):
        return _SEALED
    return _NO_SCRIPTS if content_type == "application/pdf" else None  # browsers show no PDF in a sandbox


def file_response(request: PageRequest, stored: str) -> HttpResponseBase:
    """The file at a path of the store that `tracking.artifact_files` resolved: 200, 206 for a Range, or 416.

    `?inline=1` shows it where its type allows that. Raises NotFound, and InvalidParameter for a folder.
    """
    entry = stat_stored(stored)
    if entry.is_dir:
        raise InvalidParameter(f"{entry.name} is a folder; ask for a file in it.", field="path")
    content_type = content_type_of(entry.name)
    policy = policy_of(content_type) if request.GET.get("inline") else None
    shown_as = f"{content_type}; charset=utf-8" if content_type.startswith("text/") else content_type
    headers = {
        "Cache-Control": "private, no-cache",
        "Content-Disposition": content_disposition(entry.name, inline=policy is not None),
        "Content-Security-Policy": policy or "sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    # A server in front has a policy of its own for all that it sends, which does not fit what is shown.
    if policy is None and (elsewhere := handed_over(stored)):
        return HttpResponse(content_type=shown_as, headers=headers | elsewhere)
    part = part_of(
        entry.size or 0, range_header=request.headers.get("Range", ""), has_if_range="If-Range" in request.headers
    )
    if part.status == 416:
        return HttpResponse(status=416, headers=dict(part.headers))
    response = FileResponse(
        open_stored(stored, offset=part.first, length=part.length),
        status=part.status,
        content_type=shown_as,
        headers=headers | {**part.headers, "Content-Length": str(part.length)},
    )
    response.block_size = CHUNK
    return response
