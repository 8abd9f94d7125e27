"""Gates: each type passes, fails or waits, says why, and never raises for what a version lacks."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_site.artifacts.scanning import Verdict
from registry_site.core.errors import InvalidParameter
from registry_site.promotion.gates import (
    CheckFact,
    CheckState,
    Comparison,
    Facts,
    FilesState,
    Gate,
    GateResult,
    GateState,
    GateType,
    ScanState,
    evaluate,
    shortfall,
)

AT_LEAST, MORE, AT_MOST, LESS = Comparison.AT_LEAST, Comparison.MORE_THAN, Comparison.AT_MOST, Comparison.LESS_THAN


def metric(comparison: Comparison, number: float) -> Gate:
    return Gate(GateType.METRIC, "auc", comparison, number)


def against(comparison: Comparison, number: float) -> Gate:
    return Gate(GateType.METRIC_AGAINST_OCCUPANT, "auc", comparison, number)


def result(gate: Gate, **facts: Any) -> GateResult:
    (only,) = evaluate([gate], Facts(**facts))
    return only


def state(gate: Gate, **facts: Any) -> str:
    return result(gate, **facts).state.value


@pytest.mark.parametrize(
    ("gate", "sentence"),
    [
        (metric(AT_LEAST, 0.9), "auc is at least 0.9"),
        (metric(LESS, 12), "auc is less than 12"),
        (against(AT_LEAST, 0), "auc is at least that of the version in the stage"),
        (against(AT_LEAST, -0.01), "auc is at least that of the version in the stage, less 0.01"),
        (against(AT_MOST, 0.5), "auc is at most that of the version in the stage, plus 0.5"),
        (Gate(GateType.TAG, "team"), "Tag team is set"),
        (Gate(GateType.TAG, "risk", value="low"), "Tag risk is low"),
        (Gate(GateType.DESCRIPTION), "It has a description"),
        (Gate(GateType.SIGNATURE), "It has a signature"),
        (Gate(GateType.STAGE, "staging"), "It is, or was, in Staging"),
        (Gate(GateType.CHECK, "ci/test"), "Check ci/test has passed"),
        (Gate(GateType.SCAN), "The scan of its files found nothing unsafe"),
        (Gate(GateType.DIGEST), "Its files are the ones that were registered"),
    ],
)
def test_every_gate_has_a_sentence(gate: Gate, sentence: str) -> None:
    assert gate.sentence == sentence


@pytest.mark.parametrize(
    ("comparison", "below", "same", "above"),
    [
        (AT_LEAST, "failed", "passed", "passed"),
        (MORE, "failed", "failed", "passed"),
        (AT_MOST, "passed", "passed", "failed"),
        (LESS, "passed", "failed", "failed"),
    ],
)
def test_a_metric_is_compared_with_a_constant(comparison: Comparison, below: str, same: str, above: str) -> None:
    gate = metric(comparison, 0.9)
    assert [state(gate, metrics={"auc": seen}) for seen in (0.8, 0.9, 0.95)] == [below, same, above]


def test_a_result_says_why_and_what_was_seen() -> None:
    found = result(metric(AT_LEAST, 0.9), metrics={"auc": 0.85})
    assert (found.reason, found.value) == ("auc is 0.85, against 0.9.", "0.85")


@pytest.mark.parametrize("gate", [metric(AT_LEAST, 0), metric(LESS, 1), against(AT_LEAST, 0)])
def test_a_missing_metric_is_a_failure_never_an_exception(gate: Gate) -> None:
    found = result(gate, occupant=1, occupant_metrics={"auc": 0.9})
    assert (found.state, found.reason) == (GateState.FAILED, "There is no metric auc.")


@pytest.mark.parametrize("comparison", list(Comparison))
def test_a_metric_that_is_no_number_keeps_to_no_limit(comparison: Comparison) -> None:
    assert state(metric(comparison, 0.5), metrics={"auc": math.nan}) == "failed"
    assert (
        state(against(comparison, 0), metrics={"auc": 0.5}, occupant=1, occupant_metrics={"auc": math.nan}) == "failed"
    )


def test_a_metric_is_compared_with_the_occupants() -> None:
    gate = against(AT_LEAST, -0.01)

    def seen(value: float) -> str:
        return state(gate, metrics={"auc": value}, occupant=3, occupant_metrics={"auc": 0.91})

    assert [seen(value) for value in (0.92, 0.9, 0.89)] == ["passed", "passed", "failed"]


def test_without_an_occupant_there_is_nothing_to_be_worse_than() -> None:
    assert state(against(AT_LEAST, 0), metrics={"auc": 0.1}) == "passed"


def test_an_occupant_that_lacks_the_metric_is_named() -> None:
    found = result(against(AT_LEAST, 0), metrics={"auc": 0.1}, occupant=3)
    assert (found.state, found.reason) == (
        GateState.FAILED,
        "Version 3, which stands in the stage, has no metric auc.",
    )


def test_tags_are_there_or_have_a_value() -> None:
    there, low = Gate(GateType.TAG, "risk"), Gate(GateType.TAG, "risk", value="low")
    assert [state(gate, tags=tags) for gate in (there, low) for tags in ({}, {"risk": "high"}, {"risk": "low"})] == [
        "failed",
        "passed",
        "passed",
        "failed",
        "failed",
        "passed",
    ]


def test_a_description_has_words() -> None:
    gate = Gate(GateType.DESCRIPTION)
    assert [state(gate, description=text) for text in ("", " \n", "Good.")] == ["failed", "failed", "passed"]


def test_a_signature_is_there_or_not_or_not_known() -> None:
    gate = Gate(GateType.SIGNATURE)
    assert [state(gate, has_signature=said) for said in (None, False, True)] == ["pending", "failed", "passed"]


def test_it_is_or_was_in_a_stage() -> None:
    gate = Gate(GateType.STAGE, "Staging")
    assert [state(gate, stages=been) for been in (set(), {"None"}, {"None", "Staging"})] == [
        "failed",
        "failed",
        "passed",
    ]


def test_a_check_has_passed_or_failed_or_is_waited_for() -> None:
    gate = Gate(GateType.CHECK, "ci/test")
    assert result(gate).reason == "ci/test has not reported yet."
    checks = {said: {"ci/test": CheckFact(said, "12 tests", "https://ci.example/1")} for said in CheckState}
    assert [state(gate, checks=each) for each in ({}, *checks.values())] == ["pending", "pending", "passed", "failed"]
    failed = result(gate, checks=checks[CheckState.FAILED])
    assert (failed.reason, failed.link) == ("It has failed. 12 tests", "https://ci.example/1")


def test_a_scan_and_a_digest_are_waited_for() -> None:
    scan, digest = Gate(GateType.SCAN), Gate(GateType.DIGEST)
    assert [state(scan, scan=said) for said in (None, *ScanState)] == ["pending", "passed", "failed", "failed"]
    assert [state(digest, files=said) for said in (None, *FilesState)] == ["pending", "passed", *["failed"] * 3]


def test_a_scan_that_found_something_says_what() -> None:
    found = result(Gate(GateType.SCAN), scan=ScanState.UNSAFE, finding="model.pkl: It imports os.system.")
    assert found.reason == "Something unsafe was found in its files: model.pkl: It imports os.system."
    assert result(Gate(GateType.SCAN), scan=ScanState.INCOMPLETE).reason == "Not all of its files could be looked at."


def test_a_scan_amounts_to_what_the_scanner_says() -> None:
    assert {one.value for one in ScanState} == {one.value for one in Verdict}


def test_a_prompt_has_no_files_to_wait_for() -> None:
    assert [state(Gate(of), is_prompt=True) for of in (GateType.SCAN, GateType.DIGEST)] == ["passed", "passed"]


def test_what_is_missing_is_one_sentence() -> None:
    found = evaluate([metric(AT_LEAST, 0.9), Gate(GateType.DESCRIPTION)], Facts(metrics={"auc": 0.95}))
    assert shortfall(found) == "It has a description (The version has no description)"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"type": GateType.METRIC}, "Say which metric the gate looks at."),
        ({"type": GateType.METRIC, "key": "auc"}, "Say how auc is compared: >=, >, <= or <."),
        ({"type": GateType.METRIC, "key": "auc", "comparison": AT_LEAST}, "Say what number auc is compared with."),
        (
            {"type": GateType.METRIC, "key": "auc", "comparison": AT_LEAST, "number": math.nan},
            "Say what number auc is compared with.",
        ),
        ({"type": GateType.TAG, "key": " "}, "Say which tag the gate looks at."),
        ({"type": GateType.TAG, "key": "x" * 251}, "The name of a tag has 250 characters at most."),
        ({"type": GateType.TAG, "key": "x", "number": 1.0}, "A gate of the type 'tag' compares no numbers."),
        ({"type": GateType.SIGNATURE, "key": "x"}, "A gate of the type 'signature' takes no name."),
        ({"type": GateType.CHECK, "key": "x", "value": "y"}, "Only a tag has a value, of 5000 characters at most."),
        ({"type": GateType.STAGE, "key": "Testing"}, "Invalid Model Version stage: Testing."),
    ],
)
def test_a_rule_that_makes_no_sense_cannot_be_made(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidParameter) as told:
        Gate(**wrong)
    assert told.value.message.startswith(said)


@given(st.sampled_from(list(Comparison)), st.floats(), st.floats(allow_nan=False, allow_infinity=False))
def test_whatever_was_measured_a_gate_passes_or_fails(comparison: Comparison, seen: float, limit: float) -> None:
    found = result(metric(comparison, limit), metrics={"auc": seen})
    assert found.state in (GateState.PASSED, GateState.FAILED)
    assert found.reason
