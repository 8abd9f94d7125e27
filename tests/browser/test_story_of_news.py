"""Who hears of a promotion that two people make in their browsers: a real mail server, and receivers of webhooks in all
four formats, who know whom it is from."""

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from registry_site.accounts.levels import Level
from tests.browser.windows import PASSWORD, Window, sign_in
from tests.live import Podium, start_podium
from tests.mail_server import Mailboxes, mail_server
from tests.receiver import Receiver, receiving

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.xdist_group("browser")]

STANDARD_SECRET = "whsec_" + base64.b64encode(b"thirty two bytes of no great use").decode()
MLFLOW_SECRET, DATABRICKS_SECRET, GITHUB_TOKEN = "of mlflow's receiver", "of slack's receiver", "github_pat_123"
_MAKE_HOOKS = """
import sys
from registry_site.accounts.actors import system
from registry_site.promotion.aliases import set_alias_policy
from registry_site.registry.stages import Stage
from registry_site.webhooks.formats import Format
from registry_site.webhooks.services import create_webhook
address, standard, mlflow, databricks, github = sys.argv[1:]
def make(format, path, events, secret):
    create_webhook(system(), name=format.value.replace("_", "-"), format=format, url=address + path, events=events,
                   secret=secret)
make(Format.STANDARD, "/standard", ["*"], standard)
make(Format.MLFLOW, "/mlflow", ["model_version.created", "model_version_alias.created"], mlflow)
make(Format.DATABRICKS, "/databricks", ["TRANSITION_REQUEST_CREATED", "MODEL_VERSION_TRANSITIONED_STAGE"], databricks)
make(Format.GITHUB_DISPATCH, "/repos/acme/serving/dispatches", ["request.created", "request.approved"], github)
set_alias_policy(system(), alias="champion", stage=Stage.PRODUCTION, is_mirror=True)
"""


# -- how each receiver knows whom it is from ---------------------------------------------------------------------------
def verify_standard(headers: Mapping[str, str], body: bytes) -> None:
    Verifier(STANDARD_SECRET).verify(body, headers)


def verify_mlflow(headers: Mapping[str, str], body: bytes) -> None:
    signed = f"{headers['x-mlflow-delivery-id']}.{headers['x-mlflow-timestamp']}.".encode() + body
    digest = hmac.new(MLFLOW_SECRET.encode(), signed, hashlib.sha256).digest()
    assert headers["x-mlflow-signature"] == "v1," + base64.b64encode(digest).decode()


def verify_databricks(headers: Mapping[str, str], body: bytes) -> None:
    digest = hmac.new(DATABRICKS_SECRET.encode(), body, hashlib.sha256)
    assert headers["x-databricks-signature"] == digest.hexdigest()


def verify_github(headers: Mapping[str, str], body: bytes) -> None:
    assert headers["authorization"] == f"Bearer {GITHUB_TOKEN}"
    assert headers["accept"] == "application/vnd.github+json"


STANDARD, MLFLOW, DATABRICKS, GITHUB = "/standard", "/mlflow", "/databricks", "/repos/acme/serving/dispatches"
VERIFIERS = {
    STANDARD: verify_standard,
    MLFLOW: verify_mlflow,
    DATABRICKS: verify_databricks,
    GITHUB: verify_github,
}


@dataclass(frozen=True, slots=True)
class World:
    """A Podium, and everybody whom it tells."""

    podium: Podium
    mails: Mailboxes
    receiver: Receiver

    def told(self, path: str, **said: object) -> dict[str, Any]:
        """What the receiver at that path was told that says this, as soon as it was; its signature is verified."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for headers, body in self.deliveries(path):
                found: dict[str, Any] = json.loads(body)
                if said.items() <= found.items():
                    VERIFIERS[path](headers, body)
                    return found
            time.sleep(0.1)
        raise AssertionError(f"{path} was not told {said}, but {self.deliveries(path)}")

    def deliveries(self, path: str) -> list[tuple[dict[str, str], bytes]]:
        """The headers, by their names in small letters, and the bodies."""
        taken = [({name.lower(): value for name, value in all.items()}, body) for all, body in self.receiver.taken]
        return [(headers, body) for headers, body in taken if headers[":path"] == path]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Maria trains, Jon and Kim review, and four webhooks want to know."""
    folder = tmp_path_factory.mktemp("news")
    with (
        mail_server() as mails,
        receiving() as receiver,
        start_podium(
            folder / "data",
            EMAIL_HOST="127.0.0.1",
            EMAIL_PORT=str(mails.port),
            PODIUM_WEBHOOK_ALLOWED_HOSTS=receiver.host,
        ) as podium,
    ):
        podium.create_user("maria", password=PASSWORD, display_name="Maria Ito")
        for name, display_name in (("jon", "Jon Berg"), ("kim", "Kim Sato")):
            level = Level.CAN_MANAGE_PRODUCTION_VERSIONS
            podium.create_user(name, password=PASSWORD, display_name=display_name, level=level)
        secrets = (STANDARD_SECRET, MLFLOW_SECRET, DATABRICKS_SECRET, GITHUB_TOKEN)
        podium.python(_MAKE_HOOKS, f"http://{receiver.host}", *secrets)
        yield World(podium, mails, receiver)


