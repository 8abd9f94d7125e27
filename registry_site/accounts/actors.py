"""Who acts. Every service takes an actor first; nobody is nobody by default, and the system is an actor too."""

from dataclasses import dataclass, replace

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

from registry_site.accounts.models import User
from registry_site.audit.kinds import Origin
from registry_site.core.errors import NotSignedIn, PermissionDenied


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, the system, or a stranger, and the door that they came through."""

    user_id: int | None
    name: str
    origin: Origin
    is_admin: bool = False
    is_system: bool = False
    display_name: str = ""
    time_zone: str = "UTC"

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

    def require_admin(self) -> None:
        """Raises NotSignedIn for a stranger, PermissionDenied for everybody who is not an administrator."""
        self.require_signed_in()
        if not (self.is_admin or self.is_system):
            raise PermissionDenied("Only administrators may do this.")

    def through(self, origin: Origin) -> "Actor":
        """The same actor, coming through another door."""
        return replace(self, origin=origin)


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
