"""Odd names, broken uploads and stores that fail: the same words whether files lie in a folder or in a bucket."""

import io
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.artifacts.store import default_store
from registry_site.registry.manifests import work_on_manifests
from registry_site.registry.models import Manifest
from registry_site.registry.scans import work_on_scans
from tests.doors import Api
from tests.make import make_model, make_token
from tests.mlflow_api.flows import error_of
from tests.object_store import QUIET, ObjectStore, in_this_process
from tests.pages.registry_flows import words_of

pytestmark = [pytest.mark.django_db, *QUIET]

PROXY = "/api/2.0/mlflow-artifacts/artifacts"


@pytest.fixture(scope="module")
def running() -> Iterator[ObjectStore]:
    with in_this_process() as store:
        yield store


@pytest.fixture(params=["folder", "bucket"])
def store(
    request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch, artifact_root: Path
) -> str:
    """Where artifacts lie, as the settings say."""
    if request.param == "bucket":
        running: ObjectStore = request.getfixturevalue("running")
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        settings.PODIUM_ARTIFACT_ROOT = f"s3://{running.with_another_bucket().bucket}/podium"
    return settings.PODIUM_ARTIFACT_ROOT


@pytest.fixture
def run_id(api: Api, store: str) -> str:
    return api.post("runs/create", {"experiment_id": "0"}).json()["run"]["info"]["run_id"]


@pytest.fixture
def root(run_id: str) -> str:
    return f"{PROXY}/0/{run_id}/artifacts"


def content(answer: HttpResponse) -> bytes:
    return b"".join(answer.streaming_content)


def everything() -> list[str]:
    """Every file in the store."""
    return [entry.path for entry in default_store().walk()]


def names(api: Api, run_id: str, path: str = "") -> list[str]:
    files = api.get("artifacts/list", {"run_id": run_id, "path": path}).json().get("files", [])
    return [one["path"] for one in files]


# -- names -------------------------------------------------------------------------------------------------------------
ESCAPES = [
    "../x", "a/../../x", "..%2fx", "%2e%2e/x", "%2e%2e%2fx", "%252e%252e/x", "%252e%252e%252fx", "%25252e%25252e/x",
    ".%2e/x", "a/%2e%2e/%2e%2e/x", "a%5c..%5cx", "..%5cx", "%255c", "a%00b", "a%2500b", "/etc/passwd",
    "%2fetc%2fpasswd",    "a//b", "./x", "%2e/x", "file:///x", "s3://elsewhere/x", "http://127.0.0.1/x", "a%0d%0ab",
    "a/%2e%2e%2f%2e%2e%2fx",
]  # fmt: skip


@pytest.mark.parametrize("rest", ESCAPES)
def test_no_spelling_leads_out_of_a_run(api: Api, root: str, run_id: str, rest: str) -> None:
    default_store().write("x", io.BytesIO(b"secret"), length=6)
    default_store().write("0/x", io.BytesIO(b"secret"), length=6)
    before = everything()
    for method in ("PUT", "GET", "DELETE"):
        answer = api.raw(method, f"{root}/{rest}", b"x" if method == "PUT" else b"", "application/octet-stream")
        assert answer.status_code in (400, 404), (method, answer.status_code)
        assert "secret" not in str(answer.content)
    for query in ({"path": rest}, {"path": f"0/{run_id}/artifacts/{rest}"}):
        answer = api.get(PROXY, query)
        assert answer.status_code == 400 or not answer.json().get("files")
        assert api.get("/get-artifact", {"run_id": run_id, **query}).status_code in (400, 404)
        answer = api.get("artifacts/list", {"run_id": run_id, **query})
        assert answer.status_code == 400 or "files" not in answer.json()
    assert everything() == before


def test_names_end_at_255_bytes_whatever_letters_they_have(api: Api, root: str, run_id: str) -> None:
    for name in ("n" * 255, "ü" * 127 + "x", "☃" * 85):
        assert len(name.encode()) == 255
        assert api.put(f"{root}/{quote(name)}", name.encode()).status_code == 200
        assert content(api.get(f"{root}/{quote(name)}")) == name.encode()
        assert names(api, run_id) == [name]
        assert api.delete(f"{root}/{quote(name)}").status_code == 200
    for name in ("n" * 256, "ü" * 128):
        status, code, message = error_of(api.put(f"{root}/{quote(name)}", b"x"))
        assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
        assert message.endswith("a part of it is longer than 255 bytes.")


