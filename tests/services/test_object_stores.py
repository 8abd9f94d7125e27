"""What holds of object stores alone, of every kind of them: parts, prefixes, pages, and stores that fail."""

import gzip
import io
import os
import socket
import sys
import tracemalloc
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest
import requests
from azure.storage.blob import ContentSettings
from django.core.checks import run_checks
from pytest_django import Settings

from registry_site.artifacts import objects
from registry_site.artifacts.azure import AzureStore
from registry_site.artifacts.direct import DirectStore, UploadedPart
from registry_site.artifacts.gcs import GcsStore
from registry_site.artifacts.local import LocalStore
from registry_site.artifacts.s3 import S3Store
from registry_site.artifacts.schemes import trouble
from registry_site.artifacts.store import CHUNK, default_store, store_at
from registry_site.core import clock
from registry_site.core.errors import Conflict, InvalidParameter, Unavailable
from tests import azure_server
from tests.buckets import PREFIX, Bucket, Servers, bucket, made, servers
from tests.object_store import QUIET
from tests.services.test_artifact_store import Endless, get, names, put

__all__ = ["bucket", "servers"]  # fixtures
pytestmark = QUIET

LARGE = 200 * CHUNK


class Direct(NamedTuple):
    """A bucket, and the same as a store that gives addresses of it."""

    bucket: Bucket
    store: DirectStore


