"""Reading notifications: everybody their own. Reading mails: for administrators alone, as they hold what was written
to people."""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from functools import cache

from django.db.models import BigIntegerField, CharField, OuterRef, Q, QuerySet, Subquery

from registry_site.accounts.access import SOMEBODY
from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.core.errors import NotFound
from registry_site.core.pages import Page
from registry_site.core.prepared import Given, Prepared, Question
from registry_site.notifications import mailbox
from registry_site.notifications.audience import Way, Why, usual_way
from registry_site.notifications.mailbox import StoredMail
from registry_site.notifications.models import Following, Mail, MailChoice, MailState, Notification
from registry_site.registry.access import everywhere, reads_everything, visible, visible_models
from registry_site.registry.models import ModelVersion, RegisteredModel
from registry_site.registry.stages import Stage
from registry_site.search.keyset import OrderPlan, Term
from registry_site.search.paging import read_page

MAILS_PER_PAGE = 50
NOTIFICATIONS_PER_PAGE = 50
COUNTED_AT_MOST = 99
_NEWEST_FIRST = OrderPlan((Term("id", "id", descending=True, nullable=False),))


class Mark(StrEnum):
    """What somebody does with a notification."""

    READ = "read"
    UNREAD = "unread"
    DONE = "done"
    NOT_DONE = "not done"


class Box(StrEnum):
    """Which notifications."""

    INBOX = "inbox"  # what is not done
    UNREAD = "unread"
    DONE = "done"


_BOXES = {
    Box.INBOX: Q(done_at__isnull=True),
    Box.UNREAD: Q(done_at__isnull=True, read_at__isnull=True),
    Box.DONE: Q(done_at__isnull=False),
}


# -- notifications -----------------------------------------------------------------------------------------------------
def own_notifications(actor: Actor) -> QuerySet[Notification]:
    """What the actor was told, as far as they may still read what it is about. Raises NotSignedIn for a stranger."""
    own = Notification.objects.filter(recipient=actor.user_id)
    if reads_everything(actor):
        return own
    return own.filter(Q(registered_model__isnull=True) | visible(actor, "registered_model"))


def browse_notifications(
    actor: Actor, *, box: Box = Box.INBOX, why: Why | None = None, page_token: str | None = None
) -> Page[Notification]:
    """A page of them, newest first, with their activities and models; of one reason, if it is given."""
    found = own_notifications(actor).filter(_BOXES[box]).select_related("activity", "registered_model")
    return read_page(
        found.filter(why=why.value) if why else found,
        _NEWEST_FIRST,
        max_results=NOTIFICATIONS_PER_PAGE,
        page_token=page_token,
        query=["notifications", actor.user_id, box, why],
        most=NOTIFICATIONS_PER_PAGE,
    )


def get_notification(actor: Actor, key: int) -> Notification:
    """One of the actor's own, with its activity and model. Raises NotFound."""
    found = own_notifications(actor).select_related("activity", "registered_model").filter(pk=key).first()
    if found is None:
        raise NotFound(f"There is no notification {key} for you.")
    return found


def count_unread(actor: Actor) -> int:
    """How many wait unread; what is more than `COUNTED_AT_MOST` counts as one more than that."""
    return sum(len(question.answer()) for question in unread_questions(actor))


def unread_questions(actor: Actor) -> list[Question[int]]:
    """What `count_unread` asks, for `ask_together`."""
    if actor.user_id is None:
        return []
    return [_unread_keys(replace(SOMEBODY, is_admin=actor.is_admin), everywhere(actor)).question(user=actor.user_id)]


@cache
def _unread_keys(somebody: Actor, _everywhere: Level) -> Prepared[int]:
    """Whose level everywhere is the same are asked about in the same words."""
    unread = _BOXES[Box.UNREAD]
    return Prepared(lambda: own_notifications(somebody).filter(unread).values_list("pk")[: COUNTED_AT_MOST + 1], int)


def is_following(actor: Actor, name: str) -> bool:
    """Whether the actor hears of that registered model."""
    return any(question.answer() for question in following_questions(actor, name))


def following_questions(actor: Actor, name: str) -> list[Question[int]]:
    """What `is_following` asks, for `ask_together`."""
    return [_FOLLOWING.question(user=actor.user_id, name=name)] if actor.user_id is not None else []


_FOLLOWING = Prepared(
    lambda: Following.objects.filter(
        user=Given("user", BigIntegerField()), registered_model__name=Given("name", CharField())
    ).values_list("pk"),
    int,
)


def followed_models(actor: Actor) -> QuerySet[RegisteredModel]:
    """The registered models that the actor follows and may read, by name."""
    followed = Following.objects.filter(user=actor.user_id).values("registered_model")
    return visible_models(actor).filter(pk__in=followed).order_by("name")


def models_of_interest(actor: Actor, *, limit: int) -> Sequence[RegisteredModel]:
    """The models that the actor follows or owns, the last changed first. Each has `in_production`, the number of the
    version there, `since`, when it came there, and `newest`, the greatest number of a version; None where there is
    none."""
    versions = ModelVersion.objects.filter(registered_model=OuterRef("pk")).order_by("-version")
    occupants = versions.filter(current_stage=Stage.PRODUCTION.value)
    owned = RegisteredModel.objects.filter(owner=actor.user_id).values("pk")
    followed = Following.objects.filter(user=actor.user_id).values("registered_model")
    found = visible_models(actor).filter(pk__in=owned.union(followed), is_prompt=False)  # each by its index
    annotated = found.annotate(
        in_production=Subquery(occupants.values("version")[:1]),
        since=Subquery(occupants.values("stage_changed_at")[:1]),
        newest=Subquery(versions.values("version")[:1]),
    )
    return list(annotated.order_by("-last_updated_timestamp", "name")[:limit])


def mail_choices(actor: Actor) -> dict[Why, Way]:
    """How the actor is mailed, for every reason."""
    actor.require_signed_in()
    chosen = dict(MailChoice.objects.filter(user=actor.user_id).values_list("why", "way"))
    return {why: Way(chosen.get(why.value, usual_way(why))) for why in Why}


# -- mails -------------------------------------------------------------------------------------------------------------
def mails(actor: Actor, *, state: MailState | None = None) -> QuerySet[Mail]:
    """The mails of Podium with their recipients, newest first. Raises PermissionDenied unless an administrator asks."""
    actor.require_admin()
    found = Mail.objects.select_related("recipient").order_by("-pk")
    return found.filter(state=state) if state else found


def browse_mails(actor: Actor, *, page_token: str | None = None) -> Page[Mail]:
    """A page of the mails, newest first. Raises PermissionDenied as `mails`."""
    return read_page(
        mails(actor),
        _NEWEST_FIRST,
        max_results=MAILS_PER_PAGE,
        page_token=page_token,
        query=["mails"],
        most=MAILS_PER_PAGE,
    )


def get_mail(actor: Actor, mail_id: int) -> Mail:
    """One mail. Raises NotFound, and PermissionDenied as `mails`."""
    found = mails(actor).filter(pk=mail_id).first()
    if found is None:
        raise NotFound(f"There is no mail {mail_id}.")
    return found


def stored_mails(actor: Actor, *, limit: int = 50, before: str | None = None) -> list[StoredMail]:
    """A page of the mail folder, newest first, without bodies. Raises PermissionDenied as `mails`."""
    actor.require_admin()
    return mailbox.read_folder(limit, before)


def stored_mail(actor: Actor, name: str) -> StoredMail:
    """One message of the mail folder. Raises NotFound, and PermissionDenied as `mails`."""
    actor.require_admin()
    return mailbox.read_message(name)
