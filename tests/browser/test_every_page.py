"""Every page there is, as different people see it: whole, accessible, and as good on a phone and in the dark."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page, expect

from registry_site.pages.urls import urlpatterns
from tests.browser.conftest import OpenWindow
from tests.browser.roles import ADMIN, ROLES, kinds_of, may, need_of, refused
from tests.browser.training import Logger
from tests.browser.windows import Theme, Window, sign_in
from tests.live import Podium

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.xdist_group("browser")]

MODEL = "churn-predictor"
LOGGED = "fraud-detector"  # its versions come from logged models of MLflow 3
LONG_NAME = "a.very-long.name_" + "x" * 200
AXE = Axe().axe_script
COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}  # all that a theme changes
SHAPES = {"rules": {"color-contrast": {"enabled": False}}}  # all but the slowest rule
Looks = tuple[tuple[int, Theme, dict[str, object] | None], ...]  # width, theme, options of axe
ALL_LOOKS: Looks = (
    (1440, "light", {}),
    (1440, "dark", COLOURS),
    (768, "light", None),
    (768, "dark", None),
    (390, "light", SHAPES),
    (390, "dark", None),
)
SECOND_LOOKS: Looks = ((1440, "light", SHAPES), (390, "light", None))  # at what somebody else has looked at already
ONE_LOOK: Looks = ((1440, "light", SHAPES),)
MOST_QUERIES = 15  # of a page, its person and their unread notifications included
MOST_REQUESTS = 6
OPENED_COLD = (
    "home",
    "models",
    "model",
    "version",
    "versions-compare",
    "experiment",
    "experiment-compare",
    "run-metrics",
)
PROBE = "<img src=x onerror=alert(1)>"
WHAT_IS_MISSING = re.compile("data-error-text>(This needs CAN_|Only (administrators|[^,]+, who wrote it,) may)")


@dataclass(frozen=True, slots=True)
class Samples:
    """What the addresses of pages are made of."""

    run_id: str
    odd_run_id: str
    model_id: str
    experiment_id: int
    empty_experiment_id: int
    request: int
    pending: int
    comment_id: int
    mail_id: int
    group_id: int
    webhook_id: str
    parked_id: str
    delivery_id: str


Address = Callable[[Samples], str]


def to(name: str, *arguments: object, query: str = "") -> Address:
    """The page of that name; an argument that begins with a dot names a sample."""

    def address(samples: Samples) -> str:
        given = [getattr(samples, each[1:]) if str(each).startswith(".") else each for each in arguments]
        return reverse(name, args=given) + (f"?{query}" if query else "")

    return address


def comparison(samples: Samples) -> str:
    """The page of two runs side by side."""
    return f"{reverse('compare_runs', args=[samples.experiment_id])}?runs={samples.run_id},{samples.odd_run_id}"


# What is looked at, by the name of its picture. Each name of an address stands in the first column, or in NO_PAGE.
PAGES: dict[str, tuple[str, Address]] = {
    "home": ("home", to("home")),
    "reviews": ("reviews", to("reviews")),
    "reviews-all": ("reviews", to("reviews", query="role=all")),
    "search": ("search", to("search", query="q=churn")),
    "search-nothing-found": ("search", to("search", query="q=nothing+like+it")),
    "models": ("models", to("models")),
    "models-narrowed": ("models", to("models", query="q=stage%3Aproduction+tag.team%3Arisk")),
    "models-nothing-found": ("models", to("models", query="q=nothing+like+it")),
    "models-new": ("new_model", to("new_model")),
    "model": ("model", to("model", MODEL)),
    "model-without-versions": ("model", to("model", LONG_NAME)),
    "model-probe": ("model", to("model", PROBE)),
    "model-requests": ("model_requests", to("model_requests", MODEL)),
    "model-activity": ("model_activity", to("model_activity", MODEL)),
    "model-activity-nothing": ("model_activity", to("model_activity", MODEL, query="kind=comments&version=1")),
    "model-access": ("model_access", to("model_access", MODEL)),
    "model-settings": ("model_settings", to("model_settings", MODEL)),
    "model-description": ("edit_model", to("edit_model", MODEL)),
    "version": ("version", to("version", MODEL, 5)),
    "version-in-production": ("version", to("version", LOGGED, 4)),
    "versions-compare": ("compare_versions", to("compare_versions", MODEL, "3...5")),
    "versions-compare-all": ("compare_versions", to("compare_versions", LOGGED, "4...3...2...1", query="show=all")),
    "version-files": ("version_artifacts", to("version_artifacts", LOGGED, 4)),
    "version-file": ("version_artifact", to("version_artifact", LOGGED, 4, "MLmodel")),
    "version-archive-link": ("version_archive_link", to("version_archive_link", LOGGED, 4)),
    "version-manifest": ("version_manifest", to("version_manifest", LOGGED, 4)),
    "version-description": ("edit_version", to("edit_version", MODEL, 5)),
    "version-move": ("transition_version", to("transition_version", MODEL, 4, query="to=Production")),
    "version-delete": ("delete_version", to("delete_version", MODEL, 5)),
    "request-new": ("new_request", to("new_request", MODEL, query="version=4")),
    "request-new-copy": ("new_request", to("new_request", MODEL, query="version=4&copy_to=")),
    "request-decided": ("request", to("request", MODEL, ".request")),
    "request-pending": ("request", to("request", MODEL, ".pending")),
    "model-timeline": ("model_timeline", to("model_timeline", MODEL)),
    "model-timeline-nothing": ("model_timeline", to("model_timeline", LONG_NAME, query="stage=Staging")),
    "roll-back": ("roll_back", to("roll_back", MODEL, 1)),
    "policies": ("policies", to("policies")),
    "policy": ("policy", to("policy", "Production")),
    "policy-of-model": ("model_policy", to("model_policy", MODEL, "Production")),
    "comment-edit": ("edit_comment", to("edit_comment", MODEL, ".pending", ".comment_id")),
    "experiments": ("experiments", to("experiments")),
    "experiment-new": ("new_experiment", to("new_experiment")),
    "experiment": ("experiment", to("experiment", ".experiment_id")),
    "experiment-compare": ("compare_runs", comparison),
    "experiment-empty": ("experiment", to("experiment", ".empty_experiment_id")),
    "experiment-access": ("experiment_access", to("experiment_access", ".experiment_id")),
    "experiment-edit": ("edit_experiment", to("edit_experiment", ".experiment_id")),
    "run": ("run", to("run", ".run_id")),
    "run-odd": ("run", to("run", ".odd_run_id")),
    "run-edit": ("edit_run", to("edit_run", ".run_id")),
    "run-metrics": ("run_metrics", to("run_metrics", ".run_id")),
    "run-metrics-odd": ("run_metrics", to("run_metrics", ".odd_run_id")),
    "artifacts": ("run_artifacts", to("run_artifacts", ".run_id")),
    "artifacts-model": ("run_artifact", to("run_artifact", ".run_id", "model")),
    "artifacts-mlmodel": ("run_artifact", to("run_artifact", ".run_id", "model/MLmodel")),
    "artifacts-markdown": ("run_artifact", to("run_artifact", ".odd_run_id", "reports/summary.md")),
    "artifacts-csv": ("run_artifact", to("run_artifact", ".odd_run_id", "reports/scores.csv")),
    "artifacts-json": ("run_artifact", to("run_artifact", ".odd_run_id", "reports/config.json")),
    "artifacts-image": ("run_artifact", to("run_artifact", ".odd_run_id", "plots/curves/roc.png")),
    "artifacts-text": ("run_artifact", to("run_artifact", ".odd_run_id", "model/requirements.txt")),
    "artifacts-binary": ("run_artifact", to("run_artifact", ".odd_run_id", "model/model.pkl")),
    "register": ("register_model", to("register_model", ".run_id", query="path=model")),
    "logged-model": ("logged_model", to("logged_model", ".model_id")),
    "logged-model-file": ("logged_model_artifact", to("logged_model_artifact", ".model_id", "MLmodel")),
    "logged-model-register": ("register_logged_model", to("register_logged_model", ".model_id")),
    "notifications": ("notifications", to("notifications")),
    "notifications-done": ("notifications", to("notifications", query="box=done")),
    "mail-settings": ("mail_settings", to("mail_settings")),
    "profile": ("profile", to("profile")),
    "password": ("password", to("password")),
    "tokens": ("tokens", to("tokens")),
    "people": ("people", to("people")),
    "people-nobody-found": ("people", to("people", query="q=nobody+like+that&state=invited")),
    "people-invite": ("invite", to("invite")),
    "people-person": ("person", to("person", "jon")),
    "people-groups": ("people_groups", to("people_groups")),
    "people-group": ("people_group", to("people_group", ".group_id")),
    "mail": ("mail_folder", to("mail_folder")),
    "mail-message": ("mail_message", to("mail_message", ".mail_id")),
    "jobs": ("jobs", to("jobs")),
    "webhooks": ("webhooks", to("webhooks")),
    "webhooks-of-model": ("model_webhooks", to("model_webhooks", MODEL)),
    "webhooks-of-model-none": ("model_webhooks", to("model_webhooks", LOGGED)),
    "webhook-format": ("new_webhook", to("new_webhook")),
    "webhook-new": ("new_webhook", to("new_webhook", query=f"format=standard&model={MODEL}")),
    "webhook": ("webhook", to("webhook", ".webhook_id")),
    "webhook-parked": ("webhook", to("webhook", ".parked_id")),
    "webhook-edit": ("edit_webhook", to("edit_webhook", ".webhook_id")),
    "delivery": ("delivery", to("delivery", ".delivery_id")),
    "styleguide": ("styleguide", to("styleguide")),
    "audit": ("audit", to("audit")),
    "audit-nothing-found": ("audit", to("audit", query="who=nobody&since=2026-01-01")),
}
OF_STRANGERS = {"sign_in", "welcome", "invitation", "forgotten_password", "new_password"}
OF_THE_SITE = {"webhook", "webhook-edit", "delivery"}  # a webhook's pages need another level where it is a model's
OF_THE_AUTHOR = {"comment-edit"}  # who is Ada
NO_PAGE = {  # acts, parts of pages, data and files
    "compare_runs_data",
    "compare_versions_data",
    "choose_versions",
    "version_archive",
    "version_file",
    "run_archive",
    "run_frame",
    "logged_model_frame",
    "version_frame",
    "logged_model_archive",
    "sign_out",
    "theme",
    "revoke_token",
    "save_filter",
    "delete_filter",
    "markdown_preview",
    "follow",
    "notification",
    "unread",
    "unsubscribe",
    "suggest_groups",
    "suggest_models",
    "suggest_people",
    "model_tags",
    "delete_model_tag",
    "model_aliases",
    "delete_alias",
    "check_version",
    "scan_version",
    "version_tags",
    "delete_version_tag",
    "review_request",
    "dismiss_review",
    "cancel_request",
    "comment_on_request",
    "delete_comment",
    "delete_experiment",
    "restore_experiment",
    "delete_run",
    "restore_run",
    "run_metric_data",
    "run_file",
    "logged_model_file",
    "audit_csv",
    "audit_json_lines",
}

_FIND_SAMPLES = """
import json
from datetime import timedelta
from registry_site.accounts.actors import system
from registry_site.core import clock
from registry_site.webhooks.formats import Format
from registry_site.webhooks.models import Delivery, DeliveryAttempt, Webhook
from registry_site.webhooks.services import create_webhook, new_secret
from django.contrib.auth.models import Group
from registry_site.notifications.models import Mail
from registry_site.promotion.models import TransitionRequest
from registry_site.registry.services import set_version_tag
requests = TransitionRequest.objects.filter(registered_model__name="churn-predictor")
numbers = dict(requests.values_list("state", "number"))
def hook(name, **options):
    return create_webhook(
        system(), name=name, url="https://8.8.8.8/hooks/a-long-path-with-a-token", format=Format.STANDARD,
        secret=new_secret(Format.STANDARD), **options)
