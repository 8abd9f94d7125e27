"""Versions side by side as the page, JSON and CSV show them: a line for each name, a cell for each version. Pure."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from registry_site.pages.comparisons import file_rows
from registry_site.pages.side_by_side import Line as Values
from registry_site.pages.side_by_side import Value, is_same
from registry_site.promotion.comparison import Change, Row
from registry_site.promotion.differences import COMMIT, Direction, EvidenceDiff
from registry_site.promotion.signatures import columns_of

if TYPE_CHECKING:  # the versions come from queries; only their type is named here
    from registry_site.promotion.compared import Compared

DESCRIPTION = "description"
_DIGEST = re.compile("[0-9a-f]{40,}")
_TAGS_OF_CLIENTS = "mlflow."


@dataclass(frozen=True, slots=True)
class Cell:
    """What one version has under a name, what became of it since the first one, and whether that is good: `verdict` is
    a direction of a metric or a verdict of a signature, "" where nobody can say."""

    value: Value = None
    change: Change = Change.SAME
    delta: float | None = None
    verdict: str = ""
    is_hidden: bool = False

    @property
    def is_number(self) -> bool:
        return isinstance(self.value, float | int)

    @property
    def signed(self) -> str:
        """The difference in three significant digits, with its sign; empty without one."""
        return "" if self.delta is None else f"{self.delta:+.3g}".replace("-", "−", 1)

    @property
    def brief(self) -> str:
        """As much of a digest or commit as tells it from others; empty for anything else."""
        return f"{self.value[:12]}…" if isinstance(self.value, str) and _DIGEST.fullmatch(self.value) else ""


@dataclass(frozen=True, slots=True)
class Line:
    """What each version has under a name; `note` says more of the name. Numbers that are as close as `tolerance` count
    as the same."""

    name: str
    cells: Sequence[Cell]
    note: str = ""
    tolerance: float = 0.0

    @property
    def differs(self) -> bool:
        """Whether those that may be seen do not all have the same."""
        seen = [cell for cell in self.cells if not cell.is_hidden]
        values = tuple(cell.value for cell in seen)
        return any(cell.change is not Change.SAME for cell in seen) or bool(
            values and Values(self.name, values, self.tolerance).differs
        )


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of things. `verdicts` say of each version but the first what the changes amount to, where that is
    known; `unknown` are the places of versions of which nothing is known here."""

    key: str
    title: str
    lines: Sequence[Line]
    verdicts: Sequence[str] = ()
    unknown: frozenset[int] = frozenset()

    @property
    def differing(self) -> list[Line]:
        return [line for line in self.lines if line.differs]


def sections_of(compared: "Compared", tolerance: float = 0.0) -> list[Section]:
    """What the versions are made of and measured at, in the order in which people ask for it; no empty ones. Metrics
    and params that are as close as `tolerance`, a part of the greater one, count as the same."""
    diffs, contents = compared.differences, compared.contents
    count = len(contents)
    hidden = frozenset(place for place in range(count) if compared.is_hidden(place))
    files = [content["files"] for content in contents]
    unread = frozenset(place for place, each in enumerate(files) if not each["read"])

    def of(rows_of: Any, unseen: frozenset[int] = frozenset()) -> list[Line]:
        return _lines([rows_of(diff) for diff in diffs], count, unseen)

    sections = [
        Section("metrics", _("Metrics"), _tolerant(_metrics(diffs, count, hidden), tolerance)),
        Section("params", _("Parameters"), _tolerant(of(lambda diff: diff.params, hidden), tolerance)),
        _signature(compared, unread),
        Section("requirements", _("Requirements"), of(lambda diff: diff.requirements, unread), unknown=unread),
        Section("flavors", _("Flavors"), of(lambda diff: diff.flavors, unread), unknown=unread),
        Section("files", _("Files"), _files(diffs, files, unread), unknown=unread),
        Section("tags", _("Tags"), of(lambda diff: diff.tags)),
        Section("data", _("Data sets"), of(lambda diff: diff.datasets, hidden)),
        Section("origin", _("Origin"), _others(diffs, count, hidden)),
        Section("run-tags", _("Tags of the run"), of(_own_run_tags, hidden)),
    ]
    return [section for section in sections if section.lines]


