"""Logged models: from their creation to their end, and how they are found."""

import pytest
from pytest_django import DjangoAssertNumQueries

from registry_site.accounts.actors import Actor
from registry_site.core.errors import AlreadyExists, InvalidParameter, NotFound, NotSignedIn
from registry_site.tracking import logged_models, recording, services
from registry_site.tracking.logged_models import DatasetFilter, OrderItem
from registry_site.tracking.models import LoggedModel
from registry_site.tracking.recording import MetricPoint
from tests.conftest import FrozenClock
from tests.make import make_experiment, make_run

pytestmark = pytest.mark.django_db


def make(actor: Actor, name: str = "model", **arguments: object) -> LoggedModel:
    return logged_models.create_logged_model(actor, experiment_id=make_experiment(actor).pk, name=name, **arguments)


def found(actor: Actor, filter: str = "", **options: object) -> list[str]:
    page = logged_models.search_logged_models(
        actor, experiment_ids=[make_experiment(actor).pk], filter=filter, **options
    )
    return [model.name for model in page.rows]


def test_a_new_model_is_pending_and_knows_where_its_artifacts_lie(maria_actor: Actor) -> None:
    run = make_run(maria_actor)
    model = make(maria_actor, source_run_id=run.run_id, params={"depth": "3"}, tags={"team": "risk"})

    assert (model.status, model.source_run.run_id) == ("LOGGED_MODEL_PENDING", run.run_id)
    assert model.model_id.startswith("m-")
    assert len(model.model_id) == 34
    assert model.artifact_uri == f"mlflow-artifacts:/{run.experiment_id}/models/{model.model_id}/artifacts"
    assert [(one.key, one.value) for one in model.params.all()] == [("depth", "3")]
    assert [(one.key, one.value) for one in model.tags.all()] == [("team", "risk")]
    assert make(maria_actor, name="").name != ""


@pytest.mark.parametrize("name", ["a/b", "a:b", "a.b", "a%b", 'a"b', "a'b", " ", "a\nb"])
def test_odd_names_are_refused(maria_actor: Actor, name: str) -> None:
    with pytest.raises(InvalidParameter, match=r"^Invalid model name"):
        make(maria_actor, name=name)


def test_a_model_needs_an_experiment_and_a_run_that_are_there(maria_actor: Actor, stranger_actor: Actor) -> None:
    with pytest.raises(NotFound, match=r"^No Experiment with id=4711 exists$"):
        logged_models.create_logged_model(maria_actor, experiment_id="4711")
    with pytest.raises(NotFound, match=r"^Run with id=none not found$"):
        make(maria_actor, source_run_id="none")
    with pytest.raises(NotSignedIn):
        logged_models.create_logged_model(stranger_actor, experiment_id="0")


def test_finalising_says_how_the_upload_ended(maria_actor: Actor, frozen_clock: FrozenClock) -> None:
    model = make(maria_actor)
    frozen_clock.advance(seconds=1)
    ready = logged_models.finalize_logged_model(maria_actor, model_id=model.model_id, status="LOGGED_MODEL_READY")

    assert ready.status == "LOGGED_MODEL_READY"
    assert ready.last_updated_timestamp == ready.creation_timestamp + 1000
    with pytest.raises(InvalidParameter, match=r"^Invalid status 'LOGGED_MODEL_PENDING': a logged model becomes"):
        logged_models.finalize_logged_model(maria_actor, model_id=model.model_id, status="LOGGED_MODEL_PENDING")


def test_a_deleted_model_is_gone_unless_asked_for(maria_actor: Actor) -> None:
    model = make(maria_actor)
    for _ in range(2):
        logged_models.delete_logged_model(maria_actor, model_id=model.model_id)

    with pytest.raises(NotFound, match=rf"^Logged model with ID '{model.model_id}' not found.$"):
        logged_models.get_logged_model(maria_actor, model_id=model.model_id)
    assert logged_models.get_logged_model(maria_actor, model_id=model.model_id, allow_deleted=True).pk == model.pk
    assert found(maria_actor) == []


