"""What runs log: points, latest points, params; alone, in batches, and many batches at once."""

import math
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from registry_site.accounts.actors import Actor
from registry_site.core.errors import InvalidParameter, NotFound
from registry_site.tracking import histories, logged_models, queries, recording
from registry_site.tracking.models import LatestMetric, Metric, Param, Run
from registry_site.tracking.recording import MetricPoint
from tests.make import make_run

GREATEST = 1.7976931348623157e308


@pytest.fixture
def run(maria_actor: Actor) -> Run:
    return make_run(maria_actor)


def history(actor: Actor, run: Run, key: str = "loss") -> list[tuple[int, int, float]]:
    return [
        (row.step, row.timestamp, row.value) for row in histories.metric_history(actor, run_id=run.run_id, key=key).rows
    ]


def latest(run: Run, key: str = "loss") -> tuple[int, int, float]:
    return LatestMetric.objects.values_list("step", "timestamp", "value").get(run=run, key=key)


@pytest.mark.django_db
class TestMetrics:
    def test_the_latest_is_the_greatest_by_step_then_time_then_value_and_not_the_last_written(
        self, maria_actor: Actor, run: Run
    ) -> None:
        for step, timestamp, value in [(5, 10, 1.0), (4, 99, 9.0), (5, 9, 9.0), (5, 10, 0.5)]:
            recording.log_metric(maria_actor, run_id=run.run_id, metric=MetricPoint("loss", value, timestamp, step))
            assert latest(run) == (5, 10, 1.0)
        recording.log_metric(maria_actor, run_id=run.run_id, metric=MetricPoint("loss", 1.5, 10, 5))
        assert latest(run) == (5, 10, 1.5)

    def test_a_point_that_is_there_is_not_added_again(self, maria_actor: Actor, run: Run) -> None:
        point = MetricPoint("loss", 0.25, 1, 1)
        recording.log_batch(maria_actor, run_id=run.run_id, metrics=[point, point])
        recording.log_metric(maria_actor, run_id=run.run_id, metric=point)

        assert history(maria_actor, run) == [(1, 1, 0.25)]

    def test_not_a_number_and_infinities_are_kept(self, maria_actor: Actor, run: Run) -> None:
        values = [math.nan, math.inf, -math.inf]
        points = [MetricPoint("loss", value, 1, step) for step, value in enumerate(values)]
        recording.log_batch(maria_actor, run_id=run.run_id, metrics=points)

        rows = histories.metric_history(maria_actor, run_id=run.run_id, key="loss").rows
        assert [(row.is_nan, row.value) for row in rows] == [(True, 0.0), (False, GREATEST), (False, -GREATEST)]

    def test_a_negative_timestamp_is_refused(self, maria_actor: Actor, run: Run) -> None:
        with pytest.raises(InvalidParameter) as refusal:
            recording.log_batch(maria_actor, run_id=run.run_id, metrics=[MetricPoint("loss", 1.0, -1)])
        assert refusal.value.message == "Invalid timestamp -1 of metric 'loss': it must not be negative."
        assert refusal.value.field == "metrics[0].timestamp"

    def test_steps_may_be_negative_and_64_bits_long(self, maria_actor: Actor, run: Run) -> None:
        point = MetricPoint("loss", 1.0, 2**63 - 1, -(2**63))
        recording.log_metric(maria_actor, run_id=run.run_id, metric=point)
        assert latest(run) == (-(2**63), 2**63 - 1, 1.0)

    def test_a_metric_of_a_logged_model_is_written_to_both(self, maria_actor: Actor, run: Run) -> None:
        model = logged_models.create_logged_model(maria_actor, experiment_id=run.experiment_id)
        point = MetricPoint("auc", 0.9, 1, 2, model_id=model.model_id, dataset_name="eval", dataset_digest="abc")
        recording.log_metric(maria_actor, run_id=run.run_id, metric=point)
        recording.log_metric(maria_actor, run_id=run.run_id, metric=point)

        assert latest(run, "auc") == (2, 1, 0.9)
        metrics = logged_models.get_logged_model(maria_actor, model_id=model.model_id).metrics.all()
        assert [(one.key, one.value, one.dataset_name, one.run.run_id) for one in metrics] == [
            ("auc", 0.9, "eval", run.run_id)
        ]

    def test_a_metric_of_an_unknown_logged_model_is_refused_and_nothing_kept(
        self, maria_actor: Actor, run: Run
    ) -> None:
        with pytest.raises(NotFound, match=r"^Logged model with ID 'm-0' not found.$"):
            recording.log_metric(maria_actor, run_id=run.run_id, metric=MetricPoint("a", 1.0, 1, model_id="m-0"))
        assert not Metric.objects.exists()


