"""Who comes in by the single sign-on provider: which person that is, and what the provider says of them."""

import logging
import re
from collections.abc import Collection
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from registry_site.accounts.actors import Actor, person, system
from registry_site.accounts.administration import set_admin
from registry_site.accounts.groups import put_into
from registry_site.accounts.models import ProviderIdentity, User
from registry_site.accounts.services import new_user, record_sign_in
from registry_site.audit.kinds import Kind
from registry_site.audit.record import Subject, record
from registry_site.core.errors import AlreadyExists, Conflict, InvalidParameter, PermissionDenied

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Claims:
    """What the provider says, checked by the door: who it is, and the rest as it was sent.

    `groups` is None where the provider does not say. `email` is empty unless the provider has verified it.
    """

    issuer: str
    subject: str
    username: str = ""
    display_name: str = ""
    email: str = ""
    groups: Collection[str] | None = None


@transaction.atomic
def sign_in(actor: Actor, *, claims: Claims) -> User:
    """The person of these claims, who is signed in with this; at the first time a new one, or one who is there already
    with a confirmed address that is the provider's verified one.

    Their groups become those of Podium's that the provider names, every time; and where a group of administrators is
    configured, so does whether they are one. Raises PermissionDenied for somebody who was deactivated.
    """
    provider = system(actor.origin)
    user = _known(claims) or _new(provider, claims)
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if not user.is_active:
        raise PermissionDenied("Your account here is deactivated. Ask an administrator to reactivate it.")
    if claims.groups is not None:
        put_into(provider, user, Group.objects.filter(name__in=claims.groups))
        if settings.PODIUM_OIDC_ADMIN_GROUP:
            _set_admin(provider, user, is_admin=settings.PODIUM_OIDC_ADMIN_GROUP in claims.groups)
    user.refresh_from_db()
    record_sign_in(person(user, actor.origin))
    return user


def _known(claims: Claims) -> User | None:
    identity = (
        ProviderIdentity.objects.select_related("user").filter(issuer=claims.issuer, subject=claims.subject).first()
    )
    return identity.user if identity else None


def _new(provider: Actor, claims: Claims) -> User:
    user = _same_address(claims.email) or _created(provider, claims)
    try:
        with transaction.atomic():
            ProviderIdentity.objects.create(user=user, issuer=claims.issuer, subject=claims.subject)
    except IntegrityError:  # the same person, in another window
        raise Conflict("You were signed in twice at the same moment: sign in again.") from None
    return user


def _same_address(email: str) -> User | None:
    """The one person who has that address for certain. What somebody says of themselves in their profile does not
    count: they could name the address of another, and wait for them."""
    if not email:
        return None
    found = list(User.objects.filter(email__iexact=email, email_confirmed=True, identities=None)[:2])
    return found[0] if len(found) == 1 else None


def _created(provider: Actor, claims: Claims) -> User:
    wanted = claims.username or claims.email.partition("@")[0] or claims.subject
    base = re.sub(r"[^\w.@+-]+", "-", wanted)[:140].strip("-") or "person"
    display_name = claims.display_name[:150]
    for number in range(1, 1000):
        try:
            user = new_user(base if number == 1 else f"{base}-{number}", email=claims.email, display_name=display_name)
        except AlreadyExists:
            continue
        record(provider, Kind.USER_CREATED, Subject(f"user {user.username}"), issuer=claims.issuer)
        return user
    raise InvalidParameter(f"There are too many people called {base}: ask an administrator for an account.")


def _set_admin(provider: Actor, user: User, *, is_admin: bool) -> None:
    try:
        with transaction.atomic():
            set_admin(provider, username=user.username, is_admin=is_admin)
    except Conflict:
        log.warning("%s stays an administrator, being the only one, though the provider says otherwise.", user.username)
