"""Aliases that stand for a stage: which do, and how they follow the versions that come and go there."""

from dataclasses import dataclass

from django.db.models import Q

from registry_site.accounts.actors import Actor
from registry_site.core.prepared import Among, Prepared, Question, columns_of, instance_of
from registry_site.promotion.models import AliasPolicy
from registry_site.registry import staging
from registry_site.registry.models import ModelVersion, RegisteredModel
from registry_site.registry.pointing import held_by, point_alias
from registry_site.registry.stages import Stage


def alias_policies(model: RegisteredModel | None) -> dict[str, AliasPolicy]:
    """What is said of each alias: for this model, else for all; without one, for all."""
    rows = alias_policy_question(model).answer()
    found = {row.alias: row for row in rows if row.registered_model_id is None}
    return found | {row.alias: row for row in rows if row.registered_model_id is not None}


def alias_policy_question(model: RegisteredModel | None) -> Question[AliasPolicy]:
    """What `alias_policies` asks, for `ask_together`."""
    return _ALIAS_POLICIES.question(keys=[model.pk] if model else [])


_ALIAS_POLICIES = Prepared(
    lambda: AliasPolicy.objects.filter(Q(Among("registered_model_id")) | Q(registered_model__isnull=True)).values_list(
        *columns_of(AliasPolicy)
    ),
    instance_of(AliasPolicy),
)


def follow(actor: Actor, version: ModelVersion, from_stage: Stage, to_stage: Stage) -> None:
    """A version has moved: aliases that mirror the stage that it left go to the newest one that is left there, or away,
    and those of the stage that it entered come to it."""
    for alias, policy in sorted(alias_policies(version.registered_model).items()):
        if not policy.is_mirror:
            continue
        if policy.stage == to_stage.value:
            point_alias(actor, version.registered_model, alias, version)
        elif policy.stage == from_stage.value:
            held = held_by(version.registered_model, alias)
            if held is not None and held.pk == version.pk:
                left = staging.versions_in(version.registered_model, from_stage).first()
                if left is not None:
                    left.registered_model = version.registered_model
                point_alias(actor, version.registered_model, alias, left)


@dataclass(frozen=True, slots=True)
class AliasMove:
    """An alias that will follow a version: to it, or away from it to whatever is left."""

    alias: str
    arrives: bool


def moves_ahead(version: ModelVersion, to_stage: Stage, home: RegisteredModel | None = None) -> list[AliasMove]:
    """The aliases that will follow a version into a stage, and those that will not stay with it; or those of the model
    that it is to be copied into."""
    policies = alias_policies(home or version.registered_model)
    mirrors = {alias: row.stage for alias, row in policies.items() if row.is_mirror}
    arriving = [AliasMove(alias, True) for alias, stage in sorted(mirrors.items()) if stage == to_stage.value]
    if home is not None:
        return arriving
    left = [alias for alias, stage in sorted(mirrors.items()) if stage == version.current_stage]
    held = set(version.aliases.filter(alias__in=left).values_list("alias", flat=True)) if left else set()
    return arriving + [AliasMove(alias, False) for alias in left if alias in held]
