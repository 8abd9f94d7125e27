"""Writing registered models, versions, tags and aliases. Stages and deletes are `promotion`'s."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import BigIntegerField, CharField, Q

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.audit.kinds import Kind
from registry_site.audit.record import record
from registry_site.core import clock
from registry_site.core.errors import AlreadyExists, InvalidParameter
from registry_site.core.prepared import Given, Prepared
from registry_site.core.writing import insert, insert_many, update
from registry_site.registry import access, hooks, subjects
from registry_site.registry.locking import lock_model, locked_version
from registry_site.registry.making import make_version
from registry_site.registry.models import ModelVersion, RegisteredModel, Tag
from registry_site.registry.names import validate_alias, validate_description, validate_model_name, validate_tag
from registry_site.registry.pointing import held_by, point_alias
from registry_site.registry.sources import resolve_source
from registry_site.tracking.logged_models import add_version_to_logged_model

PROMPT_TAG = "mlflow.prompt.is_prompt"


def is_prompt(tags: Mapping[str, str]) -> bool:
    """Whether these tags make a prompt of a registered model or version."""
    return tags.get(PROMPT_TAG, "").lower() == "true"


# -- registered models -------------------------------------------------------------------------------------------------
@transaction.atomic
def create_model(
    actor: Actor, *, name: str, description: str = "", tags: Mapping[str, str] | None = None
) -> RegisteredModel:
    """A new registered model that the actor manages from now on.

    Raises AlreadyExists for a name that is taken, InvalidParameter for odd names, tags and descriptions.
    """
    actor.require_signed_in()
    validate_model_name(name)
    validate_description(description)
    pairs = [validate_tag(key, value) for key, value in (tags or {}).items()]
    now = clock.now_ms()
    model = RegisteredModel(
        name=name,
        description=description,
        owner_id=actor.user_id,
        creation_timestamp=now,
        last_updated_timestamp=now,
        is_prompt=is_prompt(tags or {}),
    )
    if not insert(model, unless_there=True):
        raise _name_is_taken(name, wants_prompt=is_prompt(tags or {}))
    insert_many(Tag, ("registered_model_id", "key", "value"), [(model.pk, *pair) for pair in pairs])
    access.grant_to_creator(actor, model)
    record(actor, Kind.MODEL_CREATED, subjects.of_model(model), description=description, tags=dict(pairs))
    return model


def _name_is_taken(name: str, *, wants_prompt: bool) -> AlreadyExists:
    there = RegisteredModel.objects.filter(name=name).first()
    if there is not None and there.is_prompt != wants_prompt:
        what, other = ("prompt", "registered model") if there.is_prompt else ("registered model", "prompt")
        return AlreadyExists(f"Tried to create a {other} with name '{name}', but the name is taken by a {what}.")
    return AlreadyExists(f"Registered Model (name={name}) already exists.", field="name")


@transaction.atomic
def describe_model(actor: Actor, *, name: str, description: str) -> RegisteredModel:
    """Replace the description (Markdown). Needs CAN_EDIT."""
    model = _locked(actor, name, Level.CAN_EDIT)
    validate_description(description)
    before, model.description = model.description, description
    _touch(model)
    update(model, "description", "last_updated_timestamp")
    if before != description:
        record(actor, Kind.MODEL_DESCRIBED, subjects.of_model(model), before=before, after=description)
    return model


@transaction.atomic
def rename_model(actor: Actor, *, name: str, new_name: str) -> RegisteredModel:
    """Give the model another name; versions, tags, aliases, requests and history move along. Needs CAN_MANAGE."""
    model = _locked(actor, name, Level.CAN_MANAGE)
    validate_model_name(new_name)
    if new_name == name:
        return model
    model.name = new_name
    _touch(model)
    try:
        with transaction.atomic():
            update(model, "name", "last_updated_timestamp")
    except IntegrityError:
        raise AlreadyExists(f"Registered Model (name={new_name}) already exists.", field="new_name") from None
    model.versions.update(last_updated_timestamp=model.last_updated_timestamp)
    record(actor, Kind.MODEL_RENAMED, subjects.of_model(model), before=name, after=new_name)
    return model


@transaction.atomic
def set_model_tag(actor: Actor, *, name: str, key: str, value: str) -> None:
    """Set or replace a tag. Needs CAN_EDIT. Touches no timestamp, as in MLflow."""
    model = _locked(actor, name, Level.CAN_EDIT)
    validate_tag(key, value)
    before = _write_tag(Tag(registered_model=model, key=key, value=value))
    if key == PROMPT_TAG and model.is_prompt != is_prompt({key: value}):
        RegisteredModel.objects.filter(pk=model.pk).update(is_prompt=is_prompt({key: value}))
    if before != value:
        record(actor, Kind.MODEL_TAG_SET, subjects.of_model(model), key=key, before=before, after=value)


@transaction.atomic
def delete_model_tag(actor: Actor, *, name: str, key: str) -> None:
    """Remove a tag; one that is not there is no error. Needs CAN_EDIT."""
    model = _locked(actor, name, Level.CAN_EDIT)
    before = model.tags.filter(key=key).values_list("value", flat=True).first()
    if before is None:
        return
    model.tags.filter(key=key).delete()
    if key == PROMPT_TAG:
        RegisteredModel.objects.filter(pk=model.pk).update(is_prompt=False)
    record(actor, Kind.MODEL_TAG_DELETED, subjects.of_model(model), key=key, before=before)


# -- versions ----------------------------------------------------------------------------------------------------------
@transaction.atomic
def create_version(
    actor: Actor,
    *,
    name: str,
    source: str,
    run_id: str = "",
    model_id: str = "",
    run_link: str = "",
    description: str = "",
    tags: Mapping[str, str] | None = None,
) -> ModelVersion:
    """The next version of a model, numbered without gaps being filled ever. Needs CAN_EDIT.

    Run and logged model are found from the source where the caller does not name them. Raises InvalidParameter for a
    source that is not allowed, NotFound for an unknown model or logged model, PermissionDenied where versions come in
    another way.
    """
    model = _locked(actor, name, Level.CAN_EDIT)
    validate_description(description)
    pairs = [validate_tag(key, value) for key, value in (tags or {}).items()]
    if len(run_link) > 500:
        raise InvalidParameter("run_link has 500 characters at most.", field="run_link")
    found = resolve_source(actor, source, run_id=run_id, model_id=model_id, is_prompt=model.is_prompt)
    hooks.ask_about_version(hooks.NewVersion(actor, model, found.origin))
    version = make_version(actor, model, found, run_link=run_link, description=description, tags=pairs)
    if found.model_id:
        add_version_to_logged_model(actor, model_id=found.model_id, name=name, version=version.version)
    return version


@transaction.atomic
def describe_version(actor: Actor, *, name: str, version: int, description: str) -> ModelVersion:
    """Replace the description (Markdown). Needs CAN_EDIT. Touches the version and not its model."""
    found = locked_version(actor, name, version, Level.CAN_EDIT)
    validate_description(description)
    before, found.description = found.description, description
    found.last_updated_timestamp = clock.now_ms()
    update(found, "description", "last_updated_timestamp")
    if before != description:
        record(actor, Kind.VERSION_DESCRIBED, subjects.of_version(found), before=before, after=description)
        hooks.tell_version_changed(actor, found)
    return found


@transaction.atomic
def set_version_tag(actor: Actor, *, name: str, version: int, key: str, value: str) -> None:
    """Set or replace a tag. Needs CAN_EDIT."""
    found = locked_version(actor, name, version, Level.CAN_EDIT)
    validate_tag(key, value)
    before = _write_tag(Tag(model_version=found, key=key, value=value))
    if before != value:
        record(actor, Kind.VERSION_TAG_SET, subjects.of_version(found), key=key, before=before, after=value)
        hooks.tell_version_changed(actor, found)


@transaction.atomic
def delete_version_tag(actor: Actor, *, name: str, version: int, key: str) -> None:
    """Remove a tag; one that is not there is no error. Needs CAN_EDIT."""
    found = locked_version(actor, name, version, Level.CAN_EDIT)
    before = found.tags.filter(key=key).values_list("value", flat=True).first()
    if before is None:
        return
    found.tags.filter(key=key).delete()
    record(actor, Kind.VERSION_TAG_DELETED, subjects.of_version(found), key=key, before=before)
    hooks.tell_version_changed(actor, found)


# -- aliases -----------------------------------------------------------------------------------------------------------
@transaction.atomic
def set_alias(actor: Actor, *, name: str, alias: str, version: int) -> None:
    """Point an alias at a version, wherever it pointed before. Needs CAN_EDIT, and what its protection asks for."""
    validate_alias(alias)
    found = locked_version(actor, name, version, Level.CAN_EDIT)
    before = held_by(found.registered_model, alias)
    if before is not None and before.version == version:
        return
    hooks.ask_about_alias(hooks.AliasMove(actor, found.registered_model, alias, found, before))
    point_alias(actor, found.registered_model, alias, found)


@transaction.atomic
def delete_alias(actor: Actor, *, name: str, alias: str) -> None:
    """Remove an alias; one that is not there is no error. Needs what setting it needs."""
    model = _locked(actor, name, Level.CAN_EDIT)
    before = held_by(model, alias)
    if before is None:
        return
    hooks.ask_about_alias(hooks.AliasMove(actor, model, alias, None, before))
    point_alias(actor, model, alias, None)


# -- what they share ---------------------------------------------------------------------------------------------------
def _locked(actor: Actor, name: str, level: Level) -> RegisteredModel:
    actor.require_signed_in()
    model = lock_model(name)
    if model is None:
        raise access.model_not_found(name)
    access.require(actor, model, level)
    return model


def _write_tag(tag: Tag) -> str | None:
    """Write a tag, under the lock of its model. Returns the value that it had before."""
    read, owner = (
        (_MODEL_TAG, tag.registered_model_id) if tag.registered_model_id else (_VERSION_TAG, tag.model_version_id)
    )
    there = read.first(owner=owner, key=tag.key)
    if there is None:
        insert(tag)
        return None
    tag.pk, before = there
    if before != tag.value:
        update(tag, "value")
    return before


def _key_and_value(*values: Any) -> tuple[int, str]:
    key, value = values
    return key, value


def _tag_of(column: str) -> "Prepared[tuple[int, str]]":
    wanted = Q((column, Given("owner", BigIntegerField()))) & Q(key=Given("key", CharField()))
    return Prepared(lambda: Tag.objects.filter(wanted).values_list("pk", "value"), _key_and_value)


_MODEL_TAG = _tag_of("registered_model")
_VERSION_TAG = _tag_of("model_version")


def _touch(model: RegisteredModel) -> None:
    model.last_updated_timestamp = clock.now_ms()
