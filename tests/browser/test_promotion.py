"""From a first question to Production and back, by people in browsers: reviews, policies, rollback."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenWindow
from tests.browser.training import Logger
from tests.live import Podium

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.xdist_group("browser")]

AXE = Axe().axe_script


def versions(podium: Podium, name: str, count: int) -> Logger:
    """So many versions of a model of Maria's, each from a run of its own; her client."""
    client = Logger(podium, "maria")
    client.post("registered-models/create", name=name)
    for number in range(1, count + 1):
        run_id = client.train(experiment=f"{name} {number}", run=f"run {number}")
        client.post("model-versions/create", name=name, source=f"runs:/{run_id}/model", run_id=run_id)
    return client


def stage_of(client: Logger, name: str, version: int) -> str:
    return client.get("model-versions/get", name=name, version=str(version))["model_version"]["current_stage"]


def flaws(page: Page) -> list[str]:
    """The accessibility rules that the open page breaks."""
    page.evaluate(AXE)
    broken = page.evaluate("() => axe.run({resultTypes: ['violations']}).then(results => results.violations)")
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in broken]


def review(page: Page, verdict: str, comment: str = "") -> None:
    """Give a verdict on the request whose page is open."""
    decision = page.get_by_role("region", name="Decision")
    decision.get_by_role("radio", name=re.compile(f"^{verdict}")).check()
    decision.get_by_label("Comment (optional)").fill(comment)
    decision.get_by_role("button", name="Submit review").click()


