"""The first rows of a Parquet file, read in a process of its own. See `parquet_reader.py` for why."""

import json
import subprocess
import sys
from collections import OrderedDict
from importlib.util import find_spec
from pathlib import Path
from threading import Timer
from typing import Any

from registry_site.artifacts.random_access import RandomAccess
from registry_site.artifacts.tables import MAX_COLUMNS, MAX_ROWS, Table, TableColumn, most_rows
from registry_site.core.errors import PodiumError

MAX_CELL = 300  # characters
MAX_TEXT = 256 * 1024  # characters of all cells
MAX_READ = 64 * 1024 * 1024  # bytes of the file
_BLOCK = 128 * 1024  # what is read of it at once: the columns of a wide file lie close to each other
_MOST_BLOCKS = 128  # that are kept
MEMORY = 1024 * 1024 * 1024  # bytes of addresses, of which the library's own code takes a third
SECONDS = 10
_LONGEST_ANSWER = 64 * 1024 * 1024  # characters
_READER = Path(__file__).with_name("parquet_reader.py")


class Unreadable(Exception):
    """The file cannot be shown; the text says why."""


def is_installed() -> bool:
    """Whether this installation can read Parquet."""
    return find_spec("pyarrow") is not None


def head_of(file: RandomAccess, size: int) -> tuple[Table, int]:
    """The first rows and columns of a file of this size, and how many columns there are. Raises Unreadable, and the
    errors of the store."""
    limits = (size, MAX_ROWS, MAX_COLUMNS, MAX_CELL, MAX_TEXT, MEMORY, SECONDS)
    with subprocess.Popen(
        [sys.executable, "-I", str(_READER), *map(str, limits)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1"},
        cwd="/",
    ) as reader:
        too_late = Timer(SECONDS, reader.kill)
        too_late.start()
        try:
            found = _serve(file, reader)
        finally:
            too_late.cancel()
            reader.kill()
    columns = tuple(
        TableColumn(str(column["name"]), bool(column["numeric"]), str(column["type"])) for column in found["columns"]
    )
    rows = tuple(tuple(map(str, row)) for row in found["rows"][: most_rows(len(columns))])
    return Table(columns, rows, int(found["row_count"])), int(found["column_count"])


class _Blocks:
    """Ranges of the file, of which those read last are at hand: each request to an object store takes its time."""

    def __init__(self, file: RandomAccess) -> None:
        self._file = file
        self._kept: OrderedDict[int, bytes] = OrderedDict()

    def read(self, offset: int, length: int) -> bytes:
        if length > _BLOCK:
            return self._file.read_range(offset, length)
        first = offset // _BLOCK
        found = self._block(first)[offset % _BLOCK :]
        if len(found) < length:
            found += self._block(first + 1)
        return found[:length]

    def _block(self, number: int) -> bytes:
        if number not in self._kept:
            self._kept[number] = self._file.read_range(number * _BLOCK, _BLOCK)
            if len(self._kept) > _MOST_BLOCKS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(number)
        return self._kept[number]


def _serve(file: RandomAccess, reader: "subprocess.Popen[bytes]") -> dict[str, Any]:
    """Answers the reader until it has said what it found."""
    assert reader.stdin is not None
    assert reader.stdout is not None
    blocks = _Blocks(file)
    try:
        while line := reader.stdout.readline(_LONGEST_ANSWER):
            if line.startswith(b"{"):
                found: dict[str, Any] = json.loads(line)
                return found
            offset, length = map(int, line.split())
            reader.stdin.write(blocks.read(offset, length))
            reader.stdin.flush()
    except (OSError, ValueError) as failure:
        raise Unreadable("This file could not be read as Parquet.") from failure
    except PodiumError as failure:
        raise Unreadable("More of this file would have to be read than a preview may.") from failure
    raise Unreadable("This file could not be read as Parquet, or takes more memory or time than a preview may.")
