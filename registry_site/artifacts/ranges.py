"""Which bytes a Range header asks for, and what the answer has to say of it. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_RANGE = re.compile(r"bytes=(?:(?P<first>[0-9]{1,18})-(?P<last>[0-9]{0,18})|-(?P<suffix>[0-9]{1,18}))\Z")


@dataclass(frozen=True, slots=True)
class Part:
    """What is sent of a file: the whole of it (status 200), some bytes (206), or none because it has no such (416)."""

    status: int
    first: int
    length: int
    headers: Mapping[str, str]


def part_of(size: int, *, range_header: str, has_if_range: bool = False) -> Part:
    """The part of a file of so many bytes that a request asks for.

    With If-Range it is the whole file: there is nothing here by which a client could know an older state of it.
    """
    asked = None if has_if_range else requested_range(range_header, size)
    if asked is None:
        return Part(200, 0, size, {"Accept-Ranges": "bytes"})
    first, last = asked
    if first >= size:
        return Part(416, 0, 0, {"Content-Range": f"bytes */{size}"})
    return Part(
        206, first, last - first + 1, {"Accept-Ranges": "bytes", "Content-Range": f"bytes {first}-{last}/{size}"}
    )


def requested_range(header: str, size: int) -> tuple[int, int] | None:
    """The first and last byte asked for of a file of this size; a first one behind the end cannot be met.

    None without a range, and for several ranges or what is no range, which mean the whole file.
    """
    found = _RANGE.match(header.strip())
    if found is None:
        return None
    if found["suffix"]:
        length = int(found["suffix"])
        return (max(size - length, 0), size - 1) if length and size else (size, size)
    first, last = int(found["first"]), int(found["last"] or size - 1)
    return None if found["last"] and last < first else (first, min(last, size - 1))
