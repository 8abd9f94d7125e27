"""Moving versions between stages: directly, or by request and review. No other code changes a stage.

Every service locks the registered model first, then the request: all that happens to the stages of one model happens
one after the other, and what a review decides, its own transaction applies. Files are read before, as a store may be
far away.
"""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from registry_site.accounts.actors import Actor, system
from registry_site.accounts.levels import Level
from registry_site.audit.kinds import Kind
from registry_site.audit.models import Activity
from registry_site.audit.record import record
from registry_site.core import clock
from registry_site.core.errors import AlreadyExists, Conflict, InvalidParameter, NotFound, PermissionDenied
from registry_site.promotion.copies import ARRIVALS, sources_of_copies, supersede_copies
from registry_site.promotion.differences import only_confirms
from registry_site.promotion.evidence import Files, runs_shown_to
from registry_site.promotion.gates import GateType, shortfall
from registry_site.promotion.mirrors import alias_policies
from registry_site.promotion.models import PolicyGate, Review, StagePolicy, TransitionRequest
from registry_site.promotion.moving import Why, close, expire, gate_results, look_again, move, others_in, supersede
from registry_site.promotion.policies import (
    plain,
    policies_for,
    policy_for,
    policy_of_copy,
    policy_of_request,
    write_gates,
)
from registry_site.promotion.rules import (
    OccupantDecision,
    Policy,
    RequestState,
    Verdict,
    WhenOccupied,
    level_to_decide,
)
from registry_site.promotion.settling import (
    SETTLED_EVERY,
    changes_since,
    level_of_request,
    lock_request,
    pin,
    read_both,
    refresh,
    settle,
    try_to_settle,
    version_of_request,
)
from registry_site.promotion.subjects import of_request, what_is_copied
from registry_site.promotion.visibility import visible
from registry_site.registry import access, subjects
from registry_site.registry.locking import lock_model, lock_models, locked_version, version_of
from registry_site.registry.models import ModelVersion, RegisteredModel
from registry_site.registry.stages import ACTIVE_STAGES, Stage

COMMENT_LIMIT = 65_535
REMINDED_EVERY = timedelta(days=1)
MOST_DAYS = 3650
MOST_GATES = 50


# -- moving directly ---------------------------------------------------------------------------------------------------
def transition(
    actor: Actor,
    *,
    name: str,
    version: int,
    to_stage: Stage,
    archive_existing: bool = False,
    occupant_to: Stage | None = None,
    comment: str = "",
    bypass_reason: str = "",
) -> ModelVersion:
    """Move a version at once, as whoever holds the level for both stages may where the stage is not protected.

    Into a stage that admits one version and has one, a decision about the occupant is needed: `archive_existing`, or
    `occupant_to`, the stage that it moves to. The gates of the stage must pass. Moving to where the version already is
    changes nothing and succeeds. With a `bypass_reason`, whoever manages the model passes by protection and gates.
    Raises PermissionDenied (with the address where the move can be requested), Conflict (naming the gates in the way,
    or the occupant and both ways out), NotFound, InvalidParameter.
    """
    files = files_for_gates(actor, name, version, to_stage)
    with transaction.atomic():
        found = locked_version(actor, name, version, Level.CAN_READ)
        return _transition(
            actor,
            found,
            to_stage,
            moved_to=Stage.ARCHIVED if archive_existing else occupant_to,
            archive_existing=archive_existing,
            why=Why(comment),
            bypass_reason=bypass_reason,
            files=files,
        )


