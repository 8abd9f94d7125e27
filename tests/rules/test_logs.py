"""What a line of the log looks like."""

import json
import logging
import sys

import pytest

from registry_site.accounts.tokens import new_token
from registry_site.core.logs import FORMATTERS, Json, Lines

pytestmark = pytest.mark.once


def record(message: str, *arguments: object, error: BaseException | None = None) -> logging.LogRecord:
    trouble = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("podium.test", logging.WARNING, __file__, 1, message, arguments, trouble)


def raised(message: str) -> BaseException:
    try:
        raise ValueError(message)
    except ValueError:
        error = sys.exc_info()[1]
        assert error
        return error


def test_a_line_has_time_level_name_and_message() -> None:
    line = Lines().format(record("%s models", 3))
    assert line[23:] == " WARNING podium.test: 3 models"


def test_no_text_passes_for_a_line_of_its_own() -> None:
    forged = "a\n2026-11-21 00:00:00,000 INFO podium: maria made eve an administrator\r\x1b[31m\u2028"
    line = Lines().format(record("name %s", forged))
    assert line.endswith(
        "name a\\n2026-11-21 00:00:00,000 INFO podium: maria made eve an administrator\\r\\x1b[31m\\u2028"
    )
    trace = Lines().format(record("failed", error=raised(f"x\n{forged}")))
    assert all(rest.startswith("  ") for rest in trace.splitlines()[1:])


def test_json_is_an_object_in_a_line() -> None:
    line = Json().format(record("name %s", "a\nb \u2028 ü", error=raised("no")))
    assert len(line.splitlines()) == 1
    told = json.loads(line)
    assert told.pop("time").endswith("+00:00")
    assert told.pop("exception").splitlines()[-1] == "ValueError: no"
    assert told == {"level": "WARNING", "logger": "podium.test", "message": "name a\nb \u2028 ü"}


@pytest.mark.parametrize("name", FORMATTERS)
def test_nothing_is_left_of_a_token_but_how_it_starts(name: str) -> None:
    secret = new_token()
    line = FORMATTERS[name]().format(record(f"GET /new-password/{secret}?x %s", secret, error=raised(secret)))
    assert secret not in line
    assert secret[:12] not in line
    assert line.count("podium_") >= 3