def _own_run_tags(diff: EvidenceDiff) -> list[Row]:
    return [row for row in diff.run_tags if not row.name.startswith(_TAGS_OF_CLIENTS)]


def _lines(tables: Sequence[Iterable[Row]], count: int, unseen: frozenset[int]) -> list[Line]:
    """A line for each name in the tables, which compare each version but the first with that one."""
    by_name = [{row.name: row for row in table} for table in tables]
    return [_line(name, [rows.get(name) for rows in by_name], unseen) for name in _names(by_name)]


def _names(tables: Iterable[Mapping[str, Any]]) -> list[str]:
    return sorted({name for table in tables for name in table})


def _line(name: str, rows: Sequence[Row | None], unseen: frozenset[int]) -> Line:
    first = next((row.old for row in rows if row is not None), None)
    cells = [Cell(first)] + [_cell(row, is_alone=0 in unseen) for row in rows]
    return Line(name, [Cell(is_hidden=True) if place in unseen else cell for place, cell in enumerate(cells)])


def _cell(row: Row | None, *, is_alone: bool) -> Cell:
    """One value; beside a first one that nobody sees, it is just there."""
    if row is None:
        return Cell()
    return Cell(row.new) if is_alone else Cell(row.new, row.change, row.delta)


def _metrics(diffs: Sequence[EvidenceDiff], count: int, hidden: frozenset[int]) -> list[Line]:
    lines = _lines([[metric.row for metric in diff.metrics] for diff in diffs], count, hidden)
    directions = [{metric.row.name: metric.direction for metric in diff.metrics} for diff in diffs]
    return [
        Line(
            line.name,
            [
                line.cells[0],
                *(
                    _judged(cell, said.get(line.name, Direction.UNKNOWN))
                    for cell, said in zip(line.cells[1:], directions, strict=True)
                ),
            ],
        )
        for line in lines
    ]


def _tolerant(lines: Sequence[Line], tolerance: float) -> Sequence[Line]:
    if not tolerance:
        return lines
    return [
        Line(line.name, [_forgiven(cell, line.cells[0], tolerance) for cell in line.cells], line.note, tolerance)
        for line in lines
    ]


def _forgiven(cell: Cell, first: Cell, tolerance: float) -> Cell:
    if cell.change is not Change.CHANGED or not is_same(first.value, cell.value, tolerance):
        return cell
    return Cell(cell.value, Change.SAME, cell.delta, Direction.SAME.value if cell.verdict else "")


def _judged(cell: Cell, direction: Direction) -> Cell:
    is_compared = cell.delta is not None or (cell.change is Change.SAME and direction is Direction.SAME)
    if cell.is_hidden or not is_compared or direction is Direction.UNKNOWN or cell.value is None:
        return cell
    return Cell(cell.value, cell.change, cell.delta, direction.value)


def _signature(compared: "Compared", unread: frozenset[int]) -> Section:
    """Each column of each version, and what its change means for whoever calls the model."""
    columns = [columns_of(content["files"].get("signature")) for content in compared.contents]
    changes = [{(one.part, one.name): one for one in diff.signature.columns} for diff in compared.differences]
    names = list(dict.fromkeys(name for each in columns for name in each))
    is_alone = 0 in unread
    lines = []
    for part, name in names:
        cells = [Cell(columns[0].get((part, name)))]
        for own, changed in zip(columns[1:], changes, strict=True):
            value, change = own.get((part, name)), changed.get((part, name))
            if change is None or is_alone:
                cells.append(Cell(value))
                continue
            kind = Change.ADDED if not change.old else Change.REMOVED if not change.new else Change.CHANGED
            cells.append(Cell(value, kind, verdict=change.verdict.value))
        shown = [Cell(is_hidden=True) if place in unread else cell for place, cell in enumerate(cells)]
        lines.append(Line(name, shown, note=part))
    verdicts = [
        diff.signature.verdict.value if diff.signature.verdict and not {0, place} & unread else ""
        for place, diff in enumerate(compared.differences, 1)
    ]
    return Section("signature", _("Signature"), lines, verdicts, unread)


