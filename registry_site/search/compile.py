"""Turns conditions and orderings into queries, by an entity's table of fields."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import and_
from typing import Any

from django.apps import apps
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.fields import IntegerField
from django.db.models.functions import Coalesce

from registry_site.core.errors import InvalidParameter
from registry_site.search.fields import Attribute, Entry, FieldTable, value_for
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


def compile_filter(conditions: Iterable[Condition], table: FieldTable, *, only: Mapping[str, Q] | None = None) -> Q:
    """What rows meet all conditions, for `filter()` on the entity's model.

    A row without the key of a tag, param or metric meets no comparison with it, not even !=; only IS NULL.
    `only` narrows which rows of a collection count, by the collection's name in the table. Raises
    InvalidParameter for keys, operators and values that do not fit the table.
    """
    narrowed = {table.collections[name].model: q for name, q in (only or {}).items()}
    return reduce(and_, (_compiled(condition, table, narrowed) for condition in conditions), Q())


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
    seen: list[Attribute | tuple[Entry, tuple[tuple[str, str], ...]]] = []
    for position, ordering in enumerate(orderings):
        target = table.ordered(ordering)
        identity = target if isinstance(target, Attribute) else (target, ordering.only)
        if identity in seen:
            raise InvalidParameter(f"order_by names '{ordering.name}' twice; name each key once.", field="order_by")
        seen.append(identity)
        if isinstance(target, Attribute):
            terms.append(_column_term(target.column, ordering.descending, target.nullable))
        else:
            terms += _entry_terms(target, ordering, f"sort_{position}")
    nullable = {attribute.column for attribute in table.attributes.values() if attribute.nullable}
    for name in tie_break:
        column = name.removeprefix("-")
        if not any(term.column == column for term in terms):
            terms.append(_column_term(column, name.startswith("-"), column in nullable))
    return OrderPlan(tuple(terms))


# -- filters -------------------------------------------------------------------------------------------------
def _compiled(condition: Condition, table: FieldTable, narrowed: Mapping[str, Q]) -> Q:
    target = table.filtered(condition)
    if isinstance(target, Attribute):
        return _comparison(target.column, condition.operator, value_for(condition, target.kind))
    rows = _rows(target).filter(narrowed.get(target.collection.model, Q()))
    if condition.operator is Operator.IS_NULL:
        return ~Q(Exists(rows))
    if condition.operator is Operator.IS_NOT_NULL:
        return Q(Exists(rows))
    value = value_for(condition, target.kind)
    if target.collection.nan_flag:
        return Q(Exists(rows.filter(_metric_comparison(target, condition, value, target.collection.nan_flag))))
    return Q(Exists(rows.filter(_comparison(target.column, condition.operator, value))))


def _rows(entry: Entry) -> QuerySet[Any]:
    model = apps.get_model(entry.collection.model)
    rows: QuerySet[Any] = model._default_manager.filter(Q((entry.collection.parent, OuterRef("pk"))))
    return rows.filter(*map(Q, entry.where))


def _comparison(column: str, operator: Operator, value: Any) -> Q:
    if operator is Operator.NOT_IN:
        return ~Q((f"{column}__in", value)) & Q((f"{column}__isnull", False))
    return Q((f"{column}__{_LOOKUPS[operator]}", value))


def _metric_comparison(entry: Entry, condition: Condition, value: Any, nan_flag: str) -> Q:
    """NaN differs from every number. Asked for by name, it is found: `metrics.loss = NaN`."""
    differs = condition.operator is Operator.NOT_EQUAL
    if math.isnan(value):
        if condition.operator not in (Operator.EQUAL, Operator.NOT_EQUAL):
            raise InvalidParameter(
                f"NaN is neither more nor less than a number: compare '{condition.name}' with it by = or !=.",
                field="filter",
            )
        return Q((nan_flag, not differs))
    comparison = _comparison(entry.column, condition.operator, value)
    return Q((nan_flag, True)) | comparison if differs else Q((nan_flag, False)) & comparison


# -- orders --------------------------------------------------------------------------------------------------
def _column_term(column: str, descending: bool, nullable: bool) -> Term:
    if "__" not in column:
        return Term(column, column, descending, nullable)
    # The value travels with the row, so that reading its sort key asks the database nothing.
    return Term("sort_" + column.replace("__", "_"), column, descending, nullable, F(column))


def _entry_terms(entry: Entry, ordering: Ordering, name: str) -> list[Term]:
    rows = _rows(entry).filter(*map(Q, ordering.only)).order_by(*entry.collection.newest)
    flag = entry.collection.nan_flag
    if not flag:
        return [Term(name, None, ordering.descending, True, Subquery(rows.values(entry.column)[:1]))]
    rank = Case(When(Q((flag, True)), then=_IS_NAN), default=_HAS_NUMBER, output_field=IntegerField())
    number = Case(When(Q((flag, False)), then=F(entry.column)))
    ranked = Coalesce(Subquery(rows.annotate(rank=rank).values("rank")[:1]), Value(_IS_ABSENT))
    return [
        Term(f"{name}_rank", None, False, False, ranked),
        Term(name, None, ordering.descending, True, Subquery(rows.annotate(number=number).values("number")[:1])),
    ]
