"""Deleting versions and models: nothing that stands in a protected stage."""

from django.db import transaction
from django.db.models import QuerySet

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.audit.kinds import Kind
from registry_site.audit.record import record
from registry_site.core import clock
from registry_site.core.errors import Conflict
from registry_site.promotion.copies import sources_of_copies, supersede_copies
from registry_site.promotion.mirrors import alias_policies
from registry_site.promotion.moving import supersede
from registry_site.promotion.policies import policies_for, policy_for
from registry_site.registry import access, subjects
from registry_site.registry.locking import lock_models, locked_version
from registry_site.registry.models import ModelVersion, RegisteredModel
from registry_site.registry.stages import Stage


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
