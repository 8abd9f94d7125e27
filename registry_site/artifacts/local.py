"""Artifacts in a folder of this machine."""

import contextlib
import errno
import os
import shutil
import stat as modes
import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from registry_site.artifacts.paths import join, validate_artifact_path
from registry_site.artifacts.store import (
    CHUNK,
    INCOMING,
    Entry,
    Intake,
    Listing,
    Reader,
    Source,
    is_a_folder,
    not_found,
    own_folder,
    store_full,
    unavailable,
)
from registry_site.core import clock
from registry_site.core.errors import Conflict, PodiumError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # a named pipe would wait for its other end
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_FLUSHED = 32 * CHUNK  # bytes that may wait for the disk while more arrive
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}


class _File:
    """A file opened for reading."""

    def __init__(self, descriptor: int) -> None:
        self._file = os.fdopen(descriptor, "rb", buffering=0)
        self.close = self._file.close
        self.fileno = self._file.fileno

    def read(self, size: int, /) -> bytes:
        try:
            return self._file.read(size) or b""
        except OSError as failure:
            raise unavailable(failure) from failure


class LocalStore:
    """A folder, 0700, and in it files, 0600. The root may be a symbolic link; below it none is followed or
    listed: every part of a path is opened inside the one before, so a link put there in mid-call leads
    nowhere either."""

    def __init__(self, root: str) -> None:
        self.root = Path(os.path.realpath(root))
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def list(self, path: str = "", *, after: str | None = None, limit: int | None = None) -> Listing:
        try:
            with self._folder(self._parts(path) if path else ()) as folder:
                keys = sorted(key for key in _keys_in(folder) if after is None or key > after)
                if not path:
                    keys = [key for key in keys if key != f"{INCOMING}/"]
                page = keys if limit is None else keys[: limit + 1]
                more = limit is not None and len(page) > limit
                page = page[:limit]
                entries = tuple(entry for key in page if (entry := _entry(folder, path, key)))
        except OSError as failure:
            if failure.errno in _ABSENT:
                return Listing((), None)
            raise unavailable(failure) from failure
        return Listing(entries, page[-1] if more and page else None)

    def walk(self, prefix: str = "", *, empty_folders: bool = False) -> Iterator[Entry]:
        for entry in self.list(prefix).entries:
            if not entry.is_dir:
                yield entry
                continue
            is_empty = True
            for inner in self.walk(entry.path, empty_folders=empty_folders):
                is_empty = False
                yield inner
            if is_empty and empty_folders:
                yield entry

    def stat(self, path: str) -> Entry:
        *folders, name = self._parts(path)
        try:
            with self._folder(folders) as folder:
                entry = _entry(folder, "/".join(folders), name)
        except OSError as failure:
            raise not_found(path) if failure.errno in _ABSENT else unavailable(failure) from failure
        if entry is None:
            raise not_found(path)
        return entry

    def open(self, path: str, *, offset: int = 0, length: int | None = None) -> Reader:
        *folders, name = self._parts(path)
        try:
            with self._folder(folders) as folder:
                file = os.open(name, _FILE, dir_fd=folder)
        except OSError as failure:
            raise not_found(path) if failure.errno in _ABSENT else unavailable(failure) from failure
        found = os.fstat(file)
        if not modes.S_ISREG(found.st_mode):
            os.close(file)
            raise is_a_folder(path) if modes.S_ISDIR(found.st_mode) else not_found(path)
        os.lseek(file, offset, os.SEEK_SET)
        rest = max(found.st_size - offset, 0)
        body = _File(file)
        return Reader(body, remaining=rest if length is None else min(rest, length), fileno=body.fileno)

    def write(self, path: str, stream: Source, *, length: int | None) -> int:
        *folders, name = self._parts(path)
        intake = Intake(path, stream, length)
        temporary = uuid4().hex
        try:
            with self._folder([INCOMING], make=True) as incoming:
                try:
                    file = os.open(temporary, _NEW, 0o600, dir_fd=incoming)
                    try:
                        _write(file, intake)
                    finally:
                        os.close(file)
                    with self._folder(folders, make=True) as folder:
                        os.rename(temporary, name, src_dir_fd=incoming, dst_dir_fd=folder)
                        os.fsync(folder)  # else a power cut could forget the name that was acknowledged
                except BaseException:
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(temporary, dir_fd=incoming)
                    raise
        except OSError as failure:
            raise _write_failure(path, failure) from failure
        return intake.size

    def delete(self, path: str) -> None:
        *folders, name = self._parts(path)
        trash = uuid4().hex
        try:
            # Renamed first: a folder is gone at once, and what a crash leaves of it is swept with the broken
            # uploads.
            with self._folder([INCOMING], make=True) as incoming, self._folder(folders) as folder:
                os.rename(name, trash, src_dir_fd=folder, dst_dir_fd=incoming)
                os.fsync(folder)
                _remove(trash, incoming)
        except OSError as failure:
            if failure.errno not in _ABSENT:
                raise unavailable(failure) from failure

    def sweep_incoming(self, older_than: timedelta) -> int:
        horizon = (clock.now() - older_than).timestamp()
        swept = 0
        with self._folder([INCOMING], make=True) as incoming:
            for name in os.listdir(incoming):
                with contextlib.suppress(FileNotFoundError):  # its upload ended meanwhile
                    if os.stat(name, dir_fd=incoming, follow_symlinks=False).st_ctime < horizon:
                        _remove(name, incoming)
                        swept += 1
        return swept

    def _parts(self, path: str) -> Sequence[str]:
        parts = validate_artifact_path(path).split("/")
        if parts[0] == INCOMING:
            raise own_folder(path)
        return parts

    @contextlib.contextmanager
    def _folder(self, parts: Sequence[str], *, make: bool = False) -> Iterator[int]:
        """A descriptor of the folder. Raises OSError when a part is missing (unless made), a file or a
        link."""
        try:
            folder = os.open(self.root, _FOLDER)
        except OSError as failure:  # not what is asked for is missing, but all of it: a file system that is not there
            raise unavailable(failure) from failure
        try:
            for part in parts:
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(part, 0o700, dir_fd=folder)
                        os.fsync(folder)
                child = os.open(part, _FOLDER, dir_fd=folder)
                os.close(folder)
                folder = child
            yield folder
        finally:
            os.close(folder)


