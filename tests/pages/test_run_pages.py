"""One run, as people see it."""

import json
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from registry_site.accounts.actors import Actor
from registry_site.pages.run_charts import Chart, charts_of
from registry_site.tracking import services
from registry_site.tracking.logged_models import create_logged_model
from registry_site.tracking.models import Run, RunStatus
from registry_site.tracking.recording import MetricPoint, log_batch
from registry_site.tracking.services import DatasetUse
from tests.live import ROOT
from tests.make import make_run, make_version


@pytest.fixture
def run(maria_actor: Actor) -> Run:
    """A finished run with a curve, a single metric, params, tags and data."""
    run = make_run(
        maria_actor,
        name="gbm depth 3",
        tags={"team": "risk", "mlflow.note.content": "Best *so far*", "mlflow.source.name": "train.py"},
    )
    curve = [MetricPoint("train_loss", 1 / (step + 1), timestamp=1000 + step, step=step) for step in range(50)]
    log_batch(
        maria_actor,
        run_id=run.run_id,
        metrics=[
            *curve,
            MetricPoint("val_loss", 0.5, 1, 0),
            MetricPoint("val_loss", 0.4, 2, 1),
            MetricPoint("auc", 0.91, 1),
        ],
        params=[("depth", "3"), ("note", "a" * 300)],
    )
    services.log_inputs(
        maria_actor,
        run_id=run.run_id,
        datasets=[DatasetUse({"name": "cards", "digest": "88e4cfd0"}, {"mlflow.data.context": "training"})],
    )
    services.update_run(maria_actor, run_id=run.run_id, status=RunStatus.FINISHED, end_time=run.start_time + 8300)
    return run


def text_of(page: Client, url: str) -> str:
    response = page.get(url)
    assert response.status_code == 200, response.content[:500]
    return response.content.decode()


# -- overview ----------------------------------------------------------------------------------------------------------
def test_the_overview_shows_all_of_a_run(maria_page: Client, run: Run) -> None:
    html = text_of(maria_page, f"/runs/{run.run_id}")
    for expected in (
        "gbm depth 3",
        "Finished",
        "8.3 s",
        "<em>so far</em>",
        "train.py",
        "cards",
        "88e4cfd0",
        "training",
    ):
        assert expected in html
    assert '<span class="chip-key">team</span><span>risk</span>' in html
    assert '<th scope="row" class="key">depth</th><td class="value">3</td>' in html
    assert "mlflow.runName" not in html


def test_only_a_series_has_a_sparkline(maria_page: Client, run: Run) -> None:
    html = text_of(maria_page, f"/runs/{run.run_id}")
    assert 'aria-label="train_loss"' in html
    assert 'aria-label="auc"' not in html


def test_registered_versions_and_logged_models_are_linked(maria_page: Client, maria_actor: Actor, run: Run) -> None:
    model = create_logged_model(maria_actor, experiment_id=run.experiment_id, name="scorer", source_run_id=run.run_id)
    services.log_outputs(maria_actor, run_id=run.run_id, models={model.model_id: 0})
    make_version(maria_actor, "churn", run=run)
    html = text_of(maria_page, f"/runs/{run.run_id}")
    assert 'href="/models/churn/versions/1"' in html
    assert f'href="/logged-models/{model.model_id}"' in html


def test_a_run_that_logged_nothing_says_so(maria_page: Client, maria_actor: Actor) -> None:
    empty = make_run(maria_actor)
    html = text_of(maria_page, f"/runs/{empty.run_id}")
    assert "This run has logged no metric." in html
    assert "This run was given no parameter." in html
    assert "Register model" not in html
    assert "No metrics" in text_of(maria_page, f"/runs/{empty.run_id}/metrics")


def test_an_unknown_run_is_not_found_on_every_tab(maria_page: Client) -> None:
    for tab in ("", "/metrics", "/metrics.json?key=a", "/artifacts", "/artifacts/model", "/files/model", "/register"):
        assert maria_page.get(f"/runs/{'0' * 32}{tab}").status_code == 404


