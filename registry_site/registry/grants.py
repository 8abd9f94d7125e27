"""Who may do what with registered models: giving levels, taking them back, and seeing who has which."""

from collections.abc import Iterable

from django.db import transaction

from registry_site.accounts.access import AccessList
from registry_site.accounts.actors import Actor
from registry_site.accounts.grants import NewGrant, Place, give, take
from registry_site.accounts.levels import MODEL_LEVELS, Level
from registry_site.audit.record import Subject
from registry_site.core.errors import NotFound
from registry_site.registry import access, subjects
from registry_site.registry.locking import lock_model
from registry_site.registry.models import RegisteredModel
from registry_site.registry.names import model_key

_EVERY_MODEL = Subject("all registered models")


@transaction.atomic
def set_grant(actor: Actor, *, name: str | None, username: str = "", group: str = "", level: Level) -> int:
    """Give a person or a group this level on one model (needs CAN_MANAGE), or without a name on all (administrators).
    Returns the key of the grant.

    A level that they had there is replaced. Raises NotFound for an unknown model, person or group, InvalidParameter
    without exactly one holder, and for NONE, which is what nobody needs to be given; Conflict where the actor would
    leave nobody who manages the model.
    """
    return give(actor, _governed(actor, name), [NewGrant(level, username, group)])[0]


@transaction.atomic
def set_grants(actor: Actor, *, name: str | None, given: Iterable[NewGrant], replace: bool = False) -> None:
    """As `set_grant`, several at once, or none of them; with `replace` all others on this model are taken back."""
    give(actor, _governed(actor, name), given, replace=replace)


@transaction.atomic
def remove_grant(actor: Actor, *, name: str | None, username: str = "", group: str = "") -> None:
    """Take a level back; one that is not there is no error. Needs and raises what `set_grant` does."""
    take(actor, _governed(actor, name), username=username, group=group)


def access_list(actor: Actor, name: str) -> AccessList:
    """Who may do what with a model, for whoever may read it. Raises NotFound."""
    model = access.visible_models(actor).filter(name=name).first()
    if model is None:
        raise access.model_not_found(name)
    return access.MODELS.access_list(actor, model.pk)


def name_of(actor: Actor, model_id: str) -> str:
    """What the model of that id (see `names.model_id`) is called now. Raises NotFound."""
    key = model_key(model_id)
    name = access.visible_models(actor).filter(pk=key).values_list("name", flat=True).first() if key else None
    if name is None:
        raise NotFound(f"Registered Model with id={model_id} not found", field="object_id")
    return name


def _governed(actor: Actor, name: str | None) -> Place:
    """The model, locked, if the actor manages it; all models, if the actor is an administrator."""
    if name is None:
        actor.require_admin()
        return _place(None, _EVERY_MODEL)
    actor.require_signed_in()
    model = lock_model(name)
    if model is None:
        raise access.model_not_found(name)
    access.require(actor, model, Level.CAN_MANAGE)
    return _place(model, subjects.of_model(model))


def _place(model: RegisteredModel | None, subject: Subject) -> Place:
    return Place(access.MODELS, model, subject, MODEL_LEVELS)
