"""Addresses with which whoever has one reads one thing for a while, in the name of the person who asked for it.

For programs that take an address and no credentials. Nothing is stored. What the person may do is looked up anew at
every use, so an address ends with their account and with their right, and never reaches further than the token did
that asked for it.
"""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.core import signing

from registry_site.accounts.actors import Actor, person
from registry_site.accounts.models import User
from registry_site.accounts.scopes import Scope
from registry_site.accounts.tokens import PREFIX
from registry_site.audit.kinds import Origin
from registry_site.core import clock
from registry_site.core.errors import NotFound

_SIGNATURE_LENGTH = 43  # of SHA-256 in base64 without padding


@dataclass(frozen=True, slots=True)
class Signed:
    """What goes into an address, and when it ends. The text looks like a token, so that logs leave it out."""

    text: str
    expires_at: datetime


def sign(actor: Actor, *what: str, lasts: timedelta) -> Signed:
    """The actor's leave to read `what`: words that mean the same to whoever reads the signature.

    It ends with the actor's token, if that is sooner. Raises NotSignedIn where nobody is behind the call.
    """
    expires_at = min(clock.now() + lasts, actor.until or datetime.max.replace(tzinfo=UTC))
    payload = [actor.require_person(), actor.scope, int(expires_at.timestamp())]
    value = signing.b64_encode(json.dumps(payload).encode()).decode()
    return Signed(f"{PREFIX}{value}{_signer(what).signature(value)}", expires_at)


def actor_of_signature(text: str, *what: str, origin: Origin) -> Actor:
    """Who gave leave to read `what`: as an actor who reads, and cannot write. Raises NotFound for a text that was not
    made for just this, that has expired, or whose person is gone."""
    value, signature = text.removeprefix(PREFIX)[:-_SIGNATURE_LENGTH], text[-_SIGNATURE_LENGTH:]
    signer = _signer(what)
    try:
        signer.unsign(f"{value}{signer.sep}{signature}")
    except signing.BadSignature:
        raise _gone() from None
    user_id, scope, expires = json.loads(signing.b64_decode(value.encode()))
    expires_at = datetime.fromtimestamp(expires, UTC)
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or expires_at <= clock.now():
        raise _gone()
    reader = person(user, origin)
    is_admin = reader.is_admin and scope in (None, Scope.ADMIN)
    return replace(
        reader,
        scope=Scope.READ,
        is_admin=is_admin,
        is_held_back=reader.is_admin and not is_admin,
        until=expires_at,
    )


def _signer(what: tuple[str, ...]) -> signing.Signer:
    return signing.Signer(salt=f"podium.signed_urls:{json.dumps(what)}")


def _gone() -> NotFound:
    return NotFound("This address has expired, or was not made here. Ask for a new one.")
