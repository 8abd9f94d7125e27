"""Versions and folders as one file, over HTTP: for browsers, for curl, and for servers that fetch a model."""

import html as html_module
import io
import re
import tarfile
import zipfile
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.http.response import HttpResponseBase
from django.test import Client
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.accounts.scopes import Scope
from registry_site.artifacts.archives import Format
from registry_site.promotion.services import transition
from registry_site.registry.archive_links import sign_archive
from registry_site.registry.models import Grant, RegisteredModel
from registry_site.registry.services import set_alias
from registry_site.registry.stages import Stage
from registry_site.tracking import rules
from registry_site.tracking.artifact_files import write_artifact
from registry_site.tracking.models import Run
from tests.conftest import FrozenClock
from tests.make import grant, make_run, make_token, make_user, make_version

FILES = {"MLmodel": b"flavors: {}", "data/münchen ☃.bin": b"\x00\x01"}


@pytest.fixture
def run(maria_actor: Actor) -> Run:
    """Its folder `model` is churn version 1, in Staging, and the champion."""
    run = make_run(maria_actor, name="gbm")
    root = rules.storage_path(run.artifact_uri, "")
    for path, content in FILES.items():
        write_artifact(maria_actor, f"{root}/model/{path}", io.BytesIO(content), length=len(content))
    make_version(maria_actor, "churn", run=run)
    set_alias(maria_actor, name="churn", alias="champion", version=1)
    transition(maria_actor, name="churn", version=1, to_stage=Stage.STAGING)
    return run


def body_of(answer: HttpResponseBase) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def unzipped(answer: HttpResponseBase) -> dict[str, bytes]:
    assert answer.status_code == 200, answer.content
    data = body_of(answer)
    assert int(answer.headers["Content-Length"]) == len(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def by_token(user: User, scope: Scope = Scope.READ) -> dict[str, str]:
    return {"Authorization": f"Bearer {make_token(user, scope)}"}


# -- versions ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("called", ["1", "Staging", "staging", "@champion", "latest"])
def test_a_version_is_downloaded_by_number_stage_and_alias(maria_page: Client, run: Run, called: str) -> None:
    answer = maria_page.get(f"/models/churn/{called}/archive.zip")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="churn-v1.zip"'
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert unzipped(answer) == FILES


def test_a_version_as_tar_gz(maria_page: Client, run: Run) -> None:
    answer = maria_page.get("/models/churn/Staging/archive.tar.gz")
    assert answer.headers["Content-Type"] == "application/gzip"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="churn-v1.tar.gz"'
    with tarfile.open(fileobj=io.BytesIO(body_of(answer)), mode="r:gz") as archive:
        assert sorted(archive.getnames()) == sorted(FILES)


def test_a_folder_of_a_version(maria_page: Client, run: Run) -> None:
    answer = maria_page.get("/models/churn/1/archive.zip?path=data")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="churn-v1-data.zip"'
    assert unzipped(answer) == {"münchen ☃.bin": b"\x00\x01"}


def test_the_length_is_told_before_anything_is_sent(maria_page: Client, run: Run) -> None:
    answer = maria_page.head("/models/churn/1/archive.zip")
    whole = body_of(maria_page.get("/models/churn/1/archive.zip"))
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["Content-Length"]) == len(whole)


def test_a_token_for_reading_is_enough(stranger_page: Client, eve: User, run: Run) -> None:
    assert unzipped(stranger_page.get("/models/churn/1/archive.zip", headers=by_token(eve))) == FILES


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/models/churn/9/archive.zip", "Model Version (name=churn, version=9) not found"),
        ("/models/nothing/1/archive.zip", "Model Version (name=nothing, version=1) not found"),
        ("/models/nothing/Staging/archive.zip", "Registered Model with name=nothing not found"),
        ("/models/churn/1/archive.zip?path=nothing", "There are no files in nothing of churn version 1."),
        *(
            (
                f"/models/churn/{called}/archive.zip",
                f"churn has no version {called}: say a number, a stage with a version in it, latest, or an alias with "
                "an @ before it.",
            )
            for called in ("Production", "@nobody", "champion", "99x")
        ),
    ],
)
def test_what_is_not_there_is_said_in_a_line(
    stranger_page: Client, maria: User, run: Run, address: str, said: str
) -> None:
    answer = stranger_page.get(address, headers=by_token(maria))
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/plain; charset=utf-8")
    assert answer.content.decode() == f"{said}\n"


