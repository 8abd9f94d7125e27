"""Artifacts in Google Cloud Storage and in Azure through every door: the same answers as with a folder or with S3."""

import socket
from urllib.parse import quote

import pytest
import requests
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.artifacts.store import default_store
from registry_site.core.errors import InvalidParameter, NotFound
from registry_site.registry.manifests import check, work_on_manifests
from registry_site.registry.services import create_version
from registry_site.tracking import artifact_files, services
from registry_site.tracking.models import Run
from tests.buckets import Bucket, Servers, made, servers
from tests.doors import Api
from tests.make import make_model, make_run
from tests.mlflow_api.flows import error_of
from tests.object_store import QUIET
from tests.pages.registry_flows import words_of

__all__ = ["servers"]  # a fixture
pytestmark = [pytest.mark.django_db, *QUIET]

PROXY = "/api/2.0/mlflow-artifacts"
PART = 5 * 1024 * 1024


@pytest.fixture(params=["gcs", "azure"])
def cloud(request: pytest.FixtureRequest, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    return made(servers, request.param, monkeypatch)


@pytest.fixture
def bucket(cloud: Bucket, settings: Settings) -> Bucket:
    """The bucket that artifacts lie in."""
    settings.PODIUM_ARTIFACT_ROOT = cloud.root
    return cloud


@pytest.fixture
def run_id(api: Api, bucket: Bucket) -> str:
    return api.post("runs/create", {"experiment_id": "0"}).json()["run"]["info"]["run_id"]


@pytest.fixture
def place(run_id: str) -> str:
    """The artifact root of a run, as a path of the proxy."""
    return f"0/{run_id}/artifacts"


def content(answer: HttpResponse) -> bytes:
    return b"".join(answer.streaming_content)


# -- the first store ---------------------------------------------------------------------------------------------------
NAMES = [
    "größe & co.txt", "данные.csv", "🦊.bin", "100% sure?.txt", "a#b;c.txt", "e\u0301 and é", " leading", "trailing ",
    "quote\"'.txt", "<b>.html", "~", "...", "%20.txt", "a+b=c&d.txt", "n" * 255, "☃" * 85,
]  # fmt: skip


def test_names_in_any_script_are_kept_as_they_are(
    api: Api, place: str, run_id: str, bucket: Bucket, maria_page: Client
) -> None:
    for name in NAMES:
        assert api.put(f"{PROXY}/artifacts/{place}/{quote(name)}", name.encode()).status_code == 200
        assert content(api.get(f"{PROXY}/artifacts/{place}/{quote(name)}")) == name.encode()
        assert content(maria_page.get(f"/runs/{run_id}/files/{quote(name)}")) == name.encode()
        address = api.get(f"{PROXY}/presigned/{place}/{quote(name)}").json()["url"]
        assert requests.get(address, timeout=30).content == name.encode()
    listed = api.get("artifacts/list", {"run_id": run_id}).json()["files"]
    assert {one["path"] for one in listed} == set(NAMES)
    assert sorted(bucket.names()) == sorted(f"podium/artifacts/{place}/{name}" for name in NAMES)
    words = words_of(maria_page.get(f"/runs/{run_id}/artifacts"))
    assert "größe & co.txt" in words


def test_a_range_of_a_file_comes_alone(api: Api, place: str, run_id: str, maria_page: Client) -> None:
    api.put(f"{PROXY}/artifacts/{place}/digits.txt", b"0123456789")
    answer = maria_page.get(f"/runs/{run_id}/files/digits.txt", headers={"Range": "bytes=3-5"})
    assert (answer.status_code, content(answer)) == (206, b"345")
    assert answer.headers["Content-Range"] == "bytes 3-5/10"


@pytest.mark.parametrize("rest", ["../x", "%2e%2e/x", "%252e%252e/x", "a%5c..%5cx", "gs://elsewhere/x", "a//b"])
def test_no_spelling_leads_out_of_a_run(api: Api, place: str, bucket: Bucket, rest: str) -> None:
    bucket.put("podium/artifacts/x", b"secret")
    bucket.put("podium/artifacts/0/x", b"secret")
    for method in ("PUT", "GET", "DELETE"):
        answer = api.raw(method, f"{PROXY}/artifacts/{place}/{rest}", b"x" if method == "PUT" else b"", "text/plain")
        assert answer.status_code in (400, 404)
        assert "secret" not in str(answer.content)
    assert bucket.names() == ["podium/artifacts/0/x", "podium/artifacts/x"]


def test_a_large_file_goes_past_this_server_in_parts(api: Api, place: str, bucket: Bucket) -> None:
    info = api.get("/api/3.0/mlflow/server-info").json()
    assert info["multipart_uploads_enabled"]
    assert info["multipart_downloads_enabled"]
    contents = [b"a" * PART, b"the end"]
    started = api.post(f"{PROXY}/mpu/create/{place}/model", {"path": "/tmp/weights.bin", "num_parts": 2}).json()
    parts = []
    for credential, part in zip(started["credentials"], contents, strict=True):  # as MLflow's clients do it
        answer = requests.put(credential["url"], data=part, headers=credential["headers"], timeout=30)
        answer.raise_for_status()
        etag = answer.headers.get("ETag", "")
        parts.append({"part_number": credential["part_number"], "etag": etag, "url": credential["url"]})
    whole = {"path": "/tmp/weights.bin", "upload_id": started["upload_id"], "parts": parts}
    assert bucket.names() == [] or "weights.bin" not in str(bucket.names())
    assert api.post(f"{PROXY}/mpu/complete/{place}/model", whole).status_code == 200
    assert content(api.get(f"{PROXY}/artifacts/{place}/model/weights.bin")) == b"".join(contents)
    status, code, message = error_of(api.post(f"{PROXY}/mpu/complete/{place}/model", whole))
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert "cannot be completed" in message


def test_parts_that_arrive_after_a_version_was_made_change_nothing(
    api: Api, place: str, run_id: str, bucket: Bucket, maria_actor: Actor
) -> None:
    api.put(f"{PROXY}/artifacts/{place}/model/weights.bin", b"registered")
    upload = {"path": "weights.bin", "num_parts": 1}
    started = api.post(f"{PROXY}/mpu/create/{place}/model", upload).json()
    make_model(maria_actor)
    version = create_version(maria_actor, name="churn", source=f"runs:/{run_id}/model")
    while work_on_manifests():
        pass
    address = started["credentials"][0]["url"]
    answer = requests.put(address, b"late", timeout=30)
    parts = [{"part_number": 1, "etag": answer.headers.get("ETag", "")}]
    late = {"path": "weights.bin", "upload_id": started["upload_id"], "parts": parts}
    assert error_of(api.post(f"{PROXY}/mpu/complete/{place}/model", late))[0] == 409
    assert content(api.get(f"{PROXY}/artifacts/{place}/model/weights.bin")) == b"registered"
    assert check(version.manifest).holds


def test_without_anything_to_sign_with_the_plain_ways_are_left(
    api: Api, servers: Servers, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = made(servers, "gcs", monkeypatch)
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    settings.PODIUM_ARTIFACT_ROOT = bucket.named("plain")
    run_id = api.post("runs/create", {"experiment_id": "0"}).json()["run"]["info"]["run_id"]
    info = api.get("/api/3.0/mlflow/server-info").json()
    assert not info["multipart_uploads_enabled"]
    upload = {"path": "a", "num_parts": 1}
    status, code, message = error_of(api.post(f"{PROXY}/mpu/create/0/{run_id}/artifacts", upload))
    assert (status, code) == (501, "NOT_IMPLEMENTED")
    assert message.startswith("Multipart upload is not supported for the current artifact repository")


def test_a_store_that_does_not_answer_is_a_503(
    api: Api, place: str, run_id: str, bucket: Bucket, settings: Settings, monkeypatch: pytest.MonkeyPatch,
    maria_page: Client,
) -> None:  # fmt: skip
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        for name, value in bucket.at(f"http://127.0.0.1:{taken.getsockname()[1]}").items():
            monkeypatch.setenv(name, value)
        settings.PODIUM_ARTIFACT_ROOT = bucket.named("down")
        answer = api.get("artifacts/list", {"run_id": run_id})
        assert error_of(answer)[:2] == (503, "TEMPORARILY_UNAVAILABLE")
        assert answer.headers["Retry-After"] == "5"
        page = maria_page.get(f"/runs/{run_id}/files/a.txt", headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
        assert "The artifact store does not work now" in words_of(page, 503)


def test_what_went_away_behind_our_back_is_not_found(api: Api, place: str, run_id: str, maria_page: Client) -> None:
    api.put(f"{PROXY}/artifacts/{place}/model/a.txt", b"x")
    default_store().delete(f"{place}/model/a.txt")
    assert error_of(api.get(f"{PROXY}/artifacts/{place}/model/a.txt"))[:2] == (404, "RESOURCE_DOES_NOT_EXIST")
    assert error_of(api.get(f"{PROXY}/presigned/{place}/model/a.txt"))[0] == 404
    assert maria_page.get(f"/runs/{run_id}/artifacts/model/a.txt").status_code == 404


# -- a further store, where clients write by themselves ----------------------------------------------------------------
@pytest.fixture
def shared(cloud: Bucket, settings: Settings) -> str:
    """A place that clients write to by themselves; Podium's own artifacts lie in a folder."""
    settings.PODIUM_ARTIFACT_STORES = [cloud.named("shared")]
    return cloud.named("shared")


@pytest.fixture
def run(maria_actor: Actor, cloud: Bucket, shared: str) -> Run:
    """A run of Maria's whose files a client wrote by itself."""
    experiment = services.create_experiment(maria_actor, name="churn", artifact_location=f"{shared}/churn")
    found = make_run(maria_actor, experiment=experiment)
    key = found.artifact_uri.removeprefix(shared)
    cloud.put(f"shared{key}/model/MLmodel", b"flavors: {python_function: {loader_module: x}}")
    cloud.put(f"shared{key}/by region/größe & co.txt", b"hello")
    return found


def test_files_that_clients_wrote_are_browsed_and_downloaded(
    api: Api, run: Run, shared: str, maria_page: Client, maria_actor: Actor, eve: User, settings: Settings
) -> None:
    assert run.artifact_uri == f"{shared}/churn/{run.run_id}/artifacts"
    listed = api.get("artifacts/list", {"run_id": run.run_id}).json()
    assert listed["root_uri"] == run.artifact_uri
    assert [one["path"] for one in listed["files"]] == ["by region", "model"]
    path = "by region/größe & co.txt"
    assert content(api.get("/get-artifact", {"run_id": run.run_id, "path": path})) == b"hello"
    assert "hello" in words_of(maria_page.get(f"/runs/{run.run_id}/artifacts/{quote(path)}"))
    make_model(maria_actor, "churn")
    create_version(maria_actor, name="churn", source=f"{run.artifact_uri}/model")
    assert "python_function" in words_of(maria_page.get("/models/churn/versions/1"))
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    assert error_of(api.as_(eve).get("/get-artifact", {"run_id": run.run_id, "path": path}))[0] == 404


def test_a_client_without_keys_is_given_addresses_to_write_and_read(api: Api, run: Run) -> None:
    body = {"run_id": run.run_id, "path": "late/größe.txt"}
    put_at = api.post("artifacts/presigned-upload-url", body).json()
    requests.put(put_at["presigned_url"], data=b"late", headers=put_at["headers"], timeout=30).raise_for_status()
    read_at = api.post("artifacts/presigned-download-url", body).json()
    assert (read_at["file_size"], requests.get(read_at["presigned_url"], timeout=30).content) == (4, b"late")


@pytest.mark.parametrize(
    "trick",
    [
        "{root}-evil/churn", "{root}evil", "{root}/../secret", "{root}/%2e%2e/secret", "{root}/%252e%252e/secret",
        "{root}//churn", "{root}/./churn", "{root}/churn?x=1", "{root}/churn#x", "{root}/a@b", "{bucket}", "{bucket}/",
        "{bucket}/other", "x{root}/churn", "{upper}/churn", "wasbs://models@evil.blob.core.windows.net/shared/churn",
    ],
)  # fmt: skip
def test_nothing_outside_of_the_prefix_is_opened(maria_actor: Actor, cloud: Bucket, shared: str, trick: str) -> None:
    location = trick.format(root=shared, bucket=shared.removesuffix("/shared"), upper=shared.upper())
    with pytest.raises(InvalidParameter, match=r"^Invalid artifact_location"):
        services.create_experiment(maria_actor, name="evil", artifact_location=location)
    # rows of old may say anything: they were written when the prefix was another, or imported
    run = make_run(maria_actor)
    Run.objects.filter(pk=run.pk).update(artifact_uri=f"{location}/{run.run_id}/artifacts")
    for prefix in ("secret", "shared-evil/churn", "sharedevil", "other", "shared//churn", "churn"):
        cloud.put(f"{prefix}/{run.run_id}/artifacts/notes.txt", b"secret")
    if not {*"?#@"} & {*trick.partition("{root}")[2]}:  # which are letters of keys, inside
        with pytest.raises((NotFound, InvalidParameter)):
            artifact_files.run_artifacts(maria_actor, run.run_id)
        with pytest.raises((NotFound, InvalidParameter)):
            artifact_files.open_stored(artifact_files.resolve_run_artifact(maria_actor, run.run_id, "notes.txt"))
