"""Who may see and do what with the things that levels are granted on. The rule stands here, once: as a resolver, as a
filter in SQL that says the same, and inside of the look-up of a row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar, cast

from django.conf import settings
from django.db.models import BigIntegerField, Count, Exists, F, OuterRef, Q, QuerySet, Subquery

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.models import AbstractGrant, User
from registry_site.audit.kinds import Origin
from registry_site.core.errors import NotFound, PermissionDenied
from registry_site.core.prepared import Given, Prepared, Question

Row = TypeVar("Row")

PEOPLE_TO_ASK = 3
_USER = Given("user", BigIntegerField())
SOMEBODY = Actor(user_id=cast(int, _USER), name="", origin=Origin.PAGE)  # whoever is the `user` of a prepared query


class Source(StrEnum):
    """Where a level comes from."""

    OWN = "own"  # granted on this very thing
    ALL = "all"  # granted on all of its kind
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody, a person or a group, and a level that they have. `people` is how many the group has."""

    level: Level
    source: Source
    user_id: int | None = None
    username: str = ""
    display_name: str = ""
    group: str = ""
    people: int = 0


@dataclass(frozen=True, slots=True)
class AccessList:
    """What everybody who is signed in may do, who may do more, and what whoever asks may do."""

    everybody: Level
    holders: Sequence[Holder]
    own: Level


def default_level() -> Level:
    """What every signed-in person may do with everything that levels are granted on."""
    return Level[settings.PODIUM_DEFAULT_LEVEL]


class Resolver:
    """What may be done with the things of one kind. The greatest level counts: of the site's default, of what is
    everybody's on that thing, and of every grant to the person or a group of theirs, on that thing or on all.

    `grants` are the rows of that kind, `place` their foreign key to the thing, whose key tells it from others. `called`
    says what a thing is called, for refusals.
    """

    def __init__(
        self,
        grants: type[AbstractGrant],
        place: str,
        *,
        called: Callable[[int], str],
        everybodys: Mapping[int, Level] | None = None,
    ) -> None:
        self.grants: QuerySet[Any] = grants._default_manager.all()
        self.place = place
        self._called = called
        self._everybodys = everybodys or {}
        self._granted_levels = Prepared(
            lambda: (
                self._grants_to(_USER)
                .filter(Q((place, Given("place", BigIntegerField()))) | self._on_all)
                .values_list("level")
            ),
            int,
        )

    # -- one thing -----------------------------------------------------------------------------------------------------
    def everywhere(self, actor: Actor) -> Level:
        """The actor's level on each of the things, whatever is granted. Raises NotSignedIn for a stranger."""
        actor.require_signed_in()
        return Level.CAN_MANAGE if actor.is_admin or actor.is_system else default_level()

    def everybodys(self, key: int) -> Level:
        """The level of everybody who is signed in on one of them."""
        return max(default_level(), self._everybodys.get(key, Level.NONE))

    def level_of(self, actor: Actor, key: int) -> Level:
        """The actor's level on one of them; NONE for a stranger."""
        if not actor.is_signed_in:
            return Level.NONE
        everywhere = self.everywhere(actor)
        if everywhere is Level.CAN_MANAGE:
            return everywhere
        granted = max(self._granted_levels.read(user=actor.user_id, place=key), default=0)
        return self.greatest(everywhere, key, granted)

    def level_questions(self, actor: Actor, key: int) -> list[Question[int]]:
        """What `level_of` asks, for `ask_together`."""
        if not actor.is_signed_in or self.everywhere(actor) is Level.CAN_MANAGE:
            return []
        return [self._granted_levels.question(user=actor.user_id, place=key)]

    def greatest(self, everywhere: Level, key: int, granted: int | None) -> Level:
        """What the parts amount to."""
        return max(everywhere, self._everybodys.get(key, Level.NONE), Level(granted or 0))

    def require(self, actor: Actor, key: int, level: Level, *, hidden: NotFound) -> None:
        """Raises NotSignedIn, `hidden` where the actor may not even see the thing, PermissionDenied below the level."""
        if self.everywhere(actor) < level:
            self.require_held(actor, self.level_of(actor, key), key, level, hidden=hidden)

    def require_held(self, actor: Actor, held: Level, key: int, level: Level, *, hidden: NotFound) -> None:
        """As `require`, of an actor whose level is known already."""
        if held is Level.NONE:
            raise hidden
        if held < level:
            managers = self.managers(key).values_list("username", flat=True)[:PEOPLE_TO_ASK]
            whom = f"{', '.join(managers)} or an administrator" if managers else "an administrator"
            raise PermissionDenied(
                f"This needs {level.name} on {self._called(key)}, and {actor.name} has {held.name}. "
                f"Ask {whom} for a grant."
            )

    # -- in SQL --------------------------------------------------------------------------------------------------------
    def granted(self, user_id: Any, level: Level, key: str = "pk") -> Q:
        """The rows whose thing, by its key in this column, is open at this level to a user by some grant, or to
        everybody. `user_id` is a key, or an expression for one."""
        grants = self._grants_to(user_id).filter(level__gte=level)
        found = Q(Exists(grants.filter(**{self.place: OuterRef(key)})) | Exists(grants.filter(self._on_all)))
        everybodys = [each for each, theirs in self._everybodys.items() if theirs >= level]
        return found | Q((f"{key}__in", everybodys)) if everybodys else found

    def visible(self, actor: Actor, key: str = "pk", level: Level = Level.CAN_READ) -> Q:
        """The rows on whose thing, by its key in this column, the actor has the level."""
        return Q() if self.everywhere(actor) >= level else self.granted(actor.user_id, level, key)

    def granted_level(self, user_id: Any, key: str) -> Subquery:
        """The greatest level that grants give a user on the thing whose key is in this column; null without one."""
        grants = self._grants_to(user_id).filter(Q((self.place, OuterRef(key))) | self._on_all)
        return Subquery(grants.order_by("-level").values("level")[:1])

    @property
    def _on_all(self) -> Q:
        return Q((f"{self.place}__isnull", True))

    def _grants_to(self, user_id: Any) -> QuerySet[Any]:
        groups = User.groups.through._default_manager.filter(user_id=user_id).values("group_id")
        return self.grants.filter(Q(user_id=user_id) | Q(group_id__in=groups))

    # -- people --------------------------------------------------------------------------------------------------------
    def people_with_level(self, key: int, level: Level) -> QuerySet[User]:
        """Every active person who has at least this level on the thing, by name."""
        people = User.objects.filter(is_active=True).order_by("username")
        if self.everybodys(key) >= level:
            return people
        return people.filter(Q(is_superuser=True) | self._holds(key, level))

    def managers(self, key: int) -> QuerySet[User]:
        """Every active person who has CAN_MANAGE on the thing by a grant, by name."""
        return User.objects.filter(self._holds(key, Level.CAN_MANAGE), is_active=True).order_by("username")

    def _holds(self, key: int, level: Level) -> Q:
        grants = self.grants.filter(Q((self.place, key)) | self._on_all, level__gte=level)
        return Q(Exists(grants.filter(user=OuterRef("pk"))) | Exists(grants.filter(group__user=OuterRef("pk"))))

    def access_list(self, actor: Actor, key: int) -> AccessList:
        """Who may do what with a thing that the actor was found to read: what is granted on it, then what is granted on
        all, then administrators."""
        grants = list(
            self.grants.filter(Q((self.place, key)) | self._on_all)
            .select_related("user", "group")
            .order_by(F(self.place).asc(nulls_last=True), "-level", "user__username", "group__name")
        )
        people = _people_of_groups([grant.group_id for grant in grants if grant.group_id])
        holders = [
            Holder(
                level=Level(grant.level),
                source=Source.OWN if getattr(grant, f"{self.place}_id") == key else Source.ALL,
                user_id=grant.user_id,
                username=grant.user.username if grant.user else "",
                display_name=grant.user.display_name if grant.user else "",
                group=grant.group.name if grant.group else "",
                people=people.get(grant.group_id, 0),
            )
            for grant in grants
        ]
        holders += [
            Holder(Level.CAN_MANAGE, Source.ADMINISTRATOR, admin.pk, admin.username, admin.display_name)
            for admin in User.objects.filter(is_active=True, is_superuser=True).order_by("username")
        ]
        return AccessList(self.everybodys(key), holders, self.level_of(actor, key))


