"""What people paste when they know what they want: ids, and names as clients write them. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum

from registry_site.registry.stages import Stage


class Thing(StrEnum):
    """What a reference is to."""

    MODEL = "model"
    VERSION = "version"
    ALIAS = "alias"
    STAGE = "stage"
    REQUEST = "request"
    RUN = "run"
    LOGGED_MODEL = "logged model"


@dataclass(frozen=True, slots=True)
class Reference:
    """One thing. `name` is of a registered model, empty where a request is named by its number alone. `key` is the
    version, alias, stage or number there, else the run's or logged model's id. `path` is in its artifacts."""

    thing: Thing
    name: str = ""
    key: str = ""
    path: str = ""

    @property
    def number(self) -> int:
        """The key of a version or request."""
        return int(self.key)


_RUN = re.compile(r"(?:runs:/+)?([0-9a-f]{32})(?:/(.+))?", re.IGNORECASE)
_LOGGED_MODEL = re.compile(r"(?:models:/+)?(m-[0-9a-f]{32})(?:/(.+))?", re.IGNORECASE)
_REQUEST = re.compile(r"([^/:#]*)#(\d{1,18})")
_OF_MODEL = re.compile(r"(models:/+)?([^/:@#]+)(?:/([^/]+)|@([\w-]+))?")
_VERSION = re.compile(r"[vV]?(\d{1,18})")
_STAGES = {stage.value.lower(): stage for stage in Stage}


def read_reference(text: str) -> Reference | None:
    """What the text names exactly: a run's or logged model's id, `churn/3`, `models:/churn@champion`,
    `models:/churn/Production`, `churn#12` or `#12`; None where it is something to search for."""
    text = text.strip()
    if found := _RUN.fullmatch(text):
        return Reference(Thing.RUN, key=found[1].lower(), path=found[2] or "")
    if found := _LOGGED_MODEL.fullmatch(text):
        return Reference(Thing.LOGGED_MODEL, key=found[1].lower(), path=found[2] or "")
    if found := _REQUEST.fullmatch(text):
        return Reference(Thing.REQUEST, name=found[1].strip(), key=found[2])
    if found := _OF_MODEL.fullmatch(text):
        return _of_model(bool(found[1]), found[2], found[3] or "", found[4] or "")
    return None


def _of_model(is_uri: bool, name: str, rest: str, alias: str) -> Reference | None:
    if alias:
        return Reference(Thing.ALIAS, name, alias)
    if not rest:
        return Reference(Thing.MODEL, name) if is_uri else None
    if version := _VERSION.fullmatch(rest):
        return Reference(Thing.VERSION, name, version[1])
    if stage := _STAGES.get(rest.lower()):
        return Reference(Thing.STAGE, name, stage.value)
    return Reference(Thing.ALIAS, name, "latest") if rest.lower() == "latest" else None
