"""What the artifact browser's templates need: the tree at the left, and the pane beside it."""

from collections.abc import Iterable
from typing import Any

from registry_site.artifacts.paths import basename
from registry_site.artifacts.previews import Kind, Preview, Table, preview
from registry_site.artifacts.store import default_store
from registry_site.core.errors import PodiumError
from registry_site.pages.browser import ENTRIES_SHOWN, Home, Tree, tree_of, versions_at
from registry_site.pages.json_tree import json_tree
from registry_site.pages.middleware import PageRequest
from registry_site.tracking.artifact_files import ArtifactListing

PARTS = {
    "browser": "pages/runs/_browser.html",
    "tree": "pages/runs/_tree.html",
    "preview": "pages/runs/_pane.html",
}
MOST_SHOWN = 100_000
LONG_CELL = 60  # characters; a longer one is broken into lines
README = ("README.md", "readme.md", "Readme.md")


def browser_context(
    request: PageRequest, home: Home, path: str, *, versions: Iterable[Any] = (), models: Iterable[Any] = ()
) -> dict[str, Any]:
    """The whole browser with the path open. Raises NotFound where nothing is there."""
    words = request.GET.get("q", "").strip()
    shown = _number(request.GET.get("show"))
    tree = tree_of(home, path, words=words, shown=shown)
    query = request.GET.copy()
    query["show"] = str(shown + ENTRIES_SHOWN)
    context = {
        "tree": tree,
        "home_title": basename(tree.root.path) or home.title,
        "path": path,
        "words": words,
        "folder_url": home.page_url(tree.folder),
        "folder_name": basename(tree.folder),
        "more_url": f"{home.page_url(path)}?{query.urlencode()}",
    }
    if tree.is_file:
        return context | pane_context(home, path)
    return context | _folder_context(home, path, tree, versions_at(home, path, versions, models))


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and ENTRIES_SHOWN <= int(text) <= MOST_SHOWN else ENTRIES_SHOWN


def pane_context(home: Home, path: str) -> dict[str, Any]:
    """The pane of one file. Raises NotFound, and InvalidParameter of a folder."""
    shown = preview(default_store(), home.stored(path))
    return {
        "is_file": True,
        "name": basename(path),
        "size": shown.entry.size,
        "uri": home.uri_of(path),
        "file_url": home.file_url(path),
        "preview": shown,
        "preview_template": f"pages/previews/{shown.kind.value}.html",
        "rows": _cells(shown.table) if shown.table else [],
        "json": json_tree(shown.tree) if shown.tree else "",
        "lines": shown.text.split("\n") if shown.kind is Kind.TEXT else [],
        "card": shown.model,
    }


def _cells(table: Table) -> list[list[tuple[str, str]]]:
    """Every cell with the class that lays it out."""
    return [
        [(cell, "number" if column.numeric else "long" if len(cell) > LONG_CELL else "") for cell, column in cells]
        for row in table.rows
        for cells in [zip(row, table.columns, strict=True)]
    ]


def _folder_context(home: Home, path: str, tree: Tree, versions: list[Any]) -> dict[str, Any]:
    listing = tree.listing
    names = {basename(one.path): one.path for one in listing.files if not one.is_dir}
    model = _preview_in(home, names.get("MLmodel"))
    readme = _preview_in(home, next((names[name] for name in README if name in names), None))
    return {
        "is_file": False,
        "name": basename(path) or home.title,
        "uri": home.uri_of(path),
        "card": model.model if model else None,
        "folder_register_url": home.register_url(path) if home.register_url and "MLmodel" in names else "",
        "folder_versions": versions,
        "readme": readme.html if readme and readme.kind is Kind.MARKDOWN else "",
        "files": _entries(home, listing),
        "file_count": len(listing.files),
        "total_size": sum(one.size or 0 for one in listing.files),
    }


def _entries(home: Home, listing: ArtifactListing) -> list[dict[str, Any]]:
    ordered = sorted(listing.files, key=lambda one: (not one.is_dir, one.path))
    return [
        {"name": basename(one.path), "url": home.page_url(one.path), "is_dir": one.is_dir, "size": one.size}
        for one in ordered[:ENTRIES_SHOWN]
    ]


def _preview_in(home: Home, path: str | None) -> Preview | None:
    """The preview of a file that says what its folder is; None where it cannot be read just now."""
    if path is None:
        return None
    try:
        return preview(default_store(), home.stored(path))
    except PodiumError:
        return None
