"""The bell rings while a page is open, and the list is worked off by keyboard alone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.windows import Window
from tests.live import Podium

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.xdist_group("browser")]

_FOLLOW = """
from registry_site.accounts.actors import person
from registry_site.accounts.models import User
from registry_site.audit.kinds import Origin
from registry_site.core import clock
from registry_site.notifications.models import Notification
from registry_site.notifications.services import follow
# What others have done with her before is done with.
Notification.objects.filter(recipient__username="maria").update(read_at=clock.now(), done_at=clock.now())
follow(person(User.objects.get(username="maria"), Origin.PAGE), name="churn-predictor")
"""
_ACT = """
from registry_site.accounts.actors import person
from registry_site.accounts.models import User
from registry_site.audit.kinds import Origin
from registry_site.promotion.services import transition
from registry_site.registry.stages import Stage
jon = person(User.objects.get(username="jon"), Origin.PAGE)
for version, stage in ((1, Stage.STAGING), (2, Stage.STAGING), (1, Stage.ARCHIVED), (2, Stage.NONE)):
    transition(jon, name="churn-predictor", version=version, to_stage=stage, comment="Tried it out.")
"""
ROWS = "[...document.querySelectorAll('[data-rows] > li')]"
BELL = "document.getElementById('bell').getAttribute('aria-label')"


def test_what_happens_rings_the_bell_and_is_worked_off_by_keyboard(
    podium: Podium, window: Callable[..., Window]
) -> None:
    page = (opened := window("maria")).page
    podium.python(_FOLLOW)
    page.goto("/models")
    assert page.evaluate(BELL) == "0 unread notifications"
    podium.python(_ACT)
    come_back = "document.dispatchEvent(new Event('visibilitychange'))"
    page.wait_for_function(f"() => {{ {come_back}; return {BELL} === '4 unread notifications' }}", polling=500)
    page.keyboard.press("g")
    page.keyboard.press("n")
    page.wait_for_url("**/notifications")
    assert page.locator("[data-rows] > li").count() == 4
    for width in (1440, 390):
        for theme in ("light", "dark"):
            opened.look(width, theme)
            opened.photograph("notifications-some")
    opened.look(1440, "light")
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert page.locator("[data-rows] input:checked").count() == 1
    assert page.locator("[data-selected-count]").text_content() == "1"
    page.keyboard.press("x")
    assert page.locator("[data-rows] input:checked").count() == 0
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.evaluate(f"() => {ROWS}.indexOf(document.activeElement.closest('li'))") == 1
    page.keyboard.press("d")
    expect(page.locator("[data-rows] > li")).to_have_count(3)
    expect(page.locator("#bell")).to_have_attribute("aria-label", "3 unread notifications")
    assert page.evaluate(f"() => {ROWS}.indexOf(document.activeElement.closest('li'))") == 1
    page.keyboard.press("Enter")
    page.wait_for_url("**/models/churn-predictor/versions/*")
    assert page.evaluate(BELL) == "2 unread notifications"


def test_without_scripts_buttons_do_the_same(podium: Podium, window: Callable[..., Window]) -> None:
    page = window("maria", scripts=False).page
    page.goto("/notifications")
    rows = page.locator("[data-rows] > li")
    before = rows.count()
    assert before > 1
    rows.first.get_by_role("button", name="Done").click()
    assert rows.count() == before - 1
    page.get_by_role("button", name="Mark all as read").click()
    assert page.locator(".is-unread").count() == 0
