"""Signs of life: a worker writes one down every few seconds, however it was started and whatever brings its tasks."""

import logging
import os
import socket
from threading import Event, Thread
from typing import Any

from celery.signals import worker_ready, worker_shutdown
from django.db import connection

from registry_site.core import clock
from registry_site.jobs.services import say_alive, say_goodbye

log = logging.getLogger(__name__)

EVERY = 10.0  # seconds
NAME = f"{socket.gethostname()}:{os.getpid()}"
_over = Event()


@worker_ready.connect
def begin(**signal: Any) -> None:
    Thread(target=_beat, name="heartbeat", daemon=True).start()


@worker_shutdown.connect
def end(**signal: Any) -> None:
    _over.set()
    try:
        say_goodbye(NAME)
    except Exception as error:  # a database that is gone must not keep a worker from ending
        log.warning("The worker could not say that it ends: %s", error)


def _beat() -> None:
    started_at = clock.now()
    while True:
        try:
            say_alive(NAME, started_at)
        except Exception as error:  # the database is away for a while; the next sign is due soon
            log.warning("The worker could not say that it lives: %s", error)
            connection.close()
        if _over.wait(EVERY):
            return