now = clock.now()
# Nobody is deleted here, so that the worker has nothing to send.
well = hook("serving", events=["user.deleted"], description="Rolls out what is in Production")
parked = hook("ci", events=["version.created", "request.created", "check.posted"], status="DISABLED",
              model="churn-predictor")
Webhook.objects.filter(pk=parked.pk).update(parked_at=now - timedelta(hours=2))
for number, state in enumerate(("succeeded", "failed", "succeeded")):
    for each in (well, parked):
        at = now - timedelta(hours=number)
        answer = {"duration_ms": 38 + number, "response_status": 200 if state == "succeeded" else None,
                  "error": "" if state == "succeeded" else "It did not answer within 10 seconds."}
        delivery = Delivery.objects.create(
            webhook=each, activity_id=number, event="version.stage_changed", body='{"type": "version.stage_changed"}',
            state=state, created_at=at, due_at=at, attempts=1, attempted_at=at, **answer)
        DeliveryAttempt.objects.create(delivery=delivery, at=at, **answer)
Delivery.objects.create(webhook=parked, activity_id=9, event="request.created", body="{}", created_at=now, due_at=now)
failed = Delivery.objects.get(webhook=well, state="failed")
hooks = {"webhook_id": well.webhook_id, "parked_id": parked.webhook_id, "delivery_id": failed.delivery_id}
from registry_site.accounts.actors import person
from registry_site.accounts.models import User
from registry_site.audit.kinds import Origin
from registry_site.promotion import aliases, checks, comments, deciding, setting_policies
from registry_site.promotion.directions import set_metric_direction
from registry_site.promotion.gates import CheckState, Comparison, Gate, GateType
from registry_site.promotion.rules import DeploymentState, Policy, Verdict, WhenOccupied
from registry_site.registry.stages import Stage
ada, jon = (person(User.objects.get(username=name), Origin.REST) for name in ("ada", "jon"))
model, number = {"name": "churn-predictor"}, numbers["pending"]
gates = (Gate(GateType.METRIC, "auc", Comparison.AT_LEAST, 0.86), Gate(GateType.SIGNATURE),
         Gate(GateType.METRIC_AGAINST_OCCUPANT, "val_loss", Comparison.AT_MOST, 0), Gate(GateType.TAG, "owner"),
         Gate(GateType.CHECK, "ci/integration"), Gate(GateType.STAGE, "Staging"), Gate(GateType.DESCRIPTION),
         Gate(GateType.SCAN), Gate(GateType.DIGEST))  # each type there is
