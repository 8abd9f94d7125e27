"""All stores keep one promise: whole files or none, inside the root, in bounded memory."""

import errno
import io
import os
import stat
import threading
import time
import tracemalloc
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from registry_site.artifacts.local import LocalStore
from registry_site.artifacts.store import CHUNK, ArtifactStore
from registry_site.core import clock
from registry_site.core.errors import Conflict, InvalidParameter, NotFound, StorageFull, Unavailable
from tests.buckets import KINDS, Servers, made, servers
from tests.object_store import QUIET
from tests.rules.test_artifact_paths import ESCAPES, HARMLESS

__all__ = ["servers"]  # a fixture
pytestmark = QUIET


@pytest.fixture
def local(tmp_path: Path) -> LocalStore:
    return LocalStore(str(tmp_path / "artifacts"))


@pytest.fixture(params=["local", *KINDS])
def store(
    request: pytest.FixtureRequest, local: LocalStore, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> ArtifactStore:
    return local if request.param == "local" else made(servers, request.param, monkeypatch).store


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


# -- what all promise --------------------------------------------------------------------------------------------------


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


def test_the_moment_of_a_file_is_when_it_was_written(store: ArtifactStore) -> None:
    put(store, "a.txt")
    modified = store.list().entries[0].modified_ms
    assert modified is not None
    assert abs(clock.from_ms(modified) - datetime.now(clock.now().tzinfo)) < timedelta(minutes=1)


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
