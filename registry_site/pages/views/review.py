"""One transition request: the question, the evidence, the conversation, and the decision."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from registry_site.core.errors import NotFound, PermissionDenied, PodiumError
from registry_site.pages.access import signed_in
from registry_site.pages.comparisons import comparison
from registry_site.pages.conversation import conversation, people_of, why_not
from registry_site.pages.copies import (
    effect_of_approved_copy,
    occupants_of_copy,
    question_of_copy,
    said_of_approved_copy,
)
from registry_site.pages.foresight import foresee
from registry_site.pages.forms.promotion import CancelForm, CommentForm, DismissForm, ReviewForm
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import (
    go,
    pager_of,
    render_dialog,
    render_page_or_part,
    show_error,
    status_of,
    wants_part,
)
from registry_site.pages.views.version_comparison import address_of
from registry_site.promotion import comments, deciding
from registry_site.promotion.gates import GateState
from registry_site.promotion.queries import comments_told, get_comment, get_request, timeline_of
from registry_site.promotion.rules import OccupantDecision, RequestState, Verdict
from registry_site.promotion.settling import level_of_request
from registry_site.promotion.standing import (
    GivenReview,
    Standing,
    baseline_for,
    evidence_of_request,
    questions_of_request,
    standing_of,
)
from registry_site.registry.stages import Stage

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.promotion.models import TransitionRequest
    from registry_site.registry.models import ModelVersion

LINES = 100
REVIEW_IDS, CANCEL_IDS, COMMENT_IDS = "id_review_%s", "id_cancel_%s", "id_comment_%s"


@signed_in
def request(request: PageRequest, name: str, number: int) -> HttpResponse:
    """The question, the evidence beside that of the version it would replace, the conversation, and the decision."""
    return _request_page(request, name, number)


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """A review as the decision shows it: why it does not count, if it does not, and who may dismiss it."""

    given: GivenReview
    why_not: str
    is_own: bool
    may_dismiss: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A verdict that can be given, and what it does; or why it cannot."""

    verdict: Verdict
    label: str
    help: str
    is_possible: bool = True


def _request_page(
    request: PageRequest, name: str, number: int, *, form: Form | None = None, refusal: str = ""
) -> HttpResponse:
    """`form` is one with errors, or one that a service refused."""
    found = get_request(request.actor, name, number)
    if not wants_part(request):
        foresee(request.actor, *questions_of_request(request.actor, found))
    standing = standing_of(request.actor, found)
    context = _decision(request, found, standing)
    if form is None and wants_part(request, "conditions"):
        page = "pages/requests/_conditions.html"
        return render_page_or_part(request, page, page, context)
    history = timeline_of(request.actor, name, number, max_results=LINES, page_token=request.GET.get("page_token"))
    comments = comments_told(request.actor, history.rows)
    more_texts = [found.comment, *(each.text for each in comments.values())]
    people, mentioned = people_of(request.actor, history.rows, more_texts)
    evidence = evidence_of_request(request.actor, found)
    context |= {
        "mentioned": mentioned,
        "question": _question(found, standing),
        "choices": _choices(found, standing, request.actor.user_id),
        "needed": level_of_request(found).name,
        "evidence": evidence,
        "compared": comparison(evidence, found.version),
        "compare_url": _compare_url(found, evidence.occupant_version),
        "lines": conversation(
            request.actor,
            found,
            reversed(history.rows),
            reviews=standing.reviews,
            comments=comments,
            people=people,
        ),
        "pager": pager_of(request, history.next_page_token),
        "decided_by": people.get(found.decided_by_name, found.decided_by_name),
        "review_form": form if isinstance(form, ReviewForm) else ReviewForm(auto_id=REVIEW_IDS),
        "cancel_form": form if isinstance(form, CancelForm) else CancelForm(auto_id=CANCEL_IDS),
        "comment_form": form if isinstance(form, CommentForm) else CommentForm(auto_id=COMMENT_IDS),
        "unkept": _unkept(form) if form and not isinstance(form, CommentForm) and not context["is_pending"] else "",
        "refusal": refusal,
        "crumbs": [
            (_("Models"), reverse("models")),
            (name, reverse("model", args=[name])),
            (_("Requests"), reverse("model_requests", args=[name])),
            (f"#{number}", ""),
        ],
    }
    return render(request, "pages/requests/request.html", context, status=422 if refusal else 200)


