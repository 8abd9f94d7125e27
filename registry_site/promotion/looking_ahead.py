"""Looking ahead: what a move would take and do, and which versions would pass some gates."""

from collections.abc import Sequence
from dataclasses import dataclass

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.core.together import ask_together
from registry_site.promotion.copying import level_to_copy
from registry_site.promotion.evidence import read_files
from registry_site.promotion.facts import Entry, facts_of
from registry_site.promotion.gates import Gate, GateResult, GateType, evaluate
from registry_site.promotion.mirrors import AliasMove, alias_policy_question, moves_ahead
from registry_site.promotion.models import TransitionRequest
from registry_site.promotion.moving import gate_results
from registry_site.promotion.policies import policies_for, policy_for, policy_of_copy
from registry_site.promotion.rules import Policy, RequestState, level_to_decide
from registry_site.registry.access import level_of, level_questions, people_with_level
from registry_site.registry.models import ModelVersion, RegisteredModel
from registry_site.registry.queries import get_model, get_version
from registry_site.registry.stages import Stage, level_to_move

VERSIONS_OF_A_DRY_RUN = 50


@dataclass(frozen=True, slots=True)
class DryRun:
    """What would become of a version at these gates."""

    version: ModelVersion
    results: tuple[GateResult, ...]

    @property
    def passes(self) -> bool:
        return all(result.passed for result in self.results)


def dry_run(actor: Actor, *, name: str, stage: Stage, gates: Sequence[Gate] | None = None) -> list[DryRun]:
    """Which of the present versions would pass: the newest 50, newest first. Without gates, at those that there are.

    Raises NotFound.
    """
    model = get_model(actor, name)
    if gates is None:
        gates = policy_for(model, stage).gates
    versions = list(model.versions.order_by("-version")[:VERSIONS_OF_A_DRY_RUN])
    for version in versions:
        version.registered_model = model
    looks_at_files = any(gate.type is GateType.SIGNATURE for gate in gates)
    files = {version.pk: read_files(version) for version in versions} if looks_at_files else {}
    facts = facts_of([Entry(version, stage, gates) for version in versions], files)
    return [DryRun(version, evaluate(gates, fact)) for version, fact in zip(versions, facts, strict=True)]


def direct_moves(actor: Actor, version: ModelVersion) -> list[Stage]:
    """The stages that the actor may move this version to without asking anybody."""
    model, from_stage = version.registered_model, Stage(version.current_stage)
    others = [stage for stage in Stage if stage is not from_stage]
    held = level_of(actor, model)
    policies = policies_for((model.pk, stage) for stage in others)
    return [
        stage
        for stage in others
        if held >= level_to_move(from_stage, stage) and not policies[model.pk, stage].protected
    ]


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a move would take and do, before anybody asks for it."""

    version: ModelVersion
    to_stage: Stage
    policy: Policy
    occupants: Sequence[ModelVersion]
    deciders: Sequence[User]
    may_move_directly: bool
    pending: TransitionRequest | None
    gates: tuple[GateResult, ...]
    aliases: Sequence[AliasMove]
    may_bypass: bool
    home: RegisteredModel | None = None
    """The model that it would be copied into, if it is another one."""

    @property
    def gates_pass(self) -> bool:
        return all(result.passed for result in self.gates)

    @property
    def gates_passed(self) -> int:
        return sum(result.passed for result in self.gates)

    @property
    def is_in_the_way(self) -> bool:
        """Whether a direct move needs a bypass, whoever makes it."""
        return self.policy.protected or not self.gates_pass


def preflight(actor: Actor, *, name: str, version: int, to_stage: Stage, copy_to: str = "") -> Preflight:
    """Look ahead: occupants, who may decide, whether the actor could move the version without asking; or copy it into
    the model `copy_to`, which makes that model's stage and policy count. Raises NotFound."""
    found = get_version(actor, name, version)
    model = found.registered_model
    if copy_to:
        return _preflight_of_copy(actor, found, to_stage, get_model(actor, copy_to))
    ask_together(*level_questions(actor, model), alias_policy_question(model))
    policy = policy_for(model, to_stage)
    needed = level_to_move(Stage(found.current_stage), to_stage)
    held = level_of(actor, model)
    return Preflight(
        version=found,
        to_stage=to_stage,
        policy=policy,
        occupants=list(model.versions.filter(current_stage=to_stage.value).exclude(pk=found.pk).order_by("-version")),
        deciders=list(people_with_level(model, needed)[:50]),
        may_move_directly=not policy.protected and held >= needed,
        pending=found.transition_requests.filter(
            to_stage=to_stage.value, copy_to_name="", state=RequestState.PENDING.value
        ).first(),
        gates=gate_results(found, to_stage, policy, None),
        aliases=moves_ahead(found, to_stage),
        may_bypass=held >= Level.CAN_MANAGE,
    )


def _preflight_of_copy(actor: Actor, found: ModelVersion, to_stage: Stage, home: RegisteredModel) -> Preflight:
    ask_together(*level_questions(actor, home), alias_policy_question(home))
    policy = policy_of_copy(home, to_stage)
    held = level_of(actor, home)
    readers = people_with_level(found.registered_model, Level.CAN_READ)
    deciders = people_with_level(home, level_to_decide(Stage.NONE, to_stage)).filter(pk__in=readers.values("pk"))
    return Preflight(
        version=found,
        to_stage=to_stage,
        policy=policy,
        occupants=occupants_in(home, to_stage, policy, is_copy=True),
        deciders=list(deciders[:50]),
        may_move_directly=not policy.protected and held >= level_to_copy(to_stage),
        pending=found.transition_requests.filter(
            to_stage=to_stage.value, copy_to=home, state=RequestState.PENDING.value
        ).first(),
        gates=gate_results(found, to_stage, policy, None, home),
        aliases=moves_ahead(found, to_stage, home),
        may_bypass=held >= Level.CAN_MANAGE,
        home=home,
    )


def occupants_in(model: RegisteredModel, stage: Stage, policy: Policy, *, is_copy: bool) -> list[ModelVersion]:
    """The versions in a stage that one comes into, newest first. Those in None stay there when a copy arrives, unless
    somebody has made even that a stage for one."""
    if is_copy and stage is Stage.NONE and not policy.is_exclusive:
        return []
    return list(model.versions.filter(current_stage=stage.value).order_by("-version"))