def _transition(
    actor: Actor,
    found: ModelVersion,
    to_stage: Stage,
    *,
    moved_to: Stage | None,
    why: Why,
    archive_existing: bool = False,
    bypass_reason: str = "",
    files: Files | None = None,
) -> ModelVersion:
    validate_comment(why.comment)
    validate_comment(bypass_reason)
    if archive_existing and to_stage not in ACTIVE_STAGES:
        raise _archives_nothing(to_stage)
    if found.current_stage == to_stage.value:
        return found
    if moved_to is not None:
        validate_way_out(to_stage, moved_to)
    policy = policy_for(found.registered_model, to_stage)
    bypassed = _require_direct_move(actor, found, to_stage, policy, moved_to, bypass_reason, files)
    occupants = others_in(found, to_stage)
    if occupants and moved_to is None and policy.when_occupied is WhenOccupied.ASK:
        raise Conflict(
            f"{occupants[0].registered_model.name} version {occupants[0].version} is in {to_stage.value}, which admits "
            "one version. Archive it with archive_existing_versions=true, or say which stage it moves to.",
            field="archive_existing_versions",
        )
    if bypassed:
        record(
            actor,
            Kind.STAGE_BYPASSED,
            subjects.of_version(found),
            comment=bypass_reason,
            from_stage=found.current_stage,
            to_stage=to_stage.value,
            bypassed=bypassed,
        )
    move(actor, found, to_stage, policy, moved_to, why)
    return found


def _require_direct_move(
    actor: Actor,
    version: ModelVersion,
    to_stage: Stage,
    policy: Policy,
    occupant_to: Stage | None,
    bypass_reason: str,
    files: Files | None,
) -> list[str]:
    """What is bypassed, in words; nothing of the kind where nothing was in the way."""
    from_stage = Stage(version.current_stage)
    needed = level_to_decide(from_stage, to_stage, occupant_to)
    held = access.level_of(actor, version.registered_model)
    move = f"{version.registered_model.name} version {version.version} from {from_stage.value} to {to_stage.value}"
    where = f"Request the transition at {request_url(version, to_stage)}"
    if held < needed:
        raise PermissionDenied(f"Moving {move} needs {needed.name}, which {actor.name} does not have. {where}")
    may_bypass = bool(bypass_reason.strip()) and held >= Level.CAN_MANAGE
    if bypass_reason.strip() and not may_bypass:
        raise PermissionDenied(f"To bypass what {to_stage.value} asks for needs {Level.CAN_MANAGE.name}. {where}")
    in_the_way = []
    if policy.protected:
        if not may_bypass:
            raise PermissionDenied(f"{to_stage.value} is protected: moving {move} needs an approved request. {where}")
        in_the_way.append(f"{to_stage.value} is protected")
    results = gate_results(version, to_stage, policy, (files or {}).get(version.pk))
    if missed := shortfall(results):
        if not may_bypass:
            raise Conflict(
                f"{version.registered_model.name} version {version.version} does not pass the gates of "
                f"{to_stage.value}: {missed}. Make it pass them, or see {request_url(version, to_stage)}"
            )
        in_the_way += [result.gate.sentence for result in results if not result.passed]
    return in_the_way


def request_url(version: ModelVersion, to_stage: Stage) -> str:
    """Where a person opens a request for this move."""
    arguments = urlencode({"version": version.version, "to": to_stage.value})
    return f"{settings.PODIUM_SITE_URL}/models/{quote(version.registered_model.name)}/requests/new?{arguments}"


# -- asking ------------------------------------------------------------------------------------------------------------
def request_transition(
    actor: Actor,
    *,
    name: str,
    version: int,
    to_stage: Stage,
    comment: str = "",
    occupant_decision: OccupantDecision | None = None,
    occupant_to: Stage | None = None,
    copy_to: str = "",
) -> TransitionRequest:
    """Ask that a version move to a stage, or that a copy of it come into that stage of the model `copy_to`; whoever
    reads the model, or both, may.

    Without a decision about the occupant it is archived where the stage admits one version, and stays elsewhere. The
    evidence is pinned. Raises AlreadyExists, which points at the pending request for the same move, and
    InvalidParameter for the stage that the version is in, for a decision that does not fit the stage's policy, and for
    a copy that makes no sense.
    """
    files = _files_of(actor, name, version, to_stage, copy_to)
    with transaction.atomic():
        found, home = lock_version(actor, name, version, copy_to=copy_to)
        return _request(actor, found, to_stage, comment, occupant_decision, occupant_to, files, home=home)


