"""The native API: webhooks in every format, their deliveries, and background work."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.audit import outbox
from registry_site.webhooks.deliveries import deliver_due
from registry_site.webhooks.fan_out import fan_out
from tests.api.test_people_api import problem
from tests.doors import Api
from tests.make import make_model
from tests.receiver import Receiver, receiving


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    with receiving() as server:
        settings.PODIUM_WEBHOOK_ALLOWED_HOSTS = [server.host]
        yield server


def test_a_webhook_from_its_making_to_its_end(api: Api, maria_actor: Actor, jon: User, receiver: Receiver) -> None:
    make_model(maria_actor, "churn")
    url = f"http://{receiver.host}/hook"
    made = api.post("/api/v1/webhooks", {"name": "ci", "url": url, "events": ["*"], "model": "churn"})
    assert made.status_code == 201
    webhook, secret = made.json()["webhook"], made.json()["secret"]
    assert secret.startswith("whsec_")
    assert (webhook["format"], webhook["model"], webhook["is_signed"]) == ("standard", "churn", True)
    address = f"/api/v1/webhooks/{webhook['id']}"
    assert api.get(address).json() == webhook
    assert api.get("/api/v1/webhooks", {"model": "churn"}).json() == {"webhooks": [webhook], "next_page_token": ""}
    changed = api.patch(address, {"status": "DISABLED", "events": ["version.created"]}).json()
    assert (changed["status"], changed["events"], changed["name"]) == ("DISABLED", ["version.created"], "ci")
    rotated = api.post(f"{address}/secret", {}).json()["secret"]
    assert rotated not in ("", secret)
    tried = api.post(f"{address}/test", {"event": "request.created"}).json()
    assert (tried["succeeded"], tried["response_status"], tried["answer"]) == (True, 200, "thanks")
    assert api.as_(jon).get("/api/v1/webhooks").json()["webhooks"] == []
    assert api.delete(address).status_code == 204
    assert problem(api.get(address))[:2] == (404, "RESOURCE_DOES_NOT_EXIST")


def test_deliveries_are_read_and_sent_again(api: Api, admin: User, maria_actor: Actor, receiver: Receiver) -> None:
    admins = api.as_(admin)
    given = {"name": "ci", "url": f"http://{receiver.host}/", "events": ["model.created"]}
    made = admins.post("/api/v1/webhooks", given).json()["webhook"]
    make_model(maria_actor, "churn")
    outbox.relay(fan_out)
    receiver.status = 500
    deliver_due()
    address = f"/api/v1/webhooks/{made['id']}/deliveries"
    [listed] = admins.get(address, {"state": "pending"}).json()["deliveries"]
    assert (listed["event"], listed["attempts"], listed["response_status"]) == ("model.created", 1, 500)
    whole = admins.get(f"/api/v1/deliveries/{listed['id']}").json()
    assert [each["error"] for each in whole["tries"]] == ["It answered with 500."]
    assert '"model.created"' in whole["body"]
    again = admins.post(f"/api/v1/deliveries/{listed['id']}/send-again").json()
    assert (again["id"], again["state"], again["attempts"]) == (listed["id"], "pending", 0)
    receiver.status = 200
    assert deliver_due() == 1
    assert admins.get(address, {"state": "succeeded"}).json()["deliveries"][0]["id"] == listed["id"]
    admins.patch(f"/api/v1/webhooks/{made['id']}", {"status": "DISABLED"})
    assert problem(admins.post(f"/api/v1/deliveries/{listed['id']}/send-again"))[0] == 409


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"url": "http://8.8.8.8/"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"events": []}, "events"),
        ({"events": ["nothing"]}, "events"),
        ({"format": "morse"}, "format"),
        ({"secret": "short"}, "secret"),
        ({"status": "RESTING"}, "status"),
        ({"name": "a b"}, "name"),
        ({"authorization": "a\nb"}, "authorization"),
    ],
)
def test_what_is_wrong_is_named(wrong: dict[str, object], field: str, api: Api, admin: User) -> None:
    given = {"name": "ci", "url": "https://8.8.8.8/", "events": ["model.created"]} | wrong
    answer = api.as_(admin).post("/api/v1/webhooks", given)
    assert answer.status_code == 400
    assert answer.json()["field"] == field


def test_background_work_is_for_administrators(api: Api, admin: User, maria_actor: Actor) -> None:
    make_model(maria_actor, "churn")
    assert problem(api.get("/api/v1/jobs"))[:2] == (403, "PERMISSION_DENIED")
    found = api.as_(admin).get("/api/v1/jobs").json()
    assert [queue["name"] for queue in found["queues"]] == ["outbox", "mails", "deliveries"]
    assert found["queues"][0]["due"] == 1
    assert found["workers"] == []
