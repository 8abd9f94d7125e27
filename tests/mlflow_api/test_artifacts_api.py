"""Artifacts over the protocol: uploads, downloads, ranges, listings, and what is refused."""

from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import pytest
from django.http import HttpResponse
from django.test import Client

from registry_site.accounts.models import User
from tests.doors import Api
from tests.make import make_token
from tests.mlflow_api.flows import error_of

pytestmark = pytest.mark.django_db

PROXY = "/api/2.0/mlflow-artifacts/artifacts"


@pytest.fixture
def run_id(api: Api) -> str:
    return api.post("runs/create", {"experiment_id": "0"}).json()["run"]["info"]["run_id"]


@pytest.fixture
def root(run_id: str) -> str:
    return f"{PROXY}/0/{run_id}/artifacts"


def content(answer: HttpResponse) -> bytes:
    return b"".join(answer.streaming_content)


def get(maria: User, path: str, **headers: str) -> HttpResponse:
    return Client().get(path, headers={"Authorization": f"Bearer {make_token(maria)}", **headers})


def test_what_is_put_is_got_back_as_an_attachment(api: Api, root: str) -> None:
    stored = api.put(f"{root}/model/MLmodel", b"flavors: {}")
    assert (stored.status_code, stored.content) == (200, b"")
    answer = api.get(f"{root}/model/MLmodel")

    assert (answer.status_code, content(answer)) == (200, b"flavors: {}")
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="MLmodel"'
    assert answer.headers["Content-Length"] == "11"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox"


def test_a_head_request_gets_the_headers_of_the_file_and_no_body(api: Api, maria: User, root: str) -> None:
    api.put(f"{root}/a.txt", b"0123456789")
    answer = Client().head(f"{root}/a.txt", headers={"Authorization": f"Bearer {make_token(maria)}"})
    assert (answer.status_code, answer.headers["Content-Length"], answer.content) == (200, "10", b"")


@pytest.mark.parametrize("content_type", ["text/html", "application/json", "multipart/form-data; boundary=x", ""])
def test_every_content_type_is_only_bytes(api: Api, root: str, content_type: str) -> None:
    assert api.raw("PUT", f"{root}/a.bin", b"{not json", content_type).status_code == 200
    assert content(api.get(f"{root}/a.bin")) == b"{not json"


def test_names_with_blanks_and_other_scripts_and_empty_files(api: Api, root: str) -> None:
    path = f"{root}/{quote('ação 100% + größe.txt')}"
    assert api.put(path, b"").status_code == 200
    answer = api.get(path)
    assert (answer.status_code, content(answer)) == (200, b"")
    assert (
        "filename*=UTF-8''a%C3%A7%C3%A3o%20100%25%20%2B%20gr%C3%B6%C3%9Fe.txt" in answer.headers["Content-Disposition"]
    )


def test_a_chunked_upload_ends_where_the_web_server_says(api: Api, maria: User, root: str) -> None:
    chunked = {
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": BytesIO(b"x" * 3_000_000),
        "wsgi.input_terminated": True,
    }
    headers = {"Authorization": f"Bearer {make_token(maria)}"}
    assert Client().generic("PUT", f"{root}/big.bin", headers=headers, **chunked).status_code == 200
    assert len(content(api.get(f"{root}/big.bin"))) == 3_000_000

    answer = Client().generic("PUT", f"{root}/big.bin", headers=headers, **chunked | {"wsgi.input_terminated": False})
    assert error_of(answer) == (
        400, "INVALID_PARAMETER_VALUE", "This web server takes no chunked uploads: send the Content-Length."
    )  # fmt: skip


def test_an_upload_that_breaks_off_leaves_what_was_there(api: Api, maria: User, root: str) -> None:
    api.put(f"{root}/a.txt", b"before")
    headers = {"Authorization": f"Bearer {make_token(maria)}"}
    short = {"wsgi.input": BytesIO(b"after"), "CONTENT_LENGTH": "50"}
    assert error_of(Client().generic("PUT", f"{root}/a.txt", headers=headers, **short))[0] == 400
    assert content(api.get(f"{root}/a.txt")) == b"before"


