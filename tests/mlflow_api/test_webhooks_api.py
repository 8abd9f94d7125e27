"""Webhooks over the protocol, as MLflow's client manages them."""

import pytest

from registry_site.accounts.models import User
from registry_site.webhooks.models import Webhook
from tests.doors import Api

CREATED = {"entity": "MODEL_VERSION", "action": "CREATED"}


@pytest.fixture
def admin_api(api: Api, admin: User) -> Api:
    """The administrator's client."""
    return api.as_(admin)


def make(admin_api: Api, **arguments: object) -> dict[str, object]:
    body = {"name": "ci", "url": "https://8.8.8.8/hook", "events": [CREATED]} | arguments
    found: dict[str, object] = admin_api.post("webhooks", body).json()["webhook"]
    return found


def test_a_secret_is_never_sent_back(admin_api: Api) -> None:
    made = make(admin_api, secret="known to two")
    answers = [
        admin_api.get(f"webhooks/{made['webhook_id']}"),
        admin_api.get("webhooks"),
        admin_api.patch(f"webhooks/{made['webhook_id']}", {"secret": "another that is known to two"}),
    ]
    assert [b"known" in answer.content for answer in answers] == [False, False, False]


def test_they_are_listed_newest_first_in_pages(admin_api: Api) -> None:
    for name in ("a", "b", "c"):
        make(admin_api, name=name)
    first = admin_api.get("webhooks", {"max_results": 2}).json()
    assert [one["name"] for one in first["webhooks"]] == ["c", "b"]
    rest = admin_api.get("webhooks", {"max_results": 2, "page_token": first["next_page_token"]}).json()
    assert rest == {"webhooks": [make_as_listed(Webhook.objects.get(name="a"), admin_api)]}
    assert len(admin_api.get("webhooks", {"max_results": 0}).json()["webhooks"]) == 3


def make_as_listed(webhook: Webhook, admin_api: Api) -> dict[str, object]:
    found: dict[str, object] = admin_api.get(f"webhooks/{webhook.webhook_id}").json()["webhook"]
    return found


def test_a_status_that_nobody_knows_changes_nothing(admin_api: Api) -> None:
    made = make(admin_api, status="RESTING")
    assert made["status"] == "ACTIVE"
    assert make(admin_api, status=2)["status"] == "DISABLED"
    changed = admin_api.patch(f"webhooks/{made['webhook_id']}", {"status": "FOO"}).json()["webhook"]
    assert changed["status"] == "ACTIVE"


def test_what_is_absent_stays_and_events_are_replaced(admin_api: Api) -> None:
    made = make(admin_api, description="tells CI")
    tag = {"entity": "MODEL_VERSION_TAG", "action": "SET"}
    changed = admin_api.patch(f"webhooks/{made['webhook_id']}", {"events": [tag]}).json()["webhook"]
    assert (changed["events"], changed["description"], changed["url"]) == ([tag], "tells CI", "https://8.8.8.8/hook")
    untouched = admin_api.patch(f"webhooks/{made['webhook_id']}", {"events": []}).json()["webhook"]
    assert untouched["events"] == [tag]


def test_a_test_that_fails_is_an_answer_and_no_error(admin_api: Api) -> None:
    made = make(admin_api)
    Webhook.objects.update(url="https://127.0.0.1/")
    answer = admin_api.post(f"webhooks/{made['webhook_id']}/test", {"event": CREATED})
    assert answer.status_code == 200
    assert answer.json() == {"result": {"success": False, "error_message": "The host is not a public one."}}


def test_an_action_that_an_entity_does_not_have_is_named(admin_api: Api) -> None:
    wrong = {"entity": "MODEL_VERSION", "action": "SET"}
    answer = admin_api.post("webhooks", {"name": "ci", "url": "https://8.8.8.8/", "events": [wrong]})
    assert answer.json() == {
        "error_code": "INVALID_PARAMETER_VALUE",
        "message": "Invalid action 'set' for entity 'model_version'. Valid actions are: ['created']",
    }
