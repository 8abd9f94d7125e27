"""Every address there is, asked by people of every level: one table says who may do what.

A family of routes has a default, and exceptions are named. A route that neither names fails here: give it a row.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import ApiToken, User
from registry_site.audit.models import Activity
from tests.architecture.test_every_url_refuses_strangers import ROUTES, UNKNOWN_API_PATHS
from tests.doors import Api
from tests.levels import (
    ADMINISTRATORS,
    ALL,
    AUTHOR,
    AUTHOR_OR_ADMINISTRATORS,
    EDIT,
    MANAGE,
    NONE,
    OWN,
    PEOPLE,
    PEOPLE_BY_LEVEL,
    READ,
    STAGING,
    Need,
    make_person,
    outcome_for,
)
from tests.make import grant_on_experiments, make_user
from tests.mlflow_api.endpoint_table import ARTIFACTS, TABLE, Row, call, fill, filled

pytestmark = pytest.mark.django_db

# -- MLflow's and Databricks' protocol: by the first part of a path who may GET, and who may do all else ---------------
FAMILIES: dict[str, tuple[Need, Need]] = {
    ".well-known": (ALL, ALL),
    "activities": (READ, EDIT),
    "artifacts": (READ, EDIT),
    "comments": (READ, READ),
    "databricks": (READ, EDIT),
    "experiments": (READ, EDIT),
    "get-artifact": (READ, EDIT),
    "health": (ALL, ALL),
    "logged-models": (READ, EDIT),
    "metrics": (OWN, EDIT),
    "model-versions": (READ, EDIT),
    "mpu": (READ, EDIT),
    "permissions": (READ, MANAGE),
    "presigned": (READ, READ),
    "preview": (PEOPLE, PEOPLE),  # oneself
    "registered-models": (READ, EDIT),
    "registry-webhooks": (MANAGE, MANAGE),
    "runs": (READ, EDIT),
    "server-info": (ALL, ALL),
    "transition-requests": (READ, STAGING),
    "users": (ADMINISTRATORS, ADMINISTRATORS),
    "version": (ALL, ALL),
    "webhooks": (ADMINISTRATORS, ADMINISTRATORS),
}
EXCEPTIONS: dict[str, Need] = {
    "artifacts": OWN,
    "artifacts/presigned-download-url": READ,
    "comments/delete": AUTHOR_OR_ADMINISTRATORS,
    "comments/update": AUTHOR,
    "databricks/model-versions/transition-stage": STAGING,
    "experiments/create": PEOPLE,
    "experiments/delete": MANAGE,
    "experiments/permissions/create": MANAGE,
    "experiments/permissions/delete": MANAGE,
    "experiments/permissions/update": MANAGE,
    "experiments/restore": MANAGE,
    "experiments/search": OWN,
    "experiments/search-datasets": OWN,
    "experiments/update": MANAGE,
    "logged-models/search": OWN,
    "model-versions/delete": MANAGE,
    "model-versions/search": OWN,
    "model-versions/signed/<str:signature>/<str:name>/<str:version>/<path:path>": ALL,  # by Maria's right
    "model-versions/transition-stage": STAGING,
    "registered-models/create": PEOPLE,
    "registered-models/delete": MANAGE,
    "registered-models/get-latest-versions": READ,
    "registered-models/list": OWN,
    "registered-models/permissions/create": MANAGE,
    "registered-models/permissions/delete": MANAGE,
    "registered-models/permissions/update": MANAGE,
    "registered-models/rename": MANAGE,
    "registered-models/search": OWN,
    "runs/search": OWN,
    "transition-requests/create": READ,
    "transition-requests/delete": MANAGE,
    "users/current": PEOPLE,
}


def need_of(row: Row, method: str) -> Need:
    family = FAMILIES[row.path.partition("/")[0]]
    return EXCEPTIONS.get(row.path, family[0] if method == "GET" else family[1])


# -- pages, and the native API -----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Page:
    """Who may GET an address, and who may POST (or send by another `method`) this data to it; None is not possible."""

    route: str
    get: Need | None = READ
    post: Need | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    method: str = "POST"
    parts: Mapping[str, Any] = field(default_factory=dict)
    json: bool = False
    good: int = 200


MODEL, VERSION = "models/<name:name>", "models/<name:name>/versions/<int:version>"
EXPERIMENT, RUN = "experiments/<int:experiment_id>", "runs/<str:run_id>"
LOGGED, REQUEST = "logged-models/<str:model_id>", "models/<name:name>/requests/<int:number>"
API_REQUEST = "api/v1/models/<str:name>/requests/<int:number>"
API_VERSION = "api/v1/models/<str:name>/versions/<int:version>"
TAG, ALIAS, TEXT = {"key": "a", "value": "b"}, {"alias": "best", "version": 1}, {"description": "d"}
REGISTERED = {"target": "existing", "existing": "churn"}
MAILS = ("asked", "took_part", "may_decide", "waits", "mentioned", "manages", "follows")
GIVEN = {"deed": "give", "username": "jon", "level": "CAN_READ"}
POLICY = {"deed": "save", "required_approvals": "1", "when_occupied": "share"}
STANDS = {"deed": "stand", "alias": "live", "stage": "Production"}
HOOK = {"name": "ci", "url": "https://8.8.8.8/", "events": "MODEL_VERSION_CREATED"}
NEW_HOOK = HOOK | {"events": ["MODEL_VERSION_CREATED"], "format": "databricks"}


def grants_pages(kind: str, place: str) -> Iterator[Page]:
    """The native API's addresses of who may do what with one of these things."""
    route, parts = f"api/v1/{kind}/<str:place>/grants", {"place": place, "group": "risk"}
    yield Page(route, parts=parts, json=True)
    for holder in ("groups/<path:group>", "people/<str:username>"):
        yield Page(f"{route}/{holder}", None, MANAGE, {"level": "CAN_READ"}, "PUT", parts, json=True)


