"""What a page shows of a file without sending all of it, and without ever loading, unpacking or running it.

The store is read up to a limit, whatever the file's size. The HTML in here is safe: it is escaped,
highlighted or sanitized before it is put in; all else is plain values for a template to escape.
"""

import base64
import binascii
import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

import yaml
from django.utils.safestring import SafeString, mark_safe

from registry_site.artifacts import parquet, zip_listing
from registry_site.artifacts.mlmodel import MAX_BYTES as MAX_MLMODEL
from registry_site.artifacts.mlmodel import MLModel, read_mlmodel
from registry_site.artifacts.paths import content_type_of
from registry_site.artifacts.random_access import RandomAccess
from registry_site.artifacts.store import ArtifactStore, Entry, is_a_folder
from registry_site.artifacts.tables import MAX_COLUMNS, MAX_ROWS, Table, table_of
from registry_site.artifacts.trees import MAX_NODES, Budget, Digits, Node, in_a_line, json_tree, parse_json, yaml_tree
from registry_site.artifacts.zip_listing import zip_table
from registry_site.core.errors import InvalidParameter
from registry_site.core.highlight import MAX_HIGHLIGHTED, highlight, language_of
from registry_site.core.markdown import render_markdown, sanitize_html

MAX_TEXT = 256 * 1024  # bytes of a text that a page gets
MAX_LINES = 20_000  # of a text, each of which is laid out by itself
MAX_WHOLE = 4 * 1024 * 1024  # bytes of a JSON document or notebook, which means nothing when it is cut
MAX_IMAGE = 32 * 1024 * 1024  # bytes of an image that a browser is asked to draw
MAX_CELLS = 300  # of a notebook
MAX_OUTPUT = 20_000  # characters of one output of a cell
MAX_OUTPUT_HTML = 256 * 1024  # characters of one that is HTML
MAX_PICTURE = 1024 * 1024  # characters of a picture inside a notebook
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
class Output:
    """What a notebook's cell printed. `type` is text, error, image or html; `image` is a `data:` URI, if it is not
    too large, and `html` is sanitized."""

    type: str
    text: str = ""
    image: str = ""
    html: SafeString = _NO_HTML


@dataclass(frozen=True, slots=True)
class Cell:
    """A notebook's cell. `type` is markdown, code or raw; `number` is the count in `In [3]`."""

    type: str
    html: SafeString
    number: int | None = None
    outputs: tuple[Output, ...] = ()


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
    decoded = _decode(whole_lines, cut=False)
    if decoded is None:
        return shown
    text = _TERMINAL.sub("", decoded[0])
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
_NO_TEXT = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")  # a text may hold tabs, bells, form feeds and colours
_INSIDE_A_LETTER = bytes(range(0x80, 0xC0))  # bytes of UTF-8 with which no letter begins
_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")  # colours and cursor moves
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def _read(store: ArtifactStore, path: str, limit: int) -> bytes:
    with store.open(path, length=limit) as reader:
        return b"".join(reader)


def _decode(head: bytes, *, cut: bool) -> tuple[str, str] | None:
    """The text and a notice about its encoding; None when the bytes are no text. A cut may have split a
    letter."""
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return head[len(bom) :].decode(encoding, "replace"), ""
    if _NO_TEXT.search(head):
        return None
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(head, final=not cut), ""
    except UnicodeDecodeError:
        return head.decode("latin-1"), "This file is not UTF-8; it was read as Latin-1."


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
    decoded = _decode(read(MAX_TEXT), cut=cut)
    if decoded is None:
        return _show_binary(shown, read)
    text, about = _TERMINAL.sub("", decoded[0]), decoded[1]
    if text.count("\n") >= MAX_LINES:
        text, cut = "\n".join(text.split("\n", MAX_LINES)[:MAX_LINES]), True
    shown = replace(shown, kind=Kind.TEXT, text=text, truncated=cut, notice=" ".join(filter(None, [notice, about])))
    language = language_of(shown.entry.name)
    if not language or len(text) > MAX_HIGHLIGHTED:
        return shown
    return replace(shown, kind=Kind.CODE, language=language, html=_coloured(text, language))


def _coloured(text: str, language: str) -> SafeString:
    return mark_safe(highlight(text, language))  # escaped by Pygments


def _rendered(text: str) -> SafeString:
    return mark_safe(render_markdown(text))  # sanitized


_FRONT_MATTER = re.compile(r"---[ \t]*\r?\n(.*?\r?\n)---[ \t]*(?:\r?\n|\Z)", re.DOTALL)


