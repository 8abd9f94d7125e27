"""What the pages ask of a bucket: a few requests, however many files there are and however large they are."""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow
import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pyarrow import parquet
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.artifacts.s3 import S3Store
from registry_site.artifacts.store import default_store
from registry_site.pages import browser, files
from registry_site.registry.manifests import work_on_manifests
from registry_site.registry.models import ModelVersion
from registry_site.registry.scans import work_on_scans
from tests.make import make_run, make_version
from tests.object_store import QUIET, ObjectStore, in_this_process
from tests.pages.registry_flows import MLMODEL, html_of, words_of

pytestmark = [pytest.mark.django_db, *QUIET]

FILES = "/models/churn/versions/1/artifacts"
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def running() -> Iterator[ObjectStore]:
    with in_this_process() as store:
        yield store


@pytest.fixture
def version(
    running: ObjectStore, settings: Settings, monkeypatch: pytest.MonkeyPatch, maria_actor: Actor
) -> ModelVersion:
    """A version whose files lie in a bucket. Of a folder twenty entries are listed, and not a thousand."""
    monkeypatch.setattr(browser, "ENTRIES_LISTED", 20)
    for module in (browser, files):
        monkeypatch.setattr(module, "ENTRIES_SHOWN", 10)
    for name, value in running.environment.items():
        monkeypatch.setenv(name, value)
    settings.PODIUM_ARTIFACT_ROOT = f"s3://{running.with_another_bucket().bucket}/artifacts"
    made = make_version(maria_actor, run=make_run(maria_actor))
    put(made, "MLmodel", MLMODEL.encode())
    put(made, "requirements.txt", b"scikit-learn==1.8.0")
    return made


def put(version: ModelVersion, path: str, content: bytes) -> None:
    root = version.storage_location.removeprefix("mlflow-artifacts:/")
    default_store().write(f"{root}/{path}", io.BytesIO(content), length=len(content))