def test_the_overview_asks_as_many_questions_for_one_metric_as_for_thirty(
    maria_page: Client, maria_actor: Actor
) -> None:
    def queries(url: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            text_of(maria_page, url)
        return len(captured)

    small, large = make_run(maria_actor), make_run(maria_actor)
    for run, count in ((small, 1), (large, 30)):
        points = [MetricPoint(f"m{key}", 0.1, step, step) for key in range(count) for step in range(2)]
        params = [(f"p{key}", "1") for key in range(count)]
        log_batch(maria_actor, run_id=run.run_id, metrics=points, params=params, tags=[("team", "risk")])
    for tab in ("", "/metrics"):
        assert queries(f"/runs/{large.run_id}{tab}") == queries(f"/runs/{small.run_id}{tab}")


# -- metrics -----------------------------------------------------------------------------------------------------------
def test_the_table_comes_first_and_only_series_are_drawn(maria_page: Client, run: Run) -> None:
    html = text_of(maria_page, f"/runs/{run.run_id}/metrics")
    assert html.index("metrics-table") < html.index("data-plot-url")
    assert html.count("data-plot-url") == 1
    assert f"/runs/{run.run_id}/metrics.json?key=train_loss&amp;key=val_loss" in html


def test_the_points_of_metrics_come_as_json(maria_page: Client, run: Run) -> None:
    data = maria_page.get(f"/runs/{run.run_id}/metrics.json?key=val_loss&key=nothing").json()
    assert data == {"series": [{"key": "val_loss", "name": "val_loss", "points": [[0, 0.5, 1], [1, 0.4, 2]]}]}


def test_several_curves_come_with_one_answer_whatever_the_metrics_are_called(
    maria_page: Client, maria_actor: Actor
) -> None:
    run = make_run(maria_actor)
    keys = ["train/loss", "val/loss: 100 . a", "größe", "m" * 250]
    points = [MetricPoint(key, float(step), step, step) for key in keys for step in range(2)]
    log_batch(maria_actor, run_id=run.run_id, metrics=points)
    asked = {"key": [*reversed(keys), "loss, and more", "a\x00b", keys[0]]}
    series = maria_page.get(f"/runs/{run.run_id}/metrics.json", asked).json()["series"]
    assert [(one["key"], one["points"]) for one in series] == [
        (key, [[0, 0.0, 0], [1, 1.0, 1]]) for key in reversed(keys)
    ]


def test_a_long_curve_is_thinned_out(maria_page: Client, maria_actor: Actor) -> None:
    run = make_run(maria_actor)
    for start in range(0, 5000, 1000):
        points = [MetricPoint("loss", step % 7, step, step) for step in range(start, start + 1000)]
        log_batch(maria_actor, run_id=run.run_id, metrics=points)
    answer = maria_page.get(f"/runs/{run.run_id}/metrics.json?key=loss")
    assert len(answer.json()["series"][0]["points"]) <= 1000
    assert len(answer.content) < 40_000


def test_a_value_that_is_no_number_leaves_valid_json(maria_page: Client, maria_actor: Actor) -> None:
    run = make_run(maria_actor)
    values = [float("nan"), float("inf"), 1.0]
    log_batch(maria_actor, run_id=run.run_id, metrics=[MetricPoint("m", v, n, n) for n, v in enumerate(values)])
    text = maria_page.get(f"/runs/{run.run_id}/metrics.json?key=m").content.decode()
    assert json.loads(text, parse_constant=lambda name: pytest.fail(name))["series"][0]["points"][-1] == [2, 1.0, 2]
    assert maria_page.get(f"/runs/{run.run_id}").status_code == 200


def test_metric_data_wants_as_many_keys_as_a_script_asks_for_at_once(maria_page: Client, run: Run) -> None:
    (most,) = re.findall(r"MOST_KEYS = (\d+)", (ROOT / "static/js/plot.js").read_text())
    keys = [f"m{number}" for number in range(int(most))]
    for asked, status in (([], 400), (keys, 200), ([*keys, "one more"], 400)):
        assert maria_page.get(f"/runs/{run.run_id}/metrics.json", {"key": asked}).status_code == status


@pytest.mark.parametrize(
    ("keys", "charts"),
    [
        (["train_loss", "val_loss"], [Chart("loss", ("train_loss", "val_loss"))]),
        (["train/loss", "eval/loss", "auc"], [Chart("auc", ("auc",)), Chart("loss", ("eval/loss", "train/loss"))]),
        (["val_loss"], [Chart("val_loss", ("val_loss",))]),
        (["training"], [Chart("training", ("training",))]),
    ],
)
def test_the_same_metric_on_several_splits_is_one_chart(keys: list[str], charts: list[Chart]) -> None:
    assert charts_of(keys) == charts


# -- changing ----------------------------------------------------------------------------------------------------------
def test_maria_renames_and_describes_a_run(maria_page: Client, run: Run) -> None:
    response = maria_page.post(
        f"/runs/{run.run_id}/edit", {"name": "the winner", "description": "Ship **it**"}, follow=True
    )
    html = response.content.decode()
    assert "the winner" in html
    assert "<strong>it</strong>" in html


def test_a_deleted_run_says_so_and_comes_back(maria_page: Client, run: Run) -> None:
    maria_page.post(f"/runs/{run.run_id}/delete")
    html = text_of(maria_page, f"/runs/{run.run_id}")
    assert "Deleted" in html
    assert "Restore" in html
    maria_page.post(f"/runs/{run.run_id}/restore")
    assert "Restore" not in text_of(maria_page, f"/runs/{run.run_id}")


def test_a_link_cannot_delete(maria_page: Client, run: Run) -> None:
    assert maria_page.get(f"/runs/{run.run_id}/delete").status_code == 405


@pytest.mark.parametrize("tab", ["", "/metrics", "/metrics.json?key=auc", "/edit", "/artifacts", "/register"])
def test_strangers_are_sent_to_sign_in(stranger_page: Client, run: Run, tab: str) -> None:
    response = stranger_page.get(f"/runs/{run.run_id}{tab}")
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/sign-in?next=")
