"""Runs side by side: what they were given, what they measured, and the curves of it on the same axes."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from registry_site.core.errors import InvalidParameter, NotFound
from registry_site.pages.access import signed_in
from registry_site.pages.middleware import PageRequest
from registry_site.pages.plots_beside import Plots, Thing, plots_of
from registry_site.pages.run_charts import CURVE_POINTS, asked_keys, curve
from registry_site.pages.run_table import OWN_TAGS, duration_of
from registry_site.pages.side_by_side import lines, tolerance_of
from registry_site.tracking import histories, queries

LEAST, MOST = 2, 6
CURVES = 24


@signed_in
def compare_runs(request: PageRequest, experiment_id: int) -> HttpResponse:
    """Two to six runs, in the order of the address; the first one is what the others are compared with."""
    experiment = queries.get_experiment(request.actor, experiment_id)
    runs = _runs(request)
    everything, tolerance = request.GET.get("show") == "all", asked_tolerance(request)
    metrics = lines(
        [{metric.key: metric.number for metric in run.latest_metrics.all()} for run in runs], tolerance.size
    )
    params = lines([{param.key: param.value for param in run.params.all()} for run in runs], tolerance.size)
    sections = [
        (_("Metrics"), metrics),
        (_("Params"), params),
        (
            _("Tags"),
            lines([{tag.key: tag.value for tag in run.tags.all() if not tag.key.startswith(OWN_TAGS)} for run in runs]),
        ),
        (_("Data"), lines([_data_of(run) for run in runs])),
    ]
    plots = plots_of(
        [
            Thing(
                str(run),
                place,
                {metric.key: metric.number for metric in run.latest_metrics.all()},
                {param.key: param.value for param in run.params.all()},
            )
            for place, run in enumerate(runs)
        ],
        x=request.GET.get("x", ""),
        y=request.GET.get("y", ""),
    )
    drawn = _drawn(request, [run.run_id for run in runs], [line.name for line in metrics])
    context = {
        "crumbs": [
            (_("Experiments"), reverse("experiments")),
            (experiment.name, reverse("experiment", args=[experiment.pk])),
            (_("Compare runs"), ""),
        ],
        "experiment": experiment,
        "columns": [
            {
                "run": run,
                "colour": f"series-{place + 1}",
                "duration_ms": duration_of(run),
                "without": _without(request, runs, run),
            }
            for place, run in enumerate(runs)
        ],
        **plots_context(request, plots),
        "everything": everything,
        "tolerance": tolerance,
        "sections": [
            (title, [line for line in found if everything or line.differs], len(found)) for title, found in sections
        ],
        "curves": [(key, _curve_url(experiment.pk, runs, key)) for key in drawn[:CURVES]],
        "left_out": len(drawn[CURVES:]),
    }
    return render(request, "pages/runs/compare.html", context, status=400 if tolerance.error else 200)


@signed_in
def compare_runs_data(request: PageRequest, experiment_id: int) -> HttpResponse:
    """The points of metrics of each run, as plots read them; `place` keeps a run's colour."""
    queries.get_experiment(request.actor, experiment_id)
    runs, keys = _runs(request), asked_keys(request.GET.getlist("key"))
    series = histories.metric_series_of_runs(request.actor, [run.run_id for run in runs], keys, CURVE_POINTS)
    curves = [
        curve(key, str(run), series[run.run_id][key], place=place)
        for key in keys
        for place, run in enumerate(runs)
        if key in series[run.run_id]
    ]
    return JsonResponse({"series": curves})


def _runs(request: PageRequest) -> list[Any]:
    """The runs of the address: `?runs=a,b` or `?runs=a&runs=b`. Raises NotFound for one that nobody sees here."""
    named = [run_id for text in request.GET.getlist("runs") for run_id in text.split(",") if run_id]
    wanted = list(dict.fromkeys(named))
    if not LEAST <= len(wanted) <= MOST:
        raise InvalidParameter(
            _("Choose %(least)d to %(most)d runs to compare, not %(count)d: ?runs=ID,ID.")
            % {"least": LEAST, "most": MOST, "count": len(wanted)},
            field="runs",
        )
    runs = queries.runs_by_ids(request.actor, wanted)
    missing = set(wanted) - {run.run_id for run in runs}
    if missing:
        raise NotFound(_("There is no run %(run_id)s.") % {"run_id": min(missing)}, field="runs")
    return runs


def plots_context(request: PageRequest, plots: Plots | None) -> dict[str, Any]:
    """What the template of the plots needs, so that all else of the address is kept when other axes are chosen."""
    if plots is None:
        return {"plots": None}
    return {
        "plots": plots,
        "kept": _kept(request, "x", "y"),
        "axes": [("x", plots.x, _("Across")), ("y", plots.y, _("Up"))],
    }


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How close numbers may be to count as the same, as it was typed, and what is wrong with that; `kept` is what else
    is in the address."""

    size: float
    text: str
    error: str
    kept: list[tuple[str, str]]


def asked_tolerance(request: PageRequest) -> Tolerance:
    """The tolerance of the address, which is none where it is wrong: a page says so. Raises InvalidParameter for a
    wrong one where a file is asked for."""
    text, kept = request.GET.get("tolerance", ""), _kept(request, "tolerance")
    try:
        return Tolerance(tolerance_of(text), text, "", kept)
    except InvalidParameter as error:
        if request.GET.get("format"):
            raise
        return Tolerance(0.0, text, error.message, kept)


def _kept(request: PageRequest, *without: str) -> list[tuple[str, str]]:
    return [(key, value) for key in request.GET for value in request.GET.getlist(key) if key not in without]


def _data_of(run: Any) -> dict[str, str]:
    return {each.dataset.name: each.dataset.digest for each in run.dataset_inputs.all()}


def _drawn(request: PageRequest, run_ids: list[str], keys: list[str]) -> list[str]:
    """The metrics that have more than one point in some run."""
    series = histories.metric_series_of_runs(request.actor, run_ids, keys, 2)
    return [key for key in keys if any(len(found.get(key, ())) > 1 for found in series.values())]


def _without(request: PageRequest, runs: list[Any], left_out: Any) -> str | None:
    """The comparison without one of the runs, while enough of them are left."""
    if len(runs) <= LEAST:
        return None
    query = request.GET.copy()
    query.setlist("runs", [",".join(run.run_id for run in runs if run is not left_out)])
    return f"?{query.urlencode(safe=',')}"


def _curve_url(experiment_id: int, runs: list[Any], key: str) -> str:
    query = urlencode({"runs": ",".join(run.run_id for run in runs), "key": key})
    return f"{reverse('compare_runs_data', args=[experiment_id])}?{query}"