def _decision(request: PageRequest, found: "TransitionRequest", standing: Standing) -> dict[str, Any]:
    """What stands where, and changes while others act: the part of the page that is fetched again and again."""
    is_pending = found.state == RequestState.PENDING
    return {
        "asked": found,
        "model": found.registered_model,
        "version": found.model_version,
        "standing": standing,
        "is_pending": is_pending,
        "is_own": found.requester_id == request.actor.user_id,
        "required": standing.outcome.approvals + standing.outcome.missing,
        "reviews": _review_lines(request, standing, is_pending),
        "state_sentence": _state_sentence(found, standing),
        "gates_passed": sum(result.passed for result in standing.outcome.gates),
        "gates_failed": any(result.state is GateState.FAILED for result in standing.outcome.gates),
        "effects": _effects(found, standing) if is_pending and not found.is_copy else [],
        "copy_occupants": occupants_of_copy(found, standing) if is_pending and found.copy_to else [],
    }


# -- in words ----------------------------------------------------------------------------------------------------------
def _question(found: "TransitionRequest", standing: Standing) -> str:
    if found.is_copy:
        return question_of_copy(found)
    words = {"name": found.registered_model.name, "version": found.version, "stage": found.to_stage}
    if found.is_rollback:
        return _("Roll %(name)s back to version %(version)s in %(stage)s?") % words
    match Stage(found.to_stage):
        case Stage.ARCHIVED:
            return _("Archive %(name)s version %(version)s?") % words
        case Stage.NONE:
            return _("Move %(name)s version %(version)s back to None?") % words
    replaced = [version.version for version in _replaced(found, standing)]
    if not replaced:
        return _("Promote %(name)s version %(version)s to %(stage)s?") % words
    words["old"] = ", ".join(str(version) for version in replaced)
    if len(replaced) == 1:
        return _("Promote %(name)s version %(version)s to %(stage)s, replacing version %(old)s?") % words
    return _("Promote %(name)s version %(version)s to %(stage)s, replacing versions %(old)s?") % words


def _replaced(found: "TransitionRequest", standing: Standing) -> "list[ModelVersion]":
    """The versions that make room for it, or that have."""
    if found.state == RequestState.PENDING:
        return list(standing.occupants) if found.occupant_decision != OccupantDecision.KEEP else []
    replaced = baseline_for(found, ()) if found.state == RequestState.APPROVED else None
    return [replaced] if replaced else []


def _state_sentence(found: "TransitionRequest", standing: Standing) -> str:
    """Where it stands, in one sentence; empty where the state says it all."""
    if found.state != RequestState.PENDING:
        return ""
    outcome = standing.outcome
    waits = []
    if outcome.missing:
        waits.append(ngettext("%(n)s approval", "%(n)s approvals", outcome.missing) % {"n": outcome.missing})
    waits += [
        _("the changes that %(who)s asked for") % {"who": given.review.reviewer or given.review.reviewer_name}
        for given in standing.reviews
        if given.fact.verdict is Verdict.REQUEST_CHANGES and given.counts
    ]
    missed = [result for result in outcome.gates if not result.passed]
    failed = [result for result in missed if result.state is GateState.FAILED]
    if failed:
        waits.append(ngettext("%(n)s gate that fails", "%(n)s gates that fail", len(failed)) % {"n": len(failed)})
    if waiting := len(missed) - len(failed):
        waits.append(
            ngettext("%(n)s gate that has still to report", "%(n)s gates that have still to report", waiting)
            % {"n": waiting}
        )
    if not waits:
        return _("Nothing is in its way any more: the worker applies it within a minute.")
    last = waits.pop()
    listed = _("%(some)s and %(last)s") % {"some": ", ".join(waits), "last": last} if waits else last
    return _("It waits for %(what)s.") % {"what": listed}


def _compare_url(found: "TransitionRequest", occupant: int | None) -> str:
    """Where both versions stand side by side as they are now; "" where they cannot, or are of two models."""
    if found.is_copy or found.model_version is None or occupant is None or occupant == found.version:
        return ""
    return address_of(found.registered_model.name, [occupant, found.version])


