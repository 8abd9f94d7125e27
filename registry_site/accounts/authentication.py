"""From an Authorization header to an actor, for every door that takes one."""

import base64
import binascii
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import CharField

from registry_site.accounts.actors import Actor, person, stranger
from registry_site.accounts.models import ApiToken
from registry_site.accounts.passwords import check_credentials
from registry_site.accounts.queries import owner
from registry_site.accounts.scopes import Scope
from registry_site.accounts.tokens import PREFIX, digest
from registry_site.audit.kinds import Origin
from registry_site.core import clock
from registry_site.core.errors import NotSignedIn
from registry_site.core.prepared import Given, Prepared

LAST_USE_PRECISION = timedelta(minutes=1)


def actor_from_header(authorization: str | None, *, origin: Origin, remote_address: str = "") -> Actor:
    """The actor that an Authorization header proves.

    `Bearer TOKEN`, `Basic user:password`, and `Basic anything:TOKEN` are understood. Without a header the actor is a
    stranger. In open mode everybody without a known token is the owner. Raises NotSignedIn for credentials that are
    wrong, and TooManyAttempts for somebody who guesses.
    """
    actor = _from_credentials(authorization or "", origin, remote_address)
    if actor is not None:
        return actor
    if settings.PODIUM_OPEN:
        return open_actor(origin)
    if not authorization:
        return stranger(origin)
    raise NotSignedIn("The token or password is not valid. Make a token under Settings → API tokens and send it again.")


def open_actor(origin: Origin) -> Actor:
    """Who somebody without credentials is: the owner in open mode, else a stranger."""
    user = owner() if settings.PODIUM_OPEN else None
    return person(user, origin) if user else stranger(origin)


def _from_credentials(authorization: str, origin: Origin, remote_address: str) -> Actor | None:
    scheme, _, credentials = authorization.partition(" ")
    credentials = credentials.strip()
    if scheme.lower() == "bearer":
        return _from_token(credentials, origin)
    if scheme.lower() != "basic":
        return None
    try:
        username, separator, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    if not separator:
        return None
    if password.startswith(PREFIX):
        return _from_token(password, origin)
    if settings.PODIUM_OPEN:
        return None  # no hash is spent on a password that would open nothing more
    user = check_credentials(username, password, remote_address=remote_address)
    return person(user, origin) if user else None


def _from_token(text: str, origin: Origin) -> Actor | None:
    token = _live_token(text)
    if token is None:
        return None
    now = clock.now()
    if token.last_used_at is None or token.last_used_at < now - LAST_USE_PRECISION:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    scope = Scope(token.scope)
    return Actor(
        user_id=token.user_id,
        name=token.username,
        origin=origin,
        is_admin=token.is_superuser and scope is Scope.ADMIN,
        display_name=token.display_name or token.username,
        time_zone=token.time_zone,
        scope=scope,
        is_held_back=token.is_superuser and scope is not Scope.ADMIN,
        until=token.expires_at,
    )


def _live_token(text: str) -> "_Token | None":
    """The token of an active person, if this is one that was neither revoked nor has expired."""
    token = _TOKENS.first(digest=digest(text))
    if token is None:
        return None
    if token.expires_at is not None and token.expires_at <= clock.now():
        return None
    return token


class _Token(NamedTuple):
    """What is read of a token and of whom it belongs to."""

    pk: int
    expires_at: datetime | None
    last_used_at: datetime | None
    scope: int
    user_id: int
    username: str
    is_superuser: bool
    display_name: str
    time_zone: str


# This runs on every request of every client.
_TOKENS = Prepared(
    lambda: ApiToken.objects.filter(
        digest=Given("digest", CharField()), revoked_at__isnull=True, user__is_active=True
    ).values_list(*_Token._fields[:5], *(f"user__{name}" for name in _Token._fields[5:])),
    _Token,
)
