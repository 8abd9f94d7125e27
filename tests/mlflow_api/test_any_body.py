"""Whatever is sent to an endpoint, the answer is JSON and no failure of the server."""

from typing import Any
from urllib.parse import quote

import pytest
from django.db import transaction
from django.http import HttpResponse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from tests.doors import Api
from tests.effort import little_effort
from tests.mlflow_api.endpoint_table import MLFLOW, PARAMETER, TABLE, Call, Row, call, fill, filled
from tests.mlflow_api.flows import error_of

ENDPOINTS = [(row, method) for row in TABLE for method in row.methods]
WITH_BODY = [
    (row, method) for row, method in ENDPOINTS if method != "GET" and row.roots == MLFLOW and row.status == 200
]

TEXTS = (
    "x" * 300, "x" * 70_000, "9" * 30, "-1", "1.5", "NaN", "1e999", "True", str(2**63), "\x00", "\ud800", "\U0001f680",
    " ", "%", "%00", "%2e%2e", "..", "../..", "/", "//", "a/../b", "a\\b", ".", "~", "é", "ǆ", "\u202e", "latest", "v1",
    "runs:/", "runs:/x/y", "models:/", "models:/churn@champion", "models:/churn/1", "models:/churn/" + "9" * 30,
    "models:/churn/٣", "models:/m-" + "0" * 32, "mlflow-artifacts:/", "mlflow-artifacts://[", "http://[", "s3://a?b#c",
    "name = 'a", "name = 'a' AND", "tags.`a` IS NULL", "metrics.a > 1e999", "name IN ()",
    "version_number > 99999999999999999999",
    "creation_time > 99999999999999999999", "name DESC", "metrics.`", "eyJvZmZzZXQiOiAxfQ==", "null", "[]", "{}",
)  # fmt: skip
NUMBERS = (0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 10**400, 0.1, 1e308, float("nan"), float("inf"))
ANY_TEXT = st.sampled_from(TEXTS) | st.text(max_size=12)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.sampled_from(NUMBERS) | st.integers() | st.floats() | ANY_TEXT,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(ANY_TEXT, inside, max_size=3),
    max_leaves=6,
)
BAD_BODIES = {
    "an array": b"[]",
    "an array of an object": b'[{"name": "churn"}]',
    "a string": b'"churn"',
    "a number": b"5",
    "true": b"true",
    "half an object": b'{"name": ',
    "a thousand levels": b'{"a":' * 1000 + b"1" + b"}" * 1000,
    "a million brackets": b"[" * 1_000_000,
    "NUL": b'{"other": "\\u0000"}',
    "a lone surrogate": b'{"other": "\\ud800"}',
}


@pytest.fixture
def names(maria_actor: Actor, jon: User, admin: User) -> dict[str, str]:
    """What the table may name."""
    return fill(maria_actor)


@pytest.fixture
def clients(names: dict[str, str], maria: User, admin: User) -> dict[str, Api]:
    """The clients who make the good calls."""
    return {user.username: Api().as_(user) for user in (maria, admin)}


def spoilt(value: Any) -> st.SearchStrategy[Any]:
    """The value, or another in its place, or the value with something in it spoilt."""
    choices = [st.just(value), ANYTHING]
    if isinstance(value, dict):
        choices.append(
            st.tuples(
                st.fixed_dictionaries({key: spoilt(item) for key, item in value.items()}),
                st.dictionaries(ANY_TEXT, ANYTHING, max_size=1),
            ).map(lambda both: both[0] | both[1])
        )
    if isinstance(value, list) and value:
        choices.append(st.lists(spoilt(value[0]), max_size=3))
    if isinstance(value, str):
        choices.append(ANY_TEXT)
    return st.one_of(choices)


@pytest.mark.parametrize(("row", "method"), ENDPOINTS, ids=[f"{method} {row.path}" for row, method in ENDPOINTS])
@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_whatever_comes_the_answer_is_json_and_no_failure(
    row: Row, method: str, names: dict[str, str], clients: dict[str, Api], data: st.DataObject
) -> None:
    good = filled(row.arguments, names)
    arguments = {key: data.draw(spoilt(value), key) for key, value in good.items()}
    arguments |= data.draw(st.dictionaries(ANY_TEXT, ANYTHING, max_size=2), "more")
    for name in PARAMETER.findall(row.path):
        arguments[name] = quote(str(arguments[name]), errors="surrogatepass")
    one = call(row, method, row.roots[0], arguments)
    answer = undone(one, clients[row.by])
    if not answer.streaming and answer.status_code != 200:
        assert error_of(answer)[0] in (400, 401, 403, 404, 405, 409, 413, 429, row.status), answer.content


@pytest.mark.parametrize(("row", "method"), WITH_BODY, ids=[f"{method} {row.path}" for row, method in WITH_BODY])
def test_a_bad_body_is_refused_at_once(row: Row, method: str, names: dict[str, str], clients: dict[str, Api]) -> None:
    address = call(row, method, row.roots[0], filled(row.arguments, names)).address
    for why, body in BAD_BODIES.items():
        with little_effort():
            answer = clients[row.by].raw(method, address, body)
        assert answer.status_code == 400, why
        assert error_of(answer)[1] == "INVALID_PARAMETER_VALUE", why


def test_a_body_of_a_hundred_megabytes_is_refused_unread(api: Api) -> None:
    body = b'{"name": "churn", "description": "' + b"x" * 100_000_000 + b'"}'
    with little_effort():
        status, code, message = error_of(api.raw("POST", "registered-models/create", body))
        assert (status, code) == (413, "INVALID_PARAMETER_VALUE")
        assert message == "The body of the request is larger than this server accepts."


def undone(one: Call, api: Api) -> HttpResponse:
    """The answer to a call whose effect on the database is then taken back."""
    with transaction.atomic():
        answer = one.send(api)
        if answer.streaming:
            list(answer.streaming_content)
        transaction.set_rollback(True)
    return answer
