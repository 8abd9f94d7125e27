"""Background work, as administrators see it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.audit import outbox
from registry_site.audit.models import OutboxEntry
from registry_site.jobs.models import Worker
from registry_site.jobs.services import say_alive, say_goodbye
from registry_site.notifications.fan_out import fan_out
from registry_site.notifications.models import Mail, MailState
from registry_site.promotion.services import request_transition
from registry_site.registry.stages import Stage
from tests.conftest import FrozenClock
from tests.make import make_version

pytestmark = pytest.mark.django_db


def text_of(page: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


def test_what_waits_is_counted_and_how_long(
    admin_page: Client, maria_actor: Actor, jon: User, frozen_clock: FrozenClock
) -> None:
    assert "Due now" in text_of(admin_page.get("/govern/jobs"))
    make_version(maria_actor)
    waiting = OutboxEntry.objects.count()
    frozen_clock.advance(minutes=7)
    page = text_of(admin_page.get("/govern/jobs"))
    assert re.search(rf"News to pass on from history to mails and webhooks {waiting} 2026-03-02 0 0", page), page
    assert "Work is waiting and no worker is alive." in page


def test_workers_are_alive_while_they_say_so(admin_page: Client, frozen_clock: FrozenClock) -> None:
    say_alive("one:1", frozen_clock())
    say_alive("two:2", frozen_clock())
    frozen_clock.advance(seconds=31)
    say_alive("two:2", frozen_clock())
    page = text_of(admin_page.get("/govern/jobs"))
    assert "1 alive" in page
    assert re.search(r"two:2 Active .* one:1 Inactive", page), page
    say_goodbye("one:1")
    frozen_clock.advance(days=1, seconds=1)
    say_alive("three:3", frozen_clock())
    assert [worker.name for worker in Worker.objects.all()] == ["three:3"]


def test_failures_are_listed_with_the_reason(
    admin_page: Client, maria_actor: Actor, jon: User, frozen_clock: FrozenClock
) -> None:
    make_version(maria_actor)
    request_transition(maria_actor, name="churn", version=1, to_stage=Stage.PRODUCTION)
    outbox.relay(fan_out)
    Mail.objects.update(state=MailState.FAILED, error="550 no such user")
    make_version(maria_actor)
    OutboxEntry.objects.update(attempts=3, due_at=frozen_clock() + timedelta(minutes=1))
    page = text_of(admin_page.get("/govern/jobs"))
    assert "550 no such user" in page
    assert "It could not be passed on in 3 attempts" in page
    assert "version.created" in page
    assert re.search(r"Mails to people 0 – 0 [12]", page), page


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "There is no broker"),
        ("redis://:secret@broker:6379/0", "Redis tells the workers"),
        ("amqp://guest:secret@broker//", "RabbitMQ tells the workers"),
    ],
)
def test_the_page_says_what_brings_the_work(address: str, said: str, admin_page: Client, settings: Settings) -> None:
    settings.CELERY_BROKER_URL = address
    page = text_of(admin_page.get("/govern/jobs"))
    assert said in page
    assert "secret" not in page


def test_it_costs_the_same_whatever_waits(
    admin_page: Client, maria_actor: Actor, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        make_version(maria_actor)
    with django_assert_max_num_queries(14):
        admin_page.get("/govern/jobs")
