"""What a token may be used for: a token for reading changes nothing, through whichever endpoint, and one without the
scope of administrators makes an ordinary person of one."""

import base64
import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from registry_site.accounts.actors import Actor
from registry_site.accounts.authentication import actor_from_header
from registry_site.accounts.models import ApiToken, User
from registry_site.accounts.scopes import Scope
from registry_site.accounts.services import create_token
from registry_site.audit.kinds import Origin
from registry_site.audit.models import Activity
from registry_site.core import clock
from registry_site.core.errors import PodiumError
from registry_site.mlflow_api.urls import MODULES
from tests.conftest import FrozenClock
from tests.doors import Api
from tests.make import PASSWORD, make_token
from tests.mlflow_api.endpoint_table import TABLE, Row, call, fill, filled
from tests.mlflow_api.flows import error_of

SENDING = {"registry-webhooks/test"}  # changes nothing here, and yet no token for reading may have it done
READING = ("SELECT", "SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT", "BEGIN", "PRAGMA")
LACKS_WRITE = (
    "This needs a token with the scope 'write', and this one has 'read'. "
    "Make one that has it at http://127.0.0.1:5000/settings/tokens."
)
LACKS_ADMIN = LACKS_WRITE.replace("'write'", "'admin'").replace("'read'", "'write'")


@pytest.fixture
def names(maria_actor: Actor, jon: User, eve: User, admin: User) -> dict[str, str]:
    """What the table may name."""
    return fill(maria_actor)


def with_scope(user: User, scope: Scope) -> Api:
    """A client that has called before, so that its token's last use is noted already."""
    client = Api(f"Bearer {make_token(user, scope)}")
    client.get("users/current")
    return client


class Deed:
    """A call, what it answered, and all that it changed; which is then taken back."""

    def __init__(self, root: Path, call: Callable[[], HttpResponseBase | None]) -> None:
        before = _files(root)
        with transaction.atomic(), CaptureQueriesContext(connection) as captured:
            self.answer = call()
            if isinstance(self.answer, StreamingHttpResponse):
                b"".join(self.answer)
            transaction.set_rollback(True)
        statements = [query["sql"].lstrip(" (\n") for query in captured.captured_queries]
        self.changes = [text for text in statements if not text.startswith(READING)]
        if _files(root) != before:
            self.changes.append("files")
            shutil.rmtree(root)
            for path, content in before.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)


