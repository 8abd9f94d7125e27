"""Artifacts that clients wrote to a bucket by themselves: shown to who may see their run, and nothing besides them."""

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.test import Client
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.artifacts.local import LocalStore
from registry_site.artifacts.s3 import S3Store
from registry_site.artifacts.scanning import Verdict
from registry_site.artifacts.store import default_store, store_of
from registry_site.core.errors import Conflict, InvalidParameter, NotFound, PermissionDenied
from registry_site.registry.cleanup import collect_garbage
from registry_site.registry.files import mlmodel_of, resolve_stored
from registry_site.registry.grants import set_grant
from registry_site.registry.inspection import ask_for_check, scan_again
from registry_site.registry.manifests import check, work_on_manifests
from registry_site.registry.models import Manifest, Scan
from registry_site.registry.scans import work_on_scans
from registry_site.registry.services import create_version
from registry_site.tracking import artifact_files, services
from registry_site.tracking.logged_models import create_logged_model
from registry_site.tracking.models import Run
from registry_site.tracking.services import delete_run
from tests.doors import Api
from tests.make import make_model, make_run
from tests.mlflow_api.flows import error_of
from tests.object_store import QUIET, ObjectStore, in_this_process

pytestmark = [pytest.mark.django_db, *QUIET]


@pytest.fixture(scope="module")
def running() -> Iterator[ObjectStore]:
    with in_this_process() as store:
        yield store


