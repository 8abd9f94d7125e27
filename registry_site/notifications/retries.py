"""When a mail that could not be sent is tried again. Pure."""

from datetime import timedelta

MAX_ATTEMPTS = 20  # with the delays below, about two and a half days
_FIRST = timedelta(seconds=30)
_LONGEST = timedelta(hours=6)


def delay_after(attempts: int) -> timedelta | None:
    """How long to wait after so many failed attempts (1 is the first); None when there were enough."""
    if attempts >= MAX_ATTEMPTS:
        return None
    return min(_FIRST * (1 << (attempts - 1)), _LONGEST)