@pytest.fixture
def sign_in_as(world: World, chromium: Browser) -> Iterator[Callable[[str], Page]]:
    """`sign_in_as("maria")` is a page in a browser of hers."""
    windows: list[Window] = []

    def signed_in(name: str) -> Page:
        context = chromium.new_context(base_url=world.podium.url)
        context.set_default_timeout(30_000)
        windows.append(opened := Window(context, context.new_page(), 1440, "light"))
        opened.listen()
        opened.page.goto("/sign-in")
        sign_in(opened.page, name)
        return opened.page

    yield signed_in
    for each in windows:
        each.context.close()
    assert [trouble for each in windows for trouble in each.troubles] == []


def post(world: World, path: str, **body: str) -> None:
    headers = {"Authorization": f"Bearer {world.podium.token('maria')}"}
    requests.post(
        f"{world.podium.url}/api/2.0/mlflow/{path}", json=body, headers=headers, timeout=30
    ).raise_for_status()


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_a_request_and_its_approval_reach_reviewers_the_requester_and_machines(
    world: World, sign_in_as: Callable[[str], Page]
) -> None:
    post(world, "registered-models/create", name="churn")
    post(world, "model-versions/create", name="churn", source="s3://bucket/model")
    assert world.told(MLFLOW, entity="model_version", action="created")["data"]["name"] == "churn"

    # Maria asks in her browser.
    maria = sign_in_as("maria")
    maria.goto("/models/churn/versions/1")
    maria.get_by_role("link", name="Request promotion to Production").click()
    asking = maria.get_by_role("dialog", name="Request promotion of churn v1")
    asking.get_by_label("Reason").fill("AUC of 0.93, and *fast*.")
    asking.get_by_role("button", name="Create request").click()
    expect(maria.get_by_role("heading", level=1)).to_contain_text("#1")

    # Each reviewer gets a mail, and the machines know.
    subject = "Maria Ito asks to move churn version 1 to Production"
    asked = [world.mails.wait_for(f"{name}@example.org", subject) for name in ("jon", "kim")]
    for mail in asked:
        assert "AUC of 0.93, and *fast*." in text_of(mail)
        assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
        assert mail["List-Unsubscribe"].strip().startswith(f"<{world.podium.url}/unsubscribe/")
    page = f"{world.podium.url}/models/churn/requests/1"
    created = world.told(STANDARD, type="request.created")["data"]
    assert (created["actor"], created["comment"], created["url"]) == ("maria", "AUC of 0.93, and *fast*.", page)
    told = world.told(DATABRICKS, event="TRANSITION_REQUEST_CREATED")
    assert (told["model_name"], told["to_stage"]) == ("churn", "Production")
    assert told["text"].endswith(page)
    dispatched = world.told(GITHUB, event_type="podium.request.created")
    assert len(dispatched["client_payload"]) <= 10
    assert not [mail for mail in world.mails.received if mail["To"] == "maria@example.org"]

    # Jon follows the link of his, and approves.
    [link] = [line for line in text_of(asked[0]).splitlines() if line == page]
    jon = sign_in_as("jon")
    jon.goto(link)
    jon.get_by_role("region", name="Decision").get_by_label("Comment (optional)").fill("Looks good to me.")
    jon.get_by_role("radio", name=re.compile("^Approve")).check()
    jon.get_by_role("button", name="Submit review").click()
    expect(jon.get_by_role("region", name="Decision").get_by_text("Looks good to me.")).to_be_visible()

    # Maria gets a mail in the same thread, and the machines know that, too.
    approved = world.mails.wait_for("maria@example.org", "Approved: churn version 1 to Production")
    assert "Looks good to me." in text_of(approved)
    assert approved["References"] == asked[0]["References"]
    assert world.told(STANDARD, type="request.approved")["data"]["actor"] == "jon"
    assert world.told(STANDARD, type="version.stage_changed")["data"]["details"]["to_stage"] == "Production"
    assert world.told(DATABRICKS, event="MODEL_VERSION_TRANSITIONED_STAGE")["to_stage"] == "Production"
    world.told(GITHUB, event_type="podium.request.approved")
    alias = world.told(MLFLOW, entity="model_version_alias", action="created")
    assert alias["data"] == {"name": "churn", "alias": "champion", "version": "1"}
    expect(maria.get_by_role("heading", level=1)).to_be_visible()

    # Nobody was told twice.
    told_people = [(mail["To"], mail["Subject"]) for mail in world.mails.received if "churn" in mail["Subject"]]
    assert len(told_people) == len(set(told_people))
    ids = [headers["webhook-id"] for headers, _ in world.deliveries(STANDARD)]
    assert len(ids) == len(set(ids))


def test_a_receiver_sees_through_what_is_not_from_podium(world: World) -> None:
    for path, verify in VERIFIERS.items():
        headers, body = world.deliveries(path)[0]
        verify(headers, body)
        if path != GITHUB:  # which knows a token, and no signature
            with pytest.raises((WebhookVerificationError, AssertionError)):
                verify(headers, body.replace(b"a", b"b", 1))
