"""Lists as files: the same address with `format=csv` or `format=json` has all rows that match, in the same order.

Rows are read a page at a time and sent as they come, so that a long list keeps neither memory nor the database busy.
"""

import csv
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from io import StringIO
from typing import TYPE_CHECKING, Any, TypeVar

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

from registry_site.core import clock
from registry_site.core.errors import InvalidParameter
from registry_site.core.pages import Page

if TYPE_CHECKING:  # the rows come from queries; only their type is named here
    from registry_site.audit.models import Activity

Row = TypeVar("Row")
Columns = Mapping[str, Callable[[Row], object]]

ROWS_AT_ONCE = 500
ROWS_AT_MOST = 100_000  # of one file; JSON says where the rest is
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what a spreadsheet may take a cell with this start for


class FileFormat(StrEnum):
    """What a list may be fetched as."""

    CSV = "csv"
    JSON = "json"


def as_file(
    request: HttpRequest,
    name: str,
    columns: Columns[Row],
    read: Callable[[str | None], Page[Any]],
    rows: Callable[[Sequence[Any]], Iterable[Row]] = iter,
) -> StreamingHttpResponse | None:
    """The list as a file, if the address asks for one: else None.

    `read` gets a page by its token, and `rows` makes of it the rows whose cells `columns` tell. The first page is read
    at once, so that whatever is refused is refused before anything is sent. Raises InvalidParameter for an unknown
    format.
    """
    wanted = request.GET.get("format")
    if wanted is None or request.method == "POST":
        return None
    if wanted not in list(FileFormat):
        raise InvalidParameter("A list comes as a page, or with format=csv or format=json.", field="format")
    first = read(request.GET.get("page_token"))
    portions = _Portions(first, read, rows)
    if wanted == FileFormat.CSV:
        return file_response(csv_lines(columns, portions), name, "csv", "text/csv; charset=utf-8")

    def next_address() -> str | None:
        if not portions.next_page_token:
            return None
        query = request.GET.copy()
        query["page_token"] = portions.next_page_token
        return f"{request.build_absolute_uri(request.path)}?{query.urlencode()}"

    return file_response(_document(columns, portions, next_address), name, "json", "application/json")


def file_response(written: Iterator[str], name: str, ending: str, content_type: str) -> StreamingHttpResponse:
    """What is written, as a file of that name and of today."""
    filename = f"podium-{name}-{timezone.localtime(clock.now()):%Y-%m-%d}.{ending}"
    how = "inline" if ending == "json" else "attachment"
    return StreamingHttpResponse(
        written,
        content_type=content_type,
        headers={"Content-Disposition": f'{how}; filename="{filename}"', "Cache-Control": "no-store"},
    )


class _Portions:
    """The rows of a list, page after page, up to `ROWS_AT_MOST`; then `next_page_token` says what is left."""

    def __init__(
        self, first: Page[Any], read: Callable[[str | None], Page[Any]], rows: Callable[[Sequence[Any]], Iterable[Any]]
    ) -> None:
        self.next_page_token = first.next_page_token
        self._first, self._read, self._rows = first, read, rows

    def __iter__(self) -> Iterator[list[Any]]:
        page, count = self._first, 0
        while True:
            yield list(self._rows(page.rows))
            count += len(page.rows)
            self.next_page_token = page.next_page_token
            if not page.next_page_token or count >= ROWS_AT_MOST:
                return
            page = self._read(page.next_page_token)


# -- CSV ---------------------------------------------------------------------------------------------------------------
def csv_lines(columns: Columns[Row], portions: Iterable[Iterable[Row]]) -> Iterator[str]:
    """A table with a heading, quoted throughout; nothing that somebody wrote is a formula in it."""
    yield "\ufeff" + _csv([[_cell(name) for name in columns]])
    for portion in portions:
        yield _csv([[_cell(value_of(row)) for value_of in columns.values()] for row in portion])


def csv_of(rows: Iterable[Iterable[object]]) -> str:
    """A small table with whatever heading it has; nothing that somebody wrote is a formula in it."""
    return "\ufeff" + _csv([_cell(value) for value in row] for row in rows)


def _csv(rows: Iterable[Iterable[object]]) -> str:
    lines = StringIO(newline="")
    csv.writer(lines, quoting=csv.QUOTE_ALL).writerows(rows)
    return lines.getvalue()


def _cell(value: object) -> object:
    value = _plain(value)
    if value is None or isinstance(value, int | float):
        return value
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


# -- JSON --------------------------------------------------------------------------------------------------------------
def _document(
    columns: Columns[Row], portions: Iterable[Iterable[Row]], next_address: Callable[[], str | None]
) -> Iterator[str]:
    """An object with the `rows`, one a line, and the address of what comes `next`; null where that is nothing."""
    yield '{"rows": ['
    before = "\n"
    for portion in portions:
        lines = [
            json.dumps({name: _plain(value_of(row)) for name, value_of in columns.items()}, allow_nan=False)
            for row in portion
        ]
        if lines:
            yield before + ",\n".join(lines)
            before = ",\n"
    yield f'\n], "next": {json.dumps(next_address())}}}\n'


def json_lines(portions: "Iterable[list[Activity]]") -> Iterator[str]:
    """An object for each activity: every column, as it is hashed."""
    for portion in portions:
        yield "".join(f"{json.dumps(_object(activity))}\n" for activity in portion)


def _plain(value: object) -> Any:
    """What JSON has a word for: times as text, in UTC, and numbers that are none as their names."""
    if isinstance(value, datetime):
        return time_of(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def time_of(at: datetime) -> str:
    """A time as files have it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def time_of_ms(milliseconds: int | None) -> datetime | None:
    """The time that MLflow's protocol says in milliseconds; None where there is none, or where the calendar ends."""
    try:
        return None if not milliseconds else datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
    except (OverflowError, OSError, ValueError):
        return None


# -- history -----------------------------------------------------------------------------------------------------------
ACTIVITY_COLUMNS: "Columns[Activity]" = {
    "id": lambda activity: activity.pk,
    "at": lambda activity: activity.at,
    "who": lambda activity: activity.actor_name,
    "kind": lambda activity: activity.kind,
    "subject": lambda activity: activity.subject,
    "version": lambda activity: activity.version,
    "request": lambda activity: activity.request_number,
    "from": lambda activity: activity.data.get("from_stage", activity.data.get("before")),
    "to": lambda activity: activity.data.get("to_stage", activity.data.get("after")),
    "comment": lambda activity: activity.comment,
    "origin": lambda activity: activity.origin,
    "data": lambda activity: activity.data,
}


def _object(activity: "Activity") -> dict[str, object]:
    return {
        "id": activity.pk,
        "at": time_of(activity.at),
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
