"""Webhooks: who is told of the registry, at least once, and at public addresses only."""

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.audit import outbox
from registry_site.audit.models import Activity
from registry_site.core import clock
from registry_site.core.errors import InvalidParameter, NotFound, PermissionDenied
from registry_site.registry.services import set_alias, set_version_tag
from registry_site.webhooks import client, deliveries
from registry_site.webhooks.deliveries import deliver_due
from registry_site.webhooks.events import Event
from registry_site.webhooks.fan_out import fan_out
from registry_site.webhooks.models import Delivery, DeliveryState, Webhook, WebhookStatus
from registry_site.webhooks.queries import get_webhook, list_webhooks
from registry_site.webhooks.retries import delay_after
from registry_site.webhooks.services import create_webhook, delete_webhook, try_webhook, update_webhook
from tests.bad_servers import Dripping
from tests.conftest import FrozenClock
from tests.make import make_model, make_version
from tests.receiver import Receiver, receiving

SECRET = "a secret that nobody may see"
PUBLIC = "https://8.8.8.8/hook"


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    with receiving() as server:
        settings.PODIUM_WEBHOOK_ALLOWED_HOSTS = [server.host]
        yield server


def hook(admin: Actor, receiver: Receiver, *events: Event, **options: Any) -> Webhook:
    named = {"name": "ci", "url": f"http://{receiver.host}/hook"} | options
    return create_webhook(admin, events=events or [Event.MODEL_VERSION_CREATED], **named)


def relay() -> int:
    return outbox.relay(fan_out)


# -- being told --------------------------------------------------------------------------------------------------------
def test_a_new_version_is_told_once_and_signed(admin_actor: Actor, maria_actor: Actor, receiver: Receiver) -> None:
    hook(admin_actor, receiver, secret=SECRET)
    make_model(maria_actor, "churn")
    make_version(maria_actor, "churn", tags={"team": "risk"})
    relay()
    assert deliver_due() == 1
    assert deliver_due() == 0
    [(headers, body)] = receiver.taken
    told = json.loads(body)
    assert (told["entity"], told["action"]) == ("model_version", "created")
    assert told["data"]["name"] == "churn"
    assert told["data"]["version"] == "1"
    assert told["data"]["tags"] == {"team": "risk"}
    signed = f"{headers['X-MLflow-Delivery-Id']}.{headers['X-MLflow-Timestamp']}.".encode() + body
    digest = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["X-MLflow-Signature"] == f"v1,{digest}"
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.response_status, delivery.attempts) == (DeliveryState.SUCCEEDED, 200, 1)


def test_a_webhook_is_told_of_what_it_asked_for_only(
    admin_actor: Actor, maria_actor: Actor, receiver: Receiver
) -> None:
    hook(admin_actor, receiver, Event.MODEL_VERSION_TAG_SET, Event.MODEL_VERSION_ALIAS_CREATED)
    make_model(maria_actor, "churn")
    make_version(maria_actor, "churn")
    set_version_tag(maria_actor, name="churn", version=1, key="team", value="risk")
    set_alias(maria_actor, name="churn", alias="champion", version=1)
    relay()
    deliver_due()
    assert receiver.told == ["model_version_tag.set", "model_version_alias.created"]


def test_prompts_are_told_as_prompts(admin_actor: Actor, maria_actor: Actor, receiver: Receiver) -> None:
    hook(admin_actor, receiver, Event.REGISTERED_MODEL_CREATED, Event.PROMPT_CREATED)
    make_model(maria_actor, "greeting", tags={"mlflow.prompt.is_prompt": "true"})
    relay()
    deliver_due()
    assert receiver.told == ["prompt.created"]


def test_a_disabled_webhook_is_told_nothing(admin_actor: Actor, maria_actor: Actor, receiver: Receiver) -> None:
    hook(admin_actor, receiver, Event.REGISTERED_MODEL_CREATED, status=WebhookStatus.DISABLED)
    make_model(maria_actor, "churn")
    relay()
    assert deliver_due() == 0
    assert not Delivery.objects.exists()


