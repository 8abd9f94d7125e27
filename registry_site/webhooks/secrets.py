"""Secrets of webhooks at rest: encrypted with keys that are made of the site's secret key, old ones included."""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.encoding import force_bytes

from registry_site.core.errors import Unavailable


def encrypt(secret: str) -> str:
    """What is stored of a secret; nothing of none."""
    return _keys().encrypt(secret.encode()).decode() if secret else ""


def decrypt(stored: str) -> str:
    """The secret again. Raises Unavailable when it was encrypted with a secret key that is not known any more."""
    try:
        return _keys().decrypt(stored.encode()).decode() if stored else ""
    except InvalidToken:
        raise Unavailable(
            "The secret of this webhook was encrypted with another PODIUM_SECRET_KEY. Set the secret again."
        ) from None


def _keys() -> MultiFernet:
    return MultiFernet([_key(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str | bytes) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hmac.digest(force_bytes(secret), b"podium.webhooks", hashlib.sha256)))
