"""Runs: their lives, names, tags, inputs and outputs, and how they are found."""

import json

import pytest
from pytest_django import DjangoAssertNumQueries

from registry_site.accounts.actors import Actor
from registry_site.audit.models import Activity
from registry_site.core.errors import InvalidParameter, NotFound, NotSignedIn
from registry_site.tracking import histories, logged_models, queries, recording, services
from registry_site.tracking.models import Run
from registry_site.tracking.recording import MetricPoint
from registry_site.tracking.rules import ViewType
from registry_site.tracking.services import DatasetUse
from tests.conftest import FrozenClock
from tests.make import make_experiment, make_run

pytestmark = pytest.mark.django_db


def tags_of(run: Run) -> dict[str, str]:
    return {tag.key: tag.value for tag in run.tags.all()}


def found(actor: Actor, filter: str = "", **options: object) -> list[str]:
    experiment = make_experiment(actor)
    page = queries.search_runs(actor, experiment_ids=[experiment.pk], filter=filter, **options)
    return [run.run_name for run in page.rows]


# -- lives -------------------------------------------------------------------------------------------------------------
def test_a_new_run_is_running_and_knows_where_its_artifacts_lie(maria_actor: Actor) -> None:
    fraud = make_experiment(maria_actor, "fraud")
    run = services.create_run(maria_actor, experiment_id=str(fraud.pk), run_name="first", start_time=17)

    assert (run.status, run.lifecycle_stage, run.start_time, run.end_time) == ("RUNNING", "active", 17, None)
    assert run.artifact_uri == f"mlflow-artifacts:/{fraud.pk}/{run.run_id}/artifacts"
    assert len(run.run_id) == 32
    assert (run.user_id, tags_of(run)) == ("maria", {"mlflow.runName": "first"})


def test_a_run_is_named_by_its_tag_or_else_by_us(maria_actor: Actor) -> None:
    assert make_run(maria_actor, tags={"mlflow.runName": "tagged"}).run_name == "tagged"
    nameless = make_run(maria_actor)
    assert nameless.run_name == tags_of(nameless)["mlflow.runName"] != ""


def test_two_different_names_are_refused(maria_actor: Actor) -> None:
    with pytest.raises(InvalidParameter, match=r"^The run has two names: run_name 'a' and tag mlflow.runName 'b'"):
        make_run(maria_actor, name="a", tags={"mlflow.runName": "b"})


def test_runs_need_an_active_experiment(maria_actor: Actor) -> None:
    with pytest.raises(NotFound, match=r"^No Experiment with id=4711 exists$"):
        services.create_run(maria_actor, experiment_id="4711")
    fraud = make_experiment(maria_actor)
    services.delete_experiment(maria_actor, experiment_id=fraud.pk)
    with pytest.raises(InvalidParameter, match=r"must be in the 'active' state and is deleted"):
        services.create_run(maria_actor, experiment_id=fraud.pk)


def test_an_update_changes_only_what_is_given(maria_actor: Actor) -> None:
    run = make_run(maria_actor, name="first")
    services.update_run(maria_actor, run_id=run.run_id, status="FINISHED", end_time=99)
    services.update_run(maria_actor, run_id=run.run_id, run_name="second")

    run = queries.get_run(maria_actor, run.run_id)
    assert (run.status, run.end_time, run.run_name) == ("FINISHED", 99, "second")
    assert tags_of(run)["mlflow.runName"] == "second"


def test_setting_the_name_tag_renames_the_run(maria_actor: Actor) -> None:
    run = make_run(maria_actor, name="first")
    services.set_run_tag(maria_actor, run_id=run.run_id, key="mlflow.runName", value="by tag")
    assert queries.get_run(maria_actor, run.run_id).run_name == "by tag"
    recording.log_batch(maria_actor, run_id=run.run_id, tags=[("mlflow.runName", "by batch")])
    assert queries.get_run(maria_actor, run.run_id).run_name == "by batch"


def test_deleting_and_restoring_are_told_once_each_and_may_be_repeated(maria_actor: Actor) -> None:
    run = make_run(maria_actor, name="first")
    for _ in range(2):
        services.delete_run(maria_actor, run_id=run.run_id)
    for _ in range(2):
        services.restore_run(maria_actor, run_id=run.run_id)

    told = Activity.objects.filter(kind__startswith="run.").order_by("pk").values_list("kind", "subject")
    assert list(told) == [("run.deleted", "first"), ("run.restored", "first")]


def test_nothing_can_be_written_to_a_deleted_run(maria_actor: Actor) -> None:
    run_id = make_run(maria_actor).run_id
    services.delete_run(maria_actor, run_id=run_id)
    writes = [
        lambda: services.update_run(maria_actor, run_id=run_id, status="FINISHED"),
        lambda: services.set_run_tag(maria_actor, run_id=run_id, key="a", value="b"),
        lambda: services.delete_run_tag(maria_actor, run_id=run_id, key="mlflow.runName"),
        lambda: services.log_inputs(maria_actor, run_id=run_id),
        lambda: services.log_outputs(maria_actor, run_id=run_id, models={}),
        lambda: recording.log_metric(maria_actor, run_id=run_id, metric=MetricPoint("a", 1.0, 1)),
        lambda: recording.log_param(maria_actor, run_id=run_id, key="a", value="b"),
        lambda: recording.log_batch(maria_actor, run_id=run_id),
    ]
    for write in writes:
        with pytest.raises(InvalidParameter, match=rf"^The run {run_id} must be in the 'active' state and is deleted"):
            write()


