"""The search over everything: what is found, where an exact name leads, and what nobody learns by it."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.promotion.services import request_transition, transition
from registry_site.registry.services import set_alias
from registry_site.registry.stages import Stage
from registry_site.tracking.logged_models import create_logged_model
from tests.make import make_experiment, make_model, make_run, make_version
from tests.pages.registry_flows import HTMX, get, html_of, words_of

Pages = Callable[[User], Client]


@pytest.fixture
def filled(maria_actor: Actor, jon_actor: Actor) -> dict[str, str]:
    """Something of every kind that is called churn; the ids of the run and of the logged model."""
    experiment = make_experiment(maria_actor, "churn trials")
    run = make_run(maria_actor, experiment=experiment, name="churn gbm")
    logged = create_logged_model(maria_actor, experiment_id=experiment.pk, name="forest")
    make_version(maria_actor, "churn", run=run, description="Trained for churn in spring.")
    make_version(maria_actor, "churn", run=run, tags={"ticket": "RISK-1423"})
    set_alias(maria_actor, name="churn", alias="champion", version=1)
    transition(jon_actor, name="churn", version=1, to_stage=Stage.PRODUCTION)
    request_transition(maria_actor, name="churn", version=2, to_stage=Stage.PRODUCTION, comment="Half the size.")
    return {"run": run.run_id, "logged": logged.model_id, "experiment": str(experiment.pk)}


def test_a_word_finds_something_of_every_kind(maria_page: Client, filled: dict[str, str]) -> None:
    words = get(maria_page, "/search?q=churn")
    assert "Models churn v1 is in Production" in words
    assert "Versions churn v1 Production Trained for churn in spring." in words
    assert "Requests churn#1 v2 to Production, pending" in words
    assert "Runs churn gbm churn trials" in words
    assert "Experiments churn trials" in words
    assert "5 found" in words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("RISK-1423", "Versions churn v2"),
        ("champion", "Versions churn v1"),
        ("churn v2", "Versions churn v2"),
        ("half size", "Requests churn#1"),
        ("1", "Requests churn#1"),
    ],
)
def test_versions_and_requests_are_found_by_what_marks_them(
    maria_page: Client, filled: dict[str, str], text: str, found: str
) -> None:
    assert found in get(maria_page, f"/search?q={text}")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("churn/2", "/models/churn/versions/2"),
        ("models:/churn@champion", "/models/churn/versions/1"),
        ("models:/churn/Production", "/models/churn/versions/1"),
        ("models:/churn", "/models/churn"),
        ("%231", "/models/churn/requests/1"),
        ("churn%231", "/models/churn/requests/1"),
        ("{run}", "/runs/{run}"),
        ("runs:/{run}/model", "/runs/{run}/artifacts/model"),
        ("{logged}", "/logged-models/{logged}"),
    ],
)
def test_an_exact_name_leads_straight_there(maria_page: Client, filled: dict[str, str], text: str, place: str) -> None:
    answer = maria_page.get(f"/search?q={text.format(**filled)}")
    assert (answer.status_code, answer.headers["Location"]) == (302, place.format(**filled))
    part = maria_page.get(f"/search?q={text.format(**filled)}", headers=HTMX)
    assert f'Go to</h2>\n      <ul role="list" data-hits><li><a class="hit" href="{place.format(**filled)}"' in html_of(
        part
    )


@pytest.mark.parametrize("text", ["churn/9", "churn@nothing", "churn/Staging", "%2399", "nothing/1", "0" * 32])
def test_an_exact_name_of_nothing_is_searched_for(maria_page: Client, filled: dict[str, str], text: str) -> None:
    assert "Nothing matches" in get(maria_page, f"/search?q={text}")


def test_a_request_number_that_several_models_have_leads_to_none_of_them(
    maria_page: Client, maria_actor: Actor, filled: dict[str, str]
) -> None:
    make_version(maria_actor, "fraud")
    request_transition(maria_actor, name="fraud", version=1, to_stage=Stage.STAGING)
    words = get(maria_page, "/search?q=%231")
    assert "Requests fraud#1 v1 to Staging, pending" in words
    assert "churn#1" in words


def test_more_than_a_few_are_in_the_full_list(maria_page: Client, maria_actor: Actor) -> None:
    run = make_run(maria_actor)
    for number in range(7):
        make_model(maria_actor, f"m{number}-classifier")
        make_version(maria_actor, "forest", run=run, description="a rare wood")
    html = html_of(maria_page.get("/search?q=classifier"))
    assert "m4-classifier" in html
    assert "m5-classifier" not in html
    assert 'href="/models?q=classifier"' in html
    assert 'href="/search?q=rare+wood&amp;in=versions"' in html_of(maria_page.get("/search?q=rare+wood"))
    assert "7 found" in get(maria_page, "/search?q=rare+wood&in=versions")


def test_the_model_of_that_very_name_comes_first(maria_page: Client, maria_actor: Actor) -> None:
    for name in ("a-churn", "churn-b", "churn"):
        make_model(maria_actor, name)
    html = html_of(maria_page.get("/search?q=churn"))
    places = [html.index(f'<span class="hit-title">{name}</span>') for name in ("churn", "churn-b", "a-churn")]
    assert places == sorted(places)


def test_filters_of_the_models_list_find_models(maria_page: Client, filled: dict[str, str]) -> None:
    assert "Models churn" in get(maria_page, "/search?q=stage:production")
    assert "Models churn" in get(maria_page, "/search?q=name+ILIKE+'CHU%25'")
    assert "is not known here" in get(maria_page, "/search?q=colour:red", 400)
    assert "is not known here" in words_of(maria_page.get("/search?q=colour:red", headers=HTMX), 422)


def test_people_are_found_by_administrators_alone(
    maria_page: Client, admin: User, jon: User, page_client: Pages
) -> None:
    assert "Nothing matches" in get(maria_page, "/search?q=weber")
    assert "People jon Jon Weber" in get(page_client(admin), "/search?q=weber")


def test_what_one_may_not_read_leaves_no_trace(
    filled: dict[str, str], eve: User, page_client: Pages, settings: Settings
) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    page = page_client(eve)
    for text in (
        "churn",
        "champion",
        "RISK-1423",
        "half size",
        "%231",
        "churn%231",
        "churn/1",
        "models:/churn@champion",
    ):
        assert "Nothing matches" in get(page, f"/search?q={text}"), text
    for key in ("run", "logged"):
        assert "Nothing matches" in get(page, f"/search?q={filled[key]}")


@pytest.mark.parametrize(
    "text", ["%00", "%25%25%25%25", "_", "'", "%F0%9F%92%A5", "x" * 5000, "@", "%23", '"', "9" * 40]
)
def test_odd_searches_are_answered(maria_page: Client, filled: dict[str, str], text: str) -> None:
    assert maria_page.get(f"/search?q={text}").status_code == 200


def test_nothing_typed_says_what_can_be(maria_page: Client) -> None:
    assert "leads straight there" in get(maria_page, "/search")


def test_a_search_costs_as_much_for_many_as_for_few(maria_actor: Actor, admin: User, page_client: Pages) -> None:
    run = make_run(maria_actor, name="churn")
    page = page_client(admin)

    def cost(names: list[str]) -> int:
        for name in names:
            make_version(maria_actor, name, run=run, description="churn")
            request_transition(maria_actor, name=name, version=1, to_stage=Stage.STAGING, comment="churn")
        page.get("/search?q=churn")
        with CaptureQueriesContext(connection) as captured:
            html_of(page.get("/search?q=churn"))
        return len(captured)

    few = cost(["churn-a"])
    assert cost([f"churn-{letter}" for letter in "bcdefg"]) <= few <= 15
