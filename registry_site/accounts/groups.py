"""Groups of people, to whom grants may be given. Administrators make them and say who is in them."""

import re
from collections.abc import Collection, Iterable

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.accounts.queries import user_not_found
from registry_site.audit.kinds import Kind
from registry_site.audit.record import Subject, record
from registry_site.core.errors import AlreadyExists, InvalidParameter, NotFound

_NAME = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]{0,148}[^\s\x00-\x1f\x7f])?\Z")


@transaction.atomic
def create_group(actor: Actor, *, name: str) -> Group:
    """An empty group. Raises AlreadyExists for a name that is taken, InvalidParameter for an odd one."""
    actor.require_admin()
    return _make(actor, name.strip())


@transaction.atomic
def delete_group(actor: Actor, *, name: str) -> None:
    """Remove a group and what is granted to it; its people stay. Raises NotFound."""
    actor.require_admin()
    group = locked_group(name)
    members = sorted(group.user_set.values_list("username", flat=True))
    record(actor, Kind.GROUP_DELETED, _subject(group), members=members)
    group.delete()


@transaction.atomic
def set_members(actor: Actor, *, name: str, usernames: Collection[str]) -> None:
    """Say who is in a group from now on. Raises NotFound for an unknown group or person."""
    actor.require_admin()
    group = locked_group(name)
    wanted = {user.username: user for user in User.objects.filter(username__in=usernames)}
    for username in usernames:
        if username not in wanted:
            raise user_not_found(username)
    before = set(group.user_set.values_list("username", flat=True))
    group.user_set.set(wanted.values())
    _record_members(actor, group, joined=wanted.keys() - before, left=before - wanted.keys())


@transaction.atomic
def join(actor: Actor, *, name: str, username: str) -> None:
    """Put one more person into a group. Raises NotFound for an unknown group or person."""
    _change_one(actor, name, username, joins=True)


@transaction.atomic
def leave(actor: Actor, *, name: str, username: str) -> None:
    """Take a person out of a group. Raises NotFound for an unknown group or person."""
    _change_one(actor, name, username, joins=False)


@transaction.atomic
def set_groups(actor: Actor, *, username: str, groups: Collection[str]) -> None:
    """Say which groups a person is in from now on. Raises NotFound for an unknown person or group."""
    actor.require_admin()
    put_into(actor, _locked_user(username), groups_named(actor, groups))


# -- in the caller's transaction ---------------------------------------------------------------------------------------
def put_into(actor: Actor, user: User, groups: Iterable[Group]) -> None:
    """Make these the groups of a locked person; every one that they join or leave keeps it in history."""
    before, after = set(user.groups.all()), set(groups)
    user.groups.set(after)
    for group in sorted(after - before, key=str):
        _record_members(actor, group, joined={user.username})
    for group in sorted(before - after, key=str):
        _record_members(actor, group, left={user.username})


def groups_named(actor: Actor, names: Collection[str], *, make: bool = False) -> list[Group]:
    """The groups of these names. With `make` those that are missing are made, else they raise NotFound."""
    found = {group.name: group for group in Group.objects.filter(name__in=names)}
    for name in names:
        if name not in found:
            if not make:
                raise group_not_found(name)
            found[name] = _make(actor, name)
    return list(found.values())


def locked_group(name: str) -> Group:
    """The group, locked. Raises NotFound."""
    group = Group.objects.select_for_update(no_key=True).filter(name=name).first()
    if group is None:
        raise group_not_found(name)
    return group


def _change_one(actor: Actor, name: str, username: str, *, joins: bool) -> None:
    actor.require_admin()
    group = locked_group(name)
    user = _locked_user(username)
    others = set(user.groups.all()) - {group}
    put_into(actor, user, others | {group} if joins else others)


def _locked_user(username: str) -> User:
    user = User.objects.select_for_update(no_key=True).filter(username=username).first()
    if user is None:
        raise user_not_found(username)
    return user


def group_not_found(name: str) -> NotFound:
    """What is said of a group that is not there."""
    return NotFound(f"Group '{name}' does not exist.", field="group")


def _make(actor: Actor, name: str) -> Group:
    if not _NAME.match(name):
        raise InvalidParameter(
            "A group needs a name of 1 to 150 characters, without control characters and blanks at its ends.",
            field="name",
        )
    try:
        with transaction.atomic():
            group = Group.objects.create(name=name)
    except IntegrityError:
        raise AlreadyExists(f"Group '{name}' already exists.", field="name") from None
    record(actor, Kind.GROUP_CREATED, _subject(group))
    return group


def _record_members(
    actor: Actor, group: Group, *, joined: Collection[str] = frozenset(), left: Collection[str] = frozenset()
) -> None:
    if joined or left:
        record(actor, Kind.GROUP_MEMBERS_SET, _subject(group), joined=sorted(joined), left=sorted(left))


def _subject(group: Group) -> Subject:
    return Subject(f"group {group.name}")
