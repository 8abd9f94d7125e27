"""Who may do what with registered models: giving levels and taking them back."""

from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.audit.kinds import Kind
from registry_site.audit.record import Subject, record
from registry_site.core.errors import InvalidParameter, NotFound
from registry_site.registry import access, subjects
from registry_site.registry.models import Grant, RegisteredModel

_EVERY_MODEL = Subject("all registered models")


@transaction.atomic
def set_grant(actor: Actor, *, name: str | None, username: str = "", group: str = "", level: Level) -> Grant:
    """Give a person or a group this level on one model (needs CAN_MANAGE), or without a name on all (administrators).

    A level that they had there is replaced. Raises NotFound for an unknown model, person or group, InvalidParameter
    without exactly one holder, and for NONE, which is what nobody needs to be given.
    """
    model = _governed(actor, name)
    if level is Level.NONE:
        raise InvalidParameter("NONE is no level to give: remove the grant instead.", field="level")
    holder = _holder(username, group)
    before = Grant.objects.filter(registered_model=model, **holder).values_list("level", flat=True).first()
    grant, _ = Grant.objects.update_or_create(registered_model=model, **holder, defaults={"level": level.value})
    if before != level.value:
        record(
            actor,
            Kind.GRANT_SET,
            subjects.of_model(model) if model else _EVERY_MODEL,
            username=username,
            group=group,
            before=Level(before).name if before else None,
            after=level.name,
        )
    return grant


@transaction.atomic
def remove_grant(actor: Actor, *, name: str | None, username: str = "", group: str = "") -> None:
    """Take a level back; one that is not there is no error. Needs what `set_grant` needs."""
    model = _governed(actor, name)
    grant = Grant.objects.filter(registered_model=model, **_holder(username, group)).first()
    if grant is None:
        return
    record(
        actor,
        Kind.GRANT_REMOVED,
        subjects.of_model(model) if model else _EVERY_MODEL,
        username=username,
        group=group,
        before=Level(grant.level).name,
    )
    grant.delete()


def _governed(actor: Actor, name: str | None) -> RegisteredModel | None:
    """The model, locked, if the actor manages it; None for all models, if the actor is an administrator."""
    if name is None:
        actor.require_admin()
        return None
    actor.require_signed_in()
    model = RegisteredModel.objects.select_for_update().filter(name=name).first()
    if model is None:
        raise NotFound(f"Registered Model with name={name} not found", field="name")
    access.require(actor, model, Level.CAN_MANAGE)
    return model


def _holder(username: str, group: str) -> dict[str, Any]:
    if bool(username) == bool(group):
        raise InvalidParameter("A grant is for one person or for one group.", field="username")
    if username:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise NotFound(f"User '{username}' does not exist.", field="username")
        return {"user": user}
    found = Group.objects.filter(name=group).first()
    if found is None:
        raise NotFound(f"Group '{group}' does not exist.", field="group")
    return {"group": found}
