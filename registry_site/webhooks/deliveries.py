"""From history to deliveries, and from deliveries to receivers."""

import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
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

_Sent = tuple[Delivery, client.Outcome]


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

    A webhook is claimed by a conditional update when its turn has come, so that two workers never send to the same one,
    and the claim of a worker that died lapses after `LEASE`. Its deliveries go out one after the other, oldest first,
    until one fails; several webhooks are served at once, so that a receiver that is slow or gone holds up only what is
    for itself.
    """
    taken = 0
    served: dict[Future[list[_Sent]], Webhook] = {}
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for webhook, deliveries in _claimed():
            served[threads.submit(_send, webhook, deliveries)] = webhook
            if len(served) == AT_ONCE:
                taken += _settle_first(served)
        while served:
            taken += _settle_first(served)
    return taken


def attempt(webhook: Webhook, delivery_id: str, body: str) -> client.Outcome:
    """Sign the body and send it once. Needs no database, and never raises for what the other side does."""
    try:
        secret = decrypt(webhook.encrypted_secret)
    except PodiumError as error:
        return client.Outcome(None, 0, error.message)
    return client.send(webhook.url, body, headers_of(delivery_id, body, secret, clock.now()))


def _claimed() -> Iterator[tuple[Webhook, list[Delivery]]]:
    """Active webhooks that have due deliveries and nobody who sends them, each claimed, with the oldest of these."""
    due = Delivery.objects.filter(state=DeliveryState.PENDING, due_at__lte=clock.now())
    active = Webhook.objects.filter(status=WebhookStatus.ACTIVE)
    for webhook in active.filter(pk__in=due.values("webhook")).order_by("pk"):
        now = clock.now()
        webhook.busy_until = now + LEASE
        free = active.filter(Q(busy_until=None) | Q(busy_until__lte=now), pk=webhook.pk)
        if free.update(busy_until=webhook.busy_until):
            yield webhook, list(due.filter(webhook=webhook).order_by("due_at", "pk")[:IN_A_ROW])


def _send(webhook: Webhook, deliveries: Sequence[Delivery]) -> list[_Sent]:
    """What came of sending these, up to the first that was not taken, and not much longer than `PATIENCE` seconds."""
    sent: list[_Sent] = []
    started = time.monotonic()
    for delivery in deliveries:
        outcome = attempt(webhook, delivery.delivery_id, delivery.body)
        sent.append((delivery, outcome))
        if not outcome.succeeded or time.monotonic() - started > PATIENCE:
            break
    return sent


def _settle_first(served: dict[Future[list[_Sent]], Webhook]) -> int:
    """Wait for the webhooks that are served first, write down what came of it, free them. Returns the number taken."""
    taken = 0
    for future in wait(served, return_when=FIRST_COMPLETED).done:
        webhook = served.pop(future)
        for delivery, outcome in future.result():
            taken += _settle(delivery, outcome)
        Webhook.objects.filter(pk=webhook.pk, busy_until=webhook.busy_until).update(busy_until=None)
    return taken


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
