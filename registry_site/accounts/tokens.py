"""Secrets that Podium hands out: 256 random bits, recognisable, stored as a digest only. Pure."""

import hashlib
import secrets

from registry_site.core.logs import SECRETS_START_WITH

PREFIX = SECRETS_START_WITH


def new_token() -> str:
    """A fresh token; it is shown once."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is stored of a token. It holds 256 random bits, so a fast hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def shown_prefix(token: str) -> str:
    """The first characters of a token, by which its owner recognises it in a list."""
    return token[: len(PREFIX) + 5]