ODD = [
    "größe & co.txt", "数据/данные.csv", "🦊.bin", "100% sure?.txt", "a#b;c.txt", "e\u0301 and é", "\u202egnp.exe",
    " leading", "trailing ", "tab\there", "quote\"'.txt", "<b>.html", "=cmd()", "-rf", "~", "con.txt", ".hidden", "...",
]  # fmt: skip


def test_names_in_any_script_are_kept_as_they_are(api: Api, root: str, run_id: str, maria_page: Client) -> None:
    refused = []
    for name in ODD:
        answer = api.put(f"{root}/{quote(name)}", name.encode())
        if answer.status_code == 400:
            refused.append(name)
            continue
        assert content(api.get(f"{root}/{quote(name)}")) == name.encode()
        assert content(maria_page.get(f"/runs/{run_id}/files/{quote(name)}")) == name.encode()
        assert maria_page.get(f"/runs/{run_id}/artifacts/{quote(name)}").status_code == 200
    assert refused == ["tab\there"]
    kept = {name for name in ODD if name not in refused}
    assert set(names(api, run_id)) == {name.partition("/")[0] for name in kept}


def test_an_empty_file_is_a_file(api: Api, root: str, run_id: str, maria_page: Client) -> None:
    assert api.put(f"{root}/empty/none.txt", b"").status_code == 200
    answer = api.get(f"{root}/empty/none.txt")
    assert (answer.status_code, content(answer), answer.headers["Content-Length"]) == (200, b"", "0")
    listed = api.get("artifacts/list", {"run_id": run_id, "path": "empty"}).json()["files"]
    assert listed == [{"path": "empty/none.txt", "is_dir": False, "file_size": 0}]
    assert "This file is empty." in words_of(maria_page.get(f"/runs/{run_id}/artifacts/empty/none.txt"))


# -- uploads -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("announced", [0, 4, 50, 40 * 1024 * 1024])
def test_an_upload_of_another_length_than_announced_leaves_what_was_there(
    api: Api, maria: User, root: str, run_id: str, announced: int
) -> None:
    assert api.put(f"{root}/a.txt", b"before").status_code == 200
    headers = {"Authorization": f"Bearer {make_token(maria)}"}
    body = {"wsgi.input": io.BytesIO(b"after"), "CONTENT_LENGTH": str(announced)}
    answer = Client().generic("PUT", f"{root}/a.txt", headers=headers, **body)
    if announced > 5:
        status, code, message = error_of(answer)
        assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
        assert f"ended after 5 of {announced} bytes; nothing was kept. Send it again." in message
        assert content(api.get(f"{root}/a.txt")) == b"before"
    else:  # what follows is the next request's
        assert content(api.get(f"{root}/a.txt")) == b"after"[:announced]
    assert names(api, run_id) == ["a.txt"]


class Reset:
    """A connection that is reset after some bytes."""

    def __init__(self, content: bytes) -> None:
        self.content = io.BytesIO(content)

    def read(self, size: int, /) -> bytes:
        chunk = self.content.read(min(size, 4))
        if not chunk:
            raise ConnectionResetError(104, "Connection reset by peer")
        return chunk

    readline = read  # which Django looks for


@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "chunked"])
def test_an_upload_whose_connection_breaks_leaves_nothing(
    api: Api, maria: User, root: str, run_id: str, chunked: bool
) -> None:
    headers = {"Authorization": f"Bearer {make_token(maria)}"}
    framing = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True} if chunked else {}
    body = {"wsgi.input": Reset(b"half of it"), "CONTENT_LENGTH": "" if chunked else "50", **framing}
    assert error_of(Client().generic("PUT", f"{root}/a.txt", headers=headers, **body))[0] == 400
    assert names(api, run_id) == []
    assert everything() == []


@pytest.mark.parametrize("length", ["-1", "ten", "1e3", "5, 5", "99999999999999999999999"])
def test_a_length_that_is_no_number_is_refused(api: Api, maria: User, root: str, run_id: str, length: str) -> None:
    headers = {"Authorization": f"Bearer {make_token(maria)}"}
    body = {"wsgi.input": io.BytesIO(b"after"), "CONTENT_LENGTH": length}
    status, code, message = error_of(Client().generic("PUT", f"{root}/a.txt", headers=headers, **body))
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert message == f"The Content-Length '{length}' is no number of bytes."
    assert names(api, run_id) == []