def test_a_manager_writes_a_policy_and_sees_whom_it_would_stop(podium: Podium, window: OpenWindow) -> None:
    client = versions(podium, "policy-story", 2)
    client.post("model-versions/set-tag", name="policy-story", version="2", key="owner", value="growth")
    maria = window("maria")
    page = maria.page
    page.goto("/models/policy-story")
    page.get_by_role("navigation", name="Model").get_by_role("link", name="Settings").click()
    row = page.get_by_role("row", name=re.compile("Production"))
    expect(row).to_contain_text("Built in")
    row.get_by_role("link", name="Edit Production").click()

    page.get_by_label("Protected: everybody needs a request").check()
    page.get_by_label("Approvals that a request needs").fill("2")
    page.get_by_role("button", name="Add a gate").click()
    first = page.get_by_role("group", name="Gate 1")
    first.get_by_label("What it looks at").select_option("A metric")
    first.get_by_label("Name").fill("auc")
    first.get_by_label("Number").fill("0.9")
    page.get_by_role("button", name="Add a gate").click()
    second = page.get_by_role("group", name="Gate 2")
    second.get_by_label("What it looks at").select_option("A tag")
    second.get_by_label("Name").fill("owner")
    expect(second.get_by_label("Number")).to_be_hidden()
    second.get_by_role("button", name="Move gate 2 up").click()
    expect(page.get_by_role("group", name="Gate 1").get_by_label("Name")).to_have_value("owner")
    expect(page.get_by_label("Approvals that a request needs")).to_have_value("2")

    maria.expected = {422}
    page.get_by_role("group", name="Gate 2").get_by_label("Number").fill("much")
    page.get_by_role("button", name="Save the policy").click()
    expect(page.get_by_role("alert")).to_contain_text("Gate 2, Number: Enter a number.")
    maria.expected = set()
    page.get_by_role("group", name="Gate 2").get_by_label("Number").fill("0.9")
    page.get_by_role("button", name="Save the policy").click()
    outcome = page.get_by_role("region", name="1 of 2 versions of policy-story would pass")
    expect(outcome).to_contain_text("The version has no tag owner")
    assert flaws(page) == []
    maria.photograph("promotion-1-policy")
    page.get_by_role("button", name="Save the policy").click()
    expect(page.get_by_text("The policy for Production is saved.")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Production"))).to_contain_text("This model's own")
    assert flaws(page) == []
    maria.photograph("promotion-2-settings")


def test_a_request_is_sent_back_mended_and_approved(podium: Podium, window: OpenWindow) -> None:
    client = versions(podium, "review-story", 1)
    maria, jon = window("maria"), window("jon")
    page = maria.page

    # Maria asks for a gate on a tag, and asks for the promotion of a version that has it not.
    page.goto("/models/review-story/policies/Production")
    page.get_by_role("button", name="Add a gate").click()
    page.get_by_role("group", name="Gate 1").get_by_label("What it looks at").select_option("A tag")
    page.get_by_role("group", name="Gate 1").get_by_label("Name").fill("owner")
    page.get_by_role("button", name="Save the policy").click()
    expect(page.get_by_role("region", name="0 of 1 versions of review-story would pass")).to_be_visible()
    page.get_by_role("button", name="Save the policy").click()
    expect(page.get_by_text("The policy for Production is saved.")).to_be_visible()
    page.goto("/models/review-story/versions/1")
    page.get_by_role("link", name="Request promotion to Production").click()
    asking = page.get_by_role("dialog")
    expect(asking).to_contain_text("0 of 1 pass")
    asking.get_by_label("Reason").fill("Half the size.")
    maria.photograph("promotion-3-preflight")
    asking.get_by_role("button", name="Create request").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("#1")

    # Jon finds it in his inbox, and asks for the tag.
    jon.page.goto("/reviews")
    row = jon.page.get_by_role("listitem").filter(has_text="review-story")
    expect(row).to_contain_text("0 of 1 gates")
    row.get_by_role("link", name="review-story #1").click()
    expect(jon.page.get_by_role("region", name="Decision")).to_contain_text("The version has no tag owner.")
    jon.expected = {422}
    review(jon.page, "Request changes")
    expect(jon.page.get_by_role("alert")).to_contain_text("Say what should change: that needs a comment.")
    jon.expected = set()
    review(jon.page, "Request changes", "Whose is it? Set the **owner** tag.")
    expect(jon.page.get_by_text("The request waits for the changes that you asked for.")).to_be_visible()
    assert flaws(jon.page) == []

    # Maria answers, mends it and cannot be quicker than Jon's eyes: what he saw is no longer what there is.
    page.reload()
    expect(page.locator(".page-lead")).to_contain_text("the changes that Jon Berg asked for")
    page.get_by_role("region", name="Say something").get_by_label("Comment").fill("Done, @jon: it is **growth's**.")
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.locator(".timeline-body strong").last).to_have_text("growth's")
    client.post("model-versions/set-tag", name="review-story", version="1", key="owner", value="growth")
    jon.expected = {422}
    review(jon.page, "Approve", "Thanks, all is well.")
    expect(jon.page.get_by_role("alert")).to_contain_text("has changed: tag owner is new")
    jon.expected = set()
    decision = jon.page.get_by_role("region", name="Decision")
    expect(decision.get_by_label("Comment (optional)")).to_have_value("Thanks, all is well.")
    expect(decision).to_contain_text("1 of 1 pass")
    jon.photograph("promotion-4-changed")
    decision.get_by_role("button", name="Submit review").click()
    expect(jon.page.get_by_text("Approved. Version 1 is in Production now.")).to_be_visible()
    assert stage_of(client, "review-story", 1) == "Production"
    assert flaws(jon.page) == []
    jon.photograph("promotion-5-approved")


def test_production_is_rolled_back_from_its_history(podium: Podium, window: OpenWindow) -> None:
    client = versions(podium, "rollback-story", 2)
    for version in ("1", "2"):
        client.post(
            "model-versions/transition-stage",
            name="rollback-story",
            version=version,
            stage="Production",
            archive_existing_versions=True,
        )
    maria = window("maria", width=390, theme="dark", scripts=False)
    page = maria.page
    page.goto("/models/rollback-story")
    page.get_by_role("link", name="History, rollback").click()
    expect(page.get_by_role("row", name=re.compile("v2"))).to_contain_text("now")
    page.get_by_role("row", name=re.compile("v1")).get_by_role("link", name="Roll back… v1").click()
    expect(page.get_by_text("At once: v1 moves to Production, v2 is archived.")).to_be_visible()
    page.get_by_label("Reason").fill("The new one is slow.")
    page.get_by_role("button", name="Roll back to v1 now").click()
    expect(page.get_by_text("Version 1 is back in Production.")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("The new one is slow"))).to_contain_text("Rollback")
    assert stage_of(client, "rollback-story", 1) == "Production"
    assert stage_of(client, "rollback-story", 2) == "Archived"
    maria.photograph("promotion-6-history")
