"""From a training run to Production, by two people in two browsers."""

import email
import re
import time
from email import policy
from email.message import EmailMessage

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenWindow
from tests.browser.training import Logger
from tests.browser.windows import sign_in
from tests.live import Podium

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.xdist_group("browser")]

MAIL_SECONDS = 30  # far more than it takes


def mail_to(podium: Podium, address: str, subject: str) -> str:
    """The text of the mail to that address with that subject, as soon as it is in the mail folder."""
    deadline = time.monotonic() + MAIL_SECONDS
    while time.monotonic() < deadline:
        for path in sorted((podium.data_dir / "mail").glob("[0-9]*.eml"), reverse=True):
            message = email.message_from_bytes(path.read_bytes(), _class=EmailMessage, policy=policy.default)
            if (message["To"], message["Subject"]) == (address, subject):
                return message.get_body(("plain",)).get_content()
        time.sleep(0.1)
    raise AssertionError(f"no mail {subject!r} to {address} within {MAIL_SECONDS} s")


def link_in(text: str) -> str:
    """The first link in a mail."""
    return re.search(r"^http://\S+$", text, re.MULTILINE)[0]


def tell_the_story_until_the_model_folder(page: Page, *, experiment: str, run: str) -> None:
    """Sign in, find the experiment and the run, and open its model folder."""
    page.goto("/")
    expect(page).to_have_title("Sign in · Podium")
    sign_in(page, "maria")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your work")
    if page.viewport_size["width"] < 700:
        page.get_by_label("Menu", exact=True).click()
        page.get_by_role("navigation", name="Main, small screen").get_by_role("link", name="Experiments").click()
    else:
        page.get_by_role("navigation", name="Main", exact=True).get_by_role("link", name="Experiments").click()
    page.get_by_role("main").get_by_role("link", name=experiment).click()
    page.get_by_role("link", name=run).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(run)
    expect(page.get_by_role("row", name=re.compile("learning_rate")).get_by_role("cell")).to_have_text("0.05")
    page.get_by_role("navigation", name="Run").get_by_role("link", name="Artifacts").click()
    page.get_by_role("navigation", name="Files").get_by_role("link", name="model", exact=True).click()
    expect(page.locator("#preview").get_by_role("heading", level=2)).to_contain_text("model")
    expect(page.locator("#preview").get_by_role("rowheader", name="tenure")).to_be_visible()


