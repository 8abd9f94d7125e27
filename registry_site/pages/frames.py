"""HTML files inside of our pages: in a sandboxed frame, from addresses at which no cookie counts.

Who made the file is a stranger to whoever looks at it. So the frame and the answer's own policy both put it into an
origin of its own, where it has none of our cookies, storage or pages, and loads nothing from anywhere; its scripts run
when the reader wants that, and then there too. The address is signed, for this file and for some minutes, and is
answered alike whatever cookies come with it.
"""

from collections.abc import Callable
from datetime import timedelta

from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from registry_site.accounts.actors import Actor
from registry_site.accounts.signed_urls import actor_of_signature, sign
from registry_site.artifacts.paths import content_type_of
from registry_site.artifacts.store import CHUNK
from registry_site.audit.kinds import Origin
from registry_site.core.errors import InvalidParameter
from registry_site.pages.middleware import PageRequest
from registry_site.tracking.artifact_files import open_stored, stat_stored

LASTS = timedelta(minutes=10)
MAX_HTML = 32 * 1024 * 1024  # bytes that a browser is asked to show
_WITHOUT_SCRIPTS = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"
_WITH_SCRIPTS = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' data: blob:; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; media-src data: blob:; worker-src blob:"
)
_ALWAYS = "; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"


def frame_url(request: PageRequest, route: str, *place: object) -> Callable[[str], str]:
    """Where a file of this place is shown in a frame, by its path."""

    def address(path: str) -> str:
        signed = sign(request.actor, "frame", route, *map(str, place), path, lasts=LASTS)
        return reverse(route, args=[signed.text, *place, path])

    return address


def reader_of_frame(signature: str, route: str, *place: object, path: str) -> Actor:
    """In whose name the file is shown. Raises NotFound."""
    return actor_of_signature(signature, "frame", route, *map(str, place), path, origin=Origin.PAGE)


def frame_response(request: PageRequest, stored: str) -> HttpResponseBase:
    """The HTML file at a path of the store that the reader may read, sealed off. `?scripts=1` lets its scripts run, in
    a frame and not in a window of their own. Raises NotFound, InvalidParameter."""
    entry = stat_stored(stored)
    if entry.is_dir or content_type_of(entry.name) != "text/html" or (entry.size or 0) > MAX_HTML:
        raise InvalidParameter(f"{entry.name} is not shown in a frame; download it.", field="path")
    in_a_window = request.headers.get("Sec-Fetch-Dest") == "document"
    policy = _WITH_SCRIPTS if request.GET.get("scripts") and not in_a_window else _WITHOUT_SCRIPTS
    response = FileResponse(
        open_stored(stored),
        content_type="text/html; charset=utf-8",
        headers={
            "Content-Length": str(entry.size),
            "Content-Disposition": "inline",
            "Cache-Control": "private, no-store",
            "Content-Security-Policy": policy + _ALWAYS,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        },
    )
    response.block_size = CHUNK
    return response
