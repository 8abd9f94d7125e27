"""What administrators do about other people. One's own profile, tokens and password are in `services`."""

from django.db import transaction
from django.db.models import Q

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.accounts.queries import user_not_found
from registry_site.accounts.services import change_password, give_password
from registry_site.audit.kinds import Kind
from registry_site.audit.record import Subject, record
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