def test_a_stranger_reads_no_run(stranger_actor: Actor, maria_actor: Actor) -> None:
    run = make_run(maria_actor)
    with pytest.raises(NotSignedIn):
        queries.get_run(stranger_actor, run.run_id)
    with pytest.raises(NotSignedIn):
        histories.metric_history(stranger_actor, run_id=run.run_id, key="a")


# -- tags --------------------------------------------------------------------------------------------------------------
def test_long_values_of_tags_are_cut(maria_actor: Actor) -> None:
    run = make_run(maria_actor, tags={"long": "x" * 9000})
    assert len(tags_of(run)["long"]) == 8000


@pytest.mark.parametrize("key", ["a$b", "a@b", "../a", "a//b", "/a", "a/", ".", "a/../b", "", "x" * 251, "a\n"])
def test_odd_keys_are_refused(maria_actor: Actor, key: str) -> None:
    run = make_run(maria_actor)
    with pytest.raises(InvalidParameter, match=r"^Invalid tag name"):
        services.set_run_tag(maria_actor, run_id=run.run_id, key=key, value="")


@pytest.mark.parametrize("key", ["a b", "a/b", "a.b-c:d_e", "größe", "x" * 250])
def test_usual_keys_are_taken(maria_actor: Actor, key: str) -> None:
    run = make_run(maria_actor)
    services.set_run_tag(maria_actor, run_id=run.run_id, key=key, value="")
    services.delete_run_tag(maria_actor, run_id=run.run_id, key=key)
    with pytest.raises(NotFound, match=r"^No tag with name: "):
        services.delete_run_tag(maria_actor, run_id=run.run_id, key=key)


# -- inputs and outputs ------------------------------------------------------------------------------------------------
def test_a_dataset_is_kept_once_per_experiment_and_its_use_once_per_run(maria_actor: Actor) -> None:
    first, second = make_run(maria_actor), make_run(maria_actor)
    use = DatasetUse(
        {"name": "transactions", "digest": "abc", "source_type": "local", "source": "{}"},
        {"mlflow.data.context": "training"},
    )
    for run in (first, first, second):
        services.log_inputs(maria_actor, run_id=run.run_id, datasets=[use, use])

    inputs = [list(queries.get_run(maria_actor, run.run_id).dataset_inputs.all()) for run in (first, second)]
    assert [len(one) for one in inputs] == [1, 1]
    assert inputs[0][0].dataset_id == inputs[1][0].dataset_id
    assert inputs[0][0].context == "training"
    summaries = queries.search_datasets(maria_actor, experiment_ids=[first.experiment_id])
    assert [(one.name, one.digest, one.context) for one in summaries] == [("transactions", "abc", "training")]


def test_a_dataset_needs_a_name_and_a_digest_and_keeps_to_its_limits(maria_actor: Actor) -> None:
    run = make_run(maria_actor)
    with pytest.raises(
        InvalidParameter, match=r"^Missing value for required parameter 'datasets\[0\].dataset.digest'.$"
    ):
        services.log_inputs(maria_actor, run_id=run.run_id, datasets=[DatasetUse({"name": "a"})])
    with pytest.raises(InvalidParameter, match=r"^datasets\[0\].dataset.digest has 37 characters and may have 36.$"):
        services.log_inputs(maria_actor, run_id=run.run_id, datasets=[DatasetUse({"name": "a", "digest": "x" * 37})])


def test_models_are_linked_as_inputs_and_outputs(maria_actor: Actor) -> None:
    run = make_run(maria_actor)
    model = logged_models.create_logged_model(maria_actor, experiment_id=run.experiment_id, source_run_id=run.run_id)
    services.log_outputs(maria_actor, run_id=run.run_id, models={model.model_id: 7})
    services.log_inputs(maria_actor, run_id=run.run_id, model_ids=[model.model_id])

    links = queries.get_run(maria_actor, run.run_id).run_models.all()
    assert [(link.logged_model.model_id, link.is_output, link.step) for link in links] == [
        (model.model_id, True, 7),
        (model.model_id, False, 0),
    ]
    with pytest.raises(NotFound, match=r"^Logged model with ID 'm-0' not found.$"):
        services.log_outputs(maria_actor, run_id=run.run_id, models={"m-0": 0})