def test_to_fan_out_again_tells_nobody_twice(admin_actor: Actor, maria_actor: Actor, receiver: Receiver) -> None:
    hook(admin_actor, receiver, Event.REGISTERED_MODEL_CREATED)
    make_model(maria_actor, "churn")
    activities = list(Activity.objects.all())
    fan_out(activities)
    fan_out(activities)
    assert Delivery.objects.count() == 1


def test_without_webhooks_fanning_out_asks_one_question(
    maria_actor: Actor, django_assert_num_queries: Any, admin_actor: Actor
) -> None:
    make_model(maria_actor, "churn")
    activities: Sequence[Activity] = list(Activity.objects.all())
    with django_assert_num_queries(1):
        fan_out(activities)


# -- what goes wrong ---------------------------------------------------------------------------------------------------
def test_what_fails_is_tried_again_ever_later_with_the_same_id_and_in_the_end_given_up(
    admin_actor: Actor, maria_actor: Actor, receiver: Receiver, frozen_clock: FrozenClock
) -> None:
    hook(admin_actor, receiver, Event.REGISTERED_MODEL_CREATED)
    make_model(maria_actor, "churn")
    relay()
    receiver.status = 503
    attempts = 0
    while (delay := delay_after(attempts + 1)) is not None:
        assert deliver_due() == 0
        attempts += 1
        assert len(receiver.taken) == attempts
        deliver_due()
        assert len(receiver.taken) == attempts, "not before its time"
        frozen_clock.advance(seconds=delay.total_seconds() + 1)
    deliver_due()
    frozen_clock.advance(days=30)
    deliver_due()
    assert len(receiver.taken) == attempts + 1
    assert len({headers["X-MLflow-Delivery-Id"] for headers, _ in receiver.taken}) == 1
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.error) == (DeliveryState.FAILED, "It answered with 503.")


def test_a_receiver_that_comes_back_is_told_what_it_missed(
    admin_actor: Actor, maria_actor: Actor, receiver: Receiver, frozen_clock: FrozenClock
) -> None:
    hook(admin_actor, receiver, Event.REGISTERED_MODEL_CREATED)
    receiver.status = 500
    for name in ("a", "b", "c"):
        make_model(maria_actor, name)
    relay()
    deliver_due()
    receiver.status, receiver.taken = 204, []
    frozen_clock.advance(minutes=10)
    assert deliver_due() == 3
    assert sorted(json.loads(body)["data"]["name"] for _, body in receiver.taken) == ["a", "b", "c"]


def test_a_bad_receiver_holds_up_no_other(admin_actor: Actor, maria_actor: Actor, receiver: Receiver) -> None:
    hook(admin_actor, receiver, Event.REGISTERED_MODEL_CREATED)
    gone = hook(admin_actor, receiver, Event.REGISTERED_MODEL_CREATED, name="gone")
    Webhook.objects.filter(pk=gone.pk).update(url="https://127.0.0.1:1/")
    for name in ("a", "b"):
        make_model(maria_actor, name)
    relay()
    assert deliver_due() == 2
    assert Delivery.objects.filter(webhook=gone, state=DeliveryState.PENDING).count() == 2


def test_a_killed_worker_loses_no_delivery(
    admin_actor: Actor, maria_actor: Actor, receiver: Receiver, frozen_clock: FrozenClock
) -> None:
    hook(admin_actor, receiver, Event.REGISTERED_MODEL_CREATED)
    make_model(maria_actor, "churn")
    relay()
    claimed = list(deliveries._claimed())  # and then it dies
    assert len(claimed) == 1
    assert deliver_due() == 0, "somebody is at it"
    frozen_clock.advance(seconds=deliveries.LEASE.total_seconds() + 1)
    assert deliver_due() == 1


