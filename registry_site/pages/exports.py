"""History as files: a table for spreadsheets, and JSON lines that have all of it, the hashes too."""

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from io import StringIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the rows come from queries; only their type is named here
    from registry_site.audit.models import Activity

COLUMNS = (
    "id",
    "at",
    "who",
    "kind",
    "subject",
    "version",
    "request",
    "from",
    "to",
    "comment",
    "origin",
    "data",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what a spreadsheet may take a cell with this start for


def csv_lines(portions: "Iterable[list[Activity]]") -> Iterator[str]:
    """A table with a heading, quoted throughout; nothing that somebody wrote is a formula in it."""
    yield "\ufeff" + _csv([COLUMNS])
    for portion in portions:
        yield _csv([[_cell(value) for value in _row(activity)] for activity in portion])


def _row(activity: "Activity") -> tuple[object, ...]:
    data = activity.data
    return (
        activity.pk,
        _time(activity.at),
        activity.actor_name,
        activity.kind,
        activity.subject,
        activity.version,
        activity.request_number,
        data.get("from_stage", data.get("before")),
        data.get("to_stage", data.get("after")),
        activity.comment,
        activity.origin,
        json.dumps(data, ensure_ascii=False),
    )


def _csv(rows: Iterable[Iterable[object]]) -> str:
    lines = StringIO(newline="")
    csv.writer(lines, quoting=csv.QUOTE_ALL).writerows(rows)
    return lines.getvalue()


def _cell(value: object) -> object:
    if value is None or isinstance(value, int):
        return value
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def json_lines(portions: "Iterable[list[Activity]]") -> Iterator[str]:
    """An object for each activity: every column, as it is hashed."""
    for portion in portions:
        yield "".join(f"{json.dumps(_object(activity))}\n" for activity in portion)


def _object(activity: "Activity") -> dict[str, object]:
    return {
        "id": activity.pk,
        "at": _time(activity.at),
        "kind": activity.kind,
        "origin": activity.origin,
        "actor_id": activity.actor_id,
        "actor_name": activity.actor_name,
        "registered_model_id": activity.registered_model_id,
        "subject": activity.subject,
        "version": activity.version,
        "request_number": activity.request_number,
        "comment": activity.comment,
        "data": activity.data,
        "chain": activity.chain,
        "previous_hash": activity.previous_hash,
        "hash": activity.hash,
    }


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