class LookUp(Generic[Row]):
    """A prepared look-up of a thing, or of what belongs to one, that learns in the same statement what the actor may do
    there; where that is certain beforehand it is not asked.

    `build` makes the queryset, with `Given` in the place of values, `make` a row of its columns, and `key` is the
    column that says which thing it is.
    """

    def __init__(
        self,
        resolver: Resolver,
        build: "Callable[[], QuerySet[Any]]",
        columns: Sequence[str],
        make: Callable[..., Row],
        *,
        key: str = "pk",
    ) -> None:
        self._resolver = resolver
        self._alone = Prepared(lambda: build().values_list(*columns), make)
        self._with_level = Prepared(
            lambda: (
                build()
                .annotate(granted_level=resolver.granted_level(_USER, key))
                .values_list(*columns, key, "granted_level")
            ),
            lambda *values: (make(*values[:-2]), values[-2], values[-1]),
        )

    def first(self, actor: Actor, level: Level, *, hidden: NotFound, **given: Any) -> Row:
        """The first row. Raises `hidden` where there is none and where the actor may not know of it, PermissionDenied
        below the level, NotSignedIn for a stranger."""
        everywhere = self._resolver.everywhere(actor)
        if everywhere >= level:
            row = self._alone.first(**given)
            if row is None:
                raise hidden
            return row
        found = self._with_level.first(user=actor.user_id, **given)
        if found is None:
            raise hidden
        row, key, granted = found
        held = self._resolver.greatest(everywhere, key, granted)
        self._resolver.require_held(actor, held, key, level, hidden=hidden)
        return row


def _people_of_groups(groups: Sequence[int]) -> dict[int, int]:
    """How many active people are in each of these groups, by its key; an empty one is missing."""
    members = User.groups.through._default_manager.filter(group_id__in=groups, user__is_active=True)
    return dict(members.values_list("group_id").annotate(people=Count("pk")))
