"""Every list as CSV and JSON at its own address: the same rows, the same order, the same permission."""

import csv
import json
from collections.abc import Callable
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.groups import create_group, join
from registry_site.accounts.models import User
from registry_site.audit import outbox
from registry_site.core import clock
from registry_site.notifications.fan_out import fan_out
from registry_site.notifications.services import follow
from registry_site.pages import exports
from registry_site.promotion.services import request_transition, transition
from registry_site.registry.services import set_alias
from registry_site.registry.stages import Stage
from registry_site.webhooks.formats import Format
from registry_site.webhooks.models import Delivery
from registry_site.webhooks.services import create_webhook, new_secret
from tests.conftest import FrozenClock
from tests.make import make_experiment, make_model, make_run, make_version
from tests.pages.registry_flows import PROBE, get, html_of

Pages = Callable[[User], Client]


def body(answer: Any) -> str:
    assert isinstance(answer, StreamingHttpResponse), answer.content[:500]
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode("utf-8-sig")


def table(page: Client, address: str) -> list[dict[str, str]]:
    """The rows of a list, as a spreadsheet reads its CSV."""
    return list(csv.DictReader(StringIO(body(page.get(address)), newline="")))


def document(page: Client, address: str) -> dict[str, Any]:
    answer = page.get(address)
    assert answer.headers["Content-Type"] == "application/json"
    return json.loads(body(answer))


def rows(page: Client, address: str) -> list[dict[str, Any]]:
    """The rows of a list, as a script reads its JSON."""
    return document(page, address)["rows"]


# -- what is in them ---------------------------------------------------------------------------------------------------
def test_models_come_with_what_the_list_shows_and_with_what_it_cuts(
    maria_page: Client, maria_actor: Actor, jon_actor: Actor, frozen_clock: FrozenClock
) -> None:
    make_model(maria_actor, "churn", description="# Long\n" + "text " * 100, tags={"team": "risk", "tier": "1"})
    make_version(maria_actor, "churn")
    transition(jon_actor, name="churn", version=1, to_stage=Stage.PRODUCTION)
    make_version(maria_actor, "churn")
    request_transition(maria_actor, name="churn", version=2, to_stage=Stage.STAGING)
    [row] = rows(maria_page, "/models?format=json")
    assert row == {
        "name": "churn",
        "description": "# Long\n" + "text " * 100,
        "owner": "maria",
        "production": 1,
        "staging": None,
        "latest": 2,
        "pending_request": 1,
        "unsafe_versions": [],
        "tags": {"team": "risk", "tier": "1"},
        "created_at": "2026-03-02T12:00:00.000000+00:00",
        "changed_at": "2026-03-02T12:00:00.000000+00:00",
    }
    [line] = table(maria_page, "/models?format=csv")
    assert (line["name"], line["production"], line["staging"]) == ("churn", "1", "")
    assert json.loads(line["tags"]) == {"team": "risk", "tier": "1"}


def test_filter_and_order_are_those_of_the_address(maria_page: Client, maria_actor: Actor) -> None:
    for name, team in (("b", "risk"), ("a", "risk"), ("c", "growth")):
        make_model(maria_actor, name, tags={"team": team})
    assert [row["name"] for row in rows(maria_page, "/models?q=tag.team:risk&sort=name&format=json")] == ["a", "b"]
    assert [row["name"] for row in table(maria_page, "/models?sort=-name&format=csv")] == ["c", "b", "a"]
    html = html_of(maria_page.get("/models?q=tag.team:risk&sort=name"))
    assert 'href="?q=tag.team%3Arisk&amp;sort=name&amp;format=csv"' in html


def test_versions_requests_and_history_of_a_model(maria_page: Client, maria_actor: Actor) -> None:
    run = make_run(maria_actor, name="gbm")
    make_version(maria_actor, run=run, tags={"ticket": "RISK-1"})
    make_version(maria_actor, run=run)
    set_alias(maria_actor, name="churn", alias="champion", version=1)
    request_transition(maria_actor, name="churn", version=2, to_stage=Stage.STAGING, comment="Half the size.")
    newest, oldest = rows(maria_page, "/models/churn?format=json")
    assert (newest["version"], newest["pending_request"]) == (2, 1)
    assert (oldest["aliases"], oldest["tags"], oldest["run_name"]) == (["champion"], {"ticket": "RISK-1"}, "gbm")
    [asked] = rows(maria_page, "/models/churn/requests?format=json")
    assert (asked["number"], asked["to_stage"], asked["comment"]) == (1, "Staging", "Half the size.")
    assert rows(maria_page, "/reviews?role=mine&format=json") == [asked]
    assert rows(maria_page, "/models/churn/requests?state=approved&format=json") == []
    kinds = [row["kind"] for row in rows(maria_page, "/models/churn/activity?format=json")]
    assert kinds[:2] == ["request.created", "alias.set"]
    assert kinds == [row["kind"] for row in table(maria_page, "/models/churn/activity?format=csv")]


