"""Who stood in a stage of a model when, and bringing an earlier occupant back."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from registry_site.core import clock
from registry_site.core.errors import PodiumError
from registry_site.pages.access import signed_in
from registry_site.pages.forms.promotion import RollbackForm
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import go, pager_of, render_dialog, show_error, status_of
from registry_site.pages.views.models import model_frame
from registry_site.promotion import services
from registry_site.promotion.history import stays_in
from registry_site.promotion.queries import preflight
from registry_site.registry.history import display_names
from registry_site.registry.queries import get_model
from registry_site.registry.stages import ACTIVE_STAGES, Stage, parse_stage

SHOWN = (Stage.PRODUCTION, Stage.STAGING, Stage.ARCHIVED)
STAYS = 50


@signed_in
def model_timeline(request: PageRequest, name: str) -> HttpResponse:
    """Who stood in Production, or in another stage, from when until when, and by which request."""
    found = get_model(request.actor, name)
    stage = parse_stage(request.GET.get("stage") or Stage.PRODUCTION.value)
    page = stays_in(request.actor, name, stage, max_results=STAYS, page_token=request.GET.get("page_token"))
    people = display_names(stay.came for stay in page.rows)
    now = clock.now()
    rows: list[dict[str, Any]] = [
        {"stay": stay, "who": people.get(stay.came.actor_name, ""), "lasted": stay.lasted(now)} for stay in page.rows
    ]
    longest = max((row["lasted"] for row in rows), default=0) or 1
    for row in rows:
        row["share"] = max(1, round(100 * row["lasted"] / longest))
    context = model_frame(request, found, "timeline") | {
        "stage": stage,
        "stages": SHOWN,
        "rows": rows,
        "may_roll_back": stage in ACTIVE_STAGES,
        "pager": pager_of(request, page.next_page_token),
    }
    return render(request, "pages/models/timeline.html", context)


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
