"""Moving versions between stages: directly, or by request and review. No other code changes a stage.

Every service locks the registered model first, then the request: all that happens to the stages of one model happens
one after the other, and what a review decides, its own transaction applies.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import transaction

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.audit.kinds import Kind
from registry_site.audit.record import record
from registry_site.core import clock
from registry_site.core.errors import AlreadyExists, Conflict, InvalidParameter, NotFound, PermissionDenied
from registry_site.promotion.models import Review, StagePolicy, TransitionRequest
from registry_site.promotion.policies import policy_for
from registry_site.promotion.rules import (
    OccupantDecision,
    Policy,
    RequestState,
    ReviewFact,
    Verdict,
    WhenOccupied,
    decide,
    level_to_decide,
)
from registry_site.promotion.subjects import of_request
from registry_site.registry import access, staging, subjects
from registry_site.registry.locking import lock_model, version_of
from registry_site.registry.models import ModelVersion, RegisteredModel
from registry_site.registry.stages import ACTIVE_STAGES, Stage

COMMENT_LIMIT = 65_535


# -- moving directly ---------------------------------------------------------------------------------------------------
@transaction.atomic
def transition(
    actor: Actor,
    *,
    name: str,
    version: int,
    to_stage: Stage,
    archive_existing: bool = False,
    occupant_to: Stage | None = None,
    comment: str = "",
) -> ModelVersion:
    """Move a version at once, as whoever holds the level for both stages may where the stage is not protected.

    Into a stage that admits one version and has one, a decision about the occupant is needed: `archive_existing`, or
    `occupant_to`, the stage that it moves to. Moving to where the version already is changes nothing and succeeds.
    Raises PermissionDenied (with the address where the move can be requested), Conflict (naming the occupant and both
    ways out), NotFound, InvalidParameter.
    """
    found = _locked_version(actor, name, version)
    from_stage = Stage(found.current_stage)
    if archive_existing and to_stage not in ACTIVE_STAGES:
        raise InvalidParameter(
            f"archive_existing_versions only goes with Staging and Production, not with {to_stage.value}.",
            field="archive_existing_versions",
        )
    if from_stage is to_stage:
        return found
    if occupant_to is to_stage:
        raise _occupant_goes_nowhere(to_stage)
    policy = policy_for(found.registered_model, to_stage)
    moved_to = Stage.ARCHIVED if archive_existing else occupant_to
    _require_direct_move(actor, found, to_stage, policy, moved_to)
    occupants = _others_in(found, to_stage)
    if occupants and moved_to is None and policy.when_occupied is WhenOccupied.ASK:
        raise Conflict(
            f"{occupants[0].registered_model.name} version {occupants[0].version} is in {to_stage.value}, which admits "
            "one version. Archive it with archive_existing_versions=true, or say which stage it moves to.",
            field="archive_existing_versions",
        )
    _move(actor, found, to_stage, policy, moved_to, comment=comment)
    return found


def _require_direct_move(
    actor: Actor, version: ModelVersion, to_stage: Stage, policy: Policy, occupant_to: Stage | None
) -> None:
    from_stage = Stage(version.current_stage)
    needed = level_to_decide(from_stage, to_stage, occupant_to)
    move = f"{version.registered_model.name} version {version.version} from {from_stage.value} to {to_stage.value}"
    where = f"Request the transition at {request_url(version, to_stage)}"
    if access.level_of(actor, version.registered_model) < needed:
        raise PermissionDenied(f"Moving {move} needs {needed.name}, which {actor.name} does not have. {where}")
    if policy.protected:
        raise PermissionDenied(f"{to_stage.value} is protected: moving {move} needs an approved request. {where}")


def request_url(version: ModelVersion, to_stage: Stage) -> str:
    """Where a person opens a request for this move."""
    arguments = urlencode({"version": version.version, "to": to_stage.value})
    return f"{settings.PODIUM_SITE_URL}/models/{quote(version.registered_model.name)}/requests/new?{arguments}"


# -- asking ------------------------------------------------------------------------------------------------------------
@transaction.atomic
def request_transition(
    actor: Actor,
    *,
    name: str,
    version: int,
    to_stage: Stage,
    comment: str = "",
    occupant_decision: OccupantDecision | None = None,
    occupant_to: Stage | None = None,
) -> TransitionRequest:
    """Ask that a version move to a stage; whoever reads the model may.

    Without a decision about the occupant it is archived where the stage admits one version, and stays elsewhere. Raises
    AlreadyExists, which points at the pending request for the same move, and InvalidParameter for the stage that the
    version is in, and for a decision that does not fit the stage's policy.
    """
    found = _locked_version(actor, name, version)
    model = found.registered_model
    _validate_comment(comment)
    if found.current_stage == to_stage.value:
        raise InvalidParameter(f"{name} version {version} is already in {to_stage.value}.", field="stage")
    pending = TransitionRequest.objects.filter(
        model_version=found, to_stage=to_stage.value, state=RequestState.PENDING.value
    ).first()
    if pending is not None:
        raise AlreadyExists(
            f"Request {name}#{pending.number} by {pending.requester_name} already asks to move version {version} to "
            f"{to_stage.value}: see {settings.PODIUM_SITE_URL}/models/{quote(name)}/requests/{pending.number}"
        )
    policy = policy_for(model, to_stage)
    decision = occupant_decision or (OccupantDecision.ARCHIVE if policy.is_exclusive else OccupantDecision.KEEP)
    _validate_decision(model, to_stage, policy, decision, occupant_to)
    model.last_request_number += 1
    model.save(update_fields=["last_request_number"])
    request = TransitionRequest.objects.create(
        registered_model=model,
        number=model.last_request_number,
        model_version=found,
        version=version,
        from_stage=found.current_stage,
        to_stage=to_stage.value,
        occupant_decision=decision.value,
        occupant_to_stage=occupant_to.value if occupant_to and decision is OccupantDecision.MOVE else "",
        requester_id=actor.user_id,
        requester_name=actor.name,
        comment=comment,
        created_at=clock.now(),
    )
    record(
        actor,
        Kind.REQUEST_CREATED,
        of_request(request),
        comment=comment,
        from_stage=request.from_stage,
        to_stage=request.to_stage,
        occupant_decision=request.occupant_decision,
        occupant_to_stage=request.occupant_to_stage,
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
    if decision is OccupantDecision.MOVE:
        if occupant_to is None or occupant_to is to_stage:
            raise _occupant_goes_nowhere(to_stage)
        if policy_for(model, occupant_to).protected:
            raise InvalidParameter(
                f"{occupant_to.value} is protected: the occupant cannot be moved there on the side. "
                "Choose another stage.",
                field="occupant_to_stage",
            )


def _occupant_goes_nowhere(to_stage: Stage) -> InvalidParameter:
    return InvalidParameter(
        f"Say which stage other than {to_stage.value} the occupant moves to.", field="occupant_to_stage"
    )


# -- deciding ----------------------------------------------------------------------------------------------------------
@transaction.atomic
def approve(actor: Actor, *, name: str, number: int, comment: str = "") -> TransitionRequest:
    """Approve a request. When that makes enough approvals, the version moves in this same transaction.

    Raises PermissionDenied below the level for the stages involved and for one's own request where the policy wants
    other eyes; Conflict for a request that is no longer pending.
    """
    request = _locked_request(actor, name, number)
    _validate_comment(comment)
    _require_decider(actor, request)
    to_stage = Stage(request.to_stage)
    policy = policy_for(request.registered_model, to_stage)
    if policy.protected and not policy.allow_self_approval and actor.user_id == request.requester_id:
        raise PermissionDenied(f"{actor.name} asked for {request} and so cannot approve it: somebody else has to.")
    _review(actor, request, Verdict.APPROVE, comment)
    outcome = decide(policy, request.requester_id, _facts(request))
    if outcome.state is RequestState.APPROVED:
        _close(actor, request, RequestState.APPROVED, Kind.REQUEST_APPROVED, comment)
        version = _version_of(request)
        moved_to = {
            OccupantDecision.ARCHIVE: Stage.ARCHIVED,
            OccupantDecision.MOVE: Stage(request.occupant_to_stage) if request.occupant_to_stage else None,
            OccupantDecision.KEEP: None,
        }[OccupantDecision(request.occupant_decision)]
        _move(actor, version, to_stage, policy, moved_to, comment=comment, request_number=request.number)
    return request


@transaction.atomic
def reject(actor: Actor, *, name: str, number: int, comment: str) -> TransitionRequest:
    """End a request with a no, and say why. Raises as `approve`, and InvalidParameter without a comment."""
    request = _locked_request(actor, name, number)
    _validate_comment(comment)
    _require_decider(actor, request)
    if not comment.strip():
        raise InvalidParameter("Say why: a rejection needs a comment.", field="comment")
    _review(actor, request, Verdict.REJECT, comment)
    _close(actor, request, RequestState.REJECTED, Kind.REQUEST_REJECTED, comment)
    return request


@transaction.atomic
def cancel(actor: Actor, *, name: str, number: int, comment: str = "") -> TransitionRequest:
    """Withdraw a request: the requester may, and with a reason whoever manages the model."""
    request = _locked_request(actor, name, number)
    _validate_comment(comment)
    if actor.user_id is None or actor.user_id != request.requester_id:
        access.require(actor, request.registered_model, Level.CAN_MANAGE)
        if not comment.strip():
            raise InvalidParameter("Say why you cancel somebody else's request.", field="comment")
    _close(actor, request, RequestState.CANCELLED, Kind.REQUEST_CANCELLED, comment)
    return request


def _require_decider(actor: Actor, request: TransitionRequest) -> None:
    needed = level_of_request(request)
    if access.level_of(actor, request.registered_model) < needed:
        raise PermissionDenied(f"To decide {request} one needs {needed.name}, which {actor.name} does not have.")


def level_of_request(request: TransitionRequest) -> Level:
    """The level that deciding this request takes."""
    from_stage = Stage(request.model_version.current_stage if request.model_version else request.from_stage)
    occupant_to = Stage(request.occupant_to_stage) if request.occupant_to_stage else None
    return level_to_decide(from_stage, Stage(request.to_stage), occupant_to)


def _review(actor: Actor, request: TransitionRequest, verdict: Verdict, comment: str) -> None:
    Review.objects.update_or_create(
        request=request,
        reviewer_id=actor.user_id,
        defaults={
            "reviewer_name": actor.name,
            "verdict": verdict.value,
            "comment": comment,
            "created_at": clock.now(),
        },
    )
    record(actor, Kind.REVIEW_GIVEN, of_request(request), comment=comment, verdict=verdict.value)


def _facts(request: TransitionRequest) -> list[ReviewFact]:
    return [ReviewFact(review.reviewer_id, Verdict(review.verdict)) for review in request.reviews.all()]


def _close(actor: Actor, request: TransitionRequest, state: RequestState, kind: Kind, comment: str) -> None:
    request.state = state.value
    request.decided_at = clock.now()
    request.decided_by_name = actor.name
    request.decision_comment = comment
    request.save(update_fields=["state", "decided_at", "decided_by_name", "decision_comment"])
    record(actor, kind, of_request(request), comment=comment, to_stage=request.to_stage)


def _supersede(actor: Actor, version: ModelVersion, reason: str, to_stage: Stage | None = None) -> None:
    """Close the pending requests that have become pointless: for one stage, or all of them."""
    pending = version.transition_requests.select_for_update().filter(state=RequestState.PENDING.value)
    if to_stage is not None:
        pending = pending.filter(to_stage=to_stage.value)
    for request in pending:
        request.registered_model = version.registered_model
        _close(actor, request, RequestState.SUPERSEDED, Kind.REQUEST_SUPERSEDED, reason)


# -- moving ------------------------------------------------------------------------------------------------------------
def _others_in(version: ModelVersion, stage: Stage) -> Sequence[ModelVersion]:
    return list(
        staging.versions_in(version.registered_model, stage).exclude(pk=version.pk).select_related("registered_model")
    )


def _move(
    actor: Actor,
    version: ModelVersion,
    to_stage: Stage,
    policy: Policy,
    occupants_to: Stage | None,
    *,
    comment: str,
    request_number: int | None = None,
) -> None:
    """Occupants out first, then the version in; all of it under the model's lock.

    Where nobody said what becomes of the occupants, they stay in a shared stage and are archived in an exclusive one.
    """
    if occupants_to is None and policy.is_exclusive:
        occupants_to = Stage.ARCHIVED
    if occupants_to is not None:
        for occupant in _others_in(version, to_stage):
            cause = f"version {version.version} moved to {to_stage.value}"
            _move_occupant(actor, occupant, occupants_to, cause, request_number)
    staging.set_stage(
        actor,
        version,
        to_stage,
        exclusive=policy.is_exclusive,
        comment=comment,
        cause=f"request #{request_number}" if request_number else "",
        request_number=request_number,
    )
    _supersede(actor, version, f"version {version.version} is in {to_stage.value} now", to_stage)


def _move_occupant(
    actor: Actor, occupant: ModelVersion, to_stage: Stage, cause: str, request_number: int | None
) -> None:
    policy = policy_for(occupant.registered_model, to_stage)
    if policy.protected:
        raise PermissionDenied(f"{to_stage.value} is protected: the occupant cannot be moved there on the side.")
    if policy.is_exclusive and _others_in(occupant, to_stage):
        raise Conflict(f"{to_stage.value} admits one version and has one: choose another stage for the occupant.")
    staging.set_stage(
        actor, occupant, to_stage, exclusive=policy.is_exclusive, cause=cause, request_number=request_number
    )
    _supersede(actor, occupant, f"version {occupant.version} is in {to_stage.value} now", to_stage)


# -- deleting ----------------------------------------------------------------------------------------------------------
@transaction.atomic
def delete_version(actor: Actor, *, name: str, version: int) -> None:
    """Delete a version with its tags and aliases; its number is never given again, its requests and history stay.

    Needs CAN_MANAGE. Raises Conflict for a version in a protected stage.
    """
    found = _locked_version(actor, name, version)
    model = found.registered_model
    access.require(actor, model, Level.CAN_MANAGE)
    _refuse_if_protected([found])
    _supersede(actor, found, f"version {version} was deleted")
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

    Needs CAN_MANAGE. Raises Conflict while one of its versions stands in a protected stage.
    """
    actor.require_signed_in()
    model = lock_model(name)
    if model is None:
        raise NotFound(f"Registered Model with name={name} not found", field="name")
    access.require(actor, model, Level.CAN_MANAGE)
    active = model.versions.exclude(current_stage=Stage.NONE.value).exclude(current_stage=Stage.ARCHIVED.value)
    _refuse_if_protected(list(active.select_related("registered_model")))
    record(actor, Kind.MODEL_DELETED, subjects.of_model(model), versions=model.versions.count())
    model.delete()


