"""What waits to be done in the background, what failed, and who is there to do it: for administrators."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q, QuerySet

from registry_site.accounts.actors import Actor
from registry_site.audit.models import OutboxEntry
from registry_site.core import clock
from registry_site.jobs.models import Worker
from registry_site.notifications.models import Mail, MailState
from registry_site.webhooks.models import Delivery, DeliveryState, Webhook, WebhookStatus

ALIVE = timedelta(seconds=30)  # three signs of life
LATELY = timedelta(days=7)
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Queue:
    """Rows of one kind: how many are due, since when the oldest of these, how many come later, how many failed."""

    name: str
    due: int
    oldest: datetime | None
    later: int
    failed: int


@dataclass(frozen=True, slots=True)
class Jobs:
    """All that a page needs. `mails` and `webhooks` are the last that failed, or are failing."""

    queues: Sequence[Queue]
    alive: Sequence[Worker]
    silent: Sequence[Worker]
    stuck: Sequence[OutboxEntry]
    mails: Sequence[Mail]
    webhooks: Sequence[Webhook]


def read_jobs(actor: Actor) -> Jobs:
    """The state of background work. Raises PermissionDenied for everybody but administrators."""
    actor.require_admin()
    now = clock.now()
    workers = list(Worker.objects.order_by("name"))
    lately = now - LATELY
    sent = Delivery.objects.filter(webhook__status=WebhookStatus.ACTIVE)
    troubled = Q(status=WebhookStatus.ACTIVE, failures_in_a_row__gt=0) | Q(parked_at__isnull=False)
    return Jobs(
        queues=[
            _queue("outbox", OutboxEntry.objects.all(), Q(), OutboxEntry.objects.filter(attempts__gt=1), now),
            _queue(
                "mails",
                Mail.objects.all(),
                Q(state=MailState.QUEUED),
                Mail.objects.filter(state=MailState.FAILED, created_at__gte=lately),
                now,
            ),
            _queue(
                "deliveries",
                sent,
                Q(state=DeliveryState.PENDING),
                Delivery.objects.filter(state=DeliveryState.FAILED, created_at__gte=lately),
                now,
            ),
        ],
        alive=[worker for worker in workers if now - worker.seen_at < ALIVE],
        silent=[worker for worker in workers if now - worker.seen_at >= ALIVE],
        stuck=list(OutboxEntry.objects.filter(attempts__gt=1).select_related("activity").order_by("pk")[:SHOWN]),
        mails=list(Mail.objects.filter(state=MailState.FAILED, created_at__gte=lately).order_by("-pk")[:SHOWN]),
        webhooks=list(Webhook.objects.filter(troubled).select_related("registered_model").order_by("-pk")[:SHOWN]),
    )


def _queue(name: str, rows: QuerySet, waiting: Q, failed: QuerySet, now: datetime) -> Queue:  # type: ignore[type-arg]
    is_due = Q(due_at__lte=now)
    found = rows.filter(waiting).aggregate(
        due=Count("pk", filter=is_due), oldest=Min("due_at", filter=is_due), later=Count("pk", filter=~is_due)
    )
    return Queue(name=name, failed=failed.count(), **found)
