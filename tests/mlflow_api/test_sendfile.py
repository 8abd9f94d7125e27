"""Where a server in front can send files, it is told which: those of the store, and only to who may read them."""

from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from django.test import Client
from pytest_django import Settings

from registry_site.accounts.models import User
from tests.doors import Api
from tests.mlflow_api.flows import error_of

pytestmark = pytest.mark.django_db

PROXY = "/api/2.0/mlflow-artifacts/artifacts"
NAME = "größe & 100% #1.txt"


@pytest.fixture
def place(api: Api) -> str:
    uri = api.post("runs/create", {"experiment_id": "0"}).json()["run"]["info"]["artifact_uri"]
    return uri.removeprefix("mlflow-artifacts:/")


@pytest.fixture
def accel(settings: Settings) -> None:
    settings.PODIUM_SENDFILE = "X-Accel-Redirect"


def test_nginx_is_told_the_file_below_its_internal_location(api: Api, accel: None, place: str) -> None:
    api.put(f"{PROXY}/{place}/{quote(NAME)}", b"hello")
    answer = api.get(f"{PROXY}/{place}/{quote(NAME)}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["X-Accel-Redirect"] == f"/podium-artifacts/{quote(f'{place}/{NAME}')}"
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_apache_is_told_the_path_of_the_file(api: Api, settings: Settings, artifact_root: Path, place: str) -> None:
    settings.PODIUM_SENDFILE = "X-Sendfile"
    api.put(f"{PROXY}/{place}/{quote(NAME)}", b"hello")
    told = unquote(api.get(f"{PROXY}/{place}/{quote(NAME)}").headers["X-Sendfile"])
    assert Path(told).read_bytes() == b"hello"
    assert Path(told).is_relative_to(artifact_root)


def test_a_page_hands_over_what_is_saved_and_sends_itself_what_is_shown(
    api: Api, accel: None, maria_page: Client, place: str
) -> None:
    api.put(f"{PROXY}/{place}/plot.png", b"\x89PNG")
    url = f"/runs/{place.split('/')[1]}/files/plot.png"
    saved = maria_page.get(url)
    assert saved.headers["X-Accel-Redirect"] == f"/podium-artifacts/{place}/plot.png"
    shown = maria_page.get(f"{url}?inline=1")
    assert "X-Accel-Redirect" not in shown.headers
    assert b"".join(shown.streaming_content) == b"\x89PNG"


def test_no_link_out_of_the_store_and_nothing_that_is_not_there_is_handed_over(
    api: Api, accel: None, artifact_root: Path, tmp_path: Path, place: str
) -> None:
    api.put(f"{PROXY}/{place}/a.txt", b"x")
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "key.txt").write_text("secret")
    (artifact_root / place / "key.txt").symlink_to(secrets / "key.txt")
    (artifact_root / place / "folder").symlink_to(secrets)
    for path in ("key.txt", "folder/key.txt", "none.txt"):
        answer = api.get(f"{PROXY}/{place}/{path}")
        assert error_of(answer)[:2] == (404, "RESOURCE_DOES_NOT_EXIST")
        assert "X-Accel-Redirect" not in answer.headers
    for path in ("..%2f..%2fx", "%2e%2e/a.txt", "a%5cb", "%252e%252e/x"):
        answer = api.get(f"{PROXY}/{place}/{path}")
        assert error_of(answer)[:2] == (400, "INVALID_PARAMETER_VALUE")
        assert "X-Accel-Redirect" not in answer.headers


def test_who_may_not_read_is_told_nothing(
    api: Api, anonymous_api: Api, eve: User, accel: None, settings: Settings
) -> None:
    experiment = api.post("experiments/create", {"name": "secret"}).json()["experiment_id"]
    uri = api.post("runs/create", {"experiment_id": experiment}).json()["run"]["info"]["artifact_uri"]
    path = f"{PROXY}/{uri.removeprefix('mlflow-artifacts:/')}/a.txt"
    api.put(path, b"x")
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    for client, status in ((api.as_(eve), 404), (anonymous_api, 401)):
        answer = client.get(path)
        assert error_of(answer)[0] == status
        assert "X-Accel-Redirect" not in answer.headers
