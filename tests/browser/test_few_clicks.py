"""What people do every day takes few clicks, and none at all: each step by the keyboard alone, too."""

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenWindow
from tests.browser.training import Logger
from tests.live import Podium

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.xdist_group("browser")]

MOST_TABS = 80


@dataclass(slots=True)
class Mouse:
    """Somebody who clicks, and counts it."""

    page: Page
    clicks: int = 0

    def use(self, target: Locator) -> None:
        target.click()
        self.clicks += 1

    def taken(self) -> int:
        """The clicks since the last time."""
        clicks, self.clicks = self.clicks, 0
        return clicks


@dataclass(slots=True)
class Keyboard:
    """Somebody who has no mouse: walks to everything by Tab, and sees where they are."""

    page: Page

    def walk_to(self, target: Locator) -> None:
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            if target.evaluate("element => element === document.activeElement"):
                outline = target.evaluate("element => getComputedStyle(element).outlineStyle")
                assert outline != "none", f"nothing shows that {target} has the focus"
                return
        raise AssertionError(f"{MOST_TABS} times Tab did not lead to {target}")

    def use(self, target: Locator, key: str = "Enter") -> None:
        self.walk_to(target)
        self.page.keyboard.press(key)

    def write(self, target: Locator, text: str) -> None:
        self.walk_to(target)
        self.page.keyboard.type(text)


def model_in_production(client: Logger, name: str) -> str:
    """A model with one version in Production and a newer run beside it; the id of that run."""
    client.post("registered-models/create", name=name)
    run_id = client.train(experiment=name, run="first")
    client.post("model-versions/create", name=name, source=f"runs:/{run_id}/model", run_id=run_id)
    client.post("model-versions/transition-stage", name=name, version="1", stage="Production")
    return client.train(experiment=f"{name} again", run="second")


def stage_of(client: Logger, name: str, version: int) -> str:
    return client.get("model-versions/get", name=name, version=str(version))["model_version"]["current_stage"]


def test_each_task_takes_as_few_clicks_as_it_may(podium: Podium, window: OpenWindow) -> None:
    client = Logger(podium, "maria")
    run_id = model_in_production(client, "few-clicks")
    maria, jon = window("maria"), window("jon")
    page = maria.page
    mouse = Mouse(page)

    page.goto(f"/runs/{run_id}")
    mouse.use(page.get_by_role("link", name="Register model").first)
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Registered model").press_sequentially("few-cl")
    mouse.use(dialog.get_by_role("option", name="few-clicks"))
    mouse.use(dialog.get_by_role("button", name="Register", exact=True))
    expect(page.get_by_role("heading", level=1)).to_have_text("few-clicks v2")
    assert mouse.taken() == 3, "to register a run's model"

    # The candidate stands beside Production on its own page already.
    expect(page.get_by_role("region", name="Metrics")).to_contain_text("v1")

    mouse.use(page.get_by_role("link", name="Request promotion to Production"))
    page.get_by_role("dialog").get_by_label("Reason").fill("Twice as fast.")
    mouse.use(page.get_by_role("dialog").get_by_role("button", name="Create request"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("#1")
    assert mouse.taken() == 2, "and a reason, to ask for a promotion"

    reviewer = Mouse(jon.page)
    jon.page.goto("/models/few-clicks/requests/1")
    reviewer.use(jon.page.get_by_role("radio", name=re.compile("^Approve")))
    reviewer.use(jon.page.get_by_role("button", name="Submit review"))
    expect(jon.page.get_by_text("Approved. Version 2 is in Production now.")).to_be_visible()
    assert reviewer.taken() == 2, "to approve"

    jon.page.goto("/models/few-clicks")
    reviewer.use(jon.page.get_by_role("link", name="Roll back to v1…"))
    jon.page.get_by_role("dialog").get_by_label("Reason").fill("It forgets the old customers.")
    jon.photograph("rollback-dialog")
    reviewer.use(jon.page.get_by_role("dialog").get_by_role("button", name="Roll back to v1 now"))
    expect(jon.page.get_by_text("Version 1 is back in Production.")).to_be_visible()
    assert reviewer.taken() == 2, "to roll back"
    assert [stage_of(client, "few-clicks", version) for version in (1, 2)] == ["Production", "Archived"]


def test_the_same_by_keyboard_alone(podium: Podium, window: OpenWindow) -> None:
    client = Logger(podium, "maria")
    run_id = model_in_production(client, "no-clicks")
    maria, jon = window("maria"), window("jon")
    page = maria.page
    keys = Keyboard(page)

    page.goto(f"/runs/{run_id}")
    keys.use(page.get_by_role("link", name="Register model").first)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    keys.write(dialog.get_by_role("combobox", name="Registered model"), "no-clicks")
    expect(dialog.get_by_role("option", name="no-clicks")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    keys.use(dialog.get_by_role("button", name="Register", exact=True))
    expect(page.get_by_role("heading", level=1)).to_have_text("no-clicks v2")

    keys.use(page.get_by_role("link", name="Request promotion to Production"))
    asking = page.get_by_role("dialog")
    expect(asking).to_be_visible()
    keys.write(asking.get_by_label("Reason"), "Twice as fast.")
    keys.use(asking.get_by_role("button", name="Create request"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("#1")

    keys = Keyboard(jon.page)
    jon.page.goto("/models")
    jon.page.keyboard.press("g")
    jon.page.keyboard.press("r")
    keys.use(jon.page.get_by_role("link", name="no-clicks #1"))
    expect(jon.page.get_by_role("heading", level=1)).to_contain_text("#1")
    decision = jon.page.get_by_role("region", name="Decision")
    keys.use(decision.get_by_role("radio", checked=True).or_(decision.get_by_role("radio").first), key="Space")
    while not decision.get_by_role("radio", name=re.compile("^Approve")).is_checked():
        jon.page.keyboard.press("ArrowUp")
    keys.use(decision.get_by_role("button", name="Submit review"))
    expect(jon.page.get_by_text("Approved. Version 2 is in Production now.")).to_be_visible()

    jon.page.goto("/models/no-clicks")
    keys.use(jon.page.get_by_role("link", name="Roll back to v1…"))
    back = jon.page.get_by_role("dialog")
    expect(back).to_be_visible()
    keys.write(back.get_by_label("Reason"), "It forgets the old customers.")
    keys.use(back.get_by_role("button", name="Roll back to v1 now"))
    expect(jon.page.get_by_text("Version 1 is back in Production.")).to_be_visible()
    assert [stage_of(client, "no-clicks", version) for version in (1, 2)] == ["Production", "Archived"]
