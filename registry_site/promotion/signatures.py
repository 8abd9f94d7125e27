"""What a change of a model's signature means for those who call it. Pure.

A signature is a mapping of `inputs`, `outputs` and `params` to lists of columns, each a mapping of `name`, `type`,
`required`, and perhaps `shape` and `default`, as evidence keeps it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Column = Mapping[str, Any]
Signature = Mapping[str, Sequence[Column]]


class SignatureVerdict(StrEnum):
    """For whoever calls the model as before, from the best to the worst."""

    SAME = "same"
    COMPATIBLE = "compatible"  # there is more, and nobody need know of it
    WIDENING = "widening"  # it takes more, or says it more exactly, than before
    BREAKING = "breaking"  # calls that worked before fail, or what they get is no longer there


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """One column that is not as it was; "" where it is not there."""

    part: str
    name: str
    old: str
    new: str
    verdict: SignatureVerdict


@dataclass(frozen=True, slots=True)
class SignatureDiff:
    """All changed columns, and what they amount to; `verdict` is None where one of the two has no signature."""

    verdict: SignatureVerdict | None
    columns: tuple[ColumnChange, ...] = ()


_ORDER = list(SignatureVerdict)
_WIDER = ["boolean", "integer", "long", "float", "double"]  # as MLflow converts what it is given
_PARTS = ("inputs", "outputs", "params")


def compare_signatures(old: Signature | None, new: Signature | None) -> SignatureDiff:
    """What became of a signature."""
    if old is None or new is None:
        return SignatureDiff(SignatureVerdict.SAME if old is new else None)
    changes = tuple(change for part in _PARTS for change in _part(part, old.get(part, ()), new.get(part, ())))
    worst = max((change.verdict for change in changes), key=_ORDER.index, default=SignatureVerdict.SAME)
    return SignatureDiff(worst, changes)


def columns_of(signature: Signature | None) -> dict[tuple[str, str], str]:
    """What each column of a signature is, in words, by its part and its name."""
    said = signature or {}
    return {(part, name): _words(column) for part in _PARTS for name, column in _by_name(said.get(part, ())).items()}


def _part(part: str, old: Sequence[Column], new: Sequence[Column]) -> list[ColumnChange]:
    before, after = _by_name(old), _by_name(new)
    changes = []
    for name in dict.fromkeys([*before, *after]):
        one, other = before.get(name), after.get(name)
        if one == other:
            continue
        changes.append(ColumnChange(part, name, _words(one), _words(other), _verdict(part, one, other)))
    return changes


def _by_name(columns: Sequence[Column]) -> dict[str, Column]:
    """Columns by name; those without one, as of a tensor, by place."""
    return {str(column.get("name") or f"#{place}"): column for place, column in enumerate(columns, 1)}


def _words(column: Column | None) -> str:
    if column is None:
        return ""
    shape = f" {tuple(column['shape'])}" if column.get("shape") is not None else ""
    return f"{column['type']}{shape}{'' if column.get('required', True) else ', optional'}"


def _verdict(part: str, old: Column | None, new: Column | None) -> SignatureVerdict:
    if old is None:
        needed = part == "inputs" and new is not None and new.get("required", True)
        return SignatureVerdict.BREAKING if needed else SignatureVerdict.COMPATIBLE
    if new is None:
        return SignatureVerdict.WIDENING if part == "inputs" else SignatureVerdict.BREAKING
    verdicts = [SignatureVerdict.COMPATIBLE]
    if old["type"] != new["type"]:
        verdicts.append(SignatureVerdict.WIDENING if _is_wider(old["type"], new["type"]) else SignatureVerdict.BREAKING)
    if old.get("shape") != new.get("shape"):
        fits = part != "outputs" and _fits(old.get("shape"), new.get("shape"))
        verdicts.append(SignatureVerdict.WIDENING if fits else SignatureVerdict.BREAKING)
    if old.get("required", True) != new.get("required", True):
        harder = new.get("required", True) if part != "outputs" else old.get("required", True)
        verdicts.append(SignatureVerdict.BREAKING if harder else SignatureVerdict.WIDENING)
    return max(verdicts, key=_ORDER.index)


def _is_wider(old: str, new: str) -> bool:
    return old in _WIDER and new in _WIDER and _WIDER.index(new) > _WIDER.index(old)


def _fits(old: Sequence[int] | None, new: Sequence[int] | None) -> bool:
    """Whether whatever had the old shape has the new one; -1 stands for any size."""
    if new is None:
        return True
    return (
        old is not None and len(old) == len(new) and all(size in (-1, was) for was, size in zip(old, new, strict=True))
    )