def _request(
    actor: Actor,
    found: ModelVersion,
    to_stage: Stage,
    comment: str,
    occupant_decision: OccupantDecision | None,
    occupant_to: Stage | None,
    files: Files | None,
    *,
    is_rollback: bool = False,
    home: RegisteredModel | None = None,
) -> TransitionRequest:
    model = found.registered_model
    validate_comment(comment)
    if home is None and found.current_stage == to_stage.value:
        raise InvalidParameter(f"{model.name} version {found.version} is already in {to_stage.value}.", field="stage")
    if home is not None:
        require_arrival(to_stage)
    pending = TransitionRequest.objects.filter(
        model_version=found, to_stage=to_stage.value, copy_to=home, state=RequestState.PENDING.value
    ).first()
    if pending is not None and pending.expires_at is not None and pending.expires_at <= clock.now():
        pending.registered_model = model
        expire(pending)  # the worker has not come round yet
    elif pending is not None:
        what = f"copy version {found.version} into {to_stage.value} of {home.name}" if home is not None else ""
        raise AlreadyExists(
            f"Request {model.name}#{pending.number} by {pending.requester_name} already asks to "
            f"{what or f'move version {found.version} to {to_stage.value}'}: see "
            f"{settings.PODIUM_SITE_URL}/models/{quote(model.name)}/requests/{pending.number}"
        )
    policy = policy_of_copy(home, to_stage) if home is not None else policy_for(model, to_stage)
    decision = occupant_decision or (OccupantDecision.ARCHIVE if policy.is_exclusive else OccupantDecision.KEEP)
    _validate_decision(home or model, to_stage, policy, decision, occupant_to)
    model.last_request_number += 1
    model.save(update_fields=["last_request_number"])
    now = clock.now()
    request = TransitionRequest.objects.create(
        registered_model=model,
        number=model.last_request_number,
        model_version=found,
        version=found.version,
        copy_to=home,
        copy_to_name=home.name if home is not None else "",
        from_stage=found.current_stage,
        to_stage=to_stage.value,
        occupant_decision=decision.value,
        occupant_to_stage=occupant_to.value if occupant_to and decision is OccupantDecision.MOVE else "",
        requester_id=actor.user_id,
        requester_name=actor.name,
        comment=comment,
        created_at=now,
        is_rollback=is_rollback,
        expires_at=now + timedelta(days=policy.expires_after_days) if policy.expires_after_days else None,
        remind_at=now + REMINDED_EVERY,
        settle_at=now + SETTLED_EVERY,
    )
    pin(request, files or {})
    request.save(update_fields=["evidence_digest", "occupant_version", "occupant_evidence"])
    record(
        actor,
        Kind.REQUEST_CREATED,
        of_request(request),
        comment=comment,
        from_stage=request.from_stage,
        to_stage=request.to_stage,
        occupant_decision=request.occupant_decision,
        occupant_to_stage=request.occupant_to_stage,
        evidence=request.evidence_digest,
        rollback=is_rollback,
        **what_is_copied(request),
    )
    return request


def _validate_decision(
    model: RegisteredModel, to_stage: Stage, policy: Policy, decision: OccupantDecision, occupant_to: Stage | None
) -> None:
    if decision is OccupantDecision.KEEP and policy.is_exclusive:
        raise InvalidParameter(
            f"{to_stage.value} admits one version: say whether its occupant is archived or moved.",
            field="occupant_decision",
        )
    if decision is OccupantDecision.ARCHIVE:
        validate_way_out(to_stage, Stage.ARCHIVED)
    if decision is OccupantDecision.MOVE:
        if occupant_to is None:
            raise _occupant_goes_nowhere(to_stage)
        validate_way_out(to_stage, occupant_to)
        if policy_for(model, occupant_to).protected:
            raise InvalidParameter(
                f"{occupant_to.value} is protected: the occupant cannot be moved there on the side. "
                "Choose another stage.",
                field="occupant_to_stage",
            )


def validate_way_out(to_stage: Stage, occupant_to: Stage) -> None:
    """Raises InvalidParameter for a stage whose versions make no room, and for one that they would not leave."""
    if to_stage not in ACTIVE_STAGES:
        raise InvalidParameter(
            f"{to_stage.value} is shared by any number of versions: none of them makes room for another.",
            field="occupant_decision",
        )
    if occupant_to is to_stage:
        raise _occupant_goes_nowhere(to_stage)