def test_paths_that_leave_the_version_are_refused(maria_page: Client, run: Run) -> None:
    for path in ("..", "../..", "%2e%2e", "/etc", "data//x", "MLmodel"):
        assert maria_page.get("/models/churn/1/archive.zip", {"path": path}).status_code == 400


def test_who_may_not_read_it_hears_what_one_hears_of_nothing(
    stranger_page: Client, eve: User, run: Run, settings: Settings
) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    headers = by_token(eve)
    for called in ("1", "Staging", "@champion"):
        hidden = stranger_page.get(f"/models/churn/{called}/archive.zip", headers=headers)
        absent = stranger_page.get(f"/models/nothing/{called}/archive.zip", headers=headers)
        assert hidden.status_code == absent.status_code == 404
        assert hidden.content == absent.content.replace(b"nothing", b"churn")


def test_a_version_is_read_with_the_model_where_the_experiment_is_closed(
    stranger_page: Client, run: Run, settings: Settings
) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    kim = make_user("kim")
    grant(kim, Level.CAN_READ, RegisteredModel.objects.get())
    assert unzipped(stranger_page.get("/models/churn/1/archive.zip", headers=by_token(kim))) == FILES
    assert stranger_page.get(f"/runs/{run.run_id}/archive.zip").status_code == 302


def test_strangers_are_told_by_a_line_and_browsers_by_the_sign_in_page(stranger_page: Client, run: Run) -> None:
    program = stranger_page.get("/models/churn/1/archive.zip", headers={"Accept": "*/*"})
    assert (program.status_code, program.headers["WWW-Authenticate"]) == (401, 'Basic realm="Podium"')
    browser = stranger_page.get("/models/churn/1/archive.zip", headers={"Accept": "text/html,*/*"})
    assert (browser.status_code, browser.headers["Location"]) == (302, "/sign-in?next=/models/churn/1/archive.zip")
    wrong = stranger_page.get("/models/churn/1/archive.zip", headers={"Authorization": "Bearer podium_wrong"})
    assert wrong.status_code == 401


# -- signed ------------------------------------------------------------------------------------------------------------
def signed(actor: Actor, called: str = "Staging", extension: str = "tar.gz") -> str:
    text = sign_archive(actor, name="churn", called=called, format=Format(extension), lasts=timedelta(hours=1)).text
    return f"/models/churn/{called}/archive.{extension}?signature={text}"


def test_a_signed_address_needs_nothing_else(stranger_page: Client, maria_actor: Actor, run: Run) -> None:
    assert stranger_page.get(signed(maria_actor)).status_code == 200
    assert unzipped(stranger_page.get(signed(maria_actor, "1", "zip"))) == FILES


def test_a_signed_address_opens_that_archive_only(stranger_page: Client, maria_actor: Actor, run: Run) -> None:
    for address in (
        signed(maria_actor).replace("Staging", "1"),
        signed(maria_actor).replace("tar.gz", "zip"),
        signed(maria_actor).replace("/churn/", "/fraud/"),
        signed(maria_actor)[:-1],
    ):
        answer = stranger_page.get(address)
        assert answer.status_code == 404, address
        assert answer.content == b"This address has expired, or was not made here. Ask for a new one.\n"


def test_a_signed_address_expires(
    stranger_page: Client, maria_actor: Actor, run: Run, frozen_clock: FrozenClock
) -> None:
    address = signed(maria_actor)
    frozen_clock.advance(minutes=61)
    assert stranger_page.get(address).status_code == 404


def test_a_signed_address_ends_with_the_right_of_who_made_it(
    stranger_page: Client, maria_actor: Actor, run: Run, settings: Settings
) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    address = signed(maria_actor)
    assert stranger_page.get(address).status_code == 200
    Grant.objects.all().delete()
    assert stranger_page.get(address).status_code == 404


# -- folders of runs and logged models ---------------------------------------------------------------------------------
def test_a_run_and_a_folder_of_it(maria_page: Client, run: Run) -> None:
    answer = maria_page.get(f"/runs/{run.run_id}/archive.zip?path=model/data")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="data.zip"'
    assert unzipped(answer) == {"münchen ☃.bin": b"\x00\x01"}
    answer = maria_page.get(f"/runs/{run.run_id}/archive.zip")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="gbm.zip"'
    assert unzipped(answer) == {f"model/{path}": content for path, content in FILES.items()}