class Asked:
    """The requests that were made of the bucket, by S3's own names, and how many bytes of objects came."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.sizes: list[int] = []

    @property
    def size(self) -> int:
        return sum(self.sizes)

    def note(self, request: Any, event_name: str, **more: Any) -> None:
        self.calls.append(event_name.rpartition(".")[2])

    def note_size(self, parsed: dict[str, Any], **more: Any) -> None:
        self.sizes.append(parsed.get("ContentLength", 0))


@contextmanager
def asked() -> Iterator[Asked]:
    store = default_store()
    assert isinstance(store, S3Store)
    events, found = store._client.meta.events, Asked()
    events.register("before-send.s3", found.note)
    events.register("after-call.s3.GetObject", found.note_size)
    try:
        yield found
    finally:
        events.unregister("before-send.s3", found.note)
        events.unregister("after-call.s3.GetObject", found.note_size)


def body_of(answer: HttpResponse) -> bytes:
    return b"".join(answer.streaming_content)


# -- the browser -------------------------------------------------------------------------------------------------------
def test_of_a_long_folder_the_first_entries_are_listed_and_no_more(maria_page: Client, version: ModelVersion) -> None:
    counts = []
    for upto in (15, 45):
        for number in range(upto):
            put(version, f"many/{number:03}.txt", b"x")
        maria_page.get(FILES)  # what a first page looks up once for all
        with (
            asked() as found,
            CaptureQueriesContext(
                connection,
            ) as queries,
        ):
            answer = maria_page.get(f"{FILES}/many")
        assert found.calls == ["ListObjectsV2", "ListObjectsV2"], "the root and the folder, a page of each"
        counts.append(len(queries))
    assert counts[0] == counts[1]
    words = words_of(answer)
    assert "009.txt" in words
    assert "010.txt" not in words
    assert "More than 20 entries" in words
    assert "Show more of them" in words


def test_a_folder_is_shown_further_and_further(maria_page: Client, version: ModelVersion) -> None:
    for number in range(45):
        put(version, f"many/{number:03}.txt", b"x")
    words = words_of(maria_page.get(f"{FILES}/many?show=30"))
    assert "029.txt" in words
    assert "030.txt" not in words
    assert "Show more of them" in words
    words = words_of(maria_page.get(f"{FILES}/many?show=50"))
    assert "044.txt" in words
    assert "45 entries" in words
    assert "Show more" not in words


def test_a_file_beyond_what_is_listed_opens_by_its_address(maria_page: Client, version: ModelVersion) -> None:
    for number in range(45):
        put(version, f"many/{number:03}.txt", f"text {number}".encode())
    put(version, "many/zz/inner.txt", b"inside")
    with asked() as found:
        words = words_of(maria_page.get(f"{FILES}/many/040.txt"))
    assert "text 40" in words
    assert "040.txt" in words.split("text 40")[0], "it stands in the tree too"
    assert sorted(found.calls) == ["GetObject", "HeadObject", "HeadObject", "ListObjectsV2", "ListObjectsV2"]
    assert "inside" in words_of(maria_page.get(f"{FILES}/many/zz/inner.txt"))
    assert maria_page.get(f"{FILES}/many/099.txt").status_code == 404


def test_a_filter_looks_further_than_the_first_entries_and_says_where_it_ends(
    maria_page: Client, version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(45):
        put(version, f"many/{number:03}.txt", b"x")
    part = {"HX-Request": "true", "HX-Target": "tree"}
    assert "042.txt" in words_of(maria_page.get(f"{FILES}/many?q=042", headers=part))
    monkeypatch.setattr(browser, "ENTRIES_SEARCHED", 30)
    words = words_of(maria_page.get(f"{FILES}/many?q=042", headers=part))
    assert "Nothing here has that name." in words
    assert "There are more files than were searched." in words


# -- a file ------------------------------------------------------------------------------------------------------------
def wide_parquet() -> bytes:
    target = io.BytesIO()
    parquet.write_table(pyarrow.table({f"column {at}": list(range(3000)) for at in range(300)}), target)
    return target.getvalue()


def zip_of_many() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for number in range(3000):
            archive.writestr(f"folder/{number}.bin", b"0" * 1000)
    return target.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "requests", "size"),
    [
        ("train.log", b"epoch 1: loss 0.5\n" * 500_000, 1, 256 * 1024),
        ("model.py", b"x = 1\n" * 1_000_000, 1, 256 * 1024),
        ("README.md", b"# Hello\n" * 1_000_000, 1, 256 * 1024),
        ("rows.csv", b"1,2,3\n" * 1_000_000, 1, 256 * 1024),
        ("rows.json", json.dumps(list(range(1_500_000))).encode(), 1, 256 * 1024),
        ("rows.yaml", b"- 1\n" * 2_000_000, 1, 256 * 1024),
        ("weights.bin", bytes(9 * MEGABYTE), 2, 257 * 1024),
        ("model.tar.gz", b"\x1f\x8b\x08\0" + bytes(9 * MEGABYTE), 2, 257 * 1024),
        ("model.pkl", bytes(9 * MEGABYTE), 1, 1024),
        ("many.zip", zip_of_many(), 3, 256 * 1024),
        ("wide.parquet", wide_parquet(), 50, 6 * MEGABYTE),
        ("photo.png", bytes(9 * MEGABYTE), 0, 0),
        ("film.mp4", bytes(9 * MEGABYTE), 0, 0),
        ("talk.mp3", bytes(9 * MEGABYTE), 0, 0),
        ("paper.pdf", bytes(9 * MEGABYTE), 0, 0),
        ("plot.html", b"<p>hello</p>" * 10_000, 0, 0),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_preview_reads_a_little_by_few_requests(
    maria_page: Client, version: ModelVersion, name: str, content: bytes, requests: int, size: int
) -> None:
    put(version, name, content)
    with asked() as found:
        answer = maria_page.get(f"{FILES}/{name}", headers={"HX-Request": "true", "HX-Target": "preview"})
    html = html_of(answer)
    assert name in html
    assert ("<table" in html) == name.endswith((".csv", ".parquet", ".zip", ".bin", ".pkl", ".gz"))
    reads = [call for call in found.calls if call == "GetObject"]
    assert len(reads) <= requests
    assert found.size <= size
    assert sorted(set(found.calls) - {"GetObject"}) == ["HeadObject"]


# -- an archive, the page of a version ---------------------------------------------------------------------------------
@pytest.mark.parametrize("extension", ["zip", "tar.gz"])
def test_an_archive_lists_once_and_reads_each_file_once(
    maria_page: Client, version: ModelVersion, extension: str
) -> None:
    for number in range(30):
        put(version, f"folder {number % 10}/deep/{number}.txt", b"x" * 1000)
    with asked() as found, CaptureQueriesContext(connection) as queries:
        whole = body_of(maria_page.get(f"/models/churn/1/archive.{extension}"))
    assert len(whole) > 1000
    assert [call for call in found.calls if call != "GetObject"] == ["ListObjectsV2"]
    assert found.calls.count("GetObject") == 32
    assert len(queries) < 12


def test_the_page_of_a_version_looks_at_its_files_by_few_requests(maria_page: Client, version: ModelVersion) -> None:
    for number in range(30):
        put(version, f"folder {number}/weights.bin", b"x")
    while work_on_manifests() + work_on_scans():
        pass
    maria_page.get("/models/churn/versions/1")
    with asked() as found:
        words = words_of(maria_page.get("/models/churn/versions/1"))
    assert "Files As registered" in words
    assert sorted(found.calls) == sorted(["ListObjectsV2", *["HeadObject", "GetObject"] * 2])


def test_the_worker_reads_small_files_of_a_version_by_one_request_each(version: ModelVersion) -> None:
    for number in range(30):
        put(version, f"folder {number}/weights.bin", bytes(2000))
    for work, also in ((work_on_manifests, 0), (work_on_scans, 2)):  # MLmodel and README.md are read for themselves
        with asked() as found:
            assert work() == 1
        assert found.calls.count("GetObject") == 32 + also
        assert found.calls.count("ListObjectsV2") == 1 + also
        assert set(found.calls) == {"GetObject", "ListObjectsV2"}
