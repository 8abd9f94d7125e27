"""Turns conditions and orderings into queries, by an entity's table of fields."""

import math
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import reduce
from operator import and_
from typing import Any

from django.apps import apps
from django.db.models import (
    Case,
    Exists,
    Expression,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.fields import IntegerField
from django.db.models.functions import Coalesce

from registry_site.core.errors import InvalidParameter
from registry_site.search.fields import NUMBER_OPERATORS, Attribute, Entry, FieldTable, Kind, value_for
from registry_site.search.keyset import OrderPlan, Term
from registry_site.search.lookups import ILike, Like, NotEqual
from registry_site.search.parser import Condition, Operator, Ordering

_LOOKUPS = {
    Operator.EQUAL: "exact",
    Operator.NOT_EQUAL: NotEqual.lookup_name,
    Operator.GREATER: "gt",
    Operator.GREATER_OR_EQUAL: "gte",
    Operator.LESS: "lt",
    Operator.LESS_OR_EQUAL: "lte",
    Operator.LIKE: Like.lookup_name,
    Operator.ILIKE: ILike.lookup_name,
    Operator.IN: "in",
}
_HAS_NUMBER, _IS_NAN, _IS_ABSENT = (
    0,
    1,
    2,
)  # the order of rows when a metric orders them, whatever its direction


def compile_filter(
    conditions: Iterable[Condition],
    table: FieldTable,
    *,
    only: Mapping[str, Q] | None = None,
    joined: Mapping[Hashable, str] | None = None,
) -> Q:
    """What rows meet all conditions, for `filter()` on the entity's model.

    A row without the key of a tag, param or metric meets no comparison with it, not even !=; only IS NULL.
    `only` narrows which rows of a collection count, by the collection's name in the table. `joined` is that of the
    plan that was applied to the queryset. Raises InvalidParameter for keys, operators and values that do not fit the
    table.
    """
    narrowed = {table.collections[name].model: q for name, q in (only or {}).items()}
    return reduce(and_, (_compiled(condition, table, narrowed, joined or {}) for condition in conditions), Q())


def compile_words(words: Iterable[str], column: str) -> Q:
    """What rows have every word in the column, in any place and in upper or lower case."""
    # SQLite's icontains folds ASCII only; its regular expressions are Python's and fold all.
    return reduce(
        and_,
        (
            Q((f"{column}__icontains", word)) if word.isascii() else Q((f"{column}__iregex", re.escape(word)))
            for word in words
        ),
        Q(),
    )


def compile_order(orderings: Sequence[Ordering], table: FieldTable, tie_break: Sequence[str]) -> OrderPlan:
    """The order that the orderings ask for, and then the columns of `tie_break`, with "-" for descending.

    The tie-break must end every tie, or pages lose rows. Rows without a value come last in both directions,
    rows whose metric is not a number just before them. Raises InvalidParameter for unknown keys and keys
    given twice.
    """
    terms: list[Term] = []
    relations: dict[str, FilteredRelation] = {}
    joined: dict[Hashable, str] = {}
    seen: list[Attribute | tuple[Entry, tuple[tuple[str, str], ...]]] = []
    for position, ordering in enumerate(orderings):
        target = table.ordered(ordering)
        identity = target if isinstance(target, Attribute) else (target, ordering.only)
        if identity in seen:
            raise InvalidParameter(f"order_by names '{ordering.name}' twice; name each key once.", field="order_by")
        seen.append(identity)
        if isinstance(target, Attribute):
            terms.append(_column_term(target.column, ordering.descending, target.nullable))
        elif target.collection.newest:
            terms += _newest_terms(target, ordering, f"sort_{position}")
        else:
            joined[target] = f"row_{position}"
            relations[joined[target]] = _relation(target)
            terms += _joined_terms(target, ordering, joined[target], f"sort_{position}")
    nullable = {attribute.column for attribute in table.attributes.values() if attribute.nullable}
    for name in tie_break:
        column = name.removeprefix("-")
        if not any(term.column == column for term in terms):
            terms.append(_column_term(column, name.startswith("-"), column in nullable))
    return OrderPlan(tuple(terms), relations, joined)


def value_of(condition: Condition, table: FieldTable) -> Any:
    """The value of a condition as its field compares it. Raises InvalidParameter as `compile_filter` does."""
    return _value(condition, table.filtered(condition).kind)


def is_plain(condition: Condition, table: FieldTable) -> bool:
    """Whether the condition makes the same statement whatever its value is, so that a `Given` may take its place.

    Patterns, lists and NaN do not. Raises InvalidParameter for unknown keys and operators, and for wrong values.
    """
    if condition.operator not in NUMBER_OPERATORS:
        return False
    value = value_of(condition, table)
    return not (isinstance(value, float) and math.isnan(value))


# -- filters -------------------------------------------------------------------------------------------------
def _compiled(condition: Condition, table: FieldTable, narrowed: Mapping[str, Q], joined: Mapping[Hashable, str]) -> Q:
    target = table.filtered(condition)
    if isinstance(target, Attribute):
        return _comparison(target.column, condition.operator, _value(condition, target.kind))
    rows = _rows(target).filter(narrowed.get(target.collection.model, Q()))
    if condition.operator is Operator.IS_NULL:
        return ~Q(Exists(rows))
    if condition.operator is Operator.IS_NOT_NULL:
        return Q(Exists(rows))
    value = _value(condition, target.kind)
    if target in joined:
        return _entry_comparison(target, condition, value, f"{joined[target]}__")
    return Q(Exists(rows.filter(_entry_comparison(target, condition, value))))


def _value(condition: Condition, kind: Kind) -> Any:
    return condition.value if isinstance(condition.value, Expression) else value_for(condition, kind)


def _rows(entry: Entry) -> QuerySet[Any]:
    model = apps.get_model(entry.collection.model)
    rows: QuerySet[Any] = model._default_manager.filter(Q((entry.collection.parent, OuterRef("pk"))))
    return rows.filter(*map(Q, entry.where))


def _comparison(column: str, operator: Operator, value: Any) -> Q:
    if operator is Operator.NOT_IN:
        return ~Q((f"{column}__in", value)) & Q((f"{column}__isnull", False))
    return Q((f"{column}__{_LOOKUPS[operator]}", value))


def _entry_comparison(entry: Entry, condition: Condition, value: Any, row: str = "") -> Q:
    """What a row of the collection, whose path is `row`, has to be. NaN differs from every number, and asked for by
    name it is found: `metrics.loss = NaN`."""
    column = row + entry.column
    if not entry.collection.nan_flag:
        return _comparison(column, condition.operator, value)
    nan_flag = row + entry.collection.nan_flag
    differs = condition.operator is Operator.NOT_EQUAL
    if isinstance(value, float) and math.isnan(value):
        if condition.operator not in (Operator.EQUAL, Operator.NOT_EQUAL):
            raise InvalidParameter(
                f"NaN is neither more nor less than a number: compare '{condition.name}' with it by = or !=.",
                field="filter",
            )
        return Q((nan_flag, not differs))
    comparison = _comparison(column, condition.operator, value)
    return Q((nan_flag, True)) | comparison if differs else Q((nan_flag, False)) & comparison


# -- orders --------------------------------------------------------------------------------------------------
def _column_term(column: str, descending: bool, nullable: bool) -> Term:
    if "__" not in column:
        return Term(column, column, descending, nullable)
    # The value travels with the row, so that reading its sort key asks the database nothing.
    return Term("sort_" + column.replace("__", "_"), column, descending, nullable, F(column))


def _newest_terms(entry: Entry, ordering: Ordering, name: str) -> list[Term]:
    """The terms for a metric of which a row may have many."""
    rows = _rows(entry).filter(*map(Q, ordering.only)).order_by(*entry.collection.newest)
    flag = entry.collection.nan_flag
    rank = Case(When(Q((flag, True)), then=_IS_NAN), default=_HAS_NUMBER, output_field=IntegerField())
    number = Case(When(Q((flag, False)), then=F(entry.column)))
    ranked = Coalesce(Subquery(rows.annotate(rank=rank).values("rank")[:1]), Value(_IS_ABSENT))
    return [
        Term(f"{name}_rank", None, False, False, ranked),
        Term(name, None, ordering.descending, True, Subquery(rows.annotate(number=number).values("number")[:1])),
    ]


def _relation(entry: Entry) -> FilteredRelation:
    """The one row of a collection that has the key, or none."""
    parent = apps.get_model(entry.collection.model)._meta.get_field(entry.collection.parent)
    name = parent.remote_field.get_accessor_name()
    where = {f"{name}__{column}": value for column, value in entry.where}
    return FilteredRelation(name, condition=Q(**where))


def _joined_terms(entry: Entry, ordering: Ordering, row: str, name: str) -> list[Term]:
    """The terms for a key that has one row at most: a join reads it once, where sub-selects would twice."""
    value, flag = F(f"{row}__{entry.column}"), entry.collection.nan_flag
    if not flag:
        return [Term(name, None, ordering.descending, True, value)]
    is_number, is_nan = Q((f"{row}__{flag}", False)), Q((f"{row}__{flag}", True))
    rank = Case(
        When(is_number, then=_HAS_NUMBER), When(is_nan, then=_IS_NAN), default=_IS_ABSENT, output_field=IntegerField()
    )
    return [
        Term(f"{name}_rank", None, False, False, rank),
        Term(name, None, ordering.descending, True, Case(When(is_number, then=value))),
    ]
