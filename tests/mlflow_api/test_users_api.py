"""People over the protocol, as the client of MLflow's basic-auth app manages them."""

import base64
from collections.abc import Callable

import pytest
from django.test import Client

from registry_site.accounts.actors import Actor
from registry_site.accounts.administration import delete_user, set_admin
from registry_site.accounts.models import ApiToken, User
from registry_site.accounts.services import create_user
from registry_site.audit.models import Activity
from registry_site.core.errors import Conflict
from tests.doors import Api
from tests.make import PASSWORD, make_token
from tests.mlflow_api.flows import error_of

NEW = "a goat ate my umbrella"
FORBIDDEN = (403, "PERMISSION_DENIED", "Only administrators may do this.")
UNKNOWN = (404, "RESOURCE_DOES_NOT_EXIST", "User 'nobody' does not exist.")


@pytest.fixture
def admin_api(api: Api, admin: User) -> Api:
    """The administrator's client."""
    return api.as_(admin)


def with_password(username: str, password: str) -> Api:
    return Api("Basic " + base64.b64encode(f"{username}:{password}".encode()).decode())


def history() -> list[tuple[str, str, str]]:
    return list(Activity.objects.order_by("pk").values_list("actor_name", "kind", "subject"))


# -- making and finding ------------------------------------------------------------------------------------------------
def test_an_administrator_makes_a_user_who_signs_in_with_the_password(admin_api: Api) -> None:
    made = admin_api.post("users/create", {"username": "kim", "password": NEW})
    kim = User.objects.get(username="kim")
    shown = {"id": kim.pk, "username": "kim", "is_admin": False}
    assert made.json() == {"user": shown | {"experiment_permissions": [], "registered_model_permissions": []}}
    assert with_password("kim", NEW).get("users/current").json() == {"user": shown, "is_basic_auth": True}
    assert history() == [("admin", "user.created", "user kim")]


