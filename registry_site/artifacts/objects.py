"""What object stores have in common: keys under a prefix instead of folders, answers in pages, and errors of a library
of their own. A provider says how one request is made."""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from registry_site.artifacts.paths import basename, join, validate_artifact_path
from registry_site.artifacts.store import (
    CHUNK,
    Body,
    Entry,
    Intake,
    Listing,
    Reader,
    Source,
    is_a_folder,
    store_full,
)
from registry_site.core import clock
from registry_site.core.errors import InvalidParameter, NotFound, PodiumError, Unavailable

PAGE = 1000  # keys in an answer of a store
_MAX_KEY_BYTES = 1024  # of all of them
_AT_ONCE = 8  # requests, where a store deletes one object by each
_BUSY = {429, 500, 502, 503, 504}
_FULL = 507


@dataclass(frozen=True, slots=True)
class Object:
    """What lies under a key. A marker is an object that only stands for a folder."""

    key: str
    size: int
    modified: datetime
    is_marker: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One answer to a listing, in the order of keys; `folders` end with a `/`. `after` asks for the next one, and only
    the provider knows what it means."""

    objects: Sequence[Object]
    folders: Sequence[str]
    after: str | None


class Upload:
    """An upload as the libraries of stores read one: as many bytes as were asked for, less only at the end."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def read(self, size: int = -1) -> bytes:
        parts: list[bytes] = []
        missing = size
        while size < 0 or missing > 0:
            chunk = self._intake.read(CHUNK if size < 0 else missing)
            if not chunk:
                break
            parts.append(chunk)
            missing -= len(chunk)
        return b"".join(parts)

    def tell(self) -> int:
        return self._intake.size


class ObjectStore(ABC):
    """The keys of a bucket under a prefix. Folders are prefixes, so an empty one does not exist.

    A provider raises what its library raises, which is one of `failures`; `told` turns that into an error of ours,
    NotFound for an object that is not there.
    """

    failures: tuple[type[Exception], ...]

    def __init__(self, root: str) -> None:
        """`root` is `scheme://bucket/prefix`; the prefix may be missing."""
        self.bucket, _, prefix = root.partition("://")[2].partition("/")
        self.prefix = prefix.strip("/")

    # -- one request each, or one for each page ------------------------------------------------------------------------
    @abstractmethod
    def page(self, base: str, *, after: str | None, limit: int, flat: bool) -> Page:
        """At most so many of the keys that begin with `base`; unless `flat`, only those directly below it, and the
        folders there."""

    @abstractmethod
    def head(self, key: str) -> Object:
        """What lies under the key."""

    @abstractmethod
    def body(self, key: str, offset: int, length: int | None) -> tuple[Body, int] | None:
        """The object from the offset on, and how many bytes that are; None when it ends before."""

    @abstractmethod
    def put(self, key: str, upload: Upload, length: int | None) -> None:
        """Reads the upload to its end and makes it the object; of one that raises nothing is seen."""

    @abstractmethod
    def remove(self, keys: Sequence[str]) -> None:
        """Takes objects away, at most a page of them. Content with there being none."""

    @abstractmethod
    def told(self, path: str, failure: Exception) -> PodiumError:
        """The failure in our words."""

    # -- what a store is asked -----------------------------------------------------------------------------------------
    def list(self, path: str = "", *, after: str | None = None, limit: int | None = None) -> Listing:
        base = self.base(path)
        entries: list[Entry] = []
        with self.answers(path):
            while True:
                wanted = PAGE if limit is None else min(limit - len(entries), PAGE)
                page = self.page(base, after=after, limit=wanted, flat=False)
                found: dict[str, Object | None] = {one.key: one for one in page.objects if not one.is_marker}
                found.update(dict.fromkeys(page.folders))
                entries += [_entry(base, path, key, found[key]) for key in sorted(found) if not key.endswith("//")]
                after = page.after
                if after is None or (limit is not None and len(entries) >= limit):
                    return Listing(tuple(entries), after)

    def walk(self, prefix: str = "", *, empty_folders: bool = False) -> Iterator[Entry]:
        base = self.base(prefix)
        with self.answers(prefix):
            for found in self.objects(base):
                if not found.is_marker:
                    yield _entry(base, prefix, found.key, found)

    def stat(self, path: str) -> Entry:
        key = self.key(path)
        try:
            with self.answers(path):
                found = self.head(key)
        except NotFound:
            if self._is_folder(path):
                return Entry(basename(path), path, is_dir=True, size=None, modified_ms=None)
            raise
        if found.is_marker:
            return Entry(basename(path), path, is_dir=True, size=None, modified_ms=None)
        return Entry(basename(path), path, False, found.size, clock.to_ms(found.modified))

    def open(self, path: str, *, offset: int = 0, length: int | None = None) -> Reader:
        key = self.key(path)
        if length == 0:
            self.stat(path)
            return Reader(_Nothing(), remaining=0)
        try:
            with self.answers(path):
                found = self.body(key, offset, length)
        except NotFound:
            if self._is_folder(path):
                raise is_a_folder(path) from None
            raise
        if found is None:  # also of every range of an empty file
            return Reader(_Nothing(), remaining=0)
        body, remaining = found
        return Reader(_Body(self, path, body), remaining=remaining)

    def write(self, path: str, stream: Source, *, length: int | None) -> int:
        key = self.key(path)
        intake = Intake(path, stream, length)
        with self.answers(path):
            self.put(key, Upload(intake), length)
        return intake.size

    def delete(self, path: str) -> None:
        key = self.key(path)
        markers: list[str] = []
        batch: list[str] = []
        with self.answers(path):
            for found in self.objects(f"{key}/"):
                (markers if found.is_marker else batch).append(found.key)
                if len(batch) == PAGE:
                    self.remove(batch)
                    batch = []
            self.remove(batch)
            for marker in reversed(markers):  # of folders, which some stores let go only when they are empty
                self.remove([marker])
            self.remove([key])

    # -- for providers -------------------------------------------------------------------------------------------------
    def key(self, path: str) -> str:
        """The key of a path. Raises InvalidParameter."""
        key = join(self.prefix, validate_artifact_path(path))
        if len(key.encode()) > _MAX_KEY_BYTES:
            raise too_long(path)
        return key

    def base(self, path: str) -> str:
        """What the keys below a folder begin with."""
        key = self.key(path) if path else self.prefix
        return f"{key}/" if key else ""

    def objects(self, base: str) -> Iterator[Object]:
        """Everything whose key begins with `base`."""
        after: str | None = None
        while True:
            page = self.page(base, after=after, limit=PAGE, flat=True)
            yield from page.objects
            after = page.after
            if after is None:
                return

    @contextlib.contextmanager
    def answers(self, path: str) -> Iterator[None]:
        """Turns the errors of the store's own library into ours."""
        try:
            yield
        except self.failures as failure:
            raise self.told(path, failure) from failure

    def _is_folder(self, path: str) -> bool:
        with self.answers(path):
            return bool(self.page(self.base(path), after=None, limit=1, flat=True).objects)


