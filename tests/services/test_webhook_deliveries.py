"""Deliveries of webhooks: every attempt is kept, a webhook that only fails is parked, and people send again."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.audit import outbox
from registry_site.audit.models import Activity
from registry_site.core.errors import Conflict, NotFound, PermissionDenied
from registry_site.notifications.fan_out import fan_out as tell_people
from registry_site.notifications.models import Mail
from registry_site.webhooks.deliveries import ANSWER_KEPT, deliver_due
from registry_site.webhooks.events import Event
from registry_site.webhooks.fan_out import fan_out
from registry_site.webhooks.models import Delivery, DeliveryAttempt, DeliveryState, Webhook, WebhookStatus
from registry_site.webhooks.queries import attempts_of, browse_deliveries, get_delivery
from registry_site.webhooks.services import create_webhook, prune_deliveries, send_again, update_webhook
from tests.conftest import FrozenClock
from tests.make import make_model
from tests.receiver import Receiver, receiving


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    with receiving() as server:
        settings.PODIUM_WEBHOOK_ALLOWED_HOSTS = [server.host]
        yield server


@pytest.fixture
def hook(admin_actor: Actor, receiver: Receiver) -> Webhook:
    return make_hook(admin_actor, receiver)


def make_hook(actor: Actor, receiver: Receiver, **options: Any) -> Webhook:
    named = {"name": "ci", "url": f"http://{receiver.host}/hook", "events": [Event.REGISTERED_MODEL_CREATED]}
    return create_webhook(actor, **(named | options))


def relay() -> int:
    return outbox.relay(fan_out, tell_people)


def let_it_fail(frozen_clock: FrozenClock) -> None:
    """Until it is given up."""
    for _ in range(12):
        deliver_due()
        frozen_clock.advance(hours=24, seconds=1)


# -- attempts ----------------------------------------------------------------------------------------------------------
def test_every_attempt_is_kept_with_what_came_of_it(
    hook: Webhook, admin_actor: Actor, maria_actor: Actor, receiver: Receiver, frozen_clock: FrozenClock
) -> None:
    make_model(maria_actor, "churn")
    relay()
    receiver.status, receiver.body = 503, b"come back later \0" + b"x" * 5000
    deliver_due()
    first_at = frozen_clock()
    frozen_clock.advance(seconds=11)
    receiver.status, receiver.body = 202, b"queued"
    assert deliver_due() == 1
    delivery = browse_deliveries(admin_actor, hook.webhook_id).rows[0]
    second, first = attempts_of(delivery)
    assert (first.at, first.response_status, first.error) == (first_at, 503, "It answered with 503.")
    assert first.answer.startswith("come back later x")
    assert len(first.answer) <= ANSWER_KEPT
    assert (second.response_status, second.error, second.answer) == (202, "", "queued")
    assert second.at == frozen_clock()
    assert 0 <= second.duration_ms < 5000
    assert (delivery.state, delivery.attempts, delivery.response_status) == (DeliveryState.SUCCEEDED, 2, 202)


def test_nobody_is_shown_what_a_public_host_answered(
    hook: Webhook, maria_actor: Actor, receiver: Receiver, settings: Settings
) -> None:
    settings.PODIUM_WEBHOOK_ALLOWED_HOSTS = []
    make_model(maria_actor, "churn")
    relay()
    deliver_due()
    assert DeliveryAttempt.objects.get().answer == ""


def test_a_webhook_that_failed_rests_and_keeps_the_order(
    hook: Webhook, maria_actor: Actor, receiver: Receiver, frozen_clock: FrozenClock
) -> None:
    for name in ("a", "b", "c"):
        make_model(maria_actor, name)
    relay()
    receiver.status = 500
    deliver_due()
    deliver_due()
    assert len(receiver.taken) == 1, "one attempt tells for all that the receiver is gone"
    receiver.status = 200
    frozen_clock.advance(seconds=11)
    assert deliver_due() == 3
    assert [body["data"]["name"] for body in receiver.bodies] == ["a", "a", "b", "c"]


def test_those_who_fail_and_those_who_are_well_take_separate_turns(
    hook: Webhook, admin_actor: Actor, maria_actor: Actor, receiver: Receiver
) -> None:
    bad = make_hook(admin_actor, receiver, name="bad")
    Webhook.objects.filter(pk=bad.pk).update(failures_in_a_row=1)
    make_model(maria_actor, "churn")
    relay()
    assert deliver_due(failing=False) == 1
    assert Delivery.objects.get(webhook=bad).state == DeliveryState.PENDING
    assert deliver_due(failing=True) == 1
    bad.refresh_from_db()
    assert bad.failures_in_a_row == 0


# -- parking -----------------------------------------------------------------------------------------------------------
def test_a_webhook_that_only_fails_is_parked_and_its_owner_is_told(
    hook: Webhook, admin: User, maria_actor: Actor, receiver: Receiver, frozen_clock: FrozenClock
) -> None:
    make_model(maria_actor, "churn")
    relay()
    receiver.status = 500
    let_it_fail(frozen_clock)
    hook.refresh_from_db()
    assert hook.status == WebhookStatus.DISABLED
    assert hook.parked_at is not None
    assert len(receiver.taken) == 10
    activity = Activity.objects.get(kind="webhook.parked")
    assert (activity.actor_name, activity.subject) == ("podium", "webhook ci")
    relay()
    mail = Mail.objects.get()
    assert mail.recipient == admin
    assert mail.subject == "The webhook ci is disabled: it has failed for days"
    assert "It answered with 500." in mail.text
    assert f"/webhooks/{hook.webhook_id}" in mail.text
    assert "/hook\n" not in mail.text, "its address may hold a token"


def test_of_a_parked_webhook_whose_owner_left_those_who_manage_are_told(
    admin: User, maria_actor: Actor, maria: User, receiver: Receiver, frozen_clock: FrozenClock
) -> None:
    make_model(maria_actor, "churn")
    made = make_hook(maria_actor, receiver, model="churn", events=[Event.MODEL_VERSION_TAG_SET])
    Webhook.objects.filter(pk=made.pk).update(events=[Event.REGISTERED_MODEL_CREATED])
    relay()
    receiver.status = 500
    let_it_fail(frozen_clock)
    type(maria).objects.filter(pk=maria.pk).update(is_active=False)
    relay()
    assert [mail.recipient for mail in Mail.objects.all()] == [admin]
    assert "webhook ci of the model churn" in Mail.objects.get().text


def test_a_webhook_that_takes_other_deliveries_is_not_parked(
    hook: Webhook, maria_actor: Actor, receiver: Receiver, frozen_clock: FrozenClock
) -> None:
    make_model(maria_actor, "churn")
    relay()
    receiver.status = 500
    for _ in range(9):
        deliver_due()
        frozen_clock.advance(hours=25)
    Delivery.objects.update(due_at=frozen_clock() + timedelta(hours=1))
    make_model(maria_actor, "leavers")
    relay()
    receiver.status = 200
    assert deliver_due() == 1
    frozen_clock.advance(hours=25)
    receiver.status = 500
    deliver_due()
    hook.refresh_from_db()
    assert sorted(Delivery.objects.values_list("state", flat=True)) == [DeliveryState.FAILED, DeliveryState.SUCCEEDED]
    assert hook.status == WebhookStatus.ACTIVE


def test_a_parked_webhook_that_is_enabled_is_told_what_waited(
    hook: Webhook, admin_actor: Actor, maria_actor: Actor, receiver: Receiver, frozen_clock: FrozenClock
) -> None:
    make_model(maria_actor, "churn")
    relay()
    receiver.status = 500
    for _ in range(9):
        deliver_due()
        frozen_clock.advance(hours=25)
    make_model(maria_actor, "leavers")
    relay()
    deliver_due()
    receiver.status, receiver.taken = 200, []
    assert deliver_due() == 0
    enabled = update_webhook(admin_actor, webhook_id=hook.webhook_id, status=WebhookStatus.ACTIVE)
    assert (enabled.parked_at, enabled.failures_in_a_row) == (None, 0)
    assert deliver_due() == 1
    assert receiver.bodies[0]["data"]["name"] == "leavers"


# -- sending again -----------------------------------------------------------------------------------------------------
def test_a_delivery_is_sent_again_with_the_same_id_and_body(
    hook: Webhook, admin_actor: Actor, maria_actor: Actor, receiver: Receiver
) -> None:
    make_model(maria_actor, "churn")
    relay()
    deliver_due()
    delivery = Delivery.objects.get()
    again = send_again(admin_actor, delivery_id=delivery.delivery_id)
    assert (again.state, again.attempts) == (DeliveryState.PENDING, 0)
    assert deliver_due() == 1
    (first_headers, first), (second_headers, second) = receiver.taken
    assert first == second
    assert first_headers["X-MLflow-Delivery-Id"] == second_headers["X-MLflow-Delivery-Id"] == delivery.delivery_id
    assert len(attempts_of(delivery)) == 2
    assert Activity.objects.get(kind="webhook.sent_again").data["delivery_id"] == delivery.delivery_id


def test_one_that_was_given_up_is_sent_again_and_tried_for_as_long(
    hook: Webhook, admin_actor: Actor, maria_actor: Actor, receiver: Receiver, frozen_clock: FrozenClock
) -> None:
    make_model(maria_actor, "churn")
    relay()
    receiver.status = 500
    let_it_fail(frozen_clock)
    delivery_id = Delivery.objects.get().delivery_id
    with pytest.raises(Conflict, match="enable it"):
        send_again(admin_actor, delivery_id=delivery_id)
    update_webhook(admin_actor, webhook_id=hook.webhook_id, status=WebhookStatus.ACTIVE)
    send_again(admin_actor, delivery_id=delivery_id)
    deliver_due()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.due_at) == (DeliveryState.PENDING, frozen_clock() + timedelta(seconds=10))


def test_deliveries_are_for_those_who_manage_the_webhook(
    hook: Webhook, maria_actor: Actor, eve_actor: Actor, receiver: Receiver
) -> None:
    make_model(maria_actor, "churn")
    relay()
    [delivery] = Delivery.objects.all()
    for attempt in (
        lambda: browse_deliveries(maria_actor, hook.webhook_id),
        lambda: get_delivery(maria_actor, delivery.delivery_id),
        lambda: send_again(maria_actor, delivery_id=delivery.delivery_id),
    ):
        with pytest.raises(PermissionDenied):
            attempt()
    with pytest.raises(NotFound, match="old ones are removed"):
        get_delivery(maria_actor, "nothing")


# -- pruning -----------------------------------------------------------------------------------------------------------
def test_old_deliveries_go_with_their_attempts_and_what_is_due_stays(
    hook: Webhook, admin_actor: Actor, maria_actor: Actor, receiver: Receiver, frozen_clock: FrozenClock,
    settings: Settings,
) -> None:  # fmt: skip
    settings.PODIUM_WEBHOOK_DELIVERIES_KEPT_DAYS = 7
    make_model(maria_actor, "old")
    relay()
    deliver_due()
    frozen_clock.advance(days=6)
    make_model(maria_actor, "waits")
    relay()
    assert prune_deliveries() == 0
    frozen_clock.advance(days=2)
    assert prune_deliveries() == 1
    assert not DeliveryAttempt.objects.exists()
    frozen_clock.advance(days=30)
    assert prune_deliveries() == 0, "somebody still waits for it"
    update_webhook(admin_actor, webhook_id=hook.webhook_id, status=WebhookStatus.DISABLED)
    assert prune_deliveries() == 1
