"""Plots that are drawn on the server, so that they need no script: where everything stands in an SVG. Pure.

Across, places are percents, so that a drawing is as wide as the page leaves it room while its text keeps its size;
down, they are pixels.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from registry_site.pages.formats import number
from registry_site.pages.side_by_side import Value

HEIGHT, TOP, BOTTOM = 220, 14, 26
SIDE = 4.0  # percent that stay free at either end
LABELS = 8  # at most, below a drawing
LANE, GAP = 26, 6
LABELLED = 0.06  # of the width: in a bar that is shorter, no label has room
MOST_AXES = 8
NAME_LINE, AXIS_TOP = 14, 54
_ENDLESS = 1e300


@dataclass(frozen=True, slots=True)
class Tick:
    """A value of an axis: its place and its words; `anchor` is where the words stand beside the place."""

    at: str
    label: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Segment:
    """A straight piece of a line."""

    x1: str
    y1: str
    x2: str
    y2: str
    css: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A point: where it is, what is said of it, and where it leads."""

    x: str
    y: str
    said: str
    css: str = ""
    url: str = ""
    label: str = ""
    is_square: bool = False

    @property
    def is_far_right(self) -> bool:
        """Whether there is no room for a label at its right."""
        return float(self.x.removesuffix("%")) > 50


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time in a lane."""

    x: str
    width: str
    y: int
    label: str
    said: str
    css: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a template draws. `floor` is where the axis below is."""

    height: int
    floor: int
    across: Sequence[Tick] = ()
    down: Sequence[Tick] = ()
    segments: Sequence[Segment] = ()
    marks: Sequence[Mark] = ()
    bars: Sequence[Bar] = ()
    axes: Sequence["Axis"] = ()


@dataclass(frozen=True, slots=True)
class Axis:
    """An upright axis of its own: its name, how far down that stands, and the words at both ends."""

    x: str
    name: str
    low: str
    high: str
    name_y: int


# -- points over versions ----------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Point:
    """A value of something that has a place in a row."""

    label: str
    value: float | None
    said: str
    css: str = ""
    url: str = ""
    is_square: bool = False


def line_over(points: Sequence[Point]) -> Drawing | None:
    """The values of a row of things, joined by a line; None without two finite ones. What has none leaves a gap."""
    values = [point.value for point in points if point.value is not None and _is_finite(point.value)]
    if len(values) < 2:
        return None
    low, high, ticks = _scale(values)
    places = [_percent(place / max(len(points) - 1, 1)) for place in range(len(points))]
    marks = [
        (place, Mark(x, _down(point.value, low, high), point.said, point.css, point.url, is_square=point.is_square))
        for place, (x, point) in enumerate(zip(places, points, strict=True))
        if point.value is not None and _is_finite(point.value)
    ]
    segments = [
        Segment(one.x, one.y, other.x, other.y) for (here, one), (there, other) in pairwise(marks) if there == here + 1
    ]
    every = math.ceil(len(points) / LABELS)
    across = [Tick(x, point.label) for x, point in list(zip(places, points, strict=True))[::every]]
    return Drawing(HEIGHT, HEIGHT - BOTTOM, across, ticks, segments, [mark for _, mark in marks])


# -- one value beside another ------------------------------------------------------------------------------------------
def scatter(points: Sequence[tuple[str, Value, Value, str]]) -> Drawing | None:
    """A point for each thing that has both numbers (its name, x, y, class); None without two of them."""
    found = [
        (name, x, y, css)
        for name, given_x, given_y, css in points
        if (x := as_number(given_x)) is not None and (y := as_number(given_y)) is not None
    ]
    if len(found) < 2:
        return None
    low_x, high_x, _ = _scale([x for _, x, _, _ in found])
    low, high, down = _scale([y for _, _, y, _ in found])
    across = [Tick(_percent((value - low_x) / (high_x - low_x)), number(value)) for value in _ticks(low_x, high_x, 4)]
    marks = [
        Mark(
            _percent((x - low_x) / (high_x - low_x)),
            _down(y, low, high),
            f"{name}: {number(x)}, {number(y)}",
            css,
            label=name,
        )
        for name, x, y, css in found
    ]
    return Drawing(HEIGHT, HEIGHT - BOTTOM, across, down, (), marks)


# -- many values of each thing -----------------------------------------------------------------------------------------
def parallel(things: Sequence[tuple[str, Mapping[str, Value], str]], names: Sequence[str]) -> Drawing | None:
    """A line for each thing (its name, values, class) over an axis for each of these names; None without two axes.

    Numbers stand by their size, texts in their order.
    """
    names = [name for name in names if any(values.get(name) is not None for _, values, _ in things)][:MOST_AXES]
    if len(names) < 2:
        return None
    axes, shares = [], []
    for place, name in enumerate(names):
        given = [values.get(name) for _, values, _ in things]
        share, low, high = _shares(given)
        shares.append(share)
        name_y = 12 + NAME_LINE * (place % 2)  # neighbours have long names
        axes.append(Axis(_percent(place / (len(names) - 1), 9.0), name, low, high, name_y))
    top, floor = AXIS_TOP, HEIGHT + NAME_LINE - BOTTOM
    marks, segments = [], []
    for row, (called, values, css) in enumerate(things):
        before: Mark | None = None
        for axis, share in zip(axes, shares, strict=True):
            at = share[row]
            if at is None:
                before = None
                continue
            mark = Mark(
                axis.x, f"{floor - at * (floor - top):.1f}", f"{called}: {axis.name} {_said(values[axis.name])}", css
            )
            if before is not None:
                segments.append(Segment(before.x, before.y, mark.x, mark.y, css))
            marks.append(mark)
            before = mark
    return Drawing(HEIGHT + NAME_LINE, floor, segments=segments, marks=marks, axes=axes)


