"""Runs over the protocol: statuses, codes and shapes that clients read."""

import json

import pytest

from tests.doors import Api
from tests.mlflow_api.flows import error_of

pytestmark = pytest.mark.django_db


def create(api: Api, **arguments: object) -> dict:
    answer = api.post("runs/create", {"experiment_id": "0", "start_time": 17, **arguments})
    assert answer.status_code == 200, answer.content
    return answer.json()["run"]


@pytest.fixture
def run_id(api: Api) -> str:
    return create(api, run_name="first")["info"]["run_id"]


def run_of(api: Api, run_id: str) -> dict:
    return api.get("runs/get", {"run_id": run_id, "run_uuid": run_id}).json()["run"]


def test_a_run_as_it_is_created(api: Api) -> None:
    run = create(api, user_id="maria", run_name="first", tags=[{"key": "a", "value": "b"}])
    run_id = run["info"]["run_id"]

    assert run["info"] == {
        "run_id": run_id,
        "run_uuid": run_id,
        "run_name": "first",
        "experiment_id": "0",
        "user_id": "maria",
        "status": "RUNNING",
        "start_time": 17,
        "artifact_uri": f"mlflow-artifacts:/0/{run_id}/artifacts",
        "lifecycle_stage": "active",
    }
    assert run["data"] == {"tags": [{"key": "a", "value": "b"}, {"key": "mlflow.runName", "value": "first"}]}
    assert run["inputs"] == {}
    assert "outputs" not in run


def test_a_run_with_all_that_it_logged(api: Api, run_id: str) -> None:
    body = {
        "run_id": run_id,
        "metrics": [{"key": "auc", "value": 0.5, "timestamp": 1, "step": 0}],
        "params": [{"key": "depth", "value": "3"}],
        "tags": [{"key": "team", "value": "risk"}],
    }
    assert api.post("runs/log-batch", body).json() == {}
    dataset = {"name": "d", "digest": "x", "source_type": "local", "source": "{}"}
    inputs = {"run_id": run_id, "datasets": [{"dataset": dataset, "tags": [{"key": "k", "value": "v"}]}]}
    assert api.post("runs/log-inputs", inputs).json() == {}
    run = run_of(api, run_id)

    assert run["data"]["metrics"] == [{"key": "auc", "value": 0.5, "timestamp": 1, "step": 0}]
    assert run["data"]["params"] == [{"key": "depth", "value": "3"}]
    assert {"key": "team", "value": "risk"} in run["data"]["tags"]
    assert run["inputs"] == {"dataset_inputs": [{"tags": [{"key": "k", "value": "v"}], "dataset": dataset}]}
    assert run["outputs"] == {}


def test_an_empty_run_has_empty_parts(api: Api, run_id: str) -> None:
    run = run_of(api, run_id)
    assert run["data"] == {"tags": [{"key": "mlflow.runName", "value": "first"}]}
    assert (run["inputs"], run["outputs"]) == ({}, {})


def test_an_end_is_told_and_an_unknown_status_changes_nothing(api: Api, run_id: str) -> None:
    ended = api.post("runs/update", {"run_id": run_id, "status": "FINISHED", "end_time": 99}).json()["run_info"]
    assert (ended["status"], ended["end_time"]) == ("FINISHED", 99)
    assert api.post("runs/update", {"run_id": run_id, "status": "FOO"}).json()["run_info"] == ended
    assert api.post("runs/update", {"run_uuid": run_id, "status": 4}).json()["run_info"]["status"] == "FAILED"


def test_unknown_and_missing_runs(api: Api) -> None:
    assert error_of(api.get("runs/get", {"run_id": "none"})) == (
        404, "RESOURCE_DOES_NOT_EXIST", "Run with id=none not found"
    )  # fmt: skip
    for path in ("runs/update", "runs/delete", "runs/log-batch"):
        assert error_of(api.post(path, {})) == (
            400, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'run_id'. It must not be empty."
        )  # fmt: skip
    assert error_of(api.post("runs/create", {"experiment_id": "4711"}))[0] == 404
    assert error_of(api.post("runs/create", {"experiment_id": "x"}))[0] == 400


def test_delete_and_restore_may_be_repeated(api: Api, run_id: str) -> None:
    for path, stage in (("runs/delete", "deleted"), ("runs/restore", "active")):
        for _ in range(2):
            assert api.post(path, {"run_id": run_id}).json() == {}
        assert run_of(api, run_id)["info"]["lifecycle_stage"] == stage