@pytest.mark.django_db
class TestParams:
    def test_the_same_value_again_is_fine(self, maria_actor: Actor, run: Run) -> None:
        for _ in range(2):
            recording.log_param(maria_actor, run_id=run.run_id, key="depth", value="3")
        assert Param.objects.get(run=run).value == "3"

    def test_another_value_is_refused(self, maria_actor: Actor, run: Run) -> None:
        recording.log_param(maria_actor, run_id=run.run_id, key="depth", value="3")
        with pytest.raises(InvalidParameter) as refusal:
            recording.log_batch(maria_actor, run_id=run.run_id, params=[("depth", "4")])
        assert refusal.value.message == (
            "Changing param values is not allowed. Param with key='depth' was already logged with value='3' for run "
            f"ID='{run.run_id}'. Attempted logging new value '4'."
        )

    def test_a_long_value_is_cut_and_the_same_long_value_is_fine_again(self, maria_actor: Actor, run: Run) -> None:
        for _ in range(2):
            recording.log_param(maria_actor, run_id=run.run_id, key="long", value="x" * 7000)
        assert len(Param.objects.get(run=run).value) == 6000

    def test_one_request_may_name_a_param_only_once(self, maria_actor: Actor, run: Run) -> None:
        with pytest.raises(InvalidParameter, match=r"^Duplicate parameter key 'a' in one request: send it once.$"):
            recording.log_batch(maria_actor, run_id=run.run_id, params=[("a", "1"), ("a", "1")])


@pytest.mark.django_db
class TestBatches:
    @pytest.mark.parametrize(
        ("metrics", "params", "tags", "what"),
        [
            (1001, 0, 0, "1000 metrics"),
            (0, 101, 0, "100 params"),
            (0, 0, 101, "100 tags"),
            (900, 100, 1, "1000 metrics, params and tags together"),
        ],
    )
    def test_a_batch_has_limits(
        self, maria_actor: Actor, run: Run, metrics: int, params: int, tags: int, what: str
    ) -> None:
        with pytest.raises(InvalidParameter, match=rf"^A batch may hold at most {what}; this one holds "):
            recording.log_batch(
                maria_actor,
                run_id=run.run_id,
                metrics=[MetricPoint("m", 1.0, 1, step) for step in range(metrics)],
                params=[(f"p{number}", "") for number in range(params)],
                tags=[(f"t{number}", "") for number in range(tags)],
            )

    def test_a_batch_is_written_whole_or_not_at_all(self, maria_actor: Actor, run: Run) -> None:
        recording.log_param(maria_actor, run_id=run.run_id, key="depth", value="3")
        with pytest.raises(InvalidParameter):
            recording.log_batch(
                maria_actor,
                run_id=run.run_id,
                metrics=[MetricPoint("loss", 1.0, 1)],
                params=[("a", "1"), ("depth", "4")],
                tags=[("t", "1")],
            )
        assert not Metric.objects.exists()
        assert [param.key for param in Param.objects.all()] == ["depth"]

    def test_a_full_batch_takes_few_queries(
        self, maria_actor: Actor, run: Run, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_max_num_queries(8):  # savepoints of the test's transaction among them
            recording.log_batch(
                maria_actor,
                run_id=run.run_id,
                metrics=[MetricPoint(f"m{number % 100}", 1.0, 1, number) for number in range(800)],
                params=[(f"p{number}", "1") for number in range(100)],
                tags=[(f"t{number}", "1") for number in range(99)] + [("t0", "last")],
            )
        found = queries.get_run(maria_actor, run.run_id)
        assert (len(found.latest_metrics.all()), len(found.params.all()), len(found.tags.all())) == (100, 100, 100)
        assert {tag.key: tag.value for tag in found.tags.all()}["t0"] == "last"

    def test_an_empty_batch_is_fine_and_an_unknown_run_is_not(self, maria_actor: Actor, run: Run) -> None:
        recording.log_batch(maria_actor, run_id=run.run_id)
        with pytest.raises(NotFound, match=r"^Run with id=unknown not found$"):
            recording.log_batch(maria_actor, run_id="unknown")


@pytest.mark.django_db(transaction=True)
def test_batches_at_the_same_time_lose_no_point_and_agree_on_the_latest(maria_actor: Actor) -> None:
    run = make_run(maria_actor)

    def send(worker: int) -> None:
        try:
            for batch in range(5):
                recording.log_batch(
                    maria_actor,
                    run_id=run.run_id,
                    metrics=[MetricPoint(f"m{key}", worker / 10, 1, 10 * batch + worker) for key in range(20)][
                        :: 1 if worker % 2 else -1
                    ],
                    params=[("depth", "3")],
                    tags=[(f"t{key}", str(worker)) for key in range(5)][:: 1 if worker % 2 else -1],
                )
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(4)))

    assert Metric.objects.filter(run=run).count() == 20 * 5 * 4
    assert set(LatestMetric.objects.filter(run=run).values_list("step", "value")) == {(43, 0.3)}


