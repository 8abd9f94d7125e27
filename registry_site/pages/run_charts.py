"""Which metrics of a run are drawn, which of them together, and the points of it as plots read them. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.utils.translation import gettext as _

from registry_site.core.errors import InvalidParameter

MOST_KEYS = 50  # of one answer: what is in sight of a page at once; plot.js asks for no more
CURVE_POINTS = 1000
_SPLIT = re.compile(
    r"(?:train|training|val|valid|validation|test|eval|dev|holdout)[_/.\- ](?P<metric>.+)", re.IGNORECASE
)


class Point(Protocol):
    """What a metric had at a step."""

    @property
    def step(self) -> int: ...
    @property
    def value(self) -> float: ...
    @property
    def timestamp(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Chart:
    """One plot: a title and the keys of the metrics in it."""

    title: str
    keys: tuple[str, ...]


def charts_of(keys: Iterable[str]) -> list[Chart]:
    """A plot for each metric, and one for `train_loss` and `val_loss` together: the same metric on several splits.

    In the order of their titles.
    """
    together: dict[str, list[str]] = {}
    for key in sorted(keys):
        found = _SPLIT.fullmatch(key)
        together.setdefault(found["metric"] if found else key, []).append(key)
    return [
        Chart(title if len(members) > 1 else members[0], tuple(members)) for title, members in sorted(together.items())
    ]


def asked_keys(keys: Sequence[str]) -> list[str]:
    """The metrics that an address names, each once. Raises InvalidParameter for none and for too many of them."""
    if not 1 <= len(keys) <= MOST_KEYS:
        raise InvalidParameter(_("Name 1 to %(most)d metrics: ?key=loss.") % {"most": MOST_KEYS}, field="key")
    return [key for key in dict.fromkeys(keys) if "\x00" not in key]  # no database can be asked for NUL


def curve(key: str, name: str, points: Iterable[Point], **more: int) -> dict[str, Any]:
    """A curve as JSON has it: steps, values and milliseconds of the metric `key`."""
    return {"key": key, "name": name, **more, "points": [[one.step, one.value, one.timestamp] for one in points]}
