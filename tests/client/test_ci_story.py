"""A promotion that waits for continuous integration, over HTTP: Maria asks, Jon approves, and CI has the last word."""

import re
from typing import Any

import pytest
import requests

from registry_site.accounts.levels import Level
from tests.live import Podium

pytestmark = pytest.mark.slow
NAME = "late-trains"
MODEL = f"/api/v1/models/{NAME}"
VERSION = f"{MODEL}/versions/1"
PASSWORD = "correct horse battery staple"
CI_TEST = {"type": "check", "key": "ci/test"}


class Person:
    """Somebody with a token."""

    def __init__(self, podium: Podium, name: str) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {podium.token(name)}"
        self._url = podium.url

    def get(self, path: str) -> Any:
        return self._done(self._session.get(self._url + path, timeout=30))

    def post(self, path: str, **body: object) -> Any:
        return self._done(self._session.post(self._url + path, json=body, timeout=30))

    def put(self, path: str, **body: object) -> Any:
        return self._done(self._session.put(self._url + path, json=body, timeout=30))

    @staticmethod
    def _done(answer: requests.Response) -> Any:
        assert answer.status_code in (200, 201), answer.text
        return answer.json()


def page(podium: Podium, name: str, path: str) -> str:
    """What somebody who signs in with a password reads on a page."""
    with requests.Session() as browser:
        browser.trust_env = False
        form = browser.get(f"{podium.url}/sign-in", timeout=30).text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
        assert token is not None
        filled = {"csrfmiddlewaretoken": token[1], "username": name, "password": PASSWORD, "next": path}
        headers = {"Referer": f"{podium.url}/sign-in", "Origin": podium.url}
        answer = browser.post(f"{podium.url}/sign-in", data=filled, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        assert answer.url == podium.url + path
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def test_an_approved_request_waits_for_ci_which_applies_it_and_reports_where_it_was_deployed(podium: Podium) -> None:
    podium.create_user("trainer", password=PASSWORD)
    podium.create_user("approver", level=Level.CAN_MANAGE_PRODUCTION_VERSIONS)
    podium.create_user("ci-bot", level=Level.CAN_EDIT)
    maria, jon, ci = (Person(podium, name) for name in ("trainer", "approver", "ci-bot"))
    maria.post("/api/2.0/mlflow/registered-models/create", name=NAME)
    maria.post("/api/2.0/mlflow/model-versions/create", name=NAME, source="s3://bucket/late-trains")
    maria.put(f"{MODEL}/policies/Production", protected=True, when_occupied="ask", gates=[CI_TEST])

    def stage() -> str:
        found = maria.get(f"/api/2.0/mlflow/model-versions/get?name={NAME}&version=1")
        said: str = found["model_version"]["current_stage"]
        return said

    def kinds(kind: str) -> list[dict[str, Any]]:
        lines = maria.get(f"{MODEL}/activities?max_results=100")["activities"]
        return [line for line in lines if line["kind"] == kind]

    # Asked and approved, it waits for the check, whose name and state the request says.
    asked = maria.post(f"{MODEL}/requests", version=1, to_stage="Production", comment="Half the size.")
    assert (asked["number"], asked["state"]) == (1, "pending")
    assert jon.post(f"{MODEL}/requests/1/reviews", verdict="approve", comment="Good work.")["state"] == "pending"
    (gate,) = maria.get(f"{MODEL}/requests/1")["standing"]["gates"]
    assert (gate["state"], gate["reason"]) == ("pending", "ci/test has not reported yet.")
    assert stage() == "None"

    # A run that fails keeps it pending, however often CI says so.
    failed = {"check": "ci/test", "external_id": "run-1", "state": "failed", "summary": "2 of 12 tests failed"}
    for _retry in range(2):
        ci.post(f"{VERSION}/checks", **failed, link="https://ci.example/1")
    standing = maria.get(f"{MODEL}/requests/1")
    assert (standing["state"], standing["standing"]["approvals"], stage()) == ("pending", 1, "None")
    (gate,) = standing["standing"]["gates"]
    assert (gate["state"], gate["reason"], gate["link"]) == (
        "failed",
        "It has failed. 2 of 12 tests failed",
        "https://ci.example/1",
    )
    assert len(kinds("check.posted")) == 1

    # The run that passes applies it: when CI has its answer, the version has moved, in the name of who approved it.
    passed = {"check": "ci/test", "external_id": "run-2", "state": "passed", "summary": "12 tests"}
    ci.post(f"{VERSION}/checks", **passed)
    assert stage() == "Production"
    done = maria.get(f"{MODEL}/requests/1")
    assert (done["state"], done["approvers"], done["decided_by"]) == ("approved", ["approver"], "approver")
    (moved,) = kinds("version.stage_changed")
    assert (moved["actor"], moved["request_number"]) == ("approver", 1)

    # CI says it once more, and nothing is new.
    before = maria.get(f"{MODEL}/activities?max_results=100")
    ci.post(f"{VERSION}/checks", **passed)
    assert maria.get(f"{MODEL}/activities?max_results=100") == before
    assert [run["state"] for run in maria.get(f"{VERSION}/checks")["checks"]] == ["passed", "failed"]

    # It is deployed, and whoever looks at the version reads that.
    deployment = {"environment": "eu-west", "external_id": "deploy-7", "link": "https://deploy.example/7"}
    for state in ("pending", "succeeded", "succeeded"):
        ci.post(f"{VERSION}/deployments", **deployment, state=state)
    (reported,) = maria.get(f"{VERSION}/deployments")["deployments"]
    assert (reported["state"], reported["posted_by"]) == ("succeeded", "ci-bot")
    assert len(kinds("deployment.posted")) == 2
    shown = page(podium, "trainer", f"/models/{NAME}/versions/1")
    assert re.search(r"ci-bot .{0,200}is deployed to eu-west", shown), shown
    assert re.search(r"approver .{0,200}to Production", shown), shown