# -- a folder only -----------------------------------------------------------------------------------------------------
def test_links_lead_nowhere_through_any_door(
    api: Api, maria_page: Client, maria_actor: Actor, artifact_root: Path, tmp_path: Path
) -> None:
    run_id = api.post("runs/create", {"experiment_id": "0"}).json()["run"]["info"]["run_id"]
    place = f"{PROXY}/0/{run_id}/artifacts"
    api.put(f"{place}/model/MLmodel", b"flavors: {python_function: {loader_module: x}}")
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "key.txt").write_text("secret")
    model = artifact_root / "0" / run_id / "artifacts" / "model"
    (model / "link.txt").symlink_to(secrets / "key.txt")
    (model / "folder").symlink_to(secrets)
    make_model(maria_actor)
    body = {"name": "churn", "source": f"runs:/{run_id}/model", "run_id": run_id}
    assert api.post("model-versions/create", body).status_code == 200
    while work_on_manifests() + work_on_scans():
        pass

    for path in ("link.txt", "folder/key.txt"):
        assert api.get(f"{place}/model/{path}").status_code == 404
        assert api.get("/get-artifact", {"run_id": run_id, "path": f"model/{path}"}).status_code == 404
        by_version = {"name": "churn", "version": "1", "path": path}
        assert api.get("/model-versions/get-artifact", by_version).status_code == 404
        assert maria_page.get(f"/runs/{run_id}/files/model/{path}").status_code == 404
        assert maria_page.get(f"/models/churn/versions/1/artifacts/{path}").status_code == 404
    assert names(api, run_id, "model") == ["model/MLmodel"]
    assert names(api, run_id, "model/folder") == []
    assert b"secret" not in content(maria_page.get("/models/churn/1/archive.zip"))
    manifest = Manifest.objects.get(model_version__isnull=False)
    assert list(manifest.files.values_list("path", flat=True)) == ["MLmodel"]


