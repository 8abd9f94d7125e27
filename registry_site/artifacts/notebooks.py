"""Jupyter notebooks of nbformat 4, as a page shows them: nothing of them runs."""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe

from registry_site.artifacts.texts import coloured, rendered, without_colours
from registry_site.artifacts.trees import Budget, Digits
from registry_site.core.highlight import MAX_HIGHLIGHTED
from registry_site.core.markdown import sanitize_html

MAX_CELLS = 300  # of a notebook
MAX_OUTPUT = 20_000  # characters of one output of a cell
MAX_OUTPUT_HTML = 256 * 1024  # characters of one that is HTML
MAX_PICTURE = 1024 * 1024  # characters of a picture inside a notebook
_NO_HTML = SafeString("")
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_DRAWING = "image/svg+xml"  # no script in it runs inside of an <img>


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
class Notebook:
    """The first cells of a notebook; `is_cut` says that there is more than here. Code is in `language`."""

    language: str
    cells: tuple[Cell, ...]
    is_cut: bool


def read_notebook(document: object) -> Notebook | None:
    """The notebook that the JSON says; None for other JSON."""
    cells = _mapping(document).get("cells")
    if not isinstance(cells, list):
        return None
    metadata = _mapping(_mapping(document).get("metadata"))
    language = str(_mapping(metadata.get("language_info")).get("name") or "python")
    budget = Budget(MAX_HIGHLIGHTED * 4)
    shown = tuple(_cell(_mapping(cell), language, budget) for cell in cells[:MAX_CELLS])
    return Notebook(language, shown, len(cells) > MAX_CELLS or budget.exceeded)


def _cell(cell: Mapping[str, object], language: str, budget: Budget) -> Cell:
    kind = str(cell.get("cell_type"))
    source = _lines(cell.get("source"))
    if not budget.take(len(source)):
        source = f"{source[:MAX_OUTPUT]}…" if len(source) > MAX_OUTPUT else source
        return Cell("raw", coloured(source, ""))
    if kind == "markdown":
        return Cell("markdown", rendered(source))
    if kind != "code":
        return Cell("raw", coloured(source, ""))
    outputs = cell.get("outputs")
    count = cell.get("execution_count")
    return Cell(
        "code",
        coloured(source, language),
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
            yield Output("html", html=rendered(markdown[:MAX_OUTPUT]))
        elif text := _lines(output.get("text")) or _lines(data.get("text/plain")):
            yield Output("text", _printed(text))


def _printed(text: str) -> str:
    plain = without_colours(text[: 2 * MAX_OUTPUT])
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
