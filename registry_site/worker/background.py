"""The background process of `up`: a Celery worker with its schedule, in threads."""

import os
import warnings
from typing import Any

from celery.beat import EmbeddedService
from celery.exceptions import SecurityWarning
from celery.signals import worker_ready

from registry_site.worker.app import app

CONCURRENCY = 4  # threads, most of the time waiting: for a mail server, or for receivers of webhooks


def main(arguments: list[str]) -> int:
    """Runs until it is told to stop. Takes no arguments; returns the exit code."""
    os.environ["CELERY_SKIP_CHECKS"] = "1"  # the web process made them; here they would load every view
    warnings.simplefilter("ignore", SecurityWarning)  # root is warned of pickled tasks; ours are JSON without arguments
    worker = app.Worker(
        pool="threads",
        concurrency=CONCURRENCY,
        loglevel="WARNING",
        quiet=True,
        without_gossip=True,
        without_mingle=True,
    )

    @worker_ready.connect(weak=False)
    def start_schedule(**signal: Any) -> None:
        # A thread and not `worker -B`, whose separate process outlives a killed worker.
        service: Any = EmbeddedService(
            app, thread=True, scheduler_cls=app.conf.beat_scheduler
        )  # as configured: no file
        service.start()

    worker.start()
    return int(worker.exitcode or 0)
