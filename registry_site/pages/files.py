"""What the artifact browser's templates need: the tree at the left, and the pane beside it."""

from collections.abc import Iterable
from html import escape
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from registry_site.artifacts.paths import basename
from registry_site.artifacts.previews import Kind, Preview, preview, preview_of_end
from registry_site.artifacts.store import default_store
from registry_site.artifacts.tables import Table
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
LONGEST_CELL = 300  # characters
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
        return context | pane_context(request, home, path)
    return context | _folder_context(home, path, tree, versions_at(home, path, versions, models))


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and ENTRIES_SHOWN <= int(text) <= MOST_SHOWN else ENTRIES_SHOWN


def pane_context(request: PageRequest, home: Home, path: str) -> dict[str, Any]:
    """The pane of one file. Raises NotFound, and InvalidParameter of a folder."""
    show = preview_of_end if request.GET.get("part") == "end" else preview
    shown = show(default_store(), home.stored(path))
    is_html = shown.kind is Kind.HTML
    return {
        "is_file": True,
        "name": basename(path),
        "size": shown.entry.size,
        "uri": home.uri_of(path),
        "file_url": home.file_url(path),
        "page_url": home.page_url(path),
        "frame_url": home.frame_url(path) if is_html else "",
        "with_scripts": is_html and bool(request.GET.get("scripts")),
        "preview": shown,
        "preview_template": f"pages/previews/{shown.kind.value}.html",
        "rows": _rows(shown.table) if shown.table else [],
        "json": json_tree(shown.tree) if shown.tree else "",
        "lines": _lines(shown.text) if shown.kind is Kind.TEXT else "",
        "card": shown.model,
    }


# Cells and lines come by the ten thousand: a template takes a second for what takes a few milliseconds here.
def _lines(text: str) -> SafeString:
    return mark_safe("".join(f'<span class="line">{escape(line)}\n</span>' for line in text.split("\n")))


def _rows(table: Table) -> list[SafeString]:
    """The cells of each row, with the classes that lay them out."""
    numeric = [column.numeric for column in table.columns]
    return [
        mark_safe("".join(_cell(cell, is_number) for cell, is_number in zip(row, numeric, strict=True)))
        for row in table.rows
    ]


def _cell(text: str, is_number: bool) -> str:
    css = ' class="number"' if is_number else ' class="long"' if len(text) > LONG_CELL else ""
    shown = text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"
    return f"<td{css}>{escape(shown)}</td>"


def _folder_context(home: Home, path: str, tree: Tree, versions: list[Any]) -> dict[str, Any]:
    listing = tree.listing
    names = {basename(one.path): one.path for one in listing.files if not one.is_dir}
    model = _preview_in(home, names.get("MLmodel"))
    readme = _preview_in(home, next((names[name] for name in README if name in names), None))
    return {
        "is_file": False,
        "name": basename(path) or home.title,
        "uri": home.uri_of(path),
        "archive_url": home.archive_url(path) if listing.files else "",
        "card": model.model if model else None,
        "folder_register_url": home.register_url(path) if home.register_url and "MLmodel" in names else "",
        "folder_versions": versions,
        "readme": readme.html if readme and readme.kind is Kind.MARKDOWN else "",
        "files": _entries(home, listing),
        "file_count": len(listing.files),
        "is_cut": not listing.is_complete,
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
