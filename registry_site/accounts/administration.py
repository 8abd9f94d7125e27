"""What administrators do about other people. One's own profile, tokens and password are in `services`."""

from django.db import transaction
from django.db.models import Q

from registry_site.accounts.actors import Actor
from registry_site.accounts.links import is_invited
from registry_site.accounts.models import User
from registry_site.accounts.purposes import LinkPurpose
from registry_site.accounts.queries import user_not_found
from registry_site.accounts.services import change_password, change_user, end_links, give_password
from registry_site.audit.kinds import Kind
from registry_site.audit.record import Subject, record
from registry_site.core import clock
from registry_site.core.errors import Conflict, InvalidParameter


@transaction.atomic
def set_password(actor: Actor, *, username: str, new: str, current: str = "") -> None:
    """Set a password: one's own with the present one (see `services.change_password`), or as an administrator anybody
    else's. That person's sessions end at once; their tokens stay.

    Raises NotFound, and InvalidParameter for a weak password.
    """
    actor.require_signed_in()
    if actor.user_id is not None and actor.name == username:
        change_password(actor, current=current, new=new)
        return
    actor.require_admin()
    user = User.objects.select_for_update(no_key=True).filter(username=username).first()
    if user is None:
        raise user_not_found(username)
    give_password(actor, user, new)


@transaction.atomic
def update_user(actor: Actor, *, username: str, display_name: str, email: str) -> None:
    """Change what somebody is called and where mail to them goes.

    Raises NotFound, and InvalidParameter for an odd address.
    """
    actor.require_admin()
    user, _ = _locked(username)
    change_user(actor, user, display_name=display_name, email=email)


@transaction.atomic
def confirm_email(actor: Actor, *, username: str, email: str) -> None:
    """Vouch that this address is that person's: whoever the provider knows by it comes in as them from then on.

    Raises NotFound, and Conflict if it is another one meanwhile.
    """
    actor.require_admin()
    user, _ = _locked(username)
    if not email or user.email != email:
        raise Conflict(f"The address of {username} is another one now: look again.", field="email")
    if not user.email_confirmed:
        user.email_confirmed = True
        user.save(update_fields=["email_confirmed"])
        record(actor, Kind.USER_UPDATED, Subject(f"user {username}"), changed=["email_confirmed"])


@transaction.atomic
def deactivate(actor: Actor, *, username: str) -> None:
    """Shut somebody out: their sessions, tokens and links end at once, and for good. Grants and history stay.

    Raises NotFound, InvalidParameter for oneself, and Conflict for the last administrator.
    """
    actor.require_admin()
    user, is_last = _locked(username)
    if user.pk == actor.user_id:
        raise InvalidParameter("You cannot deactivate yourself: ask another administrator to do it.", field="username")
    if is_last:
        raise _last_administrator(username)
    if not user.is_active:
        return
    user.is_active = False
    user.sessions_ended += 1
    user.save(update_fields=["is_active", "sessions_ended"])
    user.api_tokens.filter(revoked_at=None).update(revoked_at=clock.now())
    end_links(user, *LinkPurpose)
    record(actor, Kind.USER_DEACTIVATED, Subject(f"user {username}"))


@transaction.atomic
def reactivate(actor: Actor, *, username: str) -> None:
    """Let somebody in again, with the password that they had; tokens they make anew. Raises NotFound."""
    actor.require_admin()
    user, _ = _locked(username)
    if user.is_active:
        return
    user.is_active = True
    user.save(update_fields=["is_active"])
    record(actor, Kind.USER_REACTIVATED, Subject(f"user {username}"))


@transaction.atomic
def set_admin(actor: Actor, *, username: str, is_admin: bool) -> None:
    """Make somebody an administrator, or no longer one.

    Raises NotFound, and Conflict for the last administrator, who stays one.
    """
    actor.require_admin()
    user, is_last = _locked(username)
    if user.is_superuser == is_admin:
        return
    if is_last:
        raise _last_administrator(username)
    user.is_staff = user.is_superuser = is_admin
    user.save(update_fields=["is_staff", "is_superuser"])
    record(actor, Kind.USER_ADMIN_SET, Subject(f"user {username}"), before=not is_admin, after=is_admin)


@transaction.atomic
def delete_user(actor: Actor, *, username: str) -> None:
    """Remove a person with their tokens, sessions and grants. What they did stays in history, under their name.

    Raises NotFound, InvalidParameter for oneself, and Conflict for the last administrator.
    """
    actor.require_admin()
    user, is_last = _locked(username)
    if user.pk == actor.user_id:
        raise InvalidParameter("You cannot delete yourself: ask another administrator to do it.", field="username")
    if is_last:
        raise _last_administrator(username)
    record(actor, Kind.USER_DELETED, Subject(f"user {username}"), user_id=user.pk, was_admin=user.is_superuser)
    user.delete()


@transaction.atomic
def withdraw_invitation(actor: Actor, *, username: str) -> None:
    """Remove somebody who has not accepted their invitation. Raises NotFound, and Conflict for who has."""
    actor.require_admin()
    user, _ = _locked(username)
    if not is_invited(user):
        raise Conflict(f"{username} has no invitation any more: deactivate the account instead.", field="username")
    delete_user(actor, username=username)


def _locked(username: str) -> tuple[User, bool]:
    """The person, and whether they are the only administrator who can sign in. Raises NotFound.

    All administrators are locked with them, in one order: two who demote each other at the same moment do not both
    succeed.
    """
    wanted = Q(username=username) | Q(is_superuser=True, is_active=True)
    rows = list(User.objects.select_for_update(no_key=True).filter(wanted).order_by("pk"))
    user = next((row for row in rows if row.username == username), None)
    if user is None:
        raise user_not_found(username)
    return user, [row.pk for row in rows if row.is_superuser and row.is_active] == [user.pk]


def _last_administrator(username: str) -> Conflict:
    return Conflict(f"User '{username}' is the only administrator: make somebody else one first.", field="username")