@pytest.mark.parametrize(
    ("header", "status", "body", "content_range"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=8-100", 206, b"89", "bytes 8-9/10"),
        ("bytes=-100", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=0-1,3-4", 200, b"0123456789", None),
        ("bytes=3-1", 200, b"0123456789", None),
        ("lines=1-2", 200, b"0123456789", None),
    ],
)
def test_ranges(
    api: Api, maria: User, root: str, header: str, status: int, body: bytes, content_range: str | None
) -> None:
    api.put(f"{root}/digits.txt", b"0123456789")
    answer = get(maria, f"{root}/digits.txt", Range=header)
    assert (answer.status_code, content(answer)) == (status, body)
    assert answer.headers.get("Content-Range") == content_range
    assert answer.headers["Content-Length"] == str(len(body))


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=-0", "bytes=99-100"])
def test_a_range_behind_the_end(api: Api, maria: User, root: str, header: str) -> None:
    api.put(f"{root}/digits.txt", b"0123456789")
    answer = get(maria, f"{root}/digits.txt", Range=header)
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == "bytes */10"


def test_listings_have_names_only_and_are_empty_for_what_is_not_there(api: Api, run_id: str, root: str) -> None:
    api.put(f"{root}/model/MLmodel", b"12")
    api.put(f"{root}/model/data/x", b"1")
    place = f"0/{run_id}/artifacts"

    assert api.get(PROXY, {"path": f"{place}/model"}).json() == {
        "files": [{"path": "MLmodel", "is_dir": False, "file_size": 2}, {"path": "data", "is_dir": True}]
    }
    for empty in (f"{place}/none", f"{place}/model/MLmodel", "", "0", "0/none/artifacts"):
        assert api.get(PROXY, {"path": empty}).json() == {}
    for evil in ("../", "/etc", "0/../..", "%2e%2e/x"):
        assert error_of(api.get(PROXY, {"path": evil}))[0] == 400


def test_missing_files_and_folders(api: Api, root: str) -> None:
    api.put(f"{root}/model/MLmodel", b"12")
    status, code, _ = error_of(api.get(f"{root}/registered_model_meta"))
    assert (status, code) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert error_of(api.get(f"{root}/model"))[:2] == (400, "INVALID_PARAMETER_VALUE")
    assert error_of(api.put(f"{root}/model", b"x"))[0] == 409
    assert error_of(api.put(f"{root}/model/MLmodel/x", b"x"))[0] == 409


def test_deletes_are_repeatable_and_stay_below_the_root(api: Api, root: str) -> None:
    api.put(f"{root}/model/MLmodel", b"12")
    for path in (root, PROXY + "/0", PROXY + "/.", PROXY + "/%2e", PROXY + "/0/%2e%2e/x", PROXY + "/x/"):
        assert error_of(api.delete(path))[0] in (400, 404)
    assert content(api.get(f"{root}/model/MLmodel")) == b"12"
    for _ in range(2):
        answer = api.delete(f"{root}/model")
        assert (answer.status_code, answer.json()) == (200, {})
    assert error_of(api.get(f"{root}/model/MLmodel"))[0] == 404


@pytest.mark.parametrize("rest", ["..%2fx", "%2e%2e/x", "%252e%252e/x", "a%5cb", "a%00b", "/etc/passwd", "file:///x"])
def test_paths_that_lead_out_are_refused(api: Api, root: str, artifact_root: Path, rest: str) -> None:
    for answer in (api.put(f"{root}/{rest}", b"x"), api.get(f"{root}/{rest}"), api.delete(f"{root}/{rest}")):
        assert error_of(answer)[:2] == (400, "INVALID_PARAMETER_VALUE")
    assert [file for file in artifact_root.rglob("*") if file.is_file()] == []


def test_a_run_lists_and_serves_its_artifacts_by_paths_below_its_root(api: Api, run_id: str, root: str) -> None:
    api.put(f"{root}/plots/a.png", b"png")
    listing = api.get("artifacts/list", {"run_id": run_id, "path": "plots"}).json()
    assert listing == {
        "root_uri": f"mlflow-artifacts:/0/{run_id}/artifacts",
        "files": [{"path": "plots/a.png", "is_dir": False, "file_size": 3}],
    }
    assert "files" not in api.get("artifacts/list", {"run_id": run_id, "path": "none"}).json()
    answer = api.get("/get-artifact", {"run_id": run_id, "path": "plots/a.png"})
    assert (content(answer), answer.headers["Content-Type"]) == (b"png", "image/png")
    assert error_of(api.get("/get-artifact", {"run_id": run_id}))[0] == 400
    assert error_of(api.get("/get-artifact", {"run_id": run_id, "path": "../x"}))[0] == 400
    assert error_of(api.get("/get-artifact", {"run_id": "none", "path": "x"}))[0] == 404
    assert error_of(api.get("artifacts/list", {"run_id": "none"}))[0] == 404


def test_a_logged_model_lists_and_serves_its_artifacts(api: Api) -> None:
    model = api.post("logged-models", {"experiment_id": "0", "name": "m"}).json()["model"]["info"]
    api.put(f"{PROXY}/0/models/{model['model_id']}/artifacts/MLmodel", b"12")
    path = f"logged-models/{model['model_id']}/artifacts"

    assert api.get(f"{path}/directories").json() == {
        "root_uri": model["artifact_uri"],
        "files": [{"path": "MLmodel", "is_dir": False, "file_size": 2}],
    }
    assert content(api.get(f"{path}/files", {"artifact_file_path": "MLmodel"})) == b"12"


def test_transfers_past_this_server_are_not_offered(api: Api, run_id: str, root: str) -> None:
    api.put(f"{root}/a.txt", b"x")
    place = f"0/{run_id}/artifacts"
    for answer in (
        api.post(f"/api/2.0/mlflow-artifacts/mpu/create/{place}", {"path": "x", "num_parts": 1}),
        api.get(f"/api/2.0/mlflow-artifacts/presigned/{place}/a.txt"),
        api.post("artifacts/presigned-download-url", {"run_id": run_id, "path": "a.txt"}),
    ):
        assert error_of(answer)[:2] == (501, "NOT_IMPLEMENTED")


def test_a_stranger_gets_401_everywhere(anonymous_api: Api, run_id: str, root: str) -> None:
    for answer in (
        anonymous_api.get(f"{root}/a.txt"),
        anonymous_api.put(f"{root}/a.txt", b"x"),
        anonymous_api.delete(f"{root}/a.txt"),
        anonymous_api.get(PROXY, {"path": f"0/{run_id}/artifacts"}),
        anonymous_api.get("artifacts/list", {"run_id": run_id}),
        anonymous_api.get("/get-artifact", {"run_id": run_id, "path": "a.txt"}),
        anonymous_api.post("/api/2.0/mlflow-artifacts/mpu/create/0/x", {}),
    ):
        assert error_of(answer)[:2] == (401, "UNAUTHENTICATED")
