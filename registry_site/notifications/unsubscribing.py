"""The link in a mail that ends mails of its reason, for whoever holds the mail. It opens nothing else."""

from django.conf import settings
from django.core import signing

from registry_site.core.errors import NotFound
from registry_site.notifications.audience import Why

_SALT = "podium.unsubscribe"


def unsubscribe_url(user_id: int, why: Why) -> str:
    """The address for this person and this reason."""
    return f"{settings.PODIUM_SITE_URL}/unsubscribe/{signing.dumps([user_id, why.value], salt=_SALT)}"


def whose(token: str) -> tuple[int, Why]:
    """Whose mails, and of which reason. Raises NotFound for a text that no mail holds."""
    try:
        user_id, why = signing.loads(token, salt=_SALT)
        return int(user_id), Why(why)
    except (signing.BadSignature, ValueError, TypeError):
        raise NotFound("This link is not whole. Copy all of it, or choose your mails in your settings.") from None
