"""Who acts. Every service takes an actor first; nobody is nobody by default, and the system is an actor too."""

from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

from registry_site.accounts.models import User
from registry_site.accounts.scopes import Scope
from registry_site.audit.kinds import Origin
from registry_site.core.errors import NotSignedIn, PermissionDenied


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, the system, or a stranger, and the door that they came through.

    `scope` is that of the token that they came with, None without one. `is_admin` is False for an administrator whose
    token has not the scope for it: they act as an ordinary person.
    """

    user_id: int | None
    name: str
    origin: Origin
    is_admin: bool = False
    is_system: bool = False
    display_name: str = ""
    time_zone: str = "UTC"
    scope: Scope | None = None
    is_held_back: bool = False
    """An administrator whose token has not the scope for it."""
    until: datetime | None = None
    """When that token expires, if it does."""

    @property
    def is_signed_in(self) -> bool:
        return self.user_id is not None or self.is_system

    def require_signed_in(self) -> None:
        """Raises NotSignedIn for a stranger."""
        if not self.is_signed_in:
            raise NotSignedIn("Sign in, or send a token: nobody is behind this call.")

    def require_person(self) -> int:
        """The key of the person. Raises NotSignedIn where there is none: for a stranger, and for the system."""
        if self.user_id is None:
            raise NotSignedIn("Sign in, or send a token: this is about a person, and nobody is behind this call.")
        return self.user_id

    def require_write(self) -> None:
        """Raises NotSignedIn for a stranger, PermissionDenied for somebody whose token is for reading only.

        Everything that changes something asks this: history for all that it keeps (`audit.record`), and a service that
        leaves nothing in history in its first line.
        """
        self.require_signed_in()
        if self.scope is Scope.READ:
            raise self._lacks(Scope.WRITE)

    def require_admin(self) -> None:
        """Raises NotSignedIn for a stranger, PermissionDenied for everybody who is not an administrator, and for one
        whose token has not the scope for it."""
        self.require_signed_in()
        if self.is_admin or self.is_system:
            return
        if self.is_held_back:
            raise self._lacks(Scope.ADMIN)
        raise PermissionDenied("Only administrators may do this.")

    def through(self, origin: Origin) -> "Actor":
        """The same actor, coming through another door."""
        return replace(self, origin=origin)

    def _lacks(self, needed: Scope) -> PermissionDenied:
        has = self.scope.word if self.scope else ""
        return PermissionDenied(
            f"This needs a token with the scope '{needed.word}', and this one has '{has}'. "
            f"Make one that has it at {settings.PODIUM_SITE_URL}/settings/tokens."
        )


def person(user: AbstractBaseUser | AnonymousUser, origin: Origin) -> Actor:
    """The actor for a user; a deactivated or anonymous one is a stranger."""
    if not isinstance(user, User) or not user.is_active:
        return stranger(origin)
    return Actor(
        user_id=user.pk,
        name=user.username,
        origin=origin,
        is_admin=user.is_superuser,
        display_name=user.display_name or user.username,
        time_zone=user.time_zone,
    )


def stranger(origin: Origin) -> Actor:
    """Somebody without credentials."""
    return Actor(user_id=None, name="", origin=origin)


def system(origin: Origin = Origin.TASK) -> Actor:
    """Podium itself: tasks and commands. May do everything, and is named in history."""
    return Actor(user_id=None, name="podium", origin=origin, is_admin=True, is_system=True, display_name="Podium")
