"""The row of a registered model, locked: every change of what a model owns waits here for the one before."""

from collections.abc import Iterable

from django.db.models import BigIntegerField, CharField

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.core.errors import NotFound
from registry_site.core.prepared import Given, Prepared, columns_of, instance_of
from registry_site.registry import access
from registry_site.registry.models import ModelVersion, RegisteredModel

_LARGEST_VERSION = 2**63 - 1  # what a database can be asked for


def lock_model(name: str) -> RegisteredModel | None:
    """The model of that name, locked until the caller's transaction ends."""
    return _MODEL.first(name=name)


def lock_models(keys: Iterable[int]) -> dict[int, RegisteredModel]:
    """Several models by their keys, locked in the order of the keys: whoever locks more than one does it here, so that
    no two transactions wait for each other. One that is gone is missing."""
    rows = RegisteredModel.objects.select_for_update().filter(pk__in=set(keys)).order_by("pk")
    return {model.pk: model for model in rows}


def version_of(model: RegisteredModel, version: int) -> ModelVersion | None:
    """The model's version of that number; it knows its model."""
    found = _VERSION.first(model=model.pk, version=version) if abs(version) <= _LARGEST_VERSION else None
    if found is not None:
        found.registered_model = model
    return found


def locked_version(actor: Actor, name: str, version: int, level: Level) -> ModelVersion:
    """A version of the model of that name, which is locked until the caller's transaction ends. Raises NotSignedIn,
    NotFound also where the actor may not see the model, PermissionDenied below the level."""
    actor.require_signed_in()
    hidden = NotFound(f"Model Version (name={name}, version={version}) not found", field="version")
    model = lock_model(name)
    if model is None:
        raise hidden
    access.require(actor, model, level, hidden=hidden)
    found = version_of(model, version)
    if found is None:
        raise hidden
    return found


_MODEL = Prepared(
    lambda: (
        RegisteredModel.objects.select_for_update()
        .filter(name=Given("name", CharField()))
        .values_list(*columns_of(RegisteredModel))
    ),
    instance_of(RegisteredModel),
)
_VERSION = Prepared(
    lambda: ModelVersion.objects.filter(
        registered_model=Given("model", BigIntegerField()), version=Given("version", BigIntegerField())
    ).values_list(*columns_of(ModelVersion)),
    instance_of(ModelVersion),
)
