"""`manage.py up`: holds the port, starts web server and worker, starts them again when they end, and ends them.

This process stays small: it imports no Django. It listens, so that connections wait while a web process is started
again, and the web processes accept.
"""

import errno
import fcntl
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from registry_site import __version__
from registry_site.worker import backoff
from registry_site.worker.options import Options, environment, parse, reachable_host
from registry_site.worker.terminal import EXIT_CODE, Refusal, say

DRAIN = 30.0  # seconds that requests in flight and running tasks have to finish
BACKLOG = 1024

Process = subprocess.Popen[bytes]


@dataclass(slots=True)
class Child:
    """A process that runs until it is told to stop, and is started again when it ends before."""

    name: str
    start: Callable[[], Process]
    process: Process | None = None
    started_at: float = 0.0
    delay: float = 0.0
    due_at: float = 0.0

    def run(self) -> None:
        self.process = self.start()
        self.started_at = time.monotonic()

    def look_after(self) -> None:
        """Start it when it is due; notice that it ended, and say when it is due again."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.due_at:
                self.run()
        elif (code := self.process.poll()) is not None:
            self.process = None
            self.delay = backoff.delay_after(self.delay, now - self.started_at)
            self.due_at = now + self.delay
            say(f"The {self.name} ended ({_how(code)}); it is started again in {self.delay:g} s.", is_trouble=True)


def _how(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


class Signals:
    """Signals as something to wait for."""

    def __init__(self) -> None:
        self.stops = 0
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)

    def _stop(self, number: int, frame: object) -> None:
        self.stops += 1

    def wait(self, timeout: float, *also: int) -> None:
        """Return on a signal, when one of the descriptors can be read, or after so many seconds."""
        ready, _, _ = select.select([self._reader, *also], [], [], max(timeout, 0))
        if self._reader in ready:
            os.read(self._reader, 4096)


class Supervisor:
    """One run of `up`, from the first child's start to the last one's end."""

    def __init__(self, options: Options, listener: socket.socket) -> None:
        self.options = options
        self.listener = listener
        self.port: int = listener.getsockname()[1]
        self.environment = environment(options, self.port)
        self.signals = Signals()
        self._processes: list[Process] = []

    def run(self) -> int:
        """Runs until it is told to stop. Returns the exit code; raises Refusal when it cannot start."""
        try:
            self._supervise(*self._start())
            return 0
        finally:
            self._stop()

    def _start(self) -> tuple[Process, str]:
        """Prepares the instance. Returns the first web process, and what is to be printed when it answers.

        That process loads its code meanwhile and waits for the end of its input: on two cores this takes a third off a
        first start.
        """
        web = self._web(stdin=subprocess.PIPE)
        preparing = self._spawn("prepare", stdout=subprocess.PIPE)
        assert web.stdin
        assert preparing.stdout
        announcement = b""
        while not self.signals.stops:
            self.signals.wait(backoff.LONGEST, preparing.stdout.fileno())
            if select.select([preparing.stdout], [], [], 0)[0]:
                part = os.read(preparing.stdout.fileno(), 65536)
                if not part:
                    break
                announcement += part
        if not self.signals.stops and preparing.wait():
            raise Refusal("")  # it has said why
        web.stdin.close()
        return web, announcement.decode()

    def _supervise(self, web: Process, announcement: str) -> None:
        """Waits for the first answer, starts the others, and from then on again whatever ends."""
        children = [Child("web server", self._web, web, time.monotonic())]
        children += [Child(f"web server {number}", self._web) for number in range(2, self.options.workers + 1)]
        children += [Child("worker", lambda: self._spawn("background"))]
        while not self.signals.stops and not self._answers():
            if web.poll() is not None:
                raise Refusal("")  # it has said why
            self.signals.wait(0.02)
        if not self.signals.stops:
            say(announcement)
        while not self.signals.stops:
            for child in children:
                child.look_after()
            due = [child.due_at - time.monotonic() for child in children if child.process is None]
            self.signals.wait(min(due, default=backoff.LONGEST))

    def _answers(self) -> bool:
        """Whether the site answers a request. Raises Refusal when it answers that it does not work."""
        host = self.environment["PODIUM_SITE_URL"].partition("://")[2].partition("/")[0]
        address = (reachable_host(self.options.host).strip("[]"), self.port)
        try:
            with socket.create_connection(address, timeout=5) as connection:
                connection.sendall(f"GET /health HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
                status = connection.recv(64).decode("latin-1").split()
        except OSError:
            return False
        if len(status) > 1 and status[1].startswith("5"):
            raise Refusal(f"The site started and does not work: GET /health was answered with {status[1]}.")
        return len(status) > 1

    def _web(self, stdin: int = subprocess.DEVNULL) -> Process:
        listener = self.listener.fileno()
        return self._spawn("web", str(listener), stdin=stdin, pass_fds=[listener])

    def _spawn(
        self,
        role: str,
        *arguments: str,
        stdin: int = subprocess.DEVNULL,
        stdout: int | None = None,
        pass_fds: Sequence[int] = (),
    ) -> Process:
        process = subprocess.Popen(
            [sys.executable, "-m", "registry_site.worker.child", str(os.getpid()), role, *arguments],
            env=self.environment,
            stdin=stdin,
            stdout=stdout,
            pass_fds=pass_fds,
            process_group=0,  # Ctrl-C reaches this process alone, which then stops the others in good order
        )
        self._processes = [*filter(_is_running, self._processes), process]
        return process

    def _stop(self) -> None:
        """Let all finish what they do; kill what is left after the time for it, or when a further signal comes."""
        running = [*filter(_is_running, self._processes)]
        for process in running:
            process.terminate()
        stops = self.signals.stops
        deadline = time.monotonic() + DRAIN
        while any(map(_is_running, running)):
            if time.monotonic() > deadline or self.signals.stops > max(stops, 1):
                for process in running:
                    process.kill()
            self.signals.wait(0.1)


def _is_running(process: Process) -> bool:
    return process.poll() is None


def _take_data_dir(path: Path) -> IO[Any]:
    """Make the data directory, readable by its owner only, and lock it for as long as the file returned is open."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            lock = (path / "up.lock").open("a+")
    except OSError as failure:
        raise Refusal(
            f"The data directory {path} cannot be written ({failure.strerror}): choose another with --data-dir."
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        raise Refusal(
            f"Another Podium (process {lock.read().strip() or 'unknown'}) runs on the data directory {path}: "
            "stop it, or choose another directory with --data-dir."
        ) from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def _listen(host: str, port: int) -> socket.socket:
    """The socket that the web processes accept from."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # handed on to every connection
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as failure:
        if failure.errno == errno.EADDRINUSE:
            raise Refusal(
                f"Port {port} of {host} is taken: stop what listens there, or choose another with --port."
            ) from None
        raise Refusal(f"Podium cannot listen on {host} port {port}: {failure.strerror}.") from None
    return listener


def main(arguments: list[str]) -> int:
    """Runs `up` with these arguments and returns its exit code."""
    os.umask(0o077)  # what is made in the data directory is its owner's
    try:
        options = parse(arguments)
        with _take_data_dir(options.data_dir), _listen(options.host, options.port) as listener:
            say(f"Podium {__version__} is starting. Its data is in {options.data_dir}.")
            return Supervisor(options, listener).run()
    except Refusal as refusal:
        if str(refusal):
            say(str(refusal), is_trouble=True)
        return EXIT_CODE
