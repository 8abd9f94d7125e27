"""What a line of the log looks like: a record, the request that it belongs to, and never a secret. Knows no Django."""

import json
import logging
import re
from datetime import UTC, datetime

from registry_site.core.requests import current_request_id

SECRETS_START_WITH = "podium_"  # every token and link that Podium hands out, so that scanners find a leaked one
_SECRET = re.compile(rf"{SECRETS_START_WITH}[\w-]{{20,}}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def without_secrets(text: str) -> str:
    """The text, with nothing left of a token or link but how it starts."""
    return _SECRET.sub(f"{SECRETS_START_WITH}…", text)


class Lines(logging.Formatter):
    """For people: a line for each record. Whatever follows, such as a traceback, is indented, so that no text from
    outside can pass for a record of its own."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s%(request)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        name = current_request_id()
        record.request = f" [{name}]" if name else ""
        record.message = _CONTROL.sub(_escaped, record.message)
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets("\n  ".join(super().format(record).splitlines()))


class Json(logging.Formatter):
    """For machines: an object in a line for each record."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if name := current_request_id():
            told["request_id"] = name
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return without_secrets(json.dumps(told))


FORMATTERS: dict[str, type[logging.Formatter]] = {"line": Lines, "json": Json}


def _escaped(control: re.Match[str]) -> str:
    return control[0].encode("unicode_escape").decode()
