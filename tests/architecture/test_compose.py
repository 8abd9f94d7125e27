"""The container files, as far as they can be tried without containers: their shape, and each command by running it."""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import pytest
import yaml
from moto.server import ThreadedMotoServer

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {"prepare", "web", "worker", "clock"}
KEYS = {
    "build", "command", "depends_on", "environment", "healthcheck", "image", "ports", "restart", "stop_grace_period",
    "volumes",
}  # fmt: skip
VARIABLE = re.compile(r"\$\{([A-Z_]+)(:[?-][^}]*)?\}")
OF_WHAT_MAY_BE_LEFT_OUT = ("EMAIL_HOST_PASSWORD", "PODIUM_OIDC_CLIENT_SECRET")


def test_there_is_a_service_for_each_part() -> None:
    assert set(SERVICES) == OURS | {"database", "broker", "store"}
    assert [name for name, service in SERVICES.items() if set(service) - KEYS] == []
    assert all("image" in service or "build" in service for service in SERVICES.values())


def test_what_others_wait_for_says_when_it_is_healthy() -> None:
    for name, service in SERVICES.items():
        for target, wait in service.get("depends_on", {}).items():
            if wait["condition"] == "service_healthy":
                assert SERVICES[target]["healthcheck"]["test"], f"{name} waits for {target}"
            else:
                assert wait["condition"] == "service_completed_successfully"
                assert SERVICES[target]["restart"] == "no"


def test_named_volumes_are_declared() -> None:
    used = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert used == set(COMPOSE["volumes"])


def test_every_secret_comes_from_outside_and_must_be_given() -> None:
    for name, service in SERVICES.items():
        for key, value in service.get("environment", {}).items():
            if re.search(r"SECRET|ACCESS_KEY|PASSWORD$|^DATABASE_URL", key) and key not in OF_WHAT_MAY_BE_LEFT_OUT:
                assert ":?" in value, f"{name}: {key}"


def test_the_example_names_every_variable() -> None:
    wanted = {match[1] for match in VARIABLE.finditer((ROOT / "docker-compose.yml").read_text("utf-8"))}
    example = (ROOT / ".env.example").read_text("utf-8")
    assert set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE)) == wanted


def test_only_the_web_server_is_published_and_to_this_machine_only() -> None:
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "web": ["127.0.0.1:8000:8000"]
    }


def test_the_image_is_made_of_what_is_there_and_starts_the_web_server() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    copied = [
        word for line in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE) for word in line.split()
    ]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    *_, command = re.findall(r"^CMD (.+)$", dockerfile, re.MULTILINE)
    assert json.loads(command) == SERVICES["web"]["command"]
    assert "USER podium" in dockerfile


# -- the commands ------------------------------------------------------------------------------------------------------
@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The variables of our services, with what has to be given, and a database and broker that need no server."""
    given = VARIABLE.sub("podium.example.org", json.dumps(SERVICES["web"]["environment"]))
    return (
        os.environ
        | json.loads(given)
        | {
            "DJANGO_SETTINGS_MODULE": "registry_site.settings",
            "PODIUM_DATA_DIR": str(tmp_path),
            "PODIUM_SITE_URL": "https://podium.example.org",
            "DATABASE_URL": f"sqlite:///{tmp_path}/podium.sqlite3",
            "CELERY_BROKER_URL": "memory://localhost",
            "EMAIL_PORT": "587",
            "EMAIL_USE_TLS": "false",
        }
    )


def of_this_environment(command: list[str]) -> list[str]:
    """The same command with the programs that are installed beside this Python."""
    program = sys.executable if command[0] == "python" else str(Path(sys.executable).parent / command[0])
    return [program, *command[1:]]


def test_gunicorn_takes_its_configuration_and_finds_the_application(environment: dict[str, str]) -> None:
    program, *arguments = of_this_environment(SERVICES["web"]["command"])
    command = [program, "--check-config", *arguments]
    answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize(("service", "sign"), [("worker", "ready."), ("clock", "beat: Starting...")])
def test_celery_starts_and_stops(service: str, sign: str, environment: dict[str, str], tmp_path: Path) -> None:
    command = of_this_environment(["INFO" if word == "WARNING" else word for word in SERVICES[service]["command"]])
    log = tmp_path / "celery.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 60
        while sign not in log.read_text("utf-8"):
            assert process.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < deadline, log.read_text("utf-8")
            time.sleep(0.1)
        process.terminate()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def store() -> Iterator[str]:
    """An empty S3-compatible store."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_the_preparation_makes_bucket_and_tables_and_may_run_again(environment: dict[str, str], store: str) -> None:
    shell, option, line = SERVICES["prepare"]["command"]
    assert (shell, option) == ("sh", "-c")
    environment |= {"AWS_ENDPOINT_URL": store}
    for _ in range(2):
        for command in line.split(" && "):
            run = of_this_environment(shlex.split(command))
            answer = subprocess.run(run, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
            assert answer.returncode == 0, answer.stderr
    client = boto3.client(
        "s3", endpoint_url=store, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    assert "podium" in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]


@pytest.mark.parametrize(("status", "exit_code"), [(200, 0), (503, 1)])
def test_the_health_check_follows_the_answer(status: int, exit_code: int) -> None:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.handle_request, daemon=True).start()
        command = [
            sys.executable,
            "registry_site/container/is_healthy.py",
            f"http://127.0.0.1:{server.server_port}/health",
        ]
        assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == exit_code
