"""Moving versions between stages by transition-stage."""

from typing import Any

import pytest
from django.http import HttpResponse

from registry_site.accounts.models import User
from tests.doors import Api
from tests.mlflow_api.flows import error_of, make_model, make_version, model_of, version_of


@pytest.fixture
def jons(api: Api, jon: User) -> Api:
    """Jon's client; he may move versions of Maria's model `churn`, which has two."""
    make_model(api, "churn")
    for _ in range(2):
        make_version(api, "churn")
    return api.as_(jon)


def move(client: Api, version: str, stage: str, **arguments: Any) -> HttpResponse:
    """Ask for a move of a version of `churn`."""
    body = {"name": "churn", "version": version, "stage": stage, **arguments}
    return client.post("model-versions/transition-stage", body)


def stages(client: Api) -> list[str]:
    """The stages of the two versions."""
    return [version_of(client, "churn", number)["current_stage"] for number in ("1", "2")]


@pytest.mark.parametrize(
    ("word", "stage"),
    [("Staging", "Staging"), ("pRODUCTION", "Production"), ("archived", "Archived"), ("none", "None")],
)
def test_a_version_moves_and_is_answered_in_its_new_stage(jons: Api, word: str, stage: str) -> None:
    answer = move(jons, "1", word)
    assert answer.status_code == 200
    assert answer.json()["model_version"]["current_stage"] == stage
    assert version_of(jons, "churn") == answer.json()["model_version"]


def test_a_move_touches_the_version_and_the_model(jons: Api, frozen_clock: Any) -> None:
    frozen_clock.advance(days=365)
    version = move(jons, "1", "Staging").json()["model_version"]
    assert version["last_updated_timestamp"] == int(frozen_clock.moment.timestamp() * 1000)
    assert model_of(jons, "churn")["last_updated_timestamp"] == version["last_updated_timestamp"]


def test_an_unknown_stage_is_a_400_that_lists_the_four(jons: Api) -> None:
    assert error_of(move(jons, "1", "Live")) == (
        400,
        "INVALID_PARAMETER_VALUE",
        "Invalid Model Version stage: Live. Value must be one of None, Staging, Production, Archived.",
    )


def test_an_unknown_version_is_a_404(jons: Api) -> None:
    assert error_of(move(jons, "9", "Staging")) == (
        404,
        "RESOURCE_DOES_NOT_EXIST",
        "Model Version (name=churn, version=9) not found",
    )


def test_archive_existing_versions_clears_the_stage(jons: Api) -> None:
    move(jons, "1", "Production")
    assert move(jons, "2", "Production", archive_existing_versions=True).status_code == 200
    assert stages(jons) == ["Archived", "Production"]


def test_without_it_staging_is_shared(jons: Api) -> None:
    move(jons, "1", "Staging")
    assert move(jons, "2", "Staging").status_code == 200
    assert stages(jons) == ["Staging", "Staging"]


def test_production_admits_one_version_and_the_refusal_tells_the_way_out(jons: Api) -> None:
    move(jons, "1", "Production")
    status, code, message = error_of(move(jons, "2", "Production"))
    assert (status, code) == (409, "RESOURCE_CONFLICT")
    assert "churn version 1 is in Production" in message
    assert "archive_existing_versions=true" in message
    assert stages(jons) == ["Production", "None"]


@pytest.mark.parametrize("stage", ["None", "Archived"])
def test_archive_existing_versions_only_goes_with_the_active_stages(jons: Api, stage: str) -> None:
    answer = move(jons, "1", stage, archive_existing_versions=True)
    assert error_of(answer)[:2] == (400, "INVALID_PARAMETER_VALUE")


def test_moving_to_where_it_already_is_changes_nothing(jons: Api) -> None:
    first = move(jons, "1", "Production").json()
    assert move(jons, "1", "Production").json() == first


def test_somebody_without_the_level_is_told_where_to_ask_for_the_move(jons: Api, eve: User) -> None:
    status, code, message = error_of(move(jons.as_(eve), "1", "Production"))
    assert (status, code) == (403, "PERMISSION_DENIED")
    assert "CAN_MANAGE_PRODUCTION_VERSIONS" in message
    assert "/models/churn/requests/new?version=1&to=Production" in message


def test_a_stranger_moves_nothing(jons: Api, anonymous_api: Api) -> None:
    assert error_of(move(anonymous_api, "1", "Staging"))[:2] == (401, "UNAUTHENTICATED")
    assert stages(jons) == ["None", "None"]