def test_a_worker_that_was_late_does_not_free_a_webhook_that_another_one_serves(
    admin_actor: Actor, maria_actor: Actor, receiver: Receiver
) -> None:
    hook(admin_actor, receiver, Event.REGISTERED_MODEL_CREATED)
    make_model(maria_actor, "churn")
    relay()
    make_model(maria_actor, "leavers")
    relay()
    [late] = deliveries._claimed()
    others = clock.now() + deliveries.LEASE + timedelta(hours=1)
    Webhook.objects.update(busy_until=others)
    sent: Future[client.Outcome] = Future()
    sent.set_result(client.Outcome(200, 1))
    gone_on: list[Any] = []
    deliveries._settle_first({sent: (late, late.waiting.popleft())}, gone_on.append)
    assert Webhook.objects.get().busy_until == others
    assert gone_on == [], "the other worker goes on with the rest"
    assert Delivery.objects.filter(state=DeliveryState.SUCCEEDED).count() == 1


def test_more_webhooks_than_are_served_at_once_are_all_told(
    admin_actor: Actor, maria_actor: Actor, receiver: Receiver
) -> None:
    for number in range(deliveries.AT_ONCE * 2 + 1):
        hook(admin_actor, receiver, Event.REGISTERED_MODEL_CREATED, name=f"ci{number}")
    make_model(maria_actor, "churn")
    relay()
    assert deliver_due() == deliveries.AT_ONCE * 2 + 1
    assert not Webhook.objects.exclude(busy_until=None).exists()


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Long: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
)
def test_an_answer_that_comes_in_drips_is_too_late(
    beginning: bytes, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "SECONDS", 1)
    with Dripping(beginning) as receiver:
        settings.PODIUM_WEBHOOK_ALLOWED_HOSTS = [receiver.host]
        outcome = client.send(f"http://{receiver.host}/", "{}", {})
    assert (outcome.succeeded, outcome.status, outcome.error) == (False, None, "It did not answer within 10 seconds.")
    assert 900 < outcome.duration_ms < 5000


# -- where deliveries may go -------------------------------------------------------------------------------------------
INSIDE = (
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://0.0.0.0/",
    "https://0/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.64.0.1/",
    "https://192.0.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://[::]/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:100.64.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b::169.254.169.254]/",
    "https://[64:ff9b:1::1]/",
    "https://[2002:7f00:1::]/",
    "https://[fd00::1]/",
    "https://[fe80::1]/",
    "https://[ff02::1]/",
    "https://[fec0::1]/",
    "https://[::127.0.0.1]/",
    "https://[::ffff:0:127.0.0.1]/",
    "https://localhost/",
)
ODD = (
    "http://8.8.8.8/",
    "ftp://8.8.8.8/",
    "file:///etc/passwd",
    "gopher://8.8.8.8/",
    "//8.8.8.8/",
    "8.8.8.8",
    "https://",
    "https:///path",
    "https://user:password@8.8.8.8/",
    "https://8.8.8.8@127.0.0.1/",
    "https://127.0.0.1\\@8.8.8.8/",
    "https://8.8.8.8#@127.0.0.1/",
    "https://１２７.0.0.1/",
    "https://ⓛocalhost/",
    "https://127。0。0。1/",
    "https://8.8.8.8:99999/",
    "https://8.8.8.8:0/",
    "https://8.8.8.8:port/",
    "https://[::1",
    "https://[fe80::1%25eth0]/",
    "https://8.8.8.8/\r\nX-Evil: 1",
    "https://8.8.8.8/\ta",
    "https://8.8.8.8/ a",
    "https://8.8.8.8/" + "a" * 2000,
    "javascript:alert(1)",
    "data:text/plain,a",
)


@pytest.mark.parametrize("url", [*INSIDE, *ODD])
def test_no_webhook_is_made_or_turned_to_an_address_inside(url: str, admin_actor: Actor) -> None:
    with pytest.raises(InvalidParameter, match="Invalid webhook URL"):
        create_webhook(admin_actor, name="ci", url=url, events=[Event.PROMPT_CREATED])
    good = create_webhook(admin_actor, name="ci", url=PUBLIC, events=[Event.PROMPT_CREATED])
    with pytest.raises(InvalidParameter, match="Invalid webhook URL"):
        update_webhook(admin_actor, webhook_id=good.webhook_id, url=url)
    assert Webhook.objects.get().url == PUBLIC