setting_policies.set_policy(ada, stage=Stage.PRODUCTION, **model, policy=Policy(
    protected=True, required_approvals=2, when_occupied=WhenOccupied.ASK, gates=gates, expires_after_days=14))
aliases.set_alias_policy(ada, alias="live", stage=Stage.PRODUCTION, is_mirror=True, **model)
set_metric_direction(ada, **model, metric="f1", higher_is_better=True)
deciding.approve(jon, **model, number=number, comment="Load test **ok**.")
comment = comments.create_comment(ada, **model, number=number, text="@jon, what about the *old* customers?")
about = model | {"version": 5}
link = "https://ci.example.org/runs/981"
checks.post_check(ada, **about, check="ci/integration", state=CheckState.PENDING, summary="214 of 312", link=link)
checks.post_check(ada, **about, check="bias/report", state=CheckState.PASSED, summary="No group differs by 2 %")
checks.post_deployment(ada, **about, environment="eu-west shadow", state=DeploymentState.SUCCEEDED, link=link)
set_version_tag(ada, **about, key="team", value="growth")
deciding.review(ada, **model, number=number, verdict=Verdict.REQUEST_CHANGES, comment="Please set the owner tag.")
ids = {"comment_id": comment.pk, "mail_id": Mail.objects.first().pk,
       "group_id": Group.objects.filter(user__isnull=False).first().pk}
