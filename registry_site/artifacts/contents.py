"""What small files beside a model, and the headers of large ones, tell of it. Pure.

All of it comes from strangers: sizes are bounded, YAML is read as `mlmodel` reads it, and what makes no sense is None.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from registry_site.artifacts.mlmodel import read_plain_yaml
from registry_site.core.errors import InvalidParameter

MAX_CARD = 128 * 1024  # bytes
MAX_EXAMPLE = 256 * 1024
MAX_HEADER = 8 * 1024 * 1024
_SHOWN_ROWS, _SHOWN_COLUMNS, _SHOWN_LETTERS = 5, 50, 4000
_SHOWN_TENSORS = 500
_SHOWN_FACTS, _FACT_LETTERS = 30, 300


@dataclass(frozen=True, slots=True)
class Card:
    """A model card: what its front matter says, as texts, and its Markdown."""

    facts: Mapping[str, str]
    text: str


@dataclass(frozen=True, slots=True)
class Example:
    """An input example: the first rows of a table, or `text`. `rows_left` is how many rows more it has."""

    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    rows_left: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor in a safetensors file."""

    name: str
    dtype: str
    shape: Sequence[int]


@dataclass(frozen=True, slots=True)
class Tensors:
    """What is in a safetensors file: the first tensors, how many there are, and how many numbers in all of them."""

    tensors: Sequence[Tensor]
    count: int
    parameters: int
    metadata: Mapping[str, str]


def read_card(text: str) -> Card | None:
    """The card in a README.md; front matter that is no YAML of keys and values is left out. None of an empty one."""
    facts: dict[str, str] = {}
    lines = text.lstrip("\ufeff").replace("\r\n", "\n").split("\n")
    if lines[0].rstrip() == "---" and "---" in (rest := [line.rstrip() for line in lines[1:]]):
        end = rest.index("---")
        facts = _facts("\n".join(lines[1 : end + 1]))
        lines = lines[end + 2 :]
    body = "\n".join(lines).strip()
    return Card(facts, body) if body or facts else None


def read_example(text: str) -> Example | None:
    """The example in MLflow's `input_example.json`: a pandas table in its split form, or any JSON."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, dict) and isinstance(columns := value.get("columns"), list):
        rows = value.get("data")
        if isinstance(rows, list) and all(isinstance(row, list) for row in rows):
            return Example(
                columns=[_cell(column) for column in columns[:_SHOWN_COLUMNS]],
                rows=[[_cell(cell) for cell in row[:_SHOWN_COLUMNS]] for row in rows[:_SHOWN_ROWS]],
                rows_left=max(len(rows) - _SHOWN_ROWS, 0),
            )
    try:
        shown = json.dumps(value, indent=2, ensure_ascii=False)
    except RecursionError:
        return None
    return Example(text=shown if len(shown) <= _SHOWN_LETTERS else f"{shown[:_SHOWN_LETTERS]}…")


def header_length(start: bytes) -> int | None:
    """How many bytes of header follow the first 8 of a safetensors file; None where that makes no sense."""
    length = int.from_bytes(start[:8], "little")
    return length if len(start) >= 8 and 2 <= length <= MAX_HEADER else None


def read_header(content: bytes) -> Tensors | None:
    """What the header of a safetensors file, without its length in front, tells."""
    try:
        header = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(header, dict):
        return None
    metadata = header.pop("__metadata__", None)
    tensors = [_tensor(name, value) for name, value in header.items()]
    known = [tensor for tensor in tensors if tensor is not None]
    if len(known) < len(tensors):
        return None
    facts = list(metadata.items())[:_SHOWN_FACTS] if isinstance(metadata, dict) else []
    return Tensors(
        tensors=known[:_SHOWN_TENSORS],
        count=len(known),
        parameters=sum(math.prod(tensor.shape) for tensor in known),
        metadata={str(key)[:_FACT_LETTERS]: str(value)[:_FACT_LETTERS] for key, value in facts},
    )


def _tensor(name: str, value: Any) -> Tensor | None:
    if not isinstance(value, dict) or not isinstance(shape := value.get("shape"), list):
        return None
    if len(shape) > 32 or not all(type(size) is int and 0 <= size < 2**53 for size in shape):
        return None
    return Tensor(name[:_FACT_LETTERS], str(value.get("dtype", ""))[:20], tuple(shape))


def _facts(text: str) -> dict[str, str]:
    try:
        found = read_plain_yaml(text)
    except InvalidParameter:
        return {}
    if not isinstance(found, dict):
        return {}
    told = ((str(key)[:_FACT_LETTERS], _fact(value)) for key, value in list(found.items())[:_SHOWN_FACTS])
    return {key: value for key, value in told if value}


def _fact(value: object) -> str:
    """A text, or texts in a row; of what is deeper only that it is there."""
    if isinstance(value, str):
        return value[:_FACT_LETTERS]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)[:_FACT_LETTERS]
    return "…" if value else ""


def _cell(value: object) -> str:
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))[:_FACT_LETTERS]
