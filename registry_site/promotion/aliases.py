"""Aliases that stand for a stage: an alias must not be the way round an approval."""

from django.db import transaction

from registry_site.accounts.actors import Actor
from registry_site.audit.kinds import Kind
from registry_site.audit.record import Subject, record
from registry_site.core.errors import Conflict, InvalidParameter, NotFound, PermissionDenied
from registry_site.promotion.gates import shortfall
from registry_site.promotion.mirrors import alias_policies
from registry_site.promotion.models import AliasPolicy
from registry_site.promotion.moving import gate_results
from registry_site.promotion.policies import policy_for
from registry_site.promotion.services import request_url, transition
from registry_site.promotion.setting_policies import model_of_policy
from registry_site.registry import access, subjects
from registry_site.registry.hooks import AliasMove
from registry_site.registry.names import validate_alias
from registry_site.registry.stages import ACTIVE_STAGES, Stage, level_to_move


@transaction.atomic
def set_alias_policy(
    actor: Actor, *, alias: str, stage: Stage, is_mirror: bool = False, name: str | None = None
) -> AliasPolicy:
    """Say which stage an alias stands for, in one model (needs CAN_MANAGE) or in all (administrators).

    From then on, whoever sets or removes it needs the level for that stage, and the version has to pass the stage's
    gates, or, where the stage is protected, to stand in it. A mirror follows the stage; to set it moves the version.
    Raises InvalidParameter for the stage None, in which every version starts.
    """
    model = model_of_policy(actor, name)
    validate_alias(alias)
    if stage is Stage.NONE:
        raise InvalidParameter("An alias stands for Staging, Production or Archived.", field="stage")
    row, _ = AliasPolicy.objects.update_or_create(
        registered_model=model, alias=alias, defaults={"stage": stage.value, "is_mirror": is_mirror}
    )
    subject = subjects.of_model(model) if model else _site(alias)
    record(actor, Kind.POLICY_SET, subject, alias=alias, stage=stage.value, is_mirror=is_mirror)
    return row


@transaction.atomic
def remove_alias_policy(actor: Actor, *, alias: str, name: str | None = None) -> None:
    """Let an alias be one like any other again. Raises NotFound where it is."""
    model = model_of_policy(actor, name)
    found = AliasPolicy.objects.filter(registered_model=model, alias=alias).first()
    if found is None:
        raise NotFound(f"Alias '{alias}' stands for no stage.", field="alias")
    found.delete()
    subject = subjects.of_model(model) if model else _site(alias)
    record(actor, Kind.POLICY_REMOVED, subject, alias=alias, stage=found.stage)


def _site(alias: str) -> Subject:
    return Subject(f"policy of alias {alias} for all models")


def guard(move: AliasMove) -> None:
    """Refuse, or let an alias go where it is asked to; under the model's lock, before it moves.

    Raises PermissionDenied below the level that its stage takes, and for a version that has not been approved for a
    protected stage; Conflict where the stage's gates do not pass, and for removing a mirror.
    """
    actor = move.actor
    policy = alias_policies(move.model).get(move.alias)
    if policy is None:
        return
    stage = Stage(policy.stage)
    needed = level_to_move(Stage.NONE, stage)
    if access.level_of(actor, move.model) < needed:
        where = f" Request the transition at {request_url(move.version, stage)}" if move.version else ""
        raise PermissionDenied(
            f"Alias '{move.alias}' stands for {stage.value}: to change it needs {needed.name}, which {actor.name} does "
            f"not have.{where}"
        )
    if move.version is None:
        if policy.is_mirror:
            raise Conflict(
                f"Alias '{move.alias}' follows {stage.value} by itself: move the version to another stage instead."
            )
        return
    if move.version.current_stage == stage.value:
        return
    rules = policy_for(move.model, stage)
    if policy.is_mirror:
        archives = rules.is_exclusive and stage in ACTIVE_STAGES
        transition(actor, name=move.model.name, version=move.version.version, to_stage=stage, archive_existing=archives)
        return
    called = f"{move.model.name} version {move.version.version}"
    if rules.protected:
        raise PermissionDenied(
            f"Alias '{move.alias}' stands for {stage.value}, which is protected, and {called} is not in it. "
            f"Request the transition at {request_url(move.version, stage)}"
        )
    if missed := shortfall(gate_results(move.version, stage, rules, None)):
        raise Conflict(
            f"Alias '{move.alias}' stands for {stage.value}, and {called} does not pass its gates: {missed}."
        )