@pytest.fixture
def bucket(running: ObjectStore, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """A bucket whose prefix `shared` clients write to by themselves; Podium's own artifacts lie in a folder."""
    for name, value in running.environment.items():
        monkeypatch.setenv(name, value)
    store = running.with_another_bucket()
    settings.PODIUM_ARTIFACT_STORES = [f"s3://{store.bucket}/shared/"]
    return store


def put(bucket: ObjectStore, uri: str, content: bytes = b"hello") -> None:
    """Write as a client with keys of its own does."""
    bucket.client.put_object(Bucket=bucket.bucket, Key=uri.removeprefix(f"s3://{bucket.bucket}/"), Body=content)


@pytest.fixture
def run(maria_actor: Actor, bucket: ObjectStore) -> Run:
    """A run of Maria's, in an experiment whose artifacts lie in the bucket."""
    experiment = services.create_experiment(
        maria_actor, name="churn", artifact_location=f"s3://{bucket.bucket}/shared/churn"
    )
    found = make_run(maria_actor, experiment=experiment)
    put(bucket, f"{found.artifact_uri}/model/MLmodel", b"flavors: {python_function: {loader_module: x}}")
    put(bucket, f"{found.artifact_uri}/notes.txt")
    return found


def read(stored: str) -> bytes:
    with artifact_files.open_stored(stored) as reader:
        return reader.read()


def test_files_of_a_run_are_listed_and_read_where_they_lie(maria_actor: Actor, run: Run, bucket: ObjectStore) -> None:
    assert run.artifact_uri == f"s3://{bucket.bucket}/shared/churn/{run.run_id}/artifacts"
    listing = artifact_files.run_artifacts(maria_actor, run.run_id)
    assert [(one.path, one.is_dir, one.size) for one in listing.files] == [
        ("model", True, None),
        ("notes.txt", False, 5),
    ]
    stored = artifact_files.resolve_run_artifact(maria_actor, run.run_id, "notes.txt")
    assert read(stored) == b"hello"
    entry = artifact_files.stat_stored(stored)
    assert (entry.name, entry.path, entry.size) == ("notes.txt", f"{run.artifact_uri}/notes.txt", 5)


def test_pages_and_protocol_serve_them(api: Api, maria_page: Client, run: Run) -> None:
    answer = api.get("/get-artifact", {"run_id": run.run_id, "path": "notes.txt"})
    assert b"".join(answer.streaming_content) == b"hello"
    html = maria_page.get(f"/runs/{run.run_id}/artifacts/notes.txt").content.decode()
    assert "hello" in html
    assert "model" in html
    saved = maria_page.get(f"/runs/{run.run_id}/files/notes.txt")
    assert b"".join(saved.streaming_content) == b"hello"


def test_files_of_a_logged_model_and_of_a_version(maria_actor: Actor, run: Run, bucket: ObjectStore) -> None:
    model = create_logged_model(maria_actor, experiment_id=run.experiment_id, name="line", source_run_id=run.run_id)
    put(bucket, f"{model.artifact_uri}/MLmodel", b"flavors: {python_function: {loader_module: x}}")
    assert [one.path for one in artifact_files.logged_model_artifacts(maria_actor, model.model_id).files] == ["MLmodel"]
    make_model(maria_actor, "churn")
    for source in (f"models:/{model.model_id}", f"runs:/{run.run_id}/model"):
        version = create_version(maria_actor, name="churn", source=source)
        card = mlmodel_of(maria_actor, version)
        assert card is not None
        assert [flavor.name for flavor in card.flavors] == ["python_function"]


def test_who_may_not_see_the_experiment_sees_nothing(
    run: Run, eve_actor: Actor, stranger_actor: Actor, api: Api, eve: User, settings: Settings
) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    with pytest.raises(NotFound):
        artifact_files.run_artifacts(eve_actor, run.run_id)
    with pytest.raises(NotFound):
        artifact_files.resolve_stored(eve_actor, f"{run.artifact_uri}/notes.txt")
    with pytest.raises(NotFound):
        resolve_stored(eve_actor, f"{run.artifact_uri}/notes.txt")
    answer = api.as_(eve).get("/get-artifact", {"run_id": run.run_id, "path": "notes.txt"})
    assert error_of(answer)[0] == 404


def test_who_may_see_a_model_sees_the_files_of_its_versions_and_no_others(
    run: Run, maria_actor: Actor, eve_actor: Actor, settings: Settings
) -> None:
    make_model(maria_actor, "churn")
    # the very place, as a client with keys of its own registers it; the run is found by it
    version = create_version(maria_actor, name="churn", source=f"{run.artifact_uri}/model")
    assert version.run_id == run.run_id
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    assert mlmodel_of(eve_actor, version) is None
    set_grant(maria_actor, name="churn", username="eve", level=Level.CAN_READ)
    assert mlmodel_of(eve_actor, version) is not None
    with pytest.raises(NotFound):
        resolve_stored(eve_actor, f"{run.artifact_uri}/notes.txt")


def test_a_version_of_one_s_own_opens_no_run_of_others(
    run: Run, eve_actor: Actor, bucket: ObjectStore, settings: Settings
) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    make_model(eve_actor, "mine")
    version = create_version(eve_actor, name="mine", source=f"{run.artifact_uri}/model")
    assert version.run_id == ""
    assert mlmodel_of(eve_actor, version) is None
    with pytest.raises(NotFound):
        resolve_stored(eve_actor, f"{run.artifact_uri}/model/MLmodel")
    with pytest.raises((NotFound, InvalidParameter)):
        create_version(eve_actor, name="mine", source=f"{run.artifact_uri}/model", run_id=run.run_id)


TRICKS = [
    "s3://{bucket}-evil/shared/churn",
    "s3://{bucket}/shared-evil/churn",
    "s3://{bucket}/sharedevil",
    "s3://{bucket}",
    "s3://{bucket}/",
    "s3://{bucket}/shared/../secret",
    "s3://{bucket}/shared/%2e%2e/secret",
    "s3://{bucket}/shared/%252e%252e/secret",
    "s3://{bucket}/shared/./churn",
    "s3://{bucket}/shared//churn",
    "s3://{bucket}/shared/churn?versionId=1",
    "s3://{bucket}/shared/churn#x",
    "s3://{bucket}/shared/churn;x",
    "s3://{bucket}/shared\\..\\secret",
    "s3://user@{bucket}/shared/churn",
    "s3://{bucket}@evil/shared/churn",
    "s3://evil/{bucket}/shared/churn",
    "S3://{bucket}/shared/churn",
    "s3:/{bucket}/shared/churn",
    "s3a://{bucket}/shared/churn",
    "https://{bucket}/shared/churn",
    "file:///shared",
    "s3://{bucket}/shared/churn\n",
    "s3://{bucket}/shared/\0",
]


@pytest.mark.parametrize("trick", TRICKS)
def test_no_experiment_is_made_outside_of_the_prefix(maria_actor: Actor, bucket: ObjectStore, trick: str) -> None:
    location = trick.format(bucket=bucket.bucket)
    with pytest.raises(InvalidParameter, match=r"^Invalid artifact_location"):
        services.create_experiment(maria_actor, name="evil", artifact_location=location)


@pytest.mark.parametrize("trick", [trick for trick in TRICKS if not {*"?#;"} & {*trick}])  # letters of keys, inside
def test_no_file_outside_of_the_prefix_is_opened_though_a_run_says_it_lies_there(
    maria_actor: Actor, bucket: ObjectStore, trick: str, running: ObjectStore
) -> None:
    """Rows of old may say anything: they were written when the prefix was another, or imported."""
    location = trick.format(bucket=bucket.bucket)
    run = make_run(maria_actor)
    Run.objects.filter(pk=run.pk).update(artifact_uri=f"{location}/{run.run_id}/artifacts".replace("\0", "%00"))
    for prefix in ("secret/", "shared-evil/churn/", "sharedevil/", "shared/../secret/", "", "shared/./churn/"):
        put(bucket, f"s3://{bucket.bucket}/{prefix}{run.run_id}/artifacts/notes.txt", b"secret")
    with pytest.raises((NotFound, InvalidParameter)):
        artifact_files.run_artifacts(maria_actor, run.run_id)
    with pytest.raises((NotFound, InvalidParameter)):
        read(artifact_files.resolve_run_artifact(maria_actor, run.run_id, "notes.txt"))


@pytest.mark.parametrize(
    "path", ["../x", "model/../../x", "%2e%2e/x", "a/%252e%252e/b", "/etc", "a\\b", "a\0b", "s3://evil/x", "a//b"]
)
def test_no_path_leads_out_of_a_run_in_the_bucket(maria_actor: Actor, run: Run, path: str) -> None:
    with pytest.raises(InvalidParameter):
        artifact_files.resolve_run_artifact(maria_actor, run.run_id, path)
    with pytest.raises(InvalidParameter):
        artifact_files.run_artifacts(maria_actor, run.run_id, path)
    with pytest.raises((InvalidParameter, NotFound)):
        read(artifact_files.resolve_stored(maria_actor, f"{run.artifact_uri}/{path}"))


def test_the_proxy_takes_no_uris(api: Api, run: Run) -> None:
    proxy = "/api/2.0/mlflow-artifacts"
    for uri in (f"{run.artifact_uri}/notes.txt", f"{run.artifact_uri}/notes.txt".replace("/", "%2F")):
        for answer in (
            api.get(f"{proxy}/artifacts/{uri}"),
            api.put(f"{proxy}/artifacts/{uri}", b"x"),
            api.delete(f"{proxy}/artifacts/{uri}"),
            api.get(f"{proxy}/presigned/{uri}"),
            api.get(f"{proxy}/artifacts", {"path": uri}),
        ):
            assert error_of(answer)[:2] == (400, "INVALID_PARAMETER_VALUE")


def test_a_client_without_keys_is_given_addresses_to_write_and_read(
    api: Api, run: Run, bucket: ObjectStore, eve: User, settings: Settings
) -> None:
    body = {"run_id": run.run_id, "path": "late/größe.txt"}
    put_at = api.post("artifacts/presigned-upload-url", body).json()
    assert requests.put(put_at["presigned_url"], data=b"late", headers=put_at["headers"], timeout=30).status_code == 200
    read_at = api.post("artifacts/presigned-download-url", body).json()
    assert (read_at["file_size"], requests.get(read_at["presigned_url"], timeout=30).content) == (4, b"late")
    assert error_of(api.post("artifacts/presigned-upload-url", body | {"path": "../x"}))[0] == 400
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    for way in ("upload", "download"):
        assert error_of(api.as_(eve).post(f"artifacts/presigned-{way}-url", body))[0] == 404


def test_a_reader_may_not_write_there(run: Run, maria_actor: Actor, eve_actor: Actor, settings: Settings) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "CAN_READ"
    assert artifact_files.resolve_stored(eve_actor, f"{run.artifact_uri}/notes.txt")
    with pytest.raises(PermissionDenied):
        artifact_files.resolve_direct_upload(eve_actor, "notes.txt", run_id=run.run_id)


# -- what the worker does with them ------------------------------------------------------------------------------------
def work() -> None:
    while work_on_manifests() + work_on_scans():
        pass


def test_files_of_a_version_there_are_hashed_and_scanned_and_do_not_change_by_way_of_this_server(
    run: Run, bucket: ObjectStore, maria_actor: Actor
) -> None:
    put(bucket, f"{run.artifact_uri}/model/model.pkl", b"cposix\nsystem\n(S'id'\ntR.")
    make_model(maria_actor, "churn")
    version = create_version(maria_actor, name="churn", source=f"runs:/{run.run_id}/model")
    work()
    assert [file.path for file in version.manifest.files.order_by("path")] == ["MLmodel", "model.pkl"]
    assert Scan.objects.get(model_version=version).verdict == Verdict.UNSAFE
    with pytest.raises(Conflict, match="it belongs to churn version 1, whose files are frozen"):
        artifact_files.resolve_direct_upload(maria_actor, "model/model.pkl", run_id=run.run_id)
    assert artifact_files.resolve_direct_upload(maria_actor, "model2/model.pkl", run_id=run.run_id)
    bucket.client.delete_object(
        Bucket=bucket.bucket, Key=f"{run.artifact_uri}/model/model.pkl".removeprefix(f"s3://{bucket.bucket}/")
    )
    assert check(version.manifest).missing == ("model.pkl",)


def test_nothing_is_read_for_a_version_that_only_says_where_the_files_of_others_lie(
    run: Run, eve_actor: Actor, bucket: ObjectStore, settings: Settings
) -> None:
    put(bucket, f"{run.artifact_uri}/model/README.md", b"secret")
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    make_model(eve_actor, "mine")
    version = create_version(eve_actor, name="mine", source=f"{run.artifact_uri}/model")
    work()
    ask_for_check(eve_actor, name="mine", version=1)
    scan_again(eve_actor, name="mine", version=1)
    work()
    version.refresh_from_db()
    assert (version.manifest.state, version.manifest.file_count) == (Manifest.State.ELSEWHERE, 0)
    assert (version.scan.verdict, version.scan.contents) == (Verdict.INCOMPLETE, {})


def test_the_same_holds_in_the_first_store_when_it_is_a_bucket(
    eve_actor: Actor, maria_actor: Actor, bucket: ObjectStore, settings: Settings
) -> None:
    settings.PODIUM_ARTIFACT_STORES = []
    settings.PODIUM_ARTIFACT_ROOT = root = f"s3://{bucket.bucket}/own"
    run = make_run(maria_actor)
    path = run.artifact_uri.removeprefix("mlflow-artifacts:/")
    put(bucket, f"{root}/{path}/model/README.md", b"secret")
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    make_model(eve_actor, "mine")
    version = create_version(eve_actor, name="mine", source=f"{root}/{path}/model")
    work()
    assert version.manifest.state == Manifest.State.ELSEWHERE
    assert version.scan.contents == {}


def test_a_store_that_is_added_later_is_looked_into_when_somebody_asks(
    run: Run, maria_actor: Actor, settings: Settings
) -> None:
    make_model(maria_actor, "churn")
    stores, settings.PODIUM_ARTIFACT_STORES = settings.PODIUM_ARTIFACT_STORES, []
    version = create_version(maria_actor, name="churn", source=f"runs:/{run.run_id}/model")
    assert version.manifest.state == Manifest.State.ELSEWHERE
    settings.PODIUM_ARTIFACT_STORES = stores
    ask_for_check(maria_actor, name="churn", version=1)
    work()
    version.manifest.refresh_from_db()
    assert (version.manifest.state, version.manifest.file_count) == (Manifest.State.COMPLETE, 1)


def test_files_of_deleted_runs_there_are_their_owners_to_remove(
    run: Run, maria_actor: Actor, bucket: ObjectStore
) -> None:
    delete_run(maria_actor, run_id=run.run_id)
    assert list(collect_garbage(timedelta())) == []
    assert len(bucket.names()) == 2


# -- several stores as one ---------------------------------------------------------------------------------------------
def test_each_path_lies_in_the_store_with_the_longest_root(settings: Settings, bucket: ObjectStore) -> None:
    name = bucket.bucket
    settings.PODIUM_ARTIFACT_STORES = [f"s3://{name}/a", f"s3://{name}/a/b", "s3://other"]
    for path, found in {
        "0/x": (LocalStore, "", "0/x"),
        f"s3://{name}/a/x": (S3Store, "a", "x"),
        f"s3://{name}/a/b/x": (S3Store, "a/b", "x"),
        f"s3://{name}/a/bc": (S3Store, "a", "bc"),
        f"s3://{name}/a": (S3Store, "a", ""),
        "s3://other/x/y": (S3Store, "", "x/y"),
    }.items():
        store, inside = store_of(path)
        assert (type(store), getattr(store, "prefix", ""), inside) == found
    for path in (f"s3://{name}/ab", f"s3://{name}", "s3://others/x", "https://x/y", f"x/s3://{name}/a/b"):
        with pytest.raises(InvalidParameter, match="lies in no artifact store of this server"):
            store_of(path)


def test_every_call_reaches_the_store_of_its_path(settings: Settings, bucket: ObjectStore) -> None:
    store: Any = default_store()
    root = f"s3://{bucket.bucket}/shared"
    store.write("0/here.txt", io.BytesIO(b"here"), length=4)
    store.write(f"{root}/x/there.txt", io.BytesIO(b"there"), length=5)
    assert bucket.names() == ["shared/x/there.txt"]
    assert [entry.path for entry in store.walk()] == ["0/here.txt"]
    assert [entry.path for entry in store.walk(f"{root}/x")] == [f"{root}/x/there.txt"]
    assert [entry.path for entry in store.list(f"{root}").entries] == [f"{root}/x"]
    store.delete(f"{root}/x/there.txt")
    assert bucket.names() == []
    assert store.stat("0/here.txt").size == 4
    with pytest.raises(InvalidParameter):
        store.delete(root)


def test_uploads_under_way_in_the_clients_own_stores_are_left_alone(bucket: ObjectStore) -> None:
    bucket.client.create_multipart_upload(Bucket=bucket.bucket, Key="shared/large.bin")
    default_store().sweep_incoming(timedelta(0))
    assert len(bucket.client.list_multipart_uploads(Bucket=bucket.bucket)["Uploads"]) == 1
