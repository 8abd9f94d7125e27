"""`python -m benchmarks.artifacts`: one large file up and down through both servers in turns, a long folder, and a
manifest."""

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks import servers
from benchmarks.databases import Sqlite
from benchmarks.servers import ROOT, Server, cpu_between

MEGABYTE = 1024 * 1024
FILES = 10_000
PAGES = 20  # how often a long folder is asked for
_API = "/api/2.0/mlflow"
_PROXY = "/api/2.0/mlflow-artifacts/artifacts"
_SAMPLE = 0.1  # seconds between two looks at the memory
_SESSION = """
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from registry_site.accounts.models import User
maria, session = User.objects.get(username='maria'), SessionStore()
session.update({SESSION_KEY: str(maria.pk), BACKEND_SESSION_KEY: 'django.contrib.auth.backends.ModelBackend',
    HASH_SESSION_KEY: maria.get_session_auth_hash()})
session.create()
print(session.session_key)
"""


@dataclass(slots=True)
class Transfers:
    """What one server did in one direction, turn by turn: the rate in MB/s, and the seconds of CPU per GB."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Looks:
    """How many milliseconds each look at a long folder took, and how many of CPU they took on average."""

    taken: list[float]
    cpu: float


@dataclass(slots=True)
class Measured:
    """One server: up, down, the most memory it had in bytes, and looks at a long folder."""

    up: Transfers = field(default_factory=Transfers)
    down: Transfers = field(default_factory=Transfers)
    memory: int = 0
    manifests: list[float] = field(default_factory=list)
    """Seconds until the manifest of a version of one large file was there."""
    listings: dict[str, "Looks"] = field(default_factory=dict)


def main() -> None:
    arguments = _arguments()
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="podium-benchmarks-", dir=arguments.folder))
        )
        large = _random_file(folder / "large.bin", arguments.megabytes)
        ours = Sqlite(folder, "benchmark_podium")
        servers.prepare_podium(ours, folder)
        running = [stack.enter_context(servers.podium(ours, folder))]
        if not arguments.podium_only:
            servers.make_environment()
            theirs = Sqlite(folder, "benchmark_mlflow")
            servers.prepare_mlflow(theirs)
            running.append(stack.enter_context(servers.mlflow(theirs, folder)))
        found = {server.name: Measured() for server in running}
        # To look at the memory costs both servers time, so that it is done in turns of its own: the first and the last.
        for turn in range(arguments.rounds + 2):
            for server in running:
                if turn in (0, arguments.rounds + 1):
                    _watch_memory(server, found[server.name], large)
                else:
                    _transfer(server, found[server.name], large)
        for server in running:
            _list_a_long_folder(server, found[server.name], folder)
        for _ in range(arguments.rounds):
            found["podium"].manifests.append(_make_manifest(running[0], large))
    _print_transfers(found, arguments.megabytes)
    _print_listings(found)
    times = ", ".join(f"{seconds:.1f}" for seconds in found["podium"].manifests)
    _print(f"\nManifest of a version of {arguments.megabytes} MB, from its registration on: {times} s")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.artifacts", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1024, help="the size of the file (default: 1024)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each server (default: 3)")
    parser.add_argument("--folder", help="where files lie meanwhile; three times the size is needed (default: /tmp)")
    parser.add_argument("--podium-only", action="store_true", help="leave mlflow server out")
    return parser.parse_args()


def _random_file(path: Path, megabytes: int) -> Path:
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(MEGABYTE))
    return path


# -- one large file ----------------------------------------------------------------------------------------------------
def _transfer(server: Server, found: Measured, large: Path) -> None:
    place = f"{_PROXY}/{_new_run(server)}/large.bin"
    size = large.stat().st_size
    for into, transfer in ((found.up, _put), (found.down, _get)):
        os.sync()  # what the one before left to the disk to do shall not be this one's to wait for
        before, started = server.cpu(), time.perf_counter()
        transfer(server, place, large)
        into.rates.append(size / MEGABYTE / (time.perf_counter() - started))
        into.cpu.append(cpu_between(before, server.cpu()) * 1024 * MEGABYTE / size)
    _call(server, "DELETE", place)


def _watch_memory(server: Server, found: Measured, large: Path) -> None:
    place = f"{_PROXY}/{_new_run(server)}/large.bin"
    with _memory_watched(server) as seen:
        _put(server, place, large)
        _get(server, place, large)
    found.memory = max(found.memory, *seen)
    _call(server, "DELETE", place)


def _put(server: Server, place: str, large: Path) -> None:
    """As MLflow's client does it: the body of the request is an open file."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600, blocksize=MEGABYTE)
    with large.open("rb", buffering=0) as file:
        headers = server.headers | {"Content-Length": str(large.stat().st_size)}
        connection.request("PUT", place, file, headers)
        _expect(connection.getresponse(), 200)
    connection.close()


def _get(server: Server, place: str, large: Path) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    connection.request("GET", place, headers=server.headers)
    answer = connection.getresponse()
    buffer = bytearray(MEGABYTE)
    got = 0
    while count := answer.readinto(buffer):
        got += count
    if got != large.stat().st_size:
        raise RuntimeError(f"{server.name} sent {got} bytes")
    connection.close()


