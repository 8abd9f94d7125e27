"""Writing people and tokens."""

import re
import zoneinfo
from datetime import datetime, timedelta

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from registry_site.accounts.actors import Actor, person
from registry_site.accounts.models import ApiToken, SignInLink, User
from registry_site.accounts.passwords import check_credentials
from registry_site.accounts.queries import user_not_found
from registry_site.accounts.tokens import digest, new_token, shown_prefix
from registry_site.audit.kinds import Kind
from registry_site.audit.record import Subject, record
from registry_site.core import clock
from registry_site.core.errors import AlreadyExists, InvalidParameter, NotFound

SIGN_IN_LINK_LASTS = timedelta(days=1)
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
    if not _USERNAME.match(username):
        raise InvalidParameter(
            f"Invalid user name '{username}': 1 to 150 letters, digits and @ . + - _ are possible.", field="username"
        )
    user = User(
        username=username,
        email=email,
        display_name=display_name,
        is_staff=is_admin,
        is_superuser=is_admin,
    )
    try:
        if email:
            validate_email(email)
        if password is not None:
            validate_password(password, user)
    except ValidationError as error:
        raise InvalidParameter(" ".join(error.messages)) from None
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        raise AlreadyExists(f"User '{username}' already exists.", field="username") from None
    user.groups.set([Group.objects.get_or_create(name=name)[0] for name in groups])
    record(actor, Kind.USER_CREATED, Subject(f"user {username}"), is_admin=is_admin, groups=list(groups))
    return user


@transaction.atomic
def create_token(actor: Actor, *, username: str, name: str = "", expires_at: datetime | None = None) -> str:
    """A further token for that person, as text: this is the only time that it is seen.

    People make tokens for themselves, administrators for anybody. Raises NotFound for an unknown user.
    """
    if actor.name != username:
        actor.require_admin()
    actor.require_signed_in()
    user = User.objects.filter(username=username).first()
    if user is None:
        raise user_not_found(username)
    name = name.strip() or f"made {clock.now():%Y-%m-%d}"
    if len(name) > 100:
        raise InvalidParameter("The name of a token has 100 characters at most.", field="name")
    text = new_token()
    ApiToken.objects.create(
        user=user,
        name=name,
        prefix=shown_prefix(text),
        digest=digest(text),
        created_at=clock.now(),
        expires_at=expires_at,
    )
    record(actor, Kind.TOKEN_CREATED, Subject(f"token {name} of {username}"), prefix=shown_prefix(text))
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
def make_sign_in_link(actor: Actor, *, username: str) -> str:
    """The secret of a link that signs that person in, once, within a day. Raises NotFound for an unknown user."""
    actor.require_admin()
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise user_not_found(username)
    secret = new_token()
    SignInLink.objects.create(user=user, digest=digest(secret), expires_at=clock.now() + SIGN_IN_LINK_LASTS)
    return secret


@transaction.atomic
def redeem_sign_in_link(actor: Actor, *, secret: str) -> User:
    """The user whom the link signs in; the link is used up. Raises NotFound if it is used, expired or unknown."""
    links = SignInLink.objects.filter(digest=digest(secret), used_at__isnull=True, expires_at__gt=clock.now())
    link = links.select_related("user").first()
    if link is None or not link.user.is_active or not links.update(used_at=clock.now()):
        raise NotFound("This sign-in link was used already or has expired. Ask an administrator for a new one.")
    record_sign_in(person(link.user, actor.origin))
    return link.user


@transaction.atomic
def record_sign_in(actor: Actor) -> None:
    """Write down that this person came in by a page."""
    record(actor, Kind.USER_SIGNED_IN, Subject(f"user {actor.name}"))


@transaction.atomic
def update_profile(actor: Actor, *, display_name: str, email: str, time_zone: str) -> User:
    """Change one's own profile. Raises InvalidParameter for an odd address or an unknown time zone."""
    person_id = actor.require_person()
    if len(display_name) > 150:
        raise InvalidParameter("A display name has 150 characters at most.", field="display_name")
    try:
        if email:
            validate_email(email)
    except ValidationError as error:
        raise InvalidParameter(" ".join(error.messages), field="email") from None
    if time_zone not in zoneinfo.available_timezones():
        raise InvalidParameter(f"'{time_zone}' is not a time zone. Write it like Europe/Berlin.", field="time_zone")
    User.objects.filter(pk=person_id).update(display_name=display_name, email=email, time_zone=time_zone)
    return User.objects.get(pk=person_id)


@transaction.atomic
def change_password(actor: Actor, *, current: str, new: str) -> User:
    """Set one's own password; the present one is asked for, if there is one. All other sessions end.

    Raises InvalidParameter for a wrong present password and for a weak new one, TooManyAttempts for somebody who
    guesses.
    """
    user = User.objects.select_for_update().get(pk=actor.require_person())
    if user.has_usable_password() and check_credentials(user.username, current, remote_address="") is None:
        raise InvalidParameter("That is not your present password.", field="current")
    give_password(actor, user, new)
    return user


def give_password(actor: Actor, user: User, new: str) -> None:
    """Store a new password of that person, in the caller's transaction: their sessions end, their tokens stay.

    Raises InvalidParameter for a weak one.
    """
    try:
        validate_password(new, user)
    except ValidationError as error:
        raise InvalidParameter(" ".join(error.messages), field="new") from None
    user.set_password(new)
    user.save(update_fields=["password"])
    record(actor, Kind.PASSWORD_CHANGED, Subject(f"user {user.username}"))
