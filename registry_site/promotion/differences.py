"""What is different between two pieces of evidence: for reviewers, and to say what made an approval stale. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from registry_site.promotion.comparison import Change, Row, compare
from registry_site.promotion.gates import Gate, GateType
from registry_site.promotion.signatures import SignatureDiff, compare_signatures

Content = Mapping[str, Any]


class Direction(StrEnum):
    """What became of a metric, where somebody has said which way is the better one."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A metric before and after, and whether that is good."""

    row: Row
    direction: Direction


@dataclass(frozen=True, slots=True)
class EvidenceDiff:
    """The candidate beside what stands there now. Rows that are the same are there too, in every table."""

    metrics: Sequence[MetricRow]
    params: Sequence[Row]
    tags: Sequence[Row]
    run_tags: Sequence[Row]
    datasets: Sequence[Row]
    requirements: Sequence[Row]
    flavors: Sequence[Row]
    artifacts: Sequence[Row]
    signature: SignatureDiff
    others: Sequence[Row]
    """Description, source, git commit, Python version, the digest of all files, and what their scan amounts to."""


@dataclass(frozen=True, slots=True)
class EvidenceChange:
    """One thing that is not what it was; None where it is not there. `section` is that of the evidence."""

    section: str
    name: str
    old: str | None
    new: str | None

    @property
    def sentence(self) -> str:
        """In words, without a full stop."""
        what = f"{_CALLED.get(self.section, self.section)} {self.name}".strip()
        if self.old is None:
            return f"{what} is {self.new if self.section in _FOUND_LATER else 'new'}"
        if self.new is None:
            return f"{what} is gone"
        if max(len(self.old), len(self.new)) > 60:
            return f"{what} has changed"
        return f"{what} was {self.old or 'empty'} and is {self.new or 'empty'}"

    @property
    def public_sentence(self) -> str:
        """The same for whoever reads the model: of what its run logged, which fewer may read, the kind alone."""
        kind = "commit" if self.name == COMMIT and not self.section else _OF_THE_RUN.get(self.section)
        return f"the {kind} of its run changed" if kind else self.sentence

    @property
    def is_confirmation(self) -> bool:
        """Whether it only came to be known, and nothing in it speaks against the version: what was judged is the
        same."""
        return self.old is None and (self.section == "manifest" or (self.section == "scan" and self.new == CLEAN))


CLEAN = "clean"
COMMIT = "git commit"  # as it is called among what else is known of a version
_DIGEST, _SCAN = "digest of the files", "scan"
_OF_THE_RUN = {"metrics": "metrics", "params": "params", "run_tags": "tags", "datasets": "data"}
_FOUND_LATER = ("manifest", "scan", "integrity")
_CALLED = {
    "tags": "tag",
    "run_tags": "run tag",
    "metrics": "metric",
    "params": "param",
    "datasets": "dataset",
    "requirements": "requirement",
    "flavors": "flavor",
    "artifacts": "file",
    "signature": "the signature",
    "manifest": "the digest of the files",
    "integrity": "the state of the files",
    "scan": "the scan",
    "findings": "the finding",
}


def directions(
    gates: Iterable[Gate], said: Mapping[str, bool] | None = None, said_of_all: Mapping[str, bool] | None = None
) -> dict[str, bool]:
    """For each metric that somebody has said it of, whether higher is better: what is said of the model itself comes
    before what its gates ask for, and that before what is said of all models."""
    asked = {gate.key: gate.comparison.higher_is_better for gate in gates if gate.comparison is not None}
    return {**(said_of_all or {}), **asked, **(said or {})}


def difference(old: Content | None, new: Content, higher_is_better: Mapping[str, bool]) -> EvidenceDiff:
    """The candidate `new` beside the occupant `old`, or alone where there is none."""
    before: Content = old or {}
    files_before, files = _files(before), _files(new)
    return EvidenceDiff(
        metrics=metric_rows(_numbers(before), _numbers(new), higher_is_better),
        params=_rows(before, new, "params"),
        tags=_rows(before, new, "tags"),
        run_tags=_rows(before, new, "run_tags"),
        datasets=compare(_datasets(before), _datasets(new)),
        requirements=_rows(files_before, files, "requirements"),
        flavors=_rows(files_before, files, "flavors"),
        artifacts=_artifacts(files_before, files),
        signature=compare_signatures(files_before.get("signature"), files.get("signature")),
        others=compare(_others(before), _others(new)),
    )


def metric_rows(
    old: Mapping[str, float], new: Mapping[str, float], higher_is_better: Mapping[str, bool]
) -> list[MetricRow]:
    """Every metric of the two, alphabetical, and whether its change is good."""
    return [MetricRow(row, _direction(row, higher_is_better.get(row.name))) for row in compare(old, new)]


