"""The first rows of a table, as a page shows them. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

MAX_ROWS = 500
MAX_COLUMNS = 200
MAX_CELLS = 20_000  # which a browser lays out at once; of a wide table fewer rows are shown

_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*([eE][-+]?\d+)?|\.\d+([eE][-+]?\d+)?|inf|infinity|nan)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TableColumn:
    """`numeric` when every cell that is not blank is a number: such a column is aligned and sorted as numbers. `type`
    is what the file says of it, where it says so."""

    name: str
    numeric: bool
    type: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The first rows of a table. Every row has as many cells as there are columns. `row_count` is that of the file,
    where it is known."""

    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[str, ...], ...]
    row_count: int | None = None


def most_rows(columns: int) -> int:
    """How many rows of a table of so many columns are shown."""
    return min(MAX_ROWS, MAX_CELLS // max(columns, 1))


def table_of(rows: Sequence[Sequence[str]]) -> Table:
    """The first row names the columns, unless it is all numbers."""
    width = min(max(len(row) for row in rows), MAX_COLUMNS)
    padded = [tuple(row[:width]) + ("",) * (width - len(row)) for row in rows]
    if all(_NUMBER.fullmatch(cell) for cell in padded[0]):
        names, body = tuple(str(number) for number in range(1, width + 1)), padded[: most_rows(width)]
    else:
        names, body = padded[0], padded[1 : most_rows(width) + 1]
    columns = tuple(TableColumn(name, is_numeric([row[at] for row in body])) for at, name in enumerate(names))
    return Table(columns, tuple(body))


def is_numeric(cells: Sequence[str]) -> bool:
    """Whether there are numbers in the cells, and nothing else."""
    filled = [cell for cell in cells if cell.strip()]
    return bool(filled) and all(_NUMBER.fullmatch(cell) for cell in filled)
