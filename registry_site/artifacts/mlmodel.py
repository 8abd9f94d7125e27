"""The `MLmodel` file of a logged model, read without loading anything. Pure.

It is YAML from a stranger: every scalar is read as text, tags and alias bombs are refused before anything is
built.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from registry_site.core.errors import InvalidParameter

MAX_BYTES = 1024 * 1024
MAX_NODES = 50_000  # with every alias counted as what it stands for
MAX_DEPTH = 32
REQUIREMENTS = "requirements.txt"  # what MLflow writes beside MLmodel when there is an environment

# libyaml where it is built in; it is ten times faster, and a signature may be long
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "seq", "map")} | {"!"}
_NOTHING = {"", "null", "~", "Null", "NULL"}


@dataclass(frozen=True, slots=True)
class Column:
    """One input, output or parameter. A tensor has a `shape`, a parameter a `default`, which is written as
    JSON."""

    name: str
    type: str
    required: bool = True
    shape: tuple[int, ...] | None = None
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """What the model takes and gives; a part that the file leaves out is empty."""

    inputs: tuple[Column, ...] = ()
    outputs: tuple[Column, ...] = ()
    params: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True)
class Flavor:
    """One way to load the model, with the version of the library that saved it where the file says so."""

    name: str
    version: str | None = None
    loader: str | None = None
    serialization_format: str | None = None


@dataclass(frozen=True, slots=True)
class MLModel:
    """What the file says. Whatever it does not say is None or empty; `input_example` is a path beside the
    file."""

    flavors: tuple[Flavor, ...]
    signature: Signature | None
    model_uuid: str | None
    model_id: str | None
    run_id: str | None
    artifact_path: str | None
    utc_time_created: str | None
    mlflow_version: str | None
    python_version: str | None
    requirements: str | None
    conda_environment: str | None
    virtual_environment: str | None
    input_example: str | None
    size_bytes: int | None
    code: tuple[str, ...] = ()
    """Paths beside the file whose Python code is imported, or run, when the model is loaded."""

    @property
    def serialization_formats(self) -> tuple[str, ...]:
        """The formats of all flavors, each once: what a policy against pickles asks for."""
        return tuple(dict.fromkeys(one.serialization_format for one in self.flavors if one.serialization_format))


def read_mlmodel(text: str) -> MLModel:
    """The model that the file describes. Raises InvalidParameter when it is not an MLmodel file, or over 1
    MB."""
    document = read_plain_yaml(text, "MLmodel file")
    if not isinstance(document, dict):
        raise InvalidParameter("The MLmodel file does not hold keys and values.")
    flavors = document.get("flavors")
    if not isinstance(flavors, dict):
        raise InvalidParameter("The MLmodel file names no flavors.")

    function = _mapping(flavors.get("python_function"))
    environment = _environment(function.get("env"))
    size = _text(document.get("model_size_bytes"))
    return MLModel(
        flavors=tuple(_flavor(str(name), _mapping(config)) for name, config in flavors.items()),
        signature=_signature(document.get("signature")),
        model_uuid=_text(document.get("model_uuid")),
        model_id=_text(document.get("model_id")),
        run_id=_text(document.get("run_id")),
        artifact_path=_text(document.get("artifact_path")),
        utc_time_created=_text(document.get("utc_time_created")),
        mlflow_version=_text(document.get("mlflow_version")),
        python_version=_text(function.get("python_version")),
        requirements=REQUIREMENTS if any(environment.values()) else None,
        conda_environment=environment["conda"],
        virtual_environment=environment["virtualenv"],
        input_example=_text(_mapping(document.get("saved_input_example_info")).get("artifact_path")),
        code=_code(flavors),
        size_bytes=int(size) if size and size.isascii() and size.isdigit() and len(size) < 19 else None,
    )


def read_plain_yaml(text: str, what: str = "text") -> object:
    """Mappings, lists and texts: every scalar is a text. Raises InvalidParameter, which calls the text `what`, when it
    is not YAML, over 1 MB, too deep, or grows too large, or asks for objects."""
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise InvalidParameter(f"The {what} is larger than {MAX_BYTES // 1024} KB.")
    try:
        _refuse_bombs(text)
        document: object = yaml.load(text, Loader=_LOADER)
    except (yaml.YAMLError, ValueError, RecursionError) as failure:
        raise InvalidParameter(f"The {what} is not valid YAML{_where(failure)}.") from failure
    return document


def _code(flavors: Mapping[str, object]) -> tuple[str, ...]:
    paths = [_text(_mapping(config).get(key)) for config in flavors.values() for key in ("code", "model_code_path")]
    return tuple(dict.fromkeys(path for path in paths if path))


def _refuse_bombs(text: str) -> None:
    """Raises YAMLError for tags, too deep or too many nodes, counting an alias as all that it stands for."""
    weights: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []
    weight = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in weights:
                raise yaml.YAMLError("an alias stands for itself or for nothing")
            weight += weights[event.anchor]
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            if anchor:
                weights[anchor] = weight - before
        elif isinstance(event, yaml.NodeEvent):
            if event.tag is not None and event.tag not in _PLAIN_TAGS:  # type: ignore[attr-defined]
                raise yaml.YAMLError("a tag asks for an object")
            weight += 1
            if isinstance(event, yaml.CollectionStartEvent):
                open_nodes.append((event.anchor, weight - 1))
            elif event.anchor:
                weights[event.anchor] = 1
        if weight > MAX_NODES or len(open_nodes) > MAX_DEPTH:
            raise yaml.YAMLError("it is too large or too deep")


def _where(failure: Exception) -> str:
    mark = getattr(failure, "problem_mark", None)
    if mark is not None:
        return f" (line {mark.line + 1})"
    return f": {failure}" if type(failure) is yaml.YAMLError else ""


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value not in _NOTHING else None


def _environment(value: object) -> dict[str, str | None]:
    if isinstance(value, str):  # MLflow before 2.0 named the conda file alone
        return {"conda": _text(value), "virtualenv": None}
    return {kind: _text(_mapping(value).get(kind)) for kind in ("conda", "virtualenv")}


def _flavor(name: str, config: Mapping[str, object]) -> Flavor:
    versions = [key for key in config if key.endswith("_version") and key != "python_version"]
    own = f"{name}_version"
    version = own if own in versions else next(iter(versions), "")
    return Flavor(
        name=name,
        version=_text(config.get(version)),
        loader=_text(config.get("loader_module")),
        serialization_format=_text(config.get("serialization_format")),
    )


def _signature(value: object) -> Signature | None:
    if not isinstance(value, dict):
        return None
    return Signature(**{part: _columns(part, value.get(part)) for part in ("inputs", "outputs", "params")})


def _columns(part: str, value: object) -> tuple[Column, ...]:
    """The signature's parts are JSON in a YAML string, as MLflow writes them."""
    source = _text(value)
    if source is None:
        return ()
    try:
        items = json.loads(source)
    except (ValueError, RecursionError) as failure:
        raise InvalidParameter(f"The {part} of the MLmodel file's signature are not valid JSON.") from failure
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise InvalidParameter(f"The {part} of the MLmodel file's signature are not a list of columns.")
    return tuple(_column(item) for item in items)


