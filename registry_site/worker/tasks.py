"""What runs in the background. Every task may run twice, or at once on two machines: rows are claimed, not tasks."""

from datetime import timedelta
from threading import Lock

from django.contrib.sessions.backends.db import SessionStore

from registry_site.artifacts.store import default_store
from registry_site.audit import outbox
from registry_site.notifications.digests import write_due_digests
from registry_site.notifications.fan_out import fan_out as tell_people
from registry_site.notifications.sending import send_due_mails
from registry_site.notifications.services import forget_done_notifications
from registry_site.promotion import upkeep
from registry_site.registry import cleanup, manifests, scans
from registry_site.webhooks import deliveries
from registry_site.webhooks.fan_out import fan_out as tell_webhooks
from registry_site.webhooks.services import prune_deliveries
from registry_site.worker.app import app

BROKEN_UPLOADS_STAY = timedelta(days=1)
DONE_NOTIFICATIONS_STAY = timedelta(days=90)
LONG_WORK = 24 * 3600  # seconds; a model may be as large as a store holds
_at_failing_ones = Lock()
_at_mails = Lock()


@app.task(name="podium.relay_outbox")
def relay_outbox() -> int:
    """Turn new history into mails to send and deliveries to make. Returns the number of entries done."""
    done = 0
    while batch := outbox.relay(tell_people, tell_webhooks):
        done += batch
    if done:
        send_mails.delay()
        deliver.delay()
        inspect.delay()
    return done


@app.task(name="podium.deliver_to_failing")
def deliver_to_failing() -> int:
    """Tell webhooks whose last attempt failed, when their rest is over. Returns the number of deliveries taken.

    One thread of a process does it at a time, so that receivers that hang leave the others to those who are well.
    """
    if not _at_failing_ones.acquire(blocking=False):
        return 0
    try:
        return deliveries.deliver_due(failing=True)
    finally:
        _at_failing_ones.release()


@app.task(name="podium.send_mails")
def send_mails() -> int:
    """Send what is due. Returns the number of mails sent.

    One thread of a process does it at a time, so that a mail server that hangs leaves the others to the rest.
    """
    if not _at_mails.acquire(blocking=False):
        return 0
    try:
        return send_due_mails()
    finally:
        _at_mails.release()


@app.task(name="podium.write_digests")
def write_digests() -> int:
    """Write the daily mails that are due. Returns how many."""
    done = 0
    while written := write_due_digests():
        done += written
    return done


@app.task(name="podium.deliver")
def deliver() -> int:
    """Tell webhooks what is due, but for those whose last attempt failed. Returns the number of deliveries taken."""
    done = 0
    while taken := deliveries.deliver_due(failing=False):
        done += taken
    return done


@app.task(name="podium.inspect", time_limit=LONG_WORK, soft_time_limit=LONG_WORK)
def inspect() -> int:
    """Read the files of new versions and logged models, and those that somebody asks about. Returns how many were
    taken."""
    done = 0
    while taken := scans.work_on_scans() + manifests.work_on_manifests():
        done += taken
    return done


@app.task(name="podium.tend_requests")
def tend_requests() -> None:
    """Look again at requests that wait for something, close those that are too old, and remind of the others."""
    upkeep.settle_due()
    upkeep.expire_due()
    upkeep.remind_due()


@app.task(name="podium.keep_house")
def keep_house() -> None:
    """Take away what is left of broken uploads, old sessions, notifications that are long done, old deliveries, and
    artifacts of what was deleted long ago."""
    default_store().sweep_incoming(BROKEN_UPLOADS_STAY)
    SessionStore.clear_expired()
    forget_done_notifications(DONE_NOTIFICATIONS_STAY)
    prune_deliveries()
    cleanup.remove_what_is_due()
