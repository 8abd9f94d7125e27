"""Versions side by side, as somebody without a mouse and somebody without scripts use them."""

import re
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import OpenWindow

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.xdist_group("browser")]

MODEL = "churn-predictor"
NAME = f'"{MODEL}"'


def test_versions_are_chosen_turned_and_filtered_by_the_keyboard_alone(window: OpenWindow) -> None:
    maria = window("maria")
    page = maria.page
    page.goto(f"/models/{MODEL}")
    compare = page.get_by_role("button", name="Compare")
    expect(compare).to_be_disabled()
    for number in (5, 2):
        page.get_by_label(f"Select v{number}").focus()
        page.keyboard.press("Space")
    compare.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/models/{MODEL}/compare/2\.\.\.5$"))
    lines = page.locator(".compare-versions tbody tr")
    differing = lines.count()
    page.get_by_role("link", name="Everything").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?show=all$"))
    assert lines.count() > differing
    page.get_by_role("link", name="Swap: compare with v5").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/compare/5\.\.\.2\?show=all$"))
    expect(page.get_by_role("row", name=re.compile("^auc "))).to_contain_text(re.compile(r"[+−]0\.\d+"))
    page.locator("[data-plot-url]").first.scroll_into_view_if_needed()
    expect(page.locator(".plot-area svg").first).to_be_visible()
    page.evaluate(Axe().axe_script)
    assert page.evaluate("axe.run({resultTypes: ['violations']}).then(({violations}) => violations)") == []
    maria.photograph("versions-compare-swapped")


def test_two_versions_stand_side_by_side_on_a_phone(window: OpenWindow) -> None:
    page = window("maria", width=390).page
    page.goto(f"/models/{MODEL}/compare/3...5?show=all")
    table = page.locator(".table-wrap:has(.compare-table)")
    assert table.evaluate("table => [table.scrollWidth, table.clientWidth]") == [364, 364]


def test_links_of_mlflow_lead_to_the_comparison(window: OpenWindow) -> None:
    page = window("maria").page
    runs = quote('{"a":"4","b":"5","c":"1"}')
    page.goto(f"/#/compare-model-versions?name={quote(NAME)}&runs={runs}")
    expect(page).to_have_url(re.compile(rf"/models/{MODEL}/compare/4\.\.\.5\.\.\.1$"))


def test_it_works_without_scripts(window: OpenWindow) -> None:
    page = window("maria", scripts=False).page
    page.goto(f"/models/{MODEL}")
    for number in (5, 2):
        page.get_by_label(f"Select v{number}").check()
    page.get_by_role("button", name="Compare").click()
    page.get_by_label("Version to add").select_option("4")
    page.get_by_role("button", name="Add").click()
    expect(page).to_have_url(re.compile(r"/compare/2\.\.\.5\.\.\.4$"))
    page.get_by_role("link", name="Make it the baseline v4").click()
    page.get_by_role("link", name="Leave out v2").click()
    expect(page).to_have_url(re.compile(r"/compare/4\.\.\.5$"))