print(json.dumps({"request": numbers["approved"], "pending": numbers["pending"], **ids, **hooks}))
"""

_MAKE_LINKS = """
import json
from registry_site.accounts import links
from registry_site.accounts.actors import system
_, invited = links.invite(system(), username="nora", email="nora@example.org")
forgotten = links.make_password_link(system(), username="jon")
print(json.dumps({"invitation": f"/invitation/{invited}", "new-password": f"/new-password/{forgotten}"}))
"""

_COUNT_QUERIES = """
import json, sys
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from registry_site.accounts.models import User
name, addresses = json.loads(sys.argv[1])
page = Client()
page.force_login(User.objects.get(username=name))
counts = {}
for picture, address in addresses.items():
    with CaptureQueriesContext(connection) as queries:
        answer = page.get(address, headers={"host": sys.argv[2]})
    assert answer.status_code == 200, picture
    counts[picture] = [len(queries), answer.content.decode().partition("<title>")[2].partition("</title>")[0]]
print(json.dumps(counts))
"""


@pytest.fixture(scope="package")
def samples(podium: Podium) -> Samples:
    """The demonstration's data, and beside it some that is as odd as people are."""
    client = Logger(podium, "maria")
    for name in (LONG_NAME, PROBE):
        client.post("registered-models/create", name=name, description=f"# {PROBE}\n\n<script>alert(2)</script> *fine*")
    odd_run_id = client.train(experiment="odd / experiment", run=f"odd {PROBE} " + "long" * 20)
    client.post(
        "runs/log-batch",
        run_id=odd_run_id,
        metrics=[
            {"key": key, "value": value, "timestamp": 1_795_000_000_000, "step": 0}
            for key, value in (("nothing", "NaN"), ("everything", "Infinity"), ("tiny" + "/deep" * 12, 1e-300))
        ],
        params=[{"key": f"param_{number:03d}", "value": "v" * number} for number in range(60)],
        tags=[{"key": "probe", "value": PROBE}, {"key": "x" * 100, "value": "y" * 300}],
    )
    version = client.get("model-versions/get", name=MODEL, version="5")["model_version"]
    logged = client.get("model-versions/get", name=LOGGED, version="4")["model_version"]
    run = client.get("runs/get", run_id=version["run_id"])["run"]
    return Samples(
        run_id=version["run_id"],
        odd_run_id=odd_run_id,
        model_id=logged["source"].removeprefix("models:/"),
        experiment_id=int(run["info"]["experiment_id"]),
        empty_experiment_id=int(client.post("experiments/create", name="nothing yet")["experiment_id"]),
        **json.loads(podium.python(_FIND_SAMPLES)),
    )


