"""The files of a run: a tree, a preview, and the file itself."""

from functools import cache, partial
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import urlencode

from registry_site.core.errors import NotFound
from registry_site.pages.access import signed_in
from registry_site.pages.archives import archive_url
from registry_site.pages.browser import Home
from registry_site.pages.downloads import file_response
from registry_site.pages.files import PARTS, browser_context, pane_context
from registry_site.pages.frames import frame_response, frame_url, reader_of_frame
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import render_page, wants_part
from registry_site.pages.views.runs import run_context
from registry_site.tracking import artifact_files
from registry_site.tracking.queries import get_run


@signed_in
def run_artifacts(request: PageRequest, run_id: str) -> HttpResponse:
    """All that a run left behind."""
    return _artifacts(request, run_id, "")


@signed_in
def run_artifact(request: PageRequest, run_id: str, path: str) -> HttpResponse:
    """A folder or file of a run."""
    return _artifacts(request, run_id, path)


def _artifacts(request: PageRequest, run_id: str, path: str) -> HttpResponse:
    run = get_run(request.actor, run_id)
    made = [link.logged_model for link in run.run_models.all() if link.is_output]
    home = home_of_run(request, run, made)
    context = run_context(request, run, "run_artifacts")
    if wants_part(request, "preview"):
        context |= pane_context(request, home, path)
    else:
        try:
            context |= browser_context(request, home, path, versions=context["versions"], models=made)
        except NotFound as error:
            if path:
                raise
            context["elsewhere"] = error.message
    return render_page(request, "pages/runs/artifacts.html", context, parts=PARTS)


def home_of_run(request: PageRequest, run: Any, made: list[Any]) -> Home:
    """The files of a run as the browser shows them."""
    run_id = run.run_id

    def register_url(path: str) -> str:
        return f"{reverse('register_model', args=[run_id])}?{urlencode({'path': path})}"

    return Home(
        title=str(run),
        uri=f"runs:/{run_id}",
        listed=partial(artifact_files.run_artifacts, request.actor, run_id),
        stored=partial(artifact_files.resolve_run_artifact, request.actor, run_id),
        page_url=cache(
            lambda path: (
                reverse("run_artifact", args=[run_id, path]) if path else reverse("run_artifacts", args=[run_id])
            )
        ),
        file_url=lambda path: reverse("run_file", args=[run_id, path]),
        archive_url=archive_url("run_archive", run_id),
        frame_url=frame_url(request, "run_frame", run_id),
        register_url=register_url if run.lifecycle_stage == "active" else None,
        models=frozenset(model.name for model in made),
    )


@signed_in
def run_file(request: PageRequest, run_id: str, path: str) -> HttpResponseBase:
    """The file itself: to be saved, or with `?inline=1` shown where that is safe."""
    return file_response(request, artifact_files.resolve_run_artifact(request.actor, run_id, path))


def run_frame(request: PageRequest, signature: str, run_id: str, path: str) -> HttpResponseBase:
    """An HTML file in a frame, for whoever has the signature."""
    actor = reader_of_frame(signature, "run_frame", run_id, path=path)
    return frame_response(request, artifact_files.resolve_run_artifact(actor, run_id, path))