def test_numbers_that_json_cannot_write(api: Api, run_id: str) -> None:
    for step, value in enumerate(["NaN", "Infinity", "-Infinity", "0.5", 1]):
        body = {"run_id": run_id, "key": "m", "value": value, "timestamp": 1, "step": step}
        assert api.post("runs/log-metric", body).json() == {}
    api.raw("POST", "runs/log-metric", f'{{"run_id": "{run_id}", "key": "m", "value": NaN, "timestamp": 1, "step": 9}}')

    metrics = api.get("metrics/get-history", {"run_id": run_id, "metric_key": "m"}).json()["metrics"]
    assert [metric["value"] for metric in metrics] == [
        "NaN",
        1.7976931348623157e308,
        -1.7976931348623157e308,
        0.5,
        1,
        "NaN",
    ]
    assert run_of(api, run_id)["data"]["metrics"] == [{"key": "m", "value": "NaN", "timestamp": 1, "step": 9}]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": None}, "Missing value for required parameter 'value'"),
        ({"timestamp": None}, "Missing value for required parameter 'timestamp'"),
        ({"key": ""}, "Missing value for required parameter 'key'"),
        ({"value": "x"}, "Invalid value \"x\" for parameter 'value' supplied:"),
        ({"timestamp": -1}, "Invalid timestamp -1 of metric 'm': it must not be negative."),
        ({"timestamp": 2**63}, "Invalid value 9223372036854775808 for parameter 'timestamp' supplied:"),
        ({"key": "a$b"}, "Invalid metric name 'a$b'"),
    ],
)
def test_odd_metrics_are_a_400(api: Api, run_id: str, change: dict, message: str) -> None:
    body = {"run_id": run_id, "key": "m", "value": 0, "timestamp": 0}
    assert api.post("runs/log-metric", body).status_code == 200
    status, code, said = error_of(api.post("runs/log-metric", body | change))
    assert (status, code, said[: len(message)]) == (400, "INVALID_PARAMETER_VALUE", message)


def test_a_batch_names_the_place_of_its_fault(api: Api, run_id: str) -> None:
    body = {"run_id": run_id, "metrics": [{"key": "m", "value": 1}]}
    status, code, message = error_of(api.post("runs/log-batch", body))
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert message.startswith("Missing value for required parameter 'metrics[0].timestamp'")


def test_params_do_not_change(api: Api, run_id: str) -> None:
    body = {"run_id": run_id, "key": "depth", "value": "3"}
    assert api.post("runs/log-parameter", body).json() == {}
    assert api.post("runs/log-parameter", body).json() == {}
    status, code, message = error_of(api.post("runs/log-parameter", body | {"value": "4"}))
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert message.startswith("Changing param values is not allowed. Param with key='depth' was already logged")
    assert error_of(api.post("runs/log-parameter", body | {"value": 3}))[0] == 400
    assert api.post("runs/log-parameter", {"run_id": run_id, "key": "empty"}).json() == {}


def test_tags(api: Api, run_id: str) -> None:
    assert api.post("runs/set-tag", {"run_id": run_id, "key": "mlflow.runName", "value": "second"}).json() == {}
    assert run_of(api, run_id)["info"]["run_name"] == "second"
    assert error_of(api.post("runs/delete-tag", {"run_id": run_id, "key": "none"})) == (
        404, "RESOURCE_DOES_NOT_EXIST", f"No tag with name: none in run with id {run_id}"
    )  # fmt: skip


def test_searches(api: Api) -> None:
    for number in range(3):
        run_id = create(api, run_name=f"r{number}", start_time=number)["info"]["run_id"]
        api.post("runs/log-metric", {"run_id": run_id, "key": "auc", "value": number, "timestamp": 1})

    def names(**query: object) -> list[str]:
        answer = api.post("runs/search", {"experiment_ids": ["0"], **query})
        assert answer.status_code == 200, answer.content
        return [run["info"]["run_name"] for run in answer.json().get("runs", [])]

    assert names() == ["r2", "r1", "r0"]
    assert names(filter="metrics.auc >= 1", order_by=["metrics.auc ASC"]) == ["r1", "r2"]
    assert names(run_view_type="DELETED_ONLY") == []
    assert api.post("runs/search", {}).json() == {}
    assert error_of(api.post("runs/search", {"experiment_ids": ["x"]}))[0] == 400
    assert error_of(api.post("runs/search", {"experiment_ids": ["0"], "filter": "what"}))[0] == 400
    assert error_of(api.post("runs/search", {"experiment_ids": ["0"], "order_by": ["a", "a"]}))[0] == 400


