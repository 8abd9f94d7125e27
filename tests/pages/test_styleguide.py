"""The style guide: for administrators, and with every state and icon that there is."""

import re

from django.test import Client

from registry_site.pages.looks import STAGES, STATUSES
from registry_site.pages.views.styleguide import icon_names


def test_the_style_guide_shows_every_state_and_icon(admin_page: Client) -> None:
    html = admin_page.get("/styleguide").content.decode()
    assert len(icon_names()) > 50
    assert {f"<code>{name}</code>" for name in icon_names()} <= set(re.findall(r"<code>[a-z-]+</code>", html))
    for look in (*STAGES.values(), *STATUSES.values()):
        assert str(look.word) in html
        assert f"pill-{look.colour}" in html
        assert look.icon in icon_names()


def test_the_style_guide_is_for_administrators(maria_page: Client) -> None:
    assert maria_page.get("/styleguide").status_code == 403