def _column(item: dict[str, Any]) -> Column:
    tensor = item.get("tensor-spec")
    if item.get("type") == "tensor" and isinstance(tensor, dict):
        kind, shape = _type_of(tensor.get("dtype")), _shape(tensor.get("shape"))
    else:
        kind, shape = _type_of(item), _shape(item.get("shape"))
    default = item.get("default")
    return Column(
        name=str(item.get("name") or ""),
        type=kind,
        required=_required(item),
        shape=shape,
        default=None if default is None else json.dumps(default, ensure_ascii=False),
    )


def _required(item: dict[str, Any]) -> bool:
    if "default" in item or item.get("optional") is True:
        return False
    return item.get("required") is not False


def _shape(value: object) -> tuple[int, ...] | None:
    if isinstance(value, list) and all(type(size) is int for size in value):
        return tuple(value)
    return None


def _type_of(spec: object, depth: int = 0) -> str:
    """A type as a reader would say it: `double`, `array<string>`, `map<long>`, `object{a: long, b?:
    string}`."""
    if isinstance(spec, str):
        return spec
    if not isinstance(spec, dict) or depth > MAX_DEPTH:
        return "any"
    kind = spec.get("type")
    if kind == "array":
        return f"array<{_type_of(spec.get('items'), depth + 1)}>"
    if kind == "map":
        return f"map<{_type_of(spec.get('values'), depth + 1)}>"
    if kind == "object":
        fields = ", ".join(
            f"{name}{'' if _required(field) else '?'}: {_type_of(field, depth + 1)}"
            for name, field in _mapping(spec.get("properties")).items()
            if isinstance(field, dict)
        )
        return f"object{{{fields}}}"
    return _type_of(kind, depth + 1)
