"""Gates: rules of a stage that a machine evaluates. Facts in, results out. Pure.

A gate never raises for what a version lacks: a missing metric is a failure with a reason, and what somebody else has
still to say (a check, a scan) is pending.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field
from enum import StrEnum

from registry_site.core.errors import InvalidParameter
from registry_site.registry.stages import parse_stage

KEY_LIMIT = 250
VALUE_LIMIT = 5000
_CLOSE = 1e-9  # 0.91 - 0.01 is not quite 0.9


class GateType(StrEnum):
    """What a gate looks at."""

    METRIC = "metric"  # a metric compared with a constant
    METRIC_AGAINST_OCCUPANT = "metric_against_occupant"  # and with the same metric of the version in the stage
    TAG = "tag"  # a tag is there, or has a value
    DESCRIPTION = "description"
    SIGNATURE = "signature"
    STAGE = "stage"  # the version is, or was, in another stage
    CHECK = "check"  # an outside system says that it passed
    SCAN = "scan"  # the files have nothing unsafe in them
    DIGEST = "digest"  # the files are those that were registered


class Comparison(StrEnum):
    """How a metric is compared."""

    AT_LEAST = ">="
    MORE_THAN = ">"
    AT_MOST = "<="
    LESS_THAN = "<"

    @property
    def higher_is_better(self) -> bool:
        return self in (Comparison.AT_LEAST, Comparison.MORE_THAN)

    def holds(self, value: float, limit: float) -> bool:
        """Whether the value keeps to the limit; NaN never does."""
        same = math.isclose(value, limit, rel_tol=_CLOSE, abs_tol=_CLOSE * _CLOSE)
        match self:
            case Comparison.AT_LEAST:
                return value > limit or same
            case Comparison.MORE_THAN:
                return value > limit and not same
            case Comparison.AT_MOST:
                return value < limit or same
            case Comparison.LESS_THAN:
                return value < limit and not same


class GateState(StrEnum):
    """What became of a gate."""

    PASSED = "passed"
    FAILED = "failed"
    PENDING = "pending"  # somebody else has still to say


class CheckState(StrEnum):
    """What an outside system says of a version."""

    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"


class ScanState(StrEnum):
    """What a scan of the files for unsafe code found."""

    CLEAN = "clean"
    INCOMPLETE = "incomplete"
    UNSAFE = "unsafe"


class FilesState(StrEnum):
    """What the files of a version are, against what they were when it was registered."""

    UNCHANGED = "unchanged"  # they were digested, are frozen, and were never found otherwise
    CHANGED = "changed"
    MISSING = "missing"  # there was none
    ELSEWHERE = "elsewhere"  # in no store that this server reads


_WORDS = {
    Comparison.AT_LEAST: "at least",
    Comparison.MORE_THAN: "more than",
    Comparison.AT_MOST: "at most",
    Comparison.LESS_THAN: "less than",
}
_WITH_KEY = {GateType.METRIC: "metric", GateType.METRIC_AGAINST_OCCUPANT: "metric", GateType.TAG: "tag"} | {
    GateType.STAGE: "stage",
    GateType.CHECK: "check",
}
_WITH_COMPARISON = (GateType.METRIC, GateType.METRIC_AGAINST_OCCUPANT)


@dataclass(frozen=True, slots=True)
class Gate:
    """One rule. `key` names the metric, tag, check or stage. `number` is the limit, or what the limit is above (or with
    a minus, below) the occupant's metric. `value` is the one that a tag must have, None where any will do.

    Raises InvalidParameter for a rule that makes no sense, so that there is none.
    """

    type: GateType
    key: str = ""
    comparison: Comparison | None = None
    number: float | None = None
    value: str | None = None

    def __post_init__(self) -> None:
        if needed := _WITH_KEY.get(self.type):
            if not self.key.strip():
                raise InvalidParameter(f"Say which {needed} the gate looks at.", field="key")
            if len(self.key) > KEY_LIMIT:
                raise InvalidParameter(f"The name of a {needed} has {KEY_LIMIT} characters at most.", field="key")
        elif self.key:
            raise InvalidParameter(f"A gate of the type '{self.type}' takes no name.", field="key")
        if self.type in _WITH_COMPARISON:
            if self.comparison is None:
                raise InvalidParameter(f"Say how {self.key} is compared: >=, >, <= or <.", field="comparison")
            if self.number is None or not math.isfinite(self.number):
                raise InvalidParameter(f"Say what number {self.key} is compared with.", field="number")
        elif self.comparison is not None or self.number is not None:
            raise InvalidParameter(f"A gate of the type '{self.type}' compares no numbers.", field="comparison")
        if self.value is not None and (self.type is not GateType.TAG or len(self.value) > VALUE_LIMIT):
            raise InvalidParameter(
                f"Only a tag has a value, of {VALUE_LIMIT} characters at most.",
                field="value",
            )
        if self.type is GateType.STAGE:
            object.__setattr__(self, "key", parse_stage(self.key).value)

    @property
    def sentence(self) -> str:
        """The rule in words, without a full stop."""
        match self.type:
            case GateType.METRIC:
                return f"{self.key} is {self._compared} {self.number:g}"
            case GateType.METRIC_AGAINST_OCCUPANT:
                return f"{self.key} is {self._compared} {_offset(self.number)}"
            case GateType.TAG:
                return f"Tag {self.key} is set" if self.value is None else f"Tag {self.key} is {self.value}"
            case GateType.DESCRIPTION:
                return "It has a description"
            case GateType.SIGNATURE:
                return "It has a signature"
            case GateType.STAGE:
                return f"It is, or was, in {self.key}"
            case GateType.CHECK:
                return f"Check {self.key} has passed"
            case GateType.SCAN:
                return "The scan of its files found nothing unsafe"
            case GateType.DIGEST:
                return "Its files are the ones that were registered"

    @property
    def _compared(self) -> str:
        return _WORDS[self.comparison] if self.comparison else ""


def _offset(number: float | None) -> str:
    other = "that of the version in the stage"
    if not number:
        return other
    return f"{other}, {'plus' if number > 0 else 'less'} {abs(number):g}"


@dataclass(frozen=True, slots=True)
class CheckFact:
    """The newest result of a check."""

    state: CheckState
    summary: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What gates look at. `occupant` is the number of the version in the stage, None where there is none.

    `has_signature`, `scan` and `files` are None while that is not known. `finding` is the worst one of the scan. A
    prompt has no files at all.
    """

    metrics: Mapping[str, float] = field(default_factory=dict)
    occupant: int | None = None
    occupant_metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    has_signature: bool | None = None
    stages: Set[str] = frozenset()
    checks: Mapping[str, CheckFact] = field(default_factory=dict)
    scan: ScanState | None = None
    finding: str = ""
    files: FilesState | None = None
    is_prompt: bool = False


