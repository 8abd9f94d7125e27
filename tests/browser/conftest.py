"""A Chromium, a Podium full of the demonstration's data, and the people who look at it."""

import json
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from registry_site.accounts.levels import Level
from tests.browser.roles import ROLES
from tests.browser.windows import CHROMIUM_NAMES, HEIGHTS, PASSWORD, QUIET, SCREENSHOTS, Theme, Window, sign_in
from tests.live import Podium, start_podium

OpenWindow = Callable[..., Window]

PATIENCE = 15_000  # milliseconds: a busy machine is no failure
expect.set_options(timeout=PATIENCE)

_MAKE_ROLES = """
import json, sys
from registry_site.accounts.actors import system
from registry_site.accounts.levels import EXPERIMENT_LEVELS, Level
from registry_site.accounts.services import create_user
from registry_site.registry.grants import set_grant
from registry_site.tracking.grants import set_grant as set_experiment_grant
password, roles = json.loads(sys.argv[1])
for role, level in roles.items():
    create_user(system(), username=role, password=password, email=f"{role}@example.org")
    set_grant(system(), name=None, username=role, level=Level(level))
    on_experiments = max(each for each in EXPERIMENT_LEVELS if each <= level)
    set_experiment_grant(system(), experiment_id=None, username=role, level=on_experiments)
"""


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The installed browser. It lives for this package only: while Playwright's event loop runs, Django refuses to
    touch a database in the same thread."""
    path = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if path is None:
        pytest.skip(f"no Chromium is installed: none of {', '.join(CHROMIUM_NAMES)} is on the PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def podium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podium]:
    """A Podium of the browser's own, so that it can be filled by the demonstration, which only fills an empty one."""
    with start_podium(tmp_path_factory.mktemp("podium")) as running:
        running.manage("demo")
        running.create_user("maria", password=PASSWORD, display_name="Maria Ito")
        running.create_user(
            "jon", password=PASSWORD, display_name="Jon Berg", level=Level.CAN_MANAGE_PRODUCTION_VERSIONS
        )
        running.create_user("ada", password=PASSWORD, display_name="Ada Min", is_admin=True)
        yield running


@pytest.fixture(scope="package")
def roles(podium: Podium) -> None:
    """Somebody of each role, called like it."""
    podium.python(_MAKE_ROLES, json.dumps([PASSWORD, ROLES]))


@pytest.fixture(scope="package")
def sessions() -> dict[str, object]:
    """What the browser keeps of those who have signed in, by name."""
    return {}


@pytest.fixture
def window(chromium: Browser, podium: Podium, sessions: dict[str, object]) -> Iterator[OpenWindow]:
    """`window("maria", width=390, theme="dark", scripts=False)` opens a window in which Maria is signed in; without a
    name, nobody is. After the test no window may have had a trouble."""
    windows: list[Window] = []
    if SCREENSHOTS:
        SCREENSHOTS.mkdir(exist_ok=True)

    def open_window(
        name: str | None = None, *, width: int = 1440, theme: Theme = "light", scripts: bool = True
    ) -> Window:
        context = chromium.new_context(
            base_url=podium.url,
            viewport={"width": width, "height": HEIGHTS[width]},
            color_scheme=theme,
            reduced_motion="reduce",
            java_script_enabled=scripts,
            storage_state=sessions.get(name),
        )
        context.set_default_timeout(PATIENCE)
        opened = Window(context, context.new_page(), width, theme)
        opened.listen()
        windows.append(opened)
        if name and name not in sessions:
            opened.page.goto("/sign-in")
            sign_in(opened.page, name)
            sessions[name] = context.storage_state()
        return opened

    yield open_window
    for each in windows:
        each.context.close()
    assert [trouble for each in windows for trouble in each.troubles] == []
