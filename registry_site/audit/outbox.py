"""Taking entries off the outbox. Rows are the truth; a nudge only says that it may be worth a look now."""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import F

from registry_site.audit.models import Activity, OutboxEntry
from registry_site.core import clock

log = logging.getLogger(__name__)

FanOut = Callable[[Sequence[Activity]], None]
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


def relay(*fan_outs: FanOut, limit: int = 100) -> int:
    """Hand due entries to each of `fan_outs`, oldest first, in one transaction that also deletes the entries.

    Entries are claimed by a conditional update of their due time, so two workers never hold the same one; a worker that
    dies lets its claims lapse after `LEASE`. Where they cannot be fanned out together, each is tried by itself, so that
    one bad entry holds up no other. Returns the number of entries done. A `FanOut` only writes rows.
    """
    now = clock.now()
    due = OutboxEntry.objects.filter(due_at__lte=now).order_by("pk")[:limit]
    keys = list(due.values_list("pk", flat=True))
    if not keys:
        return 0
    with transaction.atomic():
        # What another worker claims at this moment is skipped, or (on SQLite) was committed before.
        free = OutboxEntry.objects.filter(pk__in=keys, due_at__lte=now)
        claimed = list(free.select_for_update(skip_locked=True).values_list("pk", flat=True).order_by("pk"))
        OutboxEntry.objects.filter(pk__in=claimed).update(due_at=now + LEASE, attempts=F("attempts") + 1)
    try:
        return _hand_over(fan_outs, claimed)
    except Exception:
        log.exception("%s outbox entries could not be fanned out together; each is tried by itself.", len(claimed))
    done = 0
    for key in claimed:
        try:
            done += _hand_over(fan_outs, [key])
        except Exception:
            log.exception("Outbox entry %s could not be fanned out; it is tried again in %s.", key, LEASE)
    return done


@transaction.atomic
def _hand_over(fan_outs: Sequence[FanOut], keys: Sequence[int]) -> int:
    activities = list(Activity.objects.filter(outboxentry__in=keys).order_by("pk"))
    for fan_out in fan_outs:
        fan_out(activities)
    OutboxEntry.objects.filter(pk__in=keys).delete()
    return len(keys)
