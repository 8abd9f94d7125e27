"""Both stores keep one promise: whole files or none, inside the root, in bounded memory."""

import errno
import io
import os
import socket
import stat
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from registry_site.artifacts.local import LocalStore
from registry_site.artifacts.s3 import S3Store
from registry_site.artifacts.store import CHUNK, ArtifactStore, default_store, store_at
from registry_site.core import clock
from registry_site.core.errors import Conflict, InvalidParameter, NotFound, StorageFull, Unavailable
from tests.rules.test_artifact_paths import ESCAPES, HARMLESS

BUCKET = "models"

# of moto and botocore; our own warnings are errors
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "maria")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    for item in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=item["Key"])
    return S3Store(f"s3://{BUCKET}/podium/artifacts")


@pytest.fixture
def local(tmp_path: Path) -> LocalStore:
    return LocalStore(str(tmp_path / "artifacts"))


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest) -> ArtifactStore:
    found: ArtifactStore = request.getfixturevalue(request.param)
    return found


def put(store: ArtifactStore, path: str, content: bytes = b"hello") -> None:
    store.write(path, io.BytesIO(content), length=len(content))


def get(store: ArtifactStore, path: str, *, offset: int = 0, length: int | None = None) -> bytes:
    with store.open(path, offset=offset, length=length) as reader:
        return b"".join(reader)


def names(store: ArtifactStore, path: str = "") -> list[str]:
    return [entry.name + "/" * entry.is_dir for entry in store.list(path).entries]


