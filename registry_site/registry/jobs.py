"""Work that is a row: it is done by whoever claims the row, and survives the death of whoever did."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, TypeVar

from django.db import models
from django.db.models import F

from registry_site.core import clock

Row = TypeVar("Row", bound=models.Model)

LEASE = timedelta(minutes=2)  # a worker that dies lets its claim lapse after this; one that lives renews it
RENEWAL = 20.0  # seconds
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)


class ClaimLost(Exception):
    """The row is gone, or somebody else works on it now."""


class Claim:
    """The right to work on a row, which has `due_at`, `attempts` and `error`, until it is done or the lease is over."""

    def __init__(self, row: models.Model, until: Any) -> None:
        self._rows = type(row)._default_manager.filter(pk=row.pk)
        self._attempts = row.attempts  # type: ignore[attr-defined]  # rows of work have it
        self._until = until
        self._renewed = time.monotonic()

    def renew(self) -> None:
        """To be called now and then during long work. Raises ClaimLost."""
        if time.monotonic() - self._renewed > RENEWAL:
            self._renewed = time.monotonic()
            until = clock.now() + LEASE
            self._write(due_at=until)
            self._until = until

    def finish(self, **values: Any) -> None:
        """Write what came of it; there is nothing more to do. Raises ClaimLost, and then nothing is written."""
        self._write(**{"due_at": None, "attempts": 0, "error": ""} | values)

    def put_off(self, error: str) -> None:
        """Try again later, and later each time. Raises ClaimLost."""
        pause = min(FIRST_PAUSE * 2 ** min(self._attempts - 1, 20), LONGEST_PAUSE)
        self._write(due_at=clock.now() + pause, error=error)

    def _write(self, **values: Any) -> None:
        if not self._rows.filter(due_at=self._until).update(**values):
            raise ClaimLost


def claimed(kind: type[Row], most: int) -> Iterator[tuple[Row, Claim]]:
    """Due rows, one after the other, each claimed by a conditional update: two workers never hold the same one."""
    due = kind._default_manager.filter(due_at__lte=clock.now()).order_by("due_at", "pk")
    for key in list(due.values_list("pk", flat=True)[:most]):
        now = clock.now()
        mine = kind._default_manager.filter(pk=key, due_at__lte=now)
        if mine.update(due_at=now + LEASE, attempts=F("attempts") + 1):
            row = kind._default_manager.get(pk=key)
            yield row, Claim(row, now + LEASE)
