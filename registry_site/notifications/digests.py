"""The daily mail: what somebody wants to hear of, but not at once."""

from datetime import datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from django.db import transaction

from registry_site.accounts.levels import Level
from registry_site.core import clock
from registry_site.notifications import letters
from registry_site.notifications.models import Notification
from registry_site.registry.access import people_with_level

HOUR = time(8)  # of whoever gets it
PEOPLE_AT_ONCE = 100


def next_digest(now: datetime, time_zone: str) -> datetime:
    """The next time that it is eight o'clock there."""
    there = now.astimezone(ZoneInfo(time_zone))
    today = datetime.combine(there.date(), HOUR, there.tzinfo)
    return today if today > there else datetime.combine(there.date() + timedelta(days=1), HOUR, there.tzinfo)


def write_due_digests() -> int:
    """Write the daily mails that are due; returns how many. What was done meanwhile on the site is left out.

    The mail and the mark that it is written are one transaction: whatever is killed, nobody gets it twice or never.
    """
    due = Notification.objects.filter(digest_at__lte=clock.now())
    people = list(due.order_by("recipient_id").values_list("recipient_id", flat=True).distinct()[:PEOPLE_AT_ONCE])
    return sum(_write_digest(person) for person in people)


@transaction.atomic
def _write_digest(person: int) -> bool:
    due = Notification.objects.filter(recipient_id=person, digest_at__lte=clock.now()).select_for_update(of=("self",))
    rows = list(due.select_related("recipient", "activity", "registered_model").order_by("registered_model", "pk"))
    Notification.objects.filter(pk__in=[row.pk for row in rows]).update(digest_at=None)
    told = [
        (model, [row.activity for row in found])
        for model, found in groupby((row for row in rows if row.done_at is None), key=lambda row: row.registered_model)
        if model is not None and people_with_level(model, Level.CAN_READ).filter(pk=person).exists()
    ]
    if not told or not rows[0].recipient.email:
        return False
    letters.digest(rows[0].recipient, told).save()
    return True