def require_arrival(to_stage: Stage) -> None:
    """Raises InvalidParameter for a stage that no copy comes into."""
    if to_stage not in ARRIVALS:
        raise InvalidParameter("A copy comes into None, Staging or Production.", field="to_stage")


def _occupant_goes_nowhere(to_stage: Stage) -> InvalidParameter:
    return InvalidParameter(
        f"Say which stage other than {to_stage.value} the occupant moves to.", field="occupant_to_stage"
    )


# -- rolling back ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Rollback:
    """What came of a rollback: the version is back (`request` is None), or a request asks for that."""

    version: ModelVersion
    request: TransitionRequest | None


def rollback(
    actor: Actor, *, name: str, version: int, to_stage: Stage = Stage.PRODUCTION, comment: str = ""
) -> Rollback:
    """Bring an earlier occupant of a stage back, and archive the present one: at once for those who may move it without
    asking, and for the others by a request.

    Raises InvalidParameter for a version that never stood in the stage, and what `transition` and `request_transition`
    raise.
    """
    files = _files_of(actor, name, version, to_stage)
    with transaction.atomic():
        found = locked_version(actor, name, version, Level.CAN_READ)
        if found.current_stage == to_stage.value:
            raise InvalidParameter(f"{name} version {version} is in {to_stage.value} now.", field="version")
        stood = Activity.objects.filter(
            registered_model_id=found.registered_model_id,
            version=version,
            kind=Kind.VERSION_STAGE_CHANGED,
            data__to_stage=to_stage.value,
        )
        if not stood.exists():
            raise InvalidParameter(
                f"{name} version {version} has never been in {to_stage.value}, so nothing can be rolled back to it.",
                field="version",
            )
        needed = level_to_decide(Stage(found.current_stage), to_stage)
        is_direct = access.level_of(actor, found.registered_model) >= needed
        moved_to = Stage.ARCHIVED if to_stage in ACTIVE_STAGES else None
        if is_direct and not policy_for(found.registered_model, to_stage).protected:
            _transition(actor, found, to_stage, moved_to=moved_to, why=Why(comment, is_rollback=True), files=files)
            return Rollback(found, None)
        decision = OccupantDecision.ARCHIVE if moved_to else None
        request = _request(actor, found, to_stage, comment, decision, None, files, is_rollback=True)
        return Rollback(found, request)


# -- deciding ----------------------------------------------------------------------------------------------------------
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
    files = _files_of_request(actor, name, number)
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
        raise _archives_nothing(to_stage)
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


