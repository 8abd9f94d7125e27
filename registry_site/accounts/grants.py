"""Giving levels and taking them back, in the caller's transaction; and whom one may be given to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Model, Q

from registry_site.accounts.access import Resolver
from registry_site.accounts.actors import Actor
from registry_site.accounts.groups import group_not_found
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.accounts.queries import user_not_found
from registry_site.audit.kinds import Kind
from registry_site.audit.record import Subject, record
from registry_site.core.errors import Conflict, InvalidParameter
from registry_site.core.writing import insert


@dataclass(frozen=True, slots=True)
class NewGrant:
    """A level for one person or for one group, by name."""

    level: Level
    username: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """What is granted on, found to be the actor's to grant on, and locked: one thing, or without one all of its kind.

    `subject` is how history names it, and `data` what history keeps beside.
    """

    resolver: Resolver
    thing: Model | None
    subject: Subject
    levels: Sequence[Level]
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def where(self) -> dict[str, Any]:
        return {self.resolver.place: self.thing}


def give(actor: Actor, place: Place, given: Iterable[NewGrant], *, replace: bool = False) -> list[int]:
    """Give these levels, each in the place of one that the holder had there; with `replace` nobody else keeps one.
    Returns their keys.

    Raises NotFound for an unknown person or group, InvalidParameter without exactly one holder and for a level that is
    none to give there, Conflict where the actor would leave nobody who manages the thing.
    """
    kept = []
    for one in given:
        if one.level not in place.levels:
            raise _no_level(place, one.level)
        holder = _holder(one.username, one.group)
        kept.append(_set(actor, place, one, holder))
    if replace:
        rest = place.resolver.grants.filter(**place.where).exclude(pk__in=kept).select_related("user", "group")
        for grant in rest.order_by("pk"):
            _remove(actor, place, grant)
    _require_manager(actor, place)
    return kept


def take(actor: Actor, place: Place, *, username: str = "", group: str = "") -> None:
    """Take a level back; one that is not there is no error. Raises as `give`."""
    grant = place.resolver.grants.filter(**place.where, **_holder(username, group)).first()
    if grant is not None:
        _remove(actor, place, grant)
        _require_manager(actor, place)


def grant_to_creator(actor: Actor, resolver: Resolver, thing: Model) -> None:
    """CAN_MANAGE on what one makes. The system needs none."""
    if actor.user_id is not None:
        grant = resolver.grants.model(user_id=actor.user_id, level=Level.CAN_MANAGE.value)
        setattr(grant, f"{resolver.place}_id", thing.pk)
        insert(grant)


def suggest_people(actor: Actor, text: str, *, limit: int = 10) -> list[User]:
    """The first people, by name, with every word of the text in what they are called: for type-ahead. Addresses are
    nobody's business and are not looked into."""
    actor.require_signed_in()
    found = User.objects.filter(is_active=True)
    for word in text.replace("\0", "").split():
        found = found.filter(Q(username__icontains=word) | Q(display_name__icontains=word))
    return list(found.order_by("username")[:limit])


def suggest_groups(actor: Actor, text: str, *, limit: int = 10) -> list[Group]:
    """The first groups, by name, with every word of the text in it: for type-ahead."""
    actor.require_signed_in()
    found = Group.objects.all()
    for word in text.replace("\0", "").split():
        found = found.filter(name__icontains=word)
    return list(found.order_by("name")[:limit])


def _set(actor: Actor, place: Place, given: NewGrant, holder: dict[str, Any]) -> int:
    before = place.resolver.grants.filter(**place.where, **holder).values_list("level", flat=True).first()
    grant, _ = place.resolver.grants.update_or_create(**place.where, **holder, defaults={"level": given.level.value})
    if before != given.level.value:
        record(
            actor,
            Kind.GRANT_SET,
            place.subject,
            username=given.username,
            group=given.group,
            before=Level(before).name if before else None,
            after=given.level.name,
            **place.data,
        )
    key: int = grant.pk
    return key


def _remove(actor: Actor, place: Place, grant: Any) -> None:
    record(
        actor,
        Kind.GRANT_REMOVED,
        place.subject,
        username=grant.user.username if grant.user else "",
        group=grant.group.name if grant.group else "",
        before=Level(grant.level).name,
        **place.data,
    )
    grant.delete()


def _require_manager(actor: Actor, place: Place) -> None:
    """Raises Conflict where the actor, who managed the thing a moment ago, no longer does, and nobody else either."""
    if place.thing is None or place.resolver.level_of(actor, place.thing.pk) is Level.CAN_MANAGE:
        return
    if not place.resolver.managers(place.thing.pk).exists():
        raise Conflict(
            f"After this nobody would have CAN_MANAGE on {place.subject.name}. Give it to somebody else first, or ask "
            "an administrator.",
            field="level",
        )


def _no_level(place: Place, level: Level) -> InvalidParameter:
    if level is Level.NONE:
        return InvalidParameter("NONE is no level to give: remove the grant instead.", field="level")
    possible = ", ".join(each.name for each in place.levels)
    return InvalidParameter(f"{level.name} is no level here: it is one of {possible}.", field="level")


def _holder(username: str, group: str) -> dict[str, Any]:
    if bool(username) == bool(group):
        raise InvalidParameter("A grant is for one person or for one group.", field="username")
    if username:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise user_not_found(username)
        return {"user": user}
    found = Group.objects.filter(name=group).first()
    if found is None:
        raise group_not_found(group)
    return {"group": found}
