"""Every endpoint of the protocol, by the table: what a good call is answered, under every root and in every way that
clients send it, and every refusal that clients are told of."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.mlflow_api.urls import urlpatterns
from tests.doors import Api
from tests.mlflow_api.endpoint_table import INVALID, PARAMETER, TABLE, Call, Refusal, Row, call, fill, filled
from tests.mlflow_api.flows import error_of


@pytest.fixture
def names(maria_actor: Actor, jon: User, eve: User, admin: User) -> dict[str, str]:
    """What the table may name."""
    return fill(maria_actor)


@pytest.fixture
def clients(names: dict[str, str], maria: User, jon: User, eve: User, admin: User) -> dict[str, Api]:
    """A client of everybody, by name."""
    return {user.username: Api().as_(user) for user in (maria, jon, eve, admin)}


# -- the table is complete ---------------------------------------------------------------------------------------------
def test_every_endpoint_has_a_row_and_every_row_an_endpoint() -> None:
    rows = [
        (method, root.removeprefix("/") + row.path) for row in TABLE for root in row.roots for method in row.methods
    ]
    assert len(rows) == len(set(rows)), "no endpoint has two rows"
    assert set(rows) == set(endpoints(urlpatterns, ""))


def endpoints(patterns: list[URLPattern | URLResolver], root: str) -> Iterator[tuple[str, str]]:
    """Every method and route of these, but for the last one, which answers all that there is not."""
    for pattern in patterns:
        route = root + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from endpoints(pattern.url_patterns, route)
        elif not route.startswith("^(?:ajax-)?api"):
            address = "/" + PARAMETER.sub("x", route)
            allowed = Client().generic("TRACE", address).headers["Allow"]  # no endpoint takes TRACE
            yield from ((method, route) for method in allowed.split(", "))


# -- good calls --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("row", TABLE, ids=str)
def test_a_good_call(row: Row, names: dict[str, str], clients: dict[str, Api]) -> None:
    arguments = filled(row.arguments, names)
    answers = [undone(one, clients[row.by]) for one in every_way(row, arguments)]
    for answer in answers:
        assert answer.status_code == row.status, said(answer)
        if row.error_code:
            assert error_of(answer)[:2] == (row.status, row.error_code)
        elif isinstance(row.answer, bytes):
            assert said(answer) == row.answer
        elif row.answer is None:
            assert answer.content == b""
        else:
            assert answer.headers["Content-Type"] == "application/json"
            assert keys(json.loads(answer.content)) == keys_of_the_table(row.answer)
    assert len({json.dumps(shape(answer)) for answer in answers}) == 1, "every way is answered alike"


def every_way(row: Row, arguments: dict[str, Any]) -> Iterator[Call]:
    """The call under every root and by every method; with GET and DELETE also with a JSON body and a query."""
    for root in row.roots:
        for method in row.methods:
            ordinary = call(row, method, root, arguments)
            yield ordinary
            if isinstance(row.answer, dict) and row.path != "artifacts":
                if method == "GET" and ordinary.query:
                    yield replace(ordinary, query={}, json=ordinary.query)
                elif method == "DELETE" and ordinary.json:
                    yield replace(ordinary, query=ordinary.json, json=None)


def undone(one: Call, api: Api) -> HttpResponse:
    """The answer to a call whose effect on the database is then taken back."""
    with transaction.atomic():
        answer = one.send(api)
        transaction.set_rollback(True)
    return answer


def said(answer: HttpResponse) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def keys(answer: dict[str, Any]) -> dict[str, set[str] | None]:
    """The keys of an answer and, below each, those of the object or of the first object of the list."""
    return {key: below(value) for key, value in answer.items()}


def below(value: Any) -> set[str] | None:
    first = value[0] if isinstance(value, list) and value else value
    return set(first) if isinstance(first, dict) else None


def keys_of_the_table(answer: dict[str, Any]) -> dict[str, set[str] | None]:
    return {key: None if below is None else set(below) for key, below in answer.items()}


def shape(answer: HttpResponse) -> Any:
    """An answer without what differs from call to call: ids, numbers and times."""
    text = said(answer).decode() if not answer.streaming else ""
    return re.sub(
        r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]+|\"(?:next_page_token|signed_uri)\":\"[^\"]*\"",
        "…",
        text,
    )


# -- refusals ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("row", [row for row in TABLE if row.refusals], ids=str)
def test_every_refusal(row: Row, names: dict[str, str], clients: dict[str, Api]) -> None:
    refused = [(refusal, refusals(row, refusal, names, clients)) for refusal in row.refusals]
    wrong = [(refusal, said) for refusal, said in refused if {one[:2] for one in said} != {refusal.answer}]
    assert not wrong
    for refusal, said in refused:
        assert len(said) == 1, f"every root uses the same words: {refusal}"


@pytest.mark.parametrize("row", [row for row in TABLE if row.required], ids=str)
def test_every_required_argument(row: Row, names: dict[str, str], clients: dict[str, Api]) -> None:
    for name in row.required:
        empty: Any = [] if isinstance(row.arguments[name], list) else ""
        for absent, start in ((None, "Missing value for"), (empty, ("Missing value for", "Invalid value"))):
            said = refusals(row, Refusal(INVALID, {name: absent}), names, clients)
            assert {one[:2] for one in said} == {INVALID}
            (_, _, message) = said.pop()
            assert message.startswith(start)
            assert f"parameter '{name}'" in message


def refusals(row: Row, refusal: Refusal, names: dict[str, str], clients: dict[str, Api]) -> set[tuple[int, str, str]]:
    """Status, code and message of a refusal, by every method and under every root."""
    changed = {**row.arguments, **refusal.changes}
    arguments = filled({key: value for key, value in changed.items() if value is not None}, names)
    api = clients[refusal.by or row.by]
    return {error_of(undone(call(row, method, root, arguments), api)) for root in row.roots for method in row.methods}