def test_experiments_and_runs_with_the_columns_that_were_chosen(maria_page: Client, maria_actor: Actor) -> None:
    experiment = make_experiment(maria_actor, "trials", tags={"team": "risk"})
    for name, value in (("gbm", 0.9), ("forest", float("nan"))):
        make_run(maria_actor, experiment=experiment, name=name, params={"depth": "3"}, metrics={"auc": [value]})
    assert [(row["name"], row["runs"]) for row in rows(maria_page, "/experiments?q=trials&format=json")] == [
        ("trials", 2)
    ]
    address = f"/experiments/{experiment.pk}"
    best, other = rows(maria_page, f"{address}?sort=-metrics.auc&format=json")
    assert (best["name"], best["metrics.auc"], best["params.depth"]) == ("gbm", 0.9, "3")
    assert other["metrics.auc"] == "NaN"
    [line] = table(maria_page, f"{address}?filter=metrics.auc > 0.5&cols=metrics.auc&format=csv")
    assert line["metrics.auc"] == "0.9"
    assert "params.depth" not in line


def test_notifications_people_webhooks_deliveries_and_jobs(
    maria_page: Client, maria_actor: Actor, jon_actor: Actor, admin_actor: Actor, admin: User, page_client: Pages
) -> None:
    make_version(maria_actor)
    follow(jon_actor, name="churn")
    request_transition(maria_actor, name="churn", version=1, to_stage=Stage.STAGING)
    while outbox.relay(fan_out):
        pass
    told = rows(page_client(User.objects.get(username="jon")), "/notifications?format=json")
    assert ("request.created", "churn", 1) in [(row["kind"], row["about"], row["request"]) for row in told]
    page = page_client(admin)
    assert [row["username"] for row in rows(page, "/people?q=mar&format=json")] == ["maria"]
    hook = create_webhook(
        admin_actor,
        name="ci",
        url="https://8.8.8.8/a-secret-path",
        format=Format.STANDARD,
        secret=new_secret(Format.STANDARD),
        events=["version.created"],
        model="churn",
    )
    [row] = rows(maria_page, "/models/churn/webhooks?format=json")
    assert (row["name"], row["model"], row["host"], row["events"]) == ("ci", "churn", "8.8.8.8", ["version.created"])
    assert rows(page, "/webhooks?format=json") == [row]
    now = clock.now()
    Delivery.objects.create(webhook=hook, activity_id=1, event="version.created", body="{}", created_at=now, due_at=now)
    assert [row["event"] for row in rows(page, f"/webhooks/{hook.webhook_id}?format=json")] == ["version.created"]
    assert [row["queue"] for row in table(page, "/govern/jobs?format=csv")] == ["outbox", "mails", "deliveries"]


def test_groups_and_mails(
    maria_actor: Actor, jon_actor: Actor, admin_actor: Actor, admin: User, page_client: Pages
) -> None:
    page = page_client(admin)
    for group, people in (("risk", ("jon", "maria")), ("nobody", ())):
        create_group(admin_actor, name=group)
        for name in people:
            join(admin_actor, name=group, username=name)
    assert rows(page, "/people/groups?format=json") == [
        {"name": "nobody", "people": 0, "members": []},
        {"name": "risk", "people": 2, "members": ["jon", "maria"]},
    ]
    assert [row["members"] for row in table(page, "/people/groups?format=csv")] == ["[]", '["jon", "maria"]']
    make_version(maria_actor)
    follow(jon_actor, name="churn")
    request_transition(maria_actor, name="churn", version=1, to_stage=Stage.STAGING)
    while outbox.relay(fan_out):
        pass
    mailed = rows(page, "/govern/mail?format=json")
    assert ("jon", "queued") in [(row["recipient"], row["state"]) for row in mailed]
    assert [row["subject"] for row in table(page, "/govern/mail?format=csv")] == [row["subject"] for row in mailed]
    assert all("churn" in row["subject"] for row in mailed)
    maria = page_client(User.objects.get(username="maria"))
    for address in ("/people/groups?format=json", "/govern/mail?format=csv"):
        assert maria.get(address).status_code == 403


def test_who_stood_in_a_stage(maria_page: Client, maria_actor: Actor, jon_actor: Actor) -> None:
    for version in (1, 2):
        make_version(maria_actor)
        transition(
            jon_actor,
            name="churn",
            version=version,
            to_stage=Stage.PRODUCTION,
            comment=f"=move {version}",
            archive_existing=True,
        )
    newest, oldest = rows(maria_page, "/models/churn/timeline?format=json")
    assert (newest["version"], newest["stage"], newest["who"], newest["until"]) == (2, "Production", "jon", None)
    assert oldest["version"] == 1
    assert oldest["from"] < oldest["until"] <= newest["from"]
    assert [row["comment"] for row in table(maria_page, "/models/churn/timeline?format=csv")] == [
        "'=move 2",
        "'=move 1",
    ]
    [archived] = rows(maria_page, "/models/churn/timeline?stage=Archived&format=json")
    assert (archived["version"], archived["stage"]) == (1, "Archived")
    assert 'href="?stage=Archived&amp;format=csv"' in html_of(maria_page.get("/models/churn/timeline?stage=Archived"))


