"""One version, as whoever judges it sees it."""

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.promotion.checks import post_check, post_deployment
from registry_site.promotion.copying import copy_version
from registry_site.promotion.deciding import approve
from registry_site.promotion.directions import set_metric_direction
from registry_site.promotion.gates import CheckState, Comparison, Gate, GateType
from registry_site.promotion.rules import DeploymentState, Policy, WhenOccupied
from registry_site.promotion.services import request_transition, transition
from registry_site.promotion.setting_policies import set_policy
from registry_site.registry.models import ModelVersion
from registry_site.registry.services import describe_version, set_alias, set_version_tag
from registry_site.registry.stages import Stage
from registry_site.tracking.logged_models import create_logged_model
from registry_site.tracking.services import DatasetUse, delete_run, log_inputs
from tests.make import grant, make_experiment, make_user, make_version
from tests.pages.registry_flows import HTMX, MLMODEL, PROBE, get, html_of, version_with_run, words_of

Pages = Callable[[User], Client]


def test_the_page_has_all_that_is_needed_to_judge_a_version(maria_page: Client, maria_actor: Actor) -> None:
    version = version_with_run(
        maria_actor,
        metrics={"auc": 0.9290001, "loss": 0.25},
        params={"depth": "3"},
        files={"MLmodel": MLMODEL, "requirements.txt": "mlflow==3.17.2\nscikit-learn==1.9.1\n"},
    )
    describe_version(maria_actor, name="churn", version=1, description="Trained on **May**.")
    set_version_tag(maria_actor, name="churn", version=1, key="validation", value="passed")
    set_alias(maria_actor, name="churn", alias="challenger", version=1)
    answer = maria_page.get("/models/churn/versions/1")
    words = words_of(answer)
    for part in (
        "churn v1",
        "@challenger",
        "models:/churn/1",
        "Maria Lopez registered it just now",
        "gbm v1",
        "auc 0.9290",
        "loss 0.2500",
        "Trained on May.",
        "tenure double required",
        "mlflow==3.17.2 scikit-learn==1.9.1",
        "python_function, sklearn 1.9.1",
        "Format skops",
        "depth 3",
        "validation passed",
        'mlflow.pyfunc.load_model("models:/churn/1")',
        "model-versions/get?name=churn&version=1",
        "Maria Lopez registered version 1",
    ):
        assert part in words, part
    html = html_of(answer)
    assert f'href="/runs/{version.run_id}"' in html
    assert 'href="/models/churn/versions/1/artifacts"' in html


def test_metrics_stand_beside_those_in_production_with_what_somebody_said_of_their_direction(
    maria_page: Client, maria_actor: Actor, jon_actor: Actor
) -> None:
    version_with_run(maria_actor, metrics={"auc": 0.912, "latency": 16.63, "old": 1.0, "rows": 5.0})
    version_with_run(maria_actor, metrics={"auc": 0.929, "latency": 16.38, "new": 2.0, "rows": 6.0})
    transition(jon_actor, name="churn", version=1, to_stage=Stage.PRODUCTION)
    set_metric_direction(maria_actor, name="churn", metric="auc", higher_is_better=False)
    gate = Gate(GateType.METRIC, "latency", Comparison.AT_MOST, 20)
    set_policy(maria_actor, name="churn", stage=Stage.PRODUCTION, policy=Policy(gates=(gate,)))
    words = get(maria_page, "/models/churn/versions/2")
    assert "beside v1 in Production" in words
    assert "auc 0.9120 0.9290 +0.017 worse" in words
    assert "latency 16.63 16.38 −0.25 better" in words
    assert "rows 5.000 6.000 +1" in words
    assert words.count("better") == words.count("worse") == 1, "of rows nobody has said it"
    assert "new – 2.000 added" in words
    assert "old 1.000 – removed" in words
    assert "beside" not in get(maria_page, "/models/churn/versions/1"), "the one in Production stands alone"


def lineage_on(page: Client) -> str:
    html = html_of(page.get("/models/churn/versions/1"))
    return re.search('<nav class="lineage".*?</nav>', html, re.DOTALL)[0]


