"""One run: what it was given, what it measured, what it made."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from registry_site.accounts.levels import Level
from registry_site.core.errors import NotFound, PodiumError
from registry_site.pages.access import signed_in
from registry_site.pages.browser import ENTRIES_LISTED
from registry_site.pages.forms.tracking import RunForm
from registry_site.pages.middleware import PageRequest
from registry_site.pages.run_charts import CURVE_POINTS, Chart, asked_keys, charts_of, curve
from registry_site.pages.run_table import NOTE_TAG, OWN_TAGS, PARENT_TAG, duration_of
from registry_site.registry.queries import versions_of_run
from registry_site.tracking import artifact_files, histories, queries, services
from registry_site.tracking.access import level_of, require
from registry_site.tracking.locking import run_not_found

SPARKLINE_POINTS = 48
CHARTS_PER_PAGE = 24
KEYS_PER_CHART = 20
NESTED_RUNS_SHOWN = 20
FOLDERS_LOOKED_INTO = 8
_SOURCE_FACTS = (
    ("mlflow.source.name", gettext_lazy("Source")),
    ("mlflow.source.type", gettext_lazy("Kind of source")),
    ("mlflow.source.git.commit", gettext_lazy("Git commit")),
    ("mlflow.source.git.branch", gettext_lazy("Git branch")),
    ("mlflow.project.entryPoint", gettext_lazy("Entry point")),
)


# -- overview ----------------------------------------------------------------------------------------------------------
@signed_in
def run(request: PageRequest, run_id: str) -> HttpResponse:
    """All of a run at a glance."""
    found = queries.get_run(request.actor, run_id)
    metrics = found.latest_metrics.all()
    series = _sparklines(request, run_id, [metric.key for metric in metrics])
    tags = {tag.key: tag.value for tag in found.tags.all()}
    context = run_context(request, found, "run") | {
        "metrics": [(metric, series.get(metric.key, [])) for metric in sorted(metrics, key=lambda one: one.key)],
        "params": sorted(found.params.all(), key=lambda one: one.key),
        "note": tags.get(NOTE_TAG, ""),
        "tags": [(key, value) for key, value in sorted(tags.items()) if not key.startswith(OWN_TAGS)],
        "facts": [(label, tags[key]) for key, label in _SOURCE_FACTS if tags.get(key)],
        "parent": _parent(request, tags.get(PARENT_TAG, "")),
        "nested": queries.search_runs(
            request.actor,
            experiment_ids=[found.experiment_id],
            filter=f"tags.`{PARENT_TAG}` = '{found.run_id}'",
            max_results=NESTED_RUNS_SHOWN,
        ),
        "inputs": found.dataset_inputs.all(),
        "made_models": [link.logged_model for link in found.run_models.all() if link.is_output],
        "read_models": [link.logged_model for link in found.run_models.all() if not link.is_output],
    }
    return render(request, "pages/runs/run.html", context)


def _sparklines(request: PageRequest, run_id: str, keys: list[str]) -> dict[str, list[float]]:
    series = histories.metric_series(request.actor, run_id, keys, max_points=SPARKLINE_POINTS)
    return {key: [point.value for point in points] for key, points in series.items() if len(points) > 1}


def _parent(request: PageRequest, run_id: str) -> Any:
    return next(iter(queries.runs_by_ids(request.actor, [run_id])), None) if run_id else None


def run_context(request: PageRequest, found: Any, tab: str) -> dict[str, Any]:
    """What every tab of a run shows above itself."""
    versions = versions_of_run(request.actor, found.run_id)
    tabs = [
        ("run", _("Overview"), "info", None),
        ("run_metrics", _("Metrics"), "chart", len(found.latest_metrics.all())),
        ("run_artifacts", _("Artifacts"), "folder", None),
    ]
    return {
        "may_edit": level_of(request.actor, found.experiment_id) >= Level.CAN_EDIT,
        "crumbs": [
            (_("Experiments"), reverse("experiments")),
            (found.experiment.name, reverse("experiment", args=[found.experiment_id])),
            (str(found), ""),
        ],
        "run": found,
        "tab_name": tab,
        "duration_ms": duration_of(found),
        "versions": versions,
        "model_paths": model_paths(request, found),
        "tabs": [
            {
                "label": label,
                "url": reverse(view, args=[found.run_id]),
                "icon": icon,
                "current": view == tab,
                "count": count,
            }
            for view, label, icon, count in tabs
        ],
    }


def model_paths(request: PageRequest, found: Any) -> list[str]:
    """The folders of a run that hold a model: what clients said that they logged, and else what lies there."""
    tags = {tag.key: tag.value for tag in found.tags.all()}
    said = [link.logged_model.name for link in found.run_models.all() if link.is_output]
    said += _logged_paths(tags.get("mlflow.log-model.history", ""))
    return sorted(set(said)) or _folders_with_a_model(request, found.run_id)


def _logged_paths(history: str) -> list[str]:
    """The paths in the tag that MLflow 2 clients write; anybody may have written anything there."""
    try:
        entries = json.loads(history or "[]")
    except ValueError:
        return []
    if not isinstance(entries, list):
        return []
    paths = [entry.get("artifact_path") for entry in entries if isinstance(entry, dict)]
    return [path for path in paths if isinstance(path, str) and path]


def _folders_with_a_model(request: PageRequest, run_id: str) -> list[str]:
    try:
        listing = artifact_files.run_artifacts(request.actor, run_id, limit=ENTRIES_LISTED)
    except NotFound:  # the artifacts lie in another store, which only the clients reach
        return []
    folders = [one.path for one in listing.files if one.is_dir][:FOLDERS_LOOKED_INTO]
    return artifact_files.folders_with(request.actor, run_id, folders, "MLmodel")


# -- metrics -----------------------------------------------------------------------------------------------------------
@signed_in
def run_metrics(request: PageRequest, run_id: str) -> HttpResponse:
    """Every metric in a table, and a plot of each that has more than one point."""
    found = queries.get_run(request.actor, run_id)
    metrics = sorted(found.latest_metrics.all(), key=lambda one: one.key)
    series = _sparklines(request, run_id, [metric.key for metric in metrics])
    charts = charts_of(series)
    shown = _positive(request.GET.get("charts"), CHARTS_PER_PAGE)
    context = run_context(request, found, "run_metrics") | {
        "metrics": [(metric, values, _range(values)) for metric in metrics for values in [series.get(metric.key, [])]],
        "charts": [(chart.title, _data_url(run_id, chart)) for chart in charts[:shown]],
        "more_charts": shown + CHARTS_PER_PAGE if len(charts) > shown else None,
        "chart_count": len(charts),
    }
    return render(request, "pages/runs/metrics.html", context)


def _range(values: list[float]) -> tuple[float, float] | None:
    return (min(values), max(values)) if values else None


def _data_url(run_id: str, chart: Chart) -> str:
    keys = urlencode({"key": chart.keys[:KEYS_PER_CHART]}, doseq=True)
    return f"{reverse('run_metric_data', args=[run_id])}?{keys}"


def _positive(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and 0 < len(text) < 6 and int(text) else default


@signed_in
def run_metric_data(request: PageRequest, run_id: str) -> HttpResponse:
    """The points of metrics as plots read them: steps, values and milliseconds, thinned out without losing a peak."""
    keys = asked_keys(request.GET.getlist("key"))
    series = histories.metric_series(request.actor, run_id, keys, max_points=CURVE_POINTS)
    return JsonResponse({"series": [curve(key, key, series[key]) for key in keys if key in series]})


# -- changing ----------------------------------------------------------------------------------------------------------
@signed_in
def edit_run(request: PageRequest, run_id: str) -> HttpResponse:
    """Another name, another description."""
    found = queries.get_run(request.actor, run_id)
    if request.method == "GET":
        require(request.actor, found.experiment_id, Level.CAN_EDIT, hidden=run_not_found(run_id))
    note = next((tag.value for tag in found.tags.all() if tag.key == NOTE_TAG), "")
    form = RunForm(request.POST or None, initial={"name": str(found), "description": note})
    here = reverse("run", args=[run_id])
    if request.method == "POST" and form.is_valid():
        try:
            services.update_run(request.actor, run_id=run_id, run_name=form.cleaned_data["name"])
            services.set_run_tag(request.actor, run_id=run_id, key=NOTE_TAG, value=form.cleaned_data["description"])
        except PodiumError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, _("The run is saved."))
            return HttpResponseClientRedirect(here) if request.htmx else redirect(here)
    context = {
        "base": "components/dialog.html" if request.htmx else "base.html",
        "crumbs": [
            (_("Experiments"), reverse("experiments")),
            (found.experiment.name, reverse("experiment", args=[found.experiment_id])),
            (str(found), here),
            (_("Edit"), ""),
        ],
        "form": form,
        "form_heading": _("Edit run"),
        "submit": _("Save"),
        "back": here,
    }
    return render(request, "pages/experiments/form.html", context, status=422 if form.errors else 200)


@require_POST
@signed_in
def delete_run(request: PageRequest, run_id: str) -> HttpResponse:
    """Mark it as deleted; its page has the way back."""
    services.delete_run(request.actor, run_id=run_id)
    messages.success(request, _("The run is deleted. It can be restored from this page."))
    return redirect("run", run_id=run_id)


@require_POST
@signed_in
def restore_run(request: PageRequest, run_id: str) -> HttpResponse:
    """Bring it back."""
    services.restore_run(request.actor, run_id=run_id)
    messages.success(request, _("The run is back."))
    return redirect("run", run_id=run_id)
