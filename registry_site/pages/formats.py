"""Times, sizes and numbers as people read them."""

import math
import sys
from datetime import UTC, datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext

LAST_RELATIVE_DAY = 30


def as_datetime(value: datetime | int | None) -> datetime | None:
    """An aware time, or None where there is none or where the calendar ends."""
    if value is None or isinstance(value, datetime):
        return value if value is None or timezone.is_aware(value) else value.replace(tzinfo=UTC)
    try:
        return datetime.fromtimestamp(value / 1000, tz=UTC)
    except (OverflowError, OSError, ValueError):
        return None


def relative(when: datetime, now: datetime) -> str:
    """ "2 h ago", "in 5 d"; empty beyond thirty days, where a date says more."""
    distance = abs(now - when)
    if distance > timedelta(days=LAST_RELATIVE_DAY):
        return ""
    minutes = int(distance.total_seconds() // 60)
    if minutes < 1:
        return gettext("just now")
    if minutes < 60:
        amount = f"{minutes} min"
    elif minutes < 24 * 60:
        amount = f"{minutes // 60} h"
    else:
        amount = f"{minutes // (24 * 60)} d"
    return (gettext("in %(amount)s") if when > now else gettext("%(amount)s ago")) % {"amount": amount}


def duration_ms(value: float | None) -> str:
    """Milliseconds as "850 ms", "8.3 s", "2 min 5 s", "3 h 4 min" or "2 d 3 h"."""
    if value is None:
        return "–"
    if value < 1000:
        return f"{value:.0f} ms"
    if value < 59_950:
        return f"{value / 1000:.1f} s"
    seconds = round(value / 1000)
    for unit, size, smaller, smaller_size in (
        ("d", 86_400, "h", 3600),
        ("h", 3600, "min", 60),
        ("min", 60, "s", 1),
    ):
        if seconds >= size:
            rest = seconds % size // smaller_size
            return f"{seconds // size} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{seconds} s"


def filesize_short(value: float | None) -> str:
    """Bytes as "640 B", "173 kB", "9.2 MB": decimal units, two figures where one would be coarse."""
    if value is None:
        return "–"
    if value < 1000:
        return f"{value:.0f} B"
    size = float(value)
    for unit in ("kB", "MB", "GB", "TB", "PB"):
        size /= 1000
        if size < 999.5 or unit == "PB":
            return f"{size:.1f} {unit}" if size < 9.95 else f"{size:.0f} {unit}"
    return f"{value:.0f} B"


def number(value: float | None) -> str:
    """A whole number as it is, another with four significant digits; NaN and the infinities as words.

    MLflow stores an infinity as the greatest number there is, so that one is an infinity too.
    """
    if value is None:
        return "–"
    if isinstance(value, int):
        return str(value)
    if math.isnan(value):
        return "NaN"
    size = abs(value)
    if size >= sys.float_info.max:
        return "infinity" if value > 0 else "−infinity"
    if value == 0:
        return "0"
    if not 1e-4 <= size < 1e7:
        return f"{value:.3e}".replace("-", "−", 1 if value < 0 else 0)
    decimals = max(0, 3 - math.floor(math.log10(size)))
    return f"{value:.{decimals}f}".replace("-", "−")