def _refuse_if_protected(versions: Sequence[ModelVersion]) -> None:
    for version in versions:
        stage = Stage(version.current_stage)
        if stage is not Stage.ARCHIVED and policy_for(version.registered_model, stage).protected:
            raise Conflict(
                f"{version.registered_model.name} version {version.version} is in {stage.value}, which is protected. "
                "Archive it first."
            )


# -- policies ----------------------------------------------------------------------------------------------------------
@transaction.atomic
def set_policy(actor: Actor, *, stage: Stage, policy: Policy, name: str | None = None) -> StagePolicy:
    """Set what it takes to enter a stage, for one model (needs CAN_MANAGE) or for the site (administrators)."""
    if name is None:
        actor.require_admin()
        model, subject = None, subjects.of_site_policy(stage)
    else:
        actor.require_signed_in()
        model = lock_model(name)
        if model is None:
            raise NotFound(f"Registered Model with name={name} not found", field="name")
        access.require(actor, model, Level.CAN_MANAGE)
        subject = subjects.of_model(model)
    if policy.required_approvals < 1:
        raise InvalidParameter("A protected stage needs one approval at least.", field="required_approvals")
    values: dict[str, Any] = {
        "protected": policy.protected,
        "required_approvals": policy.required_approvals,
        "allow_self_approval": policy.allow_self_approval,
        "when_occupied": policy.when_occupied.value,
    }
    row, _ = StagePolicy.objects.update_or_create(registered_model=model, stage=stage.value, defaults=values)
    record(actor, Kind.POLICY_SET, subject, stage=stage.value, **values)
    return row


