"""From history to deliveries, and from deliveries to receivers."""

import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Q

from registry_site.audit.kinds import Kind
from registry_site.audit.models import Activity
from registry_site.core import clock
from registry_site.core.errors import PodiumError
from registry_site.registry.models import RegisteredModel
from registry_site.webhooks import client
from registry_site.webhooks.events import KINDS, Event, data_of, event_of
from registry_site.webhooks.models import Delivery, DeliveryState, Webhook, WebhookStatus
from registry_site.webhooks.retries import delay_after
from registry_site.webhooks.secrets import decrypt
from registry_site.webhooks.signing import body_of, headers_of

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)  # a worker that dies while it sends lets its claim lapse after this
AT_ONCE = 8  # webhooks that are served at the same time
IN_A_ROW = 50  # deliveries of one webhook
PATIENCE = 30  # seconds for all of these


# -- from history to deliveries ----------------------------------------------------------------------------------------
def fan_out(activities: Sequence[Activity]) -> None:
    """Write a delivery for every webhook that is to be told of these activities. To do it again changes nothing.

    Belongs into the transaction that takes the activities off the outbox.
    """
    news = [activity for activity in activities if activity.kind in KINDS]
    if not news:
        return
    webhooks = list(Webhook.objects.filter(status=WebhookStatus.ACTIVE))
    if not webhooks:
        return
    models = {activity.registered_model_id for activity in news if activity.registered_model_id is not None}
    prompts = set(RegisteredModel.objects.filter(pk__in=models, is_prompt=True).values_list("pk", flat=True))
    now = clock.now()
    Delivery.objects.bulk_create(
        [
            Delivery(webhook=webhook, activity_id=activity.pk, event=event.value, body=body, created_at=now, due_at=now)
            for activity in news
            if (event := event_of(Kind(activity.kind), is_prompt=activity.registered_model_id in prompts))
            and (told := [webhook for webhook in webhooks if event.value in webhook.events])
            and (body := _body(event, activity))
            for webhook in told
        ],
        ignore_conflicts=True,
    )


def _body(event: Event, activity: Activity) -> str:
    name = activity.subject.removeprefix("model ")
    if activity.version is not None:
        name = name.removesuffix(f" version {activity.version}")
    return body_of(event, data_of(event, name, activity.version, activity.data), activity.at)


# -- from deliveries to receivers --------------------------------------------------------------------------------------
def deliver_due() -> int:
    """Send what is due; returns how many deliveries were taken.

    A webhook is claimed by a conditional update, so that two workers never send to the same one, and the claim of a
    worker that died lapses after `LEASE`. Its deliveries go out one after the other, oldest first, until one fails;
    several webhooks are served at once, so that a receiver that is slow or gone holds up only what is for itself.
    """
    taken = 0
    with ThreadPoolExecutor(AT_ONCE) as threads:
        waiting = {threads.submit(_send, parcels): webhook for webhook, parcels in _claimed()}
        for future in as_completed(waiting):
            for delivery, outcome in future.result():
                taken += _settle(delivery, outcome)
            Webhook.objects.filter(pk=waiting[future].pk).update(busy_until=None)
    return taken


@dataclass(frozen=True, slots=True)
class _Parcel:
    """What a thread needs to send a delivery without the database."""

    delivery: Delivery
    url: str
    secret: str


def _claimed() -> Iterator[tuple[Webhook, list[_Parcel]]]:
    """Active webhooks that have due deliveries and nobody who sends them, claimed, with the oldest of these."""
    now = clock.now()
    due = Delivery.objects.filter(state=DeliveryState.PENDING, due_at__lte=now)
    free = Webhook.objects.filter(Q(busy_until=None) | Q(busy_until__lte=now), status=WebhookStatus.ACTIVE)
    for webhook in free.filter(pk__in=due.values("webhook")).order_by("pk"):
        if not free.filter(pk=webhook.pk).update(busy_until=now + LEASE):
            continue
        deliveries = list(due.filter(webhook=webhook).order_by("due_at", "pk")[:IN_A_ROW])
        try:
            secret = decrypt(webhook.encrypted_secret)
        except PodiumError as error:
            for delivery in deliveries:
                _settle(delivery, client.Outcome(None, 0, error.message))
            deliveries, secret = [], ""
        yield webhook, [_Parcel(delivery, webhook.url, secret) for delivery in deliveries]


def _send(parcels: Sequence[_Parcel]) -> list[tuple[Delivery, client.Outcome]]:
    """What came of sending these, up to the first that was not taken, and not much longer than `PATIENCE` seconds."""
    outcomes: list[tuple[Delivery, client.Outcome]] = []
    started = time.monotonic()
    for parcel in parcels:
        delivery = parcel.delivery
        headers = headers_of(delivery.delivery_id, delivery.body, parcel.secret, clock.now())
        outcome = client.send(parcel.url, delivery.body, headers)
        outcomes.append((delivery, outcome))
        if not outcome.succeeded or time.monotonic() - started > PATIENCE:
            break
    return outcomes


def _settle(delivery: Delivery, outcome: client.Outcome) -> bool:
    """Write down what came of an attempt, and when the next one is. Returns whether it was taken."""
    now = clock.now()
    values: dict[str, Any] = {
        "attempts": delivery.attempts + 1,
        "attempted_at": now,
        "duration_ms": outcome.duration_ms,
        "response_status": outcome.status,
        "error": outcome.error,
        "state": DeliveryState.SUCCEEDED,
    }
    if not outcome.succeeded:
        delay = delay_after(delivery.attempts + 1)
        values["state"] = DeliveryState.FAILED if delay is None else DeliveryState.PENDING
        values["due_at"] = now + (delay or timedelta())
        log.warning("Delivery %s to a webhook failed: %s", delivery.delivery_id, outcome.error)
    Delivery.objects.filter(pk=delivery.pk).update(**values)
    return outcome.succeeded
