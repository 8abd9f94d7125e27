"""From deliveries to receivers, whatever is killed in between."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q

from registry_site.accounts.actors import system
from registry_site.audit.kinds import Kind, Origin
from registry_site.audit.record import record
from registry_site.core import clock
from registry_site.core.errors import PodiumError
from registry_site.registry.locking import lock_model
from registry_site.webhooks import client
from registry_site.webhooks.formats import Format, headers_of
from registry_site.webhooks.models import Delivery, DeliveryAttempt, DeliveryState, Webhook, WebhookStatus
from registry_site.webhooks.retries import delay_after, rest_after
from registry_site.webhooks.secrets import decrypt
from registry_site.webhooks.subjects import subject_of, told_of

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=5)  # a worker that dies while it sends lets its claim lapse after this
RENEWED = 1.0  # seconds after which a worker that lives renews its claims
AT_ONCE = 8  # webhooks that are served at the same time
IN_A_ROW = 50  # deliveries of one webhook
PATIENCE = 30  # seconds for all of these
ANSWER_KEPT = 2000  # characters


# -- taking turns ------------------------------------------------------------------------------------------------------
@dataclass(slots=True)
class _Turn:
    """A webhook that is served, what is due for it, oldest first, and the delivery that is on its way."""

    webhook: Webhook
    waiting: deque[Delivery]
    started: float = field(default_factory=time.monotonic)

    def goes_on(self) -> bool:
        return bool(self.waiting) and time.monotonic() - self.started < PATIENCE


def deliver_due(*, failing: bool | None = None) -> int:
    """Send what is due; returns how many deliveries were taken.

    A webhook is claimed by a conditional update when its turn has come, so that two workers never send to the same one.
    The claim is short and renewed while the worker lives. Its deliveries go out one after the other, oldest first, each
    written down before the next one, until one fails; then the webhook rests. Several webhooks are served at once.
    With `failing`, only those whose last attempt failed are served, or only the others: a receiver that is slow or gone
    takes no turn of one that is well.
    """
    taken = 0
    served: dict[Future[client.Outcome], tuple[_Turn, Delivery]] = {}
    with ThreadPoolExecutor(AT_ONCE) as threads:

        def send_next(turn: _Turn) -> None:
            delivery = turn.waiting.popleft()
            sending = threads.submit(attempt, turn.webhook, delivery.delivery_id, delivery.body)
            served[sending] = (turn, delivery)

        claimed = _claimed(failing)
        for turn in claimed:
            send_next(turn)
            while len(served) == AT_ONCE:
                taken += _settle_first(served, send_next)
        while served:
            taken += _settle_first(served, send_next)
    return taken


def attempt(webhook: Webhook, delivery_id: str, body: str) -> client.Outcome:
    """Sign the body and send it once. Needs no database, and never raises for what the other side does."""
    now = clock.now()
    try:
        secrets = [decrypt(webhook.encrypted_secret)] if webhook.encrypted_secret else []
        if webhook.encrypted_old_secret and webhook.old_secret_until and now < webhook.old_secret_until:
            secrets.append(decrypt(webhook.encrypted_old_secret))
        authorization = decrypt(webhook.encrypted_authorization)
    except PodiumError as error:
        return client.Outcome(None, 0, error.message)
    headers = headers_of(Format(webhook.format), delivery_id, body, secrets, now, authorization=authorization)
    return client.send(webhook.url, body, headers)


def _claimed(failing: bool | None = None) -> Iterator[_Turn]:
    """Active webhooks that have due deliveries, nobody who sends them and no rest, each claimed, with the oldest."""
    now = clock.now()
    due = Delivery.objects.filter(state=DeliveryState.PENDING, due_at__lte=now)
    active = Webhook.objects.filter(status=WebhookStatus.ACTIVE)
    rested = active.filter(Q(rests_until=None) | Q(rests_until__lte=now), pk__in=due.values("webhook"))
    if failing is not None:
        rested = rested.filter(failures_in_a_row__gt=0) if failing else rested.filter(failures_in_a_row=0)
    for key in rested.order_by("failures_in_a_row", "pk").values_list("pk", flat=True):
        now = clock.now()
        free = active.filter(Q(busy_until=None) | Q(busy_until__lte=now), pk=key)
        if not free.update(busy_until=now + LEASE):
            continue
        webhook = Webhook.objects.filter(pk=key).first()
        if webhook is None:
            continue
        due_now = due.filter(webhook=key, due_at__lte=now).order_by("activity_id", "pk")
        if waiting := deque(due_now[:IN_A_ROW]):
            yield _Turn(webhook, waiting)
        else:
            _free(webhook)


def _renew(webhook: Webhook) -> bool:
    """Keep the claim. False when it is lost: it had lapsed, or the webhook is disabled or gone by now."""
    until = clock.now() + LEASE
    mine = Webhook.objects.filter(pk=webhook.pk, busy_until=webhook.busy_until, status=WebhookStatus.ACTIVE)
    if not mine.update(busy_until=until):
        return False
    webhook.busy_until = until
    return True


def _free(webhook: Webhook) -> None:
    Webhook.objects.filter(pk=webhook.pk, busy_until=webhook.busy_until).update(busy_until=None)


# -- what came of it ---------------------------------------------------------------------------------------------------
_Served = dict[Future[client.Outcome], tuple[_Turn, Delivery]]


def _settle_first(served: _Served, send_next: Callable[[_Turn], None]) -> int:
    """Wait for those that are served first, write down what came of it, and go on or free them. Returns the number
    of deliveries taken. Meanwhile the claims of all are renewed."""
    taken = 0
    for future in wait(served, timeout=RENEWED, return_when=FIRST_COMPLETED).done:
        turn, delivery = served.pop(future)
        outcome = future.result()
        _settle(turn.webhook, delivery, outcome)
        taken += outcome.succeeded
        if outcome.succeeded and turn.goes_on() and _renew(turn.webhook):
            send_next(turn)
        else:
            _free(turn.webhook)
    for turn, _ in served.values():
        if turn.webhook.busy_until and turn.webhook.busy_until - clock.now() < LEASE - timedelta(seconds=RENEWED):
            _renew(turn.webhook)
    return taken


def _settle(webhook: Webhook, delivery: Delivery, outcome: client.Outcome) -> None:
    """Write down an attempt and what came of it, and when the next one is."""
    now = clock.now()
    attempts = delivery.attempts + 1
    delay = delay_after(attempts)
    is_given_up = not outcome.succeeded and delay is None
    state = DeliveryState.SUCCEEDED
    if not outcome.succeeded:
        state = DeliveryState.FAILED if is_given_up else DeliveryState.PENDING
        log.warning("Delivery %s to a webhook failed: %s", delivery.delivery_id, outcome.error)
    with transaction.atomic():
        is_there = Delivery.objects.filter(pk=delivery.pk).update(
            state=state,
            attempts=attempts,
            attempted_at=now,
            due_at=delivery.due_at if outcome.succeeded else now + (delay or timedelta()),
            duration_ms=outcome.duration_ms,
            response_status=outcome.status,
            error=outcome.error,
        )
        if not is_there:  # its webhook was deleted meanwhile
            return
        DeliveryAttempt.objects.create(
            delivery=delivery,
            at=now,
            duration_ms=outcome.duration_ms,
            response_status=outcome.status,
            error=outcome.error,
            answer=outcome.text.replace("\0", "")[:ANSWER_KEPT],
        )
        itself = Webhook.objects.filter(pk=webhook.pk)
        if not outcome.succeeded:
            rests_until = now + rest_after(webhook.failures_in_a_row + 1)
            itself.update(failures_in_a_row=F("failures_in_a_row") + 1, rests_until=rests_until)
        elif webhook.failures_in_a_row:
            itself.update(failures_in_a_row=0, rests_until=None)
            webhook.failures_in_a_row = 0
    if is_given_up:
        _park(webhook, delivery)


@transaction.atomic
def _park(webhook: Webhook, delivery: Delivery) -> None:
    """Disable a webhook that has taken nothing since this delivery was made, and put that into history, which tells
    its owner."""
    since = webhook.deliveries.filter(state=DeliveryState.SUCCEEDED, attempted_at__gte=delivery.created_at)
    if since.exists():
        return
    if webhook.registered_model is not None:
        lock_model(webhook.registered_model.name)
    now = clock.now()
    active = Webhook.objects.filter(pk=webhook.pk, status=WebhookStatus.ACTIVE)
    if active.update(status=WebhookStatus.DISABLED, parked_at=now, last_updated_timestamp=clock.to_ms(now)):
        record(
            system(Origin.TASK),
            Kind.WEBHOOK_PARKED,
            subject_of(webhook),
            comment=delivery.error,
            **told_of(webhook),
            owner_id=webhook.created_by_id,
        )
