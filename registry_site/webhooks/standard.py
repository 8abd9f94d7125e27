"""Deliveries of Podium's own: every activity, as the Standard Webhooks specification wants them, and as GitHub takes
them for a `repository_dispatch`. Pure. The body is described by docs/webhooks/podium-1.schema.json."""

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import UTC
from typing import Any

from registry_site.audit.kinds import Kind
from registry_site.core.errors import InvalidParameter
from registry_site.webhooks.news import News

SCHEMA_VERSION = 1
ALL = "*"
NOUNS_OF_A_MODEL = frozenset(
    ("alias", "check", "comment", "deployment", "grant", "model", "policy", "request", "review", "version", "webhook")
)
SECRET_PREFIX = "whsec_"
GITHUB_PREFIX = "podium."  # of `event_type`, which `on: repository_dispatch: types:` names
_GITHUB_TAKES = 60_000  # characters of a payload; GitHub's limit is at 64 KB


def events(*, of_a_model: bool) -> Sequence[str]:
    """What can be asked for: every kind of activity, or those that belong to a registered model."""
    return [kind.value for kind in Kind if not of_a_model or kind.value.partition(".")[0] in NOUNS_OF_A_MODEL]


def body_of(event: str, news: News) -> dict[str, Any]:
    """What is sent in the standard format."""
    return {
        "type": event,
        "timestamp": _moment(news),
        "schema_version": SCHEMA_VERSION,
        "data": data_of(news),
    }


def data_of(news: News) -> dict[str, Any]:
    """What happened, to what, by whom; `details` are the old and new values that history keeps."""
    data = {
        "activity_id": news.activity_id,
        "actor": news.actor,
        "model": news.model or None,
        "version": news.version,
        "request_number": news.request_number,
        "comment": news.comment,
        "url": news.url,
        "details": dict(news.data),
    }
    return data | ({"test": True} if news.is_test else {})


def dispatch_of(event: str, news: News, delivery_id: str) -> dict[str, Any]:
    """The body of `POST /repos/…/dispatches`: at most ten keys of payload, and no more of it than GitHub takes."""
    data = data_of(news)
    data.pop("test", None)
    payload = {"delivery_id": delivery_id, "timestamp": _moment(news)} | data
    if len(json.dumps(payload)) > _GITHUB_TAKES:
        payload |= {"comment": news.comment[:1000], "details": {}}
    return {"event_type": f"{GITHUB_PREFIX}{event}", "client_payload": payload}


def secret_bytes(secret: str) -> bytes:
    """The key in a secret as the specification writes it. Raises InvalidParameter for anything else."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(SECRET_PREFIX) or not 24 <= len(key) <= 64:
        raise InvalidParameter(
            f"The secret of a standard webhook is '{SECRET_PREFIX}' and then 24 to 64 bytes in base64; "
            "leave it empty to have one made.",
            field="secret",
        )
    return key


def _moment(news: News) -> str:
    return news.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
