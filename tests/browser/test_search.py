"""The search over everything, by keyboard and without scripts."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenWindow
from tests.browser.test_every_page import AXE, violations

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.xdist_group("browser")]


def test_anything_is_found_and_opened_by_keyboard_from_any_page(window: OpenWindow) -> None:
    maria = window("maria")
    page = maria.page
    page.goto("/experiments")
    page.locator('input[name="q"]:not([data-search])').first.focus()
    page.keyboard.press("Control+k")
    dialog = page.get_by_role("dialog", name="Search everything")
    field = dialog.get_by_role("searchbox")
    expect(field).to_be_focused()
    page.keyboard.type("churn")
    first = dialog.get_by_role("link").first
    expect(first).to_contain_text("churn-predictor")
    expect(dialog.get_by_role("status")).to_contain_text(re.compile(r"\d+ found"))
    page.evaluate(AXE)
    assert violations(page, {}) == []
    maria.photograph("search-dialog")

    page.keyboard.press("ArrowDown")
    expect(first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(field).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/models/churn-predictor$"))

    page.keyboard.press("/")
    page.keyboard.type("models:/churn-predictor/2")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/models/churn-predictor/versions/2$"))
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_without_scripts_the_form_of_every_page_searches(window: OpenWindow) -> None:
    page = window("maria", scripts=False).page
    page.goto("/reviews")
    page.get_by_role("searchbox", name="Search everything").first.fill("churn")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Search")).to_be_visible()
    page.get_by_role("link", name="churn-predictor v3 is in Production").click()
    expect(page).to_have_url(re.compile(r"/models/churn-predictor$"))