@pytest.mark.parametrize("url", INSIDE)
def test_what_leads_inside_by_now_is_refused_when_it_is_connected_to(url: str) -> None:
    outcome = client.send(url, "{}", {})
    assert (outcome.status, outcome.error) == (None, "The host is not a public one.")


def test_redirects_are_failures_and_nobody_follows_them(admin_actor: Actor, receiver: Receiver) -> None:
    receiver.status, receiver.headers = 307, {"Location": f"http://{receiver.host}/elsewhere"}
    found = hook(admin_actor, receiver)
    outcome = try_webhook(admin_actor, webhook_id=found.webhook_id)
    assert (outcome.succeeded, outcome.status) == (False, 307)
    assert len(receiver.taken) == 1


def test_of_a_redirect_no_more_is_read_than_of_any_answer(settings: Settings) -> None:
    beginning = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 1000000000\r\n\r\n"
    with Dripping(beginning, piece=bytes(1_000_000), pause=0) as receiver:
        settings.PODIUM_WEBHOOK_ALLOWED_HOSTS = [receiver.host]
        outcome = client.send(f"http://{receiver.host}/", "{}", {})
        receiver.thread.join()
    assert (outcome.succeeded, outcome.status) == (False, 302)
    assert receiver.sent < 50_000_000, "of the hundred; some stays with the machine, between the two"


def test_no_more_of_an_answer_is_read_than_a_little(admin_actor: Actor, receiver: Receiver) -> None:
    receiver.body = b"x" * 5_000_000
    found = hook(admin_actor, receiver)
    outcome = try_webhook(admin_actor, webhook_id=found.webhook_id)
    assert outcome.succeeded
    assert len(outcome.text) == client.ANSWER_AT_MOST


def test_only_the_allowed_port_of_an_allowed_host_is_reached(admin_actor: Actor, receiver: Receiver) -> None:
    with pytest.raises(InvalidParameter):
        create_webhook(admin_actor, name="ci", url="http://127.0.0.1:1/", events=[Event.PROMPT_CREATED])


@pytest.mark.parametrize(
    ("allowed", "url"),
    [
        ("CI.example", "http://ci.example/hook"),
        (" ci.example:8080", "http://CI.example:8080/hook"),
        ("ci_server", "https://ci_server/hook"),
        ("[::1]:8080", "http://[::1]:8080/hook"),
    ],
)
def test_an_allowed_host_may_be_written_in_any_way(allowed: str, url: str, settings: Settings) -> None:
    settings.PODIUM_WEBHOOK_ALLOWED_HOSTS = [allowed]
    assert client.validate_url(url) == url


def test_an_address_that_is_not_allowed_any_more_is_told_nothing_and_written_down_nowhere(
    admin_actor: Actor,
    maria_actor: Actor,
    receiver: Receiver,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    hook(admin_actor, receiver, Event.REGISTERED_MODEL_CREATED, url=f"http://{receiver.host}/hook?token=t0ps3cret")
    settings.PODIUM_WEBHOOK_ALLOWED_HOSTS = []
    make_model(maria_actor, "churn")
    relay()
    assert deliver_due() == 0
    assert receiver.taken == []
    assert Delivery.objects.get().error == "Its address is not one that is allowed any more."
    assert "not one that is allowed" in caplog.text
    assert "t0ps3cret" not in caplog.text


def test_nobody_waits_with_the_database_for_a_name_server(admin_actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def name_server(*question: Any, **options: Any) -> list[Any]:
        asked.append(len(connection.atomic_blocks))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 443))]

    monkeypatch.setattr(socket, "getaddrinfo", name_server)
    open_before = len(connection.atomic_blocks)
    found = create_webhook(admin_actor, name="ci", url="https://ci.example/", events=[Event.PROMPT_CREATED])
    update_webhook(admin_actor, webhook_id=found.webhook_id, url="https://other.example/")
    assert asked == [open_before, open_before]


# -- managing them -----------------------------------------------------------------------------------------------------
def test_a_test_sends_an_example_and_tells_what_came_of_it(admin_actor: Actor, receiver: Receiver) -> None:
    found = hook(admin_actor, receiver, Event.MODEL_VERSION_CREATED, status=WebhookStatus.DISABLED)
    outcome = try_webhook(admin_actor, webhook_id=found.webhook_id, event=Event.PROMPT_TAG_SET)
    assert (outcome.succeeded, outcome.status, outcome.text) == (True, 200, "thanks")
    assert receiver.told == ["prompt_tag.set"]