def _keys_in(folder: int) -> Iterator[str]:
    with os.scandir(folder) as found:
        for item in found:
            name = item.name
            if not name.isascii() and not _is_utf8(name):  # nobody could ask for it
                continue
            if item.is_file(follow_symlinks=False):
                yield name
            elif item.is_dir(follow_symlinks=False):
                yield f"{name}/"


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _entry(folder: int, path: str, key: str) -> Entry | None:
    name = key.rstrip("/")
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if modes.S_ISDIR(found.st_mode):
        return Entry(name, join(path, name), is_dir=True, size=None, modified_ms=None)
    if modes.S_ISREG(found.st_mode):
        return Entry(name, join(path, name), False, found.st_size, found.st_mtime_ns // 1_000_000)
    return None


def _write(file: int, intake: Intake) -> None:
    """Everything that comes, on the disk when this returns. What a large file has brought so far goes to the disk while
    the rest arrives: else it would have to wait for all of it at the end."""
    buffer = memoryview(bytearray(CHUNK))
    with _Flusher(file) as flusher:
        while count := intake.read_into(buffer):
            rest = buffer[:count]
            while rest:
                rest = rest[os.write(file, rest) :]
            flusher.wrote(count)
    os.fsync(file)


class _Flusher:
    """Sends to the disk what was written to a file, in a thread of its own and one piece at a time."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._waiting = 0
        self._thread: threading.Thread | None = None

    def wrote(self, count: int) -> None:
        self._waiting += count
        if self._waiting >= _FLUSHED and not (self._thread and self._thread.is_alive()):
            self._waiting = 0
            self._thread = threading.Thread(target=self._flush, daemon=True)
            self._thread.start()

    def _flush(self) -> None:
        with contextlib.suppress(OSError):  # which the last word, fsync, will say again
            os.fdatasync(self._file)

    def __enter__(self) -> "_Flusher":
        return self

    def __exit__(self, *failure: object) -> None:
        if self._thread:
            self._thread.join()  # before the file is closed under its feet


def _remove(name: str, folder: int) -> None:
    if modes.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        shutil.rmtree(name, dir_fd=folder)
    else:
        os.unlink(name, dir_fd=folder)


def _write_failure(path: str, failure: OSError) -> PodiumError:
    if failure.errno in {errno.ENOSPC, errno.EDQUOT}:
        return store_full(path)
    if failure.errno in {errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.ENOTEMPTY, errno.EEXIST}:
        return Conflict(f"{path} cannot be written: there is a folder of that name, or one of its folders is a file.")
    return unavailable(failure)
