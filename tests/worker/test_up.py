"""`manage.py up`, as a person or a script starts it: real processes, real signals."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from urllib.request import urlopen

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from registry_site.worker.prepare import migrate
from registry_site.worker.terminal import Refusal
from tests.live import ROOT, Podium, command_line, free_port, start_podium

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("up")]
ENOUGH = 60.0  # seconds; only a machine that is busy otherwise needs so many


def eventually(condition: Callable[[], object], what: str) -> None:
    """Return when the condition holds."""
    deadline = time.monotonic() + ENOUGH
    while not condition():
        assert time.monotonic() < deadline, f"not within {ENOUGH} s: {what}"
        time.sleep(0.05)


def answers(podium: Podium) -> bool:
    try:
        with urlopen(f"{podium.url}/health", timeout=ENOUGH) as answer:
            return answer.status == 200
    except OSError:
        return False


def child(podium: Podium, role: str) -> int | None:
    """The process id of the web server or of the background process."""
    for pid in podium.processes()[1:]:
        words = command_line(pid).split()
        if "registry_site.worker.child" in words and role in words:
            return pid
    return None


def is_gone(pid: int) -> bool:
    return not command_line(pid)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def refused(*arguments: str, **environment: str) -> str:
    """What `up` says, in one line, when it does not start."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PODIUM_", "DJANGO_"))}
    answer = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "up", *arguments],
        env=variables | environment,
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=ENOUGH,
    )
    assert answer.returncode != 0
    said = answer.stderr.strip()
    assert "\n" not in said
    return said


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podium]:
    with start_podium(tmp_path_factory.mktemp("up") / "data") as podium:
        eventually(lambda: "is ready" in podium.output(), "the line that it is ready")
        yield podium


def test_the_first_start_prints_the_link_and_what_a_client_needs(running: Podium) -> None:
    lines = running.output().splitlines()
    assert f"Podium 0.1.0 is ready: {running.url}" in lines
    assert f"export MLFLOW_TRACKING_URI={running.url}" in lines
    [token] = [line for line in lines if line.startswith("export MLFLOW_TRACKING_TOKEN=podium_")]
    [link] = [line for line in lines if line.startswith(f"{running.url}/welcome/")]
    assert len(token.rpartition("=")[2]) > 40
    assert len(link.rpartition("/")[2]) > 40


def test_data_directory_and_secrets_are_readable_by_their_owner_only(running: Podium) -> None:
    assert running.data_dir.stat().st_mode & 0o777 == 0o700
    for name in ("secret_key", "podium.sqlite3", "up.lock"):
        found = running.data_dir / name
        assert not found.exists() or found.stat().st_mode & 0o777 == 0o600, name


def test_a_killed_web_server_is_started_again(running: Podium) -> None:
    web = child(running, "web")
    assert web is not None
    os.kill(web, signal.SIGKILL)
    eventually(lambda: child(running, "web") not in (None, web), "another web process")
    assert answers(running)  # the connection waited for the new process
    assert "The web server ended (killed by SIGKILL); it is started again in 0.1 s." in running.output()


def test_a_killed_worker_is_started_again(running: Podium) -> None:
    eventually(lambda: child(running, "background"), "a worker")
    worker = child(running, "background")
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    eventually(lambda: child(running, "background") not in (None, worker), "another worker")


_ASK = """
from registry_site.accounts.actors import person, system
from registry_site.accounts.services import create_user
from registry_site.audit.kinds import Origin
from registry_site.promotion.services import request_transition
from registry_site.registry.services import create_model, create_version
from registry_site.registry.stages import Stage
from registry_site.tracking.services import create_run
create_user(system(), username="ada", email="ada@example.org", is_admin=True)
maria = person(create_user(system(), username="maria", email="maria@example.org"), Origin.REST)
run = create_run(maria, experiment_id=0)
create_model(maria, name="churn")
create_version(maria, name="churn", source=f"runs:/{run.run_id}/model", run_id=run.run_id)
request_transition(maria, name="churn", version=1, to_stage=Stage.PRODUCTION)
"""


def test_the_worker_finds_a_request_and_mails_it(running: Podium) -> None:
    eventually(lambda: child(running, "background"), "a worker")
    running.python(_ASK)
    folder = running.data_dir / "mail"
    eventually(lambda: list(folder.glob("[0-9]*.eml")), "a mail")
    [mail] = folder.glob("[0-9]*.eml")
    assert "To: ada@example.org" in mail.read_text()
    assert f"{running.url}/models/churn/requests/1" in mail.read_text().replace("=\n", "")


def test_a_lost_broker_costs_a_change_nothing(running: Podium) -> None:
    """The nudge after the commit finds nobody; the sweep does its work."""
    lost = {"CELERY_BROKER_URL": f"amqp://guest@127.0.0.1:{free_port()}//"}
    output = replace(running, environment=running.environment | lost).manage("create_user", "bob", "--token")
    assert output.startswith("podium_")


def test_a_second_up_on_the_same_data_is_refused(running: Podium) -> None:
    said = refused("--data-dir", str(running.data_dir), "--port", str(free_port()))
    assert said == (
        f"Another Podium (process {running.process.pid}) runs on the data directory {running.data_dir}: "
        "stop it, or choose another directory with --data-dir."
    )


def test_a_port_that_is_taken_is_named(running: Podium, tmp_path: Path) -> None:
    port = running.url.rpartition(":")[2]
    said = refused("--data-dir", str(tmp_path / "other"), "--port", port)
    assert said == f"Port {port} of 127.0.0.1 is taken: stop what listens there, or choose another with --port."


