"""What is different between two pieces of evidence, what a signature's change means, and whom a text mentions."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_site.promotion.differences import (
    Direction,
    changes,
    difference,
    directions,
    is_no_reason_to_ask_again,
    only_confirms,
)
from registry_site.promotion.gates import Comparison, Gate, GateType
from registry_site.promotion.mentions import mentions
from registry_site.promotion.signatures import SignatureVerdict, compare_signatures
from tests.effort import little_effort

SAME, COMPATIBLE, WIDENING, BREAKING = SignatureVerdict


def column(name: str, type: str = "double", required: bool = True, shape: list[int] | None = None) -> dict[str, Any]:
    return {"name": name, "type": type, "required": required, "shape": shape, "default": None}


AGE, INCOME = column("age", "long"), column("income")


# -- signatures --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("part", "old", "new", "verdict"),
    [
        ("inputs", [AGE, INCOME], [INCOME, AGE], SAME),
        ("inputs", [AGE], [AGE, column("zip", required=False)], COMPATIBLE),
        ("inputs", [AGE], [AGE, INCOME], BREAKING),
        ("inputs", [AGE, INCOME], [AGE], WIDENING),
        ("inputs", [AGE], [column("age", "double")], WIDENING),
        ("inputs", [INCOME], [column("income", "long")], BREAKING),
        ("inputs", [AGE], [column("age", "string")], BREAKING),
        ("inputs", [AGE], [column("age", "long", required=False)], WIDENING),
        ("inputs", [column("age", "long", required=False)], [AGE], BREAKING),
        ("inputs", [column("", shape=[-1, 28])], [column("", shape=[-1, 28])], SAME),
        ("inputs", [column("", shape=[1, 28])], [column("", shape=[-1, 28])], WIDENING),
        ("inputs", [column("", shape=[-1, 28])], [column("", shape=[-1, 32])], BREAKING),
        ("outputs", [AGE], [AGE, INCOME], COMPATIBLE),
        ("outputs", [AGE, INCOME], [AGE], BREAKING),
        ("outputs", [AGE], [column("age", "string")], BREAKING),
        ("params", [AGE], [], BREAKING),
        ("params", [], [column("k", required=False)], COMPATIBLE),
    ],
)
def test_a_change_of_a_signature_has_a_verdict(
    part: str, old: list[Any], new: list[Any], verdict: SignatureVerdict
) -> None:
    assert compare_signatures({part: old}, {part: new}).verdict is verdict


def test_the_worst_column_decides_and_every_changed_one_is_named() -> None:
    diff = compare_signatures({"inputs": [AGE], "outputs": [INCOME]}, {"inputs": [], "outputs": []})
    assert diff.verdict is BREAKING
    assert [(one.part, one.name, one.old, one.new, one.verdict) for one in diff.columns] == [
        ("inputs", "age", "long", "", WIDENING),
        ("outputs", "income", "double", "", BREAKING),
    ]


def test_without_one_of_the_two_there_is_no_verdict() -> None:
    assert compare_signatures(None, {"inputs": [AGE]}).verdict is None
    assert compare_signatures({"inputs": [AGE]}, None).verdict is None
    assert compare_signatures(None, None).verdict is SAME


columns = st.lists(
    st.builds(
        column,
        st.sampled_from(["a", "b", ""]),
        st.sampled_from(["long", "double", "string"]),
        st.booleans(),
        st.none() | st.lists(st.integers(-1, 3), max_size=2),
    ),
    max_size=3,
)
signatures = st.fixed_dictionaries({"inputs": columns, "outputs": columns, "params": columns})


@given(signatures)
def test_a_signature_is_the_same_as_itself(signature: dict[str, Any]) -> None:
    diff = compare_signatures(signature, signature)
    assert (diff.verdict, diff.columns) == (SAME, ())


@given(signatures, signatures)
def test_two_signatures_always_have_a_verdict(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert compare_signatures(old, new).verdict in SignatureVerdict


# -- differences -------------------------------------------------------------------------------------------------------
OLD = {
    "metrics": {"auc": 0.9, "loss": 0.2, "size": "nan"},
    "params": {"depth": "3"},
    "tags": {"team": "risk"},
    "run_tags": {},
    "datasets": [{"name": "train", "digest": "d1", "context": "training"}],
    "description": "",
    "files": {
        "requirements": {"numpy": "==1.26"},
        "flavors": {"sklearn": "1.5"},
        "artifacts": {"MLmodel": {"size": 10}, "model.pkl": {"size": 99, "sha256": "aa"}},
        "signature": None,
    },
}
NEW = {
    **OLD,
    "metrics": {"auc": 0.92, "loss": 0.3, "size": "nan"},
    "params": {"depth": "4"},
    "description": "Better.",
    "datasets": [{"name": "train", "digest": "d2", "context": "training"}],
    "files": {
        "requirements": {"numpy": "==2.1", "pandas": ""},
        "flavors": {"sklearn": "1.5"},
        "artifacts": {"MLmodel": {"size": 10}, "model.pkl": {"size": 99, "sha256": "bb"}},
        "signature": None,
    },
}


def test_a_metric_is_better_or_worse_only_where_somebody_has_said_which_way_is_better() -> None:
    diff = difference(OLD, NEW, {"loss": False})
    assert {one.row.name: one.direction for one in diff.metrics} == {
        "auc": Direction.UNKNOWN,
        "loss": Direction.WORSE,
        "size": Direction.SAME,
    }


def test_what_is_better_comes_from_the_gates_and_before_them_from_the_model() -> None:
    gates = [
        Gate(GateType.METRIC, "auc", Comparison.AT_LEAST, 0.9),
        Gate(GateType.METRIC_AGAINST_OCCUPANT, "loss", Comparison.AT_MOST, 0.0),
        Gate(GateType.DESCRIPTION),
    ]
    assert directions(gates) == {"auc": True, "loss": False}
    assert directions(gates, {"loss": True}) == {"auc": True, "loss": True}
    assert directions(gates, {"loss": True}, {"loss": False, "auc": False, "f1": True}) == {
        "auc": True,
        "loss": True,
        "f1": True,
    }


def test_everything_that_changed_is_named() -> None:
    assert [one.sentence for one in changes(OLD, NEW)] == [
        "metric auc was 0.9 and is 0.92",
        "metric loss was 0.2 and is 0.3",
        "param depth was 3 and is 4",
        "dataset train (training) was d1 and is d2",
        "requirement numpy was ==1.26 and is ==2.1",
        "requirement pandas is new",
        "file model.pkl was aa and is bb",
        "description is new",
    ]
    assert changes(OLD, OLD) == []


def test_a_signature_that_changed_is_named() -> None:
    with_one = {**OLD, "files": {**OLD["files"], "signature": {"inputs": [AGE]}}}
    assert [one.sentence for one in changes(OLD, with_one)] == ["the signature was empty and is another one"]


def test_a_tag_that_a_gate_waited_for_is_no_reason_to_ask_again() -> None:
    gates = [Gate(GateType.TAG, "risk", value="low"), Gate(GateType.TAG, "reviewed")]

    def awaited(before: dict[str, str], after: dict[str, str]) -> bool:
        return is_no_reason_to_ask_again(changes({"tags": before}, {"tags": after}), gates)

    assert awaited({}, {"risk": "low"})
    assert awaited({"risk": "high"}, {"risk": "low", "reviewed": "yes"})
    assert not awaited({}, {"risk": "high"})
    assert not awaited({"risk": "low"}, {})
    assert not awaited({"reviewed": "yes"}, {"reviewed": "no"})
    assert not awaited({}, {"risk": "low", "team": "fraud"})


def inspected(digest: str = "", verdict: str = "", *findings: tuple[str, str], **more: Any) -> dict[str, Any]:
    """Evidence with one file: its SHA-256 is there as soon as the manifest has a digest."""
    file = {"size": 9} | ({"sha256": f"file in {digest}"} if digest else {})
    return {
        "files": {"artifacts": {"model.pkl": file}},
        "manifest": {"state": "complete" if digest else "pending", "digest": digest} | more,
        "scan": {
            "verdict": verdict,
            "findings": [{"path": "model.pkl", "severity": word, "message": said} for word, said in findings],
        },
    }


EVIL = ("danger", "It imports os.system.")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({}, inspected("d1"), ["file model.pkl is new", "the digest of the files is d1"]),
        (inspected(), inspected("d1"), ["the digest of the files is d1"]),
        (inspected(), inspected("", "clean"), ["the scan is clean"]),
        (inspected(), inspected("", "unsafe", EVIL), ["the scan is unsafe (model.pkl: It imports os.system)"]),
        (
            inspected("d1", "clean"),
            inspected("d1", "unsafe", EVIL),
            ["the scan was clean and is unsafe", "the finding model.pkl: It imports os.system. is new"],
        ),
        (
            inspected("d1"),
            inspected("d1", differences={"changed": ["model.pkl"]}),
            ["the state of the files is model.pkl changed"],
        ),
        (
            inspected("d1", differences={"missing": ["model.pkl"]}),
            inspected("d1"),
            ["the state of the files was model.pkl missing and is as registered"],
        ),
    ],
)
def test_what_is_found_in_the_files_is_named(before: dict[str, Any], after: dict[str, Any], said: list[str]) -> None:
    assert [one.sentence for one in changes(before, after)] == said


@pytest.mark.parametrize(
    ("before", "after", "confirms"),
    [
        (inspected(), inspected("d1"), True),
        (inspected(), inspected("d1", "clean", ("note", "A Python class.")), True),
        (inspected("d1"), inspected("d1", "unsafe", EVIL), False),
        (inspected("d1"), inspected("d1", "incomplete"), False),
        (inspected("d1", "unsafe", EVIL), inspected("d1", "clean"), False),
        (inspected("d1"), inspected("d2"), False),
        (inspected("d1"), inspected("d1", differences={"added": ["evil.py"]}), False),
        (inspected(), inspected("d1") | {"tags": {"team": "risk"}}, False),
    ],
)
def test_to_know_more_of_the_same_files_is_no_change_and_to_find_something_in_them_is_one(
    before: dict[str, Any], after: dict[str, Any], confirms: bool
) -> None:
    assert only_confirms(changes(before, after)) is confirms
    assert is_no_reason_to_ask_again(changes(before, after), []) is confirms


def test_files_are_compared_by_their_digest_where_both_have_one_and_by_their_size_elsewhere() -> None:
    def compared(old: dict[str, Any], new: dict[str, Any]) -> tuple[Any, ...]:
        (row,) = difference({"files": {"artifacts": {"a": old}}}, {"files": {"artifacts": {"a": new}}}, {}).artifacts
        return row.old, row.new, row.change.value

    assert compared({"size": 9, "sha256": "x"}, {"size": 9, "sha256": "y"}) == ("x", "y", "changed")
    assert compared({"size": 9, "sha256": "x"}, {"size": 9}) == ("9 bytes", "9 bytes", "same")
    assert compared({"size": 9, "sha256": "x"}, {"size": 8}) == ("9 bytes", "8 bytes", "changed")


# -- mentions ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@maria, and @jon.weber?", ["maria", "jon.weber"]),
        ("(@kim) @kim", ["kim"]),
        ("ask jon@example.org or a/@b", []),
        ("`@code` and\n```\n@fenced\n```\n@real", ["real"]),
        ("~~~\n@fenced\n```\n@still", []),
        ("@@double @", []),
        ("", []),
    ],
)
def test_whom_a_text_mentions(text: str, names: list[str]) -> None:
    assert mentions(text) == names


@given(st.text(alphabet="@`~a. \n", max_size=200))
def test_any_text_mentions_names_that_stand_in_it(text: str) -> None:
    for name in mentions(text):
        assert f"@{name}" in text


@pytest.mark.parametrize("bite", ["`", "@", "@a.", "```\n", "~~~a\n`", "``` @"])
def test_a_text_made_to_be_slow_is_not(bite: str) -> None:
    with little_effort():
        mentions((bite * 65_535)[:65_535])
