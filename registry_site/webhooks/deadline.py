"""An end to requests whose answer comes in drips, which pass the time limits of `requests`: those are for each step."""

import socket
import threading
import time
from contextlib import suppress

import requests
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_thread = threading.local()


class Deadline:
    """While it is entered, it shuts the connection that this thread opens when the time is over.

    To the request this looks as if the other side had ended it: it fails, or seems to be complete. Ask `is_over`.
    """

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._started = time.monotonic()
        self._connected: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)

    @property
    def passed_ms(self) -> int:
        return round((time.monotonic() - self._started) * 1000)

    def watch(self, connected: socket.socket) -> None:
        """This is the connection to shut."""
        self._connected = connected
        if self.is_over:
            self._end()

    def __enter__(self) -> None:
        _thread.deadline = self
        self._timer.start()

    def __exit__(self, *error: object) -> None:
        self._timer.cancel()

    def _end(self) -> None:
        self.is_over = True
        if self._connected is not None:
            with suppress(OSError):  # it has ended by itself
                # An SSLSocket's own `shutdown` would turn off the encryption under a read that is going on.
                socket.socket.shutdown(self._connected, socket.SHUT_RDWR)


def let_deadlines_end(session: requests.Session) -> None:
    """Show the session's connections to the deadline of the thread that opens them."""
    for adapter in session.adapters.values():
        pools = adapter.poolmanager  # type: ignore[attr-defined]  # an HTTPAdapter, as all are
        pools.pool_classes_by_scheme = {"http": _Pool, "https": _EncryptedPool}


class _Connection(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _thread.deadline.watch(self.sock)


class _EncryptedConnection(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _thread.deadline.watch(self.sock)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _EncryptedPool(HTTPSConnectionPool):
    ConnectionCls = _EncryptedConnection
