"""Where artifacts lie: a folder of this machine, or a bucket of an object store; several of them behind one.

Paths are relative to the store's root and are checked here again, whoever calls. Bytes pass through in
chunks, so memory does not grow with a file. A file is there whole or not at all. All stores list in the
order of object keys, where a folder counts as its name with a `/` behind it, so that a page of a long folder
can be read without reading the rest.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Protocol, runtime_checkable

from django.conf import settings
from django.utils.module_loading import import_string

from registry_site.artifacts.paths import join
from registry_site.artifacts.schemes import PROVIDERS, scheme_of, trouble
from registry_site.core.errors import InvalidParameter, NotFound, StorageFull, Unavailable

CHUNK = 1024 * 1024  # bytes that are in memory at a time
INCOMING = ".incoming"  # for what is not whole yet, where a store needs such a place; no path leads into it


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or a folder. `size` is in bytes; a folder has neither size nor time."""

    name: str
    path: str
    is_dir: bool
    size: int | None
    modified_ms: int | None


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a folder. `after` brings the next page when it is given back to `list`; None on the last
    one."""

    entries: tuple[Entry, ...]
    after: str | None


class Source(Protocol):
    """What an upload is read from: empty bytes mean that it ended."""

    def read(self, size: int, /) -> bytes: ...


@runtime_checkable
class FillingSource(Protocol):
    """A source that can write into memory which is there already: how many bytes it wrote, 0 when it ended."""

    def readinto(self, buffer: memoryview, /) -> int: ...


class Body(Source, Protocol):
    """What a store reads an artifact from."""

    def close(self) -> None: ...


class Reader:
    """The bytes of an artifact, or of a range of one. Close it, or use it in a `with`. `remaining` is what is
    not read.

    Of a local file it has `fileno()`, at the offset of the range, so that a web server may use sendfile. It
    has no `name`, `seek` and `tell`, by which servers would find the rest of the file.
    """

    def __init__(self, body: Body, *, remaining: int, fileno: Callable[[], int] | None = None) -> None:
        self._body = body
        self.remaining = remaining
        if fileno:
            self.fileno = fileno

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes and a chunk; empty at the end. Without a size, all that remain."""
        if size < 0:
            return b"".join(self)
        if not self.remaining:
            return b""
        chunk = self._body.read(min(size, self.remaining, CHUNK))
        self.remaining -= len(chunk)
        return chunk

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self.read(CHUNK):
            yield chunk

    def close(self) -> None:
        self._body.close()

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()


class ArtifactStore(Protocol):
    """What pages and protocols may ask of a store. Every path may raise InvalidParameter (see `paths`), and
    every call Unavailable, when the store itself does not answer."""

    def list(self, path: str = "", *, after: str | None = None, limit: int | None = None) -> Listing:
        """What lies directly in a folder, a page of at most `limit` entries. Empty for a file or a missing
        folder. `after` is what another page of it said: only the store knows what it means."""

    def walk(self, prefix: str = "", *, empty_folders: bool = False) -> Iterator[Entry]:
        """Every file below a folder, in the order of `list`, and with `empty_folders` those below it too, where the
        store has such. Nothing for a file or a missing folder."""

    def stat(self, path: str) -> Entry:
        """The file or folder there. Raises NotFound."""

    def open(self, path: str, *, offset: int = 0, length: int | None = None) -> Reader:
        """The file's bytes from the offset on, at most `length` of them. Raises NotFound; InvalidParameter of
        a folder."""

    def write(self, path: str, stream: Source, *, length: int | None) -> int:
        """Stores the stream under the path, over what was there; parents are made. Returns its length in bytes.

        Nothing is kept and what was there stays when this raises: InvalidParameter when the stream breaks off
        or is not `length` bytes long (None: it ends where it ends), StorageFull, or Conflict when a folder is
        in the way.
        """

    def delete(self, path: str) -> None:
        """Takes a file, or a folder with all that is in it, away. Content with nothing being there. Never the
        root."""

    def sweep_incoming(self, older_than: timedelta) -> int:
        """Takes away what uploads left that broke off so long ago with their process; says how many."""


