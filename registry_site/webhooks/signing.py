"""The body of a delivery, and the headers that prove whom it is from, in MLflow's format. Pure."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from registry_site.webhooks.events import Event


def body_of(event: Event, data: Mapping[str, Any], at: datetime) -> str:
    """What is sent: JSON with the moment of the event in UTC."""
    return json.dumps(
        {
            "entity": event.entity,
            "action": event.action,
            "timestamp": at.astimezone(UTC).isoformat(),
            "data": dict(data),
        }
    )


def headers_of(delivery_id: str, body: str, secret: str, at: datetime) -> dict[str, str]:
    """The headers of one attempt, made at that moment. The id is the same for every attempt of a delivery."""
    timestamp = str(int(at.timestamp()))
    headers = {
        "Content-Type": "application/json",
        "X-MLflow-Delivery-Id": delivery_id,
        "X-MLflow-Timestamp": timestamp,
    }
    if secret:
        digest = hmac.digest(secret.encode(), f"{delivery_id}.{timestamp}.{body}".encode(), hashlib.sha256)
        headers["X-MLflow-Signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers
