"""Searches whose SQL is compiled once for each shape of a filter: its keys and operators, but not its values.

To compile a search costs the ORM more than it costs the database to answer one. People and programs ask the same few
questions with other values, so the compiled statement is kept, and only its values change.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, NamedTuple, TypeVar

from django.db.models import (
    BigIntegerField,
    BooleanField,
    CharField,
    Field,
    FloatField,
    QuerySet,
)

from registry_site.core.pages import Page, decode_token, encode_token
from registry_site.core.prepared import Given, Prepared
from registry_site.search.compile import compile_filter, compile_order, is_plain, value_of
from registry_site.search.fields import FieldTable
from registry_site.search.paging import require_page_size
from registry_site.search.parser import Condition, Ordering

Row = TypeVar("Row")

SHAPES_KEPT = 200
_FIELDS: Mapping[type, "Field[Any, Any]"] = {
    str: CharField(),
    int: BigIntegerField(),
    float: FloatField(),
    bool: BooleanField(),
}


@dataclass(eq=False)
class PreparedSearch(Generic[Row]):
    """A search over the rows of `build(scope)`: a queryset with `Given` in the place of what changes from call to call.

    `scope` tells the variants of the queryset apart. `columns` are read, and `make` makes a row of them. The tie-break
    ends every tie.
    """

    table: FieldTable
    build: "Callable[[Any], QuerySet[Any, Any]]"
    columns: Sequence[str]
    make: Callable[..., Row]
    tie_break: Sequence[str]
    _statements: "OrderedDict[_Shape, _Statement]" = field(default_factory=OrderedDict)

    def page(
        self,
        conditions: Sequence[Condition],
        orderings: Sequence[Ordering],
        *,
        scope: Hashable,
        given: Mapping[str, Any],
        max_results: int,
        page_token: str | None,
        query: Any,
        most: int,
    ) -> Page[Row]:
        """As `read_page`, of the rows in this scope that meet the conditions. `given` has the values of `build`.

        Raises InvalidParameter for keys, operators and values that do not fit the table, and for a bad token.
        """
        require_page_size(max_results, most)
        key = decode_token(page_token, query)
        values = dict(given)
        bound = [self._bound(place, condition, values) for place, condition in enumerate(conditions)]
        after = None if key is None else self._placed(key, values)
        statement = self._statement(_Shape(scope, tuple(bound), tuple(orderings), after, max_results + 1))
        rows = statement.rows.read(**values)
        width = len(self.columns)
        if len(rows) <= max_results:
            return Page([self.make(*row[:width]) for row in rows])
        rows.pop()
        key = [rows[-1][place] for place in statement.places_of_key]
        return Page([self.make(*row[:width]) for row in rows], encode_token(key, query))

    def _bound(self, place: int, condition: Condition, values: dict[str, Any]) -> Condition:
        """The condition with its value taken out, if another value makes no other statement."""
        if not is_plain(condition, self.table):
            return condition
        value = value_of(condition, self.table)
        name = f"filter_{place}"
        values[name] = value
        return replace(condition, value=_Slot(name, type(value)), column=0)  # type: ignore[arg-type]  # see _Slot

    def _placed(self, key: Sequence[Any], values: dict[str, Any]) -> tuple["_Slot | None", ...]:
        """The key of a page token with its values taken out; a null stays, since it makes another statement."""
        names = [f"after_{place}" for place in range(len(key))]
        values.update(zip(names, key, strict=True))
        return tuple(
            None if value is None else _Slot(name, type(value)) for name, value in zip(names, key, strict=True)
        )

    def _statement(self, shape: "_Shape") -> "_Statement":
        found = self._statements.get(shape)
        if found is None:
            found = self._statements[shape] = self._compiled(shape)
            while len(self._statements) > SHAPES_KEPT:
                self._statements.popitem(last=False)
        return found

    def _compiled(self, shape: "_Shape") -> "_Statement":
        plan = compile_order(shape.orderings, self.table, self.tie_break)
        conditions = [replace(one, value=_opened(one.value)) for one in shape.conditions]
        wanted = compile_filter(conditions, self.table, joined=plan.joined)
        rows = plan.apply(self.build(shape.scope), wanted)
        if shape.after is not None:
            rows = rows.filter(plan.after([_opened(value) for value in shape.after]))
        columns = [*self.columns, *(term.name for term in plan.terms if term.name not in self.columns)]
        read = rows.values_list(*columns)[: shape.limit]
        return _Statement(Prepared(lambda: read, _row), [columns.index(term.name) for term in plan.terms])


class _Shape(NamedTuple):
    """All that makes one statement another."""

    scope: Hashable
    conditions: tuple[Condition, ...]
    orderings: tuple[Ordering, ...]
    after: "tuple[_Slot | None, ...] | None"
    limit: int


class _Statement(NamedTuple):
    """What reads the rows, and where in a row the terms of its sort key are."""

    rows: "Prepared[tuple[Any, ...]]"
    places_of_key: list[int]


@dataclass(frozen=True, slots=True)
class _Slot:
    """The place of a value in a shape. Its type is part of the shape: an int and a text are compared differently."""

    name: str
    kind: type


def _opened(value: Any) -> Any:
    return Given(value.name, _FIELDS[value.kind]) if isinstance(value, _Slot) else value


def _row(*values: Any) -> tuple[Any, ...]:
    return values
