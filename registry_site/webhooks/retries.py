"""When a delivery that failed is tried again. Pure."""

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


def delay_after(attempts: int) -> timedelta | None:
    """How long to wait after so many failed attempts (1 is the first); None when there were enough."""
    return _DELAYS[attempts - 1] if attempts <= len(_DELAYS) else None