def test_webhooks_are_for_administrators(admin_actor: Actor, maria_actor: Actor, receiver: Receiver) -> None:
    found = hook(admin_actor, receiver)
    for attempt in (
        lambda: hook(maria_actor, receiver),
        lambda: update_webhook(maria_actor, webhook_id=found.webhook_id, name="mine"),
        lambda: delete_webhook(maria_actor, webhook_id=found.webhook_id),
        lambda: try_webhook(maria_actor, webhook_id=found.webhook_id),
        lambda: get_webhook(maria_actor, found.webhook_id),
        lambda: list_webhooks(maria_actor, registry_wide=True),
    ):
        with pytest.raises(PermissionDenied):
            attempt()
    assert list_webhooks(maria_actor).rows == []
    assert Webhook.objects.get().name == "ci"
    assert receiver.taken == []


def test_a_secret_is_encrypted_where_it_is_kept_and_in_no_history(
    admin_actor: Actor, receiver: Receiver, settings: Settings
) -> None:
    found = hook(admin_actor, receiver, secret=SECRET)
    update_webhook(admin_actor, webhook_id=found.webhook_id, secret=SECRET[::-1])
    with connection.cursor() as cursor:
        cursor.execute("SELECT encrypted_secret FROM webhooks_webhook")
        assert SECRET[::-1] not in str(cursor.fetchall())
    history = str(list(Activity.objects.values()))
    assert "webhook.updated" in history
    assert SECRET not in history
    assert SECRET[::-1] not in history
    assert "/hook" not in history, "a path may be as good as a password"


def test_an_old_secret_key_still_opens_secrets_and_a_lost_one_says_so(
    admin_actor: Actor, maria_actor: Actor, receiver: Receiver, settings: Settings
) -> None:
    hook(admin_actor, receiver, Event.REGISTERED_MODEL_CREATED, secret=SECRET)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    make_model(maria_actor, "a")
    relay()
    assert deliver_due() == 1
    settings.SECRET_KEY_FALLBACKS = []
    make_model(maria_actor, "b")
    relay()
    assert deliver_due() == 0
    assert "Set the secret again" in Delivery.objects.latest("pk").error
    tried = try_webhook(admin_actor, webhook_id=Webhook.objects.get().webhook_id)
    assert "Set the secret again" in tried.error
    assert len(receiver.taken) == 1


def test_a_change_keeps_what_is_not_named(admin_actor: Actor, receiver: Receiver) -> None:
    found = hook(admin_actor, receiver, secret=SECRET, description="d")
    changed = update_webhook(admin_actor, webhook_id=found.webhook_id, events=[Event.PROMPT_CREATED])
    assert (changed.name, changed.description, changed.url) == (found.name, "d", found.url)
    assert changed.encrypted_secret == found.encrypted_secret
    assert changed.events == ["prompt.created"]


@pytest.mark.parametrize("name", ["", "a b", "-a", "a-", "a/b", "x" * 64, "ä"])
def test_odd_names_are_refused(name: str, admin_actor: Actor) -> None:
    with pytest.raises(InvalidParameter, match="Webhook name"):
        create_webhook(admin_actor, name=name, url=PUBLIC, events=[Event.PROMPT_CREATED])


def test_what_was_deleted_is_gone_with_its_deliveries(
    admin_actor: Actor, maria_actor: Actor, receiver: Receiver
) -> None:
    found = hook(admin_actor, receiver, Event.REGISTERED_MODEL_CREATED)
    make_model(maria_actor, "churn")
    relay()
    delete_webhook(admin_actor, webhook_id=found.webhook_id)
    with pytest.raises(NotFound):
        get_webhook(admin_actor, found.webhook_id)
    assert deliver_due() == 0
    assert Activity.objects.filter(kind="webhook.deleted", subject="webhook ci").count() == 1