def flaws(window: Window, picture: str, looks: Looks = ALL_LOOKS) -> list[str]:
    """What is wrong with the open page in the light and in the dark, on a large screen and on a phone."""
    page, found = window.page, []
    headings = [heading.strip() for heading in page.locator("h1").all_inner_texts()]
    if len(headings) != 1 or not headings[0]:
        found.append(f"{picture}: its level-1 headings are {headings}")
    page.evaluate(AXE)
    for width, theme, rules in looks:
        window.look(width, theme)
        if page.evaluate("document.scrollingElement.scrollWidth") > width:
            found.append(f"{picture} {theme}: wider than {width}")
        if rules is not None:
            found += [f"{picture} {theme} {width}: {violation}" for violation in violations(page, rules)]
        window.photograph(picture)
    window.look(1440, "light")
    return found


def violations(page: Page, options: dict[str, object]) -> list[str]:
    """The accessibility rules that the page breaks, each with the first element that does. AXE is loaded."""
    broken = page.evaluate(
        "options => axe.run({...options, resultTypes: ['violations']}).then(results => results.violations)", options
    )
    return [
        f"{each['id']} at {len(each['nodes'])} places, first {each['nodes'][0]['html']}: "
        f"{each['nodes'][0]['failureSummary']}"
        for each in broken
    ]