def _files(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


# -- reading -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("row", TABLE, ids=str)
def test_a_token_for_reading_changes_nothing_through_any_endpoint(
    row: Row, names: dict[str, str], maria: User, admin: User, artifact_root: Path
) -> None:
    user = admin if row.by == "admin" else maria
    reader, writer = with_scope(user, Scope.READ), with_scope(user, Scope.ADMIN)
    arguments = filled(row.arguments, names)
    for root in row.roots:
        for method in row.methods:
            read = Deed(artifact_root, lambda: call(row, method, root, arguments).send(reader))  # noqa: B023  called at once
            written = Deed(artifact_root, lambda: call(row, method, root, arguments).send(writer))  # noqa: B023
            assert read.changes == []
            assert read.answer is not None
            assert written.answer is not None
            if written.changes:
                assert error_of(read.answer) == (403, "PERMISSION_DENIED", LACKS_WRITE)
            elif method in ("GET", "POST") and row.by != "admin" and row.path not in SENDING:
                refused = written.answer.status_code >= 400
                assert refused or read.answer.status_code == written.answer.status_code, (
                    "what changes nothing says `reads`"
                )


ENDPOINTS = {
    (method, endpoint.path): endpoint()
    for module in MODULES
    for endpoint in module.ENDPOINTS
    for method in endpoint.methods
    if method != "GET"
}


@pytest.mark.parametrize("row", [row for row in TABLE if (row.methods[-1], row.path) in ENDPOINTS], ids=str)
def test_behind_the_door_the_services_refuse_it_as_well(
    row: Row, names: dict[str, str], maria: User, admin: User, artifact_root: Path
) -> None:
    user = admin if row.by == "admin" else maria
    actors = [
        actor_from_header(f"Bearer {make_token(user, scope)}", origin=Origin.REST)
        for scope in (Scope.READ, Scope.ADMIN)
    ]
    given = filled(row.arguments, names)
    for method in {*row.methods} - {"GET"}:
        read, written = (Deed(artifact_root, lambda: answer_of(row, method, given, actor)) for actor in actors)  # noqa: B023
        assert "files" not in read.changes
        if written.changes:
            assert read.answer is None, "refused, and so rolled back"
        else:
            assert read.changes == []


def answer_of(row: Row, method: str, arguments: dict[str, Any], actor: Actor) -> HttpResponseBase | None:
    """What the endpoint answers to an actor who is past the door; None for a refusal."""
    one = call(row, method, "/", arguments)
    content = one.content if one.content is not None else b"" if one.json is None else json.dumps(one.json).encode()
    kind = "application/octet-stream" if one.content is not None else "application/json"
    request = RequestFactory().generic(method, one.address, content, content_type=kind)
    parts = {key: value for key, value in arguments.items() if f":{key}>" in row.path}
    try:
        return ENDPOINTS[method, row.path].respond(actor, request, **parts)
    except PodiumError:
        return None


# -- administrators ----------------------------------------------------------------------------------------------------
def test_without_the_scope_an_administrator_is_an_ordinary_person(admin: User) -> None:
    writer, ruler = with_scope(admin, Scope.WRITE), with_scope(admin, Scope.ADMIN)
    assert writer.get("users/current").json()["user"]["is_admin"] is False
    assert error_of(writer.get("users/list")) == (403, "PERMISSION_DENIED", LACKS_ADMIN)
    assert ruler.get("users/list").status_code == 200


def test_the_scope_makes_nobody_an_administrator(maria: User) -> None:
    refused = error_of(with_scope(maria, Scope.ADMIN).get("users/list"))
    assert refused == (403, "PERMISSION_DENIED", "Only administrators may do this.")


def test_who_sends_a_password_may_do_all_that_they_may(admin: User) -> None:
    header = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
    assert Api(f"Basic {header}").get("users/list").status_code == 200


@pytest.mark.parametrize("scheme", ["bearer", "basic"])
def test_the_scope_holds_however_the_token_is_sent(scheme: str, maria: User) -> None:
    token = make_token(maria, Scope.READ)
    credentials = token if scheme == "bearer" else base64.b64encode(f"maria:{token}".encode()).decode()
    client = Api(f"{scheme} {credentials}")
    assert client.get("registered-models/search").status_code == 200
    assert error_of(client.post("registered-models/create", {"name": "churn"}))[2] == LACKS_WRITE


# -- tokens that make tokens -------------------------------------------------------------------------------------------
def made_with(user: User, scope: Scope, expires_at: Any = None) -> Actor:
    text = make_token(user, scope)
    ApiToken.objects.filter(user=user).update(expires_at=expires_at)
    return actor_from_header(f"Bearer {text}", origin=Origin.REST)


def test_a_token_makes_none_that_may_do_more_or_lasts_longer(admin: User, frozen_clock: FrozenClock) -> None:
    now = clock.now()
    actor = made_with(admin, Scope.WRITE, now + timedelta(days=7))
    assert create_token(actor, username="admin", expires_at=now + timedelta(days=7))
    for more in (
        {"scope": Scope.ADMIN, "expires_at": now + timedelta(days=1)},
        {"expires_at": now + timedelta(days=8)},
        {"expires_at": None},
    ):
        with pytest.raises(PodiumError, match=r"^A token .* makes none "):
            create_token(actor, username="admin", **more)
    assert ApiToken.objects.count() == 2


def test_a_token_for_reading_makes_none_at_all(maria: User) -> None:
    answer = with_scope(maria, Scope.READ).post("/api/v1/tokens", {"scope": "read"})
    assert (answer.status_code, answer.json()["message"]) == (403, LACKS_WRITE)
    assert Activity.objects.count() == 0


def test_a_found_token_does_not_take_over_the_account(maria: User) -> None:
    client = with_scope(maria, Scope.WRITE)
    answer = client.patch("/api/v1/me", {"email": "eve@evil.example"})
    assert answer.status_code == 403
    assert answer.json()["message"].startswith("A token does not change the address that new passwords are mailed to")
    maria.set_unusable_password()
    maria.save()
    first = client.patch("users/update-password", {"username": "maria", "password": "a goat ate my umbrella"})
    assert error_of(first)[2].startswith("A token sets no first password")
    maria.refresh_from_db()
    assert maria.email == "maria@example.org"
    assert not maria.has_usable_password()


def test_the_native_api_takes_and_tells_scopes(maria: User, admin: User) -> None:
    made = with_scope(maria, Scope.WRITE).post("/api/v1/tokens", {"name": "dashboard", "scope": "read"})
    reader = Api(f"Bearer {made.json()['token']}")
    told = {one["name"]: one["scope"] for one in reader.get("/api/v1/tokens").json()["tokens"]}
    assert told == {"test": "write", "dashboard": "read"}
    refused = with_scope(maria, Scope.ADMIN).post("/api/v1/tokens", {"scope": "admin"}).json()
    assert refused["message"] == "The scope 'admin' is for administrators, and maria is none: choose 'write'."
    assert with_scope(maria, Scope.WRITE).post("/api/v1/tokens", {"scope": "root"}).status_code == 400


# -- what it costs -----------------------------------------------------------------------------------------------------
def test_a_call_with_a_token_asks_one_query_for_who_it_is(maria: User, django_assert_num_queries: Any) -> None:
    client = with_scope(maria, Scope.READ)
    with django_assert_num_queries(1):
        client.get("users/current")


def test_sessions_have_no_scope(maria: User) -> None:
    browser = Client()
    browser.force_login(maria)
    assert browser.patch("/api/v1/me", {"email": "m@example.org"}, content_type="application/json").status_code == 200
