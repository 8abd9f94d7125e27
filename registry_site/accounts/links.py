"""Links that let one person in, once: the first administrator, who is invited, and who has forgotten a password.

A link is stored as a digest only. Its secret is seen by whoever asks for it here, and is written into a mail when that
is sent, not before: no row ever holds it.
"""

from datetime import timedelta

from django.db import transaction

from registry_site.accounts.actors import Actor, person
from registry_site.accounts.groups import groups_named
from registry_site.accounts.models import ProviderIdentity, SignInLink, User
from registry_site.accounts.purposes import LinkPurpose
from registry_site.accounts.queries import user_not_found
from registry_site.accounts.services import change_user, end_links, give_password, new_user, record_sign_in
from registry_site.accounts.tokens import digest, new_token
from registry_site.audit.kinds import Kind
from registry_site.audit.record import Subject, record
from registry_site.core import clock
from registry_site.core.errors import Conflict, InvalidParameter, NotFound

LASTS = {
    LinkPurpose.SIGN_IN: timedelta(days=1),
    LinkPurpose.INVITATION: timedelta(days=7),
    LinkPurpose.PASSWORD: timedelta(days=1),
}
# Anybody may ask for a new password by mail, so such a link is short-lived.
ASKED_FOR_BY_MAIL_LASTS = timedelta(hours=1)


# -- made by administrators --------------------------------------------------------------------------------------------
@transaction.atomic
def invite(
    actor: Actor, *, username: str, email: str, is_admin: bool = False, groups: tuple[str, ...] = ()
) -> tuple[User, str]:
    """A new person, and the secret of the link with which they set their name and password within a week.

    A mail with another link goes to them by itself. Raises AlreadyExists for a name that is taken, InvalidParameter
    for an odd name or address, NotFound for a group that is not there.
    """
    actor.require_admin()
    if not email:
        raise InvalidParameter("An invitation goes by mail: an address is needed.", field="email")
    user = new_user(username, email=email, is_admin=is_admin)
    user.groups.set(groups_named(actor, groups))
    _record_invitation(actor, user)
    return user, _new_link(user, LinkPurpose.INVITATION)


@transaction.atomic
def invite_again(actor: Actor, *, username: str) -> str:
    """The secret of another link for somebody who has not accepted yet; a mail goes to them too.

    Raises NotFound, and Conflict for who is no longer, or was never, invited.
    """
    actor.require_admin()
    user = _active(username)
    if not is_invited(user):
        raise Conflict(f"{username} has no invitation to accept: make a password link instead.", field="username")
    _record_invitation(actor, user)
    return _new_link(user, LinkPurpose.INVITATION)


@transaction.atomic
def make_sign_in_link(actor: Actor, *, username: str) -> str:
    """The secret of a link that signs that person in, once, within a day. Raises NotFound for an unknown user."""
    return _link_by_administrator(actor, username, LinkPurpose.SIGN_IN)


@transaction.atomic
def make_password_link(actor: Actor, *, username: str) -> str:
    """The secret of a link with which that person sets a new password, once, within a day. Raises NotFound for an
    unknown user."""
    return _link_by_administrator(actor, username, LinkPurpose.PASSWORD)


# -- made for mails ----------------------------------------------------------------------------------------------------
@transaction.atomic
def mailed_link(user_id: int, purpose: LinkPurpose, *, address: str) -> str:
    """The secret of a fresh link, for a mail to this person that is being sent to this address.

    Raises Conflict where it has become pointless: they were deactivated, have another address, or are in already.
    """
    user = User.objects.filter(pk=user_id, is_active=True, email=address).first()
    if user is None or (purpose is LinkPurpose.INVITATION and not is_invited(user)):
        raise Conflict(
            "The link has become pointless: the account is deactivated, its address is another one, or the invitation "
            "was accepted."
        )
    lasts = ASKED_FOR_BY_MAIL_LASTS if purpose is LinkPurpose.PASSWORD else LASTS[purpose]
    return _new_link(user, purpose, lasts)


