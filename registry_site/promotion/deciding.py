"""Reviewing requests: verdicts, by which versions move, and withdrawing what was asked for."""

from django.db import transaction

from registry_site.accounts.actors import Actor, system
from registry_site.accounts.levels import Level
from registry_site.audit.kinds import Kind
from registry_site.audit.record import record
from registry_site.core import clock
from registry_site.core.errors import Conflict, InvalidParameter, NotFound, PermissionDenied
from registry_site.promotion.differences import only_confirms
from registry_site.promotion.evidence import runs_shown_to
from registry_site.promotion.models import Review, TransitionRequest
from registry_site.promotion.moving import close, others_in
from registry_site.promotion.policies import policy_of_request
from registry_site.promotion.preparing import archives_nothing, files_of_request, validate_comment
from registry_site.promotion.rules import OccupantDecision, Policy, RequestState, Verdict, WhenOccupied
from registry_site.promotion.settling import (
    changes_since,
    level_of_request,
    lock_request,
    refresh,
    settle,
    try_to_settle,
    version_of_request,
)
from registry_site.promotion.subjects import of_request
from registry_site.registry import access
from registry_site.registry.stages import ACTIVE_STAGES, Stage


def review(
    actor: Actor,
    *,
    name: str,
    number: int,
    verdict: Verdict,
    comment: str = "",
    evidence_digest: str = "",
    archive_existing: bool | None = None,
) -> TransitionRequest:
    """Give one's verdict on a request; the latest one counts. The request as it is afterwards: when this was the last
    thing in its way, the version has moved in the same transaction.

    `evidence_digest` is that of the evidence that the reviewer saw. `archive_existing` is what an approval says of the
    occupant, where its door asks for that again; without it, what the request says.

    Raises PermissionDenied below the level for the stages involved and for approving one's own request where the policy
    wants other eyes; InvalidParameter for a rejection, a wish for changes or a comment without words; Conflict for a
    request that is no longer pending, for evidence that has changed, naming what has, and for an approval that says
    otherwise of the occupant than the request. Evidence that has changed is kept in that case, to be looked at.
    """
    files = files_of_request(actor, name, number)
    with transaction.atomic():
        request = lock_request(actor, name, number)
        validate_comment(comment)
        _require_decider(actor, request)
        if verdict is not Verdict.APPROVE and not comment.strip():
            raise InvalidParameter(_WITHOUT_WORDS[verdict], field="comment")
        policy = policy_of_request(request)
        refresh(_nobody(actor), request, policy, files)
        refusal = _other_evidence(actor, request, evidence_digest)
        if refusal is None:
            _decide(actor, request, policy, verdict, comment, archive_existing)
    if refusal is not None:
        raise refusal
    return request


def _decide(
    actor: Actor,
    request: TransitionRequest,
    policy: Policy,
    verdict: Verdict,
    comment: str,
    archive_existing: bool | None,
) -> None:
    is_own = actor.user_id == request.requester_id
    if verdict is Verdict.APPROVE and is_own and policy.protected and not policy.allow_self_approval:
        raise PermissionDenied(f"{actor.name} asked for {request} and so cannot approve it: somebody else has to.")
    if verdict is Verdict.APPROVE and archive_existing is not None:
        _agree_about_occupant(request, policy, archive_existing)
    _write_review(actor, request, verdict, comment)
    if verdict is Verdict.REJECT:
        close(actor, request, RequestState.REJECTED, Kind.REQUEST_REJECTED, comment)
    elif verdict is Verdict.APPROVE:
        settle(actor, request, policy)


def _agree_about_occupant(request: TransitionRequest, policy: Policy, archive_existing: bool) -> None:
    """Let an approval archive what the request would leave, where its giver might have moved the version alone; and let
    nothing that is in use be archived by a request when whoever approves says no."""
    to_stage = Stage(request.to_stage)
    if archive_existing and to_stage not in ACTIVE_STAGES:
        raise archives_nothing(to_stage)
    version = version_of_request(request)
    others = others_in(version, to_stage, request.target)
    decision = OccupantDecision(request.occupant_decision)
    if not others or archive_existing == (decision is not OccupantDecision.KEEP):
        return
    if not archive_existing and policy.when_occupied is WhenOccupied.ARCHIVE:
        return
    if archive_existing and not policy.protected:
        request.occupant_decision = OccupantDecision.ARCHIVE.value
        request.save(update_fields=["occupant_decision"])
        return
    becomes = {
        OccupantDecision.KEEP: f"leaves {others[0]} in {to_stage.value}",
        OccupantDecision.ARCHIVE: f"archives {others[0]}, which is in {to_stage.value}",
        OccupantDecision.MOVE: f"moves {others[0]}, which is in {to_stage.value}, to {request.occupant_to_stage}",
    }[decision]
    way = "false" if archive_existing else "true"
    raise Conflict(
        f"Request {request} {becomes}. Approve it with archive_existing_versions={way}, or reject it and ask anew.",
        field="archive_existing_versions",
    )


