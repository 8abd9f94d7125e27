"""Reading people and tokens."""

from django.db.models import QuerySet

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import ApiToken, User
from registry_site.core.errors import NotFound


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


def all_users(actor: Actor) -> QuerySet[User]:
    """Everybody, by name; for administrators."""
    actor.require_admin()
    return User.objects.order_by("username")


def user_not_found(username: str) -> NotFound:
    """What is said of a person who is not there."""
    return NotFound(f"User '{username}' does not exist.", field="username")
