"""Requests for copies, and what came of them, as people see them in a browser without scripts."""

from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.promotion import services, setting_policies
from registry_site.promotion.aliases import set_alias_policy
from registry_site.promotion.copying import copy_version
from registry_site.promotion.models import TransitionRequest
from registry_site.promotion.rules import Policy, WhenOccupied
from registry_site.registry.models import ModelVersion, RegisteredModel
from registry_site.registry.stages import Stage
from tests.make import grant, make_model, make_version
from tests.pages.registry_flows import html_of, words_of

Pages = Callable[[User], Client]
ASK = "/models/churn/requests/new?version=1&copy_to=live.churn"
REQUEST = "/models/churn/requests/1"


@pytest.fixture(autouse=True)
def live(maria_actor: Actor, admin_actor: Actor) -> RegisteredModel:
    """Maria's `churn` has a version; the administrator's `live.churn` has one in Production, and protects that."""
    make_version(maria_actor)
    model = make_model(admin_actor, "live.churn")
    copy_version(admin_actor, name="churn", version=1, copy_to="live.churn", to_stage=Stage.PRODUCTION)
    policy = Policy(protected=True, when_occupied=WhenOccupied.ASK)
    setting_policies.set_policy(admin_actor, stage=Stage.PRODUCTION, policy=policy, name="live.churn")
    return model


@pytest.fixture
def jon_page(jon: User, page_client: Pages) -> Client:
    return page_client(jon)


def ask(actor: Actor, to_stage: Stage = Stage.PRODUCTION) -> TransitionRequest:
    return services.request_transition(
        actor, name="churn", version=1, to_stage=to_stage, copy_to="live.churn", comment="Half the size."
    )


def test_a_copy_is_asked_for_on_the_page_that_refusals_name(maria_page: Client) -> None:
    page = maria_page.get(ASK)
    words = words_of(page)
    assert "Request a copy of churn v1 into live.churn" in words
    assert "It arrives in None Staging Production" in words
    assert 'to=Production&amp;copy_to=live.churn"' in html_of(page)
    words = words_of(maria_page.get(f"{ASK}&to=Production"))
    assert "v1 is in Production now" in words
    assert "1 approval needed protected" in words
    form = {"version": "1", "to": "Production", "copy_to": "live.churn", "comment": "go", "occupant": "move:Staging"}
    answer = maria_page.post("/models/churn/requests/new", form, follow=True)
    assert "Request #1 is open." in html_of(answer)
    made = TransitionRequest.objects.get()
    assert (made.target_name, made.to_stage, made.occupant_decision, made.occupant_to_stage) == (
        "live.churn",
        "Production",
        "move",
        "Staging",
    )
    assert "has asked for this move already in #1" in words_of(maria_page.get(f"{ASK}&to=Production"))


def test_the_question_the_effect_and_the_result_of_a_copy(jon_page: Client, maria_actor: Actor) -> None:
    ask(maria_actor)
    page = jon_page.get(REQUEST)
    words = words_of(page)
    assert "Copy churn version 1 into live.churn, in Production? #1" in words
    assert "When approved v1 live.churn Production live.churn v1 Production Archived" in words
    assert "Approve Version 1 is copied into live.churn at once." in words
    assert "What changes: v1 against live.churn v1" in words
    assert 'href="/models/live.churn/versions/1"' in html_of(page)
    answer = jon_page.post(f"{REQUEST}/review", {"verdict": "approve"}, follow=True)
    words = words_of(answer)
    assert "Approved. live.churn has version 2 now, in Production." in html_of(answer)
    assert "Copied v1 live.churn v2 Production" in words
    assert 'href="/models/live.churn/versions/2"' in html_of(answer)
    assert "copied version 1 into Production of another model by request #1" in words
    stages = ModelVersion.objects.filter(registered_model__name="live.churn").order_by("version")
    assert list(stages.values_list("current_stage", flat=True)) == ["Archived", "Production"]


def test_aliases_that_will_follow_are_those_of_the_other_model(
    jon_page: Client, maria_page: Client, maria_actor: Actor, admin_actor: Actor
) -> None:
    set_alias_policy(admin_actor, alias="live", stage=Stage.PRODUCTION, is_mirror=True, name="live.churn")
    set_alias_policy(maria_actor, alias="here", stage=Stage.PRODUCTION, is_mirror=True, name="churn")
    ahead = words_of(maria_page.get(f"{ASK}&to=Production"))
    ask(maria_actor)
    for words in (ahead, words_of(jon_page.get(REQUEST))):
        assert "@live the copy" in words
        assert "@here" not in words


