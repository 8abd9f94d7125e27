"""Reading people, groups and tokens."""

from collections.abc import Collection
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Case, CharField, Count, Exists, OuterRef, Q, QuerySet, Value, When

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import ApiToken, SignInLink, User
from registry_site.accounts.purposes import LinkPurpose
from registry_site.core.errors import NotFound
from registry_site.core.pages import Page, decode_token, encode_token

PEOPLE_PER_PAGE = 50


class PersonState(StrEnum):
    """How somebody stands: invited means that the invitation is not accepted yet."""

    ACTIVE = "active"
    INVITED = "invited"
    DEACTIVATED = "deactivated"


def owner() -> User | None:
    """The first administrator, as whom everybody works in open mode."""
    return User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()


def tokens_of(actor: Actor) -> QuerySet[ApiToken]:
    """The actor's own tokens that were not revoked, newest first."""
    return ApiToken.objects.filter(user_id=actor.require_person(), revoked_at__isnull=True).order_by(
        "-created_at", "-pk"
    )


def get_user(actor: Actor) -> User:
    """The actor's own row. Raises NotSignedIn for a stranger."""
    return User.objects.get(pk=actor.require_person())


def user_by_name(actor: Actor, username: str) -> User:
    """A person: oneself, or for administrators anybody. Raises NotFound."""
    actor.require_signed_in()
    if actor.name != username:
        actor.require_admin()
    user = User.objects.filter(username=username).first()
    if user is None:
        raise user_not_found(username)
    return user


def known_people(actor: Actor, names: Collection[str]) -> dict[str, str]:
    """The display names of those of these user names that somebody has, whom everybody who is signed in may know of."""
    actor.require_signed_in()
    return dict(User.objects.filter(username__in=names).values_list("username", "display_name"))


def all_users(actor: Actor) -> QuerySet[User]:
    """Everybody, by name; for administrators."""
    actor.require_admin()
    return User.objects.order_by("username")


def browse_people(
    actor: Actor, *, words: str = "", state: PersonState | None = None, page_token: str | None = None
) -> Page[User]:
    """A page of the people with these words in name, display name or address, by name; for administrators.

    Each has its groups, and a `state`.
    """
    found = _people(actor, words)
    if state is not None:
        found = found.filter(state=state)
    query = ["people", words, state]
    if (key := decode_token(page_token, query)) is not None:
        found = found.filter(username__gt=key[0])
    rows = list(found.order_by("username").prefetch_related("groups")[: PEOPLE_PER_PAGE + 1])
    if len(rows) <= PEOPLE_PER_PAGE:
        return Page(rows)
    rows.pop()
    return Page(rows, encode_token([rows[-1].username], query))


def count_people(actor: Actor, *, words: str = "") -> dict[PersonState, int]:
    """How many of the people with these words there are in each state; for administrators."""
    counted = _people(actor, words).order_by().values_list("state").annotate(number=Count("pk"))
    numbers = dict(counted)
    return {state: numbers.get(state.value, 0) for state in PersonState}


def get_person(actor: Actor, username: str) -> User:
    """One of the people, with a `state`; for administrators. Raises NotFound."""
    found: User | None = _people(actor).filter(username=username).first()
    if found is None:
        raise user_not_found(username)
    return found


def tokens_of_person(actor: Actor, username: str) -> QuerySet[ApiToken]:
    """Somebody's tokens that were not revoked, newest first; for administrators."""
    actor.require_admin()
    return ApiToken.objects.filter(user__username=username, revoked_at__isnull=True).order_by("-created_at", "-pk")


def all_groups(actor: Actor) -> QuerySet[Group]:
    """The groups by name, each with `people`, the number of its members; for administrators."""
    actor.require_admin()
    return Group.objects.annotate(people=Count("user")).order_by("name")


def get_group(actor: Actor, group_id: int) -> Group:
    """One group with its members; for administrators. Raises NotFound."""
    actor.require_admin()
    found = Group.objects.filter(pk=group_id).first()
    if found is None:
        raise NotFound("There is no such group.")
    return found


def members_of(actor: Actor, group: Group) -> QuerySet[User]:
    """Who is in the group, by name; for administrators."""
    actor.require_admin()
    return User.objects.filter(groups=group).order_by("username")


def _people(actor: Actor, words: str = "") -> "QuerySet[Any]":
    actor.require_admin()
    waiting = SignInLink.objects.filter(user=OuterRef("pk"), purpose=LinkPurpose.INVITATION, used_at=None)
    state = Case(
        When(is_active=False, then=Value(PersonState.DEACTIVATED.value)),
        When(Exists(waiting), then=Value(PersonState.INVITED.value)),
        default=Value(PersonState.ACTIVE.value),
        output_field=CharField(),
    )
    found = User.objects.annotate(state=state)
    for word in words.split():
        found = found.filter(Q(username__icontains=word) | Q(display_name__icontains=word) | Q(email__icontains=word))
    return found


def user_not_found(username: str) -> NotFound:
    """What is said of a person who is not there."""
    return NotFound(f"User '{username}' does not exist.", field="username")