def refusal(path: str, status: int | None, code: str) -> PodiumError:
    """What is told of an answer that is an error, unless it means that nothing is there."""
    if status == _FULL:
        return store_full(path)
    if status in _BUSY:
        return Unavailable(f"The artifact store does not work now ({code}); try again later.")
    return Unavailable(f"The artifact store refused the call ({code}); ask an administrator.")


def too_long(path: str) -> InvalidParameter:
    return InvalidParameter(f"Invalid path {path!r}: it is too long for the store.", field="path")


def cannot_be_completed(path: str, code: str) -> InvalidParameter:
    """What is wrong with the parts of an upload is the client's to put right."""
    return InvalidParameter(f"The upload of {path} cannot be completed ({code}); nothing was kept. Start it anew.")


def at_once(call: Callable[[str], object], keys: Iterable[str]) -> None:
    """Makes the call for each key, some at a time. Raises what the first of them raises."""
    with ThreadPoolExecutor(_AT_ONCE) as together:
        for _ in together.map(call, keys):
            pass


class _Nothing:
    """An empty file's body."""

    def read(self, size: int, /) -> bytes:
        return b""

    def close(self) -> None:
        """Holds nothing."""


class _Body:
    """The body of an answer, whose connection may break while it is read."""

    def __init__(self, store: ObjectStore, path: str, body: Body) -> None:
        self._store = store
        self._path = path
        self._body = body
        self.close = body.close

    def read(self, size: int, /) -> bytes:
        with self._store.answers(self._path):
            return self._body.read(size)


def _entry(base: str, path: str, key: str, found: Object | None) -> Entry:
    name = key.removeprefix(base)
    if found is None:
        name = name.rstrip("/")
        return Entry(name, join(path, name), is_dir=True, size=None, modified_ms=None)
    return Entry(basename(name), join(path, name), False, found.size, clock.to_ms(found.modified))
