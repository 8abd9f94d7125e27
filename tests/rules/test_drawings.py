"""Where everything stands in the plots that the server draws."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_site.pages.drawings import Point, Stretch, lanes_over, line_over, parallel, scatter
from registry_site.promotion.history import Move, Span, spans_of
from registry_site.registry.stages import Stage

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def day(number: float) -> datetime:
    return NOON + timedelta(days=number)


def share(text: str) -> float:
    return float(text.removesuffix("%"))


# -- points ------------------------------------------------------------------------------------------------------------
def test_a_line_joins_what_follows_one_another_and_leaves_gaps() -> None:
    drawing = line_over([Point(f"v{n}", value, "") for n, value in enumerate([1.0, 2.0, None, 3.0, math.nan, 1.5])])
    assert drawing is not None
    assert len(drawing.marks) == 4
    assert len(drawing.segments) == 1
    assert [tick.label for tick in drawing.across] == ["v0", "v1", "v2", "v3", "v4", "v5"]
    assert float(drawing.marks[2].y) < float(drawing.marks[1].y) < float(drawing.marks[0].y), "more is higher"


@pytest.mark.parametrize("values", [[], [1.0], [None, 2.0], [math.inf, 1.0]])
def test_less_than_two_values_are_no_drawing(values: list[float | None]) -> None:
    assert line_over([Point("v", value, "") for value in values]) is None
    assert scatter([("v", value, value, "") for value in values]) is None


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=2, max_size=30))
def test_whatever_is_measured_stays_inside(values: list[float]) -> None:
    for drawing in (
        line_over([Point(str(place), value, "") for place, value in enumerate(values)]),
        scatter([(str(place), value, -value, "") for place, value in enumerate(values)]),
        parallel([("one", dict(zip("abcdef", values, strict=False)), ""), ("two", {"a": 1.0, "b": "x"}, "")], "abcdef"),
    ):
        if drawing is None:
            continue
        for mark in drawing.marks:
            assert 0 <= share(mark.x) <= 100
            assert 0 <= float(mark.y) <= drawing.height
        assert len(drawing.down) <= 10
        assert len(drawing.across) <= 10 or len(values) < 10


def test_labels_below_are_thinned() -> None:
    drawing = line_over([Point(f"v{n}", n / 1, "") for n in range(50)])
    assert drawing is not None
    assert [tick.label for tick in drawing.across] == ["v0", "v7", "v14", "v21", "v28", "v35", "v42", "v49"]


def test_one_value_beside_another_also_where_it_is_written_as_a_text() -> None:
    drawing = scatter([("a", "0.1", 0.8, "series-1"), ("b", "0.3", 0.9, "series-2"), ("c", "deep", 0.9, "")])
    assert drawing is not None
    assert [mark.label for mark in drawing.marks] == ["a", "b"]
    assert share(drawing.marks[0].x) < share(drawing.marks[1].x)
    assert drawing.marks[1].said == "b: 0.3000, 0.9000"
    assert drawing.marks[1].is_far_right


def test_many_values_have_an_axis_each() -> None:
    things = [
        ("a", {"auc": 0.8, "depth": "3", "loss": "log"}, "series-1"),
        ("b", {"auc": 0.9, "depth": "10", "loss": None}, "series-2"),
        ("c", {"auc": 0.85, "depth": "3", "loss": "hinge"}, "series-3"),
    ]
    drawing = parallel(things, ["auc", "depth", "loss", "nothing"])
    assert drawing is not None
    assert [(axis.name, axis.low, axis.high) for axis in drawing.axes] == [
        ("auc", "0.8000", "0.9000"),
        ("depth", "3.000", "10.00"),
        ("loss", "hinge", "log"),
    ]
    assert len(drawing.segments) == 2 + 1 + 2
    assert "b: depth 10" in {mark.said for mark in drawing.marks}
    assert parallel(things, ["auc"]) is None


# -- time --------------------------------------------------------------------------------------------------------------
def test_bars_lie_in_lanes_and_what_overlaps_below_each_other() -> None:
    stretches = [
        Stretch("Production", day(0), day(5), "v1", ""),
        Stretch("Staging", day(2), day(8), "v2", ""),
        Stretch("Staging", day(4), None, "v3", ""),
        Stretch("Production", day(5), None, "v2", ""),
    ]
    chart = lanes_over(stretches, ["Production", "Staging", "Archived"], day(10))
    assert chart is not None
    assert [lane.name for lane in chart.lanes] == ["Production", "Staging"]
    production, staging = (lane.drawing for lane in chart.lanes)
    assert [(bar.label, bar.x, bar.width, bar.y) for bar in production.bars] == [
        ("v1", "0.00%", "50.00%", 0),
        ("v2", "50.00%", "50.00%", 0),
    ]
    assert [bar.y for bar in staging.bars] == [0, 32]
    assert staging.height > production.height
    assert [tick.label for tick in chart.across] == ["2026-03-02", "2026-03-07", "2026-03-12"]
    assert lanes_over([], ["Production"], day(1)) is None


def test_the_shortest_stay_is_seen_and_stays_inside() -> None:
    stretches = [Stretch("a", day(0), None, "v1", ""), Stretch("a", day(365), day(365), "v2", "")]
    chart = lanes_over(stretches, ["a"], day(365))
    assert chart is not None
    bar = chart.lanes[0].drawing.bars[1]
    assert share(bar.x) + share(bar.width) <= 100
    assert share(bar.width) > 0
    assert bar.label == ""


BOTH = (Stage.PRODUCTION, Stage.STAGING)


def test_moves_make_spans() -> None:
    moves = [
        Move(1, day(0), "None", "Staging"),
        Move(1, day(1), "Staging", "Production"),
        Move(2, day(2), "None", "Production"),
        Move(1, day(2), "Production", "Archived"),
        Move(3, day(3), "None", "Staging"),
        Move(3, day(4), "Staging", None),
        Move(1, day(5), "Archived", "Production"),
    ]
    assert spans_of(moves, BOTH) == [
        Span(Stage.STAGING, 1, day(0), day(1)),
        Span(Stage.PRODUCTION, 1, day(1), day(2)),
        Span(Stage.PRODUCTION, 2, day(2), None),
        Span(Stage.STAGING, 3, day(3), day(4)),
        Span(Stage.PRODUCTION, 1, day(5), None),
    ]
    assert spans_of([], BOTH) == []


def test_who_leaves_without_having_come_was_there_from_the_start() -> None:
    moves = [Move(2, day(3), "None", "Staging"), Move(1, day(4), "Production", "Archived")]
    assert Span(Stage.PRODUCTION, 1, day(3), day(4)) in spans_of(moves, BOTH)
