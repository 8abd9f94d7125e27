"""How long to wait before a process that ended is started again. Pure."""

FIRST = 0.1  # seconds
LONGEST = 30.0
STABLE = 60.0


def delay_after(previous: float, ran_for: float) -> float:
    """Seconds to wait: twice the previous delay, from 0.1 up to 30; from the start again after a stable minute."""
    if not previous or ran_for >= STABLE:
        return FIRST
    return min(previous * 2, LONGEST)
