"""Which bytes a Range header asks for. Pure."""

import re

_RANGE = re.compile(r"bytes=(?:(?P<first>[0-9]{1,18})-(?P<last>[0-9]{0,18})|-(?P<suffix>[0-9]{1,18}))\Z")


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
