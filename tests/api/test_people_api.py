"""The native API: oneself, one's tokens, and how it refuses."""

from datetime import UTC, datetime, timedelta

import pytest
from django.http import HttpResponse
from django.test import Client

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import ApiToken, User
from registry_site.core import clock
from tests.doors import Api

ME = "/api/v1/me"
TOKENS = "/api/v1/tokens"


def problem(answer: HttpResponse) -> tuple[int, str, str]:
    body = answer.json()
    assert set(body) <= {"code", "message", "field"}
    assert body["message"]
    return answer.status_code, body["code"], body.get("field", "")


# -- who I am ----------------------------------------------------------------------------------------------------------
def test_maria_reads_and_changes_her_profile(api: Api, maria: User) -> None:
    assert api.get(ME).json() == {
        "username": "maria",
        "is_admin": False,
        "display_name": maria.display_name,
        "email": maria.email,
        "time_zone": "UTC",
    }
    changed = api.patch(ME, {"time_zone": "Europe/Berlin", "display_name": "Maria M."})
    assert changed.status_code == 200
    assert changed.json()["time_zone"] == "Europe/Berlin"
    maria.refresh_from_db()
    assert (maria.display_name, maria.time_zone) == ("Maria M.", "Europe/Berlin")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"email": "not an address"}, "email"),
        ({"display_name": "x" * 151}, "display_name"),
        ({"display_name": ["x"]}, "display_name"),
        ({"display_name": None}, "display_name"),
    ],
)
def test_a_wrong_value_is_named_and_nothing_changes(
    changes: dict[str, object], field: str, api: Api, maria: User
) -> None:
    before = User.objects.values().get(pk=maria.pk)
    assert problem(api.patch(ME, changes)) == (400, "INVALID_PARAMETER_VALUE", field)
    assert User.objects.values().get(pk=maria.pk) == before


def test_nobody_makes_themselves_an_administrator(api: Api, maria: User) -> None:
    assert api.patch(ME, {"is_admin": True, "is_superuser": True, "username": "admin"}).status_code == 200
    maria.refresh_from_db()
    assert (maria.is_superuser, maria.username) == (False, "maria")


# -- tokens ------------------------------------------------------------------------------------------------------------
def test_a_token_is_made_shown_once_used_listed_and_revoked(api: Api, maria: User) -> None:
    made = api.post(TOKENS, {"name": "ci", "days": 30})
    assert made.status_code == 201
    text = made.json()["token"]
    assert Api(f"Bearer {text}").get(ME).status_code == 200
    listed = api.get(TOKENS)
    assert text not in listed.content.decode()
    [token] = [one for one in listed.json()["tokens"] if one["name"] == "ci"]
    expires = datetime.fromisoformat(token["expires_at"])
    assert abs(expires - datetime.now(UTC) - timedelta(days=30)) < timedelta(minutes=1)
    assert api.delete(f"{TOKENS}/{token['id']}").status_code == 204
    assert problem(Api(f"Bearer {text}").get(ME))[:2] == (401, "UNAUTHENTICATED")
    assert problem(api.delete(f"{TOKENS}/{token['id']}"))[:2] == (404, "RESOURCE_DOES_NOT_EXIST")


def test_nobody_ends_the_token_of_somebody_else(api: Api, maria: User, jon: User) -> None:
    token = ApiToken.objects.create(
        user=jon, name="his", prefix="podium_abcde", digest="0" * 64, created_at=clock.now()
    )
    assert problem(api.delete(f"{TOKENS}/{token.pk}"))[:2] == (404, "RESOURCE_DOES_NOT_EXIST")
    token.refresh_from_db()
    assert token.revoked_at is None
    assert "his" not in api.get(TOKENS).content.decode()


@pytest.mark.parametrize("wanted", [{"days": 0}, {"days": "soon"}, {"days": 10**9}, {"name": "x" * 101}, {"name": {}}])
def test_an_odd_token_is_not_made(wanted: dict[str, object], api: Api, maria: User) -> None:
    before = ApiToken.objects.count()
    assert problem(api.post(TOKENS, wanted))[:2] == (400, "INVALID_PARAMETER_VALUE")
    assert ApiToken.objects.count() == before


# -- how one comes in --------------------------------------------------------------------------------------------------
def test_a_session_reads_and_writes_only_with_its_token_against_forgery(maria: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(maria)
    assert browser.get(ME).json()["username"] == "maria"
    forged = browser.patch(ME, {"display_name": "Eve"}, content_type="application/json")
    assert problem(forged)[:2] == (403, "PERMISSION_DENIED")
    maria.refresh_from_db()
    assert maria.display_name != "Eve"


def test_a_header_wins_over_a_session(maria: User, jon: User, api: Api) -> None:
    browser = Client()
    browser.force_login(jon)
    answer = browser.get(ME, headers=api.as_(maria)._headers)
    assert answer.json()["username"] == "maria"


def test_a_wrong_token_is_refused_though_there_is_a_session(maria: User) -> None:
    browser = Client()
    browser.force_login(maria)
    answer = browser.get(ME, headers={"Authorization": "Bearer podium_made_up"})
    assert problem(answer)[:2] == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/v1/nothing", "", 404),
        ("DELETE", ME, "", 405),
        ("PATCH", ME, "{", 400),
        ("PATCH", ME, "[]", 400),
        ("PATCH", ME, '"text"', 400),
        ("POST", TOKENS, '{"name": "a\\u0000b"}', 400),
        ("DELETE", f"{TOKENS}/99999999999999999999999", "", 404),
    ],
)
def test_whatever_is_wrong_the_answer_is_a_problem_in_json(
    method: str, path: str, body: str, status: int, api: Api, maria: User
) -> None:
    answer = api.raw(method, path, body)
    assert problem(answer)[0] == status
    assert answer.headers["Content-Type"] == "application/json"


def test_history_tells_of_tokens_by_their_prefix(api: Api, maria: User, admin_actor: Actor, admin: User) -> None:
    text = api.post(TOKENS, {"name": "ci"}).json()["token"]
    told = api.as_(admin).get("/api/v1/activities", {"kind": "token.created", "actor": "maria"})
    assert text not in told.content.decode()
    assert told.json()["activities"][0]["data"]["prefix"] == text[:12]