# -- what they share ---------------------------------------------------------------------------------------------------
def _locked_version(actor: Actor, name: str, version: int) -> ModelVersion:
    actor.require_signed_in()
    hidden = NotFound(f"Model Version (name={name}, version={version}) not found", field="version")
    model = lock_model(name)
    if model is None:
        raise hidden
    access.require(actor, model, Level.CAN_READ, hidden=hidden)
    found = version_of(model, version)
    if found is None:
        raise hidden
    return found


def _locked_request(actor: Actor, name: str, number: int) -> TransitionRequest:
    """A pending request, locked after its model. Raises Conflict for one that is decided."""
    actor.require_signed_in()
    hidden = NotFound(f"There is no request {name}#{number}.")
    model = lock_model(name)
    if model is None:
        raise hidden
    access.require(actor, model, Level.CAN_READ, hidden=hidden)
    request = TransitionRequest.objects.select_for_update().filter(registered_model=model, number=number).first()
    if request is None:
        raise hidden
    request.registered_model = model
    if request.state != RequestState.PENDING.value:
        by = f" by {request.decided_by_name}" if request.decided_by_name else ""
        raise Conflict(f"Request {request} is already {request.state}{by}; nothing was changed.")
    return request


def _version_of(request: TransitionRequest) -> ModelVersion:
    version = request.model_version
    if version is None:  # deleting a version supersedes its pending requests, so this is a broken database
        raise Conflict(f"The version of {request} no longer exists.")
    version.registered_model = request.registered_model
    return version


def _validate_comment(comment: str) -> None:
    if len(comment) > COMMENT_LIMIT:
        raise InvalidParameter(f"A comment has {COMMENT_LIMIT} characters at most.", field="comment")