def test_its_lineage_leads_from_the_data_to_where_it_went(
    page_client: Pages, eve: User, maria_page: Client, maria_actor: Actor, settings: Settings
) -> None:
    version = version_with_run(maria_actor)
    dataset = {"name": "subscribers", "digest": "9c1c", "source_type": "local", "source": "{}"}
    log_inputs(maria_actor, run_id=version.run_id, datasets=[DatasetUse(dataset)])
    grant(eve, Level.CAN_READ, version.registered_model)
    make_version(maria_actor, "home")
    copy_version(maria_actor, name="churn", version=1, copy_to="home", to_stage=Stage.NONE)
    for state in (DeploymentState.PENDING, DeploymentState.SUCCEEDED):
        post_deployment(
            maria_actor, name="churn", version=1, environment="eu", state=state, link="https://ci.example/1"
        )
    post_deployment(maria_actor, name="churn", version=1, environment="us", state=DeploymentState.ENDED)
    line = lineage_on(maria_page)
    told = [re.sub(r"<[^>]*>", "", each).split() for each in re.findall("<li>.*?</li>", line, re.DOTALL)]
    assert told == [["subscribers"], ["gbm"], ["v1"], ["eu", "home", "v2"]]
    assert 'href="https://ci.example/1"' in line
    assert 'href="/models/home/versions/2"' in line
    assert "churn v1" in get(maria_page, "/models/home/versions/2")
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    line = lineage_on(page_client(eve))
    assert "a run that is not for you to read, or gone" in line
    assert "subscribers" not in line
    assert "home" not in line


def test_a_version_whose_run_and_files_are_unknown_has_a_page_too(maria_page: Client, maria_actor: Actor) -> None:
    version = make_version(maria_actor)
    ModelVersion.objects.update(run_id="0" * 32, source="s3://elsewhere/model", storage_location="s3://elsewhere/model")
    words = get(maria_page, "/models/churn/versions/1")
    assert "The version comes from no run that this server knows." in words
    assert "icons.svg#folder" not in html_of(maria_page.get("/models/churn/versions/1"))
    assert version.version == 1


def test_a_version_of_a_deleted_run_still_shows_its_evidence(maria_page: Client, maria_actor: Actor) -> None:
    version = version_with_run(maria_actor, metrics={"auc": 0.9})
    delete_run(maria_actor, run_id=version.run_id)
    assert "auc 0.9000" in get(maria_page, "/models/churn/versions/1")


def test_the_files_of_a_logged_model_are_at_the_logged_model(maria_page: Client, maria_actor: Actor) -> None:
    logged = create_logged_model(maria_actor, experiment_id=make_experiment(maria_actor).pk, name="model")
    make_version(maria_actor)
    ModelVersion.objects.update(model_id=logged.model_id)
    assert f'href="/logged-models/{logged.model_id}"' in html_of(maria_page.get("/models/churn/versions/1"))


@pytest.mark.parametrize(
    "address", ["/models/churn/versions/9", "/models/nope/versions/1", f"/models/churn/versions/{2**70}"]
)
def test_an_unknown_version_is_a_404(address: str, maria_page: Client, maria_actor: Actor) -> None:
    make_version(maria_actor)
    assert "not found" in get(maria_page, address, 404)


def test_what_a_stranger_wrote_never_becomes_markup(maria_page: Client, maria_actor: Actor) -> None:
    version_with_run(
        maria_actor,
        metrics={"auc": 0.9},
        params={"p": PROBE},
        files={"MLmodel": MLMODEL.replace("tenure", "<script>x</script>"), "requirements.txt": PROBE},
        run_name=PROBE,
    )
    describe_version(maria_actor, name="churn", version=1, description=PROBE)
    set_version_tag(maria_actor, name="churn", version=1, key=PROBE, value=PROBE)
    html = html_of(maria_page.get("/models/churn/versions/1"))
    assert PROBE not in html
    assert "<script>x" not in html


def test_the_page_costs_as_much_for_many_metrics_and_lines_as_for_few(
    maria_page: Client, maria_actor: Actor, jon_actor: Actor
) -> None:
    version_with_run(maria_actor, metrics={"a": 1.0}, params={"p": "1"})
    version_with_run(maria_actor, metrics={f"m{n}": 1.0 for n in range(30)}, params={f"p{n}": "1" for n in range(30)})
    version_with_run(maria_actor, metrics={"a": 1.0})
    transition(jon_actor, name="churn", version=3, to_stage=Stage.PRODUCTION)
    for number in range(20):
        set_version_tag(maria_actor, name="churn", version=2, key=f"k{number}", value="v")
        set_alias(maria_actor, name="churn", alias=f"a{number}", version=2)
    counts = []
    for version in (1, 1, 2):
        with CaptureQueriesContext(connection) as captured:
            assert maria_page.get(f"/models/churn/versions/{version}").status_code == 200
        counts.append(len(captured))
    assert counts[1] == counts[2] <= 45


