"""Large files pass by this server: clients get signed addresses of the bucket, where they may read or write."""

from collections.abc import Iterator

import pytest
import requests
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.tracking.grants import set_grant
from tests.doors import Api
from tests.mlflow_api.flows import error_of
from tests.object_store import QUIET, ObjectStore, in_this_process

pytestmark = [pytest.mark.django_db, *QUIET]

PROXY = "/api/2.0/mlflow-artifacts"
PART = 5 * 1024 * 1024  # the least that a store takes for a part that is not the last


@pytest.fixture(scope="module")
def running() -> Iterator[ObjectStore]:
    with in_this_process() as store:
        yield store


@pytest.fixture
def bucket(running: ObjectStore, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """The bucket that artifacts lie in."""
    for name, value in running.environment.items():
        monkeypatch.setenv(name, value)
    store = running.with_another_bucket()
    settings.PODIUM_ARTIFACT_ROOT = f"s3://{store.bucket}/podium"
    return store


@pytest.fixture
def place(api: Api) -> str:
    """The artifact root of a run, as a path of the proxy."""
    uri = api.post("runs/create", {"experiment_id": "0"}).json()["run"]["info"]["artifact_uri"]
    return uri.removeprefix("mlflow-artifacts:/")


def start(api: Api, folder: str, *, parts: int = 2, path: str = "/data/weights.bin") -> dict[str, object]:
    answer = api.post(f"{PROXY}/mpu/create/{folder}", {"path": path, "num_parts": parts})
    assert answer.status_code == 200, answer.content
    return answer.json()


def put_parts(started: dict[str, object], contents: list[bytes]) -> list[dict[str, object]]:
    done = []
    for credential, content in zip(started["credentials"], contents, strict=True):
        answer = requests.put(credential["url"], data=content, headers=credential["headers"], timeout=30)
        assert answer.status_code == 200, answer.text
        done.append({"part_number": credential["part_number"], "etag": answer.headers["ETag"], "url": ""})
    return done


def body_of(started: dict[str, object], **more: object) -> dict[str, object]:
    return {"path": "/data/weights.bin", "upload_id": started["upload_id"], **more}


def server_info(api: Api) -> list[bool]:
    info = api.get("/api/3.0/mlflow/server-info").json()
    return [
        info[f"{key}"]
        for key in (
            "multipart_uploads_enabled",
            "multipart_downloads_enabled",
            "presigned_upload_run_id_supported",
            "presigned_upload_model_id_supported",
        )
    ]


def test_clients_are_told_what_is_offered(
    api: Api, bucket: ObjectStore, settings: Settings, artifact_root: str
) -> None:
    assert server_info(api) == [True] * 4
    settings.PODIUM_DIRECT_TRANSFERS = False
    assert server_info(api) == [False] * 4
    settings.PODIUM_DIRECT_TRANSFERS = True
    settings.PODIUM_ARTIFACT_ROOT = str(artifact_root)
    assert server_info(api) == [False] * 4
    settings.PODIUM_ARTIFACT_STORES = [f"s3://{bucket.bucket}/elsewhere"]
    assert server_info(api) == [False, False, True, True]


def test_a_large_file_is_put_in_parts_and_is_there_when_it_is_complete(
    api: Api, bucket: ObjectStore, place: str
) -> None:
    started = start(api, f"{place}/model")
    parts = put_parts(started, [b"a" * PART, b"the rest"])
    assert api.get(f"{PROXY}/artifacts", {"path": f"{place}/model"}).json() == {}

    answer = api.post(f"{PROXY}/mpu/complete/{place}/model", body_of(started, parts=parts))
    assert (answer.status_code, answer.json()) == (200, {})
    assert api.get(f"{PROXY}/artifacts", {"path": f"{place}/model"}).json() == {
        "files": [{"path": "weights.bin", "is_dir": False, "file_size": PART + 8}]
    }
    assert bucket.names() == [f"podium/{place}/model/weights.bin"]


def test_a_presigned_address_serves_ranges_of_the_file_as_something_to_be_saved(
    api: Api, bucket: ObjectStore, place: str
) -> None:
    api.put(f"{PROXY}/artifacts/{place}/größe 1.html", b"<p>0123456789")
    answer = api.get(f"{PROXY}/presigned/{place}/größe 1.html").json()
    assert answer["file_size"] == 13
    got = requests.get(answer["url"], headers={**answer["headers"], "Range": "bytes=3-5"}, timeout=30)
    assert (got.status_code, got.content) == (206, b"012")
    whole = requests.get(answer["url"], timeout=30)
    assert whole.headers["Content-Type"] == "application/octet-stream"
    assert whole.headers["Content-Disposition"].startswith("attachment; filename=")
    assert "X-Amz-Expires=900" in answer["url"]


def test_an_empty_file_has_a_presigned_address_too(api: Api, bucket: ObjectStore, place: str) -> None:
    api.put(f"{PROXY}/artifacts/{place}/empty.txt", b"")
    answer = api.get(f"{PROXY}/presigned/{place}/empty.txt").json()
    assert answer["file_size"] == 0
    assert requests.get(answer["url"], timeout=30).content == b""


def test_what_is_not_there_and_folders_have_no_address(api: Api, bucket: ObjectStore, place: str) -> None:
    api.put(f"{PROXY}/artifacts/{place}/model/a.txt", b"x")
    assert error_of(api.get(f"{PROXY}/presigned/{place}/none.txt"))[:2] == (404, "RESOURCE_DOES_NOT_EXIST")
    assert error_of(api.get(f"{PROXY}/presigned/{place}/model"))[:2] == (400, "INVALID_PARAMETER_VALUE")


def test_an_aborted_upload_leaves_nothing(api: Api, bucket: ObjectStore, place: str) -> None:
    started = start(api, place)
    put_parts(started, [b"a" * PART, b"b"])
    for _ in range(2):
        answer = api.post(f"{PROXY}/mpu/abort/{place}", body_of(started))
        assert (answer.status_code, answer.json()) == (200, {})
    assert bucket.client.list_multipart_uploads(Bucket=bucket.bucket).get("Uploads", []) == []
    assert api.get(f"{PROXY}/artifacts", {"path": place}).json() == {}


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [{"part_number": 0, "etag": "x"}],
        [{"part_number": 2, "etag": "x"}, {"part_number": 1, "etag": "x"}],
        [{"part_number": 1, "etag": "x"}, {"part_number": 1, "etag": "x"}],
        [{"part_number": 10_001, "etag": "x"}],
        [{"part_number": 7, "etag": '"never-uploaded"'}],
    ],
)
def test_parts_that_are_not_those_of_the_upload_are_refused(
    api: Api, bucket: ObjectStore, place: str, parts: list[dict[str, object]]
) -> None:
    started = start(api, place)
    answer = api.post(f"{PROXY}/mpu/complete/{place}", body_of(started, parts=parts))
    assert error_of(answer)[:2] == (400, "INVALID_PARAMETER_VALUE")
    assert "parts" in answer.json()["message"] or "cannot be completed (InvalidPart)" in answer.json()["message"]
    assert api.get(f"{PROXY}/artifacts", {"path": place}).json() == {}