def test_without_a_stage_the_question_is_shorter(jon_page: Client, maria_actor: Actor) -> None:
    ask(maria_actor, Stage.NONE)
    words = words_of(jon_page.get(REQUEST))
    assert "Copy churn version 1 into live.churn? #1" in words


def test_versions_show_what_they_were_copied_from_and_to(
    maria_page: Client, eve: User, page_client: Pages, settings: Settings, live: RegisteredModel
) -> None:
    assert "Copied to live.churn v1 Production" in words_of(maria_page.get("/models/churn/versions/1"))
    there = words_of(maria_page.get("/models/live.churn/versions/1"))
    assert "Copied from churn v1" in there
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    grant(eve, Level.CAN_READ, RegisteredModel.objects.get(name="churn"))
    grant(User.objects.get(username="maria"), Level.CAN_READ, live)
    assert "live.churn" not in html_of(page_client(eve).get("/models/churn/versions/1"))


def test_lists_name_the_model_that_a_copy_is_for_to_those_who_may_know(
    maria_page: Client, maria_actor: Actor, eve: User, page_client: Pages, settings: Settings, live: RegisteredModel
) -> None:
    ask(maria_actor)
    pages = ("/models", "/models/churn", "/models/churn/versions/1", "/models/churn/requests", "/reviews?role=all")
    for page in pages:
        assert "live.churn" in words_of(maria_page.get(page)), page
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    grant(eve, Level.CAN_MANAGE, RegisteredModel.objects.get(name="churn"))
    browser = page_client(eve)
    for page in (*pages, "/models/churn/activity", "/notifications"):
        answer: HttpResponse = browser.get(page, follow=True)
        assert answer.status_code == 200, page
        assert "live.churn" not in html_of(answer), page
    assert browser.get(REQUEST).status_code == 404
    assert browser.get(ASK).status_code == 404


# -- choosing where it goes --------------------------------------------------------------------------------------------
CHOOSE = "/models/churn/requests/new?version=1&copy_to="


def test_a_copy_is_one_of_the_choices_and_a_field_asks_for_the_model(maria_page: Client) -> None:
    html = html_of(maria_page.get("/models/churn/requests/new?version=1"))
    assert f'href="{CHOOSE.replace("&", "&amp;")}"' in html
    page = maria_page.get(CHOOSE)
    assert 'data-combobox-url="/suggest/models?q="' in html_of(page)
    words = words_of(page)
    assert "Copy into another model" in words
    assert "Model to copy it into Choose Its people decide, by its policy and gates." in words
    assert "Create request" not in words
    assert "It arrives in None Staging Production" in words_of(maria_page.get(f"{CHOOSE}live.churn"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing", "There is no model nothing, or you may not see it."),
        ("churn", "The version is in churn already: choose another model."),
    ],
)
def test_a_model_that_cannot_be_copied_into_is_told_at_the_field(maria_page: Client, name: str, said: str) -> None:
    assert said in words_of(maria_page.get(CHOOSE + name), 404)
    part = maria_page.get(CHOOSE + name, headers={"HX-Request": "true"})
    assert said in words_of(part, 422)
    assert f'value="{name}"' in html_of(part, 422)


def test_copies_into_a_model_are_among_its_requests_for_those_who_may_read_where_they_come_from(
    maria_actor: Actor, maria_page: Client, eve: User, page_client: Pages, settings: Settings
) -> None:
    ask(maria_actor, Stage.STAGING)
    assert "churn #1 v1 live.churn Staging" in words_of(maria_page.get("/models/live.churn/requests"))
    assert "churn #1" in words_of(maria_page.get("/models/live.churn/requests?state=pending"))
    assert "churn #1" not in words_of(maria_page.get("/models/live.churn/requests?state=rejected"))
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    grant(eve, Level.CAN_READ, RegisteredModel.objects.get(name="live.churn"))
    words = words_of(page_client(eve).get("/models/live.churn/requests"))
    assert "#1" not in words
    assert "Nobody has asked for anything yet" in words