PAGES = (
    Page("", OWN),
    Page("api-docs", PEOPLE),
    Page("api/v1/activities", ADMINISTRATORS, json=True),
    *grants_pages("experiments", "$experiment_id"),
    *grants_pages("models", "told"),
    Page("api/v1/me", PEOPLE, PEOPLE, {"display_name": "Me"}, "PATCH", json=True),
    Page("api/v1/models/<str:name>/activities", READ, json=True),
    Page("api/v1/models/<str:name>/archive-link", json=True, parts={"name": "churn", "?": "version=1"}),
    Page("api/v1/models/<str:name>/versions/<int:version>/manifest", READ, READ, json=True, good=202),
    Page("api/v1/models/<str:name>/versions/<int:version>/scan", READ, EDIT, json=True, good=202),
    Page("api/v1/models/<str:name>/policies", READ, json=True),
    Page("api/v1/models/<str:name>/policies/<str:stage>", READ, MANAGE, {"protected": True}, "PUT", json=True),
    Page("api/v1/models/<str:name>/policies/<str:stage>/dry-run", None, READ, json=True),
    Page("api/v1/models/<str:name>/requests", None, READ, {"version": 1, "to_stage": "Archived"}, json=True),
    Page(API_REQUEST, READ, json=True),
    Page(f"{API_REQUEST}/cancel", None, MANAGE, {"comment": "no"}, json=True),
    Page(f"{API_REQUEST}/comments", None, READ, {"comment": "Hm."}, json=True),
    Page(f"{API_REQUEST}/record", READ, json=True),
    Page(f"{API_REQUEST}/reviews", None, STAGING, {"verdict": "approve"}, json=True),
    Page(
        f"{API_REQUEST}/reviews/<str:reviewer>/dismiss",
        None,
        MANAGE,
        {"reason": "away"},
        parts={"reviewer": "maria"},
        json=True,
    ),
    Page(f"{API_REQUEST}/timeline", READ, json=True),
    Page(f"{API_VERSION}/checks", READ, EDIT, {"check": "ci/test", "state": "passed"}, json=True),
    Page(f"{API_VERSION}/deployments", READ, EDIT, {"environment": "eu", "state": "pending"}, json=True),
    Page(f"{API_VERSION}/copies", READ, EDIT, {"copy_to": "spare"}, parts={"name": "told"}, json=True),
    Page(f"{API_VERSION}/rollback", None, READ, {"to_stage": "Staging"}, parts={"name": "spare"}, json=True),
    Page(f"{API_VERSION}/transition", None, STAGING, {"to_stage": "Staging"}, json=True),
    Page("api/v1/models/<str:name>/alias-policies", READ, json=True),
    Page(
        "api/v1/models/<str:name>/alias-policies/<str:alias>",
        None,
        MANAGE,
        {"stage": "Staging"},
        "PUT",
        parts={"alias": "champion"},
        json=True,
    ),
    Page("api/v1/models/<str:name>/metric-directions", READ, json=True),
    Page(
        "api/v1/models/<str:name>/metric-directions/<path:metric>",
        None,
        MANAGE,
        {"higher_is_better": True},
        "PUT",
        parts={"metric": "val/auc"},
        json=True,
    ),
    Page("api/v1/alias-policies", PEOPLE, json=True),
    Page(
        "api/v1/alias-policies/<str:alias>",
        None,
        ADMINISTRATORS,
        {"stage": "Staging"},
        "PUT",
        parts={"alias": "champion"},
        json=True,
    ),
    Page("api/v1/metric-directions", PEOPLE, json=True),
    Page(
        "api/v1/metric-directions/<path:metric>",
        None,
        ADMINISTRATORS,
        {"higher_is_better": True},
        "PUT",
        parts={"metric": "val/auc"},
        json=True,
    ),
    Page("api/v1/policies", PEOPLE, json=True),
    Page("api/v1/policies/<str:stage>", PEOPLE, ADMINISTRATORS, {"protected": True}, "PUT", json=True),
    Page("api/v1/requests", OWN, json=True),
    Page("api/v1/schema", PEOPLE, json=True),
    Page("api/v1/tokens", PEOPLE, PEOPLE, {"name": "ci"}, json=True),
    Page("api/v1/tokens/<int:token_id>", None, PEOPLE, method="DELETE", json=True),
    Page("api/v1/deliveries/<str:delivery_id>", MANAGE, json=True),
    Page("api/v1/deliveries/<str:delivery_id>/send-again", None, MANAGE, json=True),
    Page("api/v1/jobs", ADMINISTRATORS, json=True),
    Page("api/v1/webhooks", OWN, ADMINISTRATORS, NEW_HOOK, json=True),
    Page("api/v1/webhooks/<str:webhook_id>", MANAGE, MANAGE, {"name": "new"}, "PATCH", json=True),
    Page("api/v1/webhooks/<str:webhook_id>/deliveries", MANAGE, json=True),
    Page("api/v1/webhooks/<str:webhook_id>/secret", None, MANAGE, json=True),
    Page("api/v1/webhooks/<str:webhook_id>/test", None, MANAGE, json=True),
    Page("audit", ADMINISTRATORS),
    Page("audit.csv", ADMINISTRATORS),
    Page("audit.jsonl", ADMINISTRATORS),
    Page("experiments", OWN),
    Page("experiments/new", PEOPLE, PEOPLE, {"name": "new"}),
    Page(EXPERIMENT),
    Page(f"{EXPERIMENT}/access", READ, MANAGE, GIVEN),
    Page(f"{EXPERIMENT}/compare", parts={"?": "runs=$run_id,$deleted_run_id"}),
    Page(f"{EXPERIMENT}/compare.json", parts={"?": "runs=$run_id,$deleted_run_id&key=loss"}),
    Page(f"{EXPERIMENT}/delete", None, MANAGE),
    Page(f"{EXPERIMENT}/edit", EDIT, EDIT, {"name": "fraud", "description": "d"}),
    Page(f"{EXPERIMENT}/restore", None, MANAGE, parts={"experiment_id": "$deleted_experiment_id"}),
    Page("filters", None, PEOPLE, {"place": "models", "name": "mine", "query": "q=owner:me"}),
    Page("filters/<int:filter_id>/delete", None, PEOPLE, parts={"filter_id": 1}),
    Page("forgotten-password", ALL),
    Page("govern/jobs", ADMINISTRATORS),
    Page("styleguide", ADMINISTRATORS),
    Page("govern/policies", ADMINISTRATORS, ADMINISTRATORS, STANDS),
    Page("govern/policies/<str:stage>", ADMINISTRATORS, ADMINISTRATORS, POLICY),
    Page("govern/mail", ADMINISTRATORS),
    Page("govern/mail/<int:mail_id>", ADMINISTRATORS, good=404),
    Page("invitation/<str:secret>", ALL, good=404),
    Page(LOGGED),
    Page(f"{LOGGED}/archive.zip"),
    Page(f"{LOGGED}/artifacts/<path:path>", parts={"path": "MLmodel"}),
    Page(f"{LOGGED}/files/<path:path>", parts={"path": "MLmodel"}),
    Page(f"{LOGGED}/register", READ, EDIT, REGISTERED),
    Page("markdown/preview", None, PEOPLE, TEXT),
    Page("ml/experiments/<int:experiment_id>", PEOPLE),  # to the experiment's page, whether it is there or not
    Page("ml/experiments/<int:experiment_id>/runs/<str:run_id>", PEOPLE),
    Page("models", OWN),
    Page(MODEL),
    Page(f"{MODEL}/<str:called>/archive.<archive:extension>", parts={"name": "churn"}),
    Page(f"{MODEL}/access", READ, MANAGE, GIVEN),
    Page(f"{MODEL}/activity"),
    Page(f"{MODEL}/aliases", None, EDIT, ALIAS),
    Page(f"{MODEL}/aliases/delete", None, EDIT, {"alias": "champion"}),
    Page(f"{MODEL}/compare", parts={"name": "churn", "?": "versions=1&versions=2"}, good=302),
    Page(f"{MODEL}/compare/<str:versions>", parts={"name": "churn", "versions": "1...2"}),
    Page(f"{MODEL}/compare/<str:versions>/curve", parts={"name": "churn", "versions": "1...2", "?": "key=loss"}),
    Page(f"{MODEL}/description", EDIT, EDIT, TEXT),
    Page(f"{MODEL}/follow", None, READ, {"deed": "follow"}),
    Page(f"{MODEL}/policies/<str:stage>", MANAGE, MANAGE, POLICY),
    Page(f"{MODEL}/requests"),
    Page(
        f"{MODEL}/requests/new",
        READ,
        READ,
        {"version": 1, "to": "Staging", "comment": "ready"},
        parts={"name": "churn"},
    ),
    Page(f"{MODEL}/settings", READ, MANAGE, {"deed": "rename", "new_name": "leavers"}),
    Page(f"{MODEL}/tags", None, EDIT, TAG),
    Page(f"{MODEL}/timeline"),
    Page(f"{MODEL}/webhooks", MANAGE),
    Page(f"{MODEL}/tags/delete", None, EDIT, {"key": "team"}),
    Page(REQUEST),
    Page(f"{REQUEST}/cancel", None, MANAGE, {"comment": "no"}),
    Page(f"{REQUEST}/comments", None, READ, {"comment": "Hm."}),
    Page(f"{REQUEST}/comments/<int:comment_id>", AUTHOR, AUTHOR, {"comment": "Hm."}),
    Page(f"{REQUEST}/comments/<int:comment_id>/delete", None, AUTHOR_OR_ADMINISTRATORS),
    Page(f"{REQUEST}/dismiss", None, MANAGE, {"reviewer": "maria", "reason": "away"}),
    Page(f"{REQUEST}/review", None, STAGING, {"verdict": "approve"}),
    Page(VERSION),
    Page(
        f"{VERSION}/archive-link",
        READ,
        READ,
        {"called": "1", "format": "zip", "hours": "1"},
        parts={"name": "churn"},
    ),
    Page(f"{VERSION}/artifacts", parts={"name": "churn"}),
    Page(f"{VERSION}/artifacts/<path:path>", parts={"name": "churn", "path": "MLmodel"}),
    Page(f"{VERSION}/delete", MANAGE, MANAGE),
    Page(f"{VERSION}/description", EDIT, EDIT, TEXT),
    Page(f"{VERSION}/files/<path:path>", parts={"name": "churn", "path": "MLmodel"}),
    Page(f"{VERSION}/check", None, READ),
    Page(f"{VERSION}/manifest"),
    Page(f"{VERSION}/rollback", READ, READ, {"to": "Staging", "comment": "hm"}, parts={"name": "spare"}),
    Page(f"{VERSION}/scan", None, EDIT),
    Page(f"{VERSION}/tags", None, EDIT, TAG),
    Page(f"{VERSION}/tags/delete", None, EDIT, {"key": "color"}),
    Page(f"{VERSION}/transition", READ, STAGING, {"to": "Staging", "comment": ""}),
    Page("new-password/<str:secret>", ALL, good=404),
    Page("notifications", OWN, PEOPLE, {"read": "all"}),
    Page("notifications/<int:key>", OWN, good=404),
    Page("notifications/unread", OWN),
    Page("people", ADMINISTRATORS),
    Page("people/groups", ADMINISTRATORS, ADMINISTRATORS, {"name": "new"}),
    Page("people/groups/<int:group_id>", ADMINISTRATORS, ADMINISTRATORS, {"deed": "join", "username": "jon"}),
    Page("people/invite", ADMINISTRATORS, ADMINISTRATORS, {"username": "kim", "email": "kim@example.org"}),
    Page("people/person/<str:username>", ADMINISTRATORS, ADMINISTRATORS, {"deed": "make-admin"}),
    Page("register-model", PEOPLE, PEOPLE, {"name": "new"}),
    Page("reviews", OWN),
    Page("search", OWN, parts={"?": "q=chur"}),
    Page(RUN),
    Page(f"{RUN}/archive.zip"),
    Page(f"{RUN}/artifacts"),
    Page(f"{RUN}/artifacts/<path:path>"),
    Page(f"{RUN}/delete", None, EDIT),
    Page(f"{RUN}/edit", EDIT, EDIT, {"name": "new", "description": "d"}),
    Page(f"{RUN}/files/<path:path>"),
    Page(f"{RUN}/metrics"),
    Page(f"{RUN}/metrics.json", parts={"?": "key=loss"}),
    Page(f"{RUN}/register", READ, EDIT, REGISTERED | {"path": "model"}, parts={"?": "path=model"}),
    Page(f"{RUN}/restore", None, EDIT, parts={"run_id": "$deleted_run_id"}),
    Page("settings/notifications", OWN, PEOPLE, dict.fromkeys(MAILS, "never")),
    Page("settings/password", PEOPLE),
    Page("settings/profile", PEOPLE, PEOPLE, {"display_name": "Me", "time_zone": "UTC"}),
    Page("settings/tokens", PEOPLE, PEOPLE, {"name": "ci", "scope": "read", "days": "30"}),
    Page("settings/tokens/<int:token_id>/revoke", None, PEOPLE),
    *(
        Page(f"shown/<str:signature>/{place}/<path:path>", ALL, good=404)
        for place in ("logged-models/<str:model_id>", "models/<name:name>/<int:version>", "runs/<str:run_id>")
    ),
    Page("sign-in", ALL),
    Page("sign-out", None, ALL),
    Page("suggest/groups", PEOPLE),
    Page("suggest/models", OWN),
    Page("suggest/people", PEOPLE),
    Page("theme", None, ALL, {"theme": "dark"}),
    Page("unsubscribe/<str:token>", ALL, good=404),
    Page("webhooks", OWN),
    Page("webhooks/<str:webhook_id>", MANAGE, MANAGE, {"deed": "disable"}),
    Page("webhooks/<str:webhook_id>/edit", MANAGE, MANAGE, HOOK),
    Page("webhooks/deliveries/<str:delivery_id>", MANAGE, MANAGE),
    Page("webhooks/new", ADMINISTRATORS, ADMINISTRATORS, HOOK, parts={"?": "format=databricks"}),
    Page("welcome/<str:secret>", ALL),
)
GOVERNANCE = "admin/"  # the family of Django's own pages, which are for administrators without exception
PARTS: dict[str, Any] = {
    "name": "told",
    "version": 1,
    "called": "1",
    "extension": "zip",
    "number": 1,
    "stage": "Staging",
    "experiment_id": "$experiment_id",
    "run_id": "$run_id",
    "model_id": "$model_id",
    "token_id": "$token_id",
    "group_id": "$group_id",
    "mail_id": 1,
    "comment_id": "$request_comment_id",
    "username": "jon",
    "webhook_id": "$registry_webhook_id",
    "delivery_id": "$delivery_id",
    "secret": "x",
    "signature": "x",
    "path": "model/MLmodel",
    "key": 1,
    "token": "x",
}


