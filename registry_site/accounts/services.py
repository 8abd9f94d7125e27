"""Writing people and tokens."""

import re
import zoneinfo
from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from registry_site.accounts.actors import Actor
from registry_site.accounts.groups import groups_named
from registry_site.accounts.models import ApiToken, User
from registry_site.accounts.passwords import check_credentials
from registry_site.accounts.purposes import LinkPurpose
from registry_site.accounts.queries import user_not_found
from registry_site.accounts.scopes import Scope
from registry_site.accounts.tokens import PREFIX, digest, new_token, shown_prefix
from registry_site.audit.kinds import Kind
from registry_site.audit.record import Subject, record
from registry_site.core import clock
from registry_site.core.errors import AlreadyExists, InvalidParameter, NotFound, PermissionDenied

_USERNAME = re.compile(r"[\w.@+-]{1,150}\Z")


@transaction.atomic
def create_user(
    actor: Actor,
    *,
    username: str,
    email: str = "",
    password: str | None = None,
    is_admin: bool = False,
    display_name: str = "",
    groups: tuple[str, ...] = (),
) -> User:
    """A new person. Without a password they come in by link or token only. Groups are made when they are missing.

    Raises AlreadyExists for a name that is taken, InvalidParameter for an odd name, address or a weak password.
    """
    actor.require_admin()
    user = new_user(username, email=email, password=password, is_admin=is_admin, display_name=display_name)
    user.groups.set(groups_named(actor, groups, make=True))
    record(actor, Kind.USER_CREATED, Subject(f"user {username}"), is_admin=is_admin, groups=list(groups))
    return user


def new_user(
    username: str, *, email: str = "", password: str | None = None, is_admin: bool = False, display_name: str = ""
) -> User:
    """A row for a new person, in the caller's transaction; their address counts as confirmed. Raises as `create_user`
    does."""
    if not _USERNAME.match(username):
        raise InvalidParameter(
            f"Invalid user name '{username}': 1 to 150 letters, digits and @ . + - _ are possible.", field="username"
        )
    user = User(
        username=username,
        email=checked_email(email),
        email_confirmed=bool(email),
        display_name=checked_display_name(display_name),
        is_staff=is_admin,
        is_superuser=is_admin,
    )
    if password is not None:
        check_strength(password, user, field="password")
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        raise AlreadyExists(f"User '{username}' already exists.", field="username") from None
    return user


@transaction.atomic
def create_token(
    actor: Actor, *, username: str, name: str = "", scope: Scope = Scope.WRITE, expires_at: datetime | None = None
) -> str:
    """A further token for that person, as text: this is the only time that it is seen.

    People make tokens for themselves, administrators for anybody; with a token, nobody makes one that may do more or
    lasts longer. Raises NotFound for an unknown user, InvalidParameter for the scope of administrators for somebody who
    is none.
    """
    if actor.name != username:
        actor.require_admin()
    actor.require_signed_in()
    if actor.scope is not None and actor.scope < scope:
        raise PermissionDenied(
            f"A token with the scope '{actor.scope.word}' makes none with the scope '{scope.word}': "
            "sign in and make it under Settings → API tokens."
        )
    if actor.until is not None and (expires_at is None or expires_at > actor.until):
        raise PermissionDenied(
            f"A token that expires makes none that lasts longer: this one ends at {actor.until:%Y-%m-%d %H:%M} UTC. "
            "Sign in and make the other under Settings → API tokens."
        )
    user = User.objects.filter(username=username).first()
    if user is None:
        raise user_not_found(username)
    if scope is Scope.ADMIN and not user.is_superuser:
        raise InvalidParameter(
            f"The scope '{scope.word}' is for administrators, and {username} is none: choose '{Scope.WRITE.word}'.",
            field="scope",
        )
    name = name.strip() or f"made {clock.now():%Y-%m-%d}"
    if len(name) > 100:
        raise InvalidParameter("The name of a token has 100 characters at most.", field="name")
    text = new_token()
    ApiToken.objects.create(
        user=user,
        name=name,
        prefix=shown_prefix(text),
        digest=digest(text),
        scope=scope,
        created_at=clock.now(),
        expires_at=expires_at,
    )
    subject = Subject(f"token {name} of {username}")
    record(actor, Kind.TOKEN_CREATED, subject, prefix=shown_prefix(text), scope=scope.word)
    return text


