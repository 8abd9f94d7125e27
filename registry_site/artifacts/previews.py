"""What a page shows of a file without sending all of it, and without ever loading, unpacking or running it.

The store is read up to a limit, whatever the file's size. The HTML in here is safe: it is escaped,
highlighted or sanitized before it is put in; all else is plain values for a template to escape.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

import yaml
from django.utils.safestring import SafeString

from registry_site.artifacts import parquet, zip_listing
from registry_site.artifacts.mlmodel import MAX_BYTES as MAX_MLMODEL
from registry_site.artifacts.mlmodel import MLModel, read_mlmodel
from registry_site.artifacts.notebooks import Cell, read_notebook
from registry_site.artifacts.paths import content_type_of
from registry_site.artifacts.random_access import RandomAccess
from registry_site.artifacts.store import ArtifactStore, Entry, is_a_folder
from registry_site.artifacts.tables import MAX_COLUMNS, MAX_ROWS, Table, table_of
from registry_site.artifacts.texts import coloured, decode, rendered, without_colours
from registry_site.artifacts.trees import MAX_NODES, Budget, Node, in_a_line, json_tree, parse_json, yaml_tree
from registry_site.artifacts.zip_listing import zip_table
from registry_site.core.errors import InvalidParameter
from registry_site.core.highlight import MAX_HIGHLIGHTED, language_of

MAX_TEXT = 256 * 1024  # bytes of a text that a page gets
MAX_LINES = 20_000  # of a text, each of which is laid out by itself
MAX_WHOLE = 4 * 1024 * 1024  # bytes of a JSON document or notebook, which means nothing when it is cut
MAX_IMAGE = 32 * 1024 * 1024  # bytes of an image that a browser is asked to draw
HEX_BYTES = 256
_NO_HTML = SafeString("")


class Kind(StrEnum):
    """How a file is shown: which template part, that is."""

    TEXT = "text"
    CODE = "code"
    MARKDOWN = "markdown"
    JSON = "json"
    CSV = "csv"
    IMAGE = "image"
    SVG = "svg"
    PDF = "pdf"
    HTML = "html"
    MLMODEL = "mlmodel"
    NOTEBOOK = "notebook"
    AUDIO = "audio"
    VIDEO = "video"
    BINARY = "binary"
    YAML = "yaml"
    PARQUET = "parquet"
    ZIP = "zip"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True)
class HexLine:
    """Sixteen bytes: their offset, as two hexadecimal digits each, and as ASCII with dots for what is
    none."""

    offset: str
    hex: str
    ascii: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a page shows of a file.

    `truncated` says that there is more in the file than here: before it with `is_end`, else behind it. `notice` is a
    sentence for the reader, or empty. By kind: text has `text`; code `html` and `language`; markdown `html`; json
    `tree`, and `table` when it is MLflow's table form; yaml `tree`, and its source in `text` and, if it is not long,
    `html`; csv, parquet and zip `table`; mlmodel `model` and `html` (its source); notebook `cells`; binary `hex`.
    Images, SVG, PDF, HTML, audio and video are fetched from the file's own address by the page; too_large is only to
    download.
    """

    kind: Kind
    entry: Entry
    content_type: str
    truncated: bool = False
    is_end: bool = False
    notice: str = ""
    text: str = ""
    html: SafeString = _NO_HTML
    language: str = ""
    table: Table | None = None
    tree: Node | None = None
    model: MLModel | None = None
    cells: tuple[Cell, ...] = ()
    hex: tuple[HexLine, ...] = ()


def preview(store: ArtifactStore, path: str) -> Preview:
    """The preview of the file. Raises NotFound, and InvalidParameter of a folder."""
    entry = store.stat(path)
    if entry.is_dir:
        raise is_a_folder(path)
    shown = Preview(kind=_kind_of(entry.name), entry=entry, content_type=content_type_of(entry.name))
    if entry.size == 0:
        return replace(shown, kind=Kind.TEXT, notice="This file is empty.")
    if shown.kind in _SHOWN_BY_RANGES:
        return _SHOWN_BY_RANGES[shown.kind](shown, partial(RandomAccess, store, path, size=entry.size or 0))
    return _SHOWN_BY.get(shown.kind, _show_elsewhere)(shown, partial(_read, store, path))