def test_histories_in_pages_and_of_several_runs(api: Api, run_id: str) -> None:
    metrics = [{"key": "m", "value": step, "timestamp": 1, "step": step} for step in range(5)]
    api.post("runs/log-batch", {"run_id": run_id, "metrics": metrics})
    query = {"run_id": run_id, "metric_key": "m"}
    first = api.get("metrics/get-history", query | {"max_results": 3}).json()
    rest = api.get("metrics/get-history", query | {"max_results": 3, "page_token": first["next_page_token"]}).json()

    assert [one["step"] for one in first["metrics"] + rest["metrics"]] == [0, 1, 2, 3, 4]
    assert "next_page_token" not in rest
    assert api.get("metrics/get-history", query | {"metric_key": "none"}).json() == {}
    assert error_of(api.get("metrics/get-history", query | {"max_results": 0}))[0] == 400
    sample = api.get(
        "metrics/get-history-bulk-interval", {"run_ids": [run_id], "metric_key": "m", "max_results": 2}
    ).json()["metrics"]
    assert [(one["step"], one["run_id"]) for one in sample] == [(0, run_id), (3, run_id), (4, run_id)]
    bulk = api.get("metrics/get-history-bulk", {"run_id": [run_id], "metric_key": "m"}).json()["metrics"]
    assert len(bulk) == 5


def test_models_of_mlflow_2_clients(api: Api, run_id: str) -> None:
    model = {"artifact_path": "model", "flavors": {}, "utc_time_created": "2026", "run_id": run_id}
    assert api.post("runs/log-model", {"run_id": run_id, "model_json": json.dumps(model)}).json() == {}
    tags = {tag["key"]: tag["value"] for tag in run_of(api, run_id)["data"]["tags"]}
    assert json.loads(tags["mlflow.log-model.history"]) == [model]
    assert error_of(api.post("runs/log-model", {"run_id": run_id, "model_json": "[]"}))[0] == 400


def test_a_stranger_gets_401_everywhere(anonymous_api: Api, run_id: str) -> None:
    assert anonymous_api.get("runs/get", {"run_id": run_id}).status_code == 401
    assert anonymous_api.get("metrics/get-history", {"run_id": run_id, "metric_key": "m"}).status_code == 401
    for path, body in {
        "runs/create": {"experiment_id": "0"},
        "runs/search": {"experiment_ids": ["0"]},
        "runs/log-batch": {"run_id": run_id},
        "runs/log-inputs": {"run_id": run_id},
        "runs/set-tag": {"run_id": run_id, "key": "a"},
    }.items():
        assert anonymous_api.post(path, body).status_code == 401


@pytest.mark.parametrize(("sent", "kept"), [(True, 1.0), (False, 0.0), ("2.5", 2.5), (3, 3.0)])
def test_a_metric_may_be_a_boolean_or_a_number_as_text(api: Api, sent: object, kept: float) -> None:
    run_id = api.post("runs/create", {"experiment_id": "0"}).json()["run"]["info"]["run_id"]
    point = {"key": "is_good", "value": sent, "timestamp": 1}
    assert api.post("runs/log-metric", {"run_id": run_id, **point}).json() == {}
    assert api.post("runs/log-batch", {"run_id": run_id, "metrics": [{**point, "key": "too"}]}).json() == {}
    metrics = api.get("runs/get", {"run_id": run_id}).json()["run"]["data"]["metrics"]
    assert [(metric["key"], metric["value"]) for metric in metrics] == [("is_good", kept), ("too", kept)]


@pytest.mark.parametrize("sent", ["high", [1], {}])
def test_a_metric_that_is_no_number_is_refused(api: Api, sent: object) -> None:
    answer = api.post("runs/log-metric", {"run_id": "r", "key": "k", "value": sent, "timestamp": 1})
    assert error_of(answer)[2].endswith("for parameter 'value' supplied: it must be a number.")


@pytest.mark.parametrize(
    ("path", "body", "most"),
    [
        ("runs/search", {"experiment_ids": [str(number) for number in range(30_001)]}, 30_000),
        ("logged-models/search", {"experiment_ids": ["0"], "datasets": [{"dataset_name": "d"}] * 101}, 100),
    ],
)
def test_a_search_names_no_more_than_a_database_can_take(api: Api, path: str, body: dict, most: int) -> None:
    status, code, message = error_of(api.post(path, body))
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert message.endswith(f" at once; at most {most} are allowed.")


@pytest.mark.parametrize("path", ["runs/outputs", "runs/log-inputs"])
def test_a_run_is_linked_to_a_thousand_models_at_once_and_no_more(api: Api, path: str) -> None:
    run_id = api.post("runs/create", {"experiment_id": "0"}).json()["run"]["info"]["run_id"]
    models = [{"model_id": f"m-{number}"} for number in range(1001)]
    answer = error_of(api.post(path, {"run_id": run_id, "models": models}))
    assert answer == (400, "INVALID_PARAMETER_VALUE", "models names 1001 at once; at most 1000 are allowed.")
