"""When a delivery that failed is tried again, and how long its webhook rests. Pure."""

from datetime import timedelta

_DELAYS = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
    timedelta(hours=24),
)  # together almost three days
LONGEST_REST = timedelta(minutes=5)


def delay_after(attempts: int) -> timedelta | None:
    """How long to wait after so many failed attempts (1 is the first); None when there were enough."""
    return _DELAYS[attempts - 1] if attempts <= len(_DELAYS) else None


def rest_after(failures: int) -> timedelta:
    """How long nothing at all is sent to a receiver that failed so often in a row (1 is the first).

    So a receiver that is gone is asked now and then, and not by every delivery that waits for it, and the order of
    these is kept; one that comes back is found within five minutes.
    """
    return min(delay_after(failures) or LONGEST_REST, LONGEST_REST)
