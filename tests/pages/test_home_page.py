"""The first page: my work, or how to begin."""

from collections.abc import Callable

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.notifications.services import follow
from registry_site.promotion.services import request_transition, transition
from registry_site.registry.stages import Stage
from tests.make import make_experiment, make_model, make_run, make_version
from tests.pages.registry_flows import get, html_of

Pages = Callable[[User], Client]


def test_somebody_new_is_told_how_to_begin(maria_page: Client) -> None:
    words = get(maria_page, "/")
    assert "Welcome to Podium" in words
    assert "export MLFLOW_TRACKING_URI=http://testserver" in words
    assert "export MLFLOW_TRACKING_TOKEN=podium_…" in words
    assert 'registered_model_name="churn-classifier"' in words
    assert 'href="/settings/tokens"' in html_of(maria_page.get("/"))


def test_in_open_mode_no_token_is_asked_for(admin: User, client: Client, settings: Settings) -> None:
    settings.PODIUM_OPEN = True
    words = get(client, "/")
    assert "export MLFLOW_TRACKING_URI=http://testserver" in words
    assert "MLFLOW_TRACKING_TOKEN" not in words
    assert "Make a token" not in words


def test_work_that_waits_comes_first_and_the_button_leads_to_the_oldest(
    maria_actor: Actor, jon_actor: Actor, jon: User, page_client: Pages
) -> None:
    make_version(maria_actor, "churn")
    make_version(maria_actor, "churn")
    transition(jon_actor, name="churn", version=1, to_stage=Stage.PRODUCTION)
    request_transition(maria_actor, name="churn", version=2, to_stage=Stage.STAGING, comment="first")
    request_transition(maria_actor, name="churn", version=2, to_stage=Stage.PRODUCTION, comment="second")
    page = page_client(jon)
    words = get(page, "/")
    assert "Waiting for you 2" in words
    assert words.index("churn #1") < words.index("churn #2")
    assert '<a class="btn btn-primary" href="/models/churn/requests/1">' in html_of(page.get("/"))
    assert "New in Production churn v1 Jon Weber · just now" in words
    assert "You follow no model, and own none." in words
    assert "You have made no run yet. This makes one:" in words
    assert "mlflow.set_tracking_uri('http://testserver')" in words


def test_ones_own_requests_and_models_are_there(maria_page: Client, maria_actor: Actor) -> None:
    make_version(maria_actor, "churn")
    request_transition(maria_actor, name="churn", version=1, to_stage=Stage.STAGING, comment="Half the size.")
    words = get(maria_page, "/")
    assert "Nothing waits for your review." in words
    assert "Your requests All of yours churn #1" in words
    assert "Half the size." in words
    assert "Your models churn changed just now newest v1" in words
    assert "Your latest runs" in words
    assert "Nothing has come into Production yet." in words


def test_followed_models_come_with_production_and_newest_and_runs_with_their_experiment(
    maria_actor: Actor, jon_actor: Actor, jon: User, page_client: Pages
) -> None:
    for _ in range(3):
        make_version(maria_actor, "churn")
    transition(jon_actor, name="churn", version=2, to_stage=Stage.PRODUCTION)
    make_version(maria_actor, "fraud")
    follow(jon_actor, name="churn")
    make_run(jon_actor, experiment=make_experiment(jon_actor, "trials"), name="warm-up")
    words = get(page_client(jon), "/")
    assert "Your models churn changed just now Production v2 just now newest v3" in words
    assert "fraud changed" not in words
    assert "Your latest runs warm-up Running trials · just now" in words
    assert words.index("New in Production churn v2") > 0


def test_models_that_one_may_not_read_leave_no_trace(
    maria_actor: Actor, jon_actor: Actor, eve: User, page_client: Pages, settings: Settings
) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    make_version(maria_actor, "secret-churn")
    transition(jon_actor, name="secret-churn", version=1, to_stage=Stage.PRODUCTION)
    request_transition(maria_actor, name="secret-churn", version=1, to_stage=Stage.ARCHIVED)
    html = html_of(page_client(eve).get("/"))
    assert "secret-churn" not in html


def test_the_page_costs_as_much_for_much_work_as_for_little(
    maria_actor: Actor, jon_actor: Actor, jon: User, page_client: Pages
) -> None:
    run = make_run(maria_actor)
    page = page_client(jon)

    def work(names: list[str]) -> int:
        for name in names:
            make_model(jon_actor, name)
            for _ in range(3):
                make_version(jon_actor, name, run=run)
            transition(jon_actor, name=name, version=1, to_stage=Stage.PRODUCTION)
            request_transition(maria_actor, name=name, version=2, to_stage=Stage.PRODUCTION)
            request_transition(jon_actor, name=name, version=3, to_stage=Stage.STAGING)
        page.get("/")
        with CaptureQueriesContext(connection) as captured:
            html_of(page.get("/"))
        return len(captured)

    little = work(["a"])
    assert work(["b", "c", "d", "e", "f", "g"]) == little <= 15
