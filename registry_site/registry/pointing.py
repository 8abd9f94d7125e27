"""The only writer of an alias. Whether it may be moved has been asked before."""

from registry_site.accounts.actors import Actor
from registry_site.audit.kinds import Kind
from registry_site.audit.record import record
from registry_site.registry import subjects
from registry_site.registry.models import Alias, ModelVersion, RegisteredModel


def held_by(model: RegisteredModel, alias: str) -> ModelVersion | None:
    """The version that an alias of a model points at."""
    found = model.aliases.select_related("model_version").filter(alias=alias).first()
    if found is None:
        return None
    found.model_version.registered_model = model
    return found.model_version


def point_alias(actor: Actor, model: RegisteredModel, alias: str, version: ModelVersion | None) -> None:
    """Point an alias at a version, or with None remove it, and write it down; under the model's lock."""
    before = held_by(model, alias)
    if version is not None and (before is None or before.pk != version.pk):
        Alias.objects.update_or_create(registered_model=model, alias=alias, defaults={"model_version": version})
        record(
            actor,
            Kind.ALIAS_SET,
            subjects.of_version(version),
            alias=alias,
            before=before.version if before else None,
            after=version.version,
        )
    elif version is None and before is not None:
        model.aliases.filter(alias=alias).delete()
        record(actor, Kind.ALIAS_DELETED, subjects.of_version(before), alias=alias, before=before.version)
