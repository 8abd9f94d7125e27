"""Which policy holds for a stage of a model: its own, else the site's, else the built-in one."""

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Any

from django.db.models import BigIntegerField, Q

from registry_site.core.prepared import Among, Given, Prepared, attach, columns_of, instance_of
from registry_site.promotion.gates import Comparison, Gate, GateType
from registry_site.promotion.models import PolicyGate, StagePolicy, TransitionRequest
from registry_site.promotion.rules import Policy, WhenOccupied, default_policy, policy_of_arrival
from registry_site.registry.models import RegisteredModel
from registry_site.registry.stages import ACTIVE_STAGES, Stage


def policy_for(model: RegisteredModel, stage: Stage) -> Policy:
    """The policy that binds whoever moves a version of this model into this stage."""
    return policies_for([(model.pk, stage)])[model.pk, stage]


def policies_for(wanted: Iterable[tuple[int, Stage]]) -> dict[tuple[int, Stage], Policy]:
    """The policies of several stages of several models, by the model's key and the stage, in one query."""
    wanted = set(wanted)
    rows = _policies_set({key for key, _ in wanted}) if wanted else []
    found = {(row.registered_model_id, row.stage): policy_of(row) for row in rows}
    return {
        (key, stage): found.get((key, stage.value)) or found.get((None, stage.value)) or default_policy(stage)
        for key, stage in wanted
    }


def _policies_set(models: Collection[int]) -> list[StagePolicy]:
    """What somebody has set for these models, by their keys, and for all of them, with its gates."""
    found = _POLICIES_AND_GATES.read(keys=sorted(models))
    rows = {row.pk: row for row, _ in found}
    attach(rows, "gates", [(row.pk, gate) for row, gate in found if gate.pk is not None])
    return list(rows.values())


def _policy_and_gate(*values: Any) -> tuple[StagePolicy, PolicyGate]:
    width = len(columns_of(StagePolicy))
    return instance_of(StagePolicy)(*values[:width]), instance_of(PolicyGate)(*values[width:])


_POLICIES_AND_GATES = Prepared(
    lambda: (
        StagePolicy.objects.filter(Q(Among("registered_model_id")) | Q(registered_model__isnull=True))
        .order_by("pk", "gates__position")
        .values_list(*columns_of(StagePolicy), *columns_of(PolicyGate, "gates__"))
    ),
    _policy_and_gate,
)


def policy_of_copy(model: RegisteredModel, to_stage: Stage) -> Policy:
    """The policy that binds whoever copies a version of another model into a stage of this one."""
    found = policies_for([(model.pk, to_stage), (model.pk, Stage.NONE)])
    return policy_of_arrival(found[model.pk, to_stage], found[model.pk, Stage.NONE])


def policies_of_requests(requests: Iterable[TransitionRequest]) -> dict[int, Policy]:
    """The policy that binds each request, by its key, in one query."""
    requests = list(requests)
    wanted = {(request.target.pk, Stage(request.to_stage)) for request in requests}
    found = policies_for(wanted | {(request.target.pk, Stage.NONE) for request in requests if request.is_copy})
    return {
        request.pk: policy_of_arrival(
            found[request.target.pk, Stage(request.to_stage)], found[request.target.pk, Stage.NONE]
        )
        if request.is_copy
        else found[request.target.pk, Stage(request.to_stage)]
        for request in requests
    }


def policy_of_request(request: TransitionRequest) -> Policy:
    """The policy that binds a request."""
    return policies_of_requests([request])[request.pk]


def admits_only_copies(model: RegisteredModel) -> bool:
    """Whether new versions come into a model by an approved copy alone: the model's own policy protects the stage that
    versions begin in."""
    return _PROTECTED_START.first(model=model.pk) is not None


_PROTECTED_START: Prepared[int] = Prepared(  # asked for every new version
    lambda: StagePolicy.objects.filter(
        registered_model=Given("model", BigIntegerField()), stage=Stage.NONE.value, protected=True
    ).values_list("pk"),
    int,
)


class PolicySource(StrEnum):
    """Whose policy holds."""

    MODEL = "model"
    SITE = "site"
    DEFAULT = "default"  # nobody has set one


def policies_in_force(model: RegisteredModel | None) -> dict[Stage, tuple[Policy, PolicySource]]:
    """The policy of each stage of a model, or of the site, and whose it is."""
    found = {stage: (default_policy(stage), PolicySource.DEFAULT) for stage in Stage}
    for row in sorted(_policies_set([model.pk] if model else []), key=lambda row: row.registered_model_id is not None):
        source = PolicySource.MODEL if row.registered_model_id is not None else PolicySource.SITE
        found[Stage(row.stage)] = (policy_of(row), source)
    return found


def policy_of(row: StagePolicy) -> Policy:
    """What a row says."""
    return Policy(
        protected=row.protected,
        required_approvals=row.required_approvals,
        allow_self_approval=row.allow_self_approval,
        when_occupied=WhenOccupied(row.when_occupied) if row.stage in ACTIVE_STAGES else WhenOccupied.SHARE,
        dismiss_stale_approvals=row.dismiss_stale_approvals,
        expires_after_days=row.expires_after_days,
        gates=tuple(gate_of(gate) for gate in row.gates.all()) if row.pk else (),
    )


def gate_of(row: PolicyGate) -> Gate:
    """What a row says. Raises InvalidParameter for one that makes no sense."""
    return Gate(
        type=GateType(row.type),
        key=row.key,
        comparison=Comparison(row.comparison) if row.comparison else None,
        number=row.number,
        value=row.value,
    )


def write_gates(policy: StagePolicy, gates: Iterable[Gate]) -> None:
    """Make these the gates of a policy, in this order."""
    policy.gates.all().delete()
    PolicyGate.objects.bulk_create(
        PolicyGate(
            policy=policy,
            position=position,
            type=gate.type.value,
            key=gate.key,
            comparison=gate.comparison.value if gate.comparison else "",
            number=gate.number,
            value=gate.value,
        )
        for position, gate in enumerate(gates, 1)
    )


def plain(policy: Policy) -> dict[str, Any]:
    """A policy in plain values, as history keeps it and REST shows it."""
    return columns_of_policy(policy) | {"gates": [plain_gate(gate) for gate in policy.gates]}


def columns_of_policy(policy: Policy) -> dict[str, Any]:
    """A policy without its gates, as its row has it."""
    return {
        "protected": policy.protected,
        "required_approvals": policy.required_approvals,
        "allow_self_approval": policy.allow_self_approval,
        "when_occupied": policy.when_occupied.value,
        "dismiss_stale_approvals": policy.dismiss_stale_approvals,
        "expires_after_days": policy.expires_after_days,
    }


def plain_gate(gate: Gate) -> dict[str, Any]:
    """A gate in plain values."""
    return {
        "type": gate.type.value,
        "key": gate.key,
        "comparison": gate.comparison.value if gate.comparison else "",
        "number": gate.number,
        "value": gate.value,
        "sentence": gate.sentence,
    }