# -- the people, and what there is -------------------------------------------------------------------------------------
@dataclass(frozen=True)
class World:
    """Somebody, and what the table may name."""

    user: User
    names: Mapping[str, str]
    api: Api
    cookies: str

    def may(self, need: Need) -> str:
        """What comes of it."""
        return outcome_for(self.user, need)

    def is_told_of(self, text: bytes) -> bool:
        """Whether an answer names something that levels are granted on."""
        said = [self.names[name] for name in ("run_id", "deleted_run_id", "model_id", "deleted_model_id")]
        said += [mark % name for name in ("churn", "told", "greeting", "fraud") for mark in ('"%s"', ">%s<", "%s#")]
        return any(each.encode() in text for each in said)


@pytest.fixture(params=PEOPLE_BY_LEVEL)
def world(request: pytest.FixtureRequest, settings: Settings, maria_actor: Actor, jon: User) -> World:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    user = make_person(request.param)
    names = fill(maria_actor)
    names["group_id"] = str(Group.objects.create(name="risk").pk)
    api = Api().as_(user)
    names["token_id"] = str(ApiToken.objects.get().pk)
    client = Client()
    client.force_login(user)
    return World(user, names, api, client.cookies.output(header="", sep=";"))


# -- the table is complete ---------------------------------------------------------------------------------------------
@pytest.mark.once
def test_every_route_has_a_row() -> None:
    protocol = {root.removeprefix("/") + row.path for row in TABLE for root in row.roots}
    pages = [page.route for page in PAGES]
    unknown = {route for route in ROUTES if route.endswith(tuple(text.removeprefix("^") for text in UNKNOWN_API_PATHS))}
    assert len(pages) == len(set(pages)), "no route has two rows"
    assert {route for route in ROUTES if not route.startswith(GOVERNANCE)} == protocol | set(pages) | unknown