@transaction.atomic
def revoke_token(actor: Actor, *, token_id: int) -> None:
    """End a token at once. Raises NotFound for one that is not the actor's (administrators may end any)."""
    actor.require_signed_in()
    tokens = ApiToken.objects.select_related("user").filter(pk=token_id, revoked_at__isnull=True)
    if not actor.is_admin:
        tokens = tokens.filter(user_id=actor.require_person())
    token = tokens.first()
    if token is None:
        raise NotFound("There is no such token.")
    ApiToken.objects.filter(pk=token.pk).update(revoked_at=clock.now())
    record(actor, Kind.TOKEN_REVOKED, Subject(f"token {token.name} of {token.user.username}"), prefix=token.prefix)


@transaction.atomic
def record_sign_in(actor: Actor) -> None:
    """Write down that this person came in by a page."""
    record(actor, Kind.USER_SIGNED_IN, Subject(f"user {actor.name}"))


@transaction.atomic
def update_profile(actor: Actor, *, display_name: str, email: str, time_zone: str) -> User:
    """Change one's own profile. Raises InvalidParameter for an odd address or an unknown time zone."""
    user = User.objects.select_for_update(no_key=True).get(pk=actor.require_person())
    if time_zone not in zoneinfo.available_timezones():
        raise InvalidParameter(f"'{time_zone}' is not a time zone. Write it like Europe/Berlin.", field="time_zone")
    change_user(actor, user, display_name=display_name, email=email, time_zone=time_zone)
    return user


def change_user(actor: Actor, user: User, **new: str) -> None:
    """Store new values of these fields of a locked person, in the caller's transaction; history names the fields.

    An address that is another one than before is confirmed if an administrator gives it. Raises InvalidParameter for
    an odd address, and for a display name that is too long; PermissionDenied for one's own address by a token.
    """
    new |= {"display_name": checked_display_name(new["display_name"]), "email": checked_email(new["email"])}
    changed = [name for name, value in new.items() if getattr(user, name) != value]
    if not changed:
        return
    for name in changed:
        setattr(user, name, new[name])
    if "email" in changed:
        if actor.user_id == user.pk and actor.scope is not None:
            raise PermissionDenied(
                "A token does not change the address that new passwords are mailed to: sign in and change it under "
                "Settings → Profile."
            )
        user.email_confirmed = bool(user.email) and actor.user_id != user.pk
        end_links(user, LinkPurpose.PASSWORD)
    user.save(update_fields=[*changed, "email_confirmed"])
    record(actor, Kind.USER_UPDATED, Subject(f"user {user.username}"), changed=changed)


@transaction.atomic
def change_password(actor: Actor, *, current: str, new: str) -> User:
    """Set one's own password; the present one is asked for, if there is one. All other sessions end.

    Raises InvalidParameter for a wrong present password and for a weak new one, TooManyAttempts for somebody who
    guesses, and PermissionDenied for the first password of somebody who came with a token: whoever finds a token must
    not get more out of it than that.
    """
    user = User.objects.select_for_update().get(pk=actor.require_person())
    if not user.has_usable_password():
        if actor.scope is not None:
            raise PermissionDenied("A token sets no first password: ask an administrator for a link that does.")
    elif check_credentials(user.username, current, remote_address="") is None:
        raise InvalidParameter("That is not your present password.", field="current")
    give_password(actor, user, new)
    return user


def give_password(actor: Actor, user: User, new: str) -> None:
    """Store a new password of that person, in the caller's transaction: their sessions and links end, their tokens
    stay.

    Raises InvalidParameter for a weak one.
    """
    check_strength(new, user, field="new")
    user.set_password(new)
    user.save(update_fields=["password"])
    end_links(user, *LinkPurpose)
    record(actor, Kind.PASSWORD_CHANGED, Subject(f"user {user.username}"))


def end_links(user: User, *purposes: LinkPurpose) -> None:
    """No link of this person for one of these works any more, from the caller's transaction on."""
    user.sign_in_links.filter(purpose__in=purposes, used_at=None).update(used_at=clock.now())


# -- what people may be called, and reached by -------------------------------------------------------------------------
def checked_display_name(name: str) -> str:
    """The name, without blanks around it. Raises InvalidParameter for one that is too long."""
    if len(name) > 150:
        raise InvalidParameter("A display name has 150 characters at most.", field="display_name")
    return name.strip()


def checked_email(address: str) -> str:
    """The address, or none. Raises InvalidParameter for what is no address."""
    if len(address) > 254:
        raise InvalidParameter("An e-mail address has 254 characters at most.", field="email")
    try:
        if address:
            validate_email(address)
    except ValidationError as error:
        raise InvalidParameter(" ".join(error.messages), field="email") from None
    return address


def check_strength(password: str, user: User, *, field: str) -> None:
    """Raises InvalidParameter for a password that is easily guessed, or taken for a token."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidParameter(" ".join(error.messages), field=field) from None
    if password.startswith(PREFIX):
        raise InvalidParameter(f"A password does not begin with {PREFIX}, as tokens do.", field=field)