def _effects(found: "TransitionRequest", standing: Standing) -> list[tuple[int, str, str]]:
    """What approval does: version, from, to."""
    now = found.model_version.current_stage if found.model_version else found.from_stage
    effects = [(found.version, now, found.to_stage)]
    if found.occupant_decision != OccupantDecision.KEEP:
        moved_to = found.occupant_to_stage or Stage.ARCHIVED.value
        effects += [(occupant.version, found.to_stage, moved_to) for occupant in standing.occupants]
    return effects


def _review_lines(request: PageRequest, standing: Standing, is_pending: bool) -> list[ReviewLine]:
    lines = []
    for given in standing.reviews:
        is_own = request.actor.user_id is not None and given.review.reviewer_id == request.actor.user_id
        is_standing = is_pending and not given.fact.is_dismissed and given.fact.verdict is not Verdict.COMMENT
        lines.append(ReviewLine(given, why_not(given), is_own, is_standing and (is_own or standing.may_manage)))
    return lines


def _choices(found: "TransitionRequest", standing: Standing, reader: int | None) -> list[Choice]:
    words = {"stage": found.to_stage, "version": found.version}
    outcome = standing.outcome
    own = next((each for each in standing.reviews if each.review.reviewer_id == reader), None)
    counts_already = own is not None and own.fact.verdict is Verdict.APPROVE and own.counts
    others_wait = any(person != reader for person in outcome.blocked_by)
    if not standing.may_approve:
        effect = _("You asked for it yourself, so somebody else has to approve.")
    elif counts_already:
        effect = _("You have approved already; to do it again keeps your newer words.")
    elif outcome.missing > 1:
        effect = ngettext(
            "%(n)s more approval is needed after yours.",
            "%(n)s more approvals are needed after yours.",
            outcome.missing - 1,
        ) % {"n": outcome.missing - 1}
    elif found.is_copy:
        effect = effect_of_approved_copy(found, gates_pass=outcome.gates_pass, others_wait=others_wait)
    elif not outcome.gates_pass:
        effect = _("Version %(version)s moves to %(stage)s as soon as all gates pass.") % words
    elif others_wait:
        effect = _("Version %(version)s moves to %(stage)s when nobody waits for changes any more.") % words
    else:
        effect = _("Version %(version)s moves to %(stage)s at once.") % words
    return [
        Choice(Verdict.APPROVE, _("Approve"), effect, standing.may_approve),
        Choice(Verdict.REQUEST_CHANGES, _("Request changes"), _("It stays open, and waits until you review again.")),
        Choice(Verdict.REJECT, _("Reject"), _("It ends here. Whoever asked may ask anew.")),
        Choice(Verdict.COMMENT, _("Comment only"), _("Changes nothing.")),
    ]


def _unkept(form: Form) -> str:
    """What was written into a form that came too late."""
    return next((form.data[field] for field in ("comment", "reason") if form.data.get(field)), "")


# -- acting ------------------------------------------------------------------------------------------------------------
@require_POST
@signed_in
def review_request(request: PageRequest, name: str, number: int) -> HttpResponse:
    """Give one's verdict; with the last approval the version moves."""
    form = ReviewForm(request.POST, auto_id=REVIEW_IDS)
    if not form.is_valid():
        return _request_page(request, name, number, form=form, refusal=_first_error(form))
    given: Mapping[str, str] = form.cleaned_data
    verdict = Verdict(given["verdict"])
    try:
        found = deciding.review(
            request.actor,
            name=name,
            number=number,
            verdict=verdict,
            comment=given["comment"],
            evidence_digest=given["evidence_digest"],
        )
    except NotFound:
        raise
    except PodiumError as error:
        if error.field != "evidence_digest":  # that one is nobody's to correct: the page shows the present evidence
            show_error(form, error)
        return _request_page(request, name, number, form=form, refusal=error.message)
    return go(request, reverse("request", args=[name, number]), said=_said(found, verdict))


