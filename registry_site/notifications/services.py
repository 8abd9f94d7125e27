"""From history to mails, and from mails to mailboxes."""

import logging
from collections.abc import Iterable, Mapping
from datetime import timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string

from registry_site.accounts.actors import Actor
from registry_site.accounts.links import ASKED_FOR_BY_MAIL_LASTS, LASTS, mailed_link, may_ask_for_password
from registry_site.accounts.models import User
from registry_site.accounts.purposes import LinkPurpose
from registry_site.accounts.throttle import attempt
from registry_site.audit.kinds import Kind
from registry_site.audit.models import Activity
from registry_site.core import clock
from registry_site.core.errors import Conflict, InvalidParameter
from registry_site.notifications.audience import TOLD, Facts, Why, audience
from registry_site.notifications.models import Mail, MailState, PasswordWish
from registry_site.notifications.retries import delay_after
from registry_site.promotion.models import TransitionRequest
from registry_site.promotion.rules import OccupantDecision, RequestState
from registry_site.promotion.services import level_of_request
from registry_site.registry.access import people_with_level

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=3)  # a worker that dies while it sends lets its claim lapse after this
PASSWORD_MAILS_AN_HOUR = 3  # to one person, whoever asks for them
LINK = "(the link stands in the mail alone)"  # what the stored text has in its place
_PAGES_OF_LINKS = {LinkPurpose.INVITATION: "invitation", LinkPurpose.PASSWORD: "new-password"}
_REFUSED = (SMTPRecipientsRefused, SMTPSenderRefused, SMTPDataError)  # of one mail; others may pass

_VERBS = {
    Kind.REQUEST_APPROVED: "approved",
    Kind.REQUEST_REJECTED: "rejected",
    Kind.REQUEST_CANCELLED: "cancelled",
    Kind.REQUEST_SUPERSEDED: "closed",
}


# -- from history to mails ---------------------------------------------------------------------------------------------
def fan_out(activities: Iterable[Activity]) -> None:
    """Write a mail for everybody who is to be told of these activities. To do it again changes nothing.

    Belongs into the transaction that takes the activities off the outbox.
    """
    for activity in activities:
        if activity.kind == Kind.USER_INVITED:
            _mail_invitation(activity)
        else:
            _tell_of(activity)


def _tell_of(activity: Activity) -> None:
    if activity.kind not in TOLD or activity.request_number is None:
        return
    request = (
        TransitionRequest.objects.select_related("registered_model", "model_version", "requester")
        .filter(registered_model_id=activity.registered_model_id, number=activity.request_number)
        .first()
    )
    if request is None:  # its model was deleted meanwhile, and nothing is left to decide or look at
        return
    kind = Kind(activity.kind)
    if kind is Kind.REQUEST_CREATED and request.state != RequestState.PENDING.value:
        return  # decided before the mail was written
    deciders = people_with_level(request.registered_model, level_of_request(request))
    facts = Facts(
        kind=kind,
        actor_id=activity.actor_id,
        requester_id=request.requester_id,
        decider_ids=deciders.values_list("pk", flat=True) if kind is Kind.REQUEST_CREATED else (),
    )
    told = audience(facts)
    people = User.objects.filter(pk__in=told, is_active=True).exclude(email="").order_by("pk")
    Mail.objects.bulk_create(
        [_mail(activity, request, person, told[person.pk]) for person in people], ignore_conflicts=True
    )


def _mail(activity: Activity, request: TransitionRequest, person: User, why: Why) -> Mail:
    template = "request_created" if why is Why.MAY_DECIDE else "request_decided"
    context = _context(activity, request, person)
    now = clock.now()
    return Mail(
        activity_id=activity.pk,
        recipient=person,
        address=person.email,
        subject=_subject(context, why)[:300],
        text=render_to_string(f"mail/{template}.txt", context).strip() + "\n",
        html=render_to_string(f"mail/{template}.html", context),
        thread=f"request.{request.registered_model_id}.{request.number}",
        created_at=now,
        due_at=now,
    )


def _subject(context: Mapping[str, Any], why: Why) -> str:
    move = "{model} version {version} to {to_stage}".format_map(context)
    if why is Why.MAY_DECIDE:
        return f"{context['actor']} asks to move {move}"
    return f"{context['verb'].capitalize()}: {move}"


def _context(activity: Activity, request: TransitionRequest, person: User) -> dict[str, Any]:
    model = request.registered_model.name
    actor = User.objects.filter(pk=activity.actor_id).first() if activity.actor_id else None
    return {
        "person": str(person),
        "actor": str(actor or activity.actor_name or "Podium"),
        "verb": _VERBS.get(Kind(activity.kind), ""),
        "model": model,
        "version": request.version,
        "number": request.number,
        "from_stage": request.from_stage,
        "to_stage": request.to_stage,
        "occupant": _fate_of_occupant(request),
        "comment": activity.comment,
        "link": f"{settings.PODIUM_SITE_URL}/models/{quote(model, safe='')}/requests/{request.number}",
        "site": settings.PODIUM_SITE_URL,
    }


def _fate_of_occupant(request: TransitionRequest) -> str:
    decision = OccupantDecision(request.occupant_decision)
    if decision is OccupantDecision.ARCHIVE:
        return f"Whatever is in {request.to_stage} then is archived."
    if decision is OccupantDecision.MOVE:
        return f"Whatever is in {request.to_stage} then moves to {request.occupant_to_stage}."
    return ""