@pytest.mark.parametrize("count", [0, -1, 10_001])
def test_the_number_of_parts_has_limits(api: Api, bucket: ObjectStore, place: str, count: int) -> None:
    answer = api.post(f"{PROXY}/mpu/create/{place}", {"path": "a.bin", "num_parts": count})
    assert error_of(answer) == (
        400, "INVALID_PARAMETER_VALUE", f"num_parts is {count}; an upload has 1 to 10000 parts."
    )  # fmt: skip


def test_only_the_name_of_the_client_s_own_path_counts(api: Api, bucket: ObjectStore, place: str) -> None:
    for path in ("C:\\Users\\maria\\weights.bin", "../../weights.bin", "weights.bin"):
        started = start(api, place, parts=1, path=path)
        parts = put_parts(started, [b"x"])
        assert api.post(f"{PROXY}/mpu/complete/{place}", body_of(started, parts=parts)).status_code == 200
    assert bucket.names() == [f"podium/{place}/weights.bin"]
    for path in ("", "a/..", "a/", "..", "a\0b"):
        answer = api.post(f"{PROXY}/mpu/create/{place}", {"path": path, "num_parts": 1})
        assert error_of(answer)[:2] == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("folder", ["..%2f..", "%2e%2e", "a%5cb", "%252e%252e/x", "s3://bucket/x"])
def test_no_address_leads_out_of_the_run(api: Api, bucket: ObjectStore, place: str, folder: str) -> None:
    upload = {"path": "a", "upload_id": "u", "parts": [{"part_number": 1, "etag": "e"}]}
    for answer in (
        api.post(f"{PROXY}/mpu/create/{place}/{folder}", upload),
        api.post(f"{PROXY}/mpu/complete/{place}/{folder}", upload),
        api.post(f"{PROXY}/mpu/abort/{place}/{folder}", upload),
        api.get(f"{PROXY}/presigned/{place}/{folder}/a"),
        api.post("artifacts/presigned-download-url", {"run_id": place.split("/")[1], "path": f"../{folder}"}),
    ):
        assert error_of(answer)[0] == 400
    assert bucket.client.list_multipart_uploads(Bucket=bucket.bucket).get("Uploads", []) == []


