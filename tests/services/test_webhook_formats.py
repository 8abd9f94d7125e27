"""What webhooks are sent in each format, and how a receiver knows whom it is from."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pytest_django import Settings
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from registry_site.accounts.actors import Actor
from registry_site.audit import outbox
from registry_site.audit.models import Activity
from registry_site.core import clock
from registry_site.core.errors import InvalidParameter, NotFound, PermissionDenied
from registry_site.promotion.deciding import approve
from registry_site.promotion.services import request_transition, transition
from registry_site.registry.services import rename_model, set_alias, set_version_tag
from registry_site.registry.stages import Stage
from registry_site.webhooks import databricks
from registry_site.webhooks.deliveries import deliver_due
from registry_site.webhooks.events import Event
from registry_site.webhooks.fan_out import fan_out
from registry_site.webhooks.formats import ALL, Format, events_of
from registry_site.webhooks.models import Delivery, Webhook
from registry_site.webhooks.queries import get_webhook, list_webhooks
from registry_site.webhooks.services import (
    create_webhook,
    delete_webhook,
    new_secret,
    rotate_secret,
    try_webhook,
    update_webhook,
)
from tests.live import ROOT
from tests.make import make_model, make_version
from tests.receiver import Receiver, receiving

SECRET = "known to two people"
SCHEMA = json.loads(Path(ROOT / "docs/webhooks/podium-1.schema.json").read_text())
PUBLIC = "https://8.8.8.8/hook"


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    with receiving() as server:
        settings.PODIUM_WEBHOOK_ALLOWED_HOSTS = [server.host]
        settings.PODIUM_SITE_URL = "https://podium.example"
        yield server


def make_hook(actor: Actor, receiver: Receiver, format: Format, events: list[str], **options: Any) -> Webhook:
    path = "/repos/acme/serving/dispatches" if format is Format.GITHUB_DISPATCH else "/hook"
    named: dict[str, Any] = {"name": "ci", "url": f"http://{receiver.host}{path}", "secret": SECRET}
    if format is Format.STANDARD:
        named["secret"] = new_secret(format)
    return create_webhook(actor, format=format, events=events, **(named | options))


def tell() -> int:
    while outbox.relay(fan_out):
        pass
    return deliver_due()


def make_history(maria: Actor, jon: Actor) -> None:
    """A bit of everything that happens to a model."""
    make_version(maria, "churn", description="d", tags={"team": "risk"})
    set_version_tag(maria, name="churn", version=1, key="team", value="growth")
    set_alias(maria, name="churn", alias="champion", version=1)
    request_transition(maria, name="churn", version=1, to_stage=Stage.PRODUCTION, comment="AUC is up <!channel>")
    approve(jon, name="churn", number=1, comment="Fine.")
    transition(jon, name="churn", version=1, to_stage=Stage.ARCHIVED)


# -- Databricks' -------------------------------------------------------------------------------------------------------
def test_databricks_events_are_told_with_a_sentence_and_signed_in_hex(
    admin_actor: Actor, maria_actor: Actor, jon_actor: Actor, receiver: Receiver
) -> None:
    made = make_hook(
        admin_actor, receiver, Format.DATABRICKS, list(databricks.EVENTS), authorization="Bearer of good news"
    )
    make_history(maria_actor, jon_actor)
    tell()
    assert [body["event"] for body in receiver.bodies] == [
        "REGISTERED_MODEL_CREATED",
        "MODEL_VERSION_CREATED",
        "MODEL_VERSION_TAG_SET",
        "TRANSITION_REQUEST_CREATED",
        "TRANSITION_REQUEST_TO_PRODUCTION_CREATED",
        "MODEL_VERSION_TRANSITIONED_STAGE",
        "MODEL_VERSION_TRANSITIONED_TO_PRODUCTION",
        "MODEL_VERSION_TRANSITIONED_STAGE",
        "MODEL_VERSION_TRANSITIONED_TO_ARCHIVED",
    ]
    for headers, body in receiver.taken:
        assert headers["X-Databricks-Signature"] == hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert headers["Authorization"] == "Bearer of good news"
        assert b"runs:/" not in body, "paths of artifacts are not told"
    asked = receiver.bodies[3]
    assert asked["event_timestamp"] == clock.to_ms(Activity.objects.get(kind="request.created").at)
    del asked["event_timestamp"]
    assert asked == {
        "event": "TRANSITION_REQUEST_CREATED",
        "webhook_id": made.webhook_id,
        "model_name": "churn",
        "version": "1",
        "from_stage": "None",
        "to_stage": "Production",
        "comment": "AUC is up <!channel>",
        "text": "maria asks to move version 1 of churn from None to Production: AUC is up &lt;!channel&gt; "
        "https://podium.example/models/churn/requests/1",
    }
    assert receiver.bodies[2]["tags"] == [{"key": "team", "value": "growth"}]
    assert receiver.bodies[1]["text"] == (
        "maria registered version 1 of churn https://podium.example/models/churn/versions/1"
    )


def test_prompts_are_no_news_for_databricks(admin_actor: Actor, maria_actor: Actor, receiver: Receiver) -> None:
    make_hook(admin_actor, receiver, Format.DATABRICKS, ["REGISTERED_MODEL_CREATED"])
    make_model(maria_actor, "greeting", tags={"mlflow.prompt.is_prompt": "true"})
    assert tell() == 0


# -- the standard one --------------------------------------------------------------------------------------------------
def test_every_activity_is_told_as_the_standard_and_its_schema_say(
    admin_actor: Actor, maria_actor: Actor, jon_actor: Actor, receiver: Receiver
) -> None:
    secret = new_secret(Format.STANDARD)
    make_hook(admin_actor, receiver, Format.STANDARD, [ALL], secret=secret)
    make_history(maria_actor, jon_actor)
    tell()
    kinds = list(Activity.objects.order_by("pk").values_list("kind", flat=True))
    assert [body["type"] for body in receiver.bodies] == kinds
    assert {"webhook.created", "model.created", "request.created", "review.given", "alias.set"} <= set(kinds)
    verifier, validator = Verifier(secret), Draft202012Validator(SCHEMA)
    for headers, body in receiver.taken:
        validator.validate(verifier.verify(body, headers))
    assert len({headers["webhook-id"] for headers, _ in receiver.taken}) == len(kinds)
    headers, body = receiver.taken[0]
    with pytest.raises(WebhookVerificationError):
        Verifier(new_secret(Format.STANDARD)).verify(body, headers)
    asked = next(body for body in receiver.bodies if body["type"] == "request.created")
    activity = Activity.objects.get(kind="request.created")
    assert asked["data"] == {
        "activity_id": activity.pk,
        "actor": "maria",
        "model": "churn",
        "version": 1,
        "request_number": 1,
        "comment": "AUC is up <!channel>",
        "url": "https://podium.example/models/churn/requests/1",
        "details": activity.data,
    }
    assert asked["timestamp"].endswith("Z")


def test_a_secret_is_rotated_without_losing_a_delivery(
    admin_actor: Actor, maria_actor: Actor, receiver: Receiver, frozen_clock: Any
) -> None:
    old = new_secret(Format.STANDARD)
    made = make_hook(admin_actor, receiver, Format.STANDARD, ["model.created"], secret=old)
    new = rotate_secret(admin_actor, webhook_id=made.webhook_id)
    assert new != old
    make_model(maria_actor, "churn")
    tell()
    headers, body = receiver.taken[0]
    signatures = headers["webhook-signature"].split()
    assert [known(secret, headers, body) for secret in (new, old)] == [signatures[0], signatures[1]]
    frozen_clock.advance(hours=25)
    make_model(maria_actor, "leavers")
    tell()
    headers, body = receiver.taken[1]
    assert headers["webhook-signature"].split() == [known(new, headers, body)]


def known(secret: str, headers: dict[str, str], body: bytes) -> str:
    at = clock.from_ms(int(headers["webhook-timestamp"]) * 1000)
    return Verifier(secret).sign(headers["webhook-id"], at, body.decode())


@pytest.mark.parametrize(
    "secret", ["", "too plain a secret", "whsec_", "whsec_c2hvcnQ=", "whsec_%%%", "whsec_" + "A" * 92]
)
def test_a_secret_that_is_none_of_the_standard_is_refused(secret: str, admin_actor: Actor) -> None:
    with pytest.raises(InvalidParameter, match="24 to 64 bytes"):
        create_webhook(
            admin_actor, name="ci", url=PUBLIC, format=Format.STANDARD, events=["model.created"], secret=secret
        )


# -- GitHub's ----------------------------------------------------------------------------------------------------------
def test_a_dispatch_is_what_github_takes(
    admin_actor: Actor, maria_actor: Actor, jon_actor: Actor, receiver: Receiver
) -> None:
    receiver.status, receiver.body = 204, b""
    make_hook(admin_actor, receiver, Format.GITHUB_DISPATCH, [ALL], secret="github_pat_1234567890")
    make_history(maria_actor, jon_actor)
    assert tell() > 5
    for headers, _ in receiver.taken:
        assert headers["Authorization"] == "Bearer github_pat_1234567890"
        assert headers["Accept"] == "application/vnd.github+json"
    for body in receiver.bodies:
        assert set(body) == {"event_type", "client_payload"}
        assert len(body["event_type"]) <= 100
        assert len(body["client_payload"]) <= 10
    asked = next(body for body in receiver.bodies if body["event_type"] == "podium.request.created")
    assert asked["client_payload"]["delivery_id"] == Delivery.objects.get(event="request.created").delivery_id
    assert asked["client_payload"]["model"] == "churn"
    assert asked["client_payload"]["details"]["to_stage"] == "Production"


def test_a_dispatch_is_never_longer_than_github_takes(
    admin_actor: Actor, maria_actor: Actor, receiver: Receiver
) -> None:
    make_hook(admin_actor, receiver, Format.GITHUB_DISPATCH, ["model.created"])
    make_model(maria_actor, "churn", description="x" * 80_000)
    tell()
    assert len(receiver.taken[0][1]) < 64_000
    assert receiver.bodies[0]["client_payload"]["model"] == "churn"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"url": PUBLIC}, "OWNER/REPOSITORY/dispatches"),
        ({"secret": ""}, "token of GitHub"),
        ({"secret": "short"}, "too short"),
        ({"secret": "two\nlines of it"}, "printable"),
    ],
)
def test_what_is_no_dispatch_is_refused(wrong: dict[str, str], why: str, admin_actor: Actor) -> None:
    good = {"url": "https://8.8.8.8/repos/a/b/dispatches", "secret": "github_pat_1234567890"}
    with pytest.raises(InvalidParameter, match=why):
        create_webhook(
            admin_actor, name="ci", format=Format.GITHUB_DISPATCH, events=["model.created"], **(good | wrong)
        )


# -- for one model -----------------------------------------------------------------------------------------------------
def test_a_webhook_of_one_model_hears_of_no_other(maria_actor: Actor, jon_actor: Actor, receiver: Receiver) -> None:
    make_model(maria_actor, "churn")
    make_model(maria_actor, "leavers")
    make_hook(maria_actor, receiver, Format.STANDARD, ["version.created", "model.renamed"], model="churn")
    tell()
    receiver.taken.clear()
    make_version(maria_actor, "leavers")
    make_version(maria_actor, "churn")
    rename_model(maria_actor, name="churn", new_name="churn-2")
    tell()
    assert [(body["type"], body["data"]["model"]) for body in receiver.bodies] == [
        ("version.created", "churn-2"),
        ("model.renamed", "churn-2"),
    ]


def test_webhooks_of_a_model_are_for_those_who_manage_it(
    admin_actor: Actor, maria_actor: Actor, jon_actor: Actor, eve_actor: Actor, receiver: Receiver, settings: Settings
) -> None:
    make_model(maria_actor, "churn")
    made = make_hook(maria_actor, receiver, Format.MLFLOW, [Event.MODEL_VERSION_CREATED], model="churn")
    everywhere = make_hook(admin_actor, receiver, Format.MLFLOW, [Event.MODEL_VERSION_CREATED])
    assert list_webhooks(maria_actor).rows == list_webhooks(maria_actor, name="churn").rows == [made]
    assert list_webhooks(admin_actor).rows == [everywhere, made]
    assert list_webhooks(admin_actor, registry_wide=True).rows == [everywhere]
    assert list_webhooks(jon_actor).rows == []
    for attempt in (
        lambda: make_hook(jon_actor, receiver, Format.MLFLOW, [Event.MODEL_VERSION_CREATED], model="churn"),
        lambda: get_webhook(jon_actor, made.webhook_id),
        lambda: list_webhooks(jon_actor, name="churn"),
        lambda: update_webhook(jon_actor, webhook_id=made.webhook_id, name="mine"),
        lambda: rotate_secret(jon_actor, webhook_id=made.webhook_id),
        lambda: try_webhook(jon_actor, webhook_id=made.webhook_id),
        lambda: delete_webhook(jon_actor, webhook_id=made.webhook_id),
    ):
        with pytest.raises(PermissionDenied, match="CAN_MANAGE"):
            attempt()
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    with pytest.raises(NotFound, match="Webhook"):
        get_webhook(eve_actor, made.webhook_id)
    with pytest.raises(NotFound, match="Registered Model"):
        list_webhooks(eve_actor, name="churn")


def test_what_no_model_can_tell_is_refused_for_one(maria_actor: Actor) -> None:
    make_model(maria_actor, "churn")
    for format, event in ((Format.DATABRICKS, "REGISTERED_MODEL_CREATED"), (Format.STANDARD, "user.created")):
        with pytest.raises(InvalidParameter, match="no event of a webhook of one model"):
            create_webhook(
                maria_actor,
                name="ci",
                url=PUBLIC,
                format=format,
                events=[event],
                model="churn",
                secret=new_secret(Format.STANDARD),
            )


# -- all of them -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("format", list(Format))
def test_every_event_can_be_tried(format: Format, admin_actor: Actor, receiver: Receiver) -> None:
    possible = list(events_of(format))
    made = make_hook(admin_actor, receiver, format, possible)
    for event in possible:
        assert try_webhook(admin_actor, webhook_id=made.webhook_id, event=event).succeeded
    assert len(receiver.taken) == len(possible)
    if format is Format.STANDARD:
        for body in receiver.bodies:
            Draft202012Validator(SCHEMA).validate(body)
            assert body["data"]["test"] is True
    if format is Format.DATABRICKS:
        assert all(body["text"].startswith("This is a test") for body in receiver.bodies)


@pytest.mark.parametrize("format", list(Format))
def test_an_event_of_another_format_is_refused_with_those_that_there_are(format: Format, admin_actor: Actor) -> None:
    for event in ("nothing", "MODEL_VERSION_CREATED" if format is not Format.DATABRICKS else "version.created"):
        with pytest.raises(InvalidParameter, match="there are: "):
            create_webhook(
                admin_actor,
                name="ci",
                url="https://8.8.8.8/repos/a/b/dispatches",
                format=format,
                events=[event],
                secret=new_secret(Format.STANDARD),
            )


def test_a_secret_that_is_too_short_is_refused(admin_actor: Actor) -> None:
    for format in (Format.MLFLOW, Format.DATABRICKS):
        with pytest.raises(InvalidParameter, match="8 characters at least"):
            create_webhook(
                admin_actor, name="ci", url=PUBLIC, format=format, events=list(events_of(format)), secret="short"
            )


def test_an_authorization_that_would_be_two_headers_is_refused(admin_actor: Actor) -> None:
    with pytest.raises(InvalidParameter, match="printable"):
        create_webhook(
            admin_actor,
            name="ci",
            url=PUBLIC,
            format=Format.DATABRICKS,
            events=["COMMENT_CREATED"],
            authorization="Bearer a\r\nX-Evil: 1",
        )


def test_nothing_secret_is_in_history(admin_actor: Actor, receiver: Receiver) -> None:
    made = make_hook(admin_actor, receiver, Format.DATABRICKS, ["COMMENT_CREATED"], authorization="Bearer hidden")
    rotated = rotate_secret(admin_actor, webhook_id=made.webhook_id)
    history = str(list(Activity.objects.values())) + str(list(Webhook.objects.values()))
    assert rotated not in history
    assert SECRET not in history
    assert "hidden" not in history
