"""Three hundred models and experiments of others: who was granted nothing finds none of them, whichever way they look,
and everything appears with a grant."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.audit.kinds import Kind
from registry_site.core.errors import InvalidParameter, NotFound
from registry_site.promotion.compared import compare_versions
from registry_site.promotion.queries import all_requests, browse_requests, get_request, waiting_for
from registry_site.promotion.services import request_transition, transition
from registry_site.registry import browsing
from registry_site.registry import queries as registry
from registry_site.registry.evidence import metrics_over_versions
from registry_site.registry.history import history_of, recent_moves
from registry_site.registry.models import Grant, ModelVersion, RegisteredModel
from registry_site.registry.services import set_alias, set_model_tag
from registry_site.registry.stages import Stage
from registry_site.tracking import logged_models, queries
from registry_site.tracking.models import Experiment, ExperimentGrant, Run
from tests.doors import Api
from tests.make import grant, grant_on_experiments, make_experiment, make_run, make_version

pytestmark = pytest.mark.django_db

MANY = 300
SECRET = "secret-%03d"
ODD = SECRET % 150  # the one that grants are given on


@pytest.fixture(autouse=True)
def _a_closed_site(settings: Settings) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"


@pytest.fixture
def foreign(maria_actor: Actor) -> list[Run]:
    """Maria's runs, each in an experiment of its own, and made into a version of a model of its own. The odd one has an
    alias, a tag, a request and a logged model too."""
    names = [SECRET % number for number in range(MANY)]
    Experiment.objects.bulk_create(
        Experiment(name=name, artifact_location=f"mlflow-artifacts:/{name}", creation_time=1, last_update_time=1)
        for name in names
    )
    experiments = {each.name: each for each in Experiment.objects.all()}
    Run.objects.bulk_create(
        Run(
            run_id=f"{number:032x}",
            run_name=name,
            experiment=experiments[name],
            artifact_uri=f"mlflow-artifacts:/{name}/{number:032x}/artifacts",
        )
        for number, name in enumerate(names)
    )
    RegisteredModel.objects.bulk_create(
        RegisteredModel(name=name, creation_timestamp=1, last_updated_timestamp=1, last_version=1) for name in names
    )
    runs = list(Run.objects.order_by("run_id"))
    ModelVersion.objects.bulk_create(
        ModelVersion(
            registered_model=model,
            version=1,
            run_id=run.run_id,
            source=f"runs:/{run.run_id}/model",
            storage_location=f"{run.artifact_uri}/model",
            creation_timestamp=1,
            last_updated_timestamp=1,
        )
        for model, run in zip(RegisteredModel.objects.order_by("name"), runs, strict=True)
    )
    odd = runs[150]
    maria = User.objects.get(username="maria")
    grant(maria, Level.CAN_MANAGE)
    grant_on_experiments(maria, Level.CAN_MANAGE)
    set_alias(maria_actor, name=ODD, alias="champion", version=1)
    set_model_tag(maria_actor, name=ODD, key="secret", value="yes")
    transition(maria_actor, name=ODD, version=1, to_stage=Stage.STAGING)
    request_transition(maria_actor, name=ODD, version=1, to_stage=Stage.PRODUCTION, comment="ready")
    logged_models.create_logged_model(maria_actor, experiment_id=odd.experiment_id, name="forest")
    return runs


def ways(actor: Actor, runs: list[Run]) -> Iterator[tuple[str, list[str]]]:
    """Every way to look for models and experiments, and the names that it finds."""
    odd, ids = runs[150], [run.experiment_id for run in runs]
    run_ids = [run.run_id for run in runs]
    yield "list of models", [one.name for one in registry.search_models(actor, max_results=1000).rows]
    yield "filter", [one.name for one in registry.search_models(actor, filter="name LIKE 'secret%'").rows]
    yield "tag", [one.name for one in registry.search_models(actor, filter="tags.secret LIKE 'y%'").rows]
    yield "page of models", [one.name for one in browsing.browse_models(actor, text="secret").rows]
    yield "facet", [one.name for one in browsing.browse_models(actor, text="alias:champion").rows]
    yield "type-ahead", [one.name for one in browsing.suggest_models(actor, "secret")]
    yield "versions", [one.model_name for one in registry.search_versions(actor).rows]
    yield "run id", [str(one.registered_model) for one in registry.versions_of_run(actor, odd.run_id)]
    yield "run ids", [one.name for one in registry.versions_of_runs(actor, [odd.run_id])]
    by_run = registry.search_versions(actor, filter=f"run_id = '{odd.run_id}'")
    yield "filter by run", [one.model_name for one in by_run.rows]
    yield "versions of a model", [str(one.registered_model) for one in registry.versions_of_model(actor, ODD).rows]
    yield "requests", [str(one.registered_model) for one in all_requests(actor)]
    yield "page of requests", [str(one.registered_model) for one in browse_requests(actor).rows]
    yield "moves", [one.model_name for one in recent_moves(actor, Stage.STAGING)]
    yield "experiments", [one.name for one in queries.search_experiments(actor, max_results=1000).rows]
    by_name = queries.search_experiments(actor, filter="name LIKE 'secret%'")
    yield "filter of experiments", [one.name for one in by_name.rows]
    yield "page of experiments", [one.experiment.name for one in queries.experiments_overview(actor).rows]
    yield "runs", [one.run_name for one in queries.search_runs(actor, experiment_ids=ids).rows]
    yield "runs of one", [one.run_name for one in queries.search_runs(actor, experiment_ids=[odd.experiment_id]).rows]
    yield "runs by id", [one.run_name for one in queries.runs_by_ids(actor, run_ids)]
    found = logged_models.search_logged_models(actor, experiment_ids=ids)
    yield "logged models", [one.experiment.name for one in found.rows]


def finds(actor: Actor, runs: list[Run]) -> dict[str, set[str]]:
    return {way: set(names) - {"Default"} for way, names in ways(actor, runs)}


def test_who_was_granted_nothing_finds_nothing(foreign: list[Run], eve_actor: Actor) -> None:
    assert {way: names for way, names in finds(eve_actor, foreign).items() if names} == {}
    assert list(waiting_for(eve_actor)) == []


def test_nothing_is_there_by_its_name_or_number_either(foreign: list[Run], eve: User, eve_actor: Actor) -> None:
    odd = foreign[150]
    for name in (ODD, "nothing"):
        for ask in (
            lambda name=name: registry.get_model(eve_actor, name),
            lambda name=name: registry.get_version(eve_actor, name, 1),
            lambda name=name: registry.get_version_by_alias(eve_actor, name, "champion"),
            lambda name=name: registry.latest_versions(eve_actor, name),
            lambda name=name: registry.versions_by_number(eve_actor, name, [1]),
            lambda name=name: compare_versions(eve_actor, name, [1, 2]),
            lambda name=name: history_of(eve_actor, name),
            lambda name=name: get_request(eve_actor, name, 1),
            lambda name=name: queries.get_experiment_by_name(eve_actor, name),
        ):
            with pytest.raises(NotFound, match=name):
                ask()
        assert registry.stages_of_versions(eve_actor, name, limit=10) == []
        assert metrics_over_versions(eve_actor, name, limit=10) == {}
    api = Api().as_(eve)
    path = f"{odd.artifact_uri.removeprefix('mlflow-artifacts:/')}/model/MLmodel"
    hidden = [
        api.get("registered-models/get", {"name": ODD}),
        api.get("model-versions/get-download-uri", {"name": ODD, "version": "1"}),
        api.get("registered-models/alias", {"name": ODD, "alias": "champion"}),
        api.get("/model-versions/get-artifact", {"name": ODD, "version": "1", "path": "MLmodel"}),
        api.get("runs/get", {"run_id": odd.run_id}),
        api.get("/get-artifact", {"run_id": odd.run_id, "path": "model/MLmodel"}),
        api.get(f"/api/2.0/mlflow-artifacts/artifacts/{path}"),
        api.get("activities/list", {"name": ODD}),
        api.get(f"/api/v1/models/{ODD}/activities"),
    ]
    assert {answer.status_code for answer in hidden} == {404}
    empty = [
        api.get("metrics/get-history", {"run_id": odd.run_id, "metric_key": "auc"}),
        api.get("metrics/get-history-bulk", {"run_id": [odd.run_id], "metric_key": "auc"}),
        api.get("metrics/get-history-bulk-interval", {"run_ids": [odd.run_id], "metric_key": "auc"}),
        api.get("/api/2.0/mlflow-artifacts/artifacts", {"path": path.rpartition("/")[0]}),
    ]
    assert [answer.status_code for answer in empty] == [200] * 4
    assert all(list(answer.json().values()) in ([], [[]]) for answer in empty)


def test_a_page_token_opens_nothing_to_somebody_else(
    foreign: list[Run], maria_actor: Actor, eve: User, eve_actor: Actor
) -> None:
    ids = [run.experiment_id for run in foreign]
    searches = (
        lambda actor, token: registry.search_models(actor, max_results=2, page_token=token),
        lambda actor, token: registry.search_versions(actor, max_results=2, page_token=token),
        lambda actor, token: browsing.browse_models(actor, max_results=2, page_token=token),
        lambda actor, token: queries.search_experiments(actor, max_results=2, page_token=token),
        lambda actor, token: queries.search_runs(actor, experiment_ids=ids, max_results=2, page_token=token),
    )
    for search in searches:
        token = search(maria_actor, None).next_page_token
        assert token
        assert search(maria_actor, token).rows
        with pytest.raises(InvalidParameter, match="belongs to another search"):
            search(eve_actor, token)


def test_pages_show_nothing_of_them(foreign: list[Run], eve: User) -> None:
    page = Client()
    page.force_login(eve)
    for address in (
        "/",
        "/models",
        "/models?q=secret",
        "/suggest/models?q=secret",
        "/reviews?role=all",
        "/experiments",
    ):
        answer = page.get(address)
        assert answer.status_code == 200
        assert b"secret-" not in answer.content, address
    for address in (
        f"/models/{ODD}",
        f"/models/{ODD}/activity",
        f"/models/{ODD}/access",
        f"/models/{ODD}/versions/1",
        f"/models/{ODD}/requests/1",
        f"/experiments/{foreign[150].experiment_id}",
        f"/experiments/{foreign[150].experiment_id}/access",
        f"/runs/{foreign[150].run_id}",
        f"/runs/{foreign[150].run_id}/artifacts",
    ):
        assert page.get(address).status_code == 404, address


@pytest.mark.parametrize("holder", ["herself", "her group"])
@pytest.mark.parametrize("place", ["one", "all"])
def test_a_grant_makes_them_appear(holder: str, place: str, foreign: list[Run], eve: User, eve_actor: Actor) -> None:
    team = Group.objects.create(name="risk")
    eve.groups.add(team)
    who = {"user": eve} if holder == "herself" else {"group": team}
    model = RegisteredModel.objects.get(name=ODD) if place == "one" else None
    Grant.objects.create(registered_model=model, level=Level.CAN_READ, **who)
    experiment = foreign[150].experiment if place == "one" else None
    ExperimentGrant.objects.create(experiment=experiment, level=Level.CAN_READ, **who)
    found = finds(eve_actor, foreign)
    assert all(found.values()), "every way finds something"
    if place == "one":
        assert set().union(*found.values()) == {ODD}
    else:
        assert len(found["list of models"]) == len(found["experiments"]) == len(found["runs"]) == MANY
    assert registry.get_version_by_alias(eve_actor, ODD, "champion").version == 1
    assert [line.kind for line in history_of(eve_actor, ODD, kinds=[Kind.ALIAS_SET]).rows] == [Kind.ALIAS_SET]
    assert get_request(eve_actor, ODD, 1).comment == "ready"
    assert list(waiting_for(eve_actor)) == [], "who reads does not decide"


def test_pages_are_filled_up_from_what_one_may_read(foreign: list[Run], eve: User, eve_actor: Actor) -> None:
    for number in (20, 150, 280):
        grant(eve, Level.CAN_READ, RegisteredModel.objects.get(name=SECRET % number))
        grant_on_experiments(eve, Level.CAN_READ, Experiment.objects.get(name=SECRET % number))
    first = registry.search_models(eve_actor, max_results=2)
    assert [one.name for one in first.rows] == [SECRET % 20, SECRET % 150]
    last = registry.search_models(eve_actor, max_results=2, page_token=first.next_page_token)
    assert ([one.name for one in last.rows], last.next_page_token) == ([SECRET % 280], "")
    own = queries.search_experiments(eve_actor, max_results=3, order_by=["name DESC"])
    assert [one.name for one in own.rows] == [SECRET % 280, SECRET % 150, SECRET % 20]


def test_what_one_makes_oneself_is_there_among_them(foreign: list[Run], eve_actor: Actor) -> None:
    run = make_run(eve_actor, experiment=make_experiment(eve_actor, "mine"), name="first")
    make_version(eve_actor, "own", run=run)
    assert [one.name for one in registry.search_models(eve_actor).rows] == ["own"]
    assert {one.name for one in queries.search_experiments(eve_actor).rows} == {"mine", "Default"}
    assert [one.model_name for one in registry.search_versions(eve_actor).rows] == ["own"]