def _files(diffs: Sequence[EvidenceDiff], files: Sequence[Mapping[str, Any]], unread: frozenset[int]) -> list[Line]:
    return _lines(
        [file_rows(diff.artifacts, files[0], own) for diff, own in zip(diffs, files[1:], strict=True)],
        len(files),
        unread,
    )


def _others(diffs: Sequence[EvidenceDiff], count: int, hidden: frozenset[int]) -> list[Line]:
    """Digest, scan, source, commit, Python; the description stands by itself, and a commit is the run's. One that is
    not there is not known, and not removed."""
    lines = []
    for line in _lines([[row for row in diff.others if row.name != DESCRIPTION] for diff in diffs], count, frozenset()):
        unseen = hidden if line.name == COMMIT else frozenset()
        cells = [
            Cell(is_hidden=True) if place in unseen else cell if cell.change is Change.CHANGED else Cell(cell.value)
            for place, cell in enumerate(line.cells)
        ]
        lines.append(Line(line.name, cells))
    return lines


# -- as data -----------------------------------------------------------------------------------------------------------
def as_data(
    sections: Sequence[Section], compared: "Compared", *, everything: bool, tolerance: float = 0.0
) -> dict[str, Any]:
    """What JSON has."""
    return {
        "model": compared.model.name,
        "baseline": compared.versions[0].version,
        "versions": [
            {
                "version": version.version,
                "stage": version.current_stage,
                "run_id": version.run_id,
                "run_is_hidden": compared.is_hidden(place),
                "description": version.description,
            }
            for place, version in enumerate(compared.versions)
        ],
        "only_differences": not everything,
        "tolerance": tolerance,
        "sections": [
            {
                "key": section.key,
                "title": section.title,
                "verdicts": list(section.verdicts),
                "lines": [_line_data(line) for line in shown(section, everything=everything)],
            }
            for section in sections
        ],
    }


def shown(section: Section, *, everything: bool) -> Sequence[Line]:
    """Its lines, or those that differ."""
    return section.lines if everything else section.differing


def _line_data(line: Line) -> dict[str, Any]:
    return {
        "name": line.name,
        **({"part": line.note} if line.note else {}),
        "cells": [
            {
                "value": _plain(cell.value),
                "change": cell.change.value if place else None,
                "difference": cell.delta,
                "verdict": cell.verdict or None,
                "hidden": cell.is_hidden,
            }
            for place, cell in enumerate(line.cells)
        ],
    }


def _plain(value: Value) -> Value:
    """JSON knows no NaN and no infinities."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def as_rows(sections: Sequence[Section], compared: "Compared", *, everything: bool) -> Iterator[Sequence[object]]:
    """What CSV has: a heading, then a row for each line."""
    numbers = [f"v{version.version}" for version in compared.versions]
    judged = [f"{number} {what}" for number in numbers[1:] for what in ("change", "difference", "verdict")]
    yield ["section", "name", *numbers, *judged]
    for section in sections:
        for line in shown(section, everything=everything):
            values = [_("hidden") if cell.is_hidden else cell.value for cell in line.cells]
            changes = [
                each
                for cell in line.cells[1:]
                for each in (("", "", "") if cell.is_hidden else (cell.change.value, cell.delta, cell.verdict))
            ]
            yield [section.key, f"{line.note}.{line.name}" if line.note else line.name, *values, *changes]
