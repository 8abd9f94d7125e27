"""Transition requests in lists, and asking for one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from registry_site.core.errors import InvalidParameter, NotFound, PodiumError
from registry_site.core.markdown import excerpt
from registry_site.core.pages import Page
from registry_site.pages import columns
from registry_site.pages.access import signed_in
from registry_site.pages.exports import ROWS_AT_ONCE, as_file
from registry_site.pages.forms.promotion import RequestForm
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import go, render_dialog, show_error, status_of, wants_part
from registry_site.promotion import services
from registry_site.promotion.copies import ARRIVALS
from registry_site.promotion.gates import GateState
from registry_site.promotion.looking_ahead import direct_moves, preflight
from registry_site.promotion.queries import outcomes_of
from registry_site.promotion.rules import Outcome
from registry_site.registry.queries import get_model, get_version
from registry_site.registry.stages import Stage, parse_stage

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.promotion.models import TransitionRequest
    from registry_site.registry.models import ModelVersion

TARGETS = (Stage.PRODUCTION, Stage.STAGING, Stage.ARCHIVED, Stage.NONE)  # the usual ones first


# -- in lists ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request as lists show it."""

    request: "TransitionRequest"
    outcome: Outcome

    @property
    def excerpt(self) -> str:
        return excerpt(self.request.comment, 120)

    @property
    def required(self) -> int:
        return self.outcome.approvals + self.outcome.missing

    @property
    def gates_passed(self) -> int:
        return sum(result.passed for result in self.outcome.gates)

    @property
    def gates_fail(self) -> bool:
        return any(result.state is GateState.FAILED for result in self.outcome.gates)


def request_rows(requests: "Sequence[TransitionRequest]") -> list[RequestRow]:
    """The rows of these requests, in a fixed number of queries."""
    outcomes = outcomes_of(requests)
    return [RequestRow(one, outcomes[one.pk]) for one in requests]


def requests_as_file(request: PageRequest, find: "Callable[..., Page[TransitionRequest]]") -> HttpResponseBase | None:
    """The requests that `find` gives, as a file, if the address asks for one."""
    return as_file(
        request,
        "requests",
        columns.REQUESTS,
        lambda token: find(max_results=ROWS_AT_ONCE, page_token=token),
        request_rows,
    )


# -- asking ------------------------------------------------------------------------------------------------------------
@signed_in
def new_request(request: PageRequest, name: str) -> HttpResponse:
    """A dialog, or a page, that asks for a move: what it takes and does, and why it should be."""
    number = request.POST.get("version") or request.GET.get("version", "")
    found = get_version(request.actor, name, int(number)) if number.isdecimal() else _newest(request, name)
    to_stage = _target(request, found)
    copy_to = (request.POST.get("copy_to") or request.GET.get("copy_to", "")).strip()
    if "copy_to" in request.GET and (problem := _problem_with(request, found, copy_to)) is not None:
        return _choose_copy(request, found, copy_to, problem)
    ahead = preflight(request.actor, name=name, version=found.version, to_stage=to_stage, copy_to=copy_to)
    form = RequestForm(request.POST or None, preflight=ahead)
    if request.method == "POST" and form.is_valid():
        decision, occupant_to = form.decision
        try:
            made = services.request_transition(
                request.actor,
                name=name,
                version=found.version,
                to_stage=to_stage,
                comment=form.cleaned_data["comment"],
                occupant_decision=decision,
                occupant_to=occupant_to,
                copy_to=copy_to,
            )
        except PodiumError as error:
            show_error(form, error)
        else:
            url = reverse("request", args=[name, made.number])
            return go(request, url, said=_("Request #%(number)s is open.") % {"number": made.number})
    context = {
        "form": form,
        "version": found,
        "model": found.registered_model,
        "ahead": ahead,
        "to_stage": to_stage,
        "targets": _targets(found),
        "arrivals": ARRIVALS,
        "may_move": not copy_to and to_stage in direct_moves(request.actor, found),
        "copy_to": copy_to,
        "crumbs": _crumbs(found),
    }
    return render_dialog(request, "pages/requests/new.html", context, status=status_of(form))


def _problem_with(request: PageRequest, found: "ModelVersion", copy_to: str) -> str | None:
    """What is wrong with a model to copy the version into; empty where none is chosen yet, None where nothing is."""
    if not copy_to:
        return ""
    if copy_to == found.registered_model.name:
        return _("The version is in %(name)s already: choose another model.") % {"name": copy_to}
    try:
        get_model(request.actor, copy_to)
    except NotFound:
        return _("There is no model %(name)s, or you may not see it.") % {"name": copy_to}
    return None


def _choose_copy(request: PageRequest, found: "ModelVersion", copy_to: str, problem: str) -> HttpResponse:
    """The page that asks for the model to copy the version into, before all else."""
    context = {
        "version": found,
        "model": found.registered_model,
        "targets": _targets(found),
        "copy_to": copy_to,
        "is_choosing": True,
        "problem": problem,
        "crumbs": _crumbs(found),
    }
    refused = 422 if wants_part(request) else 404  # with 422 htmx puts it in place
    return render_dialog(request, "pages/requests/new.html", context, status=refused if problem else 200)


def _targets(found: "ModelVersion") -> list[Stage]:
    return [stage for stage in TARGETS if stage != found.current_stage]


def _crumbs(found: "ModelVersion") -> list[tuple[str, str]]:
    name = found.registered_model.name
    return [
        (_("Models"), reverse("models")),
        (name, reverse("model", args=[name])),
        (f"v{found.version}", reverse("version", args=[name, found.version])),
        (_("Request promotion"), ""),
    ]


def _newest(request: PageRequest, name: str) -> "ModelVersion":
    """The version that people mean when they name none."""
    latest: list[ModelVersion] = get_model(request.actor, name).latest_versions  # type: ignore[attr-defined]
    if not latest:
        raise InvalidParameter(f"{name} has no version yet: register one, and ask then.", field="version")
    return get_version(request.actor, name, latest[0].version)


def _target(request: PageRequest, found: "ModelVersion") -> Stage:
    """The stage that was asked for, else Production, or for what is there the way out of it."""
    asked = request.POST.get("to") or request.GET.get("to", "")
    if asked:
        return parse_stage(asked)
    if request.GET.get("copy_to"):
        return Stage.NONE
    return Stage.ARCHIVED if found.current_stage == Stage.PRODUCTION.value else Stage.PRODUCTION
