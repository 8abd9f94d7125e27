"""The files of versions as clients with the registry URI `databricks` read them."""

import io
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.registry.models import Grant
from registry_site.tracking import rules
from registry_site.tracking.artifact_files import write_artifact
from registry_site.tracking.models import Run
from tests.conftest import FrozenClock
from tests.doors import Api
from tests.make import make_run, make_version
from tests.mlflow_api.flows import error_of

ODD = "data/what? #1 & münchen 100%25.bin"


@pytest.fixture
def run(maria_actor: Actor) -> Run:
    """Its folder `model` is churn version 1."""
    run = make_run(maria_actor)
    root = rules.storage_path(run.artifact_uri, "")
    for path, content in (("MLmodel", b"flavors: {}"), (ODD, b"0123456789"), ("empty", b"")):
        write_artifact(maria_actor, f"{root}/model/{path}", io.BytesIO(content), length=len(content))
    make_version(maria_actor, "churn", run=run)
    return run


def listed(api: Api, path: str = "", **more: str) -> dict[str, object]:
    answer = api.get("model-versions/list-artifacts", {"name": "churn", "version": "1", "path": path, **more})
    assert answer.status_code == 200, answer.content
    found: dict[str, object] = answer.json()
    return found


def signed(api: Api, path: str) -> str:
    """The path and query of a signed address."""
    asked = {"name": "churn", "version": "1", "path": path}
    answer = api.get("model-versions/get-signed-download-uri", asked)
    assert answer.status_code == 200, answer.content
    assert answer.json()["headers"] == []
    parts = urlsplit(answer.json()["signed_uri"])
    assert (parts.scheme, parts.netloc, parts.query) == ("http", "testserver", "")
    return parts.path


def test_folders_are_listed_by_paths_below_the_version(api: Api, run: Run) -> None:
    assert listed(api)["files"] == [
        {"path": "MLmodel", "is_dir": False, "file_size": 11},
        {"path": "data", "is_dir": True},
        {"path": "empty", "is_dir": False, "file_size": 0},
    ]
    assert listed(api, "data")["files"] == [{"path": ODD, "is_dir": False, "file_size": 10}]
    assert listed(api, "nothing") == {}


def test_a_file_is_listed_as_itself_so_that_clients_see_that_it_is_one(api: Api, run: Run) -> None:
    assert listed(api, ODD) == {"files": [{"path": ODD, "is_dir": False, "file_size": 10}]}


def test_long_folders_come_in_pages(api: Api, run: Run, artifact_root: Path) -> None:
    folder = artifact_root / str(rules.storage_path(run.artifact_uri, "")) / "model" / "many"
    folder.mkdir()
    for number in range(1003):
        (folder / f"{number:04}").touch()
    first = listed(api, "many")
    second = listed(api, "many", page_token=str(first["next_page_token"]))
    names = [file["path"] for page in (first, second) for file in page["files"]]  # type: ignore[attr-defined]
    assert names == [f"many/{number:04}" for number in range(1003)]
    assert "next_page_token" not in second
    elsewhere = {"name": "churn", "version": "1", "path": "data", "page_token": first["next_page_token"]}
    assert error_of(api.get("model-versions/list-artifacts", elsewhere))[:2] == (400, "INVALID_PARAMETER_VALUE")


def test_a_signed_address_is_fetched_without_credentials(api: Api, anonymous_api: Api, run: Run) -> None:
    answer = anonymous_api.get(signed(api, ODD))
    assert b"".join(answer.streaming_content) == b"0123456789"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox"


def test_a_folder_has_no_address(api: Api, run: Run) -> None:
    asked = {"name": "churn", "version": "1", "path": "data"}
    answer = api.get("model-versions/get-signed-download-uri", asked)
    assert error_of(answer) == (400, "INVALID_PARAMETER_VALUE", "data is a folder; ask for a file in it.")


def test_a_signed_address_ends(
    api: Api, anonymous_api: Api, run: Run, frozen_clock: FrozenClock, settings: Settings
) -> None:
    address = signed(api, "MLmodel")
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    assert b"".join(anonymous_api.get(address).streaming_content) == b"flavors: {}"
    grants = list(Grant.objects.all())
    Grant.objects.all().delete()
    assert error_of(anonymous_api.get(address))[:2] == (404, "RESOURCE_DOES_NOT_EXIST"), "with the right"
    Grant.objects.bulk_create(grants)
    frozen_clock.advance(minutes=15)
    assert error_of(anonymous_api.get(address))[:2] == (404, "RESOURCE_DOES_NOT_EXIST"), "with the time"


def test_who_may_not_read_the_model_is_told_that_there_is_none(
    api: Api, run: Run, eve: User, settings: Settings
) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    for call in ("list-artifacts", "get-signed-download-uri"):
        hidden, absent = (
            error_of(api.as_(eve).get(f"model-versions/{call}", {"name": name, "version": "1", "path": "MLmodel"}))
            for name in ("churn", "nothing")
        )
        assert hidden == (404, "RESOURCE_DOES_NOT_EXIST", "Model Version (name=churn, version=1) not found")
        assert absent == (*hidden[:2], hidden[2].replace("churn", "nothing"))