def test_models_of_mlflow_2_clients_add_up_in_a_tag(maria_actor: Actor) -> None:
    run = make_run(maria_actor)
    model = {"artifact_path": "model", "flavors": {}, "utc_time_created": "2026", "run_id": run.run_id}
    for path in ("model", "second"):
        text = json.dumps(model | {"artifact_path": path})
        services.log_run_model(maria_actor, run_id=run.run_id, model_json=text)

    history = json.loads(tags_of(run)["mlflow.log-model.history"])
    assert [one["artifact_path"] for one in history] == ["model", "second"]
    with pytest.raises(InvalidParameter, match=r"^Malformed model info: model_json lacks artifact_path, flavors"):
        services.log_run_model(maria_actor, run_id=run.run_id, model_json='{"run_id": "x"}')
    with pytest.raises(InvalidParameter, match=r"^Malformed model info: model_json is not valid JSON.$"):
        services.log_run_model(maria_actor, run_id=run.run_id, model_json="{")


# -- searches ----------------------------------------------------------------------------------------------------------
def test_runs_are_found_by_metrics_params_tags_and_attributes(maria_actor: Actor) -> None:
    for name, auc in (("low", 0.5), ("high", 0.9), ("broken", float("nan"))):
        run = make_run(maria_actor, name=name, tags={"team": "risk"})
        recording.log_batch(
            maria_actor, run_id=run.run_id, metrics=[MetricPoint("auc", auc, 1)], params=[("kind", name)]
        )

    assert found(maria_actor, "metrics.auc > 0.6") == ["high"]
    assert found(maria_actor, "params.kind LIKE 'l%' AND tags.team = 'risk'") == ["low"]
    assert found(maria_actor, "attributes.run_name = 'broken'") == ["broken"]
    assert found(maria_actor, order_by=["metrics.auc DESC"]) == ["high", "low", "broken"]
    assert found(maria_actor, order_by=["metrics.auc ASC"]) == ["low", "high", "broken"]


def test_pages_of_runs_lose_and_repeat_nothing(maria_actor: Actor, frozen_clock: FrozenClock) -> None:
    for number in range(7):
        run = make_run(maria_actor, name=f"r{number}")
        if number % 2:
            recording.log_metric(maria_actor, run_id=run.run_id, metric=MetricPoint("auc", number / 10, 1))
    seen: list[str] = []
    token: str | None = ""
    while token is not None:
        page = queries.search_runs(
            maria_actor,
            experiment_ids=[make_experiment(maria_actor).pk],
            order_by=["metrics.auc DESC"],
            max_results=2,
            page_token=token,
        )
        seen += [run.run_name for run in page.rows]
        token = page.next_page_token or None

    assert seen[:3] == ["r5", "r3", "r1"]
    assert sorted(seen) == [f"r{number}" for number in range(7)]


def test_view_types_choose_by_life_cycle_stage(maria_actor: Actor) -> None:
    make_run(maria_actor, name="kept")
    services.delete_run(maria_actor, run_id=make_run(maria_actor, name="gone").run_id)

    assert found(maria_actor) == ["kept"]
    assert found(maria_actor, view_type=ViewType.DELETED_ONLY) == ["gone"]
    assert sorted(found(maria_actor, view_type=ViewType.ALL)) == ["gone", "kept"]


def test_a_search_asks_the_same_number_of_queries_for_any_number_of_runs(
    maria_actor: Actor, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    experiment = make_experiment(maria_actor)
    for _ in range(20):
        run = make_run(maria_actor)
        recording.log_batch(
            maria_actor, run_id=run.run_id, metrics=[MetricPoint("a", 1.0, 1)], params=[("b", "c")], tags=[("d", "e")]
        )
        services.log_inputs(maria_actor, run_id=run.run_id, datasets=[DatasetUse({"name": "n", "digest": "d"})])
    with django_assert_max_num_queries(6):
        page = queries.search_runs(maria_actor, experiment_ids=[experiment.pk], filter="metrics.a = 1")
        for run in page.rows:
            assert [metric.value for metric in run.latest_metrics.all()] == [1.0]
            assert [one.dataset.name for one in run.dataset_inputs.all()] == ["n"]
            assert (len(run.params.all()), len(run.tags.all()), len(run.run_models.all())) == (1, 2, 0)
    assert len(page.rows) == 20


@pytest.mark.parametrize("max_results", [0, -1, 50_001])
def test_page_sizes_have_limits(maria_actor: Actor, max_results: int) -> None:
    with pytest.raises(InvalidParameter, match=rf"^Invalid value {max_results} for parameter 'max_results' supplied"):
        found(maria_actor, max_results=max_results)


def test_columns_are_chosen_from_what_the_newest_runs_logged(maria_actor: Actor) -> None:
    run = make_run(maria_actor)
    recording.log_batch(
        maria_actor,
        run_id=run.run_id,
        metrics=[MetricPoint("b", 1.0, 1), MetricPoint("a", 1.0, 1)],
        params=[("depth", "3")],
    )
    make_run(maria_actor)
    keys = queries.distinct_keys(maria_actor, run.experiment_id)
    assert (keys.metrics, keys.params) == (["a", "b"], ["depth"])


def test_runs_come_in_the_order_asked_for(maria_actor: Actor) -> None:
    ids = [make_run(maria_actor).run_id for _ in range(3)][::-1]
    assert [run.run_id for run in queries.runs_by_ids(maria_actor, [*ids, "none"])] == ids