def test_the_list_of_pages_is_complete() -> None:
    names = {pattern.name for pattern in urlpatterns} - {None}
    assert names == {name for name, _ in PAGES.values()} | OF_STRANGERS | NO_PAGE


def is_open(picture: str, address: str, role: str) -> bool:
    """Whether somebody of that role may open the page."""
    if picture in OF_THE_SITE | OF_THE_AUTHOR:
        return role == ADMIN
    need = need_of(address)
    assert need is not None, picture
    return may(role, need)


@pytest.fixture(scope="package")
def looked_at() -> set[frozenset[str]]:
    """What the pages were made of that somebody has looked at."""
    return set()


@pytest.mark.parametrize(("person", "role"), [("maria", "reader"), ("ada", ADMIN)])
def test_every_page_is_whole_for(
    person: str, role: str, window: OpenWindow, samples: Samples, looked_at: set[frozenset[str]]
) -> None:
    opened, found = window(person), []
    for picture, (_, address) in PAGES.items():
        path = address(samples)
        if not is_open(picture, path, role):
            continue
        response = opened.page.goto(path)
        if response.status != 200:
            found.append(f"{picture}: {response.status} from {response.url}")
        looked_at.add(kinds_of(response.text()))
        found += [f"{picture} moved: {what}" for what in opened.shifts()]
        if len(asked := opened.fetched()) > MOST_REQUESTS:
            found.append(f"{picture} takes {len(asked)} requests: {asked}")
        is_second = person == "ada" and is_open(picture, path, "reader")
        found += flaws(opened, f"{picture}-{person}", SECOND_LOOKS if is_second else ALL_LOOKS)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("picture", OPENED_COLD)
def test_a_browser_that_has_kept_nothing_takes_few_requests_for(
    picture: str, window: OpenWindow, samples: Samples
) -> None:
    window("maria")  # who signs in here, should she not have done so yet
    opened, (_, address) = window("maria"), PAGES[picture]
    opened.page.goto(address(samples))
    asked = opened.fetched()
    assert any("/static/" in part for part in asked)
    assert len(asked) <= MOST_REQUESTS, asked


@pytest.mark.parametrize("role", ROLES)
def test_every_page_opens_for_whom_it_should_and_offers_what_they_may(
    role: str, roles: None, window: OpenWindow, samples: Samples, looked_at: set[frozenset[str]]
) -> None:
    opened, found = window(role), []
    for picture, (_, address) in PAGES.items():
        path = address(samples)
        expected = 200 if is_open(picture, path, role) else 403
        answer = opened.page.request.get(path)
        html = answer.text()
        if answer.status != expected:
            found.append(f"{picture}: {answer.status}, not {expected}")
        if expected == 403 and not WHAT_IS_MISSING.search(html):
            found.append(f"{picture} does not say what is missing")
        found += [f"{picture} offers {what}" for what in refused(role, html, path)]
        if (kinds := kinds_of(html)) not in looked_at:
            looked_at.add(kinds)
            opened.expected = {expected}
            opened.page.goto(path)
            found += [f"{picture} moved: {what}" for what in opened.shifts()]
            found += flaws(opened, f"{picture}-{role}", ONE_LOOK)
    assert not found, "\n".join(found)


def test_whoever_is_not_signed_in_is_sent_to_do_that_and_comes_back(window: OpenWindow, samples: Samples) -> None:
    stranger, found = window(), []
    for picture, (_, address) in PAGES.items():
        path = address(samples)
        answer = stranger.page.request.get(path, max_redirects=0)
        sent_to, _, back_to = answer.headers.get("location", "").partition("?next=")
        if (answer.status, sent_to, unquote(unquote(back_to))) != (302, "/sign-in", unquote(path)):
            found.append(f"{picture}: {answer.status} to {sent_to}, and then to {back_to}")
    assert not found, "\n".join(found)
    wanted = PAGES["models-narrowed"][1](samples)
    stranger.page.goto(wanted)
    expect(stranger.page).to_have_title(re.compile("Sign in"))
    sign_in(stranger.page, "maria")
    expect(stranger.page).to_have_url(wanted)


