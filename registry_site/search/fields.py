"""What may be asked of an entity: its attributes, and the collections of keyed rows that hang on it.

Pure declarations: `compile` turns them into queries, and error messages read the same tables.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from registry_site.core.errors import InvalidParameter
from registry_site.search.parser import Condition, Operator, Ordering

EQUALITY = frozenset({Operator.EQUAL, Operator.NOT_EQUAL})
PATTERNS = frozenset({Operator.LIKE, Operator.ILIKE})
LISTS = frozenset({Operator.IN, Operator.NOT_IN})
PRESENCE = frozenset({Operator.IS_NULL, Operator.IS_NOT_NULL})
TEXT_OPERATORS = EQUALITY | PATTERNS
NUMBER_OPERATORS = EQUALITY | {
    Operator.GREATER,
    Operator.GREATER_OR_EQUAL,
    Operator.LESS,
    Operator.LESS_OR_EQUAL,
}
NOT_FILTERABLE: frozenset[Operator] = frozenset()

_LARGEST_WHOLE_NUMBER = 2**63 - 1


class Kind(Enum):
    """What the values of a field are, and so how a filter writes them."""

    TEXT = "text in quotes"
    NUMBER = "a number without quotes"
    TIME = "milliseconds since 1970, a number without quotes"
    WHOLE = "a whole number"
    ID = "a whole number in quotes"


@dataclass(frozen=True)
class Attribute:
    """A column of the entity itself, as a path of the ORM."""

    column: str
    kind: Kind = Kind.TEXT
    operators: frozenset[Operator] = TEXT_OPERATORS
    sortable: bool = True
    nullable: bool = False
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Collection:
    """Rows of another table that belong to the entity by the foreign key `parent`, such as tags or metrics.

    Usually a row has a key and a value, and any key may be asked. With `members` the keys are fixed, and each
    is a column of the row. `model` is a lazy "app.Model" label. Where several rows have one key, `newest`
    orders the one that counts in order_by to the front; a filter is met by any of them.
    """

    model: str
    parent: str
    kind: Kind = Kind.TEXT
    operators: frozenset[Operator] = TEXT_OPERATORS
    aliases: tuple[str, ...] = ()
    value: str = "value"
    nan_flag: str | None = None
    members: Mapping[str, str] = field(default_factory=dict)
    sortable: bool = True
    newest: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One key of a collection: `column` of the rows for which `where` holds."""

    collection: Collection
    column: str
    where: tuple[tuple[str, str], ...]

    @property
    def kind(self) -> Kind:
        return self.collection.kind


@dataclass(frozen=True)
class FieldTable:
    """All that may be asked of an entity. `noun` is its plural, `prefixes` may stand before an attribute."""

    noun: str
    attributes: Mapping[str, Attribute]
    collections: Mapping[str, Collection] = field(default_factory=dict)
    prefixes: tuple[str, ...] = ("attribute",)

    def filtered(self, condition: Condition) -> Attribute | Entry:
        """What a condition asks about. Raises InvalidParameter for an unknown key or operator."""
        found = self._find(condition.entity, condition.key, self._filter_keys(), "filter")
        operators = found.operators if isinstance(found, Attribute) else found.collection.operators
        if not operators:
            raise _unknown(condition.name, self.noun, self._filter_keys(), "filter")
        if condition.operator not in operators:
            valid = ", ".join(operator for operator in Operator if operator in operators)
            raise InvalidParameter(
                f"Invalid operator {condition.operator} for '{condition.name}' at column {condition.column}; "
                f"valid operators are {valid}.",
                field="filter",
            )
        return found

    def ordered(self, ordering: Ordering) -> Attribute | Entry:
        """What an ordering asks about. Raises InvalidParameter for a key that rows are not ordered by."""
        found = self._find(ordering.entity, ordering.key, self._order_keys(), "order_by")
        if not (found.sortable if isinstance(found, Attribute) else found.collection.sortable):
            raise _unknown(ordering.name, self.noun, self._order_keys(), "order_by")
        return found

    def _find(self, entity: str | None, key: str, valid: Iterable[str], where: str) -> Attribute | Entry:
        if entity is None or entity in self.prefixes:
            for name, attribute in self.attributes.items():
                if key == name or key in attribute.aliases:
                    return attribute
        for name, collection in self.collections.items():
            if entity == name or entity in collection.aliases:
                if not collection.members:
                    return Entry(collection, collection.value, (("key", key),))
                if key in collection.members:
                    return Entry(collection, collection.members[key], ())
        raise _unknown(f"{entity}.{key}" if entity else key, self.noun, valid, where)

    def _filter_keys(self) -> list[str]:
        return [name for name, attribute in self.attributes.items() if attribute.operators] + self._collection_keys(
            collection for collection in self.collections if self.collections[collection].operators
        )

    def _order_keys(self) -> list[str]:
        return [name for name, attribute in self.attributes.items() if attribute.sortable] + self._collection_keys(
            collection for collection in self.collections if self.collections[collection].sortable
        )

    def _collection_keys(self, names: Iterable[str]) -> list[str]:
        return [f"{name}.{key}" for name in names for key in self.collections[name].members or ("<key>",)]


def value_for(condition: Condition, kind: Kind) -> str | int | float | tuple[str | int, ...] | None:
    """The value of a condition as its field compares it. Raises InvalidParameter if it is of another kind."""
    value = condition.value
    if value is None:
        return None
    if kind is Kind.TEXT and isinstance(value, str | tuple):
        return value
    if kind is Kind.NUMBER and isinstance(value, int | float):
        return float(value)
    if kind is Kind.TIME and isinstance(value, int | float) and math.isfinite(value):
        # Clients compute such numbers as floats. Between two milliseconds, >= and < look up, the rest down.
        looks_up = condition.operator in (Operator.GREATER_OR_EQUAL, Operator.LESS)
        return _in_range(math.ceil(value) if looks_up else math.floor(value), condition)
    if kind is Kind.WHOLE and isinstance(value, int):
        return _in_range(value, condition)
    if kind in (Kind.WHOLE, Kind.ID) and isinstance(value, str):
        return _whole(value, condition, kind)
    if kind is Kind.ID and isinstance(value, tuple):
        return tuple(_whole(item, condition, kind) for item in value)
    raise _wrong_value(condition, kind)


def _whole(text: str, condition: Condition, kind: Kind) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
        raise _wrong_value(condition, kind)
    return _in_range(int(text), condition)


def _in_range(number: int, condition: Condition) -> int:
    if abs(number) > _LARGEST_WHOLE_NUMBER:
        raise InvalidParameter(
            f"The number for '{condition.name}' at column {condition.column} is too large.", field="filter"
        )
    return number


def _wrong_value(condition: Condition, kind: Kind) -> InvalidParameter:
    return InvalidParameter(
        f"Invalid value for '{condition.name}' at column {condition.column}; it is compared with {kind.value}.",
        field="filter",
    )


def _unknown(name: str, noun: str, valid: Iterable[str], where: str) -> InvalidParameter:
    doing = "filter" if where == "filter" else "order"
    return InvalidParameter(
        f"Invalid key '{name}': {noun} are not {doing}ed by it. Valid keys are {', '.join(valid)}.",
        field=where,
    )
