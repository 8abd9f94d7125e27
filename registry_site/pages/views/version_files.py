"""The files of a version: a tree, a preview, and the file itself. Whoever may read the model may read them, also where
the run that they came from is closed to them."""

from functools import cache, partial
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from registry_site.artifacts.archives import Format
from registry_site.core.errors import NotFound
from registry_site.pages.access import signed_in
from registry_site.pages.archives import archive_url
from registry_site.pages.browser import Home
from registry_site.pages.downloads import file_response
from registry_site.pages.files import PARTS, browser_context, pane_context
from registry_site.pages.frames import frame_response, frame_url, reader_of_frame
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import render_page, wants_part
from registry_site.registry import version_files
from registry_site.registry.queries import get_version

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.registry.models import ModelVersion

PAGE = "pages/versions/artifacts.html"


@signed_in
def version_artifacts(request: PageRequest, name: str, version: int) -> HttpResponse:
    """All files of a version."""
    return _artifacts(request, name, version, "")


@signed_in
def version_artifact(request: PageRequest, name: str, version: int, path: str) -> HttpResponse:
    """A folder or file of a version."""
    return _artifacts(request, name, version, path)


def _artifacts(request: PageRequest, name: str, number: int, path: str) -> HttpResponse:
    found = get_version(request.actor, name, number)
    home = home_of_version(request, found)
    if wants_part(request, "preview"):
        return render_page(request, PAGE, pane_context(request, home, path), parts=PARTS)
    url = reverse("version", args=[name, number])
    context: dict[str, Any] = {
        "version": found,
        "model": found.registered_model,
        "version_url": url,
        "crumbs": [
            (_("Models"), reverse("models")),
            (name, reverse("model", args=[name])),
            (f"v{number}", url),
            (_("Files"), ""),
        ],
        "zip_url": reverse("version_archive", args=[name, number, Format.ZIP]),
        "tar_gz_url": reverse("version_archive", args=[name, number, Format.TAR_GZ]),
        "link_url": reverse("version_archive_link", args=[name, number]),
    }
    try:
        context |= browser_context(request, home, path)
        if not path:
            context["archive_url"] = ""  # the menu of the page has it
    except NotFound as error:
        if path:
            raise
        context["elsewhere"] = error.message
    return render_page(request, PAGE, context, parts=PARTS)


def home_of_version(request: PageRequest, version: "ModelVersion") -> Home:
    """The files of a version as the browser shows them."""
    place = [version.registered_model.name, version.version]
    return Home(
        title=f"{place[0]} v{place[1]}",
        uri=f"models:/{place[0]}/{place[1]}",
        listed=partial(version_files.version_artifacts, request.actor, version),
        stored=partial(version_files.resolve_version_artifact, request.actor, version),
        page_url=cache(
            lambda path: (
                reverse("version_artifact", args=[*place, path]) if path else reverse("version_artifacts", args=place)
            )
        ),
        file_url=lambda path: reverse("version_file", args=[*place, path]),
        archive_url=archive_url("version_archive", *place, Format.ZIP),
        frame_url=frame_url(request, "version_frame", *place),
    )


@signed_in
def version_file(request: PageRequest, name: str, version: int, path: str) -> HttpResponseBase:
    """The file itself: to be saved, or with `?inline=1` shown where that is safe."""
    found = get_version(request.actor, name, version)
    return file_response(request, version_files.resolve_version_artifact(request.actor, found, path))


def version_frame(request: PageRequest, signature: str, name: str, version: int, path: str) -> HttpResponseBase:
    """An HTML file in a frame, for whoever has the signature."""
    actor = reader_of_frame(signature, "version_frame", name, version, path=path)
    found = get_version(actor, name, version)
    return frame_response(request, version_files.resolve_version_artifact(actor, found, path))
