"""Promotion by copy: what was approved is loaded from the other model."""

import os

import mlflow
import requests
from flow.common import NAME, Seen, assert_predicts_as_trained, client, refused, step

LIVE = f"live-{NAME}"


def ask(method: str, path: str, token: str, **body: object) -> requests.Response:
    headers = {"Authorization": f"Bearer {os.environ[token]}"}
    answer = requests.request(method, f"{mlflow.get_tracking_uri()}/{path}", json=body, headers=headers, timeout=30)
    assert answer.ok, answer.text
    return answer


@step
def a_model_takes_versions_by_an_approved_copy_alone() -> None:
    ask("POST", "api/2.0/mlflow/registered-models/create", "ADMINISTRATOR_TOKEN", name=LIVE)
    ask("PUT", f"api/v1/models/{LIVE}/policies/None", "ADMINISTRATOR_TOKEN", protected=True)
    ask("PUT", f"api/v1/models/{LIVE}/grants/people/maria", "ADMINISTRATOR_TOKEN", level="CAN_EDIT")
    way = f"models/{NAME}/requests/new?version=1&to=None&copy_to={LIVE}"
    with refused("INTERNAL_ERROR", "PERMISSION_DENIED", way):  # the client wraps the server's answer
        client.copy_model_version(f"models:/{NAME}/1", LIVE)
    assert client.search_model_versions(f"name = '{LIVE}'") == []


@step
def load_what_was_promoted_by_copy() -> None:
    asked = ask("POST", f"api/v1/models/{NAME}/requests", "MLFLOW_TRACKING_TOKEN", version=1, copy_to=LIVE).json()
    review = f"api/v1/models/{NAME}/requests/{asked['number']}/reviews"
    approved = ask("POST", review, "ADMINISTRATOR_TOKEN", verdict="approve").json()
    assert (approved["state"], approved["copy_to"], approved["copied_version"]) == ("approved", LIVE, 1)
    copy = client.get_model_version(LIVE, "1")
    assert (copy.source, copy.run_id, copy.current_stage) == (f"models:/{NAME}/1", Seen.run_id, "None")
    assert_predicts_as_trained(mlflow.pyfunc.load_model(f"models:/{LIVE}/1"), "the copy")
