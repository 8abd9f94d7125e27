"""Versions of a model side by side: all that is known of them, the first one of the address as the baseline."""

from collections.abc import Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from registry_site.artifacts.paths import content_disposition
from registry_site.core.errors import InvalidParameter, PodiumError
from registry_site.pages.access import signed_in
from registry_site.pages.errors import error_response
from registry_site.pages.exports import csv_of
from registry_site.pages.middleware import PageRequest
from registry_site.pages.plots_beside import Plots, Thing, plots_of
from registry_site.pages.run_charts import CURVE_POINTS, asked_keys, curve
from registry_site.pages.versions_beside import Section, as_data, as_rows, sections_of, shown
from registry_site.pages.views.comparison import asked_tolerance, plots_context
from registry_site.promotion import compared as comparing
from registry_site.promotion.compared import LEAST, MOST, Compared
from registry_site.registry.queries import stages_of_versions, versions_by_number
from registry_site.registry.version_files import get_version_called
from registry_site.tracking.histories import metric_series_of_runs

if TYPE_CHECKING:  # the versions come from queries; only their type is named here
    from registry_site.registry.models import ModelVersion

BETWEEN = "..."
CHOICES = 100
CURVES = 12
LEAST_PLOTTED = 3
PICTURES = 8
DIFF_SHOWN = "requirements.txt"  # where nobody asks for another one: it has been read anyway


class _View(Protocol):
    def __call__(self, request: PageRequest, /, *, name: str, versions: str = "") -> HttpResponse: ...


def _leads_back(view: _View) -> _View:
    """What is wrong with the versions is said on a page that leads to those that there are."""

    @wraps(view)
    def guarded(request: PageRequest, /, *, name: str, versions: str = "") -> HttpResponse:
        try:
            return view(request, name=name, **({"versions": versions} if versions else {}))
        except PodiumError as error:
            if error.field not in ("versions", "version", "alias", "diff", "x", "y", "tolerance"):
                raise
            back = (_("Versions of %(name)s") % {"name": name}, reverse("model", args=[name]))
            return error_response(request, error, way_out=back)

    return guarded


@signed_in
@_leads_back
def choose_versions(request: PageRequest, *, name: str, versions: str = "") -> HttpResponse:
    """On to the comparison of these: `?versions=4&versions=6`, what is in Production first; with `&add=5` in the order
    given, and one more."""
    wanted = [int(text) if text.isdecimal() else text for text in request.GET.getlist("versions") if text]
    added = request.GET.get("add", "")
    numbers = [_number(request, name, str(one)) for one in [*wanted, *([added] if added else [])][: MOST + 1]]
    numbers = list(dict.fromkeys(numbers))
    comparing.check_numbers(name, numbers)
    if not added:
        numbers = comparing.baseline_first(versions_by_number(request.actor, name, numbers))
    query = request.GET.copy()
    for key in ("versions", "add"):
        query.pop(key, None)
    return redirect(address_of(name, numbers, query.urlencode()))


@signed_in
@_leads_back
def compare_versions(request: PageRequest, *, name: str, versions: str = "") -> HttpResponse:
    """Two to six versions, as a page, or with `?format=json` or `csv` as data."""
    called = versions.split(BETWEEN)
    if len(called) > MOST:
        raise InvalidParameter(
            _("Choose %(least)d to %(most)d versions of %(name)s to compare, not %(count)d.")
            % {"least": LEAST, "most": MOST, "name": name, "count": len(called)},
            field="versions",
        )
    numbers = [_number(request, name, one) for one in called]
    if BETWEEN.join(map(str, numbers)) != versions:
        return redirect(address_of(name, numbers, request.GET.urlencode()))
    compared = comparing.compare_versions(request.actor, name, numbers)
    tolerance, everything = asked_tolerance(request), request.GET.get("show") == "all"
    sections = sections_of(compared, tolerance.size)
    if form := request.GET.get("format"):
        return _as_file(form, compared, sections, everything=everything, tolerance=tolerance.size)
    keys = _keys_with_curves(compared)
    diff = _asked_diff(request, sections)
    context = {
        "crumbs": [
            (_("Models"), reverse("models")),
            (name, reverse("model", args=[name])),
            (_("Compare"), ""),
        ],
        "model": compared.model,
        "columns": _columns(request, compared),
        "numbers": numbers,
        "choices": _choices(request, name, numbers),
        "everything": everything,
        "tolerance": tolerance,
        "sections": [(section, shown(section, everything=everything)) for section in sections],
        "same": [] if everything else [section for section in sections if not section.differing],
        "unseen_runs": [f"v{number}" for place, number in enumerate(numbers) if compared.is_hidden(place)],
        "unread_files": [
            f"v{number}"
            for number, content in zip(numbers, compared.contents, strict=True)
            if not content["files"]["read"]
        ],
        "descriptions": _descriptions(compared, everything=everything),
        "diff": diff,
        "text_changes": comparing.text_changes(compared, diff) if diff else [],
        "diffs": _diffs(compared, sections),
        **plots_context(request, _plots(request, compared)),
        "curves": [(key, _curve_url(name, numbers, key)) for key in keys[:CURVES]],
        "left_out": len(keys[CURVES:]),
        "pictures": [
            (
                one.path,
                [
                    (version, _picture_url(name, owner, one.path))
                    for version, owner in zip(compared.versions, one.owners, strict=True)
                ],
            )
            for one in comparing.pictures_of(compared, most=PICTURES)
        ],
    }
    return render(request, "pages/versions/compare.html", context, status=400 if tolerance.error else 200)


