"""Taking entries off the outbox. Rows are the truth; a nudge only says that it may be worth a look now."""

import logging
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models import F

from registry_site.audit.models import Activity, OutboxEntry
from registry_site.core import clock

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
_nudge: Callable[[], None] | None = None


def set_nudge(function: Callable[[], None] | None) -> None:
    """What to call after a commit that left entries (the worker sets it where there is a broker)."""
    global _nudge
    _nudge = function


def nudge() -> None:
    """Tell the worker, if it can be told. A broker that does not answer costs nothing but time: the sweep comes by."""
    if _nudge is not None:
        try:
            _nudge()
        except Exception as error:  # a change that is committed must not fail for want of a broker, whatever it raises
            log.warning("The broker could not be told of new work (%s); the sweep will find it.", error)


def relay(fan_out: Callable[[Activity], None], *, limit: int = 100) -> int:
    """Hand due entries to `fan_out`, oldest first, each in a transaction that also deletes its entry.

    An entry is claimed by a conditional update of its due time, so two workers never hold the same one; a worker that
    dies lets its claim lapse after `LEASE`. Returns the number of entries done. `fan_out` only writes rows.
    """
    done = 0
    due = OutboxEntry.objects.filter(due_at__lte=clock.now()).order_by("pk").values_list("pk", "due_at")[:limit]
    for key, due_at in list(due):
        claimed = OutboxEntry.objects.filter(pk=key, due_at=due_at).update(
            due_at=clock.now() + LEASE, attempts=F("attempts") + 1
        )
        if not claimed:
            continue
        try:
            with transaction.atomic():
                fan_out(OutboxEntry.objects.select_related("activity").get(pk=key).activity)
                OutboxEntry.objects.filter(pk=key).delete()
            done += 1
        except Exception:
            log.exception("Outbox entry %s could not be fanned out; it is tried again in %s.", key, LEASE)
    return done