@pytest.mark.parametrize(
    ("username", "password", "code", "message"),
    [
        ("maria", NEW, "RESOURCE_ALREADY_EXISTS", "User 'maria' already exists."),
        ("kim", "too short", "INVALID_PARAMETER_VALUE", "This password is too short."),
        ("kim", "", "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'password'."),
        ("", NEW, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'username'."),
        ("a b", NEW, "INVALID_PARAMETER_VALUE", "Invalid user name 'a b':"),
    ],
)
def test_a_user_who_cannot_be_made(
    admin_api: Api, maria: User, username: str, password: str, code: str, message: str
) -> None:
    refused = error_of(admin_api.post("users/create", {"username": username, "password": password}))
    assert refused[:2] == (400, code)
    assert refused[2].startswith(message)
    assert User.objects.count() == 2


def test_people_see_themselves_and_administrators_everybody(api: Api, admin_api: Api, maria: User, admin: User) -> None:
    assert api.get("users/get", {"username": "maria"}).json()["user"]["id"] == maria.pk
    assert admin_api.get("users/get", {"username": "maria"}).json()["user"]["username"] == "maria"
    assert admin_api.get("users/list").json() == {
        "users": [
            {"id": admin.pk, "username": "admin", "is_admin": True, "roles": []},
            {"id": maria.pk, "username": "maria", "is_admin": False, "roles": []},
        ]
    }


def test_nobody_learns_from_a_refusal_who_has_an_account(api: Api, admin_api: Api) -> None:
    for username in ("admin", "nobody"):
        assert error_of(api.get("users/get", {"username": username})) == FORBIDDEN
    assert error_of(api.get("users/list")) == FORBIDDEN
    assert error_of(admin_api.get("users/get", {"username": "nobody"})) == UNKNOWN


# -- passwords ---------------------------------------------------------------------------------------------------------
def test_people_change_their_own_password_with_the_present_one(api: Api, maria: User) -> None:
    change = {"username": "maria", "password": NEW, "current_password": PASSWORD}
    old = with_password("maria", PASSWORD)
    assert old.get("users/current").status_code == 200
    assert old.patch("users/update-password", change).json() == {}
    assert old.get("users/current").status_code == 401
    assert with_password("maria", NEW).get("users/current").status_code == 200
    assert api.get("users/current").status_code == 200, "a token is a credential of its own, and stays"
    assert history() == [("maria", "password.changed", "user maria")]


@pytest.mark.parametrize("current", [{}, {"current_password": ""}, {"current_password": "wrong"}])
def test_without_the_present_password_nobody_changes_their_own(api: Api, maria: User, current: dict[str, str]) -> None:
    refused = error_of(api.patch("users/update-password", {"username": "maria", "password": NEW, **current}))
    assert refused == (400, "INVALID_PARAMETER_VALUE", "That is not your present password.")
    assert with_password("maria", PASSWORD).get("users/current").status_code == 200


def test_the_present_password_cannot_be_guessed_with_a_stolen_token(api: Api) -> None:
    guess = {"username": "maria", "password": NEW, "current_password": "wrong"}
    statuses = [api.patch("users/update-password", guess).status_code for _ in range(11)]
    assert statuses == [400] * 10 + [429]


def test_an_administrator_sets_a_password_and_the_sessions_of_that_person_end(
    admin_api: Api, maria: User, page_client: Callable[[User], Client]
) -> None:
    browser = page_client(maria)
    assert browser.get("/models").status_code == 200
    assert admin_api.patch("users/update-password", {"username": "maria", "password": NEW}).json() == {}
    assert browser.get("/models").status_code == 302
    assert with_password("maria", PASSWORD).get("users/current").status_code == 401
    assert with_password("maria", NEW).get("users/current").status_code == 200


def test_passwords_of_others_are_for_administrators_and_never_weak(api: Api, admin_api: Api, jon: User) -> None:
    assert error_of(api.patch("users/update-password", {"username": "jon", "password": NEW})) == FORBIDDEN
    assert error_of(admin_api.patch("users/update-password", {"username": "nobody", "password": NEW})) == UNKNOWN
    weak = error_of(admin_api.patch("users/update-password", {"username": "jon", "password": "jon"}))
    assert weak[:2] == (400, "INVALID_PARAMETER_VALUE")
    assert with_password("jon", PASSWORD).get("users/current").status_code == 200


# -- administrators ----------------------------------------------------------------------------------------------------
def test_an_administrator_makes_another_one_and_may_then_step_down(admin_api: Api, api: Api) -> None:
    assert admin_api.patch("users/update-admin", {"username": "maria", "is_admin": True}).json() == {}
    assert api.get("users/list").status_code == 200
    assert admin_api.patch("users/update-admin", {"username": "admin", "is_admin": False}).json() == {}
    assert error_of(admin_api.get("users/list")) == FORBIDDEN
    assert history() == [("admin", "user.admin_set", "user maria"), ("admin", "user.admin_set", "user admin")]


def test_the_last_administrator_stays_one(admin_api: Api) -> None:
    User.objects.create_user("gone", is_superuser=True, is_active=False)  # who cannot sign in does not count
    refused = error_of(admin_api.patch("users/update-admin", {"username": "admin", "is_admin": False}))
    assert refused == (
        409, "RESOURCE_CONFLICT", "User 'admin' is the only administrator: make somebody else one first."
    )  # fmt: skip
    assert User.objects.get(username="admin").is_superuser


def test_who_is_an_administrator_is_for_administrators_to_say(api: Api, admin_api: Api, jon: User) -> None:
    assert error_of(api.patch("users/update-admin", {"username": "maria", "is_admin": True})) == FORBIDDEN
    assert error_of(admin_api.patch("users/update-admin", {"username": "nobody", "is_admin": True})) == UNKNOWN
    missing = error_of(admin_api.patch("users/update-admin", {"username": "jon"}))
    assert missing[2].startswith("Missing value for required parameter 'is_admin'.")
    assert admin_api.patch("users/update-admin", {"username": "jon", "is_admin": False}).json() == {}
    assert history() == [], "what changes nothing is not history"


# -- removing ----------------------------------------------------------------------------------------------------------
def test_a_removed_person_is_out_at_once_and_stays_in_history(
    admin_api: Api, jon: User, page_client: Callable[[User], Client]
) -> None:
    jons = admin_api.as_(jon)
    jons.post("registered-models/create", {"name": "churn"})
    browser = page_client(jon)
    assert admin_api.delete("users/delete", {"username": "jon"}).json() == {}

    assert jons.get("users/current").status_code == 401
    assert with_password("jon", PASSWORD).get("users/current").status_code == 401
    assert browser.get("/models").status_code == 302
    assert not ApiToken.objects.filter(user__username="jon").exists()
    assert admin_api.get("registered-models/get", {"name": "churn"}).status_code == 200
    assert history() == [("jon", "model.created", "model churn"), ("admin", "user.deleted", "user jon")]


def test_who_is_made_again_under_an_old_name_inherits_nothing(admin_api: Api, admin_actor: Actor, jon: User) -> None:
    token = make_token(jon)
    admin_api.delete("users/delete", {"username": "jon"})
    again = create_user(admin_actor, username="jon", password=NEW)
    assert again.pk != jon.pk
    assert not again.grants.exists()
    assert Api(f"Bearer {token}").get("users/current").status_code == 401


def test_who_cannot_be_removed(api: Api, admin_api: Api, jon: User) -> None:
    assert error_of(api.delete("users/delete", {"username": "jon"})) == FORBIDDEN
    assert error_of(admin_api.delete("users/delete", {"username": "nobody"})) == UNKNOWN
    assert error_of(admin_api.delete("users/delete?username=admin")) == (
        400, "INVALID_PARAMETER_VALUE", "You cannot delete yourself: ask another administrator to do it."
    )  # fmt: skip
    assert set(User.objects.values_list("username", flat=True)) == {"admin", "maria", "jon"}


def test_not_even_a_command_removes_the_last_administrator(system_actor: Actor, admin: User) -> None:
    with pytest.raises(Conflict):
        delete_user(system_actor, username="admin")
    with pytest.raises(Conflict):
        set_admin(system_actor, username="admin", is_admin=False)
    assert User.objects.get().is_superuser
