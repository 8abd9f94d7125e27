"""Logged models over the protocol, as MLflow 3 clients use them."""

import pytest

from tests.doors import Api
from tests.mlflow_api.flows import error_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def run_id(api: Api) -> str:
    return api.post("runs/create", {"experiment_id": "0"}).json()["run"]["info"]["run_id"]


def create(api: Api, **arguments: object) -> dict:
    answer = api.post("logged-models", {"experiment_id": "0", "name": "model", **arguments})
    assert answer.status_code == 200, answer.content
    return answer.json()["model"]


def test_a_model_from_creation_to_ready(api: Api, run_id: str) -> None:
    model = create(api, source_run_id=run_id, params=[{"key": "depth", "value": "3"}])
    info = model["info"]
    model_id = info["model_id"]

    assert set(info) == {
        "model_id", "experiment_id", "name", "creation_timestamp_ms", "last_updated_timestamp_ms", "artifact_uri",
        "status", "model_type", "source_run_id",
    }  # fmt: skip
    assert (info["status"], info["model_type"], info["source_run_id"]) == ("LOGGED_MODEL_PENDING", "", run_id)
    assert info["artifact_uri"] == f"mlflow-artifacts:/0/models/{model_id}/artifacts"
    assert model["data"] == {"params": [{"key": "depth", "value": "3"}]}
    assert api.post("runs/outputs", {"run_id": run_id, "models": [{"model_id": model_id, "step": 0}]}).json() == {}
    assert api.get(f"logged-models/{model_id}").json()["model"] == model

    ready = api.patch(f"logged-models/{model_id}", {"model_id": model_id, "status": "LOGGED_MODEL_READY"})
    assert ready.json()["model"]["info"]["status"] == "LOGGED_MODEL_READY"
    run = api.get("runs/get", {"run_id": run_id}).json()["run"]
    assert run["outputs"] == {"model_outputs": [{"model_id": model_id, "step": 0}]}


def test_a_status_may_be_a_number(api: Api) -> None:
    model_id = create(api)["info"]["model_id"]
    failed = api.patch(f"logged-models/{model_id}", {"model_id": model_id, "status": 3})
    assert failed.json()["model"]["info"]["status"] == "LOGGED_MODEL_UPLOAD_FAILED"
    assert error_of(api.patch(f"logged-models/{model_id}", {"model_id": model_id, "status": "FOO"}))[0] == 400


def test_metrics_of_a_model_name_their_run(api: Api, run_id: str) -> None:
    model_id = create(api)["info"]["model_id"]
    metric = {"key": "auc", "value": 0.5, "timestamp": 1, "step": 2, "model_id": model_id, "dataset_name": "d"}
    assert api.post("runs/log-metric", {"run_id": run_id, **metric}).json() == {}
    metrics = api.get(f"logged-models/{model_id}").json()["model"]["data"]["metrics"]
    assert metrics == [metric | {"run_id": run_id}]


def test_a_deleted_model_is_a_404(api: Api) -> None:
    model_id = create(api)["info"]["model_id"]
    for _ in range(2):
        assert api.delete(f"logged-models/{model_id}").json() == {}
    assert error_of(api.get(f"logged-models/{model_id}")) == (
        404, "RESOURCE_DOES_NOT_EXIST", f"Logged model with ID '{model_id}' not found."
    )  # fmt: skip
    assert api.get(f"logged-models/{model_id}", {"allow_deleted": "true"}).status_code == 200
    assert error_of(api.get("logged-models/m-none"))[0] == 404


def test_searches(api: Api, run_id: str) -> None:
    for name in ("a", "b"):
        create(api, name=name, source_run_id=run_id)

    def names(**query: object) -> list[str]:
        answer = api.post("logged-models/search", {"experiment_ids": ["0"], **query})
        assert answer.status_code == 200, answer.content
        return [model["info"]["name"] for model in answer.json().get("models", [])]

    assert names(order_by=[{"field_name": "name", "ascending": False}]) == ["b", "a"]
    assert names(order_by=[{"field_name": "name"}]) == ["a", "b"]
    assert names(filter=f"source_run_id = '{run_id}' AND name = 'a'") == ["a"]
    assert names(filter="name = 'none'") == []
    assert error_of(api.post("logged-models/search", {"experiment_ids": ["0"], "filter": "odd = 'x'"}))[0] == 400
    assert error_of(api.post("logged-models/search", {}))[0] == 400


def test_tags_and_params(api: Api) -> None:
    model_id = create(api)["info"]["model_id"]
    tags = [{"key": "mlflow.modelVersions", "value": "[]"}, {"key": "a/b", "value": "c"}]
    assert api.patch(f"logged-models/{model_id}/tags", {"tags": tags}).json() == {}
    assert api.delete(f"logged-models/{model_id}/tags/a/b").json() == {}
    assert error_of(api.delete(f"logged-models/{model_id}/tags/a/b"))[0] == 404
    assert api.get(f"logged-models/{model_id}").json()["model"]["info"]["tags"] == tags[:1]
    params = {"model_id": model_id, "params": [{"key": "p", "value": "1"}]}
    assert api.post(f"logged-models/{model_id}/params", params).json() == {}
    assert error_of(api.post(f"logged-models/{model_id}/params", params))[0] == 400


def test_odd_names_and_unknown_experiments(api: Api) -> None:
    assert error_of(api.post("logged-models", {"experiment_id": "0", "name": "a/b"}))[0] == 400
    assert error_of(api.post("logged-models", {"experiment_id": "4711"}))[0] == 404
    assert error_of(api.post("logged-models", {"name": "a"}))[0] == 400


def test_a_stranger_gets_401(api: Api, anonymous_api: Api) -> None:
    model_id = create(api)["info"]["model_id"]
    assert anonymous_api.get(f"logged-models/{model_id}").status_code == 401
    assert anonymous_api.delete(f"logged-models/{model_id}").status_code == 401
    assert anonymous_api.post("logged-models/search", {"experiment_ids": ["0"]}).status_code == 401
