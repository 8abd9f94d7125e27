"""The models list narrowed by one click, and filters that are kept."""

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import SavedFilter, User
from registry_site.artifacts.scanning import Verdict
from registry_site.core import clock
from registry_site.promotion.services import request_transition, transition
from registry_site.registry import browsing
from registry_site.registry.models import RegisteredModel, Scan
from registry_site.registry.stages import Stage
from tests.make import make_experiment, make_model, make_run, make_version
from tests.pages.registry_flows import HTMX, get, html_of

Pages = Callable[[User], Client]


@pytest.fixture
def filled(maria_actor: Actor, jon_actor: Actor) -> None:
    """`served` is in Production and has a request, `risky` a finding, `old` one that is archived, `lone` no owner."""
    run = make_run(maria_actor)
    for name, team in (("served", "risk"), ("risky", "risk"), ("old", "growth"), ("lone", "growth")):
        make_model(jon_actor if name == "risky" else maria_actor, name, tags={"team": team})
        make_version(jon_actor if name == "risky" else maria_actor, name, run=run)
    transition(jon_actor, name="served", version=1, to_stage=Stage.PRODUCTION)
    make_version(maria_actor, "served", run=run)
    request_transition(maria_actor, name="served", version=2, to_stage=Stage.STAGING)
    transition(jon_actor, name="old", version=1, to_stage=Stage.ARCHIVED)
    unsafe = Scan.objects.filter(model_version__registered_model__name__in=["risky", "old"])
    assert unsafe.update(verdict=Verdict.UNSAFE.value, scanned_at=clock.now()) == 2
    RegisteredModel.objects.filter(name="lone").update(owner=None)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("stage:production", {"served"}),
        ("has:request", {"served"}),
        ("has:finding", {"risky"}),
        ("owner:me", {"served", "old"}),
        ("owner:jon", {"risky"}),
        ("no:owner", {"lone"}),
        ("tag.team:risk", {"served", "risky"}),
        ("tag.team:risk has:request", {"served"}),
        ("tag.team:growth has:request", set()),
    ],
)
def test_a_facet_finds_what_it_says(maria_page: Client, filled: None, text: str, names: set[str]) -> None:
    html = html_of(maria_page.get(f"/models?q={text}"))
    assert {name for name in ("served", "risky", "old", "lone") if f'<a href="/models/{name}">' in html} == names


def test_what_is_chosen_is_in_the_address_and_a_chip_takes_it_away(maria_page: Client, filled: None) -> None:
    html = html_of(maria_page.get("/models?q=stage:production+alias:champion&sort=name"))
    assert '<a class="facet" href="?q=alias%3Achampion&amp;sort=name" aria-current="true">In Production' in html
    assert '<a class="facet" href="?q=stage%3Aproduction&amp;sort=name" aria-current="true">alias:champion' in html
    assert 'href="?q=stage%3Aproduction+alias%3Achampion+has%3Arequest&amp;sort=name">Open request</a>' in html
    assert 'href="?q=stage%3Aproduction+alias%3Achampion+tag.team%3Agrowth&amp;sort=name">growth</a>' in html
    assert 'href="?q=stage%3Aproduction+alias%3Achampion+owner%3Ajon&amp;sort=name">Jon Weber</a>' in html


def counts_of(page: Client, address: str) -> dict[str, str]:
    """What the searches of one click say of how many models they find."""
    html = html_of(page.get(address))
    return dict(re.findall(r'<a class="[a-z-]+" href="[^"]*">([^<]+) <span class="muted">([^<]+)</span></a>', html))


def test_facets_say_how_many_models_they_find(maria_page: Client, filled: None) -> None:
    assert counts_of(maria_page, "/models") == {
        "In Production": "1",
        "In Staging": "0",
        "Open request": "1",
        "Scan finding": "1",
        "Mine": "2",
        "Jon Weber": "1",
        "Maria Lopez": "2",
        "Nobody": "1",
        "growth": "2",
        "risk": "2",
    }
    assert counts_of(maria_page, "/models?q=tag.team:risk") == {}


def test_very_many_models_are_not_counted(maria_page: Client, filled: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browsing, "_RECENT", 2)
    assert counts_of(maria_page, "/models") == {}


def test_facets_count_nothing_that_one_may_not_read(
    filled: None, eve: User, page_client: Pages, settings: Settings
) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    assert set(counts_of(page_client(eve), "/models").values()) == {"0"}


