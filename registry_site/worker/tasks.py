"""What runs in the background. Every task may run twice, or at once on two machines: rows are claimed, not tasks."""

from datetime import timedelta

from django.contrib.sessions.backends.db import SessionStore

from registry_site.artifacts.store import default_store
from registry_site.audit import outbox
from registry_site.notifications.digests import write_due_digests
from registry_site.notifications.fan_out import fan_out as tell_people
from registry_site.notifications.sending import send_due_mails
from registry_site.notifications.services import forget_done_notifications
from registry_site.webhooks import deliveries
from registry_site.worker.app import app

BROKEN_UPLOADS_STAY = timedelta(days=1)
DONE_NOTIFICATIONS_STAY = timedelta(days=90)


@app.task(name="podium.relay_outbox")
def relay_outbox() -> int:
    """Turn new history into mails to send and deliveries to make. Returns the number of entries done."""
    done = 0
    while batch := outbox.relay(tell_people, deliveries.fan_out):
        done += batch
    if done:
        send_mails.delay()
        deliver.delay()
    return done


@app.task(name="podium.send_mails")
def send_mails() -> int:
    """Send what is due. Returns the number of mails sent."""
    return send_due_mails()


@app.task(name="podium.write_digests")
def write_digests() -> int:
    """Write the daily mails that are due. Returns how many."""
    done = 0
    while written := write_due_digests():
        done += written
    return done


@app.task(name="podium.deliver")
def deliver() -> int:
    """Tell webhooks what is due. Returns the number of deliveries that were taken."""
    done = 0
    while taken := deliveries.deliver_due():
        done += taken
    return done


@app.task(name="podium.keep_house")
def keep_house() -> None:
    """Take away what broken uploads, old sessions and notifications that are long done left."""
    default_store().sweep_incoming(BROKEN_UPLOADS_STAY)
    SessionStore.clear_expired()
    forget_done_notifications(DONE_NOTIFICATIONS_STAY)