def preview_of_end(store: ArtifactStore, path: str) -> Preview:
    """The end of a text that is too long to be shown whole, from the beginning of a line on; of all else the preview.
    Raises as `preview` does."""
    shown = preview(store, path)
    if shown.kind is not Kind.TEXT or not shown.truncated:
        return shown
    offset = max(_size(shown) - MAX_TEXT, 0)
    with store.open(path, offset=offset, length=MAX_TEXT) as reader:
        tail = reader.read()
    whole_lines = tail[tail.find(b"\n") + 1 :].lstrip(_INSIDE_A_LETTER) if offset else tail
    decoded = decode(whole_lines, cut=False)
    if decoded is None:
        return shown
    text = without_colours(decoded[0])
    if text.count("\n") >= MAX_LINES:
        text = "\n".join(text.rsplit("\n", MAX_LINES)[1:])
    return replace(shown, text=text, is_end=True)


# -- what kind of file it is -------------------------------------------------------------------------------------------

_KINDS = {
    **dict.fromkeys(("md", "markdown"), Kind.MARKDOWN),
    **dict.fromkeys(("yaml", "yml"), Kind.YAML),
    **dict.fromkeys(("parquet", "pq"), Kind.PARQUET),
    **dict.fromkeys(("zip", "npz", "keras", "whl", "jar", "mar"), Kind.ZIP),
    **dict.fromkeys(("csv", "tsv"), Kind.CSV),
    **dict.fromkeys(("png", "jpg", "jpeg", "gif", "webp", "avif", "bmp", "ico"), Kind.IMAGE),
    **dict.fromkeys(("html", "htm"), Kind.HTML),
    **dict.fromkeys(("mp3", "wav", "ogg", "oga", "flac", "m4a", "aac", "opus"), Kind.AUDIO),
    **dict.fromkeys(("mp4", "webm", "ogv", "mov", "m4v"), Kind.VIDEO),
    **dict.fromkeys(("pkl", "pickle", "joblib", "cloudpickle", "pt", "pth", "ckpt"), Kind.BINARY),
    "svg": Kind.SVG,
    "json": Kind.JSON,
    "pdf": Kind.PDF,
    "ipynb": Kind.NOTEBOOK,
}


def _kind_of(name: str) -> Kind:
    """By the name alone; what the name does not tell, `_show_text` finds out from the bytes."""
    if name == "MLmodel":
        return Kind.MLMODEL
    return _KINDS.get(name.rpartition(".")[2].lower() if "." in name else "", Kind.TEXT)


# -- reading -----------------------------------------------------------------------------------------------------------

Read = Callable[[int], bytes]
_INSIDE_A_LETTER = bytes(range(0x80, 0xC0))  # bytes of UTF-8 with which no letter begins


def _read(store: ArtifactStore, path: str, limit: int) -> bytes:
    with store.open(path, length=limit) as reader:
        return b"".join(reader)


def _size(shown: Preview) -> int:
    return shown.entry.size or 0


# -- showing -----------------------------------------------------------------------------------------------------------


def _show_elsewhere(shown: Preview, read: Read) -> Preview:
    """The browser fetches and shows it by itself."""
    return shown


def _show_image(shown: Preview, read: Read) -> Preview:
    return shown if _size(shown) <= MAX_IMAGE else _too_large(shown)


def _too_large(shown: Preview) -> Preview:
    return replace(shown, kind=Kind.TOO_LARGE, truncated=True, notice="This file is too large to show; download it.")


def _show_binary(shown: Preview, read: Read) -> Preview:
    return replace(shown, kind=Kind.BINARY, truncated=_size(shown) > HEX_BYTES, hex=tuple(_hex_lines(read(HEX_BYTES))))


def _hex_lines(head: bytes) -> Iterator[HexLine]:
    for offset in range(0, len(head), 16):
        line = head[offset : offset + 16]
        letters = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in line)
        yield HexLine(f"{offset:08x}", line.hex(" "), letters)


