"""Every address there is, asked by somebody who is not signed in: refused, but for the few that are listed here."""

import re
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse
from django.urls.resolvers import RegexPattern, RoutePattern

pytestmark = pytest.mark.once

PUBLIC = {  # no more than signing in and out takes, and what clients ask before they have credentials
    "health",
    "version",
    ".well-known/databricks-config",
    "api/3.0/mlflow/server-info",
    "ajax-api/3.0/mlflow/server-info",
    "sign-in",
    "sign-out",
    "theme",
    "welcome/<str:secret>",
    "invitation/<str:secret>",
    "forgotten-password",
    "new-password/<str:secret>",
    "unsubscribe/<str:token>",
    "admin/logout/",
    # The proof is in the address.
    "shown/<str:signature>/logged-models/<str:model_id>/<path:path>",
    "shown/<str:signature>/models/<name:name>/<int:version>/<path:path>",
    "shown/<str:signature>/runs/<str:run_id>/<path:path>",
    "api/2.0/mlflow/model-versions/signed/<str:signature>/<str:name>/<str:version>/<path:path>",
}
UNKNOWN_API_PATHS = {  # answered with a JSON 404, whoever asks
    r"^(?:ajax-)?api(?:/.*)?\Z": "api/nothing-here",
    r"^(?P<path>.*)\Z": "nothing-here",
}
FOR_PROGRAMS = {"models/<name:name>/<str:called>/archive.<archive:extension>"}
SAMPLES = {"int": "1", "str": "x", "path": "x/y", "name": "churn", "archive": "zip", "slug": "x", "uuid": "0" * 32}
PARAMETER = re.compile(r"<(?:(?P<converter>\w+):)?\w+>")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
JSON_ROOTS = ("api/", "ajax-api/", "get-artifact", "model-versions/get-artifact")


def addresses() -> Iterator[tuple[str, str]]:
    """Every route of the site and an address that it matches. Fails for a route that it cannot build an address of."""
    return _below(get_resolver().url_patterns, "", "")


def _below(patterns: list[URLPattern | URLResolver], route: str, address: str) -> Iterator[tuple[str, str]]:
    for each in patterns:
        part = str(each.pattern).removeprefix("^") if route else str(each.pattern)
        here = route + part, address + _sample(each.pattern)
        if isinstance(each, URLResolver):
            yield from _below(each.url_patterns, *here)
        else:
            yield here


def _sample(pattern: RoutePattern | RegexPattern) -> str:
    text = str(pattern)
    if text in UNKNOWN_API_PATHS:
        return UNKNOWN_API_PATHS[text]
    if isinstance(pattern, RegexPattern):
        return _sample_of_the_admin_site(text)
    return PARAMETER.sub(lambda parameter: SAMPLES[parameter["converter"] or "str"], text)


def _sample_of_the_admin_site(text: str) -> str:
    if text == "(?P<url>.*)$":
        return "nothing-here"
    if match := re.fullmatch(r"\^\(\?P<app_label>([a-z]+)[a-z|]*\)/\$", text):
        return f"{match[1]}/"
    raise AssertionError(f"no address is known for the route {text}: give one in SAMPLES")


ROUTES = dict(addresses())


def test_the_walk_finds_the_site() -> None:
    assert len(ROUTES) > 150
    assert {"health", "api/2.0/mlflow/registered-models/create", "models", "admin/"} <= ROUTES.keys()
    assert ROUTES.keys() >= PUBLIC, "what is listed as public is there"


@pytest.mark.django_db
@pytest.mark.parametrize("route", sorted(ROUTES.keys() - PUBLIC))
def test_a_stranger_is_refused(route: str) -> None:
    address = f"/{ROUTES[route]}"
    assert resolve(address).route == route, f"{address} leads elsewhere"
    client = Client(raise_request_exception=True)
    answers = {method: client.generic(method, address) for method in METHODS}
    if route.endswith(tuple(text.removeprefix("^") for text in UNKNOWN_API_PATHS)):
        assert {answer.status_code for answer in answers.values()} == {404}
        assert {code_of(answer) for answer in answers.values()} == {"ENDPOINT_NOT_FOUND"}
        return
    understood = {method: answer for method, answer in answers.items() if answer.status_code != 405}
    assert understood, f"{address} answers no method"
    for method, answer in understood.items():
        if route.startswith(JSON_ROOTS):
            assert (answer.status_code, code_of(answer)) == (401, "UNAUTHENTICATED"), method
        elif route in FOR_PROGRAMS:
            assert (answer.status_code, answer.headers["Content-Type"]) == (401, "text/plain; charset=utf-8"), method
        else:
            assert answer.status_code == 302, f"{method} {address}: {answer.status_code}"
            assert answer.headers["Location"].startswith(
                (f"{reverse(settings.LOGIN_URL)}?next=", "/admin/login/?next=")
            ), method


def code_of(answer: HttpResponse) -> str:
    """The code of a refusal: MLflow's name for it, or the native API's."""
    body = answer.json()
    return str(body.get("error_code") or body["code"])
