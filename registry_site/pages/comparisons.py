"""The evidence of a request beside that of the version which it would replace, as the review page shows it. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registry_site.pages.formats import filesize_short
from registry_site.promotion.comparison import Change, Row
from registry_site.promotion.differences import Direction, MetricRow
from registry_site.promotion.signatures import SignatureDiff, SignatureVerdict

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.promotion.standing import RequestEvidence

MOST_ROWS = 200  # of a table; the record of the request has all of them
DIGEST_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of things: those that differ, those that do not, and how many are not shown."""

    key: str
    title: str
    changed: Sequence[Row]
    same: Sequence[Row]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Point:
    """One line of the summary: what it is about, in words, and whether that is good."""

    anchor: str
    title: str
    words: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that is shown of evidence. Without a version to compare with, every row is new, and is shown as it is."""

    version: int
    baseline: int | None
    metrics: Sequence[MetricRow]
    same_metrics: Sequence[MetricRow]
    undirected: Sequence[str]
    signature: SignatureDiff
    has_signature: bool | None
    had_signature: bool | None
    tables: Sequence[Table]
    points: Sequence[Point]
    description: str
    old_description: str
    is_hidden: bool
    baseline_is_hidden: bool
    files_are_known: bool

    @property
    def unchanged(self) -> list[Table]:
        """The kinds of things in which nothing differs."""
        return [table for table in self.tables if not table.changed]

    @property
    def signature_is_same(self) -> bool:
        return (
            bool(self.has_signature) and self.signature.verdict is SignatureVerdict.SAME and self.baseline is not None
        )


def comparison(found: "RequestEvidence", version: int) -> Comparison:
    """The evidence of a request, in the order in which people ask for it."""
    diff, candidate, occupant = found.diff, found.candidate, found.occupant
    metrics = [row for row in diff.metrics if row.row.change is not Change.SAME]
    files, files_before = candidate.get("files") or {}, (occupant or {}).get("files") or {}
    tables = [
        _table("params", _("Parameters"), diff.params),
        _table("tags", _("Tags"), diff.tags),
        _table("data", _("Data sets"), diff.datasets),
        _table("origin", _("Origin"), [row for row in diff.others if row.name != "description"]),
        _table("flavors", _("Flavors"), diff.flavors),
        _table("requirements", _("Requirements"), diff.requirements),
        _table("files", _("Files"), file_rows(diff.artifacts, files_before, files)),
        _table("run-tags", _("Tags of the run"), [row for row in diff.run_tags if not row.name.startswith("mlflow.")]),
    ]
    return Comparison(
        version=version,
        baseline=found.occupant_version if occupant is not None else None,
        metrics=metrics[:MOST_ROWS],
        same_metrics=[row for row in diff.metrics if row.row.change is Change.SAME][:MOST_ROWS],
        undirected=[row.row.name for row in metrics if row.direction is Direction.UNKNOWN and row.row.delta][
            :MOST_ROWS
        ],
        signature=diff.signature,
        has_signature=_has_signature(files),
        had_signature=_has_signature(files_before) if occupant is not None else None,
        tables=[table for table in tables if table.changed or table.same],
        points=_points(metrics, diff.signature, tables, files) if occupant is not None else (),
        description=str(candidate.get("description", "")),
        old_description=str((occupant or {}).get("description", "")),
        is_hidden=bool(candidate.get("hidden")),
        baseline_is_hidden=bool((occupant or {}).get("hidden")),
        files_are_known=bool(files.get("read")),
    )


def _has_signature(files: dict[str, Any]) -> bool | None:
    return files.get("signature") is not None if files.get("read") else None


def _table(key: str, title: str, rows: Iterable[Row]) -> Table:
    rows = list(rows)
    changed = [row for row in rows if row.change is not Change.SAME]
    same = [row for row in rows if row.change is Change.SAME]
    more = max(0, len(changed) - MOST_ROWS) + max(0, len(same) - MOST_ROWS)
    return Table(key, title, changed[:MOST_ROWS], same[:MOST_ROWS], more)


def file_rows(rows: Iterable[Row], before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Row]:
    """Each file with its size, and as much of its digest as tells it from others."""
    return [Row(row.name, _file(before, row.name), _file(after, row.name), row.change) for row in rows]


def _file(files: Mapping[str, Any], path: str) -> str | None:
    said = files.get("artifacts", {}).get(path)
    if said is None:
        return None
    digest = f", sha256:{said['sha256'][:DIGEST_SHOWN]}…" if said.get("sha256") else ""
    return f"{filesize_short(said.get('size'))}{digest}"


# -- the summary -------------------------------------------------------------------------------------------------------
def _points(
    metrics: Sequence[MetricRow], signature: SignatureDiff, tables: Iterable[Table], files: dict[str, Any]
) -> list[Point]:
    points = []
    if metrics:
        directions = [row.direction for row in metrics]
        counts = [
            _count(directions.count(Direction.BETTER), lambda n: ngettext("%(n)s better", "%(n)s better", n)),
            _count(directions.count(Direction.WORSE), lambda n: ngettext("%(n)s worse", "%(n)s worse", n)),
            _count(directions.count(Direction.UNKNOWN), lambda n: ngettext("%(n)s otherwise", "%(n)s otherwise", n)),
        ]
        is_worse, is_better = Direction.WORSE in directions, Direction.BETTER in directions
        tone = "bad" if is_worse else "good" if is_better else ""
        points.append(Point("metrics", _("Metrics"), ", ".join(filter(None, counts)), tone))
    if files.get("read") and signature.verdict is not SignatureVerdict.SAME:
        words = signature.verdict.value if signature.verdict else _("cannot be compared")
        tone = {SignatureVerdict.BREAKING: "bad", SignatureVerdict.COMPATIBLE: "good"}.get(
            signature.verdict or SignatureVerdict.WIDENING, "warn"
        )
        points.append(Point("signature", _("Signature"), words, tone))
    points += [Point(table.key, table.title, _changes(table.changed)) for table in tables if table.changed]
    return points


def _changes(rows: Sequence[Row]) -> str:
    changes = [row.change for row in rows]
    words = [
        _count(changes.count(Change.CHANGED), lambda n: ngettext("%(n)s changed", "%(n)s changed", n)),
        _count(changes.count(Change.ADDED), lambda n: ngettext("%(n)s added", "%(n)s added", n)),
        _count(changes.count(Change.REMOVED), lambda n: ngettext("%(n)s removed", "%(n)s removed", n)),
    ]
    return ", ".join(filter(None, words))


def _count(number: int, words: Callable[[int], str]) -> str:
    return words(number) % {"n": number} if number else ""