class Endless:
    """An upload of zeros that is never in memory."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int, /) -> bytes:
        size = min(size, self.left, 64 * 1024)
        self.left -= size
        return bytes(size)


class CutOff:
    """A connection that breaks after some bytes."""

    def __init__(self, content: bytes) -> None:
        self.content = io.BytesIO(content)

    def read(self, size: int, /) -> bytes:
        chunk = self.content.read(size)
        if not chunk:
            raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
        return chunk


# -- what both promise -------------------------------------------------------------------------------------------------


def test_what_is_written_is_read_back_with_its_size(store: ArtifactStore) -> None:
    content = os.urandom(2 * CHUNK + 17)
    assert store.write("0/run/artifacts/model.bin", io.BytesIO(content), length=len(content)) == len(content)
    assert get(store, "0/run/artifacts/model.bin") == content
    with store.open("0/run/artifacts/model.bin") as reader:
        assert reader.read() == content


def test_an_upload_without_a_length_ends_where_it_ends(store: ArtifactStore) -> None:
    assert store.write("a.txt", io.BytesIO(b"chunked"), length=None) == 7
    assert get(store, "a.txt") == b"chunked"


def test_an_empty_file_is_a_file(store: ArtifactStore) -> None:
    assert store.write("empty.txt", io.BytesIO(b""), length=0) == 0
    assert store.stat("empty.txt").size == 0
    assert get(store, "empty.txt") == b""
    assert get(store, "empty.txt", length=100) == b""
    assert names(store) == ["empty.txt"]


def test_a_second_upload_takes_the_place_of_the_first(store: ArtifactStore) -> None:
    put(store, "a.txt", b"a long first text")
    put(store, "a.txt", b"short")
    assert get(store, "a.txt") == b"short"


def test_a_range_of_a_file_is_read_alone(store: ArtifactStore) -> None:
    put(store, "digits.txt", b"0123456789")
    assert get(store, "digits.txt", offset=3) == b"3456789"
    assert get(store, "digits.txt", offset=3, length=4) == b"3456"
    assert get(store, "digits.txt", length=4) == b"0123"
    assert get(store, "digits.txt", offset=8, length=100) == b"89"
    assert get(store, "digits.txt", offset=10) == b""
    assert get(store, "digits.txt", offset=50, length=1) == b""
    assert get(store, "digits.txt", length=0) == b""
    with store.open("digits.txt", offset=2, length=5) as reader:
        assert reader.remaining == 5
        assert reader.read(2) == b"23"
        assert reader.remaining == 3
        assert reader.read() == b"456"
        assert reader.read(1) == b""


def test_a_file_or_folder_says_what_it_is(store: ArtifactStore) -> None:
    put(store, "model/data/a.txt", b"12345")
    file = store.stat("model/data/a.txt")
    assert (file.name, file.path, file.is_dir, file.size) == ("a.txt", "model/data/a.txt", False, 5)
    assert file.modified_ms is not None
    assert abs(file.modified_ms - clock.now_ms()) < 60_000
    folder = store.stat("model/data")
    assert (folder.name, folder.path, folder.is_dir, folder.size) == ("data", "model/data", True, None)


def test_what_is_not_there_is_not_found(store: ArtifactStore) -> None:
    put(store, "model/a.txt")
    for path in ("nothing", "model/b.txt", "mode", "model/a.txt/below"):
        with pytest.raises(NotFound, match=rf"^No artifact at {path}\.$"):
            store.stat(path)
        with pytest.raises(NotFound, match=rf"^No artifact at {path}\.$"):
            store.open(path)


def test_a_folder_cannot_be_opened(store: ArtifactStore) -> None:
    put(store, "model/a.txt")
    with pytest.raises(InvalidParameter, match=r"^model is a folder; ask for a file in it.$"):
        store.open("model")


def test_a_folder_lists_what_lies_directly_in_it(store: ArtifactStore) -> None:
    for path in ("model/MLmodel", "model/data/x.bin", "model/data.txt", "model-2/a", "z.txt", "model/code/deep/y.py"):
        put(store, path)
    assert names(store) == ["model-2/", "model/", "z.txt"]
    assert names(store, "model") == ["MLmodel", "code/", "data.txt", "data/"]
    assert [entry.path for entry in store.list("model/data").entries] == ["model/data/x.bin"]


def test_a_missing_folder_and_a_file_list_nothing(store: ArtifactStore) -> None:
    put(store, "a.txt")
    assert store.list("nothing").entries == ()
    assert store.list("a.txt").entries == ()
    assert list(store.walk("a.txt")) == []


def test_a_long_folder_is_listed_page_by_page_without_a_gap(store: ArtifactStore) -> None:
    expected = [f"f{number:02}.txt" for number in range(12)] + ["f03/", "f07/", "f070"]
    for name in expected:
        put(store, f"many/{name}x" if name.endswith("/") else f"many/{name}")
    found, after, pages = [], None, 0
    while True:
        page = store.list("many", after=after, limit=4)
        found += [entry.name + "/" * entry.is_dir for entry in page.entries]
        assert len(page.entries) <= 4
        pages += 1
        after = page.after
        if after is None:
            break
    assert found == sorted(expected)
    assert pages == 4


def test_an_exactly_full_page_ends_without_an_empty_one(local: LocalStore) -> None:
    for number in range(4):
        put(local, f"{number}.txt")
    assert local.list(limit=4).after is None
    assert local.list(limit=3).after == "2.txt"


def test_a_walk_meets_every_file_below_a_folder(store: ArtifactStore) -> None:
    for path in ("run/b/2.txt", "run/a.txt", "run/b/c/3.txt", "other/x.txt", "runner/y.txt"):
        put(store, path)
    assert [entry.path for entry in store.walk("run")] == ["run/a.txt", "run/b/2.txt", "run/b/c/3.txt"]
    assert [entry.name for entry in store.walk("run/b")] == ["2.txt", "3.txt"]
    assert len(list(store.walk())) == 5


def test_a_file_or_a_whole_folder_is_deleted_and_its_neighbours_stay(store: ArtifactStore) -> None:
    for path in ("run/a.txt", "run/b/1.txt", "run/b/c/2.txt", "runner/x.txt", "run.txt"):
        put(store, path)
    store.delete("run/a.txt")
    assert names(store, "run") == ["b/"]
    store.delete("run")
    assert names(store) == ["run.txt", "runner/"]
    store.delete("run")
    store.delete("never/was/there")


@pytest.mark.parametrize("path", ["", "/", ".", "./", ".//", "%2e", "..", "a/.."])
def test_the_root_is_never_deleted(store: ArtifactStore, path: str) -> None:
    put(store, "a.txt")
    with pytest.raises(InvalidParameter, match=r"^Invalid path"):
        store.delete(path)
    assert names(store) == ["a.txt"]


def test_no_call_leaves_the_root_in_any_spelling(store: ArtifactStore) -> None:
    calls: list[Callable[[str], object]] = [
        store.list,
        store.stat,
        store.open,
        store.delete,
        lambda path: put(store, path),
        lambda path: list(store.walk(path)),
    ]
    for path in ESCAPES:
        for call in calls:
            with pytest.raises(InvalidParameter, match=r"^Invalid path"):
                call(path)
    assert names(store) == []


def test_every_harmless_name_is_stored_listed_read_and_deleted(store: ArtifactStore) -> None:
    paths = [path for path in HARMLESS if "/" not in path]
    for path in paths:
        put(store, path, path.encode())
    assert sorted(names(store)) == sorted(paths)
    for path in paths:
        assert get(store, path) == path.encode()
        store.delete(path)
    assert names(store) == []


@pytest.mark.parametrize("length", [None, 100])
def test_an_upload_that_breaks_off_leaves_what_was_there(store: ArtifactStore, length: int | None) -> None:
    put(store, "a.txt", b"before")
    with pytest.raises(InvalidParameter) as refusal:
        store.write("a.txt", CutOff(b"half of it"), length=length)
    told = "broke off after 10 bytes" if length is None else "ended after 10 of 100 bytes"
    assert refusal.value.message == f"The upload of a.txt {told}; nothing was kept. Send it again."
    assert get(store, "a.txt") == b"before"


def test_an_upload_shorter_or_longer_than_announced_is_not_kept(store: ArtifactStore) -> None:
    with pytest.raises(InvalidParameter, match=r"^The upload of a.txt ended after 5 of 9 bytes; nothing was kept."):
        store.write("a.txt", io.BytesIO(b"short"), length=9)
    with pytest.raises(InvalidParameter, match=r"^The upload of a.txt is longer than the 3 bytes it announced;"):
        store.write("a.txt", io.BytesIO(b"longer"), length=3)
    assert names(store) == []


def test_a_large_upload_and_download_take_little_memory(local: LocalStore) -> None:
    tracemalloc.start()
    try:
        local.write("large.bin", Endless(64 * CHUNK), length=None)
        with local.open("large.bin") as reader:
            assert sum(len(chunk) for chunk in reader) == 64 * CHUNK
        assert tracemalloc.get_traced_memory()[1] < 8 * CHUNK
    finally:
        tracemalloc.stop()


# -- a folder ----------------------------------------------------------------------------------------------------------


def test_ten_thousand_files_give_their_first_page_within_a_tenth_of_a_second(local: LocalStore) -> None:
    folder = local.root / "many"
    folder.mkdir()
    for number in range(10_000):
        (folder / f"{number:05}.txt").touch()
    taken = []
    for _ in range(5):
        started = time.thread_time()
        page = local.list("many", limit=200)
        taken.append(time.thread_time() - started)
    last = local.list("many", after="09899.txt", limit=200)
    assert min(taken) < 0.1  # the best of some: what else the machine does is nobody's fault here
    assert [page.entries[0].name, page.entries[-1].name, page.after] == ["00000.txt", "00199.txt", "00199.txt"]
    assert [last.entries[0].name, last.entries[-1].name, last.after] == ["09900.txt", "09999.txt", None]


def test_folders_and_files_are_for_their_owner_alone(local: LocalStore) -> None:
    put(local, "a/b/c.txt")
    for path in (local.root, local.root / "a", local.root / "a/b", local.root / ".incoming"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE((local.root / "a/b/c.txt").stat().st_mode) == 0o600


def test_no_symbolic_link_is_followed_listed_read_or_written_through(local: LocalStore, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "key.txt").write_text("secret")
    put(local, "run/a.txt")
    (local.root / "run/folder").symlink_to(secrets)
    (local.root / "run/file.txt").symlink_to(secrets / "key.txt")
    (local.root / "run/dangling").symlink_to(secrets / "none")

    assert names(local, "run") == ["a.txt"]
    assert [entry.path for entry in local.walk("run")] == ["run/a.txt"]
    assert local.list("run/folder").entries == ()
    for path in ("run/file.txt", "run/folder", "run/folder/key.txt", "run/dangling"):
        with pytest.raises(NotFound):
            local.stat(path)
        with pytest.raises(NotFound):
            local.open(path)
    with pytest.raises(Conflict):
        put(local, "run/folder/planted.txt")
    put(local, "run/file.txt", b"mine")  # takes the place of the link, not of the file behind it
    local.delete("run")

    assert [path.name for path in secrets.iterdir()] == ["key.txt"]
    assert (secrets / "key.txt").read_text() == "secret"


def test_a_named_pipe_is_no_artifact_and_holds_nobody_up(local: LocalStore) -> None:
    put(local, "run/a.txt")
    os.mkfifo(local.root / "run/pipe")
    assert names(local, "run") == ["a.txt"]
    with pytest.raises(NotFound):
        local.open("run/pipe")


def test_a_file_that_is_not_named_in_utf8_is_not_listed(local: LocalStore) -> None:
    os.close(os.open(os.fsencode(local.root) + b"/\xff.txt", os.O_CREAT | os.O_WRONLY))
    put(local, "a.txt")
    assert names(local) == ["a.txt"]


def test_a_file_cannot_be_written_over_a_folder_nor_below_a_file(local: LocalStore) -> None:
    put(local, "model/a.txt")
    for path in ("model", "model/a.txt/b.txt"):
        with pytest.raises(Conflict, match="cannot be written: there is a folder of that name"):
            put(local, path)
    assert list((local.root / ".incoming").iterdir()) == []


def test_nothing_of_an_upload_is_seen_before_it_is_whole(local: LocalStore) -> None:
    seen: list[list[str]] = []

    class Watching(Endless):
        def read(self, size: int, /) -> bytes:
            seen.append(names(local))
            return super().read(size)

    local.write("a.txt", Watching(10), length=10)
    assert seen == [[], []]
    assert names(local) == ["a.txt"]


def test_the_folder_of_unfinished_uploads_cannot_be_reached_by_a_path(local: LocalStore) -> None:
    put(local, "a.txt")
    (local.root / ".incoming/half").write_bytes(b"half")
    for call in (local.list, local.stat, local.open, local.delete):
        with pytest.raises(InvalidParameter, match=r"^Invalid path '.incoming/half'"):
            call(".incoming/half")
    assert names(local) == ["a.txt"]
    put(local, "run/.incoming/b.txt")  # elsewhere it is a name like others
    assert get(local, "run/.incoming/b.txt") == b"hello"


@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_and_nothing_is_kept(
    local: LocalStore, monkeypatch: pytest.MonkeyPatch, reason: int
) -> None:
    put(local, "a.txt", b"before")

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StorageFull, match=r"^The artifact store is full; nothing of a.txt was kept. Free some room"):
        put(local, "a.txt", b"after")
    monkeypatch.undo()
    assert get(local, "a.txt") == b"before"
    assert list((local.root / ".incoming").iterdir()) == []


def test_a_broken_disk_is_told_without_a_path_of_the_machine(
    local: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error", str(local.root))

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(Unavailable) as refusal:
        put(local, "a.txt")
    assert refusal.value.message == "The artifact store does not work now (Input/output error); try again later."


def test_leftovers_are_swept_and_uploads_under_way_are_not(local: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    put(local, "a.txt")
    (local.root / ".incoming/broken").write_bytes(b"half")
    (local.root / ".incoming/deleted").mkdir()
    (local.root / ".incoming/deleted/old.txt").write_bytes(b"old")
    assert local.sweep_incoming(timedelta(hours=1)) == 0

    later = clock.now() + timedelta(hours=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert local.sweep_incoming(timedelta(hours=1)) == 2
    assert list((local.root / ".incoming").iterdir()) == []
    assert names(local) == ["a.txt"]


def test_a_reader_of_a_range_offers_its_descriptor_at_the_offset(local: LocalStore) -> None:
    put(local, "digits.txt", b"0123456789")
    with local.open("digits.txt", offset=4, length=3) as reader:
        assert os.lseek(reader.fileno(), 0, os.SEEK_CUR) == 4
        assert not hasattr(reader, "seek")
        assert not hasattr(reader, "name")


def test_an_open_file_is_read_to_its_end_while_it_is_replaced(local: LocalStore) -> None:
    put(local, "a.txt", b"before")
    with local.open("a.txt") as reader:
        put(local, "a.txt", b"after!")
        assert reader.read() == b"before"


def test_uploads_of_one_path_at_once_leave_one_of_them_whole(local: LocalStore) -> None:
    contents = [bytes([letter]) * (3 * CHUNK) for letter in b"abcd"]
    threads = [threading.Thread(target=put, args=(local, "run/same.bin", content)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert get(local, "run/same.bin") in contents
    assert list((local.root / ".incoming").iterdir()) == []


# -- a bucket ----------------------------------------------------------------------------------------------------------


def test_a_large_upload_goes_to_the_bucket_in_parts(s3: S3Store) -> None:
    assert s3.write("large.bin", Endless(33 * CHUNK), length=33 * CHUNK) == 33 * CHUNK
    tag = boto3.client("s3").head_object(Bucket=BUCKET, Key="podium/artifacts/large.bin")["ETag"]
    assert tag.endswith('-3"')
    assert get(s3, "large.bin", offset=33 * CHUNK - 2) == b"\0\0"


def test_a_large_upload_that_breaks_off_leaves_no_parts_in_the_bucket(s3: S3Store) -> None:
    with pytest.raises(InvalidParameter, match=r"^The upload of large.bin ended after 20971520 of 41943040 bytes;"):
        s3.write("large.bin", Endless(20 * CHUNK), length=40 * CHUNK)
    assert names(s3) == []
    assert boto3.client("s3").list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) == []


def test_parts_of_uploads_whose_process_died_are_swept(s3: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    client = boto3.client("s3")
    client.create_multipart_upload(Bucket=BUCKET, Key="podium/artifacts/left.bin")
    elsewhere = client.create_multipart_upload(Bucket=BUCKET, Key="elsewhere/left.bin")
    assert s3.sweep_incoming(timedelta(days=30 * 365)) == 0
    # moto gives every upload the same moment of the past
    assert s3.sweep_incoming(timedelta(0)) == 1
    assert [one["Key"] for one in client.list_multipart_uploads(Bucket=BUCKET)["Uploads"]] == ["elsewhere/left.bin"]
    client.abort_multipart_upload(Bucket=BUCKET, Key="elsewhere/left.bin", UploadId=elsewhere["UploadId"])


def test_only_what_lies_under_the_prefix_is_seen(s3: S3Store) -> None:
    client = boto3.client("s3")
    client.put_object(Bucket=BUCKET, Key="podium/secret.txt", Body=b"x")
    client.put_object(Bucket=BUCKET, Key="podium/artifacts-2/x.txt", Body=b"x")
    client.put_object(Bucket=BUCKET, Key="podium/artifacts/marked/", Body=b"")  # as consoles make folders
    put(s3, "marked/a.txt")
    assert names(s3) == ["marked/"]
    assert names(s3, "marked") == ["a.txt"]
    assert [entry.path for entry in s3.walk()] == ["marked/a.txt"]


def test_a_folder_of_more_than_one_answer_is_listed_and_deleted_whole(
    s3: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry_site.artifacts.s3._PAGE", 10)  # a store's answer ends at 1000
    for number in range(25):
        put(s3, f"many/{number:04}")
    assert len(names(s3, "many")) == 25
    page = s3.list("many", limit=22)
    assert len(page.entries) == 22
    assert [entry.name for entry in s3.list("many", after=page.after).entries] == ["0022", "0023", "0024"]
    s3.delete("many")
    assert names(s3) == []


def test_a_bucket_that_does_not_answer_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "maria")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        store = S3Store("s3://models")
        with pytest.raises(Unavailable, match=r"^The artifact store does not work now \(EndpointConnectionError\)"):
            store.stat("a.txt")


def test_a_missing_bucket_is_told_as_such(s3: S3Store) -> None:
    with pytest.raises(
        Unavailable, match=r"^The artifact store refused the call \(NoSuchBucket\); ask an administrator.$"
    ):
        S3Store("s3://nobodys-bucket").list("a")


# -- which store -------------------------------------------------------------------------------------------------------


def test_the_settings_choose_the_store(settings: object, tmp_path: Path, s3: S3Store) -> None:
    settings.PODIUM_ARTIFACT_ROOT = str(tmp_path / "here")  # type: ignore[attr-defined]
    first = default_store()
    assert isinstance(first, LocalStore)
    assert default_store() is first
    settings.PODIUM_ARTIFACT_ROOT = f"s3://{BUCKET}/pre/fix/"  # type: ignore[attr-defined]
    second = default_store()
    assert isinstance(second, S3Store)
    assert (second.bucket, second.prefix) == (BUCKET, "pre/fix")


def test_other_schemes_are_refused() -> None:
    with pytest.raises(
        InvalidParameter, match=r"^Artifacts lie in a folder or under s3://bucket/prefix, and not under 'ftp:"
    ):
        store_at("ftp://host/artifacts")


def test_the_moment_of_a_file_is_when_it_was_written(store: ArtifactStore) -> None:
    put(store, "a.txt")
    modified = store.list().entries[0].modified_ms
    assert modified is not None
    assert abs(clock.from_ms(modified) - datetime.now(clock.now().tzinfo)) < timedelta(minutes=1)
