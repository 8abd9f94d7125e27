"""Reading people and tokens."""

from django.db.models import QuerySet

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import ApiToken, User


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
