"""A running Podium: the real command, the real processes, a data directory and a database of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import urlopen

import psycopg

from registry_site.accounts.levels import Level

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 180  # far more than a start takes; only a machine that is busy otherwise needs it

_PREPARE = "import django; django.setup(); "
_CREATE_USER = """
import json, sys
from registry_site.accounts.actors import system
from registry_site.accounts.scopes import Scope
from registry_site.accounts.services import create_token, create_user
from registry_site.audit.kinds import Origin
from registry_site.registry.models import Grant
wanted = json.loads(sys.argv[1])
level = wanted.pop("level")
user = create_user(system(Origin.COMMAND), **wanted)
if level is not None:
    Grant.objects.create(user=user, level=level)
scope = Scope.ADMIN if user.is_superuser else Scope.WRITE
print(create_token(system(Origin.COMMAND), username=user.username, scope=scope))
"""


@dataclass(slots=True)
class Podium:
    """A server that answers at `url`; its files lie in `data_dir`. `people` are those that a test has made."""

    url: str
    data_dir: Path
    process: "subprocess.Popen[bytes]"
    environment: dict[str, str]
    people: set[str] = field(default_factory=set)
    _tokens: dict[str, str] = field(default_factory=dict)

    def manage(self, *arguments: str) -> str:
        """Run a command of `manage.py` against this server's database; what it printed."""
        return self._run([str(ROOT / "manage.py"), *arguments])

    def python(self, code: str, *arguments: str) -> str:
        """Run Python code, with Django set up, against this server's database; what it printed."""
        return self._run(["-c", _PREPARE + code, *arguments])

    def create_user(
        self,
        username: str,
        *,
        password: str | None = None,
        email: str = "",
        display_name: str = "",
        is_admin: bool = False,
        level: Level | None = None,
    ) -> None:
        """A new person; with a level on all models, if one is given."""
        wanted = {
            "username": username,
            "password": password,
            "email": email or f"{username}@example.org",
            "display_name": display_name,
            "is_admin": is_admin,
            "level": level,
        }
        self._tokens[username] = self.python(_CREATE_USER, json.dumps(wanted)).strip()
        self.people.add(username)

    def token(self, username: str) -> str:
        """A token of that person, who exists, for all that they may do; who was not made here is an administrator."""
        if username not in self._tokens:
            self._tokens[username] = self.manage("create_token", username, "--scope", "admin").strip()
        return self._tokens[username]

    def client_environment(self, username: str) -> dict[str, str]:
        """The variables by which an MLflow client finds this server and is known to it."""
        return {"MLFLOW_TRACKING_URI": self.url, "MLFLOW_TRACKING_TOKEN": self.token(username)}

    def processes(self) -> list[int]:
        """The process ids of everything that belongs to it: the supervisor first, then its descendants."""
        found = [self.process.pid]
        for parent in found:
            found += _children(parent)
        return found

    def output(self) -> str:
        """What its processes printed so far."""
        return (self.data_dir.parent / f"{self.data_dir.name}.log").read_text("utf-8", "replace")

    def _run(self, command: list[str]) -> str:
        answer = subprocess.run(
            [sys.executable, *command],
            env=self.environment,
            cwd=ROOT,
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if answer.returncode:
            raise RuntimeError(f"{command[:2]} ended with {answer.returncode}:\n{answer.stdout}\n{answer.stderr}")
        return answer.stdout


@contextmanager
def start_podium(data_dir: Path, *options: str, **environment: str) -> Iterator[Podium]:
    """Start `manage.py up` on a free port and wait until it answers; afterwards stop it, and see that nothing is left.

    `options` go to the command, `environment` into its environment. With `--db postgresql` it has a database of its own
    on the server of the test run.
    """
    port = free_port()
    variables = {
        name: value for name, value in os.environ.items() if not name.startswith(("PODIUM_", "DJANGO_", "DATABASE_"))
    }
    variables |= {
        "PODIUM_DATA_DIR": str(data_dir),
        "DJANGO_SETTINGS_MODULE": "registry_site.settings",
        "PYTHONUNBUFFERED": "1",
    }
    if server := os.environ.get("DATABASE_URL"):
        variables["DATABASE_URL"] = _new_database(server)
    variables |= environment
    command = [
        sys.executable,
        str(ROOT / "manage.py"),
        "up",
        "--port",
        str(port),
        "--data-dir",
        str(data_dir),
    ]
    with (data_dir.parent / f"{data_dir.name}.log").open("wb") as log:
        process = subprocess.Popen([*command, *options], env=variables, cwd=ROOT, stdout=log, stderr=log)
    podium = Podium(f"http://127.0.0.1:{port}", data_dir, process, variables)
    try:
        wait_until_answering(podium)
        yield podium
    finally:
        everything = podium.processes()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for left in [pid for pid in everything if Path(f"/proc/{pid}").exists()]:
            _kill(left)


def wait_until_answering(podium: Podium) -> None:
    """Return when the server answers. Raises RuntimeError, with what it printed, when it does not."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if podium.process.poll() is not None:
            raise RuntimeError(f"manage.py up ended with {podium.process.returncode}:\n{podium.output()}")
        try:
            with urlopen(f"{podium.url}/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise RuntimeError(f"manage.py up did not answer within {START_SECONDS} s:\n{podium.output()}")


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def command_line(pid: int) -> str:
    """The command line of a process; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _new_database(server: str) -> str:
    name = f"live_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


def _children(pid: int) -> list[int]:
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:
        return []


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
