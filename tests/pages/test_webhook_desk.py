"""Webhooks and their deliveries at the governance desk: through the services, with history, and without secrets."""

import re
from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.audit import outbox
from registry_site.audit.models import Activity
from registry_site.webhooks.deliveries import deliver_due
from registry_site.webhooks.fan_out import fan_out
from registry_site.webhooks.models import Delivery, Webhook, WebhookStatus
from registry_site.webhooks.services import create_webhook, update_webhook
from tests.make import make_model
from tests.receiver import Receiver, receiving

pytestmark = pytest.mark.django_db

HOOKS, DELIVERIES = "/admin/webhooks/webhook/", "/admin/webhooks/delivery/"


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    with receiving() as server:
        settings.PODIUM_WEBHOOK_ALLOWED_HOSTS = [server.host]
        yield server


@pytest.fixture
def hook(admin_actor: Actor, receiver: Receiver) -> Webhook:
    return create_webhook(
        admin_actor,
        name="ci",
        url=f"http://{receiver.host}/hook?key=t0ps3cret",
        events=["registered_model.created"],
        secret="known to two people",
        authorization="Bearer of news",
    )


@pytest.fixture
def desk(admin: User, page_client: Callable[[User], Client]) -> Client:
    """The administrator's browser."""
    return page_client(admin)


def choose(desk: Client, url: str, action: str, *keys: int) -> str:
    """What the desk says after an action on these rows."""
    answer = desk.post(url, {"action": action, "_selected_action": keys}, follow=True)
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def history() -> list[tuple[str, str]]:
    return list(Activity.objects.filter(origin="admin").order_by("pk").values_list("kind", "subject"))


def test_a_new_one_is_made_on_its_page(desk: Client, receiver: Receiver) -> None:
    answer = desk.get(f"{HOOKS}add/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/webhooks/new")
    assert desk.post(f"{HOOKS}add/", {"name": "past the services"}).status_code == 302
    assert not Webhook.objects.exists()


def test_it_is_changed_through_the_services_and_leads_to_its_page(desk: Client, hook: Webhook) -> None:
    url = f"{HOOKS}{hook.pk}/change/"
    assert f'<a href="/webhooks/{hook.webhook_id}">' in desk.get(url).content.decode()
    form = {"name": "build", "description": "d", "events": '["model_version.created"]', "status": "DISABLED"}
    assert desk.post(url, form | {"url": "http://10.0.0.1/"}).status_code == 302
    changed = Webhook.objects.get()
    assert (changed.name, changed.events, changed.status) == ("build", ["model_version.created"], "DISABLED")
    assert (changed.url, changed.encrypted_secret) == (hook.url, hook.encrypted_secret)
    assert history() == [("webhook.updated", "webhook build")]


@pytest.mark.parametrize("wrong", [{"events": '["nothing"]'}, {"events": "[]"}, {"name": "a b"}])
def test_what_the_services_refuse_changes_nothing(wrong: dict[str, str], desk: Client, hook: Webhook) -> None:
    form = {"name": "build", "description": "", "events": '["model_version.created"]', "status": "ACTIVE"}
    assert desk.post(f"{HOOKS}{hook.pk}/change/", form | wrong).status_code in (200, 400)
    assert Webhook.objects.get().name == "ci"
    assert history() == []


def test_no_page_there_shows_a_secret_or_an_address(desk: Client, hook: Webhook, maria_actor: Actor) -> None:
    make_model(maria_actor, "churn")
    outbox.relay(fan_out)
    deliver_due()
    for url in (HOOKS, f"{HOOKS}{hook.pk}/change/", DELIVERIES, f"{DELIVERIES}{Delivery.objects.get().pk}/change/"):
        page = desk.get(url).content.decode()
        for secret in ("t0ps3cret", "known to two", "Bearer of news", hook.encrypted_secret):
            assert secret not in page, url


def test_it_is_disabled_enabled_tested_and_deleted_there(desk: Client, hook: Webhook, receiver: Receiver) -> None:
    assert "Disabled: ci" in choose(desk, HOOKS, "disable_chosen", hook.pk)
    assert Webhook.objects.get().status == "DISABLED"
    assert "Enabled: ci" in choose(desk, HOOKS, "enable_chosen", hook.pk)
    assert "The test of ci was taken: it was answered with 200." in choose(desk, HOOKS, "test_chosen", hook.pk)
    assert receiver.told == ["registered_model.created"]
    receiver.status = 500
    assert "The test of ci failed. It answered with 500." in choose(desk, HOOKS, "test_chosen", hook.pk)
    assert "Are you sure" in desk.get(f"{HOOKS}{hook.pk}/delete/").content.decode()
    assert desk.post(f"{HOOKS}{hook.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Webhook.objects.exists()
    assert history() == [(f"webhook.{did}", "webhook ci") for did in ("updated", "updated", "deleted")]


def test_several_are_deleted_at_once_with_what_they_were_told(
    desk: Client, hook: Webhook, admin_actor: Actor, maria_actor: Actor
) -> None:
    make_model(maria_actor, "churn")
    outbox.relay(fan_out)
    assert "Are you sure" in choose(desk, HOOKS, "delete_selected", hook.pk)
    answer = desk.post(HOOKS, {"action": "delete_selected", "_selected_action": [hook.pk], "post": "yes"})
    assert answer.status_code == 302
    assert not Webhook.objects.exists()
    assert not Delivery.objects.exists()
    assert history() == [("webhook.deleted", "webhook ci")]


def test_deliveries_are_sent_again_and_refusals_say_why(
    desk: Client, hook: Webhook, admin_actor: Actor, maria_actor: Actor, receiver: Receiver
) -> None:
    make_model(maria_actor, "churn")
    outbox.relay(fan_out)
    assert deliver_due() == 1
    delivery = Delivery.objects.get()
    page = desk.get(f"{DELIVERIES}{delivery.pk}/change/").content.decode()
    assert "thanks" in page, "every attempt is there, with what came of it"
    assert desk.post(f"{DELIVERIES}{delivery.pk}/change/", {"state": "pending"}).status_code == 403
    said = choose(desk, DELIVERIES, "send_again_chosen", delivery.pk)
    assert "Sent again: registered_model.created for ci" in said
    assert deliver_due() == 1
    first, second = receiver.taken
    assert first[0]["X-MLflow-Delivery-Id"] == second[0]["X-MLflow-Delivery-Id"]
    update_webhook(admin_actor, webhook_id=hook.webhook_id, status=WebhookStatus.DISABLED)
    assert "enable it, and send again." in choose(desk, DELIVERIES, "send_again_chosen", delivery.pk)
    assert history() == [("webhook.sent_again", "webhook ci")]
