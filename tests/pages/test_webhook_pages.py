"""Webhooks as people look after them in a browser without scripts, and at the governance desk."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.audit import outbox
from registry_site.webhooks.deliveries import deliver_due
from registry_site.webhooks.fan_out import fan_out
from registry_site.webhooks.models import Delivery, DeliveryState, Webhook, WebhookStatus
from registry_site.webhooks.secrets import decrypt
from tests.make import make_model
from tests.receiver import Receiver, receiving

pytestmark = pytest.mark.django_db
Pages = Callable[[User], Client]


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    with receiving() as server:
        settings.PODIUM_WEBHOOK_ALLOWED_HOSTS = [server.host]
        yield server


def text_of(page: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


def make(page: Client, receiver: Receiver, *, query: str = "format=standard", **sent: Any) -> Any:
    given = {"name": "ci", "url": f"http://{receiver.host}/hook", "all_events": "on"} | sent
    return page.post(f"/webhooks/new?{query}", given)


# -- making one --------------------------------------------------------------------------------------------------------
def test_an_administrator_chooses_a_format_and_makes_one_whose_secret_is_shown_once(
    admin_page: Client, receiver: Receiver
) -> None:
    assert "No webhook yet" in text_of(admin_page.get("/webhooks"))
    choice = text_of(admin_page.get("/webhooks/new"))
    for label in ("Standard Webhooks", "MLflow", "Databricks and Slack", "GitHub Actions"):
        assert label in choice
    form = admin_page.get("/webhooks/new?format=standard").content.decode()
    assert "request.created" in form
    made = make(admin_page, receiver)
    webhook = Webhook.objects.get()
    secret = decrypt(webhook.encrypted_secret)
    assert secret.startswith("whsec_")
    assert secret in made.content.decode()
    assert "no-store" in made.headers["Cache-Control"]
    assert secret not in admin_page.get(f"/webhooks/{webhook.webhook_id}").content.decode()
    listed = text_of(admin_page.get("/webhooks"))
    assert re.search(r"ci .* Active Standard Webhooks the whole registry all", listed), listed


def test_what_is_wrong_is_said_beside_the_field(admin_page: Client, receiver: Receiver) -> None:
    for sent, said in (
        ({"url": "http://8.8.8.8/"}, "it must begin with https://"),
        ({"name": "a b"}, "Webhook name"),
        ({"secret": "plain"}, "24 to 64 bytes"),
        ({"all_events": ""}, "Choose at least one event."),
        ({"all_events": "", "events": ["nothing"]}, "nothing is not one of the available choices"),
    ):
        answer = make(admin_page, receiver, **sent)
        assert answer.status_code == 422, sent
        assert said in text_of(answer)
    assert not Webhook.objects.exists()


def test_a_github_token_is_asked_for_and_never_shown(admin_page: Client, receiver: Receiver) -> None:
    url = f"http://{receiver.host}/repos/acme/serving/dispatches"
    without = make(admin_page, receiver, query="format=github_dispatch", url=url)
    assert without.status_code == 422
    made = make(admin_page, receiver, query="format=github_dispatch", url=url, secret="github_pat_123")
    webhook = Webhook.objects.get()
    assert made.headers["Location"] == f"/webhooks/{webhook.webhook_id}"
    page = admin_page.get(made.headers["Location"]).content.decode()
    assert "github_pat_123" not in page
    admin_page.post(f"/webhooks/{webhook.webhook_id}", {"deed": "rotate", "secret": "github_pat_456"})
    webhook.refresh_from_db()
    assert decrypt(webhook.encrypted_secret) == "github_pat_456"


# -- one of them -------------------------------------------------------------------------------------------------------
def test_it_is_edited_and_the_authorization_that_is_not_shown_stays(admin_page: Client, receiver: Receiver) -> None:
    make(admin_page, receiver, query="format=databricks", events=["COMMENT_CREATED"], authorization="Bearer secret-a")
    webhook = Webhook.objects.get()
    form = admin_page.get(f"/webhooks/{webhook.webhook_id}/edit").content.decode()
    assert "secret-a" not in form
    assert re.search(r'value="COMMENT_CREATED"[^>]*checked', form)
    sent = {"name": "slack", "url": webhook.url, "events": ["MODEL_VERSION_CREATED", "COMMENT_CREATED"]}
    assert admin_page.post(f"/webhooks/{webhook.webhook_id}/edit", sent).status_code == 302
    webhook.refresh_from_db()
    assert (webhook.name, webhook.events) == ("slack", ["MODEL_VERSION_CREATED", "COMMENT_CREATED"])
    assert decrypt(webhook.encrypted_authorization) == "Bearer secret-a"


def test_a_test_says_what_came_of_it(admin_page: Client, receiver: Receiver) -> None:
    make(admin_page, receiver)
    address = f"/webhooks/{Webhook.objects.get().webhook_id}"
    assert "The test was taken: it was answered with 200" in text_of(
        admin_page.post(address, {"deed": "test", "event": "request.created"})
    )
    assert receiver.bodies[0]["type"] == "request.created"
    receiver.status = 500
    assert "The test failed. It answered with 500." in text_of(admin_page.post(address, {"deed": "test"}))


def test_it_is_disabled_enabled_rotated_and_deleted(admin_page: Client, receiver: Receiver) -> None:
    make(admin_page, receiver)
    webhook = Webhook.objects.get()
    address = f"/webhooks/{webhook.webhook_id}"
    for deed, status in (("disable", WebhookStatus.DISABLED), ("enable", WebhookStatus.ACTIVE)):
        admin_page.post(address, {"deed": deed})
        webhook.refresh_from_db()
        assert webhook.status == status
    before = decrypt(webhook.encrypted_secret)
    shown = admin_page.post(address, {"deed": "rotate"}).content.decode()
    webhook.refresh_from_db()
    assert decrypt(webhook.encrypted_secret) in shown
    assert decrypt(webhook.encrypted_old_secret) == before
    assert admin_page.post(address, {"deed": "delete", "typed": "something"}).status_code == 422
    assert admin_page.post(address, {"deed": "nonsense"}).status_code == 400
    assert admin_page.post(address, {"deed": "delete", "typed": "ci"}).headers["Location"] == "/webhooks"
    assert not Webhook.objects.exists()


# -- deliveries --------------------------------------------------------------------------------------------------------
def test_deliveries_are_listed_with_their_attempts_and_sent_again(
    admin_page: Client, maria_actor: Actor, receiver: Receiver
) -> None:
    make(admin_page, receiver, all_events="", events=["model.created"])
    webhook = Webhook.objects.get()
    address = f"/webhooks/{webhook.webhook_id}"
    assert "Nothing was sent yet" in text_of(admin_page.get(address))
    make_model(maria_actor, "churn")
    outbox.relay(fan_out)
    receiver.status = 503
    deliver_due()
    listed = text_of(admin_page.get(address))
    assert re.search(r"model\.created .* Retrying 503", listed), listed
    assert "The last attempt failed." in listed
    assert "No delivery in this state" in text_of(admin_page.get(f"{address}?state=succeeded"))
    delivery = Delivery.objects.get()
    page = admin_page.get(f"/webhooks/deliveries/{delivery.delivery_id}")
    assert "It answered with 503." in text_of(page)
    assert "&quot;model.created&quot;" in page.content.decode()
    receiver.status = 200
    again = admin_page.post(f"/webhooks/deliveries/{delivery.delivery_id}", {"next": address})
    assert again.headers["Location"] == address
    deliver_due()
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.SUCCEEDED
    page = text_of(admin_page.get(f"/webhooks/deliveries/{delivery.delivery_id}"))
    assert "taken" in page
    assert "It answered with 503." in page


def test_the_list_of_deliveries_costs_as_much_for_many_as_for_few(
    admin_page: Client, maria_actor: Actor, receiver: Receiver, django_assert_max_num_queries: Any
) -> None:
    make(admin_page, receiver, all_events="", events=["model.created"])
    address = f"/webhooks/{Webhook.objects.get().webhook_id}"
    for number in range(60):
        make_model(maria_actor, f"model-{number}")
    outbox.relay(fan_out)
    with django_assert_max_num_queries(8):
        first = admin_page.get(address)
    assert text_of(first).count("model.created") > 49
    assert "page_token" in first.content.decode()
    with django_assert_max_num_queries(8):
        admin_page.get("/webhooks")


# -- of one model ------------------------------------------------------------------------------------------------------
def test_whoever_manages_a_model_makes_webhooks_for_it(
    maria_page: Client, maria_actor: Actor, jon: User, page_client: Pages, receiver: Receiver
) -> None:
    make_model(maria_actor, "a/b".replace("/", "-") + " c")
    address = "/models/a-b%20c/webhooks"
    assert "No webhook for this model yet" in text_of(maria_page.get(address))
    assert 'href="/webhooks/new?model=a-b%20c"' in maria_page.get(address).content.decode()
    made = make(maria_page, receiver, query="format=standard&model=a-b%20c")
    assert made.status_code == 200
    webhook = Webhook.objects.get()
    assert webhook.registered_model is not None
    assert "ci" in text_of(maria_page.get(address))
    assert "a-b c" in text_of(maria_page.get("/webhooks"))
    for method, path in (
        ("get", address),
        ("get", "/webhooks/new?model=a-b%20c"),
        ("get", f"/webhooks/{webhook.webhook_id}"),
        ("post", f"/webhooks/{webhook.webhook_id}"),
        ("get", f"/webhooks/{webhook.webhook_id}/edit"),
    ):
        assert getattr(page_client(jon), method)(path).status_code == 403, path
    assert "You manage no webhook" in text_of(page_client(jon).get("/webhooks"))
    assert "Webhooks" not in text_of(page_client(jon).get("/models/a-b%20c"))
    assert maria_page.get("/webhooks/new").status_code == 403
    gone = maria_page.post(f"/webhooks/{webhook.webhook_id}", {"deed": "delete", "typed": "ci"})
    assert gone.headers["Location"] == address
