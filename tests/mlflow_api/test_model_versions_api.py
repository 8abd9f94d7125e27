"""Model versions and their tags, over MLflow's protocol."""

from typing import Any

import pytest

from registry_site.accounts.models import User
from tests.doors import Api
from tests.mlflow_api.flows import SOURCE, error_of, make_model, make_version, model_of, version_of


@pytest.fixture
def churn(api: Api) -> str:
    """A registered model of Maria's."""
    make_model(api, "churn")
    return "churn"


def test_a_new_version_is_ready_at_once_and_in_no_stage(api: Api, churn: str) -> None:
    version = make_version(api, churn)
    assert version["name"] == "churn"
    assert version["version"] == "1"
    assert version["status"] == "READY"
    assert version["current_stage"] == "None"
    assert version["source"] == SOURCE
    assert version["user_id"] == "maria"
    assert version["run_id"] == ""
    assert version["run_link"] == ""
    assert version["creation_timestamp"] == version["last_updated_timestamp"]
    assert "tags" not in version
    assert version_of(api, churn) == version


def test_a_new_version_keeps_all_that_it_was_given(api: Api, churn: str) -> None:
    version = make_version(
        api,
        churn,
        description="Second try",
        run_link="https://ci.example.org/42",
        tags=[{"key": "a", "value": "1"}, {"key": "b"}],
    )
    assert version["description"] == "Second try"
    assert version["run_link"] == "https://ci.example.org/42"
    assert version["tags"] == [{"key": "a", "value": "1"}, {"key": "b", "value": ""}]
    assert version_of(api, churn) == version


def test_a_version_of_an_unknown_model_is_a_404(api: Api) -> None:
    answer = api.post("model-versions/create", {"name": "nothing", "source": SOURCE})
    assert error_of(answer) == (404, "RESOURCE_DOES_NOT_EXIST", "Registered Model with name=nothing not found")


@pytest.mark.parametrize(
    "source",
    [
        "/etc/passwd",
        "file:///etc/passwd",
        "./model",
        "mlflow-artifacts:/0/../secret",
        "runs:/unknown/model",
        "gopher://x",
    ],
)
def test_a_source_that_is_not_allowed_is_a_400_that_repeats_it(api: Api, churn: str, source: str) -> None:
    status, code, message = error_of(api.post("model-versions/create", {"name": churn, "source": source}))
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert message.startswith(f"Invalid model version source: '{source}'.")


def test_a_version_made_of_another_keeps_its_files(api: Api, churn: str) -> None:
    make_version(api, churn)
    make_model(api, "approved")
    copy = make_version(api, "approved", source="models:/churn/1")
    assert copy["source"] == "models:/churn/1"
    uri = api.get("model-versions/get-download-uri", {"name": "approved", "version": "1"}).json()
    assert uri == {"artifact_uri": SOURCE}


def test_numbers_are_never_given_again(api: Api, churn: str) -> None:
    make_version(api, churn)
    make_version(api, churn)
    answer = api.delete("model-versions/delete", {"name": churn, "version": "2"})
    assert (answer.status_code, answer.content) == (200, b"{}")
    assert make_version(api, churn)["version"] == "3"
    gone = api.get("model-versions/get", {"name": churn, "version": "2"})
    assert error_of(gone) == (404, "RESOURCE_DOES_NOT_EXIST", "Model Version (name=churn, version=2) not found")
    assert error_of(api.delete("model-versions/delete", {"name": churn, "version": "2"}))[0] == 404


def test_a_deleted_version_takes_its_aliases_with_it(api: Api, churn: str) -> None:
    make_version(api, churn)
    api.post("registered-models/alias", {"name": churn, "alias": "champion", "version": "1"})
    api.delete("model-versions/delete?name=churn&version=1")
    assert "aliases" not in model_of(api, churn)


def test_get_of_an_unknown_version_or_model_is_a_404_with_the_same_words(api: Api, churn: str) -> None:
    for name, version in (("churn", "1"), ("nothing", "1"), ("churn", "-1")):
        answer = api.get("model-versions/get", {"name": name, "version": version})
        words = f"Model Version (name={name}, version={version}) not found"
        assert error_of(answer) == (404, "RESOURCE_DOES_NOT_EXIST", words)


