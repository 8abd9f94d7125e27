"""What webhooks are told, how a receiver knows whom it is from, and when it is told again."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest

from registry_site.audit.kinds import Kind
from registry_site.core.errors import InvalidParameter
from registry_site.webhooks.events import Event, data_of, event_of, example_of, parse_event
from registry_site.webhooks.retries import delay_after
from registry_site.webhooks.signing import body_of, headers_of

AT = datetime(2026, 3, 1, 12, 0, 0, 250_000, UTC)


def test_a_receiver_can_verify_whom_a_delivery_is_from() -> None:
    body = body_of(Event.MODEL_VERSION_CREATED, {"name": "größe"}, AT)
    headers = headers_of("0b0e", body, "s3cret", AT)
    signed = f"{headers['X-MLflow-Delivery-Id']}.{headers['X-MLflow-Timestamp']}.".encode() + body.encode()
    expected = base64.b64encode(hmac.new(b"s3cret", signed, hashlib.sha256).digest()).decode()
    assert headers["X-MLflow-Signature"] == f"v1,{expected}"
    assert headers["X-MLflow-Timestamp"] == "1772366400"
    assert json.loads(body) == {
        "entity": "model_version",
        "action": "created",
        "timestamp": "2026-03-01T12:00:00.250000+00:00",
        "data": {"name": "größe"},
    }


def test_without_a_secret_nothing_is_signed() -> None:
    assert "X-MLflow-Signature" not in headers_of("0b0e", "{}", "", AT)


@pytest.mark.parametrize(
    ("kind", "is_prompt", "data", "event", "told"),
    [
        (
            Kind.MODEL_CREATED,
            False,
            {"tags": {"a": "b"}, "description": "d"},
            "registered_model.created",
            {"name": "churn", "tags": {"a": "b"}, "description": "d"},
        ),
        (
            Kind.VERSION_CREATED,
            False,
            {"source": "s", "run_id": "r", "model_id": "m-1", "description": "", "tags": {}},
            "model_version.created",
            {"name": "churn", "version": "3", "source": "s", "run_id": "r", "tags": {}, "description": ""},
        ),
        (
            Kind.VERSION_CREATED,
            True,
            {"source": "s", "run_id": "", "description": "d", "tags": {"mlflow.prompt.text": "Hi {{ x }}", "a": "b"}},
            "prompt_version.created",
            {"name": "churn", "version": "3", "template": "Hi {{ x }}", "tags": {"a": "b"}, "description": "d"},
        ),
        (
            Kind.VERSION_TAG_SET,
            False,
            {"key": "k", "before": None, "after": "v"},
            "model_version_tag.set",
            {"name": "churn", "version": "3", "key": "k", "value": "v"},
        ),
        (
            Kind.VERSION_TAG_DELETED,
            False,
            {"key": "k", "before": "v"},
            "model_version_tag.deleted",
            {"name": "churn", "version": "3", "key": "k"},
        ),
        (
            Kind.ALIAS_SET,
            False,
            {"alias": "champion", "before": 1, "after": 3},
            "model_version_alias.created",
            {"name": "churn", "alias": "champion", "version": "3"},
        ),
        (
            Kind.ALIAS_DELETED,
            True,
            {"alias": "champion", "before": 3},
            "prompt_alias.deleted",
            {"name": "churn", "alias": "champion"},
        ),
        (
            Kind.MODEL_TAG_SET,
            True,
            {"key": "k", "before": None, "after": "v"},
            "prompt_tag.set",
            {"name": "churn", "key": "k", "value": "v"},
        ),
    ],
)
def test_what_a_change_is_told_as(
    kind: Kind, is_prompt: bool, data: dict[str, object], event: str, told: dict[str, object]
) -> None:
    found = event_of(kind, is_prompt=is_prompt)
    assert found is not None
    assert found.value == event
    assert data_of(found, "churn", 3, data) == told


def test_tags_of_models_and_changes_of_stage_are_no_events_of_mlflow() -> None:
    assert event_of(Kind.MODEL_TAG_SET, is_prompt=False) is None
    assert event_of(Kind.VERSION_STAGE_CHANGED, is_prompt=False) is None


def test_every_event_has_an_example_like_the_real_thing() -> None:
    for event in Event:
        assert json.loads(body_of(event, example_of(event), AT))["data"]


def test_events_are_named_in_any_letter_case_and_mistakes_say_what_there_is() -> None:
    assert parse_event("MODEL_VERSION_TAG", "Set") is Event.MODEL_VERSION_TAG_SET
    with pytest.raises(InvalidParameter, match=r"Valid actions are: \['created'\]"):
        parse_event("model_version", "set")
    with pytest.raises(InvalidParameter, match="MODEL_VERSION_ALIAS"):
        parse_event("stage", "set")


def test_what_fails_is_tried_for_almost_three_days_ever_later() -> None:
    delays = [delay_after(attempts) for attempts in range(1, 10)]
    known = [delay for delay in delays if delay is not None]
    assert known == sorted(known)
    assert known[0] == timedelta(seconds=10)
    assert timedelta(days=2) < sum(known, timedelta()) < timedelta(days=3)
    assert delay_after(10) is None
