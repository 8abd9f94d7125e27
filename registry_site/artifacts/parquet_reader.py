"""Prints the first rows of a Parquet file as JSON. A program of its own, started by `parquet.py`.

The file comes from a stranger and is read by a large library in C++, so it is read in a process that has little memory
and little time, knows no secret, and cannot reach the file itself: it asks for each range in a line `offset length`,
and is sent as many bytes. Knows nothing of Podium.
"""

import io
import json
import os
import resource
import sys


def limit() -> None:
    """No more memory and time than was said, and no file of any length."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Asked(io.RawIOBase):
    """The file, by ranges that are asked for."""

    at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.at = {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: SIZE}[whence] + offset
        return self.at

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # any buffer
        length = max(min(len(view), SIZE - self.at), 0)
        if length:
            print(self.at, length, flush=True)  # noqa: T201  the way that it asks
            chunk = ANSWERS.read(length)
            if len(chunk) != length:
                os._exit(3)  # whoever answers has had enough
            view[:length] = chunk
            self.at += length
        return length


def text_of(value: object) -> str:
    """A cell in one line."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return f"{value[:MAX_CELL].hex()}" if len(value) <= 32 else f"{len(value)} bytes"
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return str(value)[: MAX_CELL + 1]


def main() -> None:
    limit()
    import pyarrow
    from pyarrow import parquet

    pyarrow.set_cpu_count(1)
    pyarrow.set_io_thread_count(1)
    file = parquet.ParquetFile(pyarrow.PythonFile(Asked(), "r"), pre_buffer=False, buffer_size=64 * 1024)
    schema = file.schema_arrow
    wanted = None if len(schema) <= MAX_COLUMNS else list(dict.fromkeys(schema.names[:MAX_COLUMNS]))
    fields = list(schema)[:MAX_COLUMNS]
    rows: list[list[str]] = []
    length = 0
    for batch in file.iter_batches(batch_size=64, columns=wanted, use_threads=False):
        fields = list(batch.schema)  # a name with a dot in it may have chosen others
        for at in range(batch.num_rows):
            rows.append([text_of(column[at].as_py()) for column in batch.columns])
            length += sum(map(len, rows[-1]))
            if len(rows) == MAX_ROWS or length > MAX_TEXT:
                break
        if len(rows) == MAX_ROWS or length > MAX_TEXT:
            break
    found = {
        "columns": [
            {
                "name": field.name,
                "type": str(field.type)[:MAX_CELL],
                "numeric": pyarrow.types.is_integer(field.type)
                or pyarrow.types.is_floating(field.type)
                or pyarrow.types.is_decimal(field.type),
            }
            for field in fields
        ],
        "column_count": len(schema),
        "rows": rows,
        "row_count": file.metadata.num_rows,
    }
    print(json.dumps(found), flush=True)  # noqa: T201  what it is for
    os._exit(0)  # without the minutes that a library may take to clean up


if __name__ == "__main__":
    SIZE, MAX_ROWS, MAX_COLUMNS, MAX_CELL, MAX_TEXT, MEMORY, SECONDS = map(int, sys.argv[1:])
    ANSWERS = sys.stdin.buffer
    main()