def _archives_nothing(to_stage: Stage) -> InvalidParameter:
    return InvalidParameter(
        f"archive_existing_versions only goes with Staging and Production, not with {to_stage.value}.",
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


# -- deleting ----------------------------------------------------------------------------------------------------------
@transaction.atomic
def delete_version(actor: Actor, *, name: str, version: int) -> None:
    """Delete a version with its tags and aliases; its number is never given again, its requests and history stay.

    Needs CAN_MANAGE. Raises Conflict for a version in a protected stage.
    """
    found = locked_version(actor, name, version, Level.CAN_READ)
    model = found.registered_model
    access.require(actor, model, Level.CAN_MANAGE)
    _refuse_if_protected(model, model.versions.filter(pk=found.pk))
    _refuse_if_alias_is_protected(found)
    supersede(actor, found, f"version {version} was deleted")
    record(
        actor,
        Kind.VERSION_DELETED,
        subjects.of_version(found),
        source=found.source,
        run_id=found.run_id,
        stage=found.current_stage,
    )
    found.delete()
    RegisteredModel.objects.filter(pk=model.pk).update(last_updated_timestamp=clock.now_ms())


@transaction.atomic
def delete_model(actor: Actor, *, name: str) -> None:
    """Delete a registered model with all that it owns; its history stays.

    Needs CAN_MANAGE. Requests for copies into it end. Raises Conflict while one of its versions stands in a protected
    stage.
    """
    actor.require_signed_in()
    model = _locked_with_those_that_copy_into_it(name)
    access.require(actor, model, Level.CAN_MANAGE)
    _refuse_if_protected(model, model.versions.all())
    supersede_copies(actor, None, model)
    record(actor, Kind.MODEL_DELETED, subjects.of_model(model), versions=model.versions.count())
    model.delete()


def _locked_with_those_that_copy_into_it(name: str) -> RegisteredModel:
    """A model, and those whose history will tell that their requests ended with it."""
    key = RegisteredModel.objects.filter(name=name).values_list("pk", flat=True).first()
    sources = sources_of_copies(key) if key is not None else set()
    model = lock_models({key, *sources}).get(key) if key is not None else None
    if model is None or model.name != name:
        raise access.model_not_found(name)
    if not sources_of_copies(model.pk) <= sources:
        raise Conflict(f"Somebody has just asked for a copy into {name}; try again.")
    return model


def _refuse_if_protected(model: RegisteredModel, versions: QuerySet[ModelVersion]) -> None:
    policies = policies_for((model.pk, stage) for stage in Stage if stage is not Stage.ARCHIVED)
    protected = [stage.value for (_, stage), policy in policies.items() if policy.protected]
    found = versions.filter(current_stage__in=protected).order_by("-version").first() if protected else None
    if found is not None:
        raise Conflict(
            f"{model.name} version {found.version} is in {found.current_stage}, which is protected. Archive it first."
        )


def _refuse_if_alias_is_protected(version: ModelVersion) -> None:
    policies = alias_policies(version.registered_model)
    held = set(version.aliases.values_list("alias", flat=True))
    for alias, policy in policies.items():
        if alias in held and policy_for(version.registered_model, Stage(policy.stage)).protected:
            raise Conflict(
                f"{version.registered_model.name} version {version.version} is called @{alias}, which stands for "
                f"{policy.stage} and is protected. Point the alias at another version first."
            )


# -- policies ----------------------------------------------------------------------------------------------------------
@transaction.atomic
def set_policy(actor: Actor, *, stage: Stage, policy: Policy, name: str | None = None) -> StagePolicy:
    """Set what it takes to enter a stage, for one model (needs CAN_MANAGE) or for the site (administrators).

    Pending requests are looked at again soon.
    """
    model = model_of_policy(actor, name)
    subject = subjects.of_model(model) if model else subjects.of_site_policy(stage)
    if policy.required_approvals < 1:
        raise InvalidParameter("A protected stage needs one approval at least.", field="required_approvals")
    if policy.expires_after_days is not None and not 1 <= policy.expires_after_days <= MOST_DAYS:
        raise InvalidParameter(f"Requests expire after 1 to {MOST_DAYS} days.", field="expires_after_days")
    if policy.is_exclusive and stage not in ACTIVE_STAGES:
        raise InvalidParameter(
            f"{stage.value} is shared by any number of versions: they begin in None and end in Archived.",
            field="when_occupied",
        )
    if len(policy.gates) > MOST_GATES:
        raise InvalidParameter(f"A policy has {MOST_GATES} gates at most.", field="gates")
    row, _ = StagePolicy.objects.update_or_create(
        registered_model=model,
        stage=stage.value,
        defaults={
            "protected": policy.protected,
            "required_approvals": policy.required_approvals,
            "allow_self_approval": policy.allow_self_approval,
            "when_occupied": policy.when_occupied.value,
            "dismiss_stale_approvals": policy.dismiss_stale_approvals,
            "expires_after_days": policy.expires_after_days,
        },
    )
    write_gates(row, policy.gates)
    look_again(model)
    record(actor, Kind.POLICY_SET, subject, stage=stage.value, **plain(policy))
    return row


@transaction.atomic
def remove_policy(actor: Actor, *, stage: Stage, name: str) -> None:
    """Let the site's policy hold for a stage of a model again. Needs CAN_MANAGE. Raises NotFound where it does."""
    model = model_of_policy(actor, name)
    deleted, _ = StagePolicy.objects.filter(registered_model=model, stage=stage.value).delete()
    if model is None or not deleted:
        raise NotFound(f"{name} has no policy of its own for {stage.value}.", field="stage")
    look_again(model)
    record(actor, Kind.POLICY_REMOVED, subjects.of_model(model), stage=stage.value)


def model_of_policy(actor: Actor, name: str | None) -> RegisteredModel | None:
    """The model that a policy is for, locked; None for the site's. Raises for those who may not set it."""
    if name is None:
        actor.require_admin()
        return None
    actor.require_signed_in()
    model = lock_model(name)
    if model is None:
        raise access.model_not_found(name)
    access.require(actor, model, Level.CAN_MANAGE)
    return model


# -- what they share ---------------------------------------------------------------------------------------------------
def lock_version(
    actor: Actor, name: str, version: int, *, copy_to: str = ""
) -> tuple[ModelVersion, RegisteredModel | None]:
    """A version that the actor may read, its model locked, and with it the model that it is to be copied into, if it
    is. Raises NotFound for what they may not read, InvalidParameter for a copy that makes no sense."""
    if not copy_to:
        return locked_version(actor, name, version, Level.CAN_READ), None
    actor.require_signed_in()
    hidden = NotFound(f"Model Version (name={name}, version={version}) not found", field="version")
    keys = RegisteredModel.objects.filter(name__in=[name, copy_to]).values_list("pk", flat=True)
    locked = {model.name: model for model in lock_models(keys).values()}
    if name not in locked:
        raise hidden
    access.require(actor, locked[name], Level.CAN_READ, hidden=hidden)
    found = version_of(locked[name], version)
    if found is None:
        raise hidden
    no_target = NotFound(f"Registered Model with name={copy_to} not found", field="copy_to")
    home = locked.get(copy_to)
    if home is None:
        raise no_target
    access.require(actor, home, Level.CAN_READ, hidden=no_target)
    if home.pk == found.registered_model_id:
        raise InvalidParameter(
            f"A version of {name} is copied into another model; in its own it moves to a stage.", field="copy_to"
        )
    if home.is_prompt or found.registered_model.is_prompt:
        raise InvalidParameter("Prompts are not copied into other models, nor models into prompts.", field="copy_to")
    return found, home


def _files_of(actor: Actor, name: str, version: int, to_stage: Stage, copy_to: str = "") -> Files | None:
    """What the files of a version say, and of the one in the stage, read before anything is locked; None where the
    actor sees no such version."""
    found = ModelVersion.objects.filter(
        access.visible(actor, "registered_model_id"), registered_model__name=name, version=version
    ).first()
    home = access.visible_models(actor).filter(name=copy_to).first() if copy_to else None
    return read_both(found, to_stage, home) if found else None


def files_for_gates(actor: Actor, name: str, version: int, to_stage: Stage, copy_to: str = "") -> Files | None:
    """As `_files_of`, if some gate of this stage, or of that which copies begin in, looks at files."""
    stages = [to_stage.value, *([Stage.NONE.value] if copy_to else [])]
    asked = PolicyGate.objects.filter(policy__stage__in=stages, type=GateType.SIGNATURE.value)
    return _files_of(actor, name, version, to_stage, copy_to) if asked.exists() else None


def _files_of_request(actor: Actor, name: str, number: int) -> Files | None:
    """As `_files_of`, of a pending request."""
    found = TransitionRequest.objects.filter(
        visible(actor),
        registered_model__name=name,
        number=number,
        state=RequestState.PENDING.value,
    ).select_related("model_version", "copy_to")
    request = found.first()
    if request is None or request.model_version is None:
        return None
    return read_both(request.model_version, Stage(request.to_stage), request.copy_to)


def _nobody(actor: Actor) -> Actor:
    """Who is named for what was found changed, and nobody knows by whom."""
    return system(actor.origin)


def validate_comment(comment: str) -> None:
    if len(comment) > COMMENT_LIMIT:
        raise InvalidParameter(f"A comment has {COMMENT_LIMIT} characters at most.", field="comment")
