"""Receivers and servers that do not do what they should: bounded, written down, tried again, and in nobody's way."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.audit import outbox
from registry_site.core import clock
from registry_site.webhooks import client
from registry_site.webhooks.deliveries import deliver_due
from registry_site.webhooks.events import Event
from registry_site.webhooks.fan_out import fan_out
from registry_site.webhooks.models import Delivery, DeliveryAttempt, DeliveryState, Webhook
from registry_site.webhooks.services import create_webhook
from tests.bad_servers import Dripping, Silent
from tests.live import free_port
from tests.make import make_model
from tests.receiver import Receiver, receiving

UNKNOWN_HOST = "gone.example"
LATE = "It did not answer within 10 seconds."
UNREACHABLE = "It could not be reached."


@pytest.fixture(autouse=True)
def short_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt has two seconds."""
    monkeypatch.setattr(client, "SECONDS", 2)


@pytest.fixture(autouse=True)
def name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that does not know a host that it knew before."""
    ask = socket.getaddrinfo

    def answer(host: Any, *arguments: Any, **options: Any) -> Any:
        if host == UNKNOWN_HOST:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return ask(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", answer)


@pytest.fixture
def bad_hosts() -> Iterator[dict[str, str]]:
    """Where to find them, by what is wrong with them."""
    with ExitStack() as stack:
        hanging = stack.enter_context(Silent())
        dripping = stack.enter_context(Dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n"))
        endless = stack.enter_context(
            Dripping(b"HTTP/1.1 500 Oh\r\nContent-Length: 1000000000\r\n\r\n", piece=bytes(1_000_000), pause=0)
        )
        redirecting = stack.enter_context(receiving())
        redirecting.status, redirecting.headers = 302, {"Location": "http://127.0.0.1/elsewhere"}
        yield {
            "refusing": f"127.0.0.1:{free_port()}",
            "unknown": UNKNOWN_HOST,
            "hanging": hanging.host,
            "dripping": dripping.host,
            "endless": endless.host,
            "redirecting": redirecting.host,
        }


SAID = {
    "refusing": (None, UNREACHABLE),
    "unknown": (None, UNREACHABLE),
    "hanging": (None, LATE),
    "dripping": (None, LATE),
    "endless": (500, "It answered with 500."),
    "redirecting": (302, "It answered with 302."),
}


@pytest.mark.django_db(transaction=True)
def test_each_is_bounded_written_down_and_tried_again_and_a_good_one_waits_for_none(
    bad_hosts: dict[str, str], admin_actor: Actor, maria_actor: Actor, settings: Settings
) -> None:
    with receiving(receiver=Noting) as good:
        settings.PODIUM_WEBHOOK_ALLOWED_HOSTS = [*bad_hosts.values(), good.host]
        for name, host in (bad_hosts | {"good": good.host}).items():
            create_webhook(admin_actor, name=name, url=f"http://{host}/", events=[Event.REGISTERED_MODEL_CREATED])
        make_model(maria_actor, "churn")
        outbox.relay(fan_out)
        started = time.monotonic()
        assert deliver_due() == 1
        took = time.monotonic() - started
        assert good.at[0] - started < 1.9, "before the bad ones have had their two seconds"
    assert 1.9 < took < 8, "all of them at once, each for two seconds at most"
    assert not Webhook.objects.exclude(busy_until=None).exists()
    for name, said in SAID.items():
        delivery = Delivery.objects.get(webhook__name=name)
        attempt = DeliveryAttempt.objects.get(delivery=delivery)
        assert (attempt.response_status, attempt.error) == said, name
        assert (delivery.state, delivery.attempts, delivery.error) == (DeliveryState.PENDING, 1, said[1]), name
        assert 0 < (delivery.due_at - clock.now()).total_seconds() <= 10
        assert attempt.duration_ms < 4000
        assert len(attempt.answer) <= 2000


class Noting(Receiver):
    """Notes when it was told."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.at: list[float] = []

    def process_request(self, request: Any, client_address: Any) -> None:
        self.at.append(time.monotonic())
        super().process_request(request, client_address)
