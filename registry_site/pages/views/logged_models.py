"""A logged model: what MLflow 3 keeps of a model before, and whether or not, it is registered."""

from collections.abc import Iterable, Sequence
from functools import cache, partial
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from registry_site.core.errors import NotFound
from registry_site.pages.access import signed_in
from registry_site.pages.archives import archive_url
from registry_site.pages.browser import Home
from registry_site.pages.downloads import file_response
from registry_site.pages.files import PARTS, browser_context, pane_context
from registry_site.pages.frames import frame_response, frame_url, reader_of_frame
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import render_page, wants_part
from registry_site.pages.run_table import OWN_TAGS
from registry_site.registry.queries import search_versions, versions_of_run
from registry_site.tracking import artifact_files
from registry_site.tracking.logged_models import get_logged_model

VERSIONS_SHOWN = 100


@signed_in
def logged_model(request: PageRequest, model_id: str) -> HttpResponse:
    """Facts, params, metrics and files."""
    return _page(request, model_id, "")


@signed_in
def logged_model_artifact(request: PageRequest, model_id: str, path: str) -> HttpResponse:
    """The same page with another folder or file open."""
    return _page(request, model_id, path)


def _page(request: PageRequest, model_id: str, path: str) -> HttpResponse:
    model = get_logged_model(request.actor, model_id=model_id)
    home = home_of_logged_model(request, model)
    if wants_part(request, "preview"):
        return render_page(
            request, "pages/logged_models/logged_model.html", pane_context(request, home, path), parts=PARTS
        )
    versions = _versions(request, model)
    tags = {tag.key: tag.value for tag in model.tags.all()}
    context: dict[str, Any] = {
        "crumbs": [(_("Experiments"), reverse("experiments")), *_way_to(model), (model.name, "")],
        "model": model,
        "status": model.status.removeprefix("LOGGED_MODEL_"),
        "params": sorted(model.params.all(), key=lambda one: one.key),
        "metrics": _latest(model.metrics.all()),
        "tags": [(key, value) for key, value in sorted(tags.items()) if not key.startswith(OWN_TAGS)],
        "versions": versions,
        "register_url": reverse("register_logged_model", args=[model_id]),
    }
    try:
        context |= browser_context(request, home, path, versions=versions)
    except NotFound as error:
        if path:
            raise
        context["elsewhere"] = error.message
    return render_page(request, "pages/logged_models/logged_model.html", context, parts=PARTS)


def _latest(metrics: Iterable[Any]) -> list[Any]:
    """The last point of each metric on each dataset, by key."""
    ordered = sorted(metrics, key=lambda one: (one.key, one.dataset_name, one.dataset_digest, one.step, one.timestamp))
    return list({(one.key, one.dataset_name, one.dataset_digest): one for one in ordered}.values())


def _way_to(model: Any) -> list[tuple[str, str]]:
    run = model.source_run
    return [(str(run), reverse("run", args=[run.run_id]))] if run else []


def _versions(request: PageRequest, model: Any) -> list[Any]:
    """Versions made of this very model: by its own URI, or by a folder of the run that it came from."""
    by_uri: Sequence[Any] = search_versions(
        request.actor, filter=f"source_path = 'models:/{model.model_id}'", max_results=VERSIONS_SHOWN
    ).rows
    of_run = versions_of_run(request.actor, model.source_run.run_id) if model.source_run else []
    found = {version.pk: version for version in [*by_uri, *of_run] if version.model_id == model.model_id}
    return sorted(found.values(), key=lambda version: version.creation_timestamp, reverse=True)


def home_of_logged_model(request: PageRequest, model: Any) -> Home:
    """The files of a logged model as the browser shows them."""
    model_id = model.model_id
    return Home(
        title=model.name,
        uri=f"models:/{model_id}",
        listed=partial(artifact_files.logged_model_artifacts, request.actor, model_id),
        stored=partial(artifact_files.resolve_logged_model_artifact, request.actor, model_id),
        page_url=cache(
            lambda path: (
                reverse("logged_model_artifact", args=[model_id, path])
                if path
                else reverse("logged_model", args=[model_id])
            )
        ),
        file_url=lambda path: reverse("logged_model_file", args=[model_id, path]),
        archive_url=archive_url("logged_model_archive", model_id),
        frame_url=frame_url(request, "logged_model_frame", model_id),
    )


@signed_in
def logged_model_file(request: PageRequest, model_id: str, path: str) -> HttpResponseBase:
    """The file itself: to be saved, or with `?inline=1` shown where that is safe."""
    return file_response(request, artifact_files.resolve_logged_model_artifact(request.actor, model_id, path))


def logged_model_frame(request: PageRequest, signature: str, model_id: str, path: str) -> HttpResponseBase:
    """An HTML file in a frame, for whoever has the signature."""
    actor = reader_of_frame(signature, "logged_model_frame", model_id, path=path)
    return frame_response(request, artifact_files.resolve_logged_model_artifact(actor, model_id, path))