class Stores:
    """Several stores as one. A path is one of the first store, unless it is a URI: then it lies in the store with the
    longest root that it begins with. A URI that lies under none of the roots is refused, whatever is asked."""

    def __init__(self, first: ArtifactStore, further: Mapping[str, ArtifactStore]) -> None:
        self.first = first
        self.further = dict(sorted(further.items(), key=lambda item: -len(item[0])))

    def at(self, path: str) -> tuple[ArtifactStore, str, str]:
        """The store of a path, the path there, and the root that was before it. Raises InvalidParameter."""
        if "://" not in path:
            return self.first, path, ""
        for root, store in self.further.items():
            if path == root or path.startswith(f"{root}/"):
                return store, path[len(root) + 1 :], root
        raise InvalidParameter(f"{path} lies in no artifact store of this server.", field="path")

    def list(self, path: str = "", *, after: str | None = None, limit: int | None = None) -> Listing:
        store, inside, root = self.at(path)
        found = store.list(inside, after=after, limit=limit)
        return Listing(tuple(_below(root, entry) for entry in found.entries), found.after)

    def walk(self, prefix: str = "", *, empty_folders: bool = False) -> Iterator[Entry]:
        store, inside, root = self.at(prefix)
        return (_below(root, entry) for entry in store.walk(inside, empty_folders=empty_folders))

    def stat(self, path: str) -> Entry:
        store, inside, root = self.at(path)
        return _below(root, store.stat(inside))

    def open(self, path: str, *, offset: int = 0, length: int | None = None) -> Reader:
        store, inside, _ = self.at(path)
        return store.open(inside, offset=offset, length=length)

    def write(self, path: str, stream: Source, *, length: int | None) -> int:
        store, inside, _ = self.at(path)
        return store.write(inside, stream, length=length)

    def delete(self, path: str) -> None:
        store, inside, _ = self.at(path)
        store.delete(inside)

    def sweep_incoming(self, older_than: timedelta) -> int:
        """Of the first store only: what is under way in the others is under way without this server."""
        return self.first.sweep_incoming(older_than)


def _below(root: str, entry: Entry) -> Entry:
    return replace(entry, path=join(root, entry.path)) if root else entry


@cache
def store_at(root: str) -> ArtifactStore:
    """The store of a root: a folder's path, or a URI. Raises InvalidParameter where `schemes` knows of trouble."""
    if told := trouble([root]):
        raise InvalidParameter(told)
    store: ArtifactStore = import_string(PROVIDERS[scheme_of(root)].store)(root)
    return store


@cache
def _stores(root: str, further: tuple[str, ...]) -> Stores:
    return Stores(store_at(root), {one.rstrip("/"): store_at(one.rstrip("/")) for one in further})


def default_store() -> ArtifactStore:
    """The store that the settings name; where they name further ones, all of them as one."""
    root, further = str(settings.PODIUM_ARTIFACT_ROOT), tuple(settings.PODIUM_ARTIFACT_STORES)
    return _stores(root, further) if further else store_at(root)


def store_of(path: str) -> tuple[ArtifactStore, str]:
    """The one store that a path of the default store really lies in, and its path there. Raises InvalidParameter for a
    URI that lies in none."""
    store = default_store()
    return store.at(path)[:2] if isinstance(store, Stores) else (store, path)


class Intake:
    """Reads an upload to its end: counts, and refuses one that is not as long as was said. `size` is what was read."""

    def __init__(self, path: str, stream: Source, length: int | None) -> None:
        self._path = path
        self._stream = stream
        self._length = length
        self.size = 0

    def read(self, size: int) -> bytes:
        """At most `size` bytes and a chunk; empty at the end."""
        try:
            chunk = self._stream.read(min(size, CHUNK))
        except OSError as cut:  # the connection, not the disk: the disk is written elsewhere
            raise self._broken_off() from cut
        self._count(len(chunk))
        return chunk

    def read_into(self, buffer: memoryview) -> int:
        """Fills the buffer from its start, if the stream can do that without a copy; how many bytes came, 0 at the
        end."""
        if not isinstance(self._stream, FillingSource):
            chunk = self.read(len(buffer))
            buffer[: len(chunk)] = chunk
            return len(chunk)
        try:
            count = self._stream.readinto(buffer)
        except OSError as cut:
            raise self._broken_off() from cut
        self._count(count)
        return count

    def _count(self, came: int) -> None:
        self.size += came
        if self._length is not None and (self.size > self._length or (not came and self.size < self._length)):
            raise self._broken_off()

    def _broken_off(self) -> InvalidParameter:
        if self._length is not None and self.size > self._length:
            reason = f"is longer than the {self._length} bytes it announced"
        elif self._length is not None:
            reason = f"ended after {self.size} of {self._length} bytes"
        else:
            reason = f"broke off after {self.size} bytes"
        return InvalidParameter(f"The upload of {self._path} {reason}; nothing was kept. Send it again.")


def not_found(path: str) -> NotFound:
    return NotFound(f"No artifact at {path}.")


def is_a_folder(path: str) -> InvalidParameter:
    return InvalidParameter(f"{path} is a folder; ask for a file in it.", field="path")


def own_folder(path: str) -> InvalidParameter:
    return InvalidParameter(f"Invalid path {path!r}: {INCOMING} is the store's own folder.", field="path")


def unavailable(failure: Exception) -> Unavailable:
    said = os.strerror(failure.errno) if isinstance(failure, OSError) and failure.errno else type(failure).__name__
    return Unavailable(f"The artifact store does not work now ({said}); try again later.")


def store_full(path: str) -> StorageFull:
    return StorageFull(f"The artifact store is full; nothing of {path} was kept. Free some room and send it again.")
