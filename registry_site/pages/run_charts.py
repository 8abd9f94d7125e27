"""Which metrics of a run are drawn, and which of them together. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_SPLIT = re.compile(
    r"(?:train|training|val|valid|validation|test|eval|dev|holdout)[_/.\- ](?P<metric>.+)", re.IGNORECASE
)


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