def _show_text(shown: Preview, read: Read, *, notice: str = "") -> Preview:
    """Text, in colour when the name tells the language; bytes when it is no text after all."""
    cut = _size(shown) > MAX_TEXT
    decoded = decode(read(MAX_TEXT), cut=cut)
    if decoded is None:
        return _show_binary(shown, read)
    text, about = without_colours(decoded[0]), decoded[1]
    if text.count("\n") >= MAX_LINES:
        text, cut = "\n".join(text.split("\n", MAX_LINES)[:MAX_LINES]), True
    shown = replace(shown, kind=Kind.TEXT, text=text, truncated=cut, notice=" ".join(filter(None, [notice, about])))
    language = language_of(shown.entry.name)
    if not language or len(text) > MAX_HIGHLIGHTED:
        return shown
    return replace(shown, kind=Kind.CODE, language=language, html=coloured(text, language))


_FRONT_MATTER = re.compile(r"---[ \t]*\r?\n(.*?\r?\n)---[ \t]*(?:\r?\n|\Z)", re.DOTALL)


def _show_markdown(shown: Preview, read: Read) -> Preview:
    shown = _show_text(shown, read)
    if shown.kind not in {Kind.TEXT, Kind.CODE}:
        return shown
    text = shown.text
    if front := _FRONT_MATTER.match(text):  # else a model card's YAML would show as one long heading
        text = f"```yaml\n{front[1]}```\n\n{text[front.end() :]}"
    return replace(shown, kind=Kind.MARKDOWN, html=rendered(text), language="")


def _show_mlmodel(shown: Preview, read: Read) -> Preview:
    if _size(shown) > MAX_MLMODEL:
        return _show_text(shown, read, notice="This MLmodel file is too large to be understood.")
    try:
        model = read_mlmodel(read(MAX_MLMODEL).decode("utf-8", "replace"))
    except InvalidParameter as refusal:
        return _show_text(shown, read, notice=refusal.message)
    source = _show_text(shown, read)
    return replace(source, kind=Kind.MLMODEL, model=model)


# -- tables ------------------------------------------------------------------------------------------------------------

_SNIFFED_LINES = 20


def _show_csv(shown: Preview, read: Read) -> Preview:
    cut = _size(shown) > MAX_TEXT
    decoded = decode(read(MAX_TEXT), cut=cut)
    if decoded is None:
        return _show_binary(shown, read)
    text, notice = decoded
    if cut:
        text = text[: text.rfind("\n") + 1] or text  # the last line is not whole
    try:
        rows = _read_rows(text, _delimiter_of(shown.entry.name, text))
    except csv.Error:
        return _show_text(shown, read, notice="This file could not be read as a table.")
    if not rows:
        return _show_text(shown, read)
    table = table_of(rows)
    more = cut or len(rows) > len(table.rows) + 1
    if len(max(rows, key=len)) > MAX_COLUMNS:
        more, notice = True, f"Only the first {MAX_COLUMNS} columns are shown. {notice}".rstrip()
    return replace(shown, table=table, truncated=more, notice=notice)


def _delimiter_of(name: str, text: str) -> str:
    """The character that parts most lines at the top into the same number of columns, more than one."""
    if name.lower().endswith(".tsv"):
        return "\t"
    lines = text.splitlines()[:_SNIFFED_LINES]

    def agreement(delimiter: str) -> tuple[int, int]:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        usual = max(set(widths), key=widths.count)
        return (widths.count(usual), usual) if usual > 1 else (0, 0)

    return max(",;\t|", key=agreement) if lines else ","


def _read_rows(text: str, delimiter: str) -> Sequence[Sequence[str]]:
    """At most one row more than is shown beside the heading, by which one knows that there are more."""
    rows: list[list[str]] = []
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
        if row:
            rows.append(row)
        if len(rows) > MAX_ROWS + 1:
            break
    return rows


# -- JSON --------------------------------------------------------------------------------------------------------------