def _said(found: "TransitionRequest", verdict: Verdict) -> str:
    words = {"version": found.version, "stage": found.to_stage}
    if found.state == RequestState.APPROVED and found.is_copy:
        return said_of_approved_copy(found)
    if found.state == RequestState.APPROVED:
        return _("Approved. Version %(version)s is in %(stage)s now.") % words
    return {
        Verdict.APPROVE: _("Your approval is counted. The request is not decided yet."),
        Verdict.REQUEST_CHANGES: _("The request waits for the changes that you asked for."),
        Verdict.REJECT: _("The request is rejected."),
        Verdict.COMMENT: _("Your comment is there."),
    }[verdict]


@require_POST
@signed_in
def dismiss_review(request: PageRequest, name: str, number: int) -> HttpResponse:
    """Let a review count no longer."""
    form = DismissForm(request.POST)
    if not form.is_valid():
        return _request_page(request, name, number, form=form, refusal=_first_error(form))
    try:
        found = deciding.dismiss_review(request.actor, name=name, number=number, **form.cleaned_data)
    except PodiumError as error:
        if isinstance(error, NotFound) and error.field != "reviewer":
            raise
        show_error(form, error)
        return _request_page(request, name, number, form=form, refusal=error.message)
    said = _("The review no longer counts.")
    if found.state == RequestState.APPROVED:
        said = _said(found, Verdict.APPROVE)
    return go(request, reverse("request", args=[name, number]), said=said)


@require_POST
@signed_in
def cancel_request(request: PageRequest, name: str, number: int) -> HttpResponse:
    """Withdraw the request."""
    form = CancelForm(request.POST, auto_id=CANCEL_IDS)
    if not form.is_valid():
        return _request_page(request, name, number, form=form, refusal=_first_error(form))
    try:
        deciding.cancel(request.actor, name=name, number=number, comment=form.cleaned_data["comment"])
    except NotFound:
        raise
    except PodiumError as error:
        show_error(form, error)
        return _request_page(request, name, number, form=form, refusal=error.message)
    return go(request, reverse("request", args=[name, number]), said=_("The request is cancelled."))


# -- talking -----------------------------------------------------------------------------------------------------------
@require_POST
@signed_in
def comment_on_request(request: PageRequest, name: str, number: int) -> HttpResponse:
    """Say something."""
    form = CommentForm(request.POST, auto_id=COMMENT_IDS)
    if form.is_valid():
        try:
            made = comments.create_comment(request.actor, name=name, number=number, text=form.cleaned_data["comment"])
        except NotFound:
            raise
        except PodiumError as error:
            show_error(form, error)
        else:
            return go(request, f"{reverse('request', args=[name, number])}#comment-{made.pk}")
    return _request_page(request, name, number, form=form, refusal=_first_error(form))


@signed_in
def edit_comment(request: PageRequest, name: str, number: int, comment_id: int) -> HttpResponse:
    """A dialog, or a page, in which one's own comment is written anew."""
    found = get_comment(request.actor, name, number, comment_id)
    if found.author_id != request.actor.user_id:
        raise PermissionDenied(f"Only {found.author_name}, who wrote it, may change this comment.")
    form = CommentForm(request.POST or None, initial={"comment": found.text})
    back = f"{reverse('request', args=[name, number])}#comment-{comment_id}"
    if request.method == "POST" and form.is_valid():
        try:
            comments.update_comment(request.actor, comment_id=str(comment_id), text=form.cleaned_data["comment"])
        except PodiumError as error:
            show_error(form, error)
        else:
            return go(request, back, said=_("The comment is changed."))
    context = {
        "form": form,
        "back": back,
        "crumbs": [
            (_("Models"), reverse("models")),
            (name, reverse("model", args=[name])),
            (f"#{number}", back),
            (_("Comment"), ""),
        ],
    }
    return render_dialog(request, "pages/requests/comment.html", context, status=status_of(form))


@require_POST
@signed_in
def delete_comment(request: PageRequest, name: str, number: int, comment_id: int) -> HttpResponse:
    """Take one's own comment away; administrators anybody's."""
    get_comment(request.actor, name, number, comment_id)
    comments.delete_comment(request.actor, comment_id=str(comment_id))
    return go(request, reverse("request", args=[name, number]), said=_("The comment is deleted."))


def _first_error(form: Form) -> str:
    return str(next(iter(form.errors.values()))[0])
