"""What brings tasks to workers: nothing, or a Redis or a RabbitMQ of the test's own, to be stopped and started."""

import os
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.live import free_port

START_SECONDS = 120  # RabbitMQ takes its time, most of all on a busy machine
RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # the one on the PATH is for its own user alone


class Broker(ABC):
    """A server in a folder of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def address(self) -> str:
        """What Podium is given to find it."""

    @abstractmethod
    def _command(self) -> tuple[Sequence[str], Mapping[str, str]]:
        """What starts it, and with which variables."""

    def start(self) -> None:
        command, variables = self._command()
        with (self.folder / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**os.environ, **variables},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            assert time.monotonic() < deadline, (self.folder / "broker.log").read_text()
            assert self._process.poll() is None, (self.folder / "broker.log").read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        """At once, as if somebody had pulled the plug."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """From now on it takes connections and says nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _signal(self, number: int) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, number)


class Redis(Broker):
    """With nothing on a disk: what is stopped has forgotten everything."""

    @property
    def address(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def _command(self) -> tuple[Sequence[str], Mapping[str, str]]:
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""], {}


class RabbitMQ(Broker):
    """A node of its own, beside any that runs already."""

    @property
    def address(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def _command(self) -> tuple[Sequence[str], Mapping[str, str]]:
        return [str(RABBITMQ)], {
            "HOME": str(self.folder),  # for the cookie
            "RABBITMQ_NODENAME": f"podium{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "no.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "no.env"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
        }

    def answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            try:
                probe.connect(("127.0.0.1", self.port))
                probe.sendall(b"AMQP\x00\x00\x09\x01")
                return bool(probe.recv(1))
            except OSError:
                return False


@contextmanager
def broker_of(kind: str, folder: Path) -> Iterator[Broker | None]:
    """A broker of this kind that runs, None for "embedded"; the test is skipped where none is installed."""
    if kind == "embedded":
        yield None
        return
    if kind == "redis" and shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    if kind == "rabbitmq" and not RABBITMQ.exists():
        pytest.skip("RabbitMQ is not installed")
    own = folder / kind
    own.mkdir()
    broker = Redis(own) if kind == "redis" else RabbitMQ(own)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()