@signed_in
@_leads_back
def compare_versions_data(request: PageRequest, *, name: str, versions: str = "") -> HttpResponse:
    """The points of metrics of the run of each version, as plots read them; `place` keeps a version's colour."""
    numbers = [_number(request, name, one) for one in versions.split(BETWEEN)[: MOST + 1]]
    comparing.check_numbers(name, numbers)
    found, keys = versions_by_number(request.actor, name, numbers), asked_keys(request.GET.getlist("key"))
    runs = [version.run_id for version in found if version.run_id]
    series = metric_series_of_runs(request.actor, runs, keys, CURVE_POINTS)
    curves = [
        curve(key, f"v{version.version}", series[version.run_id][key], place=place)
        for key in keys
        for place, version in enumerate(found)
        if key in series.get(version.run_id, {})
    ]
    return JsonResponse({"series": curves})


def address_of(name: str, numbers: Sequence[int], query: str = "") -> str:
    """Where these versions stand side by side, the first one as the baseline."""
    url = reverse("compare_versions", args=[name, BETWEEN.join(map(str, numbers))])
    return f"{url}?{query}" if query else url


def _number(request: PageRequest, name: str, called: str) -> int:
    """The number of what is called so: a number, a stage, `@alias` or `latest`."""
    if called.isdecimal():
        return int(called[:30])
    if not called:
        raise InvalidParameter(
            _("Choose %(least)d to %(most)d versions of %(name)s to compare.")
            % {"least": LEAST, "most": MOST, "name": name},
            field="versions",
        )
    return get_version_called(request.actor, name, called).version


# -- the heads of the columns ------------------------------------------------------------------------------------------
def _as_file(
    form: str, compared: Compared, sections: Sequence[Section], *, everything: bool, tolerance: float
) -> HttpResponse:
    match form:
        case "json":
            return JsonResponse(as_data(sections, compared, everything=everything, tolerance=tolerance))
        case "csv":
            numbers = "-".join(f"v{version.version}" for version in compared.versions)
            table = csv_of(as_rows(sections, compared, everything=everything))
            answer = HttpResponse(table, content_type="text/csv; charset=utf-8")
            answer.headers["Content-Disposition"] = content_disposition(f"{compared.model.name}-{numbers}.csv")
            return answer
    raise InvalidParameter(
        _("There is no format '%(format)s' of this page: json and csv are.") % {"format": form[:50]}, field="versions"
    )


def _columns(request: PageRequest, compared: Compared) -> list[dict[str, Any]]:
    """Each version with its run, and where it leads: first, or left out."""
    numbers, name, query = [one.version for one in compared.versions], compared.model.name, request.GET.urlencode()
    columns = []
    for place, (version, found) in enumerate(zip(compared.versions, compared.evidence, strict=True)):
        others = [number for number in numbers if number != version.version]
        columns.append(
            {
                "version": version,
                "aliases": sorted(alias.alias for alias in version.aliases.all()),
                "run": found.run,
                "is_hidden": compared.is_hidden(place),
                "colour": f"series-{place + 1}",
                "first_url": address_of(name, [version.version, *others], query) if place else "",
                "without_url": address_of(name, others, query) if len(others) >= LEAST else "",
            }
        )
    return columns


def _choices(request: PageRequest, name: str, numbers: Sequence[int]) -> list[tuple[int, str]]:
    """What can be added."""
    if len(numbers) >= MOST:
        return []
    return [one for one in stages_of_versions(request.actor, name, limit=CHOICES) if one[0] not in numbers]


# -- below the table ---------------------------------------------------------------------------------------------------
def _descriptions(compared: Compared, *, everything: bool) -> "list[ModelVersion]":
    """The versions, where their descriptions are to be shown."""
    texts = {version.description.strip() for version in compared.versions}
    return list(compared.versions) if texts != {""} and (everything or len(texts) > 1) else []


def _plots(request: PageRequest, compared: Compared) -> Plots | None:
    """Of three and more; with two, the table says it all."""
    if len(compared.versions) < LEAST_PLOTTED:
        return None
    things = [
        Thing(f"v{version.version}", place, found.metrics, found.params)
        for place, (version, found) in enumerate(zip(compared.versions, compared.evidence, strict=True))
        if not compared.is_hidden(place)
    ]
    return plots_of(things, x=request.GET.get("x", ""), y=request.GET.get("y", ""))


def _diffs(compared: Compared, sections: Sequence[Section]) -> list[str]:
    """The files whose lines can be compared."""
    differing = [line.name for section in sections if section.key == "files" for line in section.differing]
    artifacts = [content["files"].get("artifacts", {}) for content in compared.contents]
    return [
        path
        for path in differing
        if any(comparing.may_differ_in_lines(path, files[path]["size"]) for files in artifacts if path in files)
    ]


def _asked_diff(request: PageRequest, sections: Sequence[Section]) -> str:
    """The file whose lines are compared; "" for none."""
    asked = request.GET.get("diff", "")
    if asked:
        return asked
    names = {line.name for section in sections if section.key == "files" for line in section.differing}
    return DIFF_SHOWN if DIFF_SHOWN in names else ""


def _keys_with_curves(compared: Compared) -> list[str]:
    """The metrics that were logged at more than one step, as far as their last step tells."""
    keys = {
        metric.key
        for one in compared.evidence
        if one.run is not None
        for metric in one.run.latest_metrics.all()
        if metric.step > 0
    }
    return sorted(keys)


def _curve_url(name: str, numbers: Sequence[int], key: str) -> str:
    url = reverse("compare_versions_data", args=[name, BETWEEN.join(map(str, numbers))])
    return f"{url}?{urlencode({'key': key})}"


def _picture_url(name: str, owner: tuple[str, str] | None, path: str) -> str:
    if owner is None:
        return ""
    kind, key = owner
    url = reverse("run_file", args=[key, path]) if kind == "run" else reverse("version_file", args=[name, key, path])
    return f"{url}?inline=1"
