"""What runs in the background. Every task may run twice, or at once on two machines: rows are claimed, not tasks."""

from datetime import timedelta

from django.contrib.sessions.backends.db import SessionStore

from registry_site.artifacts.store import default_store
from registry_site.audit import outbox
from registry_site.notifications.services import fan_out, send_due_mails
from registry_site.worker.app import app

BROKEN_UPLOADS_STAY = timedelta(days=1)


@app.task(name="podium.relay_outbox")
def relay_outbox() -> int:
    """Turn new history into mails to send. Returns the number of entries done."""
    done = 0
    while batch := outbox.relay(fan_out):
        done += batch
    if done:
        send_mails.delay()
    return done


@app.task(name="podium.send_mails")
def send_mails() -> int:
    """Send what is due. Returns the number of mails sent."""
    return send_due_mails()


@app.task(name="podium.keep_house")
def keep_house() -> None:
    """Take away what broken uploads and old sessions left."""
    default_store().sweep_incoming(BROKEN_UPLOADS_STAY)
    SessionStore.clear_expired()
