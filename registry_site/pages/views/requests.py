"""Transition requests: asking for a move, and deciding about one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from registry_site.core.errors import InvalidParameter, NotFound, PodiumError
from registry_site.core.markdown import excerpt
from registry_site.pages.access import signed_in
from registry_site.pages.differences import differences
from registry_site.pages.forms.promotion import CancelForm, RequestForm, ReviewForm
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import go, render_dialog, show_error, status_of
from registry_site.pages.sentences import Line, lines_of
from registry_site.promotion import services
from registry_site.promotion.queries import (
    Standing,
    baseline_for,
    direct_moves,
    get_request,
    outcomes_of,
    preflight,
    standing_of,
)
from registry_site.promotion.rules import OccupantDecision, Outcome, RequestState, Verdict
from registry_site.promotion.services import level_of_request
from registry_site.registry.evidence import evidence_of
from registry_site.registry.history import display_names, history_of
from registry_site.registry.queries import get_model, get_version
from registry_site.registry.stages import Stage, parse_stage

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.audit.models import Activity
    from registry_site.promotion.models import TransitionRequest
    from registry_site.registry.models import ModelVersion

LINES = 200
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


def request_rows(requests: "Sequence[TransitionRequest]") -> list[RequestRow]:
    """The rows of these requests, in one query."""
    outcomes = outcomes_of(requests)
    return [RequestRow(one, outcomes[one.pk]) for one in requests]


# -- asking ------------------------------------------------------------------------------------------------------------
@signed_in
def new_request(request: PageRequest, name: str) -> HttpResponse:
    """A dialog, or a page, that asks for a move: what it takes and does, and why it should be."""
    number = request.POST.get("version") or request.GET.get("version", "")
    found = get_version(request.actor, name, int(number)) if number.isdecimal() else _newest(request, name)
    to_stage = _target(request, found)
    ahead = preflight(request.actor, name=name, version=found.version, to_stage=to_stage)
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
        "targets": [stage for stage in TARGETS if stage.value != found.current_stage],
        "may_move": to_stage in direct_moves(request.actor, found),
        "crumbs": [
            (_("Models"), reverse("models")),
            (name, reverse("model", args=[name])),
            (f"v{found.version}", reverse("version", args=[name, found.version])),
            (_("Request promotion"), ""),
        ],
    }
    return render_dialog(request, "pages/requests/new.html", context, status=status_of(form))


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
    return Stage.ARCHIVED if found.current_stage == Stage.PRODUCTION.value else Stage.PRODUCTION


# -- deciding ----------------------------------------------------------------------------------------------------------
@signed_in
def request(request: PageRequest, name: str, number: int) -> HttpResponse:
    """The question, the evidence beside that of the version it would replace, the conversation, and the decision."""
    return _request_page(request, name, number)


def _request_page(
    request: PageRequest,
    name: str,
    number: int,
    *,
    review_form: ReviewForm | None = None,
    cancel_form: CancelForm | None = None,
    refusal: str = "",
) -> HttpResponse:
    found = get_request(request.actor, name, number)
    standing = standing_of(request.actor, found)
    baseline = baseline_for(found, standing.occupants) if found.model_version else None
    evidence = evidence_of(request.actor, [one for one in (found.model_version, baseline) if one])
    candidate = evidence[0] if evidence else None
    history = history_of(request.actor, name, request_number=number, max_results=LINES)
    people = display_names(history.rows)
    own_verdict = next(
        (Verdict(one.verdict) for one in found.reviews.all() if one.reviewer_id == request.actor.user_id), None
    )
    context: dict[str, Any] = {
        "asked": found,
        "model": found.registered_model,
        "version": found.model_version,
        "question": _question(found, standing, baseline),
        "standing": standing,
        "is_pending": found.state == RequestState.PENDING,
        "is_own": found.requester_id == request.actor.user_id,
        "required": standing.outcome.approvals + standing.outcome.missing,
        "own_verdict": own_verdict,
        "completes": standing.outcome.missing == 1 and own_verdict is not Verdict.APPROVE,
        "needed": level_of_request(found).name,
        "candidate": candidate,
        "baseline": baseline,
        "differences": differences(evidence[1] if baseline else None, candidate) if candidate else None,
        "effects": _effects(found, standing) if found.state == RequestState.PENDING else [],
        "lines": _conversation(history.rows, name, people),
        "decided_by": people.get(found.decided_by_name, found.decided_by_name),
        "review_form": review_form or ReviewForm(auto_id="id_review_%s"),
        "cancel_form": cancel_form or CancelForm(auto_id="id_cancel_%s"),
        "refusal": refusal,
        "crumbs": [
            (_("Models"), reverse("models")),
            (name, reverse("model", args=[name])),
            (_("Requests"), reverse("model_requests", args=[name])),
            (f"#{number}", ""),
        ],
    }
    return render(request, "pages/requests/request.html", context, status=422 if refusal else 200)


def _question(found: "TransitionRequest", standing: Standing, baseline: "ModelVersion | None") -> str:
    words = {"name": found.registered_model.name, "version": found.version, "stage": found.to_stage}
    match Stage(found.to_stage):
        case Stage.ARCHIVED:
            return _("Archive %(name)s version %(version)s?") % words
        case Stage.NONE:
            return _("Move %(name)s version %(version)s back to None?") % words
    replaced: list[int] = []
    if found.state == RequestState.PENDING and found.occupant_decision != OccupantDecision.KEEP:
        replaced = [occupant.version for occupant in standing.occupants]
    elif found.state == RequestState.APPROVED and baseline is not None:
        replaced = [baseline.version]
    if not replaced:
        return _("Promote %(name)s version %(version)s to %(stage)s?") % words
    words["old"] = ", ".join(str(version) for version in replaced)
    if len(replaced) == 1:
        return _("Promote %(name)s version %(version)s to %(stage)s, replacing version %(old)s?") % words
    return _("Promote %(name)s version %(version)s to %(stage)s, replacing versions %(old)s?") % words


def _effects(found: "TransitionRequest", standing: Standing) -> list[tuple[int, str, str]]:
    """What approval does: version, from, to."""
    now = found.model_version.current_stage if found.model_version else found.from_stage
    effects = [(found.version, now, found.to_stage)]
    if found.occupant_decision != OccupantDecision.KEEP:
        moved_to = found.occupant_to_stage or Stage.ARCHIVED.value
        effects += [(occupant.version, found.to_stage, moved_to) for occupant in standing.occupants]
    return effects


def _conversation(activities: "Sequence[Activity]", name: str, people: Mapping[str, str]) -> list[Line]:
    """The history of a request, oldest first. Its reason stands above, and is not repeated."""
    lines = lines_of(reversed(activities), name, people)
    return [replace(lines[0], body=""), *lines[1:]] if lines else []


@require_POST
@signed_in
def approve_request(request: PageRequest, name: str, number: int) -> HttpResponse:
    """Approve; with the last approval the version moves."""
    form = ReviewForm(request.POST, auto_id="id_review_%s")
    if not form.is_valid():
        return _request_page(request, name, number, review_form=form, refusal=_first_error(form))
    try:
        found = services.approve(request.actor, name=name, number=number, comment=form.cleaned_data["comment"])
    except NotFound:
        raise
    except PodiumError as error:
        return _request_page(request, name, number, review_form=form, refusal=error.message)
    if found.state == RequestState.APPROVED:
        said = _("Approved. Version %(version)s is in %(stage)s now.") % {
            "version": found.version,
            "stage": found.to_stage,
        }
    else:
        said = _("Your approval is counted. Others have to approve too.")
    return go(request, reverse("request", args=[name, number]), said=said)


@require_POST
@signed_in
def reject_request(request: PageRequest, name: str, number: int) -> HttpResponse:
    """Reject, and say why."""
    form = ReviewForm(request.POST, auto_id="id_review_%s")
    if not form.is_valid():
        return _request_page(request, name, number, review_form=form, refusal=_first_error(form))
    try:
        services.reject(request.actor, name=name, number=number, comment=form.cleaned_data["comment"])
    except NotFound:
        raise
    except PodiumError as error:
        show_error(form, error)
        return _request_page(request, name, number, review_form=form, refusal=error.message)
    return go(request, reverse("request", args=[name, number]), said=_("The request is rejected."))


@require_POST
@signed_in
def cancel_request(request: PageRequest, name: str, number: int) -> HttpResponse:
    """Withdraw the request."""
    form = CancelForm(request.POST, auto_id="id_cancel_%s")
    if not form.is_valid():
        return _request_page(request, name, number, cancel_form=form, refusal=_first_error(form))
    try:
        services.cancel(request.actor, name=name, number=number, comment=form.cleaned_data["comment"])
    except NotFound:
        raise
    except PodiumError as error:
        show_error(form, error)
        return _request_page(request, name, number, cancel_form=form, refusal=error.message)
    return go(request, reverse("request", args=[name, number]), said=_("The request is cancelled."))


def _first_error(form: Form) -> str:
    return str(next(iter(form.errors.values()))[0])
