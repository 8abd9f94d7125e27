"""What is in a model, besides what its MLmodel file says: read by the worker with every scan, kept as plain values."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from registry_site.artifacts.contents import (
    MAX_CARD,
    MAX_EXAMPLE,
    Card,
    Example,
    Tensor,
    Tensors,
    header_length,
    read_card,
    read_example,
    read_header,
)
from registry_site.artifacts.mlmodel import MLModel
from registry_site.core.errors import NotFound
from registry_site.registry.models import Scan
from registry_site.registry.places import Folder

CARD = "README.md"
MOST_TENSOR_FILES = 20
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Contents:
    """The model card, the input example, and what is in each safetensors file, by its path."""

    card: Card | None = None
    example: Example | None = None
    tensors: Mapping[str, Tensors] = field(default_factory=dict)


def read_contents(folder: Folder, mlmodel: MLModel | None) -> dict[str, Any]:
    """What is in the model, as values for a JSON column. Raises Unavailable."""
    card = folder.text(CARD, MAX_CARD)
    example = folder.text(mlmodel.input_example, MAX_EXAMPLE) if mlmodel and mlmodel.input_example else None
    paths = [entry.path for entry in folder.files() if entry.name.lower().endswith(".safetensors")]
    tensors = {path: each for path in paths[:MOST_TENSOR_FILES] if (each := _tensors(folder, path))}
    found = Contents(
        card=read_card(card) if card is not None else None,
        example=read_example(example) if example is not None else None,
        tensors=tensors,
    )
    values: dict[str, Any] = storable(asdict(found))
    return values


def storable(value: Any) -> Any:
    """A JSON value without what a database cannot keep in a text: NUL, and half of a surrogate pair."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    return [storable(item) for item in value] if isinstance(value, list | tuple) else value


def contents_of(scan: Scan) -> Contents:
    """What the last scan read; nothing before the first."""
    found = scan.contents
    card, example = found.get("card"), found.get("example")
    return Contents(
        card=Card(**card) if card else None,
        example=Example(**example) if example else None,
        tensors={path: _restored(value) for path, value in found.get("tensors", {}).items()},
    )


def _restored(value: dict[str, Any]) -> Tensors:
    return Tensors(**value | {"tensors": [Tensor(**tensor) for tensor in value["tensors"]]})


def _tensors(folder: Folder, path: str) -> Tensors | None:
    try:
        with folder.open(path, length=8) as reader:
            length = header_length(reader.read())
        if length is None:
            return None
        with folder.open(path, offset=8, length=length) as reader:
            return read_header(reader.read())
    except NotFound:
        return None
