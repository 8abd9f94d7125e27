"""Curves of runs, as somebody sees them who scrolls."""

import re
import uuid

import pytest
from django.urls import reverse
from playwright.sync_api import Request, expect

from tests.browser.conftest import OpenWindow
from tests.browser.training import Logger
from tests.live import Podium

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.xdist_group("browser")]

PLAIN = [f"m{number:02d}" for number in range(20)]
ODD = ["a: 100 . of_größe/b", "train/loss", "val/loss"]


@pytest.fixture
def runs(podium: Podium) -> tuple[str, list[str]]:
    """An experiment with two runs of many metrics: its id and theirs."""
    maria = Logger(podium, "maria")
    name = f"many curves {uuid.uuid4().hex[:6]}"
    experiment = maria.post("experiments/create", name=name)["experiment_id"]
    ids = []
    for place in range(2):
        run_id = maria.post("runs/create", experiment_id=experiment, run_name=f"run {place}")["run"]["info"]["run_id"]
        points = [
            {"key": key, "value": float(step + place), "timestamp": 1_795_000_000_000 + step, "step": step}
            for key in PLAIN + ODD
            for step in range(3)
        ]
        maria.post("runs/log-batch", run_id=run_id, metrics=points)
        ids.append(run_id)
    return experiment, ids


def test_curves_that_come_in_sight_together_are_asked_for_together(
    window: OpenWindow, runs: tuple[str, list[str]]
) -> None:
    experiment, ids = runs
    page = window("maria").page
    for url, lines in (
        (reverse("run_metrics", args=[ids[0]]), 1),
        (f"{reverse('compare_runs', args=[experiment])}?runs={','.join(ids)}", 2),
    ):
        asked: list[str] = []

        def note(request: Request, asked: list[str] = asked) -> None:
            asked.extend([request.url] if ".json?" in request.url else [])

        page.on("request", note)
        page.goto(url)
        first = page.locator("[data-plot-url]", has_text=ODD[0])
        first.scroll_into_view_if_needed()
        expect(first.locator(".plot-line")).to_have_count(lines)
        last = page.locator("[data-plot-url]", has_text=PLAIN[-1])
        expect(last.locator("svg")).to_have_count(0)
        assert len(asked) <= 2, asked
        page.evaluate("scrollTo({top: document.body.scrollHeight, behavior: 'instant'})")
        expect(last.locator(".plot-line")).to_have_count(lines)
        page.wait_for_load_state("networkidle")
        assert len(asked) <= 3, asked
        keys = [key for each in asked for key in re.findall("key=[^&]+", each)]
        assert len(keys) == len(set(keys)) > len(asked)
        page.remove_listener("request", note)


def test_curves_that_nobody_has_scrolled_to_are_printed_too(window: OpenWindow, runs: tuple[str, list[str]]) -> None:
    _, (run_id, _) = runs
    page = window("maria").page
    page.goto(reverse("run_metrics", args=[run_id]))
    lines = "document.querySelectorAll('.plot .plot-line').length"
    page.evaluate(f"window.print = () => {{ document.documentElement.dataset.printed = {lines} }}")
    expect(page.locator(".plot .plot-line").first).to_be_attached()
    page.keyboard.press("Control+p")
    expect(page.locator("html")).to_have_attribute("data-printed", str(len(PLAIN + ODD)))