def test_a_folder_of_a_run_is_for_those_who_may_read_it(
    run: Run, eve: User, page_client: Callable[[User], Client], settings: Settings
) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    assert page_client(eve).get(f"/runs/{run.run_id}/archive.zip").status_code == 404


# -- where they are found ----------------------------------------------------------------------------------------------
def test_the_files_of_a_version_are_browsed_and_packed(maria_page: Client, run: Run) -> None:
    html = maria_page.get("/models/churn/versions/1/artifacts").content.decode()
    for link in (
        "/models/churn/versions/1/artifacts/MLmodel",
        "/models/churn/1/archive.zip",
        "/models/churn/1/archive.tar.gz",
    ):
        assert f'href="{link}"' in html
    folder = maria_page.get("/models/churn/versions/1/artifacts/data").content.decode()
    assert 'href="/models/churn/1/archive.zip?path=data"' in folder
    assert "models:/churn/1/data" in folder
    answer = maria_page.get("/models/churn/versions/1/files/MLmodel")
    assert body_of(answer) == FILES["MLmodel"]
    assert maria_page.get("/models/churn/versions/1/artifacts/nothing").status_code == 404
    assert maria_page.get("/models/churn/versions/1/files/data/../MLmodel").status_code == 400


def test_whoever_may_read_the_model_browses_its_files_without_the_run(
    run: Run, page_client: Callable[[User], Client], settings: Settings
) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    kim = make_user("kim")
    grant(kim, Level.CAN_READ, RegisteredModel.objects.get())
    assert page_client(kim).get("/models/churn/versions/1/artifacts/MLmodel").status_code == 200
    assert page_client(kim).get(f"/runs/{run.run_id}/artifacts").status_code == 404


def test_folders_of_runs_have_a_button_that_downloads_them(maria_page: Client, run: Run) -> None:
    html = maria_page.get(f"/runs/{run.run_id}/artifacts/model").content.decode()
    assert f'href="/runs/{run.run_id}/archive.zip?path=model"' in html


# -- where signed addresses are made -----------------------------------------------------------------------------------
def test_the_page_offers_the_names_of_the_version_and_makes_an_address(
    maria_page: Client, stranger_page: Client, run: Run
) -> None:
    html = maria_page.get("/models/churn/versions/1/archive-link").content.decode()
    for called in ("1", "Staging", "@champion"):
        assert f'value="{called}"' in html
    made = maria_page.post(
        "/models/churn/versions/1/archive-link", {"called": "@champion", "format": "zip", "hours": "24"}
    ).content.decode()
    address = html_module.unescape(re.search(r'data-copy="([^"]*signature=[^"]*)"', made)[1])  # type: ignore[index]
    assert address.startswith("http://testserver/models/churn/@champion/archive.zip?signature=podium_")
    assert unzipped(stranger_page.get(address.removeprefix("http://testserver"))) == FILES
    assert "curl --fail -o model.zip" in made
    assert "storageUri" in made


@pytest.mark.parametrize("wrong", [{"called": "Production"}, {"format": "rar"}, {"hours": "1000"}])
def test_the_page_refuses_what_it_does_not_offer(maria_page: Client, run: Run, wrong: dict[str, str]) -> None:
    good = {"called": "1", "format": "zip", "hours": "1"}
    assert maria_page.post("/models/churn/versions/1/archive-link", good | wrong).status_code == 422


def test_the_api_makes_an_address_with_a_token_for_reading(eve: User, stranger_page: Client, run: Run) -> None:
    asked = {"version": "Staging", "archive": "zip", "seconds": "120"}
    answer = stranger_page.get("/api/v1/models/churn/archive-link", asked, headers=by_token(eve))
    assert answer.status_code == 200, answer.content
    assert set(answer.json()) == {"url", "expires_at"}
    assert unzipped(stranger_page.get(answer.json()["url"].removeprefix("http://testserver"))) == FILES


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({}, 400),
        ({"version": "1", "archive": "rar"}, 400),
        ({"version": "1", "seconds": "59"}, 400),
        ({"version": "1", "seconds": "604801"}, 400),
        ({"version": "9"}, 404),
        ({"version": "Production"}, 404),
    ],
)
def test_the_api_refuses(maria: User, stranger_page: Client, run: Run, asked: dict[str, str], status: int) -> None:
    answer = stranger_page.get("/api/v1/models/churn/archive-link", asked, headers=by_token(maria))
    assert answer.status_code == status
    assert answer.json()["message"]