def test_a_store_of_an_unknown_kind_is_named(tmp_path: Path) -> None:
    said = refused("--data-dir", str(tmp_path / "other"), PODIUM_ARTIFACT_STORES="gs://models/x, ftp://host/x")
    assert said.startswith("Artifacts lie in a folder or under s3://bucket/prefix, gs://bucket/prefix, wasbs://")
    assert said.endswith("and not under 'ftp://host/x'.")


def test_answers_leave_at_once(running: Podium) -> None:
    """Without TCP_NODELAY a small answer in two parts waits 40 ms for its acknowledgement."""
    times = []
    client = HTTPConnection("127.0.0.1", int(running.url.rpartition(":")[2]), timeout=ENOUGH)
    with closing(client):
        for _ in range(40):
            start = time.monotonic()
            client.request("GET", "/health")
            assert client.getresponse().read() == b"OK"
            times.append(time.monotonic() - start)
    assert sorted(times)[10] < 0.03


_MAKE_RUN = """
from registry_site.accounts.actors import system
from registry_site.tracking.services import create_run
print(create_run(system(), experiment_id=0).run_id)
"""


def test_sigterm_finishes_what_is_in_flight_and_a_later_start_prints_the_address_only(running: Podium) -> None:
    run_id = running.python(_MAKE_RUN).strip()
    token = running.token("admin")
    everything = running.processes()
    with socket.create_connection(("127.0.0.1", int(running.url.rpartition(":")[2])), timeout=ENOUGH) as upload:
        head = (
            f"PUT /api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/model.bin HTTP/1.1\r\n"
            f"Host: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nContent-Length: 200000\r\n\r\n"
        )
        upload.sendall(head.encode() + b"a" * 100_000)
        incoming = running.data_dir / "artifacts" / ".incoming"
        eventually(lambda: incoming.is_dir() and any(incoming.iterdir()), "the upload to begin")
        running.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        upload.sendall(b"b" * 100_000)
        assert upload.recv(65536).startswith(b"HTTP/1.1 200")
    assert running.process.wait(ENOUGH) == 0
    assert all(is_gone(pid) for pid in everything)
    assert (running.data_dir / "artifacts" / "0" / run_id / "artifacts" / "model.bin").stat().st_size == 200_000

    same_database = {key: value for key, value in running.environment.items() if key == "DATABASE_URL"}
    with start_podium(running.data_dir, **same_database) as again:
        eventually(lambda: "is ready" in again.output(), "the line that it is ready")
        output = again.output()
        assert f"Podium 0.1.0 is ready: {again.url}" in output
        assert "/welcome/" not in output
        assert "export" not in output


def test_nothing_outlives_a_killed_supervisor_and_the_port_is_free(tmp_path: Path) -> None:
    with start_podium(tmp_path / "data", "--open", "--workers", "2") as podium:
        eventually(lambda: "is ready" in podium.output(), "the line that it is ready")
        assert "It is open: everybody on this machine works as its owner, without signing in." in podium.output()
        eventually(lambda: len(podium.processes()) == 4, "two web processes and a worker")
        everything = podium.processes()
        podium.process.kill()
        podium.process.wait()
        eventually(lambda: all(is_gone(pid) for pid in everything), "the end of all processes")
        eventually(lambda: is_free(int(podium.url.rpartition(":")[2])), "the port to be free")


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    said = refused("--data-dir", str(in_the_way / "data"), "--port", str(free_port()))
    assert said == (
        f"The data directory {in_the_way / 'data'} cannot be written (Not a directory): choose another with --data-dir."
    )


@pytest.mark.parametrize(("host", "shown"), [("0.0.0.0", "0.0.0.0"), ("", "all addresses"), ("192.0.2.7", "192.0.2.7")])
def test_open_mode_is_refused_where_others_reach_it(tmp_path: Path, host: str, shown: str) -> None:
    said = refused("--open", "--host", host, "--data-dir", str(tmp_path / "data"))
    assert said.startswith(f"--open is refused on {shown}, as everybody who reaches Podium would work as its owner")
    assert not (tmp_path / "data").exists()


def test_open_mode_by_the_environment_is_refused_alike(tmp_path: Path) -> None:
    said = refused("--host", "0.0.0.0", "--data-dir", str(tmp_path / "data"), PODIUM_OPEN="true")
    assert said.startswith("--open is refused on 0.0.0.0")


def test_open_mode_wants_exact_host_names(tmp_path: Path) -> None:
    said = refused("--open", "--data-dir", str(tmp_path / "data"), PODIUM_ALLOWED_HOSTS="localhost,.example.org")
    assert said.startswith("--open is refused with '.example.org' in PODIUM_ALLOWED_HOSTS")


@pytest.mark.django_db
def test_a_newer_database_is_refused() -> None:
    MigrationRecorder(connection).record_applied("registry", "0999_from_the_future")
    with pytest.raises(Refusal) as refusal:
        migrate()
    assert str(refusal.value) == (
        "The database was made by a newer Podium than 0.1.0 (it knows registry.0999_from_the_future): "
        "start that version, or a copy of the data from before its first start."
    )


def test_a_database_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    said = refused(
        "--data-dir", str(tmp_path), "--port", str(free_port()), DATABASE_URL=f"sqlite:///{tmp_path}/missing/db"
    )
    assert said == (
        f"The database {tmp_path}/missing/db cannot be opened (unable to open database file): "
        "DATABASE_URL says where it is."
    )
