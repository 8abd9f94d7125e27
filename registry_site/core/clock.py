"""The one clock. Tests replace `now` here; nobody else asks the system for the time."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def now_ms() -> int:
    """The present moment in milliseconds since the epoch, as MLflow's protocol counts time."""
    return to_ms(now())


def to_ms(moment: datetime) -> int:
    """Milliseconds since the epoch, cut off and not rounded, so that no moment lies in the future."""
    return int(moment.timestamp() * 1000)


def from_ms(milliseconds: int) -> datetime:
    """The moment in UTC. Raises OverflowError or ValueError outside the years 1 to 9999."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