def _show_json(shown: Preview, read: Read) -> Preview:
    if _size(shown) > MAX_WHOLE:
        return _show_text(shown, read, notice="This document is too large to be shown as a tree.")
    decoded = decode(read(MAX_WHOLE), cut=False)
    if decoded is None:
        return _show_binary(shown, read)
    text, notice = decoded
    try:
        document = parse_json(text)
    except (ValueError, RecursionError):
        return _show_text(shown, read, notice="This file is not valid JSON.")
    budget = Budget(MAX_NODES)
    tree = json_tree(document, budget)
    return replace(shown, tree=tree, table=_split_table(document), truncated=budget.exceeded, notice=notice)


def _show_yaml(shown: Preview, read: Read) -> Preview:
    source = _show_text(shown, read)
    if source.kind is Kind.BINARY:
        return source
    if source.truncated:
        return replace(source, notice="This document is too large to be shown as a tree.")
    budget = Budget(MAX_NODES)
    try:
        tree = yaml_tree(source.text, budget)
    except (yaml.YAMLError, ValueError, RecursionError):
        return replace(source, notice="This file is not valid YAML.")
    if tree is None or tree.type not in {"object", "array"}:
        return source
    notice = "The tree is too large to be shown whole; the source below has all of it." if budget.exceeded else ""
    return replace(source, kind=Kind.YAML, tree=tree, notice=" ".join(filter(None, [source.notice, notice])))


def _split_table(document: object) -> Table | None:
    """The table in `{"columns": […], "data": [[…], …]}`, as MLflow writes tables and input examples; else
    None."""
    match document:
        case {"columns": list(names), "data": [list(), *_] as rows} if names:
            lines = [[in_a_line(cell) for cell in row] for row in rows[:MAX_ROWS] if isinstance(row, list)]
            return table_of([[in_a_line(name) for name in names], *lines])
    return None


def _show_notebook(shown: Preview, read: Read) -> Preview:
    if _size(shown) > MAX_WHOLE:
        return _too_large(shown)
    decoded = decode(read(MAX_WHOLE), cut=False)
    try:
        notebook = read_notebook(parse_json(decoded[0])) if decoded else None
    except (ValueError, RecursionError):
        notebook = None
    if notebook is None:
        return _show_text(shown, read, notice="This file is not a notebook of nbformat 4.")
    return replace(shown, language=notebook.language, cells=notebook.cells, truncated=notebook.is_cut)


# -- by ranges ---------------------------------------------------------------------------------------------------------

Opener = Callable[..., RandomAccess]


def _show_parquet(shown: Preview, opened: Opener) -> Preview:
    if not parquet.is_installed():
        return replace(
            shown,
            kind=Kind.TOO_LARGE,
            notice="This server shows no Parquet files: an administrator can install pyarrow, the extra 'parquet'.",
        )
    try:
        table, column_count = parquet.head_of(opened(budget=parquet.MAX_READ), _size(shown))
    except parquet.Unreadable as failure:
        return replace(shown, kind=Kind.TOO_LARGE, notice=str(failure))
    notice = f"Only the first {len(table.columns)} of {column_count} columns are shown."
    return replace(shown, table=table, notice=notice if column_count > len(table.columns) else "")


def _show_zip(shown: Preview, opened: Opener) -> Preview:
    table = zip_table(opened(budget=zip_listing.MAX_READ))
    if table is None:
        return replace(
            shown, kind=Kind.TOO_LARGE, notice="This file could not be read as a zip, or has too many entries."
        )
    return replace(shown, table=table)


_SHOWN_BY_RANGES: dict[Kind, Callable[[Preview, Opener], Preview]] = {
    Kind.PARQUET: _show_parquet,
    Kind.ZIP: _show_zip,
}
_SHOWN_BY: dict[Kind, Callable[[Preview, Read], Preview]] = {
    Kind.TEXT: _show_text,
    Kind.MARKDOWN: _show_markdown,
    Kind.JSON: _show_json,
    Kind.YAML: _show_yaml,
    Kind.CSV: _show_csv,
    Kind.IMAGE: _show_image,
    Kind.SVG: _show_image,
    Kind.HTML: _show_image,
    Kind.MLMODEL: _show_mlmodel,
    Kind.NOTEBOOK: _show_notebook,
    Kind.BINARY: _show_binary,
}
