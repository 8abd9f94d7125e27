"""What runs in the background. Every task may run twice, or at once on two machines: rows are claimed, not tasks."""

from datetime import timedelta

from django.contrib.sessions.backends.db import SessionStore

from registry_site.artifacts.store import default_store
from registry_site.audit import outbox
from registry_site.notifications import services as notifications
from registry_site.webhooks import deliveries
from registry_site.worker.app import app

BROKEN_UPLOADS_STAY = timedelta(days=1)


@app.task(name="podium.relay_outbox")
def relay_outbox() -> int:
    """Turn new history into mails to send and deliveries to make. Returns the number of entries done."""
    done = 0
    while batch := outbox.relay(notifications.fan_out, deliveries.fan_out):
        done += batch
    if done:
        send_mails.delay()
        deliver.delay()
    return done


@app.task(name="podium.send_mails")
def send_mails() -> int:
    """Send what is due. Returns the number of mails sent."""
    return notifications.send_due_mails()


@app.task(name="podium.deliver")
def deliver() -> int:
    """Tell webhooks what is due. Returns the number of deliveries that were taken."""
    done = 0
    while taken := deliveries.deliver_due():
        done += taken
    return done


@app.task(name="podium.keep_house")
def keep_house() -> None:
    """Take away what broken uploads and old sessions left."""
    default_store().sweep_incoming(BROKEN_UPLOADS_STAY)
    SessionStore.clear_expired()