def fill_the_registration(page: Page, name: str) -> None:
    page.get_by_label("A new model").check()
    page.get_by_label("Name of the new model").fill(name)
    page.get_by_label("What is new in this version?").fill("First **boosted** trees.")
    page.get_by_label("Key").first.fill("team")
    page.get_by_label("Value").first.fill("growth")
    page.get_by_label("Alias").fill("challenger")
    page.get_by_role("button", name="Register", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{name} v1")


def production_versions(client: Logger, name: str) -> list[str]:
    """The numbers of the versions that the REST API has in Production."""
    found = client.post("registered-models/get-latest-versions", name=name, stages=["Production"])
    return [version["version"] for version in found.get("model_versions", [])]


def test_a_run_becomes_a_model_in_production(podium: Podium, window: OpenWindow) -> None:
    client = Logger(podium, "maria")
    run_id = client.train(experiment="churn of spring", run="boosted-trees")

    # Maria finds her run, and looks at its files.
    maria = window()
    page = maria.page
    tell_the_story_until_the_model_folder(page, experiment="churn of spring", run="boosted-trees")
    maria.photograph("story-1-model-folder")

    # The dialog says what is wrong, and keeps what was written.
    page.locator("#preview").get_by_role("link", name="Register model").click()
    dialog = page.get_by_role("dialog", name="Register model")
    expect(dialog).to_be_visible()
    maria.expected = {422}
    dialog.get_by_label("What is new in this version?").fill("First trees")
    dialog.get_by_role("button", name="Register", exact=True).click()
    expect(dialog.get_by_role("alert").first).to_contain_text("Choose a registered model, or make a new one.")
    expect(dialog.get_by_label("What is new in this version?")).to_have_value("First trees")
    maria.photograph("story-2-dialog")
    maria.expected = set()
    fill_the_registration(page, "spring-churn")
    expect(page.get_by_text("spring-churn version 1 is registered.")).to_be_visible()
    expect(page.get_by_role("main").get_by_text("@challenger").first).to_be_visible()

    # She describes it in place, and sees how it will look.
    page.get_by_role("region", name="Description").get_by_role("link", name="Edit").click()
    page.get_by_role("textbox", name="Description").fill("Who leaves within **90 days**, after `tenure` and `spend`.")
    expect(page.get_by_role("region", name="Preview").locator("strong")).to_have_text("90 days")
    maria.photograph("story-3-description")
    page.get_by_role("button", name="Save description").click()
    expect(page.get_by_role("region", name="Description").locator("strong")).to_have_text("90 days")

    # She asks for its promotion, and says why.
    page.get_by_role("link", name="Request promotion to Production").click()
    asking = page.get_by_role("dialog", name="Request promotion of spring-churn v1")
    expect(asking.get_by_text("No other version is in Production")).to_be_visible()
    asking.get_by_label("Reason").fill("AUC of 0.93, and *fast*.")
    maria.photograph("story-4-request")
    asking.get_by_role("button", name="Create request").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("#1")
    assert production_versions(client, "spring-churn") == []

    # Jon is told by mail, follows its link, and comes to the request by way of the sign-in page.
    told = mail_to(podium, "jon@example.org", "Maria Ito asks to move spring-churn version 1 to Production")
    assert "AUC of 0.93, and *fast*." in told
    jon = window()
    jon.page.goto(link_in(told))
    sign_in(jon.page, "jon")
    expect(jon.page.get_by_role("heading", level=1)).to_contain_text("#1")
    expect(jon.page.get_by_role("region", name="Reason").locator("em")).to_have_text("fast")
    expect(jon.page.get_by_role("link", name=re.compile(r"Reviews.*\d"))).to_be_visible()
    jon.page.get_by_role("region", name="Decision").get_by_label("Comment (optional)").fill("Looks good to me.")
    jon.photograph("story-5-review")
    jon.page.get_by_role("radio", name=re.compile("^Approve")).check()
    jon.page.get_by_role("button", name="Submit review").click()
    expect(jon.page.get_by_role("region", name="Decision").get_by_text("Looks good to me.")).to_be_visible()

    # Maria is told, and the version is in Production, on its page and for clients.
    verdict = mail_to(podium, "maria@example.org", "Approved: spring-churn version 1 to Production")
    assert "Looks good to me." in verdict
    page.goto(link_in(verdict))
    page.get_by_role("link", name="v1").first.click()
    expect(page.locator(".page-title")).to_contain_text("Production")
    maria.photograph("story-6-production")
    assert production_versions(client, "spring-churn") == ["1"]
    source = client.get("model-versions/get-download-uri", name="spring-churn", version="1")["artifact_uri"]
    assert client.get_file(source, "MLmodel").startswith(b"artifact_path: model\n")
    assert f"run_id: {run_id}".encode() in client.get_file(source, "MLmodel")


def test_the_same_without_scripts_on_a_small_dark_screen(podium: Podium, window: OpenWindow) -> None:
    client = Logger(podium, "maria")
    client.train(experiment="churn of autumn", run="plain-trees")
    maria = window(width=390, theme="dark", scripts=False)
    page = maria.page
    tell_the_story_until_the_model_folder(page, experiment="churn of autumn", run="plain-trees")
    page.locator("#preview").get_by_role("link", name="Register model").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Register model")
    maria.photograph("story-scriptless-1-register")
    fill_the_registration(page, "autumn-churn")

    page.get_by_role("link", name="Request promotion to Production").click()
    page.get_by_label("Reason").fill("Better than nothing.")
    page.get_by_role("button", name="Create request").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("#1")
    maria.photograph("story-scriptless-2-request")

    jon = window("jon", width=390, theme="dark", scripts=False)
    jon.page.goto(
        link_in(mail_to(podium, "jon@example.org", "Maria Ito asks to move autumn-churn version 1 to Production"))
    )
    jon.page.get_by_role("region", name="Decision").get_by_label("Comment (optional)").fill("Go.")
    jon.page.get_by_role("radio", name=re.compile("^Approve")).check()
    jon.page.get_by_role("button", name="Submit review").click()
    expect(jon.page.get_by_role("region", name="Decision").get_by_text("Go.")).to_be_visible()
    jon.photograph("story-scriptless-3-approved")
    assert production_versions(client, "autumn-churn") == ["1"]