def _show_markdown(shown: Preview, read: Read) -> Preview:
    shown = _show_text(shown, read)
    if shown.kind not in {Kind.TEXT, Kind.CODE}:
        return shown
    text = shown.text
    if front := _FRONT_MATTER.match(text):  # else a model card's YAML would show as one long heading
        text = f"```yaml\n{front[1]}```\n\n{text[front.end() :]}"
    return replace(shown, kind=Kind.MARKDOWN, html=_rendered(text), language="")


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
    decoded = _decode(read(MAX_TEXT), cut=cut)
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
    decoded = _decode(read(MAX_WHOLE), cut=False)
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


# -- notebooks ---------------------------------------------------------------------------------------------------------

_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_DRAWING = "image/svg+xml"  # no script in it runs inside of an <img>


def _show_notebook(shown: Preview, read: Read) -> Preview:
    if _size(shown) > MAX_WHOLE:
        return _too_large(shown)
    decoded = _decode(read(MAX_WHOLE), cut=False)
    try:
        document = parse_json(decoded[0]) if decoded else None
    except (ValueError, RecursionError):
        document = None
    cells = _mapping(document).get("cells")
    if not isinstance(cells, list):
        return _show_text(shown, read, notice="This file is not a notebook of nbformat 4.")
    metadata = _mapping(_mapping(document).get("metadata"))
    language = str(_mapping(metadata.get("language_info")).get("name") or "python")
    budget = Budget(MAX_HIGHLIGHTED * 4)
    return replace(
        shown,
        language=language,
        cells=tuple(_notebook_cell(_mapping(cell), language, budget) for cell in cells[:MAX_CELLS]),
        truncated=len(cells) > MAX_CELLS or budget.exceeded,
    )


def _notebook_cell(cell: Mapping[str, object], language: str, budget: Budget) -> Cell:
    kind = str(cell.get("cell_type"))
    source = _lines(cell.get("source"))
    if not budget.take(len(source)):
        source = f"{source[:MAX_OUTPUT]}…" if len(source) > MAX_OUTPUT else source
        return Cell("raw", _coloured(source, ""))
    if kind == "markdown":
        return Cell("markdown", _rendered(source))
    if kind != "code":
        return Cell("raw", _coloured(source, ""))
    outputs = cell.get("outputs")
    count = cell.get("execution_count")
    return Cell(
        "code",
        _coloured(source, language),
        int(count) if isinstance(count, Digits) and count.isdigit() and len(count) < 10 else None,
        tuple(_outputs(outputs if isinstance(outputs, list) else [])),
    )


def _outputs(outputs: Sequence[object]) -> Iterator[Output]:
    for output in map(_mapping, outputs[:MAX_CELLS]):
        data = _mapping(output.get("data"))
        picture = next((kind for kind in _PICTURES if kind in data), None)
        if output.get("output_type") == "error":
            yield Output(
                "error", _printed(_lines(output.get("traceback"), between="\n") or _lines(output.get("evalue")))
            )
        elif picture:
            yield Output("image", _printed(_lines(data.get("text/plain"))), _data_uri(picture, _lines(data[picture])))
        elif _DRAWING in data:
            drawn = base64.b64encode(_lines(data[_DRAWING]).encode("utf-8", "replace")).decode()
            yield Output("image", _printed(_lines(data.get("text/plain"))), _data_uri(_DRAWING, drawn))
        elif "<table" in (html := _lines(data.get("text/html"))) and len(html) <= MAX_OUTPUT_HTML:
            # Only tables: most other HTML is scripts, and says nothing without them.
            yield Output("html", html=mark_safe(sanitize_html(html)))
        elif markdown := _lines(data.get("text/markdown")):
            yield Output("html", html=_rendered(markdown[:MAX_OUTPUT]))
        elif text := _lines(output.get("text")) or _lines(data.get("text/plain")):
            yield Output("text", _printed(text))


def _printed(text: str) -> str:
    plain = _TERMINAL.sub("", text[: 2 * MAX_OUTPUT])
    return plain if len(plain) <= MAX_OUTPUT else f"{plain[:MAX_OUTPUT]}…"


def _data_uri(kind: str, encoded: str) -> str:
    compact = "".join(encoded.split()) if len(encoded) <= MAX_PICTURE else ""
    try:
        base64.b64decode(compact, validate=True)
    except binascii.Error:
        return ""
    return f"data:{kind};base64,{compact}" if compact else ""


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _lines(value: object, *, between: str = "") -> str:
    """A notebook's text, which is a string or a list of lines."""
    if isinstance(value, list):
        return between.join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""


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