def changes(old: Content, new: Content) -> list[EvidenceChange]:
    """Everything that became otherwise between two pieces of evidence of one version."""
    diff = difference(old, new, {})
    tables: Mapping[str, Iterable[Row]] = {
        "tags": diff.tags,
        "metrics": [metric.row for metric in diff.metrics],
        "params": diff.params,
        "run_tags": diff.run_tags,
        "datasets": diff.datasets,
        "requirements": diff.requirements,
        "flavors": diff.flavors,
        "artifacts": diff.artifacts,
        "": [row for row in diff.others if row.name not in (_DIGEST, _SCAN)],
    }
    found = [
        EvidenceChange(section, row.name, _text(row.old), _text(row.new))
        for section, rows in tables.items()
        for row in rows
        if row.change is not Change.SAME
    ]
    if _files(old).get("signature") != _files(new).get("signature"):
        verdict = diff.signature.verdict
        found.append(EvidenceChange("signature", "", "", f"another one ({verdict})" if verdict else "another one"))
    return found + _found_in_files(old, new)


def only_confirms(found: Iterable[EvidenceChange]) -> bool:
    """Whether nothing has changed, and only more is known of it: the digest of its files, a scan that is clean."""
    return all(change.is_confirmation for change in found)


def is_no_reason_to_ask_again(found: Iterable[EvidenceChange], gates: Iterable[Gate]) -> bool:
    """Whether all that has changed are tags that a gate waited for, and now has, beside what only confirms: whoever
    approved while the gate was waiting has still approved."""
    awaited = {gate.key: gate.value for gate in gates if gate.type is GateType.TAG}

    def was_awaited(change: EvidenceChange) -> bool:
        if change.is_confirmation:
            return True
        if change.section != "tags" or change.name not in awaited:
            return False
        wanted = awaited[change.name]
        return change.old is None and change.new is not None if wanted is None else change.new == wanted

    return all(was_awaited(change) for change in found)


def _direction(row: Row, higher_is_better: bool | None) -> Direction:
    if row.change is Change.SAME:
        return Direction.SAME
    if higher_is_better is None or not row.delta:
        return Direction.UNKNOWN
    return Direction.BETTER if (row.delta > 0) == higher_is_better else Direction.WORSE


def _files(content: Content) -> Content:
    files: Content = content.get("files") or {}
    return files


def _numbers(content: Content) -> dict[str, float]:
    return {key: float(value) for key, value in content.get("metrics", {}).items()}


def _rows(old: Content, new: Content, section: str) -> list[Row]:
    return compare(old.get(section, {}), new.get(section, {}))


def _datasets(content: Content) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in content.get("datasets", ()):
        name = f"{one['name']} ({one['context']})" if one["context"] else one["name"]
        found[name] = f"{found[name]}, {one['digest']}" if name in found else one["digest"]
    return found


def _artifacts(old: Content, new: Content) -> list[Row]:
    """Files by their SHA-256, and by their size where only one of the two has it."""
    before, after = old.get("artifacts", {}), new.get("artifacts", {})

    def said(files: Content, others: Content) -> dict[str, str]:
        return {
            path: one["sha256"] if "sha256" in one and "sha256" in others.get(path, one) else f"{one['size']} bytes"
            for path, one in files.items()
        }

    return compare(said(before, after), said(after, before))


def _found_in_files(old: Content, new: Content) -> list[EvidenceChange]:
    """What a manifest, a check against it, and a scan brought to light. A manifest never changes once it is there."""
    found = []
    before, after = (content.get("manifest") or {} for content in (old, new))
    if before.get("digest", "") != after.get("digest", ""):
        found.append(EvidenceChange("manifest", "", before.get("digest") or None, after.get("digest") or None))
    differs, differs_now = _integrity(before), _integrity(after)
    if differs != differs_now:
        found.append(EvidenceChange("integrity", "", differs, differs_now or "as registered"))
    before, after = (content.get("scan") or {} for content in (old, new))
    if not before.get("verdict"):
        return [*found, EvidenceChange("scan", "", None, _result(after))] if after.get("verdict") else found
    if before["verdict"] != after.get("verdict"):
        found.append(EvidenceChange("scan", "", before["verdict"], after.get("verdict") or None))
    return found + [
        EvidenceChange("findings", row.name, _text(row.old), _text(row.new))
        for row in compare(_findings(before), _findings(after))
        if row.change is not Change.SAME
    ]


def _integrity(manifest: Content) -> str | None:
    kinds: Mapping[str, Sequence[str]] = manifest.get("differences") or {}
    return "; ".join(f"{', '.join(paths[:3])} {kind}" for kind, paths in sorted(kinds.items())) or None


def _findings(scan: Content) -> dict[str, str]:
    return {f"{one['path']}: {one['message']}": one["severity"] for one in scan.get("findings", ())}


def _result(scan: Content) -> str:
    """The verdict, and of one that is not clean the worst finding."""
    verdict: str = scan["verdict"]
    worst = next(iter(_findings(scan)), "")
    return verdict if verdict == CLEAN or not worst else f"{verdict} ({worst.rstrip('.')})"


def _others(content: Content) -> dict[str, str]:
    said = {
        _DIGEST: (content.get("manifest") or {}).get("digest", ""),
        _SCAN: (content.get("scan") or {}).get("verdict", ""),
        "description": content.get("description", ""),
        "source": content.get("source", ""),
        COMMIT: content.get("git_commit", ""),
        "Python": _files(content).get("python_version", ""),
    }
    return {key: value for key, value in said.items() if value}


def _text(value: float | str | None) -> str | None:
    return f"{value:.6g}" if isinstance(value, float) else value