def test_an_unknown_facet_is_told_which_there_are(maria_page: Client) -> None:
    assert "has:request, has:finding or tag.team:risk-ml" in get(maria_page, "/models?q=has:nothing", 400)


def test_choices_and_requests_of_models_that_one_may_not_read_leave_no_trace(
    filled: None, eve: User, page_client: Pages, settings: Settings
) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    for text in ("", "has:request", "has:finding"):
        html = html_of(page_client(eve).get(f"/models?q={text}"))
        for secret in ("served", "risky", "Jon Weber", "growth", "owner%3Ajon"):
            assert secret not in html


def test_the_list_costs_no_more_with_facets_than_without(maria_page: Client, filled: None) -> None:
    costs = []
    for text in ("", "owner:me", "tag.team:risk+owner:me", "has:finding"):
        maria_page.get(f"/models?q={text}")
        with CaptureQueriesContext(connection) as captured:
            html_of(maria_page.get(f"/models?q={text}"))
        costs.append(len(captured))
    everything, *narrowed = costs
    assert set(narrowed) == {everything - 1}, "where nothing is typed, models are counted"
    assert everything <= 15


# -- saved filters -----------------------------------------------------------------------------------------------------
def test_a_filter_is_saved_shown_and_deleted(maria_page: Client, filled: None) -> None:
    query = "q=tag.team%3Arisk&sort=name"
    html = html_of(maria_page.get(f"/models?{query}"))
    assert '<input type="hidden" name="query" value="q=tag.team%3Arisk&amp;sort=name">' in html
    answer = maria_page.post("/filters", {"place": "models", "name": " risk & co ", "query": query})
    assert answer.headers["Location"] == f"/models?{query}"
    html = html_of(maria_page.get(f"/models?{query}"))
    assert '<a href="?q=tag.team%3Arisk&amp;sort=name" aria-current="true">risk &amp; co</a>' in html
    assert "Save this filter" not in html
    assert "risk &amp; co" in html_of(maria_page.get("/models"))
    saved = SavedFilter.objects.get()
    maria_page.post(f"/filters/{saved.pk}/delete", {"next": "/models?q=x"})
    assert not SavedFilter.objects.exists()


def test_a_filter_of_runs_belongs_to_its_experiment(maria_page: Client, maria_actor: Actor) -> None:
    one, other = (make_experiment(maria_actor, name) for name in ("one", "other"))
    maria_page.post(
        "/filters", {"place": f"experiments/{one.pk}", "name": "good", "query": "filter=metrics.auc+%3E+0.9"}
    )
    assert ">good</a>" in html_of(maria_page.get(f"/experiments/{one.pk}"))
    assert ">good</a>" not in html_of(maria_page.get(f"/experiments/{other.pk}"))
    part = maria_page.get(f"/experiments/{one.pk}?filter=x", headers=HTMX | {"HX-Target": "results"})
    assert ">good</a>" in html_of(part)


def test_the_same_name_takes_the_place_of_the_one_before(maria_page: Client) -> None:
    for query in ("q=a", "q=b"):
        maria_page.post("/filters", {"place": "models", "name": "mine", "query": query})
    assert [each.query for each in SavedFilter.objects.all()] == ["q=b"]


def test_filters_are_ones_own(maria_page: Client, jon: User, page_client: Pages) -> None:
    maria_page.post("/filters", {"place": "models", "name": "mine-alone", "query": "q=a"})
    page = page_client(jon)
    assert "mine-alone" not in html_of(page.get("/models"))
    page.post(f"/filters/{SavedFilter.objects.get().pk}/delete")
    assert SavedFilter.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"place": "//evil.example"},
        {"place": "people"},
        {"place": "experiments/x"},
        {"name": "  "},
        {"name": "x" * 61},
        {"query": ""},
        {"query": "q=" + "x" * 2000},
        {"name": "a\0b"},
    ],
)
def test_what_is_no_filter_is_refused_and_nothing_is_kept(maria_page: Client, wrong: dict[str, str]) -> None:
    given = {"place": "models", "name": "mine", "query": "q=a"} | wrong
    assert maria_page.post("/filters", given).status_code == 400
    assert not SavedFilter.objects.exists()


def test_nobody_keeps_more_than_they_can_read(maria_page: Client) -> None:
    for number in range(31):
        answer = maria_page.post("/filters", {"place": "models", "name": f"f{number}", "query": "q=a"})
    assert answer.status_code == 400
    assert SavedFilter.objects.count() == 30
    assert maria_page.post("/filters", {"place": "models", "name": "f3", "query": "q=b"}).status_code == 302