@pytest.mark.parametrize(("person", "role"), [("maria", "reader"), ("ada", ADMIN)])
def test_no_page_takes_more_queries_than_it_may_for(person: str, role: str, podium: Podium, samples: Samples) -> None:
    addresses = {
        picture: path for picture, (_, address) in PAGES.items() if is_open(picture, path := address(samples), role)
    }
    host = urlsplit(podium.url).netloc
    counts = json.loads(podium.python(_COUNT_QUERIES, json.dumps([person, addresses]), host))
    too_many = {picture: n for picture, (n, _) in counts.items() if n > MOST_QUERIES}
    assert too_many == {}
    titles: dict[str, set[str]] = {}
    for picture, (_, title) in counts.items():
        titles.setdefault(title, set()).add(addresses[picture].partition("?")[0])
    assert {title: paths for title, paths in titles.items() if len(paths) > 1 or not title} == {}


def test_pages_of_strangers_and_of_errors_are_whole(podium: Podium, window: OpenWindow) -> None:
    stranger = window()
    stranger.page.goto("/sign-in")
    assert flaws(stranger, "sign-in") == []
    stranger.page.goto("/forgotten-password")
    assert flaws(stranger, "forgotten-password") == []
    for name, address in json.loads(podium.python(_MAKE_LINKS)).items():
        stranger.page.goto(address)
        assert flaws(stranger, name) == []
    stranger.page.goto("/welcome/nothing")
    assert flaws(stranger, "welcome-over") == []
    maria = window("maria")
    maria.expected = {403, 404}
    maria.page.goto("/models/churn-predicter")
    assert flaws(maria, "not-found") == []
    maria.page.goto("/govern/mail")
    assert flaws(maria, "forbidden") == []


def test_menus_open_whole_on_a_phone(window: OpenWindow) -> None:
    ada = window("ada", width=390)
    ada.page.goto("/models")
    ada.page.get_by_label("Menu", exact=True).click()
    ada.photograph("menu-main")
    ada.page.keyboard.press("Escape")
    ada.page.get_by_label("Account of Ada Min").click()
    expect(ada.page.get_by_role("link", name="API tokens")).to_be_in_viewport(ratio=1)
    assert ada.page.evaluate("document.scrollingElement.scrollWidth") <= 390
    ada.photograph("menu-account")


def test_the_register_dialog_works_by_keyboard_alone(window: OpenWindow, samples: Samples) -> None:
    maria = window("maria")
    page = maria.page
    page.goto(reverse("run_artifact", args=[samples.odd_run_id, "model"]))
    opener = page.locator("#preview").get_by_role("link", name="Register model")
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Register model")
    expect(dialog).to_be_visible()
    assert page.evaluate("document.activeElement.closest('dialog') !== null")
    page.evaluate(AXE)
    assert violations(page, {}) == []

    # The suggestions of existing models: typed, walked through, chosen.
    dialog.get_by_role("combobox", name="Registered model").focus()
    page.keyboard.type("long.name")
    expect(dialog.get_by_role("listbox").get_by_role("option")).to_have_count(1)
    maria.photograph("register-suggestions")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("combobox", name="Registered model")).to_have_value(LONG_NAME)

    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()


def test_shortcuts_move_through_lists_and_are_explained(window: OpenWindow) -> None:
    page = window("maria").page
    page.goto("/models")
    page.keyboard.press("/")
    expect(page.get_by_role("dialog", name="Search everything").get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Keyboard shortcuts").click()
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("body").click(position={"x": 5, "y": 5})
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = page.locator("[data-rows] tbody tr").nth(1).get_by_role("link").first
    expect(second).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/models/"))


def test_the_theme_is_chosen_and_kept(window: OpenWindow) -> None:
    page: Page = window("ada").page
    page.goto("/models")
    page.get_by_label("Account of Ada Min").click()
    with page.expect_response(lambda answer: answer.url.endswith("/theme")):
        page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