# -- what one may do ---------------------------------------------------------------------------------------------------
def test_the_primary_button_asks_for_production_or_leads_to_the_request_that_does(
    maria_page: Client, maria_actor: Actor, jon_actor: Actor
) -> None:
    make_version(maria_actor)
    assert "Request promotion to Production" in get(maria_page, "/models/churn/versions/1")
    request_transition(maria_actor, name="churn", version=1, to_stage=Stage.PRODUCTION)
    words = get(maria_page, "/models/churn/versions/1")
    assert "Request promotion to Production" not in words
    assert "Maria Lopez asks in #1 to move it to Production: 0 of 1 approved." in words
    transition(jon_actor, name="churn", version=1, to_stage=Stage.PRODUCTION)
    assert "Request move to Archived" in get(maria_page, "/models/churn/versions/1")


def test_the_menu_offers_only_the_moves_that_one_may_make(
    maria_actor: Actor, admin_actor: Actor, maria_page: Client, eve: User, page_client: Pages
) -> None:
    make_version(maria_actor)
    lee = make_user("lee", level=Level.CAN_MANAGE_STAGING_VERSIONS)
    assert "Move to Staging… Move to Production… Move to Archived…" in get(maria_page, "/models/churn/versions/1")
    words = get(page_client(lee), "/models/churn/versions/1")
    assert "Move to Staging… Move to Archived…" in words
    assert "Delete this version" not in words
    assert "Move" not in get(page_client(eve), "/models/churn/versions/1")
    set_policy(admin_actor, stage=Stage.PRODUCTION, policy=Policy(protected=True, when_occupied=WhenOccupied.ASK))
    words = get(maria_page, "/models/churn/versions/1")
    assert "Move to Archived… Past a protection, with a reason Move to Production…" in words
    jons = get(page_client(make_user("kim", level=Level.CAN_MANAGE_PRODUCTION_VERSIONS)), "/models/churn/versions/1")
    assert "Move to Production…" not in jons


def test_a_version_is_moved_on_a_page_without_scripts(maria_page: Client, maria_actor: Actor) -> None:
    make_version(maria_actor)
    words = get(maria_page, "/models/churn/versions/1/transition?to=Staging")
    assert "Move churn v1 to Staging" in words
    assert "No other version is in Staging" in words
    form = {"to": "Staging", "comment": "shadow"}
    answer = maria_page.post("/models/churn/versions/1/transition", form, follow=True)
    assert "Version 1 is in Staging now." in html_of(answer)
    assert "Maria Lopez moved version 1 from None to Staging just now shadow" in words_of(answer)


def test_a_move_into_an_occupied_stage_asks_what_becomes_of_the_occupant(
    maria_page: Client, maria_actor: Actor
) -> None:
    make_version(maria_actor)
    make_version(maria_actor)
    make_version(maria_actor)
    transition(maria_actor, name="churn", version=1, to_stage=Stage.PRODUCTION)
    words = get(maria_page, "/models/churn/versions/2/transition?to=Production")
    assert "v1 is in Production now, since just now" in words
    assert "Archive version 1 Move version 1 to Staging Move version 1 to None" in words
    url = "/models/churn/versions/{}/transition"
    assert "This field is required." in html_of(maria_page.post(url.format(2), {"to": "Production"}), 422)
    maria_page.post(url.format(2), {"to": "Production", "occupant": "archive"})
    maria_page.post(url.format(3), {"to": "Production", "occupant": "move:Staging"})
    stages = ModelVersion.objects.order_by("version").values_list("current_stage", flat=True)
    assert list(stages) == ["Archived", "Staging", "Production"]


def test_in_the_dialog_a_refusal_stays_in_the_dialog_with_the_comment(
    maria_actor: Actor, eve: User, page_client: Pages
) -> None:
    make_version(maria_actor)
    form = {"to": "Staging", "comment": "please"}
    answer = page_client(eve).post("/models/churn/versions/1/transition", form, headers=HTMX)
    html = html_of(answer, 422)
    assert "You may not move it yourself, but you may ask." in html
    assert "/models/churn/requests/new?version=1&amp;to=Staging" in html
    assert ModelVersion.objects.get().current_stage == "None"