@pytest.mark.django_db(transaction=True)
def test_of_two_values_for_one_param_at_the_same_time_one_is_kept_and_the_other_refused(maria_actor: Actor) -> None:
    run = make_run(maria_actor)

    def send(value: str) -> bool:
        try:
            recording.log_param(maria_actor, run_id=run.run_id, key="depth", value=value)
        except InvalidParameter:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(send, ["3", "4"]))

    assert sorted(outcomes) == [False, True]
    assert Param.objects.get(run=run).value == ["3", "4"][outcomes.index(True)]


@pytest.mark.django_db
class TestHistories:
    def test_points_come_by_time_in_pages(self, maria_actor: Actor, run: Run) -> None:
        points = [MetricPoint("loss", step / 10, 100 - step, step) for step in range(5)]
        recording.log_batch(maria_actor, run_id=run.run_id, metrics=points)

        first = histories.metric_history(maria_actor, run_id=run.run_id, key="loss", max_results=3)
        rest = histories.metric_history(
            maria_actor, run_id=run.run_id, key="loss", max_results=3, page_token=first.next_page_token
        )
        assert [row.step for row in [*first.rows, *rest.rows]] == [4, 3, 2, 1, 0]
        assert rest.next_page_token == ""

    def test_an_unknown_run_or_key_has_no_history(self, maria_actor: Actor, run: Run) -> None:
        assert histories.metric_history(maria_actor, run_id=run.run_id, key="none").rows == []
        assert histories.metric_history(maria_actor, run_id="none", key="loss").rows == []

    def test_a_sample_is_even_and_keeps_the_first_and_the_last_point(self, maria_actor: Actor, run: Run) -> None:
        recording.log_batch(
            maria_actor, run_id=run.run_id, metrics=[MetricPoint("loss", 1.0, 1, step) for step in range(100)]
        )
        sample = histories.metric_history_sample(maria_actor, run_ids=[run.run_id], key="loss", max_results=10)
        assert [row.step for row in sample] == [*range(0, 100, 10), 99]
        within = histories.metric_history_sample(
            maria_actor, run_ids=[run.run_id], key="loss", start_step=5, end_step=8, max_results=10
        )
        assert [row.step for row in within] == [5, 6, 7, 8]

    def test_several_runs_are_read_at_once(self, maria_actor: Actor, run: Run) -> None:
        other = make_run(maria_actor)
        for one in (run, other):
            recording.log_metric(maria_actor, run_id=one.run_id, metric=MetricPoint("loss", 1.0, 1))
        points = histories.metric_history_of_runs(maria_actor, run_ids=[run.run_id, other.run_id], key="loss")
        assert sorted(point.run__run_id for point in points) == sorted([run.run_id, other.run_id])

    def test_a_plot_keeps_every_peak(self, maria_actor: Actor, run: Run) -> None:
        values = [0.5] * 1000
        values[123], values[777] = 9.0, -9.0
        recording.log_batch(
            maria_actor,
            run_id=run.run_id,
            metrics=[MetricPoint("loss", value, 1, step) for step, value in enumerate(values)],
        )
        recording.log_metric(maria_actor, run_id=run.run_id, metric=MetricPoint("auc", math.nan, 1))
        series = histories.metric_series(maria_actor, run.run_id, ["loss", "auc", "none"], max_points=20)

        assert list(series) == ["loss"]
        assert len(series["loss"]) <= 20
        assert {(123, 9.0), (777, -9.0)} <= {(point.step, point.value) for point in series["loss"]}
        assert [point.step for point in series["loss"]] == sorted(point.step for point in series["loss"])

    def test_a_short_history_is_plotted_as_it_is(self, maria_actor: Actor, run: Run) -> None:
        points = [MetricPoint("loss", step / 2, 1, step) for step in range(3)]
        recording.log_batch(maria_actor, run_id=run.run_id, metrics=points)
        series = histories.metric_series(maria_actor, run.run_id, ["loss"])
        assert [(point.step, point.value) for point in series["loss"]] == [(0, 0.0), (1, 0.5), (2, 1.0)]
