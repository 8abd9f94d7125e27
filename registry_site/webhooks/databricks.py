"""Deliveries as Databricks' model registry makes them: its events, its body, and a sentence that Slack shows. Pure."""

from collections.abc import Sequence
from typing import Any

from registry_site.audit.kinds import Kind
from registry_site.core.clock import to_ms
from registry_site.webhooks.news import News

STAGES = ("Staging", "Production", "Archived")
REGISTRY_WIDE = ("REGISTERED_MODEL_CREATED",)  # no single model is ever told of it
EVENTS = (
    "MODEL_VERSION_CREATED",
    "MODEL_VERSION_TRANSITIONED_STAGE",
    *(f"MODEL_VERSION_TRANSITIONED_TO_{stage.upper()}" for stage in STAGES),
    "TRANSITION_REQUEST_CREATED",
    *(f"TRANSITION_REQUEST_TO_{stage.upper()}_CREATED" for stage in STAGES),
    "COMMENT_CREATED",
    "MODEL_VERSION_TAG_SET",
    *REGISTRY_WIDE,
)
_EXCERPT = 500  # characters of a comment that the sentence holds


def events_of(news: News) -> Sequence[str]:
    """The events that an activity is: a change of stage is one by itself, and one of its stage."""
    if news.is_prompt or not news.model or "copy_to_id" in news.data:  # it knows no requests for copies
        return ()
    to_stage = news.data.get("to_stage")
    match news.kind:
        case Kind.MODEL_CREATED:
            return REGISTRY_WIDE
        case Kind.VERSION_CREATED:
            return ("MODEL_VERSION_CREATED",)
        case Kind.VERSION_STAGE_CHANGED:
            own = (f"MODEL_VERSION_TRANSITIONED_TO_{to_stage.upper()}",) if to_stage in STAGES else ()
            return ("MODEL_VERSION_TRANSITIONED_STAGE", *own)
        case Kind.REQUEST_CREATED:
            own = (f"TRANSITION_REQUEST_TO_{to_stage.upper()}_CREATED",) if to_stage in STAGES else ()
            return ("TRANSITION_REQUEST_CREATED", *own)
        case Kind.COMMENT_CREATED:
            return ("COMMENT_CREATED",)
        case Kind.VERSION_TAG_SET:
            return ("MODEL_VERSION_TAG_SET",)
    return ()


def kind_of(event: str) -> Kind:
    """The kind of activity that an event tells of."""
    if event.startswith("MODEL_VERSION_TRANSITIONED"):
        return Kind.VERSION_STAGE_CHANGED
    if event.startswith("TRANSITION_REQUEST"):
        return Kind.REQUEST_CREATED
    return {
        "MODEL_VERSION_CREATED": Kind.VERSION_CREATED,
        "COMMENT_CREATED": Kind.COMMENT_CREATED,
        "MODEL_VERSION_TAG_SET": Kind.VERSION_TAG_SET,
    }.get(event, Kind.MODEL_CREATED)


def body_of(event: str, news: News, webhook_id: str) -> dict[str, Any]:
    """What is sent; no source and no path of an artifact is in it."""
    body: dict[str, Any] = {
        "event": event,
        "webhook_id": webhook_id,
        "event_timestamp": to_ms(news.at),
        "model_name": news.model,
    }
    if news.version is not None:
        body["version"] = str(news.version)
    if news.kind in (Kind.VERSION_STAGE_CHANGED, Kind.REQUEST_CREATED):
        body |= {key: news.data[key] for key in ("from_stage", "to_stage") if key in news.data}
    if news.kind is Kind.VERSION_TAG_SET:
        body["tags"] = [{"key": news.data.get("key", ""), "value": news.data.get("after", "")}]
    if news.comment:
        body["comment"] = news.comment
    return body | {"text": text_of(news)}


def text_of(news: News) -> str:
    """A sentence and a link. Slack reads `<`, `>` and `&` as marks, so names cannot ring anybody's bell."""
    thing = f"version {news.version} of {news.model}" if news.version is not None else news.model
    stages = f"from {news.data.get('from_stage')} to {news.data.get('to_stage')}"
    match news.kind:
        case Kind.MODEL_CREATED:
            did = f"registered the model {thing}"
        case Kind.VERSION_CREATED:
            did = f"registered {thing}"
        case Kind.VERSION_STAGE_CHANGED:
            did = f"moved {thing} {stages}"
        case Kind.REQUEST_CREATED:
            did = f"asks to move {thing} {stages}"
        case Kind.COMMENT_CREATED:
            did = f"commented on {thing}"
        case _:
            did = f"set the tag {news.data.get('key')} of {thing} to {news.data.get('after')}"
    said = f": {news.comment[:_EXCERPT]}" if news.comment and not news.is_test else ""
    test = "This is a test of the webhook. " if news.is_test else ""
    text = f"{test}{news.actor or 'podium'} {did}{said}"
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") + f" {news.url}"
