"""Who stood in Production when, and how an earlier version comes back."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.promotion.deciding import approve
from registry_site.promotion.deleting import delete_version
from registry_site.promotion.gates import Gate, GateType
from registry_site.promotion.models import TransitionRequest
from registry_site.promotion.rules import Policy, WhenOccupied
from registry_site.promotion.services import request_transition, transition
from registry_site.promotion.setting_policies import set_policy
from registry_site.registry.models import ModelVersion
from registry_site.registry.stages import Stage
from registry_site.tracking.recording import MetricPoint, log_batch
from tests.conftest import FrozenClock
from tests.make import grant, make_version
from tests.pages.registry_flows import HTMX, get, html_of, words_of

Pages = Callable[[User], Client]
TIMELINE = "/models/churn/timeline"
BACK = "/models/churn/versions/1/rollback"
PROTECTED = Policy(protected=True, when_occupied=WhenOccupied.ASK)


@pytest.fixture(autouse=True)
def three_versions(maria_actor: Actor, jon_actor: Actor, frozen_clock: FrozenClock) -> None:
    """Version 1 was in Production for two days; version 2 is there by a request since three days."""
    for _ in range(3):
        make_version(maria_actor)
    transition(jon_actor, name="churn", version=1, to_stage=Stage.PRODUCTION, comment="The first.")
    frozen_clock.advance(days=2)
    request_transition(maria_actor, name="churn", version=2, to_stage=Stage.PRODUCTION)
    approve(jon_actor, name="churn", number=1, comment="Better.")
    frozen_clock.advance(days=3)


def stages() -> list[str]:
    return list(ModelVersion.objects.order_by("version").values_list("current_stage", flat=True))


def test_it_is_told_who_stood_there_for_how_long_and_by_which_request(maria_page: Client) -> None:
    answer = maria_page.get(TIMELINE)
    words = words_of(answer)
    assert "v2 2026-03-04 Production now 3 d Request #1 Jon Weber Better." in words
    assert "v1 2026-03-02 2026-03-04 2 d Jon Weber The first. Roll back… v1" in words
    assert words.index("v2 2026-03-04") < words.index("v1 2026-03-02")
    assert html_of(answer).count("Roll back…") == 1, "not to the one that is there"
    words = get(maria_page, f"{TIMELINE}?stage=archived")
    assert "v1 2026-03-04 Archived now 3 d" in words
    assert "Roll back…" not in words
    assert "No version has stood in Staging yet" in get(maria_page, f"{TIMELINE}?stage=Staging")
    assert maria_page.get(f"{TIMELINE}?stage=Live").status_code == 400


def test_bypasses_rollbacks_and_deleted_versions_are_marked(
    maria_page: Client, maria_actor: Actor, frozen_clock: FrozenClock, admin_actor: Actor
) -> None:
    set_policy(admin_actor, stage=Stage.PRODUCTION, policy=PROTECTED)
    transition(
        maria_actor,
        name="churn",
        version=3,
        to_stage=Stage.PRODUCTION,
        archive_existing=True,
        bypass_reason="All is on fire.",
    )
    frozen_clock.advance(hours=5)
    set_policy(admin_actor, stage=Stage.PRODUCTION, policy=Policy(when_occupied=WhenOccupied.ASK))
    maria_page.post(BACK, {"to": "Production", "comment": "It is out."})
    delete_version(maria_actor, name="churn", version=2)
    words = get(maria_page, TIMELINE)
    assert "v1 2026-03-07 Production now" in words
    assert "Rollback Maria Lopez It is out." in words
    assert "v3 2026-03-07 2026-03-07 5 h Bypass Maria Lopez All is on fire. Roll back… v3" in words
    assert "v2 deleted 2026-03-04 2026-03-07 3 d Request #1" in words
    assert "Roll back… v2" not in words
    assert "Roll back… v1" not in words, "it is there again"
    assert words.count("Bypass") == 1


def test_a_rollback_says_that_it_acts_at_once_and_does(maria_page: Client) -> None:
    words = get(maria_page, BACK)
    assert "At once: v1 moves to Production, v2 is archived." in words
    assert "Roll back to v1 now" in words
    for headers in ({}, HTMX):
        assert "This field is required." in html_of(maria_page.post(BACK, {"comment": " "}, headers=headers), 422)
    answer = maria_page.post(BACK, {"to": "Production", "comment": "The new one is slow."}, follow=True)
    assert answer.redirect_chain[0][0] == f"{TIMELINE}?stage=Production"
    assert "Version 1 is back in Production." in html_of(answer)
    assert stages() == ["Production", "Archived", "None"]


def test_a_rollback_says_that_it_asks_and_does(
    eve: User, page_client: Pages, maria_page: Client, admin_actor: Actor
) -> None:
    words = get(page_client(eve), BACK)
    assert "By a request: others decide whether v1 comes back to Production, and v2 is archived then." in words
    assert "May decide: Ada Min Jon Weber Maria Lopez" in words
    set_policy(admin_actor, stage=Stage.PRODUCTION, policy=PROTECTED)
    assert "Request the rollback" in get(maria_page, BACK), "nobody goes past a protection by rolling back"
    answer = page_client(eve).post(BACK, {"to": "Production", "comment": "Slow."}, follow=True)
    assert answer.redirect_chain[0][0] == "/models/churn/requests/2"
    assert "Request #2 asks for it." in html_of(answer)
    assert TransitionRequest.objects.get(number=2).is_rollback
    assert stages() == ["Archived", "Production", "None"]
    assert "#2 v1 Archived Production Rollback" in get(maria_page, "/models/churn/requests")


def test_what_refuses_a_rollback_is_said(maria_page: Client, admin_actor: Actor) -> None:
    never = html_of(maria_page.post("/models/churn/versions/3/rollback", {"comment": "x"}), 422)
    assert "churn version 3 has never been in Production, so nothing can be rolled back to it." in never
    assert "Version 2 is in Production now." in get(maria_page, "/models/churn/versions/2/rollback")
    gates = Policy(when_occupied=WhenOccupied.ASK, gates=(Gate(GateType.TAG, "owner"),))
    set_policy(admin_actor, stage=Stage.PRODUCTION, policy=gates)
    assert "Gates now 0 of 1 pass" in get(maria_page, BACK)
    refused = html_of(maria_page.post(BACK, {"comment": "x"}), 422)
    assert "does not pass the gates of Production: Tag owner is set (The version has no tag owner)." in refused
    assert stages() == ["Archived", "Production", "None"]


def test_the_history_is_paged_and_costs_as_much_for_many_as_for_few(
    maria_page: Client, jon_actor: Actor, frozen_clock: FrozenClock
) -> None:
    maria_page.get(TIMELINE)
    with CaptureQueriesContext(connection) as few:
        maria_page.get(TIMELINE)
    for version in (1, 2) * 25:
        frozen_clock.advance(minutes=1)
        transition(jon_actor, name="churn", version=version, to_stage=Stage.PRODUCTION, archive_existing=True)
    with CaptureQueriesContext(connection) as many:
        answer = maria_page.get(TIMELINE)
    assert len(many) == len(few) <= 20
    assert "50 stays" in words_of(answer)
    second = maria_page.get(TIMELINE + answer.context["pager"].older)
    assert "2 stays" in words_of(second)
    assert "The first." in words_of(second)


# -- drawn -------------------------------------------------------------------------------------------------------------
def test_who_was_where_when_is_drawn_and_told_in_a_table(maria_page: Client, jon_actor: Actor) -> None:
    transition(jon_actor, name="churn", version=3, to_stage=Stage.STAGING)
    html = html_of(maria_page.get(TIMELINE))
    assert "<title>v1 in Production from 2026-03-02 until 2026-03-04, for 2 d</title>" in html
    assert "<title>v2 in Production since 2026-03-04, for 3 d</title>" in html
    assert "<title>v3 in Staging since 2026-03-07" in html
    assert 'href="/models/churn/versions/3" aria-label="v3 in Staging' in html
    words = words_of(maria_page.get(TIMELINE))
    assert "Production v1 2026-03-02 12:00:00 UTC 2026-03-04 12:00:00 UTC 2 d" in words
    assert "figure" not in html_of(maria_page.get("/models/churn/timeline?stage=Live"), 400)


def test_a_metric_is_drawn_over_the_versions(
    maria_page: Client, page_client: Pages, eve: User, maria_actor: Actor, settings: Settings
) -> None:
    for version, auc in zip(ModelVersion.objects.order_by("version"), (0.8, 0.85, 0.9), strict=True):
        metrics = [MetricPoint("auc", auc, 1), MetricPoint("train_loss", 1 - auc, 1)]
        log_batch(maria_actor, run_id=version.run_id, metrics=metrics)
    answer = maria_page.get(TIMELINE)
    assert answer.context["metric"] == "auc", "not one of training"
    html = html_of(answer)
    for said in ("v1: 0.8000, was in Production", "v2: 0.8500, in Production now", "v3: 0.9000"):
        assert f"<title>{said}</title>" in html
    html = html_of(maria_page.get(f"{TIMELINE}?stage=Staging&metric=train_loss"))
    assert "<title>v3: 0.1000</title>" in html
    assert "<option selected>train_loss</option>" in html
    assert "metric=train_loss" in html, "another stage keeps the metric"
    refused = html_of(maria_page.get(f"{TIMELINE}?metric=nope"), 404)
    assert "No version of churn has a metric nope that you may read." in refused
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    grant(eve, Level.CAN_READ, ModelVersion.objects.first().registered_model)
    words = get(page_client(eve), TIMELINE)
    assert "v1 2026-03-02" in words
    assert "auc" not in words
    assert "auc" not in get(page_client(eve), f"{TIMELINE}?metric=auc", 404).replace("a metric auc", "")