def test_get_shows_the_aliases_of_the_version(api: Api, churn: str) -> None:
    make_version(api, churn)
    api.post("registered-models/alias", {"name": churn, "alias": "champion", "version": "1"})
    assert version_of(api, churn)["aliases"] == ["champion"]


def test_update_replaces_the_description_and_without_one_clears_it(api: Api, churn: str) -> None:
    make_version(api, churn)
    answer = api.patch("model-versions/update", {"name": churn, "version": "1", "description": "Better"})
    assert answer.json()["model_version"]["description"] == "Better"
    answer = api.patch("model-versions/update", {"name": churn, "version": "1"})
    assert "description" not in answer.json()["model_version"]


def test_a_tag_of_a_version_is_set_replaced_and_removed(api: Api, churn: str) -> None:
    before = make_version(api, churn)
    for value in ("passed", "failed"):
        answer = api.post("model-versions/set-tag", {"name": churn, "version": "1", "key": "check", "value": value})
        assert (answer.status_code, answer.content) == (200, b"{}")
    assert version_of(api, churn)["tags"] == [{"key": "check", "value": "failed"}]
    for _ in ("there", "gone"):
        answer = api.delete("model-versions/delete-tag", {"name": churn, "version": "1", "key": "check"})
        assert answer.status_code == 200
    assert version_of(api, churn) == before


def test_the_download_uri_is_where_the_files_are(api: Api, churn: str) -> None:
    make_version(api, churn)
    answer = api.get("model-versions/get-download-uri", {"name": churn, "version": "1"})
    assert answer.json() == {"artifact_uri": SOURCE}
    assert error_of(api.get("model-versions/get-download-uri", {"name": churn, "version": "9"}))[0] == 404


# -- files -------------------------------------------------------------------------------------------------------------
@pytest.fixture
def logged(api: Api, churn: str) -> str:
    """The run behind version 1 of `churn`, which has a file `model/MLmodel`."""
    experiment = api.post("experiments/create", {"name": "churn-training"}).json()["experiment_id"]
    run = api.post("runs/create", {"experiment_id": experiment}).json()["run"]["info"]
    root = run["artifact_uri"].removeprefix("mlflow-artifacts:/")
    content = b"flavors: {}\n"
    assert api.put(f"/api/2.0/mlflow-artifacts/artifacts/{root}/model/MLmodel", content).status_code == 200
    make_version(api, churn, source=f"{run['artifact_uri']}/model", run_id=run["run_id"])
    run_id: str = run["run_id"]
    return run_id


def test_a_file_of_a_version_is_downloaded_and_never_run_by_a_browser(api: Api, logged: str) -> None:
    answer = api.get("/model-versions/get-artifact", {"name": "churn", "version": "1", "path": "MLmodel"})
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == b"flavors: {}\n"  # type: ignore[attr-defined]
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"name": "churn", "version": "1"}, 400),
        ({"name": "churn", "version": "1", "path": "../MLmodel"}, 400),
        ({"name": "churn", "version": "1", "path": "/etc/passwd"}, 400),
        ({"name": "churn", "version": "1", "path": "%2e%2e/MLmodel"}, 400),
        ({"name": "churn", "version": "1", "path": "nothing"}, 404),
        ({"name": "churn", "version": "2", "path": "MLmodel"}, 404),
        ({"name": "nothing", "version": "1", "path": "MLmodel"}, 404),
    ],
)
def test_no_other_file_is_reached_that_way(api: Api, logged: str, query: dict[str, str], status: int) -> None:
    assert error_of(api.get("/model-versions/get-artifact", query))[0] == status


def test_files_that_lie_with_somebody_else_are_not_fetched(api: Api, churn: str) -> None:
    make_version(api, churn)
    answer = api.get("/model-versions/get-artifact", {"name": churn, "version": "1", "path": "MLmodel"})
    status, _, message = error_of(answer)
    assert (status, message) == (
        404,
        f"The files of churn version 1 lie in {SOURCE}, outside of this server's store.",
    )


