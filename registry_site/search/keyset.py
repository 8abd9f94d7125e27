"""Pages by sort key: an order whose every place can be named, and continued from without counting rows."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db.models import F, FilteredRelation, Model, Q, QuerySet
from django.db.models.expressions import Combinable, OrderBy

from registry_site.core.errors import InvalidParameter

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Term:
    """One thing that rows are ordered by: a column, or an expression annotated as `name`. Nulls come last."""

    name: str
    column: str | None
    descending: bool
    nullable: bool
    expression: Combinable | None = None

    @property
    def order(self) -> OrderBy:
        return OrderBy(F(self.name), descending=self.descending, nulls_last=True if self.nullable else None)

    def same(self, value: Any) -> Q:
        return Q((f"{self.name}__isnull", True)) if value is None else Q((self.name, value))

    def after(self, value: Any) -> Q | None:
        """The rows that this term alone puts after the value, or None if there can be none."""
        if value is None:
            return None
        later = Q((f"{self.name}__{'lt' if self.descending else 'gt'}", value))
        return later | Q((f"{self.name}__isnull", True)) if self.nullable else later

    def not_before(self, value: Any) -> Q:
        return Q((f"{self.name}__{'lte' if self.descending else 'gte'}", value))


@dataclass(frozen=True)
class OrderPlan:
    """An order of rows in which no two are equal."""

    terms: tuple[Term, ...]
    relations: Mapping[str, FilteredRelation] = field(default_factory=dict)
    """What the terms' expressions join, by the name that they know it by."""
    joined: Mapping[Hashable, str] = field(default_factory=dict)
    """The same names, by what is joined: a filter may ask there too."""

    @property
    def annotations(self) -> dict[str, Combinable]:
        return {term.name: term.expression for term in self.terms if term.expression is not None}

    @property
    def order_by(self) -> list[OrderBy]:
        return [term.order for term in self.terms]

    def apply(self, queryset: QuerySet[Row], wanted: Q | None = None) -> QuerySet[Row]:
        """The rows that are wanted, in this order, ready for `key_of`. A condition that was compiled for what the plan
        has `joined` belongs here."""
        # In this sequence: Django joins anew for a condition that comes after the order.
        found = queryset.annotate(**self.relations).filter(wanted or Q())
        ordered: QuerySet[Row] = found.annotate(**self.annotations).order_by(*self.order_by)
        return ordered

    def key_of(self, row: Model) -> list[Any]:
        """The place of a row of an applied queryset: JSON values, floats with infinities included."""
        return [getattr(row, term.name) for term in self.terms]

    def after(self, key: Sequence[Any]) -> Q:
        """The rows behind the row with this key, for `filter()` on an applied queryset."""
        if len(key) != len(self.terms):
            raise InvalidParameter(
                "Invalid page token: it belongs to another order. Start again without page_token.",
                field="page_token",
            )
        behind, tied = Q(pk__in=[]), Q()
        # A flat list of cases. Nested in one another they would be shorter, and too deep for SQLite's parser.
        for term, value in zip(self.terms, key, strict=True):
            later = term.after(value)
            if later is not None:
                behind |= tied & later
            tied &= term.same(value)
        first = self.terms[0]
        # Says nothing new, but lets the database start reading its index at the right place.
        return behind if first.nullable else first.not_before(key[0]) & behind