_WITHOUT_WORDS = {
    Verdict.REJECT: "Say why: a rejection needs a comment.",
    Verdict.REQUEST_CHANGES: "Say what should change: that needs a comment.",
    Verdict.COMMENT: "Say something: a comment has words.",
}


def approve(
    actor: Actor,
    *,
    name: str,
    number: int,
    comment: str = "",
    evidence_digest: str = "",
    archive_existing: bool | None = None,
) -> TransitionRequest:
    """Approve a request, as `review` does."""
    return review(
        actor,
        name=name,
        number=number,
        verdict=Verdict.APPROVE,
        comment=comment,
        evidence_digest=evidence_digest,
        archive_existing=archive_existing,
    )


def reject(actor: Actor, *, name: str, number: int, comment: str, evidence_digest: str = "") -> TransitionRequest:
    """End a request with a no, and say why, as `review` does."""
    return review(
        actor, name=name, number=number, verdict=Verdict.REJECT, comment=comment, evidence_digest=evidence_digest
    )


@transaction.atomic
def dismiss_review(actor: Actor, *, name: str, number: int, reviewer: str, reason: str = "") -> TransitionRequest:
    """Let a verdict count no longer: one's own, or with a reason, as whoever manages the model, that of somebody else.

    If nothing else was in the request's way, it is applied. Raises NotFound where that person has not reviewed it.
    """
    request = lock_request(actor, name, number)
    validate_comment(reason)
    given = request.reviews.filter(reviewer_name=reviewer, dismissed_at__isnull=True).first()
    if actor.user_id is None or given is None or given.reviewer_id != actor.user_id:
        access.require(actor, request.target, Level.CAN_MANAGE)
        if not reason.strip():
            raise InvalidParameter("Say why you dismiss somebody else's review.", field="reason")
    if given is None:
        raise NotFound(f"There is no review of {request} by {reviewer} to dismiss.", field="reviewer")
    given.dismissed_at, given.dismissed_by_name, given.dismissal_reason = clock.now(), actor.name, reason
    given.save(update_fields=["dismissed_at", "dismissed_by_name", "dismissal_reason"])
    record(actor, Kind.REVIEW_DISMISSED, of_request(request), comment=reason, reviewer=reviewer, verdict=given.verdict)
    if try_to_settle(actor, request, None, _nobody(actor)):
        return request
    return TransitionRequest.objects.select_related("registered_model", "copy_to").get(pk=request.pk)


@transaction.atomic
def cancel(actor: Actor, *, name: str, number: int, comment: str = "") -> TransitionRequest:
    """Withdraw a request: the requester may, and with a reason whoever manages the model."""
    request = lock_request(actor, name, number)
    validate_comment(comment)
    if actor.user_id is None or actor.user_id != request.requester_id:
        access.require(actor, request.target, Level.CAN_MANAGE)
        if not comment.strip():
            raise InvalidParameter("Say why you cancel somebody else's request.", field="comment")
    close(actor, request, RequestState.CANCELLED, Kind.REQUEST_CANCELLED, comment)
    return request


def _require_decider(actor: Actor, request: TransitionRequest) -> None:
    needed = level_of_request(request)
    if access.level_of(actor, request.target) < needed:
        on = f" on {request.target_name}" if request.is_copy else ""
        raise PermissionDenied(f"To decide {request} one needs {needed.name}{on}, which {actor.name} does not have.")


def _other_evidence(actor: Actor, request: TransitionRequest, digest: str) -> Conflict | None:
    """Why a verdict on evidence that has changed since it was seen is refused; that more is known of it does not
    matter."""
    if not digest or digest == request.evidence_digest:
        return None
    found = changes_since(request, digest)
    if found is not None and only_confirms(found):
        return None
    run_id = request.model_version.run_id if request.model_version else ""
    reads_run = bool(runs_shown_to(actor, {run_id}))
    words = dict.fromkeys(change.sentence if reads_run else change.public_sentence for change in found or ())
    said = "; ".join(list(words)[:10]) or "it is not what you have seen"
    return Conflict(
        f"The evidence of {request} has changed: {said}. Look at it again, then decide.", field="evidence_digest"
    )


def _write_review(actor: Actor, request: TransitionRequest, verdict: Verdict, comment: str) -> None:
    given = request.reviews.filter(reviewer_id=actor.user_id).exclude(verdict=Verdict.COMMENT.value)
    if verdict is not Verdict.COMMENT or not given.exists():  # a comment takes no verdict back
        Review.objects.update_or_create(
            request=request,
            reviewer_id=actor.user_id,
            defaults={
                "reviewer_name": actor.name,
                "verdict": verdict.value,
                "comment": comment,
                "created_at": clock.now(),
                "evidence_digest": request.evidence_digest,
                "dismissed_at": None,
                "dismissed_by_name": "",
                "dismissal_reason": "",
            },
        )
    record(
        actor,
        Kind.REVIEW_GIVEN,
        of_request(request),
        comment=comment,
        verdict=verdict.value,
        evidence=request.evidence_digest,
    )


def _nobody(actor: Actor) -> Actor:
    """Who is named for what was found changed, and nobody knows by whom."""
    return system(actor.origin)