def test_a_stranger_downloads_nothing(api: Api, logged: str, anonymous_api: Api) -> None:
    answer = anonymous_api.get("/model-versions/get-artifact", {"name": "churn", "version": "1", "path": "MLmodel"})
    assert error_of(answer)[:2] == (401, "UNAUTHENTICATED")


def test_the_run_of_a_version_is_kept_and_found(api: Api, logged: str) -> None:
    assert version_of(api, "churn")["run_id"] == logged
    assert numbers(api.get("model-versions/search", {"filter": f"run_id = '{logged}'"})) == ["churn/1"]


# -- search ------------------------------------------------------------------------------------------------------------
def numbers(answer: Any) -> list[str]:
    """`name/version` of every row."""
    return [f"{row['name']}/{row['version']}" for row in answer.json().get("model_versions", [])]


def test_search_finds_filters_and_orders(api: Api, churn: str) -> None:
    make_model(api, "fraud")
    for name in (churn, "fraud", churn):
        make_version(api, name)
    api.post("model-versions/set-tag", {"name": churn, "version": "2", "key": "check", "value": "passed"})

    def search(**query: Any) -> list[str]:
        return numbers(api.get("model-versions/search", query))

    assert search(order_by=["name", "version_number"]) == ["churn/1", "churn/2", "fraud/1"]
    assert search(filter="name = 'churn'", order_by=["version_number DESC"]) == ["churn/2", "churn/1"]
    assert search(filter="name = 'churn' AND version_number >= 2") == ["churn/2"]
    assert search(filter="tag.check = 'passed'") == ["churn/2"]
    assert search(filter="name = 'nothing'") == []
    assert api.get("model-versions/search", {"filter": "name = 'nothing'"}).json() == {}


def test_search_pages_without_a_gap(api: Api, churn: str) -> None:
    for _ in range(5):
        make_version(api, churn)
    seen: list[str] = []
    query: dict[str, Any] = {"filter": "name = 'churn'", "max_results": 2, "order_by": ["version_number"]}
    for _ in range(3):
        answer = api.get("model-versions/search", query)
        seen += numbers(answer)
        query["page_token"] = answer.json().get("next_page_token", "")
    assert seen == [f"churn/{number}" for number in range(1, 6)]
    assert query["page_token"] == ""


def test_search_leaves_aliases_out(api: Api, churn: str) -> None:
    make_version(api, churn)
    api.post("registered-models/alias", {"name": churn, "alias": "champion", "version": "1"})
    assert "aliases" not in api.get("model-versions/search").json()["model_versions"][0]


@pytest.mark.parametrize(
    "query",
    [
        {"filter": "version = 1"},
        {"filter": "current_stage = 'Production'"},
        {"filter": "version_number = 1.5"},
        {"order_by": ["current_stage"]},
        {"max_results": 0},
        {"max_results": 200_001},
        {"page_token": "abc"},
    ],
)
def test_a_search_that_is_not_understood_is_a_400(api: Api, query: dict[str, Any]) -> None:
    assert error_of(api.get("model-versions/search", query))[:2] == (400, "INVALID_PARAMETER_VALUE")


# -- who may -----------------------------------------------------------------------------------------------------------
def test_somebody_who_may_only_read_gets_a_403_for_every_change(api: Api, churn: str, eve: User) -> None:
    make_version(api, churn)
    hers = api.as_(eve)
    which = {"name": churn, "version": "1"}
    assert version_of(hers, churn)["version"] == "1"
    for answer in (
        hers.post("model-versions/create", {"name": churn, "source": SOURCE}),
        hers.patch("model-versions/update", {**which, "description": "mine"}),
        hers.delete("model-versions/delete", which),
        hers.post("model-versions/set-tag", {**which, "key": "k", "value": "v"}),
        hers.delete("model-versions/delete-tag", {**which, "key": "k"}),
        hers.post("registered-models/alias", {**which, "alias": "champion"}),
        hers.post("model-versions/transition-stage", {**which, "stage": "Staging"}),
    ):
        assert error_of(answer)[:2] == (403, "PERMISSION_DENIED")
