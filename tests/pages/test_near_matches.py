"""Pages that are not there say what may have been meant, and every page says what it is."""

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.pages.near import closest
from tests.make import make_model, make_version
from tests.pages.registry_flows import HTMX, PROBE, html_of, words_of

Pages = Callable[[User], Client]


@pytest.mark.parametrize(
    "address",
    ["/models/churn-predicter", "/models/predictor-churn", "/models/CHURN-PREDICTOR", "/models/churn/requests"],
)
def test_a_model_that_is_not_there_offers_names_like_it_and_the_search(
    maria_page: Client, maria_actor: Actor, address: str
) -> None:
    for name in ("churn-predictor", "fraud-detector"):
        make_model(maria_actor, name)
    html = html_of(maria_page.get(address), 404)
    assert '<a href="/models/churn-predictor">churn-predictor</a>' in html
    assert "fraud-detector" not in html
    assert f'name="q" value="{address.split("/")[2]}"' in html


def test_a_version_that_is_not_there_leads_to_its_model(maria_page: Client, maria_actor: Actor) -> None:
    make_version(maria_actor)
    assert "Did you mean churn" in words_of(maria_page.get("/models/churn/versions/9"), 404)


def test_what_one_may_not_read_is_not_offered(
    maria_actor: Actor, eve: User, page_client: Pages, settings: Settings
) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    make_model(maria_actor, "churn-predictor")
    page = page_client(eve)
    there, not_there = (html_of(page.get(f"/models/{name}"), 404) for name in ("churn-predictor", "churn-predictoR"))
    assert "Did you mean" not in there + not_there
    assert '<a href="/models/churn-predictor">' not in there


def test_odd_names_are_answered_and_never_become_markup(maria_page: Client, maria_actor: Actor) -> None:
    make_model(maria_actor, PROBE)
    html = html_of(maria_page.get("/models/<img src=x onerror=alert(2)>"), 404)
    assert "<img" not in html
    for name in ("%00", "%2520", "_", "x" * 3000, "%F0%9F%92%A5", "..."):
        assert maria_page.get(f"/models/{name}").status_code == 404


def test_it_costs_two_look_ups_and_none_for_a_part(maria_page: Client, maria_actor: Actor) -> None:
    for number in range(30):
        make_model(maria_actor, f"churn-{number}")
    with CaptureQueriesContext(connection) as whole:
        maria_page.get("/models/churn-x")
    assert len(whole) <= 10
    assert "churn-1" not in html_of(maria_page.get("/models/churn-x", headers=HTMX), 404)


def test_the_closest_come_first() -> None:
    assert closest("churn", ["churn-b", "chunk", "fraud", "churm"]) == ["churn-b", "chunk", "churm"]


# -- what a page is called ---------------------------------------------------------------------------------------------
def test_a_link_to_a_page_is_shown_with_its_title(maria_page: Client, maria_actor: Actor) -> None:
    make_model(maria_actor, PROBE)
    html = html_of(maria_page.get("/models/%3Cimg%20src=x%20onerror=alert(1)%3E"))
    title = "&lt;img src=x onerror=alert(1)&gt; · Podium"
    assert f"<title>{title}</title>" in html
    assert f'<meta property="og:title" content="{title}">' in html
    assert '<meta property="og:site_name" content="Podium">' in html
    assert 'rel="icon"' in html


def test_strangers_learn_no_title(stranger_page: Client, maria_actor: Actor) -> None:
    make_model(maria_actor, "secret-churn")
    html = html_of(stranger_page.get("/models/secret-churn", follow=True))
    assert re.findall(r'property="og:title" content="([^"]*)"', html) == ["Podium"]
    assert "<title>Sign in · Podium</title>" in html
