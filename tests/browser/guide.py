"""`python -m tests.browser.guide`: takes the pictures of `docs/guide.md` anew, of the demonstration."""

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from registry_site.accounts.levels import Level
from tests.browser.windows import CHROMIUM_NAMES, PASSWORD, QUIET, sign_in
from tests.live import ROOT, Podium, start_podium

PICTURES = ROOT / "docs" / "guide"
SIZE = {"width": 1280, "height": 800}
MODEL = "/models/churn-predictor"


def main() -> None:
    path = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if path is None:
        sys.exit(f"This needs a browser: none of {', '.join(CHROMIUM_NAMES)} is on the PATH.")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, start_podium(Path(folder)) as podium, sync_playwright() as playwright:
        podium.manage("demo")
        podium.create_user(
            "jon", password=PASSWORD, display_name="Jon Berg", level=Level.CAN_MANAGE_PRODUCTION_VERSIONS
        )
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        page = browser.new_page(base_url=podium.url, viewport=SIZE, reduced_motion="reduce", color_scheme="light")
        page.goto("/sign-in")
        sign_in(page, "jon")
        take(page, podium)
        browser.close()


def take(page: Page, podium: Podium) -> None:
    """Each picture by its name. Jon sees them, who may decide."""
    for name, address in {
        "home": "/",
        "models": "/models",
        "model": MODEL,
        "version": f"{MODEL}/versions/5",
        "reviews": "/reviews",
        "review": f"{MODEL}/requests/{pending(podium)}",
        "history": f"{MODEL}/timeline",
        "runs": "/experiments/1",
        "files": f"{MODEL}/versions/5/artifacts/MLmodel",
    }.items():
        page.goto(address)
        photograph(page, name)
    page.goto(f"{MODEL}/versions/4")
    page.get_by_role("link", name="Request promotion to Production").click()
    page.get_by_role("dialog").get_by_label("Reason").fill("Shadowed for **seven days**, AUC up by two points.")
    photograph(page, "request")


def pending(podium: Podium) -> str:
    """The number of the model's request that waits."""
    return podium.python(
        "from registry_site.promotion.models import TransitionRequest\n"
        "wait = TransitionRequest.objects.filter(registered_model__name='churn-predictor', state='pending')\n"
        "print(wait.order_by('-pk').first().number)"
    ).strip()


def photograph(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    main()