@dataclass(frozen=True, slots=True)
class GateResult:
    """What became of one gate: a `reason` for people, and the `value` that was seen, if there was one."""

    gate: Gate
    state: GateState
    reason: str
    value: str = ""
    link: str = ""

    @property
    def passed(self) -> bool:
        return self.state is GateState.PASSED


def evaluate(gates: Iterable[Gate], facts: Facts) -> tuple[GateResult, ...]:
    """What becomes of each gate, in their order."""
    return tuple(_EVALUATE[gate.type](gate, facts) for gate in gates)


def shortfall(results: Iterable[GateResult]) -> str:
    """The gates that have not passed, in one sentence; empty where all have."""
    missed = [f"{result.gate.sentence} ({result.reason.rstrip('.')})" for result in results if not result.passed]
    return "; ".join(missed)


# -- each type ---------------------------------------------------------------------------------------------------------
def _metric(gate: Gate, facts: Facts) -> GateResult:
    assert gate.number is not None
    return _compared(gate, facts, gate.number, f"{gate.number:g}")


def _against_occupant(gate: Gate, facts: Facts) -> GateResult:
    assert gate.number is not None
    seen = facts.metrics.get(gate.key)
    if seen is None:
        return _no_metric(gate)
    if facts.occupant is None:
        return GateResult(gate, GateState.PASSED, "No version stands in the stage to compare with.", f"{seen:.6g}")
    held = facts.occupant_metrics.get(gate.key)
    if held is None:
        reason = f"Version {facts.occupant}, which stands in the stage, has no metric {gate.key}."
        return GateResult(gate, GateState.FAILED, reason, f"{seen:.6g}")
    return _compared(gate, facts, held + gate.number, f"{held:.6g} of version {facts.occupant}")