# -- links that let people in ------------------------------------------------------------------------------------------
def mail_password_link(actor: Actor, *, asked: str, remote_address: str) -> None:
    """Somebody has forgotten the password of the person with this user name or address: mail a link, if there is one.

    Nothing tells whether there is: it is looked up later. Raises TooManyAttempts for somebody who asks again and again,
    InvalidParameter for what is too long for either.
    """
    attempt("password link", remote_address, most=10, within=300)
    if len(asked) > 254:
        raise InvalidParameter("That is too long for a user name or an address.", field="asked")
    PasswordWish.objects.create(asked=asked, created_at=clock.now())


def _grant_wishes() -> None:
    """Write the mails of those who have forgotten their password. A wish is gone with the transaction that does it."""
    for wish in PasswordWish.objects.order_by("pk")[:100]:
        with transaction.atomic():
            mine, _ = PasswordWish.objects.filter(pk=wish.pk).delete()
            for person in may_ask_for_password(wish.asked) if mine else ():
                lately = Mail.objects.filter(
                    recipient=person, link=LinkPurpose.PASSWORD, created_at__gt=clock.now() - timedelta(hours=1)
                )
                if lately.count() < PASSWORD_MAILS_AN_HOUR:
                    _mail_with_link(person, LinkPurpose.PASSWORD, "Set a new password for Podium").save()


def _mail_invitation(activity: Activity) -> None:
    person = User.objects.filter(pk=activity.data.get("user_id"), is_active=True).exclude(email="").first()
    if person is not None:
        inviter = User.objects.filter(pk=activity.actor_id).first() if activity.actor_id else None
        by = str(inviter or activity.actor_name)
        mail = _mail_with_link(person, LinkPurpose.INVITATION, f"{by} invites you to Podium", by=by)
        mail.activity_id = activity.pk
        Mail.objects.bulk_create([mail], ignore_conflicts=True)


def _mail_with_link(person: User, purpose: LinkPurpose, subject: str, *, by: str = "") -> Mail:
    lasts = ASKED_FOR_BY_MAIL_LASTS if purpose is LinkPurpose.PASSWORD else LASTS[purpose]
    now = clock.now()
    context = {
        "person": str(person),
        "username": person.username,
        "by": by,
        "link": LINK,
        "hours": lasts // timedelta(hours=1),
        "days": lasts.days,
        "site": settings.PODIUM_SITE_URL,
    }
    return Mail(
        recipient=person,
        address=person.email,
        subject=subject[:300],
        text=render_to_string(f"mail/{purpose.value}.txt", context).strip() + "\n",
        html=render_to_string(f"mail/{purpose.value}.html", context),
        link=purpose,
        created_at=now,
        due_at=now,
    )


# -- from mails to mailboxes -------------------------------------------------------------------------------------------
def send_due_mails(limit: int = 100) -> int:
    """Send mails that are due, oldest first, at most `limit`; returns how many were sent.

    A mail is claimed by a conditional update of its due time, so that two workers never send the same one, and one that
    a dead worker had claimed is sent after `LEASE`. What fails is tried again, ever later, and in the end given up.
    """
    _grant_wishes()
    sent = 0
    due = Mail.objects.filter(state=MailState.QUEUED, due_at__lte=clock.now()).order_by("due_at", "pk")
    for key, due_at in list(due.values_list("pk", "due_at")[:limit]):
        claim = Mail.objects.filter(pk=key, state=MailState.QUEUED, due_at=due_at)
        if not claim.update(due_at=clock.now() + LEASE, attempts=F("attempts") + 1):
            continue
        mail = Mail.objects.get(pk=key)
        try:
            _message(mail).send()
        except Conflict as error:
            Mail.objects.filter(pk=key).update(state=MailState.FAILED, error=error.message)
        except Exception as error:  # whatever a backend raises, the row must say so and be tried again
            _postpone(mail, error)
            if isinstance(error, OSError) and not isinstance(error, _REFUSED):
                break  # no server: the others would wait for it as long
        else:
            Mail.objects.filter(pk=key).update(state=MailState.SENT, sent_at=clock.now(), error="")
            sent += 1
    return sent


def _postpone(mail: Mail, error: Exception) -> None:
    delay = delay_after(mail.attempts)
    said = f"{type(error).__name__}: {error}"
    if delay is None:
        log.error("Mail %s to %s is given up after %s attempts (%s).", mail.pk, mail.address, mail.attempts, said)
        Mail.objects.filter(pk=mail.pk).update(state=MailState.FAILED, error=said)
    else:
        log.warning("Mail %s to %s was not sent (%s); it is tried again in %s.", mail.pk, mail.address, said, delay)
        Mail.objects.filter(pk=mail.pk).update(due_at=clock.now() + delay, error=said)


def _message(mail: Mail) -> EmailMultiAlternatives:
    """The message, with an id that is the same at every attempt, in the thread of its request, and with a fresh link if
    it is to have one. Raises Conflict where that has become pointless."""
    host = urlsplit(settings.PODIUM_SITE_URL).hostname or "localhost"
    headers = {"Message-ID": f"<mail.{mail.pk}@{host}>", "Auto-Submitted": "auto-generated"}
    if mail.thread:
        thread = f"<{mail.thread}@{host}>"
        headers |= {"In-Reply-To": thread, "References": thread}
    text, html = mail.text, mail.html
    if mail.link:
        purpose = LinkPurpose(mail.link)
        secret = mailed_link(mail.recipient_id, purpose, address=mail.address)
        link = f"{settings.PODIUM_SITE_URL}/{_PAGES_OF_LINKS[purpose]}/{secret}"
        text, html = text.replace(LINK, link), html.replace(LINK, link)
    message = EmailMultiAlternatives(subject=mail.subject, body=text, to=[mail.address], headers=headers)
    message.attach_alternative(html, "text/html")
    return message
