"""The two servers, started as their manuals say, and what they have cost."""

import base64
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from benchmarks.databases import Database

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".cache" / "benchmarks"  # where `mlflow server` and its driver are installed
REQUIREMENTS = ("mlflow[auth]==3.17.2", "psycopg2-binary==2.9.11")
PASSWORD = "a goat ate my umbrella"
WORKERS = 2
START_SECONDS = 180  # `mlflow server` needs a minute on a busy machine
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Server:
    """A server that answers at `port`. `headers` are sent with every request."""

    name: str
    port: int
    process: "subprocess.Popen[bytes]"
    database: Database
    headers: dict[str, str] = field(default_factory=dict)

    def cpu(self) -> dict[int, float]:
        """The seconds of CPU that each process of it, and of its database, has used so far."""
        found = [*self.processes(), *self.database.processes()]
        return {pid: used for pid in found if (used := _cpu_of(pid)) is not None}

    def processes(self) -> list[int]:
        """The process ids of the server itself, without its database."""
        found = [self.process.pid]
        for parent in found:
            found += _children(parent)
        return found

    def memory(self) -> int:
        """The bytes that its processes have in memory now; what some of them share is counted once."""
        return sum(map(_memory_of, self.processes()))


def cpu_between(before: dict[int, float], after: dict[int, float]) -> float:
    """The seconds of CPU that were used meanwhile, but for processes that have ended."""
    return sum(used - before.get(pid, 0.0) for pid, used in after.items())


def make_environment() -> None:
    """Install `mlflow server` where there is none yet."""
    python = ENVIRONMENT / "bin" / "python"
    made = ENVIRONMENT / "requirements"
    if not made.exists() or made.read_text() != "\n".join(REQUIREMENTS):
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *REQUIREMENTS], check=True)
        made.write_text("\n".join(REQUIREMENTS))


def prepare_podium(database: Database, folder: Path) -> None:
    """Make Podium's tables, and the user who calls."""
    give_password = (
        "from registry_site.accounts.models import User; "
        f"maria = User.objects.get(username='maria'); maria.set_password({PASSWORD!r}); maria.save()"
    )
    for command in (
        ["migrate", "--verbosity", "0"],
        ["create_user", "maria"],
        ["shell", "-v", "0", "-c", give_password],
    ):
        _run([sys.executable, str(ROOT / "manage.py"), *command], podium_environment(database, folder))


def prepare_mlflow(database: Database) -> None:
    """Make MLflow's tables."""
    _run([str(ENVIRONMENT / "bin" / "mlflow"), "db", "upgrade", database.mlflow_url], dict(os.environ))


@contextmanager
def podium(database: Database, folder: Path, *, basic: bool = False) -> Iterator[Server]:
    """Podium with two web processes and its worker; requests come with the token of a user who is no administrator, or
    with their password."""
    environment = podium_environment(database, folder)
    token = _run([sys.executable, str(ROOT / "manage.py"), "create_token", "maria"], environment).strip()
    port = _free_port()
    command = [sys.executable, str(ROOT / "manage.py"), "up", "--port", str(port), "--workers", str(WORKERS)]
    with _running(command, environment, folder / "podium.log") as process:
        _wait(port, process)
        yield Server("podium", port, process, database, _basic("maria") if basic else _bearer(token))


@contextmanager
def mlflow(database: Database, folder: Path, *, basic: bool = False) -> Iterator[Server]:
    """`mlflow server` with two workers, without its job runner, which would cost it more; without authentication, or
    with its basic-auth app as it comes."""
    port = _free_port()
    people = folder / "basic_auth.ini"
    people.write_text(
        f"[mlflow]\ndefault_permission = READ\ndatabase_uri = sqlite:///{folder / 'basic_auth.db'}\n"
        f"admin_username = maria\nadmin_password = {PASSWORD}\n"
    )
    command = [
        *(str(ENVIRONMENT / "bin" / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", str(WORKERS), "--backend-store-uri", database.mlflow_url),
        *("--artifacts-destination", str(folder / "mlflow-artifacts")),
        *(("--app-name", "basic-auth") if basic else ()),
    ]
    environment = dict(os.environ) | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    environment |= {"MLFLOW_AUTH_CONFIG_PATH": str(people), "MLFLOW_FLASK_SERVER_SECRET_KEY": "of the benchmark"}
    with _running(command, environment, folder / "mlflow.log") as process:
        _wait(port, process)
        yield Server("mlflow", port, process, database, _basic("maria") if basic else {})


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _basic(username: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{username}:{PASSWORD}'.encode()).decode()}"}


def podium_environment(database: Database, folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PODIUM_", "DJANGO_"))}
    return kept | {
        "DATABASE_URL": database.podium_url,
        "PODIUM_DATA_DIR": str(folder / "podium"),
        "DJANGO_SETTINGS_MODULE": "registry_site.settings",
    }


@contextmanager
def _running(command: list[str], environment: dict[str, str], log: Path) -> "Iterator[subprocess.Popen[bytes]]":
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, cwd=log.parent, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _run(command: list[str], environment: dict[str, str]) -> str:
    return subprocess.run(command, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise RuntimeError(f"{process.args!r} does not answer")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _children(pid: int) -> list[int]:
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:
        return []


def _memory_of(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _cpu_of(pid: int) -> float | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / _TICK