def may_ask_for_password(asked: str) -> list[User]:
    """The people whom a mail with a password link may go to when somebody asks for it by this name or address.

    Not those who come in by single sign-on: who has their mailbox would get past the provider.
    """
    by_name = User.objects.filter(is_active=True, username=asked).exclude(email="")
    people = by_name or User.objects.filter(is_active=True, email__iexact=asked).exclude(email="")
    return [user for user in people if not ProviderIdentity.objects.filter(user=user).exists()]


# -- used by whom they are for -----------------------------------------------------------------------------------------
def person_of_link(actor: Actor, *, secret: str, purpose: LinkPurpose) -> User:
    """Whom a link lets in, without using it. Raises NotFound, in words, for one that is used, expired or unknown."""
    return _live(secret, purpose).user


@transaction.atomic
def redeem_sign_in_link(actor: Actor, *, secret: str) -> User:
    """The user whom the link signs in; the link is used up. Raises NotFound if it is used, expired or unknown."""
    user = _use(secret, LinkPurpose.SIGN_IN)
    record_sign_in(person(user, actor.origin))
    return user


@transaction.atomic
def accept_invitation(actor: Actor, *, secret: str, display_name: str, password: str) -> User:
    """The invited person, with their name and password, who is signed in with this.

    Raises NotFound if the link is used, expired or unknown, InvalidParameter for a weak password.
    """
    user = _use(secret, LinkPurpose.INVITATION)
    themselves = person(user, actor.origin)
    change_user(themselves, user, display_name=display_name, email=user.email)
    give_password(themselves, user, password)
    record_sign_in(themselves)
    return user


@transaction.atomic
def reset_password(actor: Actor, *, secret: str, password: str) -> User:
    """Set a new password with a link: sessions end, tokens stay, and no other link works any more.

    Raises NotFound if the link is used, expired or unknown, InvalidParameter for a weak password.
    """
    user = _use(secret, LinkPurpose.PASSWORD)
    give_password(person(user, actor.origin), user, password)
    return user


_NAMES = {
    LinkPurpose.SIGN_IN: "sign-in link",
    LinkPurpose.INVITATION: "invitation",
    LinkPurpose.PASSWORD: "password link",
}


def is_invited(user: User) -> bool:
    """Whether this person has an invitation that they have not accepted."""
    return user.sign_in_links.filter(purpose=LinkPurpose.INVITATION, used_at=None).exists()


def _record_invitation(actor: Actor, user: User) -> None:
    groups = sorted(user.groups.values_list("name", flat=True))
    subject = Subject(f"user {user.username}")
    record(actor, Kind.USER_INVITED, subject, user_id=user.pk, is_admin=user.is_superuser, groups=groups)


def _link_by_administrator(actor: Actor, username: str, purpose: LinkPurpose) -> str:
    actor.require_admin()
    user = _active(username)
    record(actor, Kind.USER_UPDATED, Subject(f"user {username}"), link=purpose.value)
    return _new_link(user, purpose)


def _new_link(user: User, purpose: LinkPurpose, lasts: timedelta | None = None) -> str:
    secret = new_token()
    expires_at = clock.now() + (lasts or LASTS[purpose])
    SignInLink.objects.create(user=user, purpose=purpose, digest=digest(secret), expires_at=expires_at)
    return secret


def _active(username: str) -> User:
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise user_not_found(username)
    return user


def _live(secret: str, purpose: LinkPurpose) -> SignInLink:
    link = SignInLink.objects.select_related("user").filter(digest=digest(secret), purpose=purpose).first()
    if link is None or link.used_at is not None or link.expires_at <= clock.now() or not link.user.is_active:
        raise _gone(purpose)
    return link


def _use(secret: str, purpose: LinkPurpose) -> User:
    """The person of a link, locked; the link is used up, and so are all others of theirs."""
    link = _live(secret, purpose)
    user = User.objects.select_for_update(no_key=True).get(pk=link.user_id)
    if not SignInLink.objects.filter(pk=link.pk, used_at=None).update(used_at=clock.now()):
        raise _gone(purpose)
    end_links(user, *LinkPurpose)
    return user


def _gone(purpose: LinkPurpose) -> NotFound:
    return NotFound(f"This {_NAMES[purpose]} was used already or has expired. Ask an administrator for a new one.")
