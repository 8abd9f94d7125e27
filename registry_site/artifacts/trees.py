"""JSON and YAML as trees that a page can hold, whatever the document does. Pure.

Values are shown as they stand in the file. Nothing is built of YAML: an alias stays the name that it is, so a text of a
few lines cannot become a document of gigabytes.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml

MAX_NODES = 3000
MAX_DEPTH = 40
MAX_VALUE = 20_000  # characters


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a document. `type` is object, array, string, number, boolean, null or alias; `value` is a scalar's
    text, `size` how many children there are in the file, and `children` those that are shown. `key` is empty at the
    root."""

    key: str
    type: str
    value: str = ""
    size: int = 0
    children: "tuple[Node, ...]" = ()


class Budget:
    """How much more may be shown."""

    def __init__(self, left: int) -> None:
        self._left = left
        self.exceeded = False

    def take(self, amount: int = 1) -> bool:
        """Whether there was as much left; it is taken then."""
        if amount > self._left:
            self.exceeded = True
            return False
        self._left -= amount
        return True


# -- JSON --------------------------------------------------------------------------------------------------------------
class Digits(str):
    """A number as it stands in the file: nothing is rounded, and a number of a million digits costs nothing."""


_SCALARS = {str: "string", bool: "boolean", type(None): "null"}


def parse_json(text: str) -> object:
    """Raises ValueError or RecursionError."""
    return json.loads(text, parse_int=Digits, parse_float=Digits, parse_constant=Digits)


def json_tree(document: object, budget: Budget) -> Node:
    """The tree of what `parse_json` gave."""
    return _node("", document, budget, 0)


def _node(key: str, value: object, budget: Budget, depth: int) -> Node:
    match value:
        case dict():
            return Node(key, "object", "", len(value), _children(value.items(), budget, depth))
        case list():
            items = ((str(at), item) for at, item in enumerate(value))
            return Node(key, "array", "", len(value), _children(items, budget, depth))
    kind = "number" if isinstance(value, Digits) else _SCALARS[type(value)]
    return Node(key, kind, in_a_line(value))


def _children(items: Iterable[tuple[str, object]], budget: Budget, depth: int) -> tuple[Node, ...]:
    children = []
    for key, value in items:
        if depth >= MAX_DEPTH or not budget.take():
            budget.exceeded = True
            break
        children.append(_node(key, value, budget, depth + 1))
    return tuple(children)


def in_a_line(value: object) -> str:
    """A value in one line: a text as it is, all else as JSON writes it."""
    if isinstance(value, str):
        shown: str = value
    elif isinstance(value, dict | list):
        shown = f"{{… {len(value)}}}" if isinstance(value, dict) else f"[… {len(value)}]"
    else:
        shown = json.dumps(value)
    return _cut(shown)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…"


# -- YAML --------------------------------------------------------------------------------------------------------------
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # libyaml is ten times faster, and bounds the depth
_YAML = "tag:yaml.org,2002:"
_TYPES = {f"{_YAML}int": "number", f"{_YAML}float": "number", f"{_YAML}bool": "boolean", f"{_YAML}null": "null"}
_RESOLVER: Any = yaml.resolver.Resolver()


@dataclass(slots=True)
class _Open:
    """A list or an object whose end has not come yet. `key` is its own, `next_key` that of its next value."""

    key: str
    type: str
    is_shown: bool
    size: int = 0
    next_key: str | None = None
    children: list[Node] = field(default_factory=list)

    @property
    def waits_for_key(self) -> bool:
        return self.type == "object" and self.next_key is None

    def take_key(self) -> str:
        key = str(self.size) if self.next_key is None else self.next_key
        self.next_key = None
        self.size += 1
        return key


def yaml_tree(text: str, budget: Budget) -> Node | None:
    """The document in the text; of several documents their list, and None of none. Raises yaml.YAMLError, ValueError
    and RecursionError."""
    stack = [_Open("", "array", is_shown=True)]
    for event in yaml.parse(text, Loader=_LOADER):
        top = stack[-1]
        if isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            kind = "array" if isinstance(event, yaml.SequenceStartEvent) else "object"
            if top.waits_for_key:
                top.next_key = "{…}" if kind == "object" else "[…]"
                stack.append(_Open("", kind, is_shown=False))
            else:
                key = top.take_key()
                stack.append(_Open(key, kind, _fits(top, stack, budget)))
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            stack.pop()
            if top.is_shown:
                stack[-1].children.append(Node(top.key, top.type, "", top.size, tuple(top.children)))
        elif isinstance(event, yaml.ScalarEvent | yaml.AliasEvent):
            kind, value = _scalar(event)
            if top.waits_for_key:
                top.next_key = value
            else:
                key = top.take_key()
                if _fits(top, stack, budget):
                    top.children.append(Node(key, kind, value))
    (documents,) = stack
    if documents.size > 1:
        return Node("", "array", "", documents.size, tuple(documents.children))
    return Node("", *_without_key(documents.children[0])) if documents.children else None


def _fits(top: _Open, stack: list[_Open], budget: Budget) -> bool:
    if len(stack) > MAX_DEPTH:
        budget.exceeded = True
    return top.is_shown and len(stack) <= MAX_DEPTH and budget.take()


def _scalar(event: Any) -> tuple[str, str]:
    if isinstance(event, yaml.AliasEvent):
        return "alias", f"*{event.anchor}"
    tag = event.tag
    if tag is None and event.implicit[0]:
        tag = _RESOLVER.resolve(yaml.ScalarNode, event.value, (True, False))
    elif tag not in (None, "!", f"{_YAML}str", *_TYPES):
        return "string", _cut(f"{tag.replace(_YAML, '!!')} {event.value}")
    kind = _TYPES.get(tag, "string")
    return kind, _cut(event.value) or ("null" if kind == "null" else "")


def _without_key(node: Node) -> tuple[str, str, int, tuple[Node, ...]]:
    return node.type, node.value, node.size, node.children
