"""The native API describes itself, and a page shows it."""

import json
import re

from django.test import Client
from django.urls import get_resolver

from registry_site.accounts.models import User
from tests.doors import Api

SCHEMA = "/api/v1/schema"


def schema(api: Api) -> dict[str, dict[str, dict[str, dict[str, object]]]]:
    found: dict[str, dict[str, dict[str, dict[str, object]]]] = json.loads(api.get(SCHEMA, {"format": "json"}).content)
    return found


def test_every_address_is_described_with_its_answers_and_refusals(api: Api, maria: User) -> None:
    door = next(one for one in get_resolver().url_patterns if str(one.pattern) == "api/v1/")
    routes = {str(one.pattern) for one in door.url_patterns if "path>" not in str(one.pattern)} - {"schema"}
    told = schema(api)["paths"]
    assert {path.removeprefix("/api/v1/") for path in told} == {re.sub(r"<\w+:(\w+)>", r"{\1}", one) for one in routes}
    for path, methods in told.items():
        for method, described in methods.items():
            answers = described["responses"]
            assert isinstance(answers, dict)
            assert any(status.startswith("2") for status in answers), f"{method} {path}"
            assert "401" in answers, f"{method} {path}"


def test_the_page_shows_it_to_who_is_signed_in(maria: User) -> None:
    browser = Client()
    stranger = browser.get("/api-docs")
    assert (stranger.status_code, stranger.headers["Location"]) == (302, "/sign-in?next=/api-docs")
    browser.force_login(maria)
    page = browser.get("/api-docs")
    text = page.content.decode()
    assert page.status_code == 200
    assert "<style" not in text, "the site's policy forbids styles inside of pages"
    assert not re.search(r"<script(?![^>]* src=)", text)
    [script] = re.findall(r'src="(/api-docs\?script=)"', text)
    assert SCHEMA in browser.get(script).content.decode()