@pytest.fixture(params=["gcs", "azure"])  # moto looks at no signatures; see tests/mlflow_api for parts in S3
def direct(request: pytest.FixtureRequest, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Direct:
    bucket = made(servers, request.param, monkeypatch)
    store = bucket.store
    assert isinstance(store, DirectStore)
    assert store.signs
    return Direct(bucket, store)


# -- uploads and downloads ---------------------------------------------------------------------------------------------
def test_a_large_upload_and_download_take_little_memory(bucket: Bucket) -> None:
    store = bucket.store
    put(store, "small.txt")  # what a first call loads
    get(store, "small.txt")
    tracemalloc.start()
    try:
        assert store.write("large.bin", Endless(LARGE), length=LARGE) == LARGE
        with store.open("large.bin") as reader:
            assert sum(len(chunk) for chunk in reader) == LARGE
        assert tracemalloc.get_traced_memory()[1] < 40 * CHUNK
    finally:
        tracemalloc.stop()
    assert get(store, "large.bin", offset=LARGE - 2) == b"\0\0"


def test_what_comes_in_parts_is_put_together_as_it_was(bucket: Bucket) -> None:
    for size in (8 * CHUNK, 16 * CHUNK, 33 * CHUNK + 5):  # one of them ends where a part does
        content = os.urandom(size)
        assert bucket.store.write("large.bin", io.BytesIO(content), length=None) == size
        assert get(bucket.store, "large.bin") == content
        assert get(bucket.store, "large.bin", offset=5 * CHUNK, length=9 * CHUNK) == content[5 * CHUNK : 14 * CHUNK]


@pytest.mark.parametrize("announced", [40, 17, 16])
def test_of_a_large_upload_that_breaks_off_nothing_is_seen(bucket: Bucket, announced: int) -> None:
    put(bucket.store, "large.bin", b"before")
    given = 20 if announced == 40 else announced + 1
    with pytest.raises(InvalidParameter, match=r"^The upload of large.bin (ended after 20971520 of|is longer than)"):
        bucket.store.write("large.bin", Endless(given * CHUNK), length=announced * CHUNK)
    assert get(bucket.store, "large.bin") == b"before"
    assert bucket.names() == [f"{PREFIX}/large.bin"]


def test_a_file_that_is_replaced_while_it_is_read_is_never_a_mixture(bucket: Bucket) -> None:
    before, after = b"a" * (9 * CHUNK), b"b" * (9 * CHUNK)
    put(bucket.store, "file.bin", before)
    with bucket.store.open("file.bin") as reader:
        found = reader.read(CHUNK)
        put(bucket.store, "file.bin", after)
        try:
            found += reader.read()
        except Unavailable:
            return
    assert found == before


# -- what is seen ------------------------------------------------------------------------------------------------------
def test_only_what_lies_under_the_prefix_is_seen(bucket: Bucket) -> None:
    for key in ("podium/secret.txt", f"{PREFIX}-2/x.txt", f"{PREFIX}.txt", "other.txt"):
        bucket.put(key, b"x")
    put(bucket.store, "folder/a.txt")
    assert names(bucket.store) == ["folder/"]
    assert [entry.path for entry in bucket.store.walk()] == ["folder/a.txt"]
    bucket.store.delete("folder")
    assert len(bucket.names()) == 4


def test_an_object_that_marks_a_folder_is_none_itself(bucket: Bucket) -> None:
    bucket.put(f"{PREFIX}/marked/", b"")  # as consoles make folders
    bucket.put(f"{PREFIX}/marked/inner/", b"")
    put(bucket.store, "marked/a.txt")
    assert names(bucket.store) == ["marked/"]
    assert names(bucket.store, "marked") == ["a.txt", "inner/"]
    assert [entry.path for entry in bucket.store.walk()] == ["marked/a.txt"]
    bucket.store.delete("marked")
    assert bucket.names() == []


def test_a_folder_of_more_than_one_answer_is_listed_walked_and_deleted_whole(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "PAGE", 10)  # a store's answer ends at 1000
    for number in range(25):
        bucket.put(f"{PREFIX}/many/{number:04}", b"x")
    for number in range(3):
        bucket.put(f"{PREFIX}/many/0004/{number}", b"x")
    expected = sorted([f"{number:04}" for number in range(25)] + ["0004/"])
    assert names(bucket.store, "many") == expected
    assert len(list(bucket.store.walk("many"))) == 28
    page = bucket.store.list("many", limit=22)
    rest = bucket.store.list("many", after=page.after)
    assert [one.name + "/" * one.is_dir for one in (*page.entries, *rest.entries)] == expected
    assert len(page.entries) == 22
    assert rest.after is None
    bucket.store.delete("many")
    assert bucket.names() == []


def test_a_key_that_would_be_too_long_is_refused(bucket: Bucket) -> None:
    path = "/".join(["n" * 249] * 4)
    store = store_at(bucket.named("p" * 100))
    with pytest.raises(InvalidParameter, match="it is too long for the store"):
        put(store, path)
    put(bucket.store, path)
    assert get(bucket.store, path) == b"hello"


# -- stores that fail --------------------------------------------------------------------------------------------------
def test_a_store_that_does_not_answer_is_unavailable(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        for name, value in bucket.at(f"http://127.0.0.1:{taken.getsockname()[1]}").items():
            monkeypatch.setenv(name, value)
        store = store_at(bucket.named("down"))
        for call in (store.stat, lambda path: put(store, path)):
            with pytest.raises(
                Unavailable, match=r"^The artifact store does not work now \(\w+Error\); try again later"
            ):
                call("a.txt")


def test_a_missing_bucket_is_told_as_such(bucket: Bucket) -> None:
    root = bucket.root.replace("models-", "nobodys-")
    store = store_at(root)
    told = r"^The artifact store refused the call \((NoSuchBucket|ContainerNotFound)\); ask an administrator.$"
    for call in (store.list, store.open, lambda path: put(store, path)):
        with pytest.raises(Unavailable, match=told):
            call("a")


def test_keys_that_are_refused_are_told_as_such(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    server = servers.of("gcs")
    store = made(servers, "gcs", monkeypatch).store
    put(store, "a.txt")
    monkeypatch.setattr(server, "is_forbidden", True)
    for call in (store.list, store.stat, store.open, store.delete, lambda path: put(store, path)):
        with pytest.raises(Unavailable, match=r"^The artifact store refused the call \(Forbidden\); ask an admin"):
            call("a.txt")


def test_a_wrong_key_to_azure_is_told_as_such(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = made(servers, "azure", monkeypatch)
    wrong = bucket.environment["AZURE_STORAGE_CONNECTION_STRING"].replace(azure_server.KEY, "bm9uc2Vuc2U=")
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", wrong)
    store = store_at(bucket.named("wrong"))
    for call in (store.list, store.stat, lambda path: put(store, path)):
        with pytest.raises(Unavailable, match=r"^The artifact store refused the call \(AuthorizationFailure|403\);"):
            call("a.txt")


# -- addresses that clients use themselves -----------------------------------------------------------------------------
def test_a_signed_address_reads_this_file_and_no_other(direct: Direct) -> None:
    _, store = direct
    put(store, "größe & co.txt", b"0123456789")
    put(store, "other.txt")
    address = store.download_address("größe & co.txt", seconds=60)
    answer = requests.get(address, headers={"Range": "bytes=2-4"}, timeout=30)
    assert (answer.status_code, answer.content) == (206, b"234")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert requests.get(address.replace("gr%C3%B6%C3%9Fe%20%26%20co.txt", "other.txt"), timeout=30).status_code == 403
    assert requests.put(address, b"x", headers=dict(store.upload_headers), timeout=30).status_code == 403


def test_a_signed_address_writes_this_file_and_no_other(direct: Direct) -> None:
    _, store = direct
    address = store.upload_address("a b.txt", seconds=60)
    headers = dict(store.upload_headers)
    assert requests.put(address, b"whole", headers=headers, timeout=30).status_code in (200, 201)
    assert get(store, "a b.txt") == b"whole"
    assert requests.put(address.replace("a%20b.txt", "c.txt"), b"x", headers=headers, timeout=30).status_code == 403


def test_parts_become_the_file_when_all_are_there(direct: Direct) -> None:
    bucket, store = direct
    put(store, "big.bin", b"before")
    contents = [os.urandom(5 * CHUNK), os.urandom(5 * CHUNK), b"the end"]
    upload_id = store.start_upload("big.bin")
    parts = []
    for number, content in enumerate(contents, start=1):
        address = store.part_address("big.bin", upload_id, number, seconds=60)
        answer = requests.put(address, content, timeout=30)
        assert answer.status_code in (200, 201)
        parts.append(UploadedPart(number, answer.headers.get("ETag", "")))
    assert get(store, "big.bin") == b"before"
    assert names(store) == ["big.bin"]
    with pytest.raises(
        InvalidParameter, match=r"^The upload of other.bin cannot be completed \(\w+\); nothing was kept"
    ):
        store.complete_upload("other.bin", upload_id, parts)
    with pytest.raises(InvalidParameter, match=r"^The upload of big.bin cannot be completed"):
        store.complete_upload("big.bin", upload_id, [*parts, UploadedPart(4, "never")])
    store.complete_upload("big.bin", upload_id, parts)
    assert get(store, "big.bin") == b"".join(contents)
    assert bucket.names() == [f"{PREFIX}/big.bin"]
    # whoever still has the address of a part changes nothing any more
    requests.put(address, b"x", timeout=30)
    assert get(store, "big.bin") == b"".join(contents)
    with pytest.raises(InvalidParameter, match="cannot be completed"):
        store.complete_upload("big.bin", upload_id, parts[:1])
    assert get(store, "big.bin") == b"".join(contents)


def test_the_address_of_a_part_is_good_for_nothing_else(direct: Direct) -> None:
    _, store = direct
    put(store, "big.bin", b"before")
    address = store.part_address("big.bin", store.start_upload("big.bin"), 1, seconds=60)
    place, _, signature = address.partition("?")
    whole = {"x-ms-blob-type": "BlockBlob"}
    requests.put(f"{place}?{signature}".replace("comp=block", "x=y"), b"evil", headers=whole, timeout=30)
    requests.put(f"{place.rpartition('/')[0]}/big.bin?{signature}", b"evil", headers=whole, timeout=30)
    requests.delete(address, timeout=30)
    assert get(store, "big.bin") == b"before"


def test_an_upload_that_is_given_up_leaves_nothing(direct: Direct) -> None:
    bucket, store = direct
    upload_id = store.start_upload("big.bin")
    answer = requests.put(store.part_address("big.bin", upload_id, 1, seconds=60), b"part", timeout=30)
    store.abort_upload("big.bin", upload_id)
    store.abort_upload("big.bin", upload_id)
    with pytest.raises(InvalidParameter, match="cannot be completed"):
        store.complete_upload("big.bin", upload_id, [UploadedPart(1, answer.headers.get("ETag", ""))])
    assert bucket.names() == []


@pytest.mark.parametrize("upload_id", ["nonsense", "../x", "a" * 32, "", "<x>&amp;"])
def test_an_upload_that_nobody_began_is_refused(direct: Direct, upload_id: str) -> None:
    store = direct.store
    with pytest.raises(InvalidParameter, match=r"^The upload of big.bin cannot be completed"):
        store.complete_upload("big.bin", upload_id, [UploadedPart(1, "etag")])


def test_parts_of_uploads_that_nobody_ended_are_swept(direct: Direct, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket, store = direct
    for number in range(3):
        upload_id = store.start_upload(f"{number}.bin")
        requests.put(store.part_address(f"{number}.bin", upload_id, 1, seconds=60), b"x", timeout=30)
    elsewhere = store_at(bucket.named("elsewhere"))
    assert isinstance(elsewhere, DirectStore)
    elsewhere.start_upload("0.bin")
    if bucket.kind == "azure":  # which itself forgets parts after a week; what is complete and was not copied stays
        for number in range(3):
            bucket.put(f"{PREFIX}/.incoming/{number}", b"x")
    # moto gives every upload the same moment of the past
    assert store.sweep_incoming(timedelta(days=30 * 365)) == 0
    later = clock.now() + timedelta(hours=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert store.sweep_incoming(timedelta(hours=1)) == 3
    assert store.sweep_incoming(timedelta(hours=1)) == 0
    assert bucket.names() == []


# -- one kind only -----------------------------------------------------------------------------------------------------
def test_a_large_upload_goes_to_s3_in_parts(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = made(servers, "s3", monkeypatch)
    bucket.store.write("large.bin", Endless(33 * CHUNK), length=33 * CHUNK)
    found = boto3.client("s3").head_object(Bucket=bucket.store.bucket, Key=f"{PREFIX}/large.bin")
    assert found["ETag"].endswith('-3"')


def test_a_broken_upload_leaves_no_parts_in_s3(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = made(servers, "s3", monkeypatch)
    with pytest.raises(InvalidParameter):
        bucket.store.write("large.bin", Endless(20 * CHUNK), length=40 * CHUNK)
    assert boto3.client("s3").list_multipart_uploads(Bucket=bucket.store.bucket).get("Uploads", []) == []


def test_what_is_under_way_in_azure_is_in_no_list_and_at_no_path(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = made(servers, "azure", monkeypatch)
    bucket.put(f"{PREFIX}/.incoming/half", b"half")
    put(bucket.store, "a.txt")
    put(bucket.store, "run/.incoming/b.txt")  # elsewhere it is a name like others
    assert names(bucket.store) == ["a.txt", "run/"]
    assert [entry.path for entry in bucket.store.walk()] == ["a.txt", "run/.incoming/b.txt"]
    store = bucket.store
    for call in (store.list, store.stat, store.open, store.delete, store.download_address, store.start_upload):
        with pytest.raises(InvalidParameter, match=r"^Invalid path '.incoming/half': .incoming is the store's own"):
            call(".incoming/half", **({"seconds": 60} if "address" in call.__name__ else {}))


def test_folders_that_hadoop_marks_in_azure_are_folders(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = made(servers, "azure", monkeypatch)
    store = bucket.store
    assert isinstance(store, AzureStore)
    container = servers.of("azure").container(store.bucket)
    for name in ("model", "model/data"):
        container.upload_blob(f"{PREFIX}/{name}", b"", metadata={"hdi_isfolder": "true"})
    put(store, "model/data/a.txt")
    assert names(store) == ["model/"]
    assert [entry.path for entry in store.walk()] == ["model/data/a.txt"]
    assert store.stat("model/data").is_dir
    store.delete("model")
    assert bucket.names() == []


def test_the_same_container_is_named_in_both_ways_of_mlflow(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = made(servers, "azure", monkeypatch)
    put(bucket.store, "a.txt")
    other = store_at(azure_server.root(bucket.store.bucket, PREFIX, scheme="abfss"))
    assert get(other, "a.txt") == b"hello"


def test_keys_of_one_account_open_no_other(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = made(servers, "azure", monkeypatch)
    monkeypatch.setenv("AZURE_STORAGE_ACCESS_KEY", azure_server.KEY)
    store = store_at(bucket.root.replace(azure_server.ACCOUNT, "somebodyelses"))
    assert isinstance(store, AzureStore)
    assert store._service.url == "https://somebodyelses.blob.core.windows.net/"


def test_what_was_stored_compressed_in_azure_is_given_as_it_lies_there(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = made(servers, "azure", monkeypatch)
    packed = gzip.compress(b"hello" * 1000)
    servers.of("azure").container(bucket.store.bucket).upload_blob(
        f"{PREFIX}/a.txt", packed, content_settings=ContentSettings(content_encoding="gzip")
    )
    assert bucket.store.stat("a.txt").size == len(packed)
    assert get(bucket.store, "a.txt") == packed
    assert get(bucket.store, "a.txt", offset=5, length=7) == packed[5:12]


def test_two_uploads_of_one_name_to_azure_leave_one_of_them_whole(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = made(servers, "azure", monkeypatch).store

    class Interrupted(Endless):
        def read(self, size: int, /) -> bytes:
            if self.left == 10 * CHUNK:
                store.write("same.bin", Endless(20 * CHUNK), length=20 * CHUNK)
            return super().read(size)

    with pytest.raises(Conflict, match="Somebody else wrote the same file meanwhile; send it again"):
        store.write("same.bin", Interrupted(30 * CHUNK), length=30 * CHUNK)
    assert store.stat("same.bin").size == 20 * CHUNK


def test_what_was_stored_compressed_in_gcs_is_given_as_it_lies_there(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = made(servers, "gcs", monkeypatch)
    sent: list[Any] = []
    store = bucket.store
    assert isinstance(store, GcsStore)
    bucket.put(f"{PREFIX}/a.txt", b"x")
    request = store._session.request
    monkeypatch.setattr(store._session, "request", lambda *given, **how: sent.append(how) or request(*given, **how))
    assert get(store, "a.txt") == b"x"
    assert sent[0]["headers"]["Accept-Encoding"] == "gzip"  # by which Google does not unpack it


def test_without_a_key_nothing_is_signed(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = made(servers, "gcs", monkeypatch)
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    store = store_at(bucket.named("unsigned"))
    assert isinstance(store, DirectStore)
    assert not store.signs
    signature = "AccountName=x;SharedAccessSignature=sv=2024&sig=x;BlobEndpoint=https://x.blob.core.windows.net"
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", signature)
    other = store_at("wasbs://models@x.blob.core.windows.net/signed-by-others")
    assert isinstance(other, DirectStore)
    assert not other.signs


# -- which store -------------------------------------------------------------------------------------------------------
def test_the_settings_choose_the_store(settings: Settings, tmp_path: Path, bucket: Bucket) -> None:
    settings.PODIUM_ARTIFACT_ROOT = str(tmp_path / "here")
    first = default_store()
    assert isinstance(first, LocalStore)
    assert default_store() is first
    settings.PODIUM_ARTIFACT_ROOT = bucket.named("pre/fix/")
    second = default_store()
    assert isinstance(second, {"s3": S3Store, "gcs": GcsStore, "azure": AzureStore}[bucket.kind])
    assert second.prefix == "pre/fix"


def test_other_schemes_are_refused() -> None:
    for root in ("ftp://host/artifacts", "s3a://bucket/x", "https://account.blob.core.windows.net/x"):
        with pytest.raises(InvalidParameter, match=rf"^Artifacts lie in a folder or under s3://.* not under '{root}'"):
            store_at(root)


@pytest.mark.parametrize(
    "root",
    ["wasbs://models/x", "wasbs://models@account/x", "abfss://@account.dfs.core.windows.net/x", "wasbs://a@b@c.d/x"],
)
def test_a_place_in_azure_that_is_none_is_refused(root: str) -> None:
    with pytest.raises(InvalidParameter, match=r"^Artifacts in Azure lie under wasbs://container@account\.blob\."):
        store_at(root)


# -- before it starts --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("root", "module", "extra"),
    [
        ("gs://models/x", "google.cloud.storage", "gcs"),
        ("wasbs://models@account.blob.core.windows.net/x", "azure.storage.blob", "azure"),
        ("abfss://models@account.dfs.core.windows.net/x", "azure.identity", "azure"),
    ],
)
def test_a_library_that_is_not_installed_is_named_with_its_extra(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, root: str, module: str, extra: str
) -> None:
    assert trouble([root]) == ""
    monkeypatch.setitem(sys.modules, module, None)  # as if it were not there
    told = (
        f"Artifacts shall lie under {root}, and what that needs is not installed: run pip install 'podium[{extra}]' "
        f"(from a checkout: pip install -e '.[{extra}]')."
    )
    assert trouble(["/var/lib/podium", root]) == told
    settings.PODIUM_ARTIFACT_STORES = [root]
    assert [(error.id, error.msg) for error in run_checks()] == [("podium.E001", f"PODIUM_ARTIFACT_STORES: {told}")]
    with pytest.raises(InvalidParameter, match="what that needs is not installed"):
        store_at(f"{root}/of-a-test")


def test_places_that_can_be_read_pass_the_checks_and_others_do_not(settings: Settings) -> None:
    settings.PODIUM_ARTIFACT_ROOT = "gs://models/x"
    settings.PODIUM_ARTIFACT_STORES = ["s3://models/x", "gs://others", "wasbs://models@account.blob.core.windows.net"]
    assert run_checks() == []
    settings.PODIUM_ARTIFACT_ROOT = "ftp://models/x"
    settings.PODIUM_ARTIFACT_STORES = ["wasbs://models/x", "/elsewhere"]
    assert [error.msg.partition(":")[0] for error in run_checks()] == [
        "PODIUM_ARTIFACT_ROOT",
        "PODIUM_ARTIFACT_STORES",
    ]


def test_a_connection_string_that_cannot_be_read_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", "AccountKey=s3cret;nonsense")
    with pytest.raises(Unavailable) as refusal:
        store_at("wasbs://models@account.blob.core.windows.net/of-a-test")
    assert refusal.value.message == "AZURE_STORAGE_CONNECTION_STRING cannot be read; ask an administrator."