@contextmanager
def _memory_watched(server: Server) -> Iterator[list[int]]:
    """What the server's processes have in memory, again and again while the context is open."""
    seen, ended = [server.memory()], threading.Event()

    def look() -> None:
        while not ended.wait(_SAMPLE):
            seen.append(server.memory())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


# -- a long folder -----------------------------------------------------------------------------------------------------
def _list_a_long_folder(server: Server, found: Measured, folder: Path) -> None:
    root = _new_run(server)
    run_id = root.split("/")[1]
    _call(server, "PUT", f"{_PROXY}/{root}/many/00000.txt", b"")
    roots = {"podium": folder / "podium" / "artifacts", "mlflow": folder / "mlflow-artifacts"}
    for number in range(1, FILES):
        (roots[server.name] / root / "many" / f"{number:05}.txt").touch()
    api = f"{_API}/artifacts/list?run_id={run_id}&path=many"
    found.listings["all of them, by `artifacts/list`"] = _timed(server, lambda: _call(server, "GET", api))
    if server.name == "podium":
        page, cookie = f"/runs/{run_id}/artifacts/many", {"Cookie": f"sessionid={_session(server, folder)}"}
        found.listings["the first page of the browser"] = _timed(
            server, lambda: _call(server, "GET", page, headers=cookie)
        )


# -- a manifest --------------------------------------------------------------------------------------------------------
def _make_manifest(server: Server, large: Path) -> float:
    """Seconds from the registration of a version to its manifest, which the worker makes."""
    root = _new_run(server)
    run_id = root.split("/")[1]
    _put(server, f"{_PROXY}/{root}/model/large.bin", large)
    json_body = {"Content-Type": "application/json"}
    _call(server, "POST", f"{_API}/registered-models/create", json.dumps({"name": run_id}).encode(), json_body)
    body = json.dumps({"name": run_id, "source": f"runs:/{run_id}/model", "run_id": run_id}).encode()
    started = time.perf_counter()
    _call(server, "POST", f"{_API}/model-versions/create", body, json_body)
    while json.loads(_call(server, "GET", f"/api/v1/models/{run_id}/versions/1/manifest"))["state"] != "complete":
        time.sleep(0.05)
    taken = time.perf_counter() - started
    _call(server, "POST", f"{_API}/runs/delete", json.dumps({"run_id": run_id}).encode(), json_body)
    return taken


def _timed(server: Server, call: Callable[[], object]) -> Looks:
    call()
    taken, before = [], server.cpu()
    for _ in range(PAGES):
        started = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - started))
    return Looks(taken, 1000 * cpu_between(before, server.cpu()) / PAGES)


def _session(server: Server, folder: Path) -> str:
    """The key of a session in which Maria is signed in."""
    environment = servers.podium_environment(server.database, folder)
    command = [sys.executable, str(ROOT / "manage.py"), "shell", "-v", "0", "-c", _SESSION]
    return subprocess.run(
        command, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()


# -- calls -------------------------------------------------------------------------------------------------------------
def _new_run(server: Server) -> str:
    """The place of a new run's artifacts below the proxy."""
    body = json.dumps({"experiment_id": "0"}).encode()
    answer = _call(server, "POST", f"{_API}/runs/create", body, {"Content-Type": "application/json"})
    uri: str = json.loads(answer)["run"]["info"]["artifact_uri"]
    return uri.removeprefix("mlflow-artifacts:/")


def _call(
    server: Server, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    connection.request(method, path, body, server.headers | (headers or {}))
    content = _expect(connection.getresponse(), 200)
    connection.close()
    return content


def _expect(answer: http.client.HTTPResponse, status: int) -> bytes:
    content = answer.read()
    if answer.status != status:
        raise RuntimeError(f"answered with {answer.status}: {content[:300]!r}")
    return content


# -- what came of it ---------------------------------------------------------------------------------------------------
def _print_transfers(found: dict[str, Measured], megabytes: int) -> None:
    _print(f"\n{megabytes} MB through the web server\n")
    _print("| server | up, MB/s | down, MB/s | up, s CPU per GB | down, s CPU per GB | peak memory, MB |")
    _print("|---|--:|--:|--:|--:|--:|")
    for name, measured in found.items():
        up, down = measured.up, measured.down
        _print(
            f"| {name} | {median(up.rates):.0f} | {median(down.rates):.0f} | {median(up.cpu):.2f} "
            f"| {median(down.cpu):.2f} | {measured.memory / MEGABYTE:.0f} |"
        )
    if "mlflow" in found:
        ours, theirs = found["podium"], found["mlflow"]
        for way in ("up", "down"):
            pairs = zip(getattr(ours, way).rates, getattr(theirs, way).rates, strict=True)
            ratios = ", ".join(f"{one / other:.1f}×" for one, other in pairs)
            _print(f"\n{way}, beside mlflow in each turn: {ratios}")


def _print_listings(found: dict[str, Measured]) -> None:
    _print(
        f"\nA folder of {FILES:,} files\n\n| server | what | median, ms | best, ms | ms CPU |\n|---|---|--:|--:|--:|"
    )
    for name, measured in found.items():
        for what, looks in measured.listings.items():
            best = min(looks.taken)
            _print(f"| {name} | {what} | {median(looks.taken):.0f} | {best:.0f} | {looks.cpu:.0f} |")


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201  a command's output


if __name__ == "__main__":
    main()
