"""Narrowing the models list by clicks, keeping the filter, and finding it again."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenWindow
from tests.browser.test_every_page import AXE, violations

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize("scripts", [True, False])
def test_facets_narrow_the_list_and_the_filter_is_kept(window: OpenWindow, scripts: bool) -> None:
    jon = window("jon", width=390, scripts=scripts)
    page = jon.page
    page.goto("/models")
    searches = page.get_by_role("navigation", name="Searches")
    searches.get_by_role("link", name="In Production").click()
    searches.get_by_text("Team", exact=True).click()
    searches.get_by_role("link", name="risk", exact=True).click()
    expect(page).to_have_url(re.compile(r"q=stage%3Aproduction\+tag.team%3Arisk$"))
    expect(page.locator("[data-rows] tbody tr")).to_have_count(2)

    page.get_by_text("Save this filter").click()
    if scripts:
        page.evaluate(AXE)
        assert violations(page, {}) == []
        jon.photograph("models-save-filter")
        assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    page.get_by_label("Name", exact=True).fill("risk in use")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("The filter “risk in use” is saved.")).to_be_visible()

    searches.get_by_role("link", name="tag.team:risk").click()
    searches.get_by_role("link", name="In Production remove").click()
    expect(page.locator("[data-rows] tbody tr").nth(5)).to_be_visible()
    page.get_by_role("link", name="risk in use").click()
    expect(page.locator("[data-rows] tbody tr")).to_have_count(2)
    page.get_by_role("button", name="Delete the saved filter risk in use").click()
    expect(page.get_by_role("link", name="risk in use")).to_have_count(0)
