"""Two versions side by side: what was added, removed, changed, and by how much. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Change(StrEnum):
    """What became of one entry."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Row:
    """One entry before and after, None where it is not there. `delta` is after less before, of two finite numbers.

    Whether a delta is good or bad is not said here: for some metrics less is better.
    """

    name: str
    old: float | str | None
    new: float | str | None
    change: Change
    delta: float | None = None

    @property
    def signed(self) -> str:
        """The delta in three significant digits, with its sign; empty without one."""
        return "" if self.delta is None else f"{self.delta:+.3g}".replace("-", "−", 1)


def compare(old: Mapping[str, float] | Mapping[str, str], new: Mapping[str, float] | Mapping[str, str]) -> list[Row]:
    """Every entry of the two, alphabetical. Two NaN are the same."""
    return [_row(name, old.get(name), new.get(name)) for name in sorted({*old, *new})]


def _row(name: str, old: float | str | None, new: float | str | None) -> Row:
    if old is None or new is None:
        return Row(name, old, new, Change.ADDED if old is None else Change.REMOVED)
    if isinstance(old, str) or isinstance(new, str):
        return Row(name, old, new, Change.SAME if old == new else Change.CHANGED)
    is_same = old == new or (math.isnan(old) and math.isnan(new))
    delta = new - old if math.isfinite(old) and math.isfinite(new) else None
    return Row(name, old, new, Change.SAME if is_same else Change.CHANGED, delta)