@pytest.mark.once
def test_the_protocol_has_a_family_for_every_path_and_needs_every_exception() -> None:
    paths = {row.path for row in TABLE}
    assert {path.partition("/")[0] for path in paths} == FAMILIES.keys()
    assert paths >= EXCEPTIONS.keys()


# -- everybody at every address ----------------------------------------------------------------------------------------
def test_the_protocol_does_what_the_table_says(world: World) -> None:
    wrong = []
    for row in sorted(TABLE, key=takes_files_away):
        arguments = filled(row.arguments, world.names)
        for method in row.methods:
            need = need_of(row, method)
            for root in row.roots:
                sent = call(row, method, root, arguments)
                came = outcome(partial(sent.send, world.api), need, world, good=row.status)
                if came != world.may(need):
                    wrong.append((f"{method} {sent.address}", world.may(need), came))
    assert not wrong


def test_pages_do_what_the_table_says(world: World) -> None:
    wrong = []
    for page in PAGES:
        for method, need in (("GET", page.get), (page.method, page.post)):
            if need is None and method != "GET":
                continue
            expected = "no such method" if need is None else world.may(need)
            came = outcome(partial(ask, page, method, world), need, world, good=page.good)
            if came != expected:
                wrong.append((f"{method} {page.route}", expected, came))
    assert not wrong