def test_tags_are_set_replaced_and_deleted(maria_actor: Actor) -> None:
    model_id = make(maria_actor, tags={"a": "1"}).model_id
    logged_models.set_logged_model_tags(maria_actor, model_id=model_id, tags={"a": "2", "b": "3"})
    logged_models.delete_logged_model_tag(maria_actor, model_id=model_id, key="b")

    tags = logged_models.get_logged_model(maria_actor, model_id=model_id).tags.all()
    assert [(tag.key, tag.value) for tag in tags] == [("a", "2")]
    with pytest.raises(NotFound, match=rf"^No tag with key 'b' found for model with ID '{model_id}'.$"):
        logged_models.delete_logged_model_tag(maria_actor, model_id=model_id, key="b")


def test_params_are_written_once(maria_actor: Actor) -> None:
    model_id = make(maria_actor, params={"a": "1"}).model_id
    with pytest.raises(AlreadyExists) as refusal:
        logged_models.log_logged_model_params(maria_actor, model_id=model_id, params={"a": "1", "b": "2"})
    assert refusal.value.message == (
        f"The logged model '{model_id}' has these params already, and they cannot change: a."
    )
    logged_models.log_logged_model_params(maria_actor, model_id=model_id, params={"b": "2"})
    params = logged_models.get_logged_model(maria_actor, model_id=model_id).params.all()
    assert {one.key: one.value for one in params} == {"a": "1", "b": "2"}


def test_searches_go_by_attributes_tags_params_and_metrics(maria_actor: Actor, frozen_clock: FrozenClock) -> None:
    run = make_run(maria_actor)
    for name, on_train, on_test in (("a", 0.9, 0.5), ("b", 0.8, 0.7)):
        model = make(maria_actor, name, source_run_id=run.run_id, tags={"team": name}, params={"depth": name})
        frozen_clock.advance(seconds=1)
        for dataset, auc in (("train", on_train), ("test", on_test)):
            point = MetricPoint("auc", auc, 1, model_id=model.model_id, dataset_name=dataset, dataset_digest="d")
            recording.log_metric(maria_actor, run_id=run.run_id, metric=point)
    make(maria_actor, "c")

    assert found(maria_actor) == ["c", "b", "a"]
    assert found(maria_actor, f"source_run_id = '{run.run_id}' AND name = 'a'") == ["a"]
    assert found(maria_actor, "tags.team = 'b' AND params.depth = 'b'") == ["b"]
    assert found(maria_actor, "metrics.auc >= 0.8") == ["b", "a"]
    assert found(maria_actor, "metrics.auc >= 0.6", datasets=[DatasetFilter("test")]) == ["b"]
    assert found(maria_actor, order_by=[OrderItem("metrics.auc", False, "train")]) == ["a", "b", "c"]
    assert found(maria_actor, order_by=[OrderItem("metrics.auc", False, "test")]) == ["b", "a", "c"]
    assert found(maria_actor, order_by=[OrderItem("name")]) == ["a", "b", "c"]
    with pytest.raises(InvalidParameter):
        found(maria_actor, "flavour = 'x'")
    with pytest.raises(InvalidParameter, match=r"^Only metrics are measured on datasets: order_by 'name' has none.$"):
        found(maria_actor, order_by=[OrderItem("name", dataset_name="train")])


def test_pages_of_models_ask_the_same_number_of_queries_for_any_number_of_rows(
    maria_actor: Actor, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    run = make_run(maria_actor)
    for number in range(12):
        model = make(maria_actor, f"m{number}", source_run_id=run.run_id, tags={"a": "b"}, params={"a": "b"})
        point = MetricPoint("auc", 1.0, 1, model_id=model.model_id)
        recording.log_metric(maria_actor, run_id=run.run_id, metric=point)
    experiment_id = run.experiment_id
    with django_assert_max_num_queries(5):
        page = logged_models.search_logged_models(maria_actor, experiment_ids=[experiment_id], max_results=10)
        assert {model.source_run.run_id for model in page.rows} == {run.run_id}
        assert {one.run.run_id for model in page.rows for one in model.metrics.all()} == {run.run_id}
    rest = logged_models.search_logged_models(
        maria_actor, experiment_ids=[experiment_id], max_results=10, page_token=page.next_page_token
    )
    assert (len(page.rows), len(rest.rows), rest.next_page_token) == (10, 2, "")


def test_models_survive_the_deletion_of_their_experiments_runs(maria_actor: Actor) -> None:
    run = make_run(maria_actor)
    model = make(maria_actor, source_run_id=run.run_id)
    services.delete_run(maria_actor, run_id=run.run_id)
    assert logged_models.get_logged_model(maria_actor, model_id=model.model_id).source_run.run_id == run.run_id