def test_who_may_not_write_gets_no_address_to_write_to_and_who_may_not_read_none_at_all(
    api: Api, bucket: ObjectStore, maria_actor: Actor, jon: User, eve: User, settings: Settings
) -> None:
    experiment = api.post("experiments/create", {"name": "secret"}).json()["experiment_id"]
    uri = api.post("runs/create", {"experiment_id": experiment}).json()["run"]["info"]["artifact_uri"]
    place = uri.removeprefix("mlflow-artifacts:/")
    api.put(f"{PROXY}/artifacts/{place}/a.txt", b"x")
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    set_grant(maria_actor, experiment_id=experiment, username="jon", level=Level.CAN_READ)
    started = start(api, place)

    def calls(of: Api) -> list[tuple[int, str]]:
        return [
            error_of(answer)[:2] if answer.status_code != 200 else (200, "")
            for answer in (
                of.post(f"{PROXY}/mpu/create/{place}", {"path": "a", "num_parts": 1}),
                of.post(f"{PROXY}/mpu/complete/{place}", body_of(started, parts=[{"part_number": 1, "etag": "e"}])),
                of.post(f"{PROXY}/mpu/abort/{place}", body_of(started)),
                of.get(f"{PROXY}/presigned/{place}/a.txt"),
            )
        ]

    forbidden, unknown = (403, "PERMISSION_DENIED"), (404, "RESOURCE_DOES_NOT_EXIST")
    assert calls(api.as_(jon)) == [forbidden] * 3 + [(200, "")]
    assert calls(api.as_(eve)) == [unknown] * 4


def test_where_the_bucket_cannot_be_reached_the_plain_ways_are_left(
    api: Api, bucket: ObjectStore, place: str, settings: Settings
) -> None:
    settings.PODIUM_DIRECT_TRANSFERS = False
    api.put(f"{PROXY}/artifacts/{place}/a.txt", b"x")
    status, code, message = error_of(api.post(f"{PROXY}/mpu/create/{place}", {"path": "a", "num_parts": 1}))
    assert (status, code) == (501, "NOT_IMPLEMENTED")
    # the words by which MLflow's clients know that they must send the file as a whole
    assert message.startswith("Multipart upload is not supported for the current artifact repository")
    assert error_of(api.get(f"{PROXY}/presigned/{place}/a.txt"))[:2] == (501, "NOT_IMPLEMENTED")


def test_addresses_carry_the_host_under_which_clients_know_the_store(
    api: Api, running: ObjectStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in running.environment.items():
        monkeypatch.setenv(name, value)
    settings.PODIUM_ARTIFACT_ROOT = f"s3://{running.bucket}/public"
    settings.PODIUM_STORE_PUBLIC_URL = "https://store.example.org"
    uri = api.post("runs/create", {"experiment_id": "0"}).json()["run"]["info"]["artifact_uri"]
    place = uri.removeprefix("mlflow-artifacts:/")
    api.put(f"{PROXY}/artifacts/{place}/a.txt", b"x")
    for url in (
        api.get(f"{PROXY}/presigned/{place}/a.txt").json()["url"],
        start(api, place, parts=1)["credentials"][0]["url"],
    ):
        assert url.startswith(f"https://store.example.org/{running.bucket}/public/{place}/")


def test_a_run_s_file_has_an_address_by_the_run_s_id(api: Api, bucket: ObjectStore, place: str) -> None:
    run_id = place.split("/")[1]
    api.put(f"{PROXY}/artifacts/{place}/a.txt", b"hello")
    body = {"run_id": run_id, "path": "a.txt"}
    answer = api.post("artifacts/presigned-download-url", {**body, "expiration": 60}).json()
    assert answer["file_size"] == 5
    assert "X-Amz-Expires=60" in answer["presigned_url"]
    assert requests.get(answer["presigned_url"], timeout=30).content == b"hello"
    for seconds in (0, -5, 604_801):
        refused = api.post("artifacts/presigned-download-url", {**body, "expiration": seconds})
        assert error_of(refused)[:2] == (400, "INVALID_PARAMETER_VALUE")
    # behind the proxy a file is put through it, so that it can be said when it must not change any more
    status, code, message = error_of(api.post("artifacts/presigned-upload-url", body))
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert f"lie behind this server (mlflow-artifacts:/{place})" in message
