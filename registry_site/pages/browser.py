"""The artifact browser: the tree of a run's or logged model's files, opened down to one of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from registry_site.artifacts.paths import basename, parent
from registry_site.core.errors import NotFound
from registry_site.tracking.artifact_files import ArtifactFile, ArtifactListing, stat_stored

ENTRIES_SHOWN = 200
ENTRIES_LISTED = 1000  # of a folder that is open: what one answer of an object store holds
ENTRIES_SEARCHED = 10_000  # of a folder whose entries are filtered
LEVELS_SHOWN = 20  # of a path that is deeper, the folders at its start are left out


class Listed(Protocol):
    """The first entries of a folder, by its path."""

    def __call__(self, path: str, /, *, limit: int) -> ArtifactListing: ...


@dataclass(frozen=True, slots=True)
class Home:
    """Whose files are browsed, and where its pages are. `models` are the folders that are logged models; `register_url`
    leads to the form that registers a folder, where folders are registered one by one."""

    title: str
    uri: str
    listed: Listed
    stored: Callable[[str], str]
    page_url: Callable[[str], str]
    file_url: Callable[[str], str]
    archive_url: Callable[[str], str]
    frame_url: Callable[[str], str]
    register_url: Callable[[str], str] | None = None
    models: frozenset[str] = frozenset()

    def uri_of(self, path: str) -> str:
        """What a client calls the file or folder."""
        return f"{self.uri}/{path}" if path else self.uri


@dataclass(frozen=True, slots=True)
class Node:
    """A file or folder in the tree. `hidden` entries of an open folder are not shown; with `is_cut` there are more than
    these, which nobody has counted."""

    path: str
    url: str
    is_dir: bool
    size: int | None = None
    is_current: bool = False
    is_open: bool = False
    is_model: bool = False
    children: list["Node"] = field(default_factory=list)
    hidden: int = 0
    is_cut: bool = False

    @property
    def name(self) -> str:
        return basename(self.path)


@dataclass(frozen=True, slots=True)
class Tree:
    """The opened tree, and the listing of the folder that is selected or holds the selected file."""

    root: Node
    folder: str
    listing: ArtifactListing
    is_file: bool


def tree_of(home: Home, path: str, *, words: str = "", shown: int = ENTRIES_SHOWN) -> Tree:
    """Open every folder on the way to the path, and it itself if it is one.

    `words` leaves only entries of the selected folder that have them in their names, `shown` says how many there are at
    most. Raises NotFound where nothing is at the path.
    """
    steps = path.split("/") if path else []
    first = max(0, len(steps) - LEVELS_SHOWN)
    base = "/".join(steps[:first])
    wanted = [word.casefold() for word in words.split()]

    def listed(folder: str) -> ArtifactListing:
        if folder not in (path, parent(path)):  # the last two may be the selected folder
            return home.listed(folder, limit=ENTRIES_LISTED)
        return home.listed(folder, limit=ENTRIES_SEARCHED if wanted else max(shown + 1, ENTRIES_LISTED))

    listings: dict[str, ArtifactListing] = {base: listed(base)}
    found: ArtifactFile | None = None
    for depth in range(first + 1, len(steps) + 1):
        here = "/".join(steps[:depth])
        found = _entry(home, listings, here)
        if found is None:
            raise NotFound(f"There is nothing at {path} in {home.title}.")
        if found.is_dir:
            listings[here] = listed(here)
        elif here != path:
            raise NotFound(f"There is nothing at {path} in {home.title}: {here} is a file.")
    is_file = found is not None and not found.is_dir
    folder = parent(path) if is_file else path

    def node(file: ArtifactFile) -> Node:
        is_open = file.is_dir and file.path in listings
        children, hidden = entries(file.path) if is_open else ([], 0)
        return Node(
            path=file.path,
            url=home.page_url(file.path),
            is_dir=file.is_dir,
            size=file.size,
            is_current=file.path == path,
            is_open=is_open,
            is_model=file.path in home.models,
            children=children,
            hidden=hidden,
            is_cut=is_open and not listings[file.path].is_complete,
        )

    def entries(of: str) -> tuple[list[Node], int]:
        files: Iterable[ArtifactFile] = listings[of].files
        if of == folder and wanted:
            files = [one for one in files if _has(one, wanted) or one.path == path]
        ordered = sorted(files, key=lambda one: (not one.is_dir, one.path))
        limit = shown if of == folder else ENTRIES_SHOWN
        kept = ordered[:limit] + [one for one in ordered[limit:] if one.path in listings or one.path == path]
        return [node(one) for one in kept], len(ordered) - len(kept)

    children, hidden = entries(base)
    root = Node(
        path=base,
        url=home.page_url(base),
        is_dir=True,
        is_current=base == path,
        is_open=True,
        children=children,
        hidden=hidden,
        is_cut=not listings[base].is_complete,
    )
    return Tree(root=root, folder=folder, listing=listings[folder], is_file=is_file)


def _entry(home: Home, listings: dict[str, ArtifactListing], path: str) -> ArtifactFile | None:
    """What the listing of its folder says of a path. In a folder that was not listed to its end, it is added there."""
    listing = listings[parent(path)]
    found = next((one for one in listing.files if one.path == path), None)
    if found is None and not listing.is_complete:
        try:
            entry = stat_stored(home.stored(path))
        except NotFound:
            return None
        found = ArtifactFile(path, entry.is_dir, entry.size)
        listings[parent(path)] = replace(listing, files=(*listing.files, found))
    return found


def _has(file: ArtifactFile, words: list[str]) -> bool:
    name = basename(file.path).casefold()
    return all(word in name for word in words)


def versions_at(home: Home, path: str, versions: Iterable[Any], models: Iterable[Any] = ()) -> list[Any]:
    """Of the registered versions, those that were made of this folder."""
    ids = {model.model_id for model in models if model.name == path}
    return [one for one in versions if one.source == home.uri_of(path) or (one.model_id and one.model_id in ids)]