def _compared(gate: Gate, facts: Facts, limit: float, called: str) -> GateResult:
    assert gate.comparison is not None
    seen = facts.metrics.get(gate.key)
    if seen is None:
        return _no_metric(gate)
    state = GateState.PASSED if gate.comparison.holds(seen, limit) else GateState.FAILED
    return GateResult(gate, state, f"{gate.key} is {seen:.6g}, against {called}.", f"{seen:.6g}")


def _no_metric(gate: Gate) -> GateResult:
    return GateResult(gate, GateState.FAILED, f"There is no metric {gate.key}.")


def _tag(gate: Gate, facts: Facts) -> GateResult:
    seen = facts.tags.get(gate.key)
    if seen is None:
        return GateResult(gate, GateState.FAILED, f"The version has no tag {gate.key}.")
    good = gate.value is None or seen == gate.value
    return GateResult(gate, GateState.PASSED if good else GateState.FAILED, f"It is {seen[:100]}.", seen)


def _description(gate: Gate, facts: Facts) -> GateResult:
    if facts.description.strip():
        return GateResult(gate, GateState.PASSED, "It has one.")
    return GateResult(gate, GateState.FAILED, "The version has no description.")


def _signature(gate: Gate, facts: Facts) -> GateResult:
    if facts.has_signature is None:
        return GateResult(gate, GateState.PENDING, "Its files cannot be read now.")
    if facts.has_signature:
        return GateResult(gate, GateState.PASSED, "It has one.")
    return GateResult(gate, GateState.FAILED, "The model was logged without a signature.")


def _stage(gate: Gate, facts: Facts) -> GateResult:
    if gate.key in facts.stages:
        return GateResult(gate, GateState.PASSED, f"It has been in {gate.key}.")
    return GateResult(gate, GateState.FAILED, f"It has never been in {gate.key}.")


def _check(gate: Gate, facts: Facts) -> GateResult:
    seen = facts.checks.get(gate.key)
    if seen is None:
        return GateResult(gate, GateState.PENDING, f"{gate.key} has not reported yet.")
    reasons = {
        CheckState.PASSED: (GateState.PASSED, "It has passed."),
        CheckState.FAILED: (GateState.FAILED, "It has failed."),
        CheckState.PENDING: (GateState.PENDING, "It is still running."),
    }
    state, reason = reasons[seen.state]
    return GateResult(gate, state, f"{reason} {seen.summary}".strip(), seen.state.value, seen.link)


def _scan(gate: Gate, facts: Facts) -> GateResult:
    if facts.is_prompt:
        return GateResult(gate, GateState.PASSED, "A prompt has no files.")
    if facts.scan is None:
        return GateResult(gate, GateState.PENDING, "Its files have not been scanned yet.")
    if facts.scan is ScanState.CLEAN:
        return GateResult(gate, GateState.PASSED, "Nothing unsafe was found.", facts.scan.value)
    unsafe = facts.scan is ScanState.UNSAFE
    said = "Something unsafe was found in its files" if unsafe else "Not all of its files could be looked at"
    reason = f"{said}: {facts.finding}" if facts.finding else f"{said}."
    return GateResult(gate, GateState.FAILED, reason, facts.scan.value)


def _digest(gate: Gate, facts: Facts) -> GateResult:
    if facts.is_prompt:
        return GateResult(gate, GateState.PASSED, "A prompt has no files.")
    if facts.files is None:
        return GateResult(gate, GateState.PENDING, "Its files have not been digested yet.")
    state, reason = {
        FilesState.UNCHANGED: (GateState.PASSED, "They are."),
        FilesState.CHANGED: (GateState.FAILED, "They have changed since the version was registered."),
        FilesState.MISSING: (GateState.FAILED, "There were none."),
        FilesState.ELSEWHERE: (GateState.FAILED, "They lie where this server cannot read them, so nobody can tell."),
    }[facts.files]
    return GateResult(gate, state, reason, facts.files.value)


_EVALUATE: Mapping[GateType, Callable[[Gate, Facts], GateResult]] = {
    GateType.METRIC: _metric,
    GateType.METRIC_AGAINST_OCCUPANT: _against_occupant,
    GateType.TAG: _tag,
    GateType.DESCRIPTION: _description,
    GateType.SIGNATURE: _signature,
    GateType.STAGE: _stage,
    GateType.CHECK: _check,
    GateType.SCAN: _scan,
    GateType.DIGEST: _digest,
}
