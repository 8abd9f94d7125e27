"""The formats of deliveries, in one place: which events each has, what it sends, and how a receiver knows whom it is
from. Pure."""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from registry_site.audit.kinds import Kind
from registry_site.core.errors import InvalidParameter
from registry_site.webhooks import databricks, signing, standard
from registry_site.webhooks.events import KINDS, Event, data_of, event_of, example_of
from registry_site.webhooks.news import News, example_news

ALL = standard.ALL


class Format(StrEnum):
    """How deliveries look. The value is stored."""

    STANDARD = "standard"
    MLFLOW = "mlflow"
    DATABRICKS = "databricks"
    GITHUB_DISPATCH = "github_dispatch"


_OF_PODIUM = (Format.STANDARD, Format.GITHUB_DISPATCH)


def parse_format(word: str) -> Format:
    """The format of this name. Raises InvalidParameter, which lists what there is."""
    try:
        return Format(word)
    except ValueError:
        raise InvalidParameter(
            f"There is no format '{word[:50]}' of webhooks; choose one of: {', '.join(Format)}.", field="format"
        ) from None


# -- events ------------------------------------------------------------------------------------------------------------
def events_of(format: Format, *, of_a_model: bool = False) -> Sequence[str]:
    """What a webhook of this format can ask for: of the whole registry, or of one registered model."""
    match format:
        case Format.MLFLOW:
            return [event.value for event in Event]
        case Format.DATABRICKS:
            return [event for event in databricks.EVENTS if not of_a_model or event not in databricks.REGISTRY_WIDE]
    return standard.events(of_a_model=of_a_model)


def checked_events(format: Format, events: Sequence[str], *, of_a_model: bool) -> list[str]:
    """The events, if they can be asked for. Raises InvalidParameter for none, one twice, or one that is not there."""
    if not events:
        raise InvalidParameter("A webhook needs at least one event.", field="events")
    if len(set(events)) < len(events):
        raise InvalidParameter("An event is named twice; name each once.", field="events")
    possible = list(events_of(format, of_a_model=of_a_model))
    if format in _OF_PODIUM:
        possible.append(ALL)
    for event in events:
        if event not in possible:
            where = "a webhook of one model" if of_a_model else "a webhook"
            raise InvalidParameter(
                f"'{str(event)[:60]}' is no event of {where} in the format '{format}'; there are: "
                f"{', '.join(possible)}.",
                field="events",
            )
    return [str(event) for event in events]


def told(format: Format, wanted: Sequence[str], news: News) -> Sequence[str]:
    """The events by which a webhook that asked for `wanted` is told of an activity."""
    found: Sequence[str] = ()
    if format is Format.MLFLOW:
        event = event_of(news.kind, is_prompt=news.is_prompt) if news.kind in KINDS else None
        found = (event.value,) if event else ()
    elif format is Format.DATABRICKS:
        found = databricks.events_of(news)
    else:
        return (news.kind.value,) if ALL in wanted or news.kind.value in wanted else ()
    return [event for event in found if event in wanted]


# -- bodies ------------------------------------------------------------------------------------------------------------
def body_of(format: Format, event: str, news: News, *, webhook_id: str, delivery_id: str) -> str:
    """What is sent for an event of this format, as JSON."""
    match format:
        case Format.MLFLOW:
            named = Event(event)
            return signing.body_of(named, data_of(named, news.model, news.version, news.data), news.at)
        case Format.DATABRICKS:
            return json.dumps(databricks.body_of(event, news, webhook_id))
        case Format.GITHUB_DISPATCH:
            return json.dumps(standard.dispatch_of(event, news, delivery_id))
    return json.dumps(standard.body_of(event, news))


def example_body(
    format: Format, event: str, *, model: str, site: str, at: datetime, webhook_id: str, delivery_id: str
) -> str:
    """What a test of an event sends."""
    if format is Format.MLFLOW:
        return signing.body_of(Event(event), example_of(Event(event)), at)
    if format is Format.DATABRICKS:
        kind = databricks.kind_of(event)
    else:
        kind = Kind.VERSION_CREATED if event == ALL else Kind(event)
        event = kind.value
    news = example_news(kind, model, site, at)
    return body_of(format, event, news, webhook_id=webhook_id, delivery_id=delivery_id)


# -- headers -----------------------------------------------------------------------------------------------------------
def headers_of(
    format: Format, delivery_id: str, body: str, secrets: Sequence[str], at: datetime, *, authorization: str = ""
) -> dict[str, str]:
    """The headers of one attempt, made at that moment. The first of `secrets` is the present one; only the standard
    format signs with the others too, as no other has a place for a second signature."""
    present = secrets[0] if secrets else ""
    match format:
        case Format.MLFLOW:
            headers = signing.headers_of(delivery_id, body, present, at)
        case Format.DATABRICKS:
            headers = {"Content-Type": "application/json"}
            if present:
                digest = hmac.digest(present.encode(), body.encode(), hashlib.sha256)
                headers["X-Databricks-Signature"] = digest.hex()
        case Format.GITHUB_DISPATCH:
            return {
                "Content-Type": "application/json",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
                "Authorization": f"Bearer {present}",
            }
        case Format.STANDARD:
            headers = _standard_headers(delivery_id, body, secrets, at)
    return headers | ({"Authorization": authorization} if authorization else {})


def _standard_headers(delivery_id: str, body: str, secrets: Sequence[str], at: datetime) -> dict[str, str]:
    timestamp = str(int(at.timestamp()))
    signed = f"{delivery_id}.{timestamp}.{body}".encode()
    signatures = [
        base64.b64encode(hmac.digest(standard.secret_bytes(secret), signed, hashlib.sha256)).decode()
        for secret in secrets
    ]
    return {
        "Content-Type": "application/json",
        "webhook-id": delivery_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
