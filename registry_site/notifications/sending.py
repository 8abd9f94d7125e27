"""From mails to mailboxes."""

import logging
from datetime import timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F

from registry_site.accounts.links import mailed_link, may_ask_for_password
from registry_site.accounts.purposes import LinkPurpose
from registry_site.core import clock
from registry_site.core.errors import Conflict
from registry_site.notifications import letters
from registry_site.notifications.audience import Why
from registry_site.notifications.letters import LINK
from registry_site.notifications.models import Mail, MailState, PasswordWish
from registry_site.notifications.retries import delay_after
from registry_site.notifications.unsubscribing import unsubscribe_url

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=3)  # a worker that dies while it sends lets its claim lapse after this
PASSWORD_MAILS_AN_HOUR = 3  # to one person, whoever asks for them
_PAGES_OF_LINKS = {LinkPurpose.INVITATION: "invitation", LinkPurpose.PASSWORD: "new-password"}
_REFUSED = (SMTPRecipientsRefused, SMTPSenderRefused, SMTPDataError)  # of one mail; others may pass


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
    if mail.why:
        headers |= {
            "List-Unsubscribe": f"<{unsubscribe_url(mail.recipient_id, Why(mail.why))}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    text, html = mail.text, mail.html
    if mail.link:
        purpose = LinkPurpose(mail.link)
        secret = mailed_link(mail.recipient_id, purpose, address=mail.address)
        link = f"{settings.PODIUM_SITE_URL}/{_PAGES_OF_LINKS[purpose]}/{secret}"
        text, html = text.replace(LINK, link), html.replace(LINK, link)
    message = EmailMultiAlternatives(subject=mail.subject, body=text, to=[mail.address], headers=headers)
    message.attach_alternative(html, "text/html")
    return message


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
                    letters.with_link(person, LinkPurpose.PASSWORD, "Set a new password for Podium").save()
