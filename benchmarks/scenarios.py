"""The requests that are measured. Each is made anew for every call, by a number that no other call has."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from benchmarks.sizes import EXPERIMENTS, START, VERSIONS, Size, experiment_id, model_name, run_id


@dataclass(frozen=True, slots=True)
class Call:
    """A request below `/api/2.0/mlflow/`; with a body it is a POST."""

    path: str
    body: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is done, by how much less CPU it shall be done than by `mlflow server`, the call of each number, and which
    page of the answer is asked for."""

    name: str
    goal: float
    call: Callable[[int, Size], Call]
    page: int = 1


def _get(path: str, **arguments: Any) -> Call:
    return Call(f"{path}?{urlencode(arguments)}")


def _spread(number: int, most: int) -> int:
    """One of 1 to `most`: another for each number, in no order that a cache would like."""
    return 1 + number * 7919 % most


def _model(number: int, size: Size) -> str:
    return model_name(_spread(number, size.models))


def _run(number: int, size: Size) -> str:
    return run_id(_spread(number, size.runs))


def _search_runs(number: int, size: Size) -> Call:
    every = [str(experiment_id(one)) for one in range(1, EXPERIMENTS + 1)]
    limit = 0.1 + number % 100 / 10_000
    arguments = {
        "experiment_ids": every,
        "filter": f"metrics.metric_1 < {limit}",
        "order_by": ["metrics.metric_1 ASC"],
        "max_results": 100,
    }
    return Call("runs/search", arguments)


def _first_page_of_runs(number: int, size: Size) -> Call:
    one = str(experiment_id(_spread(number, EXPERIMENTS)))
    return Call("runs/search", {"experiment_ids": [one], "max_results": 100})


def _create_version(number: int, size: Size) -> Call:
    of_run = _spread(number, size.runs)
    source = f"mlflow-artifacts:/{experiment_id(1 + (of_run - 1) % EXPERIMENTS)}/{run_id(of_run)}/artifacts/model"
    body = {"name": _model(number, size), "source": source, "run_id": run_id(of_run)}
    return Call("model-versions/create", body)


def _transition(number: int, size: Size) -> Call:
    body = {
        "name": _model(number, size),
        "version": str(1 + number % 2),
        "stage": ("Staging", "Archived")[number // size.models % 2],
        "archive_existing_versions": False,
    }
    return Call("model-versions/transition-stage", body)


def _create_run(number: int, size: Size) -> Call:
    tags = [{"key": "mlflow.user", "value": "maria"}, {"key": "mlflow.source.name", "value": "train.py"}]
    one = str(experiment_id(_spread(number, EXPERIMENTS)))
    return Call("runs/create", {"experiment_id": one, "user_id": "maria", "start_time": START + number, "tags": tags})


def _log_metric(number: int, size: Size) -> Call:
    body = {"run_id": _run(number, size), "key": "metric_1", "value": 0.5, "timestamp": START + number, "step": number}
    return Call("runs/log-metric", body)


def _log_batch(number: int, size: Size) -> Call:
    metrics = [
        {"key": f"batch_{one % 10}", "value": one / 7, "timestamp": START + number, "step": number * 10 + one // 10}
        for one in range(100)
    ]
    params = [{"key": f"batch_{number}_{one}", "value": f"value {one}"} for one in range(20)]
    return Call("runs/log-batch", {"run_id": _run(number, size), "metrics": metrics, "params": params})


SCENARIOS = (
    Scenario("get model", 6, lambda n, size: _get("registered-models/get", name=_model(n, size))),
    Scenario(
        "get version",
        6,
        lambda n, size: _get("model-versions/get", name=_model(n, size), version=1 + n % VERSIONS),
    ),
    Scenario(
        "get version by alias",
        6,
        lambda n, size: _get("registered-models/alias", name=_model(n, size), alias="champion"),
    ),
    Scenario("get run", 6, lambda n, size: _get("runs/get", run_id=_run(n, size))),
    Scenario("search models, page of 100", 14, lambda n, size: _get("registered-models/search", max_results=100)),
    Scenario(
        "search models, page 50 of 100",
        14,
        lambda n, size: _get("registered-models/search", max_results=100),
        page=50,
    ),
    Scenario(
        "search models by tag",
        14,
        lambda n, size: _get("registered-models/search", max_results=100, filter=f"tags.team = 'team-{n % 10}'"),
    ),
    Scenario(
        "search versions by name",
        6,
        lambda n, size: _get("model-versions/search", max_results=100, filter=f"name = '{_model(n, size)}'"),
    ),
    Scenario(
        "search versions by run id",
        30,
        lambda n, size: _get("model-versions/search", max_results=100, filter=f"run_id = '{_run(n, size)}'"),
    ),
    Scenario("search runs by metric, ordered by it", 16, _search_runs),
    Scenario("search runs, first page of an experiment", 16, _first_page_of_runs),
    Scenario(
        "history of 10,000 points",
        25,
        lambda n, size: _get("metrics/get-history", run_id=run_id(1), metric_key="history", max_results=25_000),
    ),
    Scenario("create model", 6, lambda n, size: Call("registered-models/create", {"name": f"new-{n}"})),
    Scenario("create version", 6, _create_version),
    Scenario("transition", 6, _transition),
    Scenario(
        "set model tag",
        6,
        lambda n, size: Call(
            "registered-models/set-tag", {"name": _model(n, size), "key": "checked", "value": f"value-{n}"}
        ),
    ),
    Scenario("create run", 6, _create_run),
    Scenario("log metric", 8, _log_metric),
    Scenario("log batch, 100 metrics and 20 params", 6, _log_batch),
)