def takes_files_away(row: Row) -> bool:
    """Whether something is gone afterwards that does not come back with the transaction."""
    return row.roots == ARTIFACTS and row.methods == ("DELETE",)


def test_the_governance_desk_is_for_administrators() -> None:
    manager = make_user("manager", level=MANAGE)
    grant_on_experiments(manager, MANAGE)
    client = Client()
    client.force_login(manager)
    for route, address in ROUTES.items():
        if route.startswith(GOVERNANCE) and route != f"{GOVERNANCE}logout/":
            for method in ("GET", "POST"):
                answer = client.generic(method, f"/{address}")
                assert (answer.status_code, answer.headers.get("Location", "")[:13]) in (
                    (302, "/admin/login/"),
                    (403, ""),
                ), f"{method} {address}"
    assert client.get("/admin/login/").status_code == 403


def ask(page: Page, method: str, world: World) -> HttpResponse:
    parts = filled(PARTS | page.parts, world.names)
    address = "/" + re.sub(r"<\w+:(\w+)>", lambda found: str(parts[found[1]]), page.route)
    if query := parts.get("?"):
        address += f"?{query}"
    if page.json:
        return world.api.raw(method, address, "" if method == "GET" else json.dumps(page.data))
    client = Client()
    client.cookies = SimpleCookie(world.cookies)
    return client.get(address) if method == "GET" else client.post(address, dict(page.data))


def outcome(send: Callable[[], HttpResponse], need: Need | None, world: World, *, good: int = 200) -> str:
    """What came of a call, whose effect is then taken back."""
    with transaction.atomic():
        before = Activity.objects.count()
        answer = send()
        text = b"".join(answer.streaming_content) if answer.streaming else answer.content
        is_changed = Activity.objects.count() > before
        transaction.set_rollback(True)
    status = answer.status_code
    if status in (good, 200, 201, 204, 302):
        return (
            "done, and tells too much"
            if need is OWN and PEOPLE_BY_LEVEL[world.user.username] is NONE and world.is_told_of(text)
            else "done"
        )
    if is_changed:
        return f"{status}, and yet something is changed"
    # 422 is a form that is shown again. It was filled in well, as those show who may send it.
    words = {403: "forbidden", 404: "hidden", 405: "no such method", 422: "forbidden"}
    return words.get(status) or f"{status} {text[-300:]!r}"
