"""Several things side by side: a line for each name, a column for each thing. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from registry_site.core.errors import InvalidParameter

Value = float | str | None


@dataclass(frozen=True, slots=True)
class Cell:
    """A value, and for a number how far it is from the first one of its line; None where that says nothing."""

    value: Value
    distance: float | None = None

    @property
    def is_number(self) -> bool:
        return isinstance(self.value, float | int)

    @property
    def signed(self) -> str:
        """The distance in three significant digits, with its sign; empty without one."""
        return "" if self.distance is None else f"{self.distance:+.3g}".replace("-", "−", 1)


@dataclass(frozen=True, slots=True)
class Line:
    """What each of them has under this name, None where it has nothing. Numbers that are as close as `tolerance`, a
    part of the greater one, count as the same."""

    name: str
    values: tuple[Value, ...]
    tolerance: float = 0.0

    @property
    def differs(self) -> bool:
        """Whether they do not all have the same. NaN is the same as NaN."""
        return any(not is_same(self.values[0], other, self.tolerance) for other in self.values[1:])

    @property
    def cells(self) -> list[Cell]:
        first = self.values[0]
        return [Cell(value, _distance(first, value) if place else None) for place, value in enumerate(self.values)]


def lines(things: Sequence[Mapping[str, Value]], tolerance: float = 0.0) -> list[Line]:
    """A line for every name that one of them has, alphabetical."""
    names = sorted({name for thing in things for name in thing})
    return [Line(name, tuple(thing.get(name) for thing in things), tolerance) for name in names]


def is_same(one: Value, other: Value, tolerance: float = 0.0) -> bool:
    """Whether both are the same; with a tolerance, also of numbers that are written as texts."""
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    if one == other or not tolerance:
        return one == other
    return math.isclose(_number(one), _number(other), rel_tol=tolerance)


def _number(value: Value) -> float:
    try:
        return math.nan if value is None else float(value)
    except ValueError:
        return math.nan


def tolerance_of(text: str) -> float:
    """A relative tolerance that somebody typed; nothing is none. Raises InvalidParameter for what is none."""
    try:
        found = float(text.strip() or 0)
    except ValueError:
        found = math.nan
    if not 0 <= found < 1:
        raise InvalidParameter(
            _("'%(text)s' is no tolerance: it is a number from 0 to less than 1, such as 0.01 for one percent.")
            % {"text": text.strip()[:50]},
            field="tolerance",
        )
    return found


def _distance(first: Value, other: Value) -> float | None:
    if not isinstance(first, float | int) or not isinstance(other, float | int) or first == other:
        return None
    return other - first if math.isfinite(first) and math.isfinite(other) else None
