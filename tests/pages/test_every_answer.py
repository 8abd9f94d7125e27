"""What every answer has, whichever door gives it: a name for the request, and headers that keep browsers in bounds."""

import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test import Client

from registry_site.core.logs import Json
from registry_site.core.requests import current_request_id
from registry_site.pages import middleware
from tests.doors import Api
from tests.live import ROOT

pytestmark = pytest.mark.django_db

ADDRESSES = (
    "/",
    "/sign-in",
    "/health",
    "/nothing",
    "/api/2.0/mlflow/users/current",
    "/api/2.0/mlflow/nothing",
    "/api/v1/me",
    "/static/css/nothing.css",
    "/admin/",
)


# -- a name for the request --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("address", ADDRESSES)
def test_every_request_has_a_name(client: Client, address: str) -> None:
    first, second = (client.get(address).headers["X-Request-ID"] for _ in range(2))
    assert re.fullmatch(r"[0-9a-f]{32}", first)
    assert first != second


@pytest.mark.parametrize("given", ["abc", "8a6f0f0c-1b1e-4bb1-9d3e-6f1f0e6b1b1e", "A.b_c-1", "x" * 128])
def test_a_name_from_outside_is_kept_if_it_is_well_formed(client: Client, given: str) -> None:
    assert client.get("/health", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "a b", "<script>", "x" * 129, "é", "a\tb", '{"a":1}'])
def test_any_other_one_is_replaced(client: Client, given: str) -> None:
    answer = client.get("/health", headers={"X-Request-ID": given})
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-ID"])


def test_a_page_of_an_error_tells_it(maria_page: Client) -> None:
    answer = maria_page.get("/models/nothing", headers={"X-Request-ID": "one-of-mine"})
    assert answer.status_code == 404
    assert "one-of-mine" in answer.content.decode()


def test_a_refusal_of_the_protocol_has_it_in_the_header_alone(api: Api) -> None:
    answer = api.get("registered-models/get", {"name": "nothing"})
    assert set(answer.json()) == {"error_code", "message"}
    assert answer.headers["X-Request-ID"]


def test_the_log_names_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is logged while a request is answered names it, an unforeseen failure above all."""
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Kept()
    handler.setFormatter(Json())
    log = logging.getLogger("django.request")
    log.addHandler(handler)

    def fail(self: object, request: HttpRequest) -> HttpResponseBase:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(middleware.PagesMiddleware, "__call__", fail)
    try:
        browser = Client(raise_request_exception=False)
        answer = browser.get("/models", headers={"X-Request-ID": "one-of-mine"})
    finally:
        log.removeHandler(handler)
    assert answer.status_code == 500
    assert "one-of-mine" in answer.content.decode()
    assert {json.loads(line)["request_id"] for line in lines} == {"one-of-mine"}
    assert "unforeseen" in json.loads(lines[0])["exception"]
    assert current_request_id() == ""


# -- headers -----------------------------------------------------------------------------------------------------------
def test_pages_let_browsers_do_only_what_they_need(client: Client) -> None:
    headers = client.get("/sign-in").headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert policy["object-src"] == policy["base-uri"] == "'none'"
    assert policy["frame-ancestors"] == "'self'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_answer_is_taken_for_something_else(client: Client, address: str) -> None:
    headers = client.get(address).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in headers


def test_pages_with_a_secret_are_not_kept(maria_page: Client) -> None:
    for address in ("/settings/tokens", "/settings/password", "/forgotten-password"):
        assert "no-store" in maria_page.get(address).headers["Cache-Control"]


def test_a_host_that_this_is_not_called_is_refused_at_every_door() -> None:
    browser = Client(raise_request_exception=False)
    for address in ADDRESSES:
        for host in ("evil.example", "10.evil.example", "127.0.0.1@evil.example", "127.0.0.1.evil.example"):
            answer = browser.get(address, headers={"Host": host})
            assert answer.status_code == 400, address
            assert "evil" not in answer.content.decode()


# -- settings ----------------------------------------------------------------------------------------------------------
PRODUCTION = {
    "PODIUM_SITE_URL": "https://podium.example.org",
    "PODIUM_ALLOWED_HOSTS": "podium.example.org",
    "PODIUM_SECRET_KEY": "of the test, and long and varied enough for everybody 0123456789",
}
OIDC = {
    "PODIUM_OIDC_SERVER_URL": "https://id.example.org",
    "PODIUM_OIDC_CLIENT_ID": "podium",
    "PODIUM_OIDC_CLIENT_SECRET": "x",
}


def run(code: str, tmp_path: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    wanted = os.environ | environment | {"PODIUM_DATA_DIR": str(tmp_path)}
    return subprocess.run(
        [sys.executable, *code.split("\0")], env=wanted, cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.once
@pytest.mark.parametrize("more", [{}, OIDC], ids=["passwords", "single sign-on"])
def test_django_finds_nothing_to_warn_of_in_production(more: dict[str, str], tmp_path: Path) -> None:
    command = "manage.py\0check\0--deploy\0--fail-level\0WARNING"
    answer = run(command, tmp_path, **PRODUCTION, **more)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.once
def test_with_tls_browsers_never_come_back_without(tmp_path: Path) -> None:
    code = (
        "-c\0import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'; import django; django.setup(); "
        "from django.test import Client; "
        "answer = Client().get('/health', secure=True, headers={'Host': 'podium.example.org'}); "
        "print(answer.status_code, answer.headers['Strict-Transport-Security'])"
    )
    answer = run(code, tmp_path, **PRODUCTION)
    assert answer.stdout == "200 max-age=31536000; includeSubDomains; preload\n", answer.stderr


@pytest.mark.once
def test_an_unknown_format_of_the_log_is_refused(tmp_path: Path) -> None:
    answer = run("manage.py\0check", tmp_path, PODIUM_LOG_FORMAT="xml")
    assert answer.returncode == 1
    assert "Must be one of: line, json." in answer.stderr
