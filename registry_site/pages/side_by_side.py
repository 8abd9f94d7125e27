"""Several things side by side: a line for each name, a column for each thing. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
    """What each of them has under this name, None where it has nothing."""

    name: str
    values: tuple[Value, ...]

    @property
    def differs(self) -> bool:
        """Whether they do not all have the same. NaN is the same as NaN."""
        return any(not _same(self.values[0], other) for other in self.values[1:])

    @property
    def cells(self) -> list[Cell]:
        first = self.values[0]
        return [Cell(value, _distance(first, value) if place else None) for place, value in enumerate(self.values)]


def lines(things: Sequence[Mapping[str, Value]]) -> list[Line]:
    """A line for every name that one of them has, alphabetical."""
    names = sorted({name for thing in things for name in thing})
    return [Line(name, tuple(thing.get(name) for thing in things)) for name in names]


def _same(one: Value, other: Value) -> bool:
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return one == other


def _distance(first: Value, other: Value) -> float | None:
    if not isinstance(first, float | int) or not isinstance(other, float | int) or first == other:
        return None
    return other - first if math.isfinite(first) and math.isfinite(other) else None
