"""Pages that stand still while they arrive, in a browser that has kept nothing and is slow, and leave people where they
are."""

import json

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenWindow
from tests.browser.training import Logger
from tests.browser.windows import PASSWORD
from tests.live import Podium

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.xdist_group("browser")]

_LOG_RUNS = """
import json
from django.db import transaction
from registry_site.accounts.actors import person
from registry_site.accounts.models import User
from registry_site.audit.kinds import Origin
from registry_site.tracking.recording import MetricPoint, log_batch
from registry_site.tracking.services import create_experiment, create_run
maria = person(User.objects.get(username="maria"), Origin.REST)
with transaction.atomic():
    experiment = create_experiment(maria, name="many runs")
    for number in range(200):
        name = f"run {number}" + "-again" * (number % 7)
        run = create_run(maria, experiment_id=experiment.pk, run_name=name, start_time=number)
        params = [("depth", str(number % 9)), ("optimizer", ["sgd", "adam", "adamw with restarts"][number % 3]),
                  ("rate", str(1 / (number + 3))), ("seed", str(number)), ("trees", str(number * 10))]
        metrics = [MetricPoint(key, size / (number + 1), 0) for key, size in
                   (("accuracy", 1), ("auc", 0.93), ("f1", 0.7), ("loss", 1e-4), ("latency_ms", 900))]
        log_batch(maria, run_id=run.run_id, metrics=metrics, params=params)
print(json.dumps(experiment.pk))
"""


def test_tables_do_not_move_while_their_rows_arrive(window: OpenWindow, podium: Podium) -> None:
    window("maria")  # who signs in here, should she not have done so yet
    experiment = json.loads(podium.python(_LOG_RUNS))
    for _ in range(3):
        opened = window("maria")
        opened.page.set_viewport_size({"width": 1280, "height": 720})
        opened.context.new_cdp_session(opened.page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
        opened.page.goto(f"/experiments/{experiment}")
        assert opened.shifts() == []


_WRITE_AT_ONCE = """
() => new MutationObserver((changes, observer) => {
  observer.disconnect();
  document.querySelector("#dialog textarea[name=description]").focus();
}).observe(document.getElementById("dialog"), { attributeFilter: ["open"] })
"""


def test_whoever_writes_as_soon_as_a_dialog_is_there_keeps_the_focus(window: OpenWindow, podium: Podium) -> None:
    page = window("maria").page
    run_id = Logger(podium, "maria").train(experiment="written at once", run="quick")
    page.goto(f"/runs/{run_id}/artifacts/model")
    page.evaluate(_WRITE_AT_ONCE)
    page.locator("#preview").get_by_role("link", name="Register model").click()
    what_is_new = page.get_by_role("dialog").get_by_label("What is new in this version?")
    expect(page.get_by_role("combobox", name="Registered model")).to_be_visible()  # all that comes later has come
    page.wait_for_timeout(100)
    expect(what_is_new).to_be_focused()


_MAKE_LONG_NAME = f"""
from registry_site.accounts.actors import system
from registry_site.accounts.services import create_user
create_user(system(), username="long", password={PASSWORD!r}, display_name="Wolfeschlegelsteinhausenbergerdorff" * 2)
"""


def test_no_name_makes_a_page_wider_than_the_window(window: OpenWindow, podium: Podium) -> None:
    podium.python(_MAKE_LONG_NAME)
    for width in (390, 768, 1440):
        page = window("long", width=width).page
        page.goto("/models")
        page.locator("summary:has(.person)").click()
        assert page.evaluate("document.documentElement.scrollWidth") == width
