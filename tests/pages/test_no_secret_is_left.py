"""After people came in by every way there is, no password, token or link stands anywhere but where it has to."""

import email
import json
import re
import time
from collections.abc import Iterator
from email import policy
from pathlib import Path
from typing import Any

import pytest
import requests
from aiosmtpd.controller import Controller

from tests.live import Podium, free_port, start_podium
from tests.provider import CLIENT_SECRET, Provider, running_provider

pytestmark = [pytest.mark.xdist_group("oidc")]

SECRET = re.compile(r"podium_[\w-]{43}")
PASSWORDS = ("a goat ate my umbrella", "my umbrella ate a goat", "the umbrella was hungry", "a wrong guess by somebody")
_DUMP = """
from django.apps import apps
from django.contrib.sessions.models import Session
for model in apps.get_models():
    for row in model._base_manager.values():
        print(model.__name__, row)
for session in Session.objects.all():
    print("Session", session.get_decoded())
"""


class Mailboxes:
    """A mail server's memory."""

    def __init__(self) -> None:
        self.received: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = email.message_from_bytes(envelope.content, policy=policy.default)
        body = message.get_body(("plain",))  # type: ignore[attr-defined]
        self.received.append(body.get_content())
        return "250 OK"

    def link(self, page: str) -> str:
        """The newest link to this page, when it has come."""
        for _ in range(600):
            found = [match for text in self.received for match in re.findall(rf"http://\S+/{page}/\S+", text)]
            if found:
                return found[-1]
            time.sleep(0.1)
        raise AssertionError(f"no mail with a link to {page} came: {self.received}")


@pytest.fixture(scope="module")
def mailboxes() -> Iterator[tuple[Mailboxes, int]]:
    boxes, port = Mailboxes(), free_port()
    controller = Controller(boxes, hostname="127.0.0.1", port=port)
    controller.start()
    yield boxes, port
    controller.stop()


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running_provider() as running:
        yield running


class Browser:
    """Somebody who fills forms."""

    def __init__(self, site: Podium) -> None:
        self.site, self.session = site, requests.Session()

    def get(self, address: str) -> str:
        return self.session.get(self._absolute(address), timeout=30).text

    def send(self, address: str, **form: str) -> str:
        page = self.get(address)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token, page
        answer = self.session.post(self._absolute(address), form | {"csrfmiddlewaretoken": token[1]}, timeout=30)
        return answer.text

    def _absolute(self, address: str) -> str:
        return address if address.startswith("http") else self.site.url + address


def test_no_secret_is_left(mailboxes: tuple[Mailboxes, int], provider: Provider, tmp_path: Path) -> None:
    boxes, port = mailboxes
    environment = provider.environment() | {
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(port),
        "PODIUM_LOG_LEVEL": "DEBUG",
        "PODIUM_LOG_FORMAT": "json",
    }
    with start_podium(tmp_path / "data", **environment) as site:
        secrets = come_in_by_every_way(site, boxes, provider)
        stored, logged = site.python(_DUMP), site.output()
        announced = set(SECRET.findall(logged))
    assert len(announced) == 2, "what `up` prints for the first administrator: a link and a token"
    logged = "".join(line for line in logged.splitlines(keepends=True) if not SECRET.search(line))
    for place, text in (("the database", stored), ("the log", logged)):
        found = [secret for secret in {*secrets, *announced, *PASSWORDS, CLIENT_SECRET} if secret in text]
        assert found == [], f"in {place}"
    assert not SECRET.search(stored)
    lines = [json.loads(line) for line in logged.splitlines() if line.startswith("{")]
    assert {"django.security.DisallowedHost"} <= {line["logger"] for line in lines}, "the log was at work"


def come_in_by_every_way(site: Podium, boxes: Mailboxes, provider: Provider) -> set[str]:
    """What the first administrator, one who is invited and one of the provider do; the secrets that they saw."""
    seen: set[str] = set()
    first, second, third, fourth = PASSWORDS
    welcome = re.search(r"http://\S+/welcome/podium_[\w-]{43}", wait_for(site, "/welcome/"))
    assert welcome
    ada = Browser(site)
    ada.send(welcome[0])
    ada.send("/settings/password", new=first, again=first)
    ada.send("/settings/password", current=first, new=second, again=second)
    for scope in ("read", "write", "admin"):
        seen |= {*SECRET.findall(ada.send("/settings/tokens", name=scope, scope=scope, days="7"))}
    seen |= {*SECRET.findall(ada.send("/people/invite", username="kim", email="kim@example.org"))}
    kim = Browser(site)
    kim.send(boxes.link("invitation"), display_name="Kim", new=first, again=first)
    Browser(site).send("/sign-in", username="kim", password=fourth)
    Browser(site).send("/forgotten-password", asked="kim@example.org")
    reset = boxes.link("new-password")
    Browser(site).send(reset, new=third, again=third)
    assert "used already" in Browser(site).get(reset)
    Browser(site).send("/sign-in", username="kim", password=third)
    for credentials in (("kim", third), ("kim", fourth), ("x", next(iter(seen)))):
        requests.get(f"{site.url}/api/2.0/mlflow/users/current", auth=credentials, timeout=30)
    provider.person = {"sub": "1", "preferred_username": "nina"}
    Browser(site).get("/sign-in/provider")
    requests.get(f"{site.url}/", headers={"Host": "evil.example"}, timeout=30)  # which is logged
    return seen | {secret for text in boxes.received for secret in SECRET.findall(text)}


def wait_for(site: Podium, words: str) -> str:
    for _ in range(300):
        if words in site.output():
            return site.output()
        time.sleep(0.1)
    raise AssertionError(f"{words} was never printed")
