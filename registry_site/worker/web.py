"""A web process of `up`: gunicorn's threaded worker on the socket that the supervisor holds."""

import gc
import os
import socket
import sys
from importlib import import_module
from typing import Any

from django.conf import settings
from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker

THREADS = 8
DRAIN = 28  # seconds; shorter than the supervisor's patience


class Site(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """Podium, as gunicorn configures and calls it."""

    def load_config(self) -> None:
        for name, value in {
            "threads": THREADS,
            "graceful_timeout": DRAIN,
            "keepalive": 60,  # an idle connection costs no thread; clients keep theirs between calls
            "limit_request_line": 8190,  # the longest that it admits: filters travel in URLs
            "loglevel": "warning",
            "logger_class": "registry_site.worker.web_log.WebLog",
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return import_module("registry_site.wsgi").application  # not before static files are there to be found


def serve(listener: socket.socket) -> None:
    """Answer requests until SIGTERM, then those in flight."""
    site = Site()
    worker = ThreadWorker(1, os.getppid(), [listener], site, 0, site.cfg, site.cfg.logger_class(site.cfg))
    worker.pid = os.getpid()
    worker.init_process()


def settle() -> None:
    """Keep what is loaded out of the garbage collector's sight: it stays, and looking through it again and again would
    cost a third of a wide search."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def main(arguments: list[str]) -> int:
    """Serves until it is told to stop. Takes the descriptor of the listening socket; returns the exit code.

    The end of its input is the sign that the instance is prepared.
    """
    import_module(settings.ROOT_URLCONF)
    sys.stdin.read()
    settle()
    serve(socket.socket(fileno=int(arguments[0])))
    return 0
