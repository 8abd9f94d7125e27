"""Where the files of a version lie: the one place that knows how an artifact URI becomes a folder of a store."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from registry_site.artifacts.paths import basename, join
from registry_site.artifacts.store import ArtifactStore, Entry, Reader, default_store
from registry_site.core.errors import InvalidParameter, NotFound
from registry_site.registry.models import ModelVersion
from registry_site.tracking import rules
from registry_site.tracking.artifact_files import stored_path


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder in a store. Paths of its files are relative to it; one that is a file holds itself, by its name."""

    store: ArtifactStore
    path: str

    def files(self) -> Iterator[Entry]:
        """Every file in it, at any depth; none where there is nothing. Raises Unavailable."""
        found = False
        for entry in self.store.walk(self.path):
            found = True
            relative = entry.path.removeprefix(self.path).lstrip("/")
            yield Entry(entry.name, relative, False, entry.size, entry.modified_ms)
        if not found:
            try:
                entry = self.store.stat(self.path)
            except NotFound:
                return
            if not entry.is_dir:
                yield Entry(entry.name, entry.name, False, entry.size, entry.modified_ms)

    def open(self, path: str, *, offset: int = 0, length: int | None = None) -> Reader:
        """The bytes of a file, from the offset on. Raises NotFound, Unavailable."""
        try:
            return self.store.open(join(self.path, path), offset=offset, length=length)
        except NotFound:
            if path != basename(self.path):
                raise
            return self.store.open(self.path, offset=offset, length=length)

    def text(self, path: str, most: int) -> str | None:
        """What a small file says; None where it is not there, or has more than so many bytes. Raises Unavailable."""
        try:
            with self.open(path, length=most + 1) as reader:
                content = reader.read()
        except (NotFound, InvalidParameter):
            return None
        return content.decode("utf-8", "replace") if len(content) <= most else None


def folder_at(uri: str) -> Folder | None:
    """The folder of an artifact URI; None where it is in no store of this server, or is a store as a whole."""
    path = stored_path(uri)
    return Folder(default_store(), path) if path else None


def folder_of(version: ModelVersion) -> Folder | None:
    """The folder of a version's files; None also where it is in no run or logged model that the version is known to be
    made of: whoever registered it has only said so, and may not be allowed to look there."""
    folder = folder_at(version.storage_location)
    parts = rules.split_artifact_path(folder.path) if folder else None
    return folder if parts and parts[1] in (version.run_id, version.model_id) else None


def place_of(uri: str) -> str:
    """The URI in the one spelling under which places are compared."""
    path = stored_path(uri)
    return (uri if path is None else place_of_path(path)).rstrip("/")


def place_of_path(path: str) -> str:
    """The place of a path in the first store, or of a URI in one of the further stores."""
    return path if "://" in path else f"{rules.PROXY_SCHEME}:/{path}"


def key_of(place: str) -> str:
    """What a place is found by: places are longer than an index takes."""
    return hashlib.sha256(place.encode()).hexdigest()


def keys_above(place: str) -> list[str]:
    """The keys of the place itself and of every folder that it lies in."""
    scheme, _, path = place.partition(":/")
    return [key_of(f"{scheme}:/{folder}") for folder in accumulate(path.split("/"), "{}/{}".format)]
