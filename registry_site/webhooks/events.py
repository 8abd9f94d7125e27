"""What a webhook can ask to be told of, in MLflow's words, and how history tells it. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from registry_site.audit.kinds import Kind
from registry_site.core.errors import InvalidParameter

PROMPT_TEXT_TAG = "mlflow.prompt.text"
_OWN_PROMPT_TAGS = "mlflow.prompt."


class Event(StrEnum):
    """`entity.action`, as a delivery tells it."""

    REGISTERED_MODEL_CREATED = "registered_model.created"
    MODEL_VERSION_CREATED = "model_version.created"
    MODEL_VERSION_TAG_SET = "model_version_tag.set"
    MODEL_VERSION_TAG_DELETED = "model_version_tag.deleted"
    MODEL_VERSION_ALIAS_CREATED = "model_version_alias.created"
    MODEL_VERSION_ALIAS_DELETED = "model_version_alias.deleted"
    PROMPT_CREATED = "prompt.created"
    PROMPT_VERSION_CREATED = "prompt_version.created"
    PROMPT_TAG_SET = "prompt_tag.set"
    PROMPT_TAG_DELETED = "prompt_tag.deleted"
    PROMPT_VERSION_TAG_SET = "prompt_version_tag.set"
    PROMPT_VERSION_TAG_DELETED = "prompt_version_tag.deleted"
    PROMPT_ALIAS_CREATED = "prompt_alias.created"
    PROMPT_ALIAS_DELETED = "prompt_alias.deleted"
    BUDGET_POLICY_EXCEEDED = "budget_policy.exceeded"  # may be asked for; nothing here has a budget

    @property
    def entity(self) -> str:
        return self.value.partition(".")[0]

    @property
    def action(self) -> str:
        return self.value.partition(".")[2]


# By kind: the event for a model, and the one for a prompt.
_EVENTS: Mapping[Kind, tuple[Event | None, Event | None]] = {
    Kind.MODEL_CREATED: (Event.REGISTERED_MODEL_CREATED, Event.PROMPT_CREATED),
    Kind.VERSION_CREATED: (Event.MODEL_VERSION_CREATED, Event.PROMPT_VERSION_CREATED),
    Kind.VERSION_TAG_SET: (Event.MODEL_VERSION_TAG_SET, Event.PROMPT_VERSION_TAG_SET),
    Kind.VERSION_TAG_DELETED: (Event.MODEL_VERSION_TAG_DELETED, Event.PROMPT_VERSION_TAG_DELETED),
    Kind.ALIAS_SET: (Event.MODEL_VERSION_ALIAS_CREATED, Event.PROMPT_ALIAS_CREATED),
    Kind.ALIAS_DELETED: (Event.MODEL_VERSION_ALIAS_DELETED, Event.PROMPT_ALIAS_DELETED),
    Kind.MODEL_TAG_SET: (None, Event.PROMPT_TAG_SET),
    Kind.MODEL_TAG_DELETED: (None, Event.PROMPT_TAG_DELETED),
}
KINDS = frozenset(_EVENTS)


def parse_event(entity: str, action: str) -> Event:
    """The event of an entity and an action, in any letter case. Raises InvalidParameter, which lists what there is."""
    actions = [event.action for event in Event if event.entity == entity.lower()]
    if not actions:
        entities = ", ".join(dict.fromkeys(event.entity.upper() for event in Event))
        raise InvalidParameter(f"Invalid entity '{entity}' of an event. Valid entities are: {entities}", field="events")
    if action.lower() not in actions:
        raise InvalidParameter(
            f"Invalid action '{action.lower()}' for entity '{entity.lower()}'. Valid actions are: {actions}",
            field="events",
        )
    return Event(f"{entity.lower()}.{action.lower()}")


def event_of(kind: Kind, *, is_prompt: bool) -> Event | None:
    """The event that an activity of this kind is, if it is any."""
    return _EVENTS.get(kind, (None, None))[is_prompt]


def data_of(event: Event, model: str, number: int | None, data: Mapping[str, Any]) -> dict[str, Any]:
    """What a delivery of this event says, of the `data` of its activity about a model (or prompt) or a version."""
    name, version = {"name": model}, {"version": str(number)}
    match event.entity, event.action:
        case "registered_model", _:
            return name | {"tags": data["tags"], "description": data["description"]}
        case "prompt", _:
            return name | {"tags": _own(data["tags"]), "description": data["description"]}
        case "model_version", _:
            return name | version | {key: data[key] for key in ("source", "run_id", "tags", "description")}
        case "prompt_version", _:
            text = {"template": data["tags"].get(PROMPT_TEXT_TAG, "")}
            return name | version | text | {"tags": _own(data["tags"]), "description": data["description"]}
        case ("prompt_tag" | "model_version_tag" | "prompt_version_tag") as entity, action:
            key = {"key": data["key"]} | ({"value": data["after"]} if action == "set" else {})
            return name | (key if entity == "prompt_tag" else version | key)
        case _, "created":
            return name | {"alias": data["alias"], "version": str(data["after"])}
        case _:
            return name | {"alias": data["alias"]}


def _own(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that people gave a prompt."""
    return {key: value for key, value in tags.items() if not key.startswith(_OWN_PROMPT_TAGS)}


def example_of(event: Event) -> dict[str, Any]:
    """What a test of this event says."""
    if event is Event.BUDGET_POLICY_EXCEEDED:
        return {"budget_policy_id": "example-policy"}
    tags = {"team": "risk", PROMPT_TEXT_TAG: "Is {{ customer }} about to leave?"}
    data = {
        "tags": tags if event.entity.startswith("prompt") else {"team": "risk"},
        "description": "Sent by a test of the webhook.",
        "source": "runs:/0123456789abcdef0123456789abcdef/model",
        "run_id": "0123456789abcdef0123456789abcdef",
        "key": "team",
        "alias": "champion",
        "after": 1 if "alias" in event.entity else "risk",
    }
    return data_of(event, "example", 1, data)