def test_an_unknown_stage_is_a_400(maria_page: Client, maria_actor: Actor) -> None:
    make_version(maria_actor)
    words = get(maria_page, "/models/churn/versions/1/transition?to=Live", 400)
    assert "Invalid Model Version stage: Live." in words


def test_a_version_is_deleted_after_one_more_question(maria_page: Client, maria_actor: Actor) -> None:
    make_version(maria_actor)
    assert "Delete churn v1?" in get(maria_page, "/models/churn/versions/1/delete")
    assert ModelVersion.objects.count() == 1, "asking deletes nothing"
    answer = maria_page.post("/models/churn/versions/1/delete", follow=True)
    assert "Version 1 is deleted." in html_of(answer)
    assert ModelVersion.objects.count() == 0


def test_one_in_a_protected_stage_is_not(
    maria_page: Client, maria_actor: Actor, admin_actor: Actor, jon: User, page_client: Pages
) -> None:
    make_version(maria_actor)
    transition(maria_actor, name="churn", version=1, to_stage=Stage.PRODUCTION)
    set_policy(admin_actor, stage=Stage.PRODUCTION, policy=Policy(protected=True, when_occupied=WhenOccupied.ASK))
    html = html_of(maria_page.post("/models/churn/versions/1/delete"), 422)
    assert "churn version 1 is in Production, which is protected. Archive it first." in html
    html = html_of(page_client(jon).post("/models/churn/versions/1/delete"), 422)
    assert "This needs CAN_MANAGE on registered model" in html
    assert ModelVersion.objects.count() == 1


# -- what marks it -----------------------------------------------------------------------------------------------------
def test_a_description_and_tags_are_changed_where_they_are(maria_page: Client, maria_actor: Actor) -> None:
    make_version(maria_actor)
    base = "/models/churn/versions/1"
    saved = maria_page.post(f"{base}/description", {"description": "*new*"}, headers=HTMX)
    assert "<em>new</em>" in html_of(saved)
    answer = maria_page.post(f"{base}/tags", {"key": "validation", "value": "passed"}, follow=True)
    assert answer.redirect_chain[0][0] == base
    part = maria_page.post(f"{base}/tags", {"key": "ticket", "value": "R-1"}, headers=HTMX)
    assert "ticket" in html_of(part)
    assert "validation" in html_of(part)
    part = maria_page.post(f"{base}/tags/delete", {"key": "validation"}, headers=HTMX)
    assert "validation" not in html_of(part)
    assert "This field is required." in html_of(maria_page.post(f"{base}/tags", {"key": ""}), 422)


def test_mlflows_own_tags_are_not_shown(maria_page: Client, maria_actor: Actor) -> None:
    make_version(maria_actor, tags={"mlflow.user": "root", "quality": "good"})
    html = html_of(maria_page.get("/models/churn/versions/1"))
    assert "quality" in html
    assert "mlflow.user" not in html


def test_the_page_has_what_outside_systems_say_and_every_request(
    maria_page: Client, maria_actor: Actor, jon_actor: Actor
) -> None:
    make_version(maria_actor)
    said = {"name": "churn", "version": 1}
    post_check(maria_actor, **said, check="ci/test", state=CheckState.FAILED, summary=f"1 of 9 {PROBE}")
    post_check(maria_actor, **said, check="bias", state=CheckState.PASSED, link="https://ci.example/7")
    post_deployment(
        maria_actor,
        **said,
        environment="eu-west",
        state=DeploymentState.SUCCEEDED,
        description="10 %",
        link="https://d.example/4",
    )
    request_transition(maria_actor, **said, to_stage=Stage.STAGING)
    approve(jon_actor, name="churn", number=1)
    request_transition(maria_actor, **said, to_stage=Stage.PRODUCTION)
    answer = maria_page.get("/models/churn/versions/1")
    words = words_of(answer)
    assert "Checks bias Passed maria, just now ci/test Failed 1 of 9 " in words
    assert "Deployments eu-west Deployed 10 % · maria, just now" in words
    assert "Requests #2 Production Pending Maria Lopez, just now #1 Staging Approved Maria Lopez, just now" in words
    html = html_of(answer)
    assert '<a href="https://ci.example/7" rel="nofollow noopener">bias</a>' in html
    assert '<a href="https://d.example/4" rel="nofollow noopener">eu-west</a>' in html
    assert PROBE not in html
