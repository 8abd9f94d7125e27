"""How a version gets into a stage, once it has been decided: occupants out first, the version in, and what that ends.

All of it happens under the lock of the model's row. Who may is asked before, in `services` and `settling`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from registry_site.accounts.actors import Actor, system
from registry_site.audit.kinds import Kind
from registry_site.audit.record import record
from registry_site.core import clock
from registry_site.core.errors import Conflict, PermissionDenied
from registry_site.promotion import mirrors
from registry_site.promotion.evidence import Content, read_files
from registry_site.promotion.facts import Entry, facts_of
from registry_site.promotion.gates import GateResult, GateType, evaluate, shortfall
from registry_site.promotion.models import TransitionRequest
from registry_site.promotion.policies import policy_for
from registry_site.promotion.rules import Policy, RequestState
from registry_site.promotion.subjects import of_request, what_is_copied
from registry_site.registry import staging
from registry_site.registry.models import ModelVersion, RegisteredModel
from registry_site.registry.stages import Stage


@dataclass(frozen=True, slots=True)
class Why:
    """What a move is part of: said in history."""

    comment: str = ""
    request_number: int | None = None
    is_rollback: bool = False
    cause: str = ""


def others_in(version: ModelVersion, stage: Stage, home: RegisteredModel | None = None) -> Sequence[ModelVersion]:
    """The other versions of its model, or of the one that it is to be copied into, that stand in a stage, newest
    first."""
    there = staging.versions_in(home or version.registered_model, stage)
    return list(there.exclude(pk=version.pk).select_related("registered_model"))


def gate_results(
    version: ModelVersion,
    to_stage: Stage,
    policy: Policy,
    files: Content | None,
    home: RegisteredModel | None = None,
) -> tuple[GateResult, ...]:
    """What becomes of each gate of a stage, for a version that is to enter it.

    `files` is what its files said; without it they are read here, though only for a gate that looks at them: whoever
    moves a version on the side knows too late which one to read beforehand. `home` is the model whose stage it is, if
    the version is to be copied into another one.
    """
    if not policy.gates:
        return ()
    if files is None and any(gate.type is GateType.SIGNATURE for gate in policy.gates):
        files = read_files(version)
    known = {version.pk: files} if files else {}
    (facts,) = facts_of([Entry(version, to_stage, policy.gates, home)], known)
    return evaluate(policy.gates, facts)


def move(
    actor: Actor, version: ModelVersion, to_stage: Stage, policy: Policy, occupants_to: Stage | None, why: Why
) -> None:
    """Occupants out first, then the version in.

    Where nobody said what becomes of the occupants, they stay in a shared stage and are archived in an exclusive one.
    Raises PermissionDenied or Conflict where an occupant cannot go where it should: then nothing has moved.
    """
    from_stage = Stage(version.current_stage)
    clear(actor, version, to_stage, policy, occupants_to, why)
    staging.set_stage(
        actor,
        version,
        to_stage,
        exclusive=policy.is_exclusive,
        comment=why.comment,
        cause=why.cause or (f"request #{why.request_number}" if why.request_number else ""),
        request_number=why.request_number,
        is_rollback=why.is_rollback,
    )
    mirrors.follow(actor, version, from_stage, to_stage)
    supersede(actor, version, f"version {version.version} is in {to_stage.value} now", to_stage)
    look_again(version.registered_model)


def clear(
    actor: Actor, version: ModelVersion, to_stage: Stage, policy: Policy, occupants_to: Stage | None, why: Why
) -> None:
    """Move the other versions out of a stage that this one comes into, as `move` says."""
    if occupants_to is None and policy.is_exclusive:
        occupants_to = Stage.ARCHIVED
    if occupants_to is not None:
        for occupant in others_in(version, to_stage):
            _move_occupant(actor, occupant, occupants_to, f"version {version.version} moved to {to_stage.value}", why)


def _move_occupant(actor: Actor, occupant: ModelVersion, to_stage: Stage, cause: str, why: Why) -> None:
    policy = policy_for(occupant.registered_model, to_stage)
    from_stage = Stage(occupant.current_stage)
    if policy.protected:
        raise PermissionDenied(f"{to_stage.value} is protected: the occupant cannot be moved there on the side.")
    if policy.is_exclusive and others_in(occupant, to_stage):
        raise Conflict(f"{to_stage.value} admits one version and has one: choose another stage for the occupant.")
    if missed := shortfall(gate_results(occupant, to_stage, policy, None)):
        raise Conflict(
            f"The occupant, version {occupant.version}, does not pass the gates of {to_stage.value}: {missed}. "
            "Choose another stage for it."
        )
    staging.set_stage(
        actor,
        occupant,
        to_stage,
        exclusive=policy.is_exclusive,
        cause=cause,
        request_number=why.request_number,
    )
    mirrors.follow(actor, occupant, from_stage, to_stage)
    supersede(actor, occupant, f"version {occupant.version} is in {to_stage.value} now", to_stage)


# -- ending requests ---------------------------------------------------------------------------------------------------
def close(actor: Actor, request: TransitionRequest, state: RequestState, kind: Kind, comment: str) -> None:
    """End a pending request, and write it down."""
    request.state = state.value
    request.decided_at = clock.now()
    request.decided_by_name = actor.name
    request.decision_comment = comment
    request.save(update_fields=["state", "decided_at", "decided_by_name", "decision_comment", "approvers"])
    approved = {"approvers": request.approvers, "evidence": request.evidence_digest} if request.approvers else {}
    data = approved | what_is_copied(request)
    record(actor, kind, of_request(request), comment=comment, to_stage=request.to_stage, **data)


def expire(request: TransitionRequest) -> None:
    """End a pending request that is older than its policy lets it be."""
    expires_at = request.expires_at or clock.now()
    age = f"nobody decided it within {(expires_at - request.created_at).days} days"
    close(system(), request, RequestState.EXPIRED, Kind.REQUEST_EXPIRED, age)


def supersede(actor: Actor, version: ModelVersion, reason: str, to_stage: Stage | None = None) -> None:
    """Close the pending requests that have become pointless: for one stage of its model, or all of them."""
    pending = version.transition_requests.select_for_update().filter(state=RequestState.PENDING.value)
    if to_stage is not None:
        pending = pending.filter(to_stage=to_stage.value, copy_to_name="")
    for request in pending.order_by("pk"):
        request.registered_model = version.registered_model
        close(actor, request, RequestState.SUPERSEDED, Kind.REQUEST_SUPERSEDED, reason)


def look_again(model: RegisteredModel | None) -> None:
    """Have the worker settle the pending requests of a model (None: of all) soon: what they depend on has changed."""
    pending = TransitionRequest.objects.filter(state=RequestState.PENDING.value)
    if model is not None:
        pending = pending.filter(Q(registered_model=model) | Q(copy_to=model))
    pending.update(settle_at=clock.now())
