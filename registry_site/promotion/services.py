"""Moving versions between stages: directly, by a request, and back. Requests are decided in `deciding`. No other code
changes a stage.

Every service locks the registered model first, then the request: all that happens to the stages of one model happens
one after the other, and what a review decides, its own transaction applies.
"""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import transaction

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.audit.kinds import Kind
from registry_site.audit.models import Activity
from registry_site.audit.record import record
from registry_site.core import clock
from registry_site.core.errors import AlreadyExists, Conflict, InvalidParameter, PermissionDenied
from registry_site.promotion.copies import ARRIVALS
from registry_site.promotion.evidence import Files
from registry_site.promotion.gates import shortfall
from registry_site.promotion.models import TransitionRequest
from registry_site.promotion.moving import Why, expire, gate_results, move, others_in
from registry_site.promotion.policies import policy_for, policy_of_copy
from registry_site.promotion.preparing import (
    archives_nothing,
    files_for_gates,
    files_of,
    lock_version,
    validate_comment,
)
from registry_site.promotion.rules import OccupantDecision, Policy, RequestState, WhenOccupied, level_to_decide
from registry_site.promotion.settling import SETTLED_EVERY, pin
from registry_site.promotion.subjects import of_request, what_is_copied
from registry_site.registry import access, subjects
from registry_site.registry.locking import locked_version
from registry_site.registry.models import ModelVersion, RegisteredModel
from registry_site.registry.stages import ACTIVE_STAGES, Stage

REMINDED_EVERY = timedelta(days=1)


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
        raise archives_nothing(to_stage)
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
    files = files_of(actor, name, version, to_stage, copy_to)
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
    _require_none_waits(found, to_stage, home)
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


def _require_none_waits(found: ModelVersion, to_stage: Stage, home: RegisteredModel | None) -> None:
    """Raises AlreadyExists where a request asks for the same; one whose days are over is closed."""
    model = found.registered_model
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
    files = files_of(actor, name, version, to_stage)
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
