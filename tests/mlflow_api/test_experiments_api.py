"""Experiments over the protocol: statuses, codes and shapes that clients read."""

import pytest

from tests.doors import Api
from tests.mlflow_api.flows import error_of

pytestmark = pytest.mark.django_db


def create(api: Api, name: str, **arguments: object) -> str:
    answer = api.post("experiments/create", {"name": name, **arguments})
    assert answer.status_code == 200, answer.content
    return answer.json()["experiment_id"]


def test_an_experiment_is_created_and_read_back(api: Api) -> None:
    experiment_id = create(api, "fraud", tags=[{"key": "team", "value": "risk"}, {"key": "empty"}])
    experiment = api.get("experiments/get", {"experiment_id": experiment_id}).json()["experiment"]

    assert set(experiment) == {
        "experiment_id", "name", "artifact_location", "lifecycle_stage", "creation_time", "last_update_time",
        "workspace", "tags",
    }  # fmt: skip
    assert experiment["experiment_id"] == experiment_id
    assert experiment["artifact_location"] == f"mlflow-artifacts:/{experiment_id}"
    assert (experiment["lifecycle_stage"], experiment["workspace"]) == ("active", "default")
    assert experiment["tags"] == [{"key": "team", "value": "risk"}, {"key": "empty", "value": ""}]
    by_name = api.get("experiments/get-by-name", {"experiment_name": "fraud"}).json()["experiment"]
    assert by_name == experiment


def test_the_default_experiment_is_there_and_has_no_tags_key(api: Api) -> None:
    experiment = api.get("experiments/get", {"experiment_id": "0"}).json()["experiment"]
    assert experiment["name"] == "Default"
    assert "tags" not in experiment


def test_an_unknown_name_is_the_404_that_clients_turn_into_none(api: Api) -> None:
    answer = api.get("experiments/get-by-name", {"experiment_name": "nothing"})
    assert error_of(answer) == (
        404, "RESOURCE_DOES_NOT_EXIST", "Could not find experiment with name 'nothing'"
    )  # fmt: skip


def test_wrong_and_unknown_ids(api: Api) -> None:
    assert error_of(api.get("experiments/get", {"experiment_id": "abc"})) == (
        400, "INVALID_PARAMETER_VALUE", "Invalid experiment ID 'abc': it must be an integer."
    )  # fmt: skip
    for huge in ("99999999999999999999", str(2**63)):
        assert api.get("experiments/get", {"experiment_id": huge}).status_code == 400
    assert error_of(api.get("experiments/get", {"experiment_id": "4711"})) == (
        404, "RESOURCE_DOES_NOT_EXIST", "No Experiment with id=4711 exists"
    )  # fmt: skip
    assert error_of(api.get("experiments/get")) == (
        400, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'experiment_id'. It must not be empty."
    )  # fmt: skip


def test_a_taken_name_is_a_400(api: Api) -> None:
    create(api, "fraud")
    assert error_of(api.post("experiments/create", {"name": "fraud"})) == (
        400, "RESOURCE_ALREADY_EXISTS", "Experiment(name=fraud) already exists."
    )  # fmt: skip
    experiment_id = create(api, "churn")
    answer = api.post("experiments/update", {"experiment_id": experiment_id, "new_name": "fraud"})
    assert error_of(answer)[:2] == (400, "RESOURCE_ALREADY_EXISTS")


def test_rename_delete_and_restore(api: Api) -> None:
    fraud = create(api, "fraud")
    assert api.post("experiments/update", {"experiment_id": fraud, "new_name": "fraud-2"}).json() == {}
    assert api.post("experiments/delete", {"experiment_id": fraud}).json() == {}
    gone = api.get("experiments/get-by-name", {"experiment_name": "fraud-2"}).json()["experiment"]
    assert gone["lifecycle_stage"] == "deleted"
    assert api.post("experiments/delete", {"experiment_id": fraud}).status_code == 404
    assert api.post("experiments/update", {"experiment_id": fraud, "new_name": "x"}).status_code == 400
    assert api.post("experiments/restore", {"experiment_id": fraud}).json() == {}
    assert api.post("experiments/restore", {"experiment_id": fraud}).status_code == 404


def test_searches_page_through_what_meets_the_filter(api: Api) -> None:
    for name in ("fraud-a", "fraud-b", "churn"):
        create(api, name)
    query = {"filter": "name LIKE 'fraud%'", "order_by": ["name DESC"], "max_results": 1}
    first = api.post("experiments/search", query).json()
    rest = api.post("experiments/search", query | {"page_token": first["next_page_token"]}).json()

    assert [one["name"] for one in first["experiments"]] == ["fraud-b"]
    assert [one["name"] for one in rest["experiments"]] == ["fraud-a"]
    assert "next_page_token" not in rest
    assert api.get("experiments/search", {"max_results": 10, "filter": "name = 'none'"}).json() == {}


def test_searches_take_names_and_numbers_of_view_types(api: Api) -> None:
    api.post("experiments/delete", {"experiment_id": create(api, "gone")})

    def names(view_type: object) -> list[str]:
        body = {"max_results": 10, "view_type": view_type, "order_by": ["name"]}
        return [one["name"] for one in api.post("experiments/search", body).json().get("experiments", [])]

    assert names("ALL") == names(3) == ["Default", "gone"]
    assert names("DELETED_ONLY") == names("2") == ["gone"]
    assert names("ACTIVE_ONLY") == names("FOO") == names(None) == ["Default"]


@pytest.mark.parametrize("max_results", [None, 0, -5, 50_001])
def test_searches_need_a_sensible_max_results(api: Api, max_results: int | None) -> None:
    answer = api.post("experiments/search", {"max_results": max_results})
    assert error_of(answer)[:2] == (400, "INVALID_PARAMETER_VALUE")


def test_tags(api: Api) -> None:
    fraud = create(api, "fraud")
    assert api.post("experiments/set-experiment-tag", {"experiment_id": fraud, "key": "a", "value": "b"}).json() == {}
    assert api.post("experiments/delete-experiment-tag", {"experiment_id": fraud, "key": "a"}).json() == {}
    assert error_of(api.post("experiments/delete-experiment-tag", {"experiment_id": fraud, "key": "a"})) == (
        404, "RESOURCE_DOES_NOT_EXIST", f"Experiment '{fraud}' has no tag with key 'a'."
    )  # fmt: skip


def test_a_stranger_gets_401(anonymous_api: Api) -> None:
    assert anonymous_api.post("experiments/create", {"name": "x"}).status_code == 401
    assert anonymous_api.post("experiments/search", {"max_results": 1}).status_code == 401
    assert anonymous_api.get("experiments/get", {"experiment_id": "0"}).status_code == 401
