"""The link between two activities: the same whoever computes it, and another one when anything is different."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_site.audit.chain import START, Stored, link

ONE = Stored(
    id=7,
    at=datetime(2026, 3, 2, 12, 0, 0, 250_000, tzinfo=UTC),
    kind="version.stage_changed",
    origin="page",
    actor_id=3,
    actor_name="jon",
    registered_model_id=5,
    subject="model churn version 2",
    version=2,
    request_number=1,
    comment="Grüße, 東京 \u2028 \U0001f40d",
    data={"from_stage": "None", "to_stage": "Production", "metrics": {"auc": 0.93, "rows": 1200}},
)
OTHERS: dict[str, Any] = {
    "id": 8,
    "at": datetime(2026, 3, 2, 12, 0, 0, 250_001, tzinfo=UTC),
    "kind": "version.created",
    "origin": "rest",
    "actor_id": None,
    "actor_name": "jon ",
    "registered_model_id": None,
    "subject": "",
    "version": None,
    "request_number": 2,
    "comment": "Grüße, 東京 \u2028 \U0001f40e",
    "data": {"from_stage": "None", "to_stage": "Production", "metrics": {"auc": 0.93, "rows": 1201}},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def link_of(**changes: Any) -> str:
    return link(ONE._replace(**changes), START)


def test_the_link_of_an_activity_stays_what_it_is_for_ever() -> None:
    assert link(ONE, START) == "29e50aee6c17f616ffe6041e2d3f84b1eafa651fbd6280258c1f8a46e28e4913"


@pytest.mark.parametrize("name", Stored._fields)
def test_each_column_makes_a_difference(name: str) -> None:
    assert link_of(**{name: OTHERS[name]}) != link(ONE, START)


def test_what_went_before_makes_a_difference() -> None:
    assert link(ONE, link(ONE, START)) != link(ONE, START)


def test_text_does_not_run_over_from_one_column_into_the_next() -> None:
    assert link_of(actor_name='jon",null,"x', subject="y") != link_of(actor_name="jon", subject='x",null,"y')


def test_a_moment_is_the_same_in_every_time_zone() -> None:
    assert link_of(at=ONE.at.astimezone(timezone(timedelta(hours=5, minutes=30)))) == link(ONE, START)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (1.0, 1),
        (-0.0, 0),
        (1e23, 10**23),
        (-2.5e15, -2_500_000_000_000_000),
        ((1, 2), [1, 2]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ],
)
def test_a_value_counts_as_the_database_gives_it_back(given: Any, read: Any) -> None:
    assert link_of(data={"x": given}) == link_of(data={"x": read})


@pytest.mark.parametrize(("one", "other"), [(1, True), (0, None), (1, "1"), (0.1, 0.2), ([], {}), (2**63, 2**63 + 1)])
def test_different_values_make_different_links(one: Any, other: Any) -> None:
    assert link_of(data={"x": one}) != link_of(data={"x": other})


@given(JSON)
def test_json_is_the_same_after_it_was_written_and_read(value: Any) -> None:
    assert link_of(data={"x": value}) == link_of(data=json.loads(json.dumps({"x": value})))


@pytest.mark.parametrize("data", [{"x": float("nan")}, {"x": float("inf")}, {1: "x"}, {"x": {2, 3}}, {"x": b"y"}])
def test_what_is_not_json_is_refused(data: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        link_of(data=data)