def _shares(given: Sequence[Value]) -> tuple[list[float | None], str, str]:
    """Where each value is between the two ends of its axis, and what stands there; texts are in their order."""
    numbers = [as_number(value) for value in given]
    known = [each for each in numbers if each is not None]
    if len(known) == sum(value is not None for value in given):
        low, high = min(known), max(known)
        span = high - low
        return (
            [None if each is None else (each - low) / span if span else 0.5 for each in numbers],
            number(low),
            number(high),
        )
    words = sorted({str(value) for value in given if value is not None})
    last = len(words) - 1
    shares = [None if value is None else words.index(str(value)) / last if last else 0.5 for value in given]
    return shares, words[0], words[-1]


def _said(value: Value) -> str:
    return number(value) if isinstance(value, float | int) else str(value)


def as_number(value: Value) -> float | None:
    """A finite number, also one that is written as a text."""
    try:
        found = float(value) if value is not None else math.nan
    except ValueError:
        return None
    return found if _is_finite(found) else None


# -- time --------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Stretch:
    """Something that lasted: in which lane, from when until when (None is now), how it is called and looks."""

    lane: str
    start: datetime
    end: datetime | None
    label: str
    said: str
    css: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """What happened in one lane: its bars, in as many rows as lay over each other."""

    name: str
    drawing: Drawing


@dataclass(frozen=True, slots=True)
class Chart:
    """Lanes over the same stretch of time, and what stands below them."""

    lanes: Sequence[Lane]
    across: Sequence[Tick] = field(default_factory=list)


def lanes_over(stretches: Sequence[Stretch], names: Sequence[str], now: datetime) -> Chart | None:
    """A lane for each of these names that has something in it, from the first start until now; None without any."""
    if not stretches:
        return None
    first = min(each.start for each in stretches)
    whole = max(now - first, timedelta(minutes=1))
    lanes = [
        Lane(name, _lane([each for each in stretches if each.lane == name], first, whole, now))
        for name in names
        if any(each.lane == name for each in stretches)
    ]
    middle = first + whole / 2
    across = [
        Tick("0%", f"{first:%Y-%m-%d}", "start"),
        Tick("50%", f"{middle:%Y-%m-%d}"),
        Tick("100%", f"{now:%Y-%m-%d}", "end"),
    ]
    return Chart(lanes, across)


def _lane(stretches: Sequence[Stretch], first: datetime, whole: timedelta, now: datetime) -> Drawing:
    ends: list[datetime] = []  # of each row
    bars = []
    for each in sorted(stretches, key=lambda one: one.start):
        end = each.end or now
        row = next((place for place, free in enumerate(ends) if free <= each.start), len(ends))
        ends[row : row + 1] = [end]
        left, share = (each.start - first) / whole, (end - each.start) / whole
        share = max(share, 0.004)
        bars.append(
            Bar(
                f"{100 * min(left, 1 - share):.2f}%",
                f"{100 * share:.2f}%",
                row * (LANE + GAP),
                each.label if share > LABELLED else "",
                each.said,
                each.css,
                each.url,
            )
        )
    height = len(ends) * (LANE + GAP) - GAP
    return Drawing(height, height, bars=bars)


# -- numbers -----------------------------------------------------------------------------------------------------------
def _is_finite(value: float) -> bool:
    """Whether it can be drawn: MLflow stores an infinity as the greatest number that there is."""
    return abs(value) < _ENDLESS


def _scale(values: Sequence[float]) -> tuple[float, float, list[Tick]]:
    """From where to where an axis goes that shows all of these, and what stands at it."""
    low, high = min(values), max(values)
    if high - low < 1 / _ENDLESS:
        room = abs(low) * 0.1 or 0.5
        low, high = low - room, high + room
    else:
        room = (high - low) * 0.06
        low, high = low - room, high + room
    return low, high, [Tick(_down(value, low, high), number(value), "end") for value in _ticks(low, high, 4)]


def _ticks(low: float, high: float, count: int) -> list[float]:
    """Round values between the two, about as many as asked for."""
    rough = (high - low) / count
    unit = 10.0 ** math.floor(math.log10(rough))
    step = unit * next(factor for factor in (1, 2, 5, 10) if factor * unit >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [place * step for place in range(first, last + 1)]


def _down(value: float, low: float, high: float) -> str:
    share = (value - low) / (high - low)
    return f"{HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP):.1f}"


def _percent(share: float, side: float = SIDE) -> str:
    return f"{side + share * (100 - 2 * side):.2f}%"
