"""Following models, reading what one is told, choosing mails, and asking for a mailed link."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.accounts.throttle import attempt
from registry_site.core import clock
from registry_site.core.errors import InvalidParameter, NotFound
from registry_site.notifications.audience import Way, Why
from registry_site.notifications.models import Following, MailChoice, Notification, PasswordWish
from registry_site.notifications.queries import Mark, own_notifications
from registry_site.notifications.unsubscribing import whose
from registry_site.registry.access import model_not_found, visible_models


# -- following ---------------------------------------------------------------------------------------------------------
@transaction.atomic
def follow(actor: Actor, *, name: str) -> None:
    """Hear of a registered model from now on. Raises NotFound for one that the actor may not see."""
    actor.require_write()
    model = visible_models(actor).filter(name=name).first()
    if model is None:
        raise model_not_found(name)
    Following.objects.get_or_create(user_id=_own(actor), registered_model=model)


@transaction.atomic
def unfollow(actor: Actor, *, name: str) -> None:
    """Hear of it no more; of what one does not follow that is no error, nor of a model that is not there any more."""
    actor.require_write()
    Following.objects.filter(user_id=_own(actor), registered_model__name=name).delete()


# -- reading -----------------------------------------------------------------------------------------------------------
@transaction.atomic
def mark(actor: Actor, *, mark: Mark, keys: Iterable[int] | None = None) -> int:
    """Mark these notifications of the actor, or all that are not done, as read, unread, done or not done; returns how
    many there were. Other people's are not there."""
    actor.require_write()
    rows: QuerySet[Notification] = own_notifications(actor)
    rows = rows.filter(done_at__isnull=True) if keys is None else rows.filter(pk__in=list(keys))
    now = clock.now()
    match mark:
        case Mark.READ:
            return rows.filter(read_at__isnull=True).update(read_at=now)
        case Mark.UNREAD:
            return rows.update(read_at=None)
        case Mark.DONE:
            return rows.filter(done_at__isnull=True).update(done_at=now)
        case Mark.NOT_DONE:
            return rows.update(done_at=None)


def forget_done_notifications(after: timedelta) -> int:
    """Delete what has been done for that long; returns how many."""
    forgotten, _ = Notification.objects.filter(done_at__lt=clock.now() - after).delete()
    return forgotten


# -- choosing mails ----------------------------------------------------------------------------------------------------
@transaction.atomic
def choose_mails(actor: Actor, *, ways: Mapping[Why, Way]) -> None:
    """How the actor wants mails of these reasons from now on."""
    actor.require_write()
    for why, way in ways.items():
        MailChoice.objects.update_or_create(user_id=_own(actor), why=why.value, defaults={"way": way.value})


def reason_of(*, token: str) -> Why:
    """What the mails are about that this token of a mail ends. Raises NotFound as `unsubscribe`."""
    return whose(token)[1]


def unsubscribe(*, token: str) -> None:
    """No more mails of the reason that this token of a mail stands for. Raises NotFound for another text, and for
    somebody who is no more."""
    user_id, why = whose(token)
    if not User.objects.filter(pk=user_id).exists():
        raise NotFound("Whoever got this mail has no account any more.")
    MailChoice.objects.update_or_create(user_id=user_id, why=why.value, defaults={"way": Way.NEVER.value})


def _own(actor: Actor) -> int:
    if actor.user_id is None:
        raise InvalidParameter("Podium itself follows nothing and reads nothing: act as a person.")
    return actor.user_id


# -- a new password ----------------------------------------------------------------------------------------------------
def mail_password_link(actor: Actor, *, asked: str, remote_address: str) -> None:
    """Somebody has forgotten the password of the person with this user name or address: mail a link, if there is one.

    Nothing tells whether there is: it is looked up later. Raises TooManyAttempts for somebody who asks again and again,
    InvalidParameter for what is too long for either.
    """
    attempt("password link", remote_address, most=10, within=300)
    if len(asked) > 254:
        raise InvalidParameter("That is too long for a user name or an address.", field="asked")
    PasswordWish.objects.create(asked=asked, created_at=clock.now())
