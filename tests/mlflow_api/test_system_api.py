"""What clients ask before anything else, and who they are told that they are."""

import json
from typing import Any

import pytest

from registry_site.accounts.models import User
from tests.doors import Api


def test_health_and_version_are_plain_text_for_everybody(anonymous_api: Api, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        health = anonymous_api.get("/health")
        version = anonymous_api.get("/version")
    assert (health.status_code, health.content) == (200, b"OK")
    assert (version.status_code, version.content) == (200, b"3.17.2")
    assert health.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("root", ["/api/3.0/mlflow/", "/ajax-api/3.0/mlflow/"])
def test_server_info_tells_clients_to_transfer_files_in_one_piece(anonymous_api: Api, root: str) -> None:
    answer = anonymous_api.get(f"{root}server-info")
    assert answer.status_code == 200
    info = answer.json()
    assert info["store_type"] == "SqlStore"
    assert info["multipart_uploads_enabled"] is False
    assert info["multipart_downloads_enabled"] is False
    assert info["workspaces_enabled"] is False


def test_databricks_config_is_cheap_json_without_a_workspace(
    anonymous_api: Api, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        answer = anonymous_api.get("/.well-known/databricks-config")
    assert json.loads(answer.content) == {"oidc_endpoint": "http://testserver/oidc"}
    assert not answer.cookies


def test_the_current_user_is_the_caller(api: Api, maria: User, admin: User) -> None:
    assert api.get("users/current").json() == {
        "user": {"id": maria.pk, "username": "maria", "is_admin": False},
        "is_basic_auth": False,
    }
    assert api.as_(admin).get("users/current").json()["user"]["is_admin"] is True


def test_a_stranger_is_no_user(anonymous_api: Api) -> None:
    assert anonymous_api.get("users/current").status_code == 401


def test_in_open_mode_everybody_is_the_owner_and_any_header_is_ignored(
    anonymous_api: Api, admin: User, settings: Any
) -> None:
    settings.PODIUM_OPEN = True
    for header in ("", "Bearer whatever", "Basic eDp5"):
        client = anonymous_api.with_authorization(header)
        assert client.get("users/current").json()["user"]["username"] == admin.username
