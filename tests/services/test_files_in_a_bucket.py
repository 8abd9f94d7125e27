"""Archives and previews of files that lie in a bucket: by ranges, whole, or visibly broken off."""

import io
import os
import zipfile
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer
from pytest_django import Settings

from registry_site.artifacts.archives import Format, archive_of
from registry_site.artifacts.previews import Kind, preview, preview_of_end
from registry_site.artifacts.store import ArtifactStore, default_store
from registry_site.core.errors import InvalidParameter, NotFound
from registry_site.tracking.archives import members_of
from registry_site.tracking.artifact_files import Folder

BUCKET = "files"
MEGABYTE = 1024 * 1024

# of moto and botocore; our own warnings are errors
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Any:
    """A client of the store's own, as those have who write past Podium."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "maria")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    for item in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=item["Key"])
    settings.PODIUM_ARTIFACT_ROOT = f"s3://{BUCKET}/{os.path.basename(server)}"
    return client


def put(path: str, content: bytes) -> ArtifactStore:
    store = default_store()
    store.write(path, io.BytesIO(content), length=len(content))
    return store


def test_a_folder_is_packed(bucket: Any) -> None:
    files = {"a.bin": os.urandom(3 * MEGABYTE), "data/π ☃.txt": b"pi", "empty": b""}
    for path, content in files.items():
        put(f"run/{path}", content)
    archive = archive_of(members_of([Folder("", "run")], called="the run"), Format.ZIP)
    data = b"".join(archive.chunks)
    assert archive.length == len(data)
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        assert {name: opened.read(name) for name in opened.namelist()} == files


def test_an_object_that_vanishes_in_the_middle_breaks_the_archive(bucket: Any) -> None:
    for name in ("a.bin", "b.bin"):
        store = put(f"run/{name}", b"x" * 1000)
    chunks = archive_of(members_of([Folder("", "run")], called="the run"), Format.TAR_GZ).chunks
    next(chunks)
    store.delete("run/b.bin")
    with pytest.raises(NotFound):
        b"".join(chunks)


@pytest.mark.parametrize("name", ["%2e%2e", "a\\b", "a\x01b"])
def test_a_name_that_clients_could_not_have_sent_is_refused(bucket: Any, name: str) -> None:
    put("run/a.txt", b"x")
    prefix = default_store().prefix  # type: ignore[attr-defined]  # a bucket has one
    bucket.put_object(Bucket=BUCKET, Key=f"{prefix}/run/{name}", Body=b"x")
    with pytest.raises(InvalidParameter):
        members_of([Folder("", "run")], called="the run")


def test_large_files_are_previewed_by_ranges(bucket: Any) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    written = io.BytesIO()
    parquet.write_table(pyarrow.table({"id": list(range(200_000)), "text": ["x" * 20] * 200_000}), written)
    shown = preview(put("run/a.parquet", written.getvalue()), "run/a.parquet")
    assert shown.table is not None
    assert (len(shown.table.rows), shown.table.row_count) == (500, 200_000)

    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("weights.bin", os.urandom(9 * MEGABYTE))
    contents = preview(put("run/a.zip", zipped.getvalue()), "run/a.zip")
    assert contents.table is not None
    assert contents.table.rows[0][:2] == ("weights.bin", str(9 * MEGABYTE))

    log = put("run/a.log", b"one\n" * 1_000_000 + b"the last")
    assert preview_of_end(log, "run/a.log").text.endswith("one\nthe last")
    assert preview(put("run/a.yaml", b"a: 1\n"), "run/a.yaml").kind is Kind.YAML
