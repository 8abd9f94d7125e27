"""Telling the worker of new work through the broker, at little cost to the request that made it."""

import time

from registry_site.audit import outbox
from registry_site.worker.app import app

PAUSE = 10.0  # seconds without a try after the broker did not answer


class Nudge:
    """A message that says no more than "look now". Raises what Celery raises when the broker does not answer, once;
    then it stays silent for a while, so that a lost broker slows one request in ten seconds and not every one."""

    def __init__(self) -> None:
        self._silent_until = 0.0

    def __call__(self) -> None:
        if time.monotonic() < self._silent_until:
            return
        self._silent_until = time.monotonic() + PAUSE
        app.send_task("podium.relay_outbox", retry=False, ignore_result=True, expires=60)
        self._silent_until = 0.0


def install() -> None:
    """From now on, a commit that leaves something in the outbox nudges the worker."""
    outbox.set_nudge(Nudge())
