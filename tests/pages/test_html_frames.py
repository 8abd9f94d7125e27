"""HTML from strangers, shown in our pages: sealed off, from addresses at which no cookie counts."""

import html as html_module
import io
import re
from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.tracking import rules
from registry_site.tracking.artifact_files import write_artifact
from registry_site.tracking.logged_models import create_logged_model
from registry_site.tracking.models import ExperimentGrant, LoggedModel, Run
from tests.conftest import FrozenClock
from tests.make import make_run, make_version

CONTENT = b"<h1>Report</h1><script>top.location = 'https://elsewhere.example'</script>"
PATH = "model/a report #1.html"


def put(actor: Actor, owner: Run | LoggedModel, path: str, content: bytes = CONTENT) -> None:
    root = rules.storage_path(owner.artifact_uri, "")
    write_artifact(actor, f"{root}/{path}", io.BytesIO(content), length=len(content))


@pytest.fixture
def run(maria_actor: Actor) -> Run:
    run = make_run(maria_actor)
    put(maria_actor, run, PATH)
    return run


@pytest.fixture
def page_of_file(run: Run) -> str:
    return f"/runs/{run.run_id}/artifacts/model/a%20report%20%231.html"


def frame_of(page: Client, url: str) -> tuple[str, str]:
    """The frame's address and its sandbox."""
    answer = page.get(url)
    assert answer.status_code == 200, answer.content[:300]
    found = re.search(r'<iframe class="preview-frame" src="([^"]*)" sandbox="([^"]*)"', answer.content.decode())
    assert found is not None
    return html_module.unescape(found[1]), found[2]


def policy(page: Client, url: str, **headers: str) -> str:
    answer = page.get(url, headers=headers)
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == CONTENT
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert not answer.cookies
    return answer.headers["Content-Security-Policy"]


def test_its_scripts_do_not_run(maria_page: Client, stranger_page: Client, page_of_file: str) -> None:
    url, sandbox = frame_of(maria_page, page_of_file)
    assert sandbox == ""
    told = policy(stranger_page, url)
    assert told.startswith("sandbox; default-src 'none';")
    assert "script-src" not in told
    assert "frame-ancestors 'self'" in told


def test_its_scripts_run_in_an_origin_of_their_own_where_the_reader_wants_that(
    maria_page: Client, stranger_page: Client, page_of_file: str
) -> None:
    url, sandbox = frame_of(maria_page, f"{page_of_file}?scripts=1")
    assert sandbox == "allow-scripts"
    told = policy(stranger_page, url, **{"Sec-Fetch-Dest": "iframe"})
    assert told.startswith("sandbox allow-scripts; default-src 'none';")
    for never in ("allow-same-origin", "'self';", "allow-top-navigation", "allow-popups", "connect-src", "https:", "*"):
        assert never not in told
    assert policy(stranger_page, url, **{"Sec-Fetch-Dest": "document"}).startswith("sandbox;"), "not in its own window"


def test_the_files_own_address_never_shows_html(maria_page: Client, run: Run) -> None:
    answer = maria_page.get(f"/runs/{run.run_id}/files/model/a%20report%20%231.html?inline=1")
    assert b"".join(answer.streaming_content) == CONTENT
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Security-Policy"] == "sandbox"


def test_no_cookie_counts(
    maria_page: Client, page_of_file: str, eve: User, page_client: Callable[[User], Client], settings: Settings
) -> None:
    url, _ = frame_of(maria_page, page_of_file)
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    assert policy(page_client(eve), url), "in Maria's name, whoever else is signed in"
    assert maria_page.get(re.sub(r"podium_[^/]+", "podium_x", url)).status_code == 404, "and Maria's session is nothing"


def test_the_address_shows_that_file_only(
    maria_page: Client, stranger_page: Client, maria_actor: Actor, run: Run, page_of_file: str
) -> None:
    put(maria_actor, run, "other.html")
    url, _ = frame_of(maria_page, page_of_file)
    assert stranger_page.get(url.replace("model/a%20report%20%231.html", "other.html")).status_code == 404
    assert stranger_page.get(url.replace(run.run_id, "0" * 32)).status_code == 404


def test_the_address_ends_with_the_time_and_with_the_right(
    maria_page: Client, stranger_page: Client, page_of_file: str, frozen_clock: FrozenClock, settings: Settings
) -> None:
    url, _ = frame_of(maria_page, page_of_file)
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    assert policy(stranger_page, url)
    frozen_clock.advance(minutes=10)
    assert stranger_page.get(url).status_code == 404
    frozen_clock.advance(minutes=-10)
    ExperimentGrant.objects.all().delete()
    assert stranger_page.get(url).status_code == 404


def test_only_html_is_shown_so(maria_page: Client, maria_actor: Actor, run: Run) -> None:
    put(maria_actor, run, "notes.txt")
    assert "<iframe" not in maria_page.get(f"/runs/{run.run_id}/artifacts/notes.txt").content.decode()


def test_logged_models_and_versions_show_theirs(
    maria_page: Client, stranger_page: Client, maria_actor: Actor, run: Run
) -> None:
    model = create_logged_model(maria_actor, experiment_id=run.experiment_id, name="scorer", source_run_id=run.run_id)
    put(maria_actor, model, "report.html")
    make_version(maria_actor, "churn", run=run)
    for page in (
        f"/logged-models/{model.model_id}/artifacts/report.html",
        "/models/churn/versions/1/artifacts/a%20report%20%231.html",
    ):
        url, _ = frame_of(maria_page, page)
        assert policy(stranger_page, url)
