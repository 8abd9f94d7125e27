"""Finding registered models, and one of them, as people see it."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.promotion.deciding import approve
from registry_site.promotion.services import request_transition, transition
from registry_site.registry.models import Alias, RegisteredModel, Tag
from registry_site.registry.services import set_alias, set_model_tag
from registry_site.registry.stages import Stage
from tests.make import grant, make_model, make_version
from tests.pages.registry_flows import HTMX, PROBE, get, html_of, version_with_run, words_of

Pages = Callable[[User], Client]


def queries_of(page: Client, url: str) -> int:
    page.get(url)  # the session is read once and cached
    with CaptureQueriesContext(connection) as captured:
        assert page.get(url).status_code == 200
    return len(captured)


# -- the list ----------------------------------------------------------------------------------------------------------
def test_the_list_says_what_is_in_production_and_what_waits(
    maria_page: Client, maria_actor: Actor, jon_actor: Actor
) -> None:
    make_model(maria_actor, "churn", description="Who **leaves**?", tags={"team": "growth"})
    for _ in range(3):
        make_version(maria_actor, "churn")
    transition(jon_actor, name="churn", version=1, to_stage=Stage.PRODUCTION)
    transition(jon_actor, name="churn", version=2, to_stage=Stage.STAGING)
    request_transition(maria_actor, name="churn", version=3, to_stage=Stage.PRODUCTION)
    answer = maria_page.get("/models")
    html = html_of(answer)
    assert '<a class="pill pill-production" href="/models/churn/versions/1" title="Production">' in html
    assert '<a class="pill pill-staging" href="/models/churn/versions/2" title="Staging">' in html
    assert '<a href="/models/churn/versions/3">v3</a>' in html
    assert '<a class="pill pill-pending" href="/models/churn/requests/1" title="Pending">' in html
    assert 'href="/models?q=tag.team%3Agrowth"' in html
    words = words_of(answer)
    assert "Who leaves?" in words
    assert "Maria Lopez" in words
    assert words.endswith("1 model CSV · JSON")


def test_words_terms_and_mlflows_filters_find_models(maria_page: Client, maria_actor: Actor) -> None:
    make_model(maria_actor, "churn", tags={"team": "growth"})
    make_model(maria_actor, "fraud")
    for typed in ("chu", "tag.team:growth", "name ILIKE 'CH%'", "tags.team = 'growth'"):
        html = html_of(maria_page.get("/models", {"q": typed}))
        assert ">churn</a>" in html, typed
        assert ">fraud</a>" not in html, typed


def test_a_wrong_filter_is_told_below_the_box_and_what_was_typed_stays(maria_page: Client) -> None:
    answer = maria_page.get("/models", {"q": "name = "})
    html = html_of(answer, 400)
    assert 'value="name ="' in html
    assert "expected text in quotes or a number at column 7" in html
    part = html_of(maria_page.get("/models", {"q": "name = "}, headers=HTMX), 422)
    assert "<html" not in part
    assert 'role="alert"' in part


def test_htmx_gets_the_table_alone_and_back_gets_the_page(maria_page: Client, maria_actor: Actor) -> None:
    make_model(maria_actor, "churn")
    part = maria_page.get("/models", headers=HTMX)
    assert html_of(part).lstrip().startswith("<nav")
    assert "HX-Request" in part.headers["Vary"]
    whole = maria_page.get("/models", headers=HTMX | {"HX-History-Restore-Request": "true"})
    assert html_of(whole).startswith("<!doctype html>")


def test_headings_sort_and_say_how(maria_page: Client, maria_actor: Actor) -> None:
    for number, name in enumerate(("b", "a", "c")):
        make_model(maria_actor, name)
        RegisteredModel.objects.filter(name=name).update(last_updated_timestamp=number)
    html = html_of(maria_page.get("/models", {"sort": "-name"}))
    assert html.index(">c</a>") < html.index(">b</a>") < html.index(">a</a>")
    assert 'aria-sort="descending"><a href="?sort=name">' in html
    newest_first = html_of(maria_page.get("/models"))
    assert newest_first.index(">c</a>") < newest_first.index(">a</a>") < newest_first.index(">b</a>")


def test_pages_of_twenty_five_follow_one_another(maria_page: Client, maria_actor: Actor) -> None:
    for number in range(26):
        make_model(maria_actor, f"model-{number:02}")
    answer = maria_page.get("/models", {"sort": "name"})
    html = html_of(answer)
    assert "25 models" in html
    assert "model-25" not in html
    href = answer.context["pager"].older
    second = words_of(maria_page.get("/models" + href))
    assert "model-25" in second
    assert "1 model" in second
    assert "First page" in second


def test_an_empty_registry_shows_the_code_that_fills_it(maria_page: Client) -> None:
    words = get(maria_page, "/models")
    assert "No models yet" in words
    assert 'mlflow.set_tracking_uri("http://testserver")' in words
    assert 'registered_model_name="churn-classifier"' in words


def test_nothing_found_leads_back_to_all(maria_page: Client, maria_actor: Actor) -> None:
    make_model(maria_actor)
    words = get(maria_page, "/models?q=nothing")
    assert "No model matches" in words
    assert "Show all models" in words


def test_the_list_costs_as_much_for_twenty_models_as_for_two(maria_page: Client, maria_actor: Actor) -> None:
    def fill(numbers: range) -> None:
        for number in numbers:
            make_version(maria_actor, f"model-{number}", tags={"a": "b"})
            set_model_tag(maria_actor, name=f"model-{number}", key="team", value="x")
            set_alias(maria_actor, name=f"model-{number}", alias="champion", version=1)
            request_transition(maria_actor, name=f"model-{number}", version=1, to_stage=Stage.STAGING)

    fill(range(2))
    two = queries_of(maria_page, "/models")
    fill(range(2, 20))
    assert queries_of(maria_page, "/models") == two
    assert two <= 12


def test_type_ahead_finds_by_words(maria_page: Client, maria_actor: Actor) -> None:
    make_version(maria_actor, "churn-eu")
    make_model(maria_actor, "churn-us")
    make_model(maria_actor, "fraud")
    assert maria_page.get("/suggest/models", {"q": "chu"}).json() == {
        "items": [
            {"value": "churn-eu", "label": "churn-eu", "hint": "1 version"},
            {"value": "churn-us", "label": "churn-us", "hint": "0 versions"},
        ]
    }


# -- making one --------------------------------------------------------------------------------------------------------
def test_a_model_is_made_on_a_page_without_scripts(maria_page: Client) -> None:
    answer = maria_page.post("/register-model", {"name": "churn", "description": "Who leaves?"}, follow=True)
    assert answer.redirect_chain[0][0] == "/models/churn"
    assert "churn is registered." in html_of(answer)
    assert RegisteredModel.objects.get().description == "Who leaves?"


def test_in_the_dialog_errors_stay_in_the_dialog_with_what_was_typed(maria_page: Client, maria_actor: Actor) -> None:
    make_model(maria_actor, "churn")
    answer = maria_page.post("/register-model", {"name": "churn", "description": "mine"}, headers=HTMX)
    html = html_of(answer, 422)
    assert html.lstrip().startswith('<div class="dialog-head">')
    assert "Registered Model (name=churn) already exists." in html
    assert "mine</textarea>" in html
    made = maria_page.post("/register-model", {"name": "churn-2"}, headers=HTMX)
    assert made.headers["HX-Redirect"] == "/models/churn-2"


# -- one model ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["price elasticity (EU)", "100% <b>?#", "модель", "a&b=c", "new"])
def test_every_name_has_a_page_and_never_becomes_markup(name: str, maria_page: Client, maria_actor: Actor) -> None:
    make_version(maria_actor, name)
    for tail in ("", "/requests", "/activity", "/settings", "/description", "/versions/1", "/requests/new?version=1"):
        html = html_of(maria_page.get(f"/models/{quote(name, safe='')}{tail}"))
        assert "<b>" not in html


def test_the_overview_has_production_what_comes_next_and_every_version(
    maria_page: Client, maria_actor: Actor, jon_actor: Actor
) -> None:
    version_with_run(maria_actor, metrics={"auc": 0.912})
    version_with_run(maria_actor, metrics={"auc": 0.929}, run_name="hist-gbm")
    request_transition(maria_actor, name="churn", version=1, to_stage=Stage.PRODUCTION)
    approve(jon_actor, name="churn", number=1)
    set_alias(maria_actor, name="churn", alias="champion", version=1)
    request_transition(maria_actor, name="churn", version=2, to_stage=Stage.PRODUCTION)
    words = get(maria_page, "/models/churn")
    assert (
        "In Production since just now · History, rollback v1 Production @champion auc 0.9120 "
        "approved by Jon Weber in #1" in words
    )
    assert "v2 None Compare with Production Review #2 auc 0.9290 #2 asks to move v2 to Production" in words
    assert "hist-gbm" in words
    assert 'mlflow.pyfunc.load_model("models:/churn/Production")' in words


def test_without_versions_the_page_shows_how_to_log_the_first(maria_page: Client, maria_actor: Actor) -> None:
    make_model(maria_actor, "churn")
    words = get(maria_page, "/models/churn")
    assert "No versions yet" in words
    assert 'registered_model_name="churn"' in words
    assert "Request promotion" not in words


def test_the_overview_costs_as_much_for_twenty_versions_as_for_two(maria_page: Client, maria_actor: Actor) -> None:
    def fill(count: int) -> None:
        for _ in range(count):
            version = version_with_run(maria_actor, metrics={"auc": 0.9})
            set_alias(maria_actor, name="churn", alias=f"a{version.version}", version=version.version)
            request_transition(maria_actor, name="churn", version=version.version, to_stage=Stage.STAGING)

    fill(2)
    two = queries_of(maria_page, "/models/churn")
    fill(18)
    assert queries_of(maria_page, "/models/churn") == two
    assert two <= 45


def test_a_reader_gets_no_button_that_would_be_refused(maria_actor: Actor, eve: User, page_client: Pages) -> None:
    make_version(maria_actor)
    set_model_tag(maria_actor, name="churn", key="team", value="x")
    html = html_of(page_client(eve).get("/models/churn"))
    for word in ("Set a tag", "Set an alias", "Remove the tag", "/models/churn/description"):
        assert word not in html
    assert "Request promotion" in html
    settings_words = get(page_client(eve), "/models/churn/settings")
    assert "Settings are for those who manage the model" in settings_words


def test_a_model_that_one_may_not_read_is_a_404(
    maria_actor: Actor, eve: User, page_client: Pages, settings: Settings
) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    make_version(maria_actor)
    for tail in ("", "/requests", "/activity", "/settings", "/versions/1"):
        words = get(page_client(eve), f"/models/churn{tail}", 404)
        assert "not found" in words


# -- the description ---------------------------------------------------------------------------------------------------
def test_a_description_is_shown_as_markdown_and_never_as_markup(maria_page: Client, maria_actor: Actor) -> None:
    make_model(maria_actor, "churn", description=f"# Card\n\n{PROBE} [x](javascript:alert(1))")
    html = html_of(maria_page.get("/models/churn"))
    assert "<h2>Card</h2>" in html
    assert "onerror" not in html
    assert "javascript:" not in html


def test_a_description_is_edited_on_its_own_page_without_scripts(maria_page: Client, maria_actor: Actor) -> None:
    make_model(maria_actor, "churn", description="old")
    assert "old</textarea>" in html_of(maria_page.get("/models/churn/description"))
    answer = maria_page.post("/models/churn/description", {"description": "# new"}, follow=True)
    assert answer.redirect_chain[0][0] == "/models/churn"
    assert "<h2>new</h2>" in html_of(answer)


def test_and_in_its_place_with_them(maria_page: Client, maria_actor: Actor) -> None:
    make_model(maria_actor, "churn", description="old")
    form = html_of(maria_page.get("/models/churn/description", headers=HTMX))
    assert form.lstrip().startswith('<div id="description">')
    assert "old</textarea>" in form
    saved = html_of(maria_page.post("/models/churn/description", {"description": "*new*"}, headers=HTMX))
    assert "<em>new</em>" in saved
    assert "<form" not in saved
    assert "<em>new</em>" in html_of(maria_page.get("/models/churn/description?show=1", headers=HTMX))


def test_a_reader_who_posts_one_anyway_is_refused_and_keeps_the_text(
    maria_actor: Actor, eve: User, page_client: Pages
) -> None:
    make_model(maria_actor, "churn", description="old")
    html = html_of(page_client(eve).post("/models/churn/description", {"description": "mine"}), 422)
    assert "This needs CAN_EDIT on registered model" in html
    assert "mine</textarea>" in html
    assert RegisteredModel.objects.get().description == "old"


# -- tags and aliases --------------------------------------------------------------------------------------------------
def test_tags_are_set_and_removed(maria_page: Client, maria_actor: Actor) -> None:
    make_model(maria_actor)
    answer = maria_page.post("/models/churn/tags", {"key": "team", "value": "risk"}, follow=True)
    assert '<span class="chip-key">team</span><span>risk</span>' in html_of(answer)
    part = html_of(maria_page.post("/models/churn/tags/delete", {"key": "team"}, headers=HTMX))
    assert part.lstrip().startswith('<section class="panel" id="tags"')
    assert "None." in part
    assert Tag.objects.count() == 0


def test_a_tag_without_a_key_is_told_at_its_field_on_the_page_and_in_the_part(
    maria_page: Client, maria_actor: Actor
) -> None:
    make_model(maria_actor)
    for headers in ({}, HTMX):
        html = html_of(maria_page.post("/models/churn/tags", {"key": "", "value": "kept"}, headers=headers), 422)
        assert "This field is required." in html
        assert 'value="kept"' in html
        assert '<details class="disclosure" open>' in html


def test_an_alias_is_pointed_at_a_version_and_removed_and_one_stays_where_one_was(
    maria_page: Client, maria_actor: Actor
) -> None:
    make_version(maria_actor)
    form = {"alias": "@champion", "version": "1", "next": "/models/churn/versions/1"}
    answer = maria_page.post("/models/churn/aliases", form, follow=True)
    assert answer.redirect_chain[0][0] == "/models/churn/versions/1"
    assert "@champion points at version 1 now." in html_of(answer)
    answer = maria_page.post("/models/churn/aliases/delete", {"alias": "champion", "next": "https://evil.example/"})
    assert answer.headers["Location"] == "/"
    assert Alias.objects.count() == 0


@pytest.mark.parametrize(
    ("alias", "version", "told"),
    [
        ("latest", "1", "&#x27;latest&#x27; alias name (case insensitive) is reserved."),
        ("champion", "9", "Model Version (name=churn, version=9) not found"),
        ("", "1", "This field is required."),
    ],
)
def test_an_odd_alias_is_told_at_its_field(
    alias: str, version: str, told: str, maria_page: Client, maria_actor: Actor
) -> None:
    make_version(maria_actor)
    for headers in ({}, HTMX):
        form = {"alias": alias, "version": version}
        assert told in html_of(maria_page.post("/models/churn/aliases", form, headers=headers), 422)


# -- settings ----------------------------------------------------------------------------------------------------------
def test_a_model_is_renamed(maria_page: Client, maria_actor: Actor) -> None:
    make_version(maria_actor)
    answer = maria_page.post("/models/churn/settings", {"deed": "rename", "new_name": "churn 2"}, follow=True)
    assert answer.redirect_chain[0][0] == "/models/churn%202/settings"
    assert "The model is called churn 2 now." in html_of(answer)


def test_a_name_that_is_taken_is_told(maria_page: Client, maria_actor: Actor) -> None:
    make_model(maria_actor, "churn")
    make_model(maria_actor, "fraud")
    html = html_of(maria_page.post("/models/churn/settings", {"deed": "rename", "new_name": "fraud"}), 422)
    assert "Registered Model (name=fraud) already exists." in html


def test_a_model_goes_only_when_its_name_is_typed(maria_page: Client, maria_actor: Actor) -> None:
    make_version(maria_actor)
    html = html_of(maria_page.post("/models/churn/settings", {"deed": "delete", "typed": "Churn"}), 422)
    assert "This is not the name: churn." in html
    assert RegisteredModel.objects.count() == 1
    answer = maria_page.post("/models/churn/settings", {"deed": "delete", "typed": "churn"}, follow=True)
    assert answer.redirect_chain[0][0] == "/models"
    assert "churn is deleted." in html_of(answer)
    assert RegisteredModel.objects.count() == 0


def test_whoever_does_not_manage_the_model_deletes_nothing_by_posting_either(
    maria_actor: Actor, jon: User, page_client: Pages
) -> None:
    make_version(maria_actor)
    page_client(jon).post("/models/churn/settings", {"deed": "delete", "typed": "churn"})
    page_client(jon).post("/models/churn/settings", {"deed": "rename", "new_name": "mine"})
    assert RegisteredModel.objects.get().name == "churn"


def test_a_grant_opens_the_settings(maria_actor: Actor, eve: User, page_client: Pages) -> None:
    make_version(maria_actor)
    grant(eve, Level.CAN_MANAGE, RegisteredModel.objects.get())
    assert "Delete the model" in get(page_client(eve), "/models/churn/settings")


# -- requests and activity ---------------------------------------------------------------------------------------------
def test_the_requests_of_a_model_in_any_state_or_one(maria_page: Client, maria_actor: Actor) -> None:
    make_version(maria_actor)
    make_version(maria_actor)
    request_transition(maria_actor, name="churn", version=1, to_stage=Stage.STAGING, comment="Half the *size*.")
    request_transition(maria_actor, name="churn", version=2, to_stage=Stage.PRODUCTION)
    words = get(maria_page, "/models/churn/requests")
    assert "#1 v1 None to" not in words, "the arrow is spoken by its label alone"
    assert "Half the size." in words
    assert "0 of 1 approved" in words
    assert "2 requests" in words
    assert "No request in this state" in get(maria_page, "/models/churn/requests?state=rejected")


def test_the_activity_of_a_model_is_told_in_sentences(maria_page: Client, maria_actor: Actor, jon_actor: Actor) -> None:
    make_version(maria_actor)
    make_version(maria_actor)
    set_model_tag(maria_actor, name="churn", key="team", value=PROBE)
    set_alias(maria_actor, name="churn", alias="champion", version=1)
    transition(jon_actor, name="churn", version=1, to_stage=Stage.PRODUCTION, comment="Shadow run is **fine**.")
    request_transition(maria_actor, name="churn", version=2, to_stage=Stage.PRODUCTION, comment="Better.")
    approve(jon_actor, name="churn", number=1, comment="Go.")
    answer = maria_page.get("/models/churn/activity")
    words = words_of(answer)
    for sentence in (
        "Maria Lopez registered the model",
        "Maria Lopez registered version 1",
        "Maria Lopez set the tag team",
        "Maria Lopez pointed @champion at version 1",
        "Jon Weber moved version 1 from None to Production just now Shadow run is fine.",
        "Maria Lopez asked in #1 to move version 2 from None to Production just now Better.",
        "Jon Weber approved request #1 just now Go.",
        "Jon Weber moved version 1 from Production to Archived by request #1",
        "Jon Weber moved version 2 from None to Production by request #1",
    ):
        assert sentence in words
    assert words.count("Go.") == 1
    assert PROBE not in html_of(answer)
