"""Who stood in a stage of a model when, and bringing an earlier occupant back."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from registry_site.core import clock
from registry_site.core.errors import NotFound, PodiumError
from registry_site.pages import columns
from registry_site.pages.access import signed_in
from registry_site.pages.drawings import Point, Stretch, lanes_over, line_over
from registry_site.pages.exports import as_file
from registry_site.pages.formats import duration_ms, number
from registry_site.pages.forms.promotion import RollbackForm
from registry_site.pages.marks import headline_metrics
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import go, pager_of, render_dialog, show_error, status_of
from registry_site.pages.views.model_tabs import model_frame
from registry_site.promotion import services
from registry_site.promotion.history import STAYS_PER_PAGE_AT_MOST, Span, spans_in, stays_in
from registry_site.promotion.looking_ahead import preflight
from registry_site.registry.evidence import Measured, metrics_over_versions
from registry_site.registry.history import display_names
from registry_site.registry.queries import find_model
from registry_site.registry.stages import ACTIVE_STAGES, Stage, parse_stage

SHOWN = (Stage.PRODUCTION, Stage.STAGING, Stage.ARCHIVED)
CHARTED = (Stage.PRODUCTION, Stage.STAGING)
STAYS = 50
VERSIONS_PLOTTED = 100


@signed_in
def model_timeline(request: PageRequest, name: str) -> HttpResponseBase:
    """Who stood in Production, or in another stage, from when until when, and by which request."""
    found = find_model(request.actor, name)
    stage = parse_stage(request.GET.get("stage") or Stage.PRODUCTION.value)
    find = partial(stays_in, request.actor, name, stage)
    if file := as_file(
        request, "stages", columns.STAYS, lambda token: find(max_results=STAYS_PER_PAGE_AT_MOST, page_token=token)
    ):
        return file
    page = find(max_results=STAYS, page_token=request.GET.get("page_token"))
    people = display_names(stay.came for stay in page.rows)
    now = clock.now()
    rows: list[dict[str, Any]] = [
        {"stay": stay, "who": people.get(stay.came.actor_name, ""), "lasted": stay.lasted(now)} for stay in page.rows
    ]
    longest = max((row["lasted"] for row in rows), default=0) or 1
    for row in rows:
        row["share"] = max(1, round(100 * row["lasted"] / longest))
    spans = spans_in(found, CHARTED)
    context = model_frame(request, found, "timeline") | {
        "chart": lanes_over([_stretch(name, span, now) for span in spans], [one.value for one in CHARTED], now),
        "spans": [(span, ((span.end or now) - span.start).total_seconds() * 1000) for span in reversed(spans)],
        **_metric_plot(request, name, spans),
        "stage": stage,
        "stages": SHOWN,
        "rows": rows,
        "may_roll_back": stage in ACTIVE_STAGES,
        "pager": pager_of(request, page.next_page_token),
    }
    return render(request, "pages/models/timeline.html", context)


def _stretch(name: str, span: Span, now: datetime) -> Stretch:
    lasted = duration_ms(((span.end or now) - span.start).total_seconds() * 1000)
    if span.end is None:
        said = _("v%(version)s in %(stage)s since %(start)s, for %(lasted)s")
    else:
        said = _("v%(version)s in %(stage)s from %(start)s until %(end)s, for %(lasted)s")
    words = {
        "version": span.version,
        "stage": span.stage.value,
        "start": f"{span.start:%Y-%m-%d}",
        "end": f"{span.end:%Y-%m-%d}" if span.end else "",
        "lasted": lasted,
    }
    return Stretch(
        lane=span.stage.value,
        start=span.start,
        end=span.end,
        label=f"v{span.version}",
        said=said % words,
        css=f"bar-{span.stage.value.lower()}",
        url=reverse("version", args=[name, span.version]),
    )


def _metric_plot(request: PageRequest, name: str, spans: Sequence[Span]) -> dict[str, Any]:
    """One metric over the versions: that of the address, else the first one that is not of training."""
    metrics = metrics_over_versions(request.actor, name, limit=VERSIONS_PLOTTED)
    asked = request.GET.get("metric", "")
    if asked and asked not in metrics:
        raise NotFound(
            _("No version of %(name)s has a metric %(metric)s that you may read.")
            % {"name": name, "metric": asked[:100]},
            field="metric",
        )
    if not metrics:
        return {"metric": ""}
    key = asked or headline_metrics(dict.fromkeys(metrics, 0.0), most=1)[0][0]
    measured = metrics[key]
    stood = {span.version for span in spans if span.stage is Stage.PRODUCTION}
    points = [
        Point(
            label=f"v{one.version}",
            value=one.value,
            said=_said_of(one, was_there=one.version in stood),
            css="dot-production" if one.stage == Stage.PRODUCTION.value else "dot-was" if one.version in stood else "",
            url=reverse("version", args=[name, one.version]),
            is_square=one.version in stood or one.stage == Stage.PRODUCTION.value,
        )
        for one in measured
    ]
    return {
        "metric": key,
        "metrics": list(metrics),
        "plot": line_over(points),
        "measured": [(one, one.version in stood) for one in reversed(measured)],
    }


def _said_of(one: Measured, *, was_there: bool) -> str:
    words = f"v{one.version}: {number(one.value)}"
    if one.stage == Stage.PRODUCTION.value:
        return _("%(words)s, in Production now") % {"words": words}
    return _("%(words)s, was in Production") % {"words": words} if was_there else words


@signed_in
def roll_back(request: PageRequest, name: str, version: int) -> HttpResponse:
    """A dialog, or a page, that brings a version back to a stage that it stood in: at once, or by a request, and it
    says which."""
    asked = request.POST.get("to") or request.GET.get("to") or Stage.PRODUCTION.value
    to_stage = parse_stage(asked)
    ahead = preflight(request.actor, name=name, version=version, to_stage=to_stage)
    form = RollbackForm(request.POST or None)
    back = f"{reverse('model_timeline', args=[name])}?stage={to_stage.value}"
    if request.method == "POST" and form.is_valid():
        try:
            done = services.rollback(
                request.actor, name=name, version=version, to_stage=to_stage, comment=form.cleaned_data["comment"]
            )
        except PodiumError as error:
            show_error(form, error)
        else:
            if done.request is not None:
                url = reverse("request", args=[name, done.request.number])
                return go(request, url, said=_("Request #%(number)s asks for it.") % {"number": done.request.number})
            words = {"version": version, "stage": to_stage.value}
            return go(request, back, said=_("Version %(version)s is back in %(stage)s.") % words)
    context = {
        "form": form,
        "version": ahead.version,
        "model": ahead.version.registered_model,
        "ahead": ahead,
        "to_stage": to_stage,
        "back": back,
        "crumbs": [
            (_("Models"), reverse("models")),
            (name, reverse("model", args=[name])),
            (_("Stage history"), back),
            (_("Roll back"), ""),
        ],
    }
    return render_dialog(request, "pages/models/rollback.html", context, status=status_of(form))
