"""The native API: who may do what with a registered model or an experiment."""

import json

import pytest
from django.contrib.auth.models import Group
from django.http import HttpResponse

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.audit.models import Activity
from tests.doors import Api
from tests.make import make_experiment, make_model


@pytest.fixture(params=["models", "experiments"])
def place(request: pytest.FixtureRequest, maria_actor: Actor) -> str:
    """The address of the grants on something of Maria's."""
    thing = make_model(maria_actor) if request.param == "models" else make_experiment(maria_actor).pk
    return f"/api/v1/{request.param}/{thing}/grants"


def put(api: Api, address: str, level: str) -> HttpResponse:
    return api.raw("PUT", address, json.dumps({"level": level}))


def granted(api: Api, place: str) -> list[tuple[str, str, str]]:
    """What is granted on the thing itself."""
    return [
        (one["username"], one["group"], one["level"])
        for one in api.get(place).json()["grants"]
        if one["source"] == "own"
    ]


def refused(answer: HttpResponse) -> tuple[int, str, str]:
    body = answer.json()
    return answer.status_code, body["code"], body.get("field", "")


def test_maria_gives_levels_to_jon_and_to_a_group_and_takes_them_back(
    place: str, api: Api, maria: User, eve: User, admin: User
) -> None:
    Group.objects.create(name="risk/credit")
    assert api.get(place).json() == {
        "everybody": "CAN_READ",
        "own": "CAN_MANAGE",
        "grants": [
            {"username": "maria", "group": "", "level": "CAN_MANAGE", "source": "own"},
            {"username": "admin", "group": "", "level": "CAN_MANAGE", "source": "administrator"},
        ],
    }
    assert put(api, f"{place}/people/eve", "CAN_READ").status_code == 204
    assert put(api, f"{place}/people/eve", "CAN_EDIT").status_code == 204
    assert put(api, f"{place}/groups/risk/credit", "CAN_READ").status_code == 204
    assert granted(api, place) == [
        ("maria", "", "CAN_MANAGE"),
        ("eve", "", "CAN_EDIT"),
        ("", "risk/credit", "CAN_READ"),
    ]
    assert api.as_(eve).get(place).json()["own"] == "CAN_EDIT"
    for holder in ("people/eve", "people/eve", "groups/risk/credit"):
        assert api.delete(f"{place}/{holder}").status_code == 204
    assert granted(api, place) == [("maria", "", "CAN_MANAGE")]


@pytest.mark.parametrize(
    ("holder", "level", "expected"),
    [
        ("people/nobody", "CAN_READ", (404, "RESOURCE_DOES_NOT_EXIST", "username")),
        ("groups/nobody", "CAN_READ", (404, "RESOURCE_DOES_NOT_EXIST", "group")),
        ("people/eve", "CAN_FLY", (400, "INVALID_PARAMETER_VALUE", "permission_level")),
        ("people/eve", "NONE", (400, "INVALID_PARAMETER_VALUE", "permission_level")),
        ("people/maria", "CAN_EDIT", (409, "RESOURCE_CONFLICT", "level")),
    ],
)
def test_a_wrong_grant_is_refused_and_nothing_changes(
    holder: str, level: str, expected: tuple[int, str, str], place: str, api: Api, eve: User
) -> None:
    before = granted(api, place), Activity.objects.count()
    assert refused(put(api, f"{place}/{holder}", level)) == expected
    assert (granted(api, place), Activity.objects.count()) == before


def test_the_last_manager_stays_until_there_is_another(place: str, api: Api, eve: User) -> None:
    answer = api.delete(f"{place}/people/maria")
    assert refused(answer) == (409, "RESOURCE_CONFLICT", "level")
    assert "Give it to somebody else first" in answer.json()["message"]
    put(api, f"{place}/people/eve", Level.CAN_MANAGE.name)
    assert api.delete(f"{place}/people/maria").status_code == 204
    assert granted(api, place) == [("eve", "", "CAN_MANAGE")]