# -- a store that fails ------------------------------------------------------------------------------------------------
@contextmanager
def failing_store(status: int, code: str) -> Iterator[str]:
    """A store that answers every call with this error; its address."""

    class Answers(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer

        def log_message(self, format: str, *arguments: object) -> None:
            """Keeps quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def to_a_bucket(running: ObjectStore, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Artifacts lie in a bucket whose store a test chooses by `AWS_ENDPOINT_URL`."""
    for name, value in {**running.environment, "AWS_MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(name, value)
    settings.PODIUM_ARTIFACT_ROOT = f"s3://{running.with_another_bucket().bucket}/podium"
    return settings


@pytest.mark.parametrize(("status", "code"), [(507, "InsufficientStorage"), (400, "XMinioStorageFull")])
def test_a_full_bucket_is_a_507(
    api: Api, to_a_bucket: Settings, monkeypatch: pytest.MonkeyPatch, status: int, code: str
) -> None:
    run_id = api.post("runs/create", {"experiment_id": "0"}).json()["run"]["info"]["run_id"]
    with failing_store(status, code) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        to_a_bucket.PODIUM_ARTIFACT_ROOT = f"s3://full-{status}/podium"
        answer = api.put(f"{PROXY}/0/{run_id}/artifacts/model.bin", b"x" * 1000)
    assert error_of(answer) == (
        507,
        "RESOURCE_EXHAUSTED",
        f"The artifact store is full; nothing of 0/{run_id}/artifacts/model.bin was kept. "
        "Free some room and send it again.",
    )


@pytest.fixture
def version(api: Api, root: str, run_id: str, maria_actor: Actor) -> str:
    """Version 1 of churn, hashed and scanned; the id of the run that its files are in."""
    api.put(f"{root}/model/MLmodel", b"flavors: {python_function: {loader_module: x}}")
    api.put(f"{root}/model/model.txt", b"weights")
    make_model(maria_actor)
    body = {"name": "churn", "source": f"runs:/{run_id}/model", "run_id": run_id}
    assert api.post("model-versions/create", body).status_code == 200
    work()
    return run_id


def work() -> None:
    while work_on_manifests() + work_on_scans():
        pass


@pytest.fixture
def gone(version: str, store: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The same, when the whole store does not answer any more."""
    if not store.startswith("s3://"):
        Path(store).rename(f"{store} elsewhere")  # a file system that is not mounted
        yield version
        return
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        settings.PODIUM_ARTIFACT_ROOT = f"{store}-that-is-down"
        yield version


def test_a_store_that_does_not_answer_is_a_503_that_says_when_to_try_again(
    api: Api, root: str, gone: str, maria_page: Client
) -> None:
    for answer in (
        api.get(f"{root}/model/MLmodel"),
        api.put(f"{root}/late.txt", b"x"),
        api.get(PROXY, {"path": f"0/{gone}/artifacts"}),
        api.get("artifacts/list", {"run_id": gone}),
        api.get("/get-artifact", {"run_id": gone, "path": "model/MLmodel"}),
        api.get("/model-versions/get-artifact", {"name": "churn", "version": "1", "path": "MLmodel"}),
    ):
        status, code, message = error_of(answer)
        assert (status, code) == (503, "TEMPORARILY_UNAVAILABLE")
        assert answer.headers["Retry-After"] == "5"
        assert re.fullmatch(r"The artifact store does not work now \([\w ]+\); try again later\.", message)
    for url in (
        f"/runs/{gone}/artifacts",
        f"/runs/{gone}/artifacts/model/MLmodel",
        f"/runs/{gone}/files/model/MLmodel",
        "/models/churn/versions/1/artifacts",
        "/models/churn/1/archive.zip",
    ):
        answer = maria_page.get(url, headers={"Accept": "text/html"})
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5"), url
        assert "The artifact store does not work now" in words_of(answer, 503)
        assert "Try again" in words_of(answer, 503)
    assert api.delete(f"{root}/notes.txt").status_code == 503


def test_the_page_of_a_version_says_that_its_store_does_not_answer(gone: str, maria_page: Client) -> None:
    words = words_of(maria_page.get("/models/churn/versions/1"))
    assert "Files Cannot be reached The artifact store does not work now (" in words
    assert "Digest sha256:" in words
    assert words_of(maria_page.get("/models/churn")), "lists ask no store"
    with pytest.raises(CommandError, match=r"^churn version 1: The artifact store does not work now"):
        call_command("verify_artifacts")


def test_work_on_files_waits_for_a_store_that_does_not_answer(gone: str, api: Api) -> None:
    body = {"name": "churn", "source": f"runs:/{gone}/model", "run_id": gone}
    assert api.post("model-versions/create", body).status_code == 200
    assert work_on_manifests() + work_on_scans() == 2
    manifest = Manifest.objects.get(model_version__version=2)
    assert (manifest.state, manifest.attempts) == (Manifest.State.PENDING, 1)
    assert manifest.error.startswith("The artifact store does not work now")
    assert manifest.model_version is not None
    assert manifest.model_version.scan.verdict == ""


def test_what_went_away_behind_our_back_is_missed_by_page_check_and_command(
    version: str, api: Api, root: str, maria_page: Client
) -> None:
    place = f"0/{version}/artifacts/model"
    default_store().delete(f"{place}/model.txt")
    words = words_of(maria_page.get("/models/churn/versions/1"))
    assert "Files Not as registered" in words
    assert "Missing model.txt" in words
    default_store().delete(place)
    assert "Files Artifact missing" in words_of(maria_page.get("/models/churn/versions/1"))
    assert api.get(f"{root}/model/MLmodel").status_code == 404
    printed = io.StringIO()
    with pytest.raises(CommandError, match=r"^1 of 1 versions are not what was registered\.$"):
        call_command("verify_artifacts", stdout=printed)
    assert printed.getvalue().splitlines() == [
        "churn version 1: missing: MLmodel",
        "churn version 1: missing: model.txt",
    ]
    assert maria_page.post("/models/churn/versions/1/check").status_code in (200, 302)
    work()
    manifest = Manifest.objects.get(model_version__version=1)
    assert (manifest.is_intact, manifest.differences) == (False, {"missing": ["MLmodel", "model.txt"]})


def test_what_changed_behind_our_back_is_found_by_its_digest(version: str, maria_page: Client) -> None:
    default_store().write(f"0/{version}/artifacts/model/model.txt", io.BytesIO(b"WEIGHTS"), length=7)
    assert "As registered" in words_of(maria_page.get("/models/churn/versions/1")), "it is as long as it was"
    with pytest.raises(CommandError):
        call_command("verify_artifacts", "churn", "1", stdout=io.StringIO())
    words = words_of(maria_page.get("/models/churn/versions/1"))
    assert "Files Not as registered" in words
    assert "Changed model.txt" in words