def test_the_audit_log_is_at_its_old_addresses_and_at_its_own(
    admin: User, maria_actor: Actor, page_client: Pages
) -> None:
    make_model(maria_actor)
    page = page_client(admin)
    assert table(page, "/audit?who=maria&format=csv") == table(page, "/audit.csv?who=maria")
    assert [row["kind"] for row in rows(page, "/audit?who=maria&format=json")] == ["model.created"]


# -- nothing in them does harm -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_is_a_formula(maria_page: Client, maria_actor: Actor, start: str) -> None:
    text = f"{start}HYPERLINK(1)"
    make_model(maria_actor, "churn", description=text)
    make_run(maria_actor, params={"p": text})
    [line] = table(maria_page, "/models?format=csv")
    assert line["description"] == f"'{text}"
    assert rows(maria_page, "/models?format=json")[0]["description"] == text
    address = next(row["id"] for row in rows(maria_page, "/experiments?q=fraud&format=json"))
    [line] = table(maria_page, f"/experiments/{address}?format=csv")
    assert line["params.p"] == f"'{text}"


def test_json_is_no_page(maria_page: Client, maria_actor: Actor) -> None:
    make_model(maria_actor, PROBE)
    answer = maria_page.get("/models?format=json")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


def test_what_one_may_not_read_is_in_no_file(
    maria_actor: Actor, eve: User, page_client: Pages, settings: Settings
) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    make_version(maria_actor, "secret-churn")
    request_transition(maria_actor, name="secret-churn", version=1, to_stage=Stage.STAGING)
    page = page_client(eve)
    for address in ("/models", "/experiments?q=fraud", "/reviews?role=all", "/webhooks"):
        joint = "&" if "?" in address else "?"
        assert rows(page, f"{address}{joint}format=json") == []
    for address in ("/models/secret-churn", "/models/secret-churn/requests", "/models/secret-churn/activity"):
        assert page.get(f"{address}?format=csv").status_code == 404
    for address in ("/people", "/audit", "/govern/jobs"):
        assert page.get(f"{address}?format=csv").status_code == 403


def test_strangers_are_sent_to_sign_in(stranger_page: Client) -> None:
    assert stranger_page.get("/models?format=json").headers["Location"].startswith("/sign-in")


def test_what_cannot_be_answered_is_refused_before_anything_is_sent(maria_page: Client) -> None:
    assert "format=csv or format=json" in get(maria_page, "/models?format=xml", 400)
    assert "colour" in get(maria_page, "/models?q=colour:red&format=csv", 400)
    assert "page token" in get(maria_page, "/models?page_token=x&format=json", 400)


# -- long ones ---------------------------------------------------------------------------------------------------------
def test_a_file_goes_on_over_pages_and_says_where_the_rest_is(
    maria_page: Client, maria_actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        make_model(maria_actor, f"m{number}")
    monkeypatch.setattr("registry_site.pages.views.models.ROWS_AT_ONCE", 2)
    assert len(rows(maria_page, "/models?format=json")) == 7
    monkeypatch.setattr(exports, "ROWS_AT_MOST", 4)
    first = document(maria_page, "/models?sort=name&format=json")
    assert [row["name"] for row in first["rows"]] == ["m0", "m1", "m2", "m3"]
    following = urlsplit(first["next"])
    rest = document(maria_page, f"{following.path}?{following.query}")
    assert [row["name"] for row in rest["rows"]] == ["m4", "m5", "m6"]
    assert rest["next"] is None


def test_a_page_of_a_file_costs_as_much_for_many_rows_as_for_few(maria_page: Client, maria_actor: Actor) -> None:
    run = make_run(maria_actor, metrics={"auc": [0.9]})

    def cost(names: list[str]) -> int:
        for name in names:
            make_version(maria_actor, name, run=run, tags={"a": "b"})
            request_transition(maria_actor, name=name, version=1, to_stage=Stage.STAGING)
            make_run(maria_actor, metrics={"auc": [0.9]}, params={"a": "b"})
        with CaptureQueriesContext(connection) as captured:
            for address in ("/models", "/reviews?role=all", f"/experiments/{run.experiment_id}", "/models/churn-a"):
                rows(maria_page, f"{address}{'&' if '?' in address else '?'}format=json")
        return len(captured)

    few = cost(["churn-a"])
    assert cost([f"churn-{letter}" for letter in "bcdefg"]) == few
