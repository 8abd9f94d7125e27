"""Browser windows that remember every trouble their pages had."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Response, WebError

from tests.live import ROOT

Theme = Literal["light", "dark"]

SCREENSHOTS = ROOT / "screenshots" if os.environ.get("SCREENSHOTS") == "1" else None
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
HEIGHTS = {1440: 900, 768: 1024, 390: 844}  # of a window, by its width
PASSWORD = "twelve grey whales"

_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    window.shifts.push(entry.sources.map(({ node }) => node?.outerHTML?.slice(0, 120)).join());
  }
}).observe({ type: "layout-shift", buffered: true });
"""

_FETCHED = """
["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
    .filter(({ transferSize }) => transferSize).map(({ name }) => name)
"""

# The browser's own remark about an answer of 4xx or 5xx. Answers are judged one by one, and known by their address.
_REMARK_ON_AN_ANSWER = "Failed to load resource: the server responded with a status of"


@dataclass  # without slots: Playwright keeps its wrappers of the listeners on the instance
class Window:
    """One person's window of one size. `troubles` are console errors, script errors, what the policy of the pages
    refused, and answers of 4xx and 5xx whose status is not in `expected`."""

    context: BrowserContext
    page: Page
    width: int
    theme: Theme
    expected: set[int] = field(default_factory=set)
    troubles: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Begin to note troubles."""
        self.context.add_init_script(_SHIFTS)
        self.context.on("console", self._said)
        self.context.on("weberror", self._failed)
        self.context.on("response", self._answered)

    def look(self, width: int, theme: Theme) -> None:
        """Make the window this wide, on a system with this theme. The page stays."""
        self.page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        self.width, self.theme = width, theme

    def shifts(self) -> list[str]:
        """What has moved in the open page since it was opened, without anybody's doing; of a page that had a script."""
        self.page.wait_for_load_state()
        moved: list[str] = self.page.evaluate("window.shifts ?? []")
        return moved

    def fetched(self) -> list[str]:
        """What the open page is made of, itself and all that it has asked for, but what the browser had already, and
        files that people have logged."""
        self.page.wait_for_load_state("networkidle" if self.page.locator("[data-plot-url]").count() else "load")
        parts: list[str] = self.page.evaluate(_FETCHED)
        return [part for part in parts if "/files/" not in part]

    def photograph(self, name: str) -> Path | None:
        """Save the whole page as a picture, if pictures are wanted."""
        if SCREENSHOTS is None:
            return None
        path = SCREENSHOTS / f"{name}-{self.theme}-{self.width}.png"
        self.page.screenshot(path=path, full_page=True, timeout=60_000)
        return path

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(_REMARK_ON_AN_ANSWER):
            self.troubles.append(f"{self.page.url}: console {message.type}: {message.text}")

    def _failed(self, error: WebError) -> None:
        self.troubles.append(f"{self.page.url}: {error.error}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.troubles.append(f"{self.page.url}: {response.status} from {response.url}")


def sign_in(page: Page, name: str) -> None:
    """Fill the form of the sign-in page, which is open, and send it."""
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
