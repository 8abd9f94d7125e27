"""Registered models, their tags and aliases, over MLflow's protocol."""

from typing import Any

import pytest

from registry_site.accounts.models import User
from tests.doors import Api
from tests.mlflow_api.flows import error_of, make_model, make_version, model_of


def test_create_answers_with_the_model_and_leaves_out_what_is_unset(api: Api) -> None:
    answer = api.post("registered-models/create", {"name": "churn"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    model = answer.json()["registered_model"]
    assert model["name"] == "churn"
    assert isinstance(model["creation_timestamp"], int)
    assert model["last_updated_timestamp"] == model["creation_timestamp"]
    assert set(model) == {"name", "creation_timestamp", "last_updated_timestamp"}


def test_create_keeps_description_and_tags_and_the_last_value_of_a_repeated_key(api: Api) -> None:
    tags = [{"key": "team", "value": "risk"}, {"key": "empty"}, {"key": "team", "value": "fraud"}]
    created = api.post("registered-models/create", {"name": "churn", "description": "Who leaves?", "tags": tags}).json()
    model = model_of(api, "churn")
    assert model == created["registered_model"]
    assert model["description"] == "Who leaves?"
    assert model["tags"] == [{"key": "empty", "value": ""}, {"key": "team", "value": "fraud"}]


def test_create_of_a_name_that_is_taken_is_a_400_that_clients_swallow(api: Api) -> None:
    make_model(api, "churn")
    status, code, message = error_of(api.post("registered-models/create", {"name": "churn"}))
    assert (status, code) == (400, "RESOURCE_ALREADY_EXISTS")
    assert message == "Registered Model (name=churn) already exists."


def test_a_prompt_and_a_model_cannot_share_a_name(api: Api) -> None:
    make_model(api, "greeting", tags=[{"key": "mlflow.prompt.is_prompt", "value": "true"}])
    status, code, message = error_of(api.post("registered-models/create", {"name": "greeting"}))
    assert (status, code) == (400, "RESOURCE_ALREADY_EXISTS")
    assert "taken by a prompt" in message


@pytest.mark.parametrize("name", ["a/b", "a:b", ".", "..", "   ", "a\nb", "x" * 257])
def test_create_refuses_names_that_no_address_could_carry(api: Api, name: str) -> None:
    assert error_of(api.post("registered-models/create", {"name": name}))[:2] == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("name", ["Übersicht der Kündigungen", "a.b", " leading", "モデル", "50% off & more?"])
def test_names_of_every_script_come_back_as_they_were_sent(api: Api, name: str) -> None:
    make_model(api, name)
    assert model_of(api, name)["name"] == name


def test_get_of_an_unknown_model_is_a_404_that_names_it(api: Api) -> None:
    answer = api.get("registered-models/get", {"name": "nothing"})
    assert error_of(answer) == (404, "RESOURCE_DOES_NOT_EXIST", "Registered Model with name=nothing not found")


def test_get_shows_the_greatest_version_of_each_stage(api: Api, jon: User) -> None:
    make_model(api, "churn")
    for _ in range(3):
        make_version(api, "churn")
    move = {"name": "churn", "version": "1", "stage": "Staging"}
    assert api.as_(jon).post("model-versions/transition-stage", move).status_code == 200
    latest = model_of(api, "churn")["latest_versions"]
    assert {(version["version"], version["current_stage"]) for version in latest} == {("3", "None"), ("1", "Staging")}
    assert all("aliases" not in version for version in latest)


def test_update_replaces_the_description_and_without_one_clears_it(api: Api) -> None:
    make_model(api, "churn")
    answer = api.patch("registered-models/update", {"name": "churn", "description": "Who leaves?"})
    assert answer.json()["registered_model"]["description"] == "Who leaves?"
    answer = api.patch("registered-models/update", {"name": "churn"})
    assert "description" not in answer.json()["registered_model"]


def test_rename_takes_versions_tags_and_aliases_along(api: Api) -> None:
    make_model(api, "churn", tags=[{"key": "team", "value": "risk"}])
    make_version(api, "churn")
    api.post("registered-models/alias", {"name": "churn", "alias": "champion", "version": "1"})
    answer = api.post("registered-models/rename", {"name": "churn", "new_name": "leavers"})
    assert answer.status_code == 200
    model = model_of(api, "leavers")
    assert model == answer.json()["registered_model"]
    assert model["tags"] == [{"key": "team", "value": "risk"}]
    assert model["aliases"] == [{"alias": "champion", "version": "1"}]
    assert [version["name"] for version in model["latest_versions"]] == ["leavers"]
    assert error_of(api.get("registered-models/get", {"name": "churn"}))[0] == 404


def test_rename_to_a_name_that_is_taken_is_refused_and_to_itself_is_fine(api: Api) -> None:
    make_model(api, "churn")
    make_model(api, "fraud")
    refused = api.post("registered-models/rename", {"name": "churn", "new_name": "fraud"})
    assert error_of(refused)[:2] == (400, "RESOURCE_ALREADY_EXISTS")
    assert api.post("registered-models/rename", {"name": "churn", "new_name": "churn"}).status_code == 200


def test_delete_takes_the_model_with_everything_and_numbers_start_again(api: Api) -> None:
    make_model(api, "churn")
    make_version(api, "churn")
    answer = api.delete("registered-models/delete", {"name": "churn"})
    assert (answer.status_code, answer.content) == (200, b"{}")
    assert error_of(api.get("registered-models/get", {"name": "churn"}))[0] == 404
    assert error_of(api.delete("registered-models/delete", {"name": "churn"}))[:2] == (404, "RESOURCE_DOES_NOT_EXIST")
    make_model(api, "churn")
    assert make_version(api, "churn")["version"] == "1"


def test_delete_takes_its_argument_from_the_query_too(api: Api) -> None:
    make_model(api, "churn")
    assert api.delete("registered-models/delete?name=churn").status_code == 200
    assert error_of(api.get("registered-models/get", {"name": "churn"}))[0] == 404


# -- search ------------------------------------------------------------------------------------------------------------
def test_an_empty_search_answers_with_an_empty_object(api: Api) -> None:
    assert api.get("registered-models/search").json() == {}


def test_search_filters_orders_and_pages(api: Api) -> None:
    for name in ("c", "a", "b"):
        make_model(api, name)
    first = api.get("registered-models/search", {"max_results": 2}).json()
    assert [model["name"] for model in first["registered_models"]] == ["a", "b"]
    second = api.get("registered-models/search", {"max_results": 2, "page_token": first["next_page_token"]}).json()
    assert [model["name"] for model in second["registered_models"]] == ["c"]
    assert "next_page_token" not in second
    backwards = api.get("registered-models/search", {"filter": "name != 'b'", "order_by": ["name DESC"]}).json()
    assert [model["name"] for model in backwards["registered_models"]] == ["c", "a"]


def test_search_by_post_finds_the_same(api: Api) -> None:
    make_model(api, "churn")
    make_model(api, "fraud")
    query = {"filter": "name ILIKE 'CH%'"}
    found = api.post("registered-models/search", query).json()
    assert [model["name"] for model in found["registered_models"]] == ["churn"]
    assert found == api.get("registered-models/search", query).json()


def test_list_pages_through_all_models_by_name(api: Api) -> None:
    for name in ("b", "a"):
        make_model(api, name)
    first = api.get("registered-models/list", {"max_results": 1}).json()
    assert [model["name"] for model in first["registered_models"]] == ["a"]
    rest = api.get("registered-models/list", {"max_results": 1, "page_token": first["next_page_token"]}).json()
    assert [model["name"] for model in rest["registered_models"]] == ["b"]


def test_search_leaves_prompts_out_unless_they_are_asked_for(api: Api) -> None:
    make_model(api, "churn")
    make_model(api, "greeting", tags=[{"key": "mlflow.prompt.is_prompt", "value": "true"}])

    def names(filter_string: str) -> list[str]:
        found = api.get("registered-models/search", {"filter": filter_string}).json()
        return [model["name"] for model in found.get("registered_models", [])]

    assert names("") == ["churn"]
    assert names("name LIKE '%' AND tag.`mlflow.prompt.is_prompt` != 'true'") == ["churn"]
    assert names("tag.`mlflow.prompt.is_prompt` = 'true'") == ["greeting"]


@pytest.mark.parametrize(
    "query",
    [
        {"filter": "name = fraud"},
        {"filter": "name = 'a' OR name = 'b'"},
        {"filter": "colour = 'red'"},
        {"order_by": ["name SIDEWAYS"]},
        {"order_by": ["creation_timestamp"]},
        {"order_by": ["name", "name DESC"]},
        {"max_results": 0},
        {"max_results": -1},
        {"max_results": 1001},
        {"max_results": "many"},
        {"page_token": "abc"},
    ],
)
def test_a_search_that_is_not_understood_is_a_400(api: Api, query: dict[str, Any]) -> None:
    assert error_of(api.get("registered-models/search", query))[:2] == (400, "INVALID_PARAMETER_VALUE")


def test_a_page_of_100_models_costs_a_fixed_number_of_queries(api: Api, django_assert_max_num_queries: Any) -> None:
    for number in range(12):
        make_model(api, f"model-{number:02}", tags=[{"key": "team", "value": "risk"}])
        make_version(api, f"model-{number:02}")
    with django_assert_max_num_queries(9):
        found = api.get("registered-models/search").json()
    assert len(found["registered_models"]) == 12


# -- latest versions ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", ["get", "post"])
def test_latest_versions_come_by_stage_with_aliases(api: Api, jon: User, method: str) -> None:
    make_model(api, "churn")
    for _ in range(2):
        make_version(api, "churn")
    api.as_(jon).post("model-versions/transition-stage", {"name": "churn", "version": "1", "stage": "Production"})
    api.post("registered-models/alias", {"name": "churn", "alias": "champion", "version": "1"})
    ask = getattr(api, method)

    def numbers(**arguments: Any) -> list[str]:
        found = ask("registered-models/get-latest-versions", {"name": "churn", **arguments}).json()
        return sorted(version["version"] for version in found.get("model_versions", []))

    assert numbers() == ["1", "2"]
    assert numbers(stages=["production"]) == ["1"]
    assert numbers(stages=["Production", "None"]) == ["1", "2"]
    assert numbers(stages=["Archived"]) == []
    found = ask("registered-models/get-latest-versions", {"name": "churn", "stages": ["Production"]}).json()
    assert found["model_versions"][0]["aliases"] == ["champion"]
    unknown = ask("registered-models/get-latest-versions", {"name": "churn", "stages": ["Live"]})
    assert error_of(unknown)[:2] == (400, "INVALID_PARAMETER_VALUE")
    assert error_of(ask("registered-models/get-latest-versions", {"name": "nothing"}))[0] == 404


# -- tags --------------------------------------------------------------------------------------------------------------
def test_a_tag_is_set_replaced_and_removed_without_touching_the_model(api: Api) -> None:
    before = make_model(api, "churn")
    for value in ("risk", "fraud"):
        answer = api.post("registered-models/set-tag", {"name": "churn", "key": "team", "value": value})
        assert (answer.status_code, answer.content) == (200, b"{}")
    assert model_of(api, "churn")["tags"] == [{"key": "team", "value": "fraud"}]
    for _ in ("there", "gone"):
        assert api.delete("registered-models/delete-tag", {"name": "churn", "key": "team"}).status_code == 200
    assert model_of(api, "churn") == before


@pytest.mark.parametrize(
    ("tag", "fault"),
    [
        ({"value": "x"}, "Missing value for required parameter 'key'."),
        ({"key": "", "value": "x"}, "Missing value for required parameter 'key'."),
        ({"key": "k" * 251, "value": "x"}, "250"),
        ({"key": "k", "value": "x" * 100_001}, "100000"),
        ({"key": "k", "value": 5}, "Invalid value 5 for parameter 'value' supplied:"),
    ],
)
def test_a_tag_that_cannot_be_kept_is_a_400(api: Api, tag: dict[str, Any], fault: str) -> None:
    make_model(api, "churn")
    status, code, message = error_of(api.post("registered-models/set-tag", {"name": "churn", **tag}))
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert fault in message


# -- aliases -----------------------------------------------------------------------------------------------------------
def test_an_alias_points_moves_and_goes(api: Api) -> None:
    make_model(api, "churn")
    for _ in range(2):
        make_version(api, "churn")
    for version in ("1", "2"):
        answer = api.post("registered-models/alias", {"name": "churn", "alias": "champion", "version": version})
        assert (answer.status_code, answer.content) == (200, b"{}")
        found = api.get("registered-models/alias", {"name": "churn", "alias": "champion"}).json()["model_version"]
        assert (found["version"], found["aliases"]) == (version, ["champion"])
    assert model_of(api, "churn")["aliases"] == [{"alias": "champion", "version": "2"}]
    for _ in ("there", "gone"):
        assert api.delete("registered-models/alias", {"name": "churn", "alias": "champion"}).status_code == 200
    assert "aliases" not in model_of(api, "churn")


def test_an_unknown_alias_is_a_400_of_an_unknown_model_a_404(api: Api) -> None:
    make_model(api, "churn")
    assert error_of(api.get("registered-models/alias", {"name": "churn", "alias": "champion"})) == (
        400,
        "INVALID_PARAMETER_VALUE",
        "Registered model alias champion not found.",
    )
    answer = api.get("registered-models/alias", {"name": "nothing", "alias": "champion"})
    assert error_of(answer)[:2] == (404, "RESOURCE_DOES_NOT_EXIST")
    assert error_of(api.delete("registered-models/alias", {"name": "nothing", "alias": "champion"}))[0] == 404


def test_the_alias_latest_is_the_greatest_version(api: Api) -> None:
    make_model(api, "churn")
    for _ in range(2):
        make_version(api, "churn")
    found = api.get("registered-models/alias", {"name": "churn", "alias": "latest"}).json()
    assert found["model_version"]["version"] == "2"


def test_an_alias_of_a_version_that_is_not_there_is_a_404_that_names_it(api: Api) -> None:
    make_model(api, "churn")
    answer = api.post("registered-models/alias", {"name": "churn", "alias": "champion", "version": "7"})
    assert error_of(answer) == (404, "RESOURCE_DOES_NOT_EXIST", "Model Version (name=churn, version=7) not found")


@pytest.mark.parametrize("alias", ["latest", "LATEST", "v1", "V12", "a b", "a/b", "x" * 256])
def test_reserved_and_odd_aliases_are_refused(api: Api, alias: str) -> None:
    make_model(api, "churn")
    make_version(api, "churn")
    answer = api.post("registered-models/alias", {"name": "churn", "alias": alias, "version": "1"})
    assert error_of(answer)[:2] == (400, "INVALID_PARAMETER_VALUE")


# -- who may -----------------------------------------------------------------------------------------------------------
def test_somebody_who_may_only_read_gets_a_403_for_every_change(api: Api, eve: User) -> None:
    make_model(api, "churn")
    hers = api.as_(eve)
    assert model_of(hers, "churn")["name"] == "churn"
    for answer in (
        hers.patch("registered-models/update", {"name": "churn", "description": "mine"}),
        hers.post("registered-models/rename", {"name": "churn", "new_name": "mine"}),
        hers.delete("registered-models/delete", {"name": "churn"}),
        hers.post("registered-models/set-tag", {"name": "churn", "key": "k", "value": "v"}),
        hers.delete("registered-models/delete-tag", {"name": "churn", "key": "k"}),
        hers.delete("registered-models/alias", {"name": "churn", "alias": "champion"}),
    ):
        status, code, message = error_of(answer)
        assert (status, code) == (403, "PERMISSION_DENIED")
        assert "'churn'" in message


def test_where_nobody_may_read_by_default_a_foreign_model_is_not_there(api: Api, eve: User, settings: Any) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    make_model(api, "churn")
    hers = api.as_(eve)
    assert error_of(hers.get("registered-models/get", {"name": "churn"}))[0] == 404
    assert hers.get("registered-models/search").json() == {}
    assert error_of(hers.post("registered-models/set-tag", {"name": "churn", "key": "k", "value": "v"}))[0] == 404
