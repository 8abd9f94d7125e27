"""Who may open what, by the table of who may what, and what a page offers to whoever looks at it."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from django.urls import Resolver404, resolve

from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from tests.architecture.test_who_may_what import GOVERNANCE, PAGES
from tests.levels import ADMINISTRATORS, MANAGE, PEOPLE, PEOPLE_BY_LEVEL, Need, outcome_for

ROWS = {page.route: page for page in PAGES}
ADMIN = "admin"
ROLES = {
    role: level for role, level in PEOPLE_BY_LEVEL.items() if level >= Level.CAN_READ and role != ADMIN
}  # people with a level on everything, and not more


def need_of(address: str, method: str = "GET") -> Need | None:
    """What it takes to send this; None for what is no page of the table, such as an API's."""
    parts = urlsplit(address)
    try:
        route = resolve(parts.path).route
    except Resolver404:
        return None
    if route.startswith(GOVERNANCE):
        return ADMINISTRATORS
    if route == "webhooks/new" and "model=" in parts.query:
        return MANAGE
    if route.endswith("/register") and method == "POST":
        return PEOPLE  # the row is about a model that is there; a new one is made by anybody
    row = ROWS.get(route)
    return row and (row.get if method == "GET" else row.post)


def may(role: str, need: Need) -> bool:
    """Whether that is open to somebody of the role."""
    return outcome_for(User(username=role, is_superuser=role == ADMIN), need) == "done"


def refused(role: str, html: str, at: str) -> Iterator[str]:
    """What the page at this address offers although the role may not have it."""
    offers = _Offers()
    offers.feed(html)
    for method, address in sorted(offers.found):
        need = need_of(urljoin(at, address), method)
        if need is not None and not may(role, need):
            yield f"{method} {address}"


def kinds_of(html: str) -> frozenset[str]:
    """What a page is made of below the bar at its top: each kind of element that it has, by its tag and classes."""
    offers = _Offers()
    offers.feed(html.partition("<main")[2])
    return frozenset(offers.kinds)


class _Offers(HTMLParser):
    """Collects the links and forms of a page, and what it is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[tuple[str, str]] = set()
        self.kinds: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.kinds.add(f"{tag}.{re.sub('avatar-[0-9]', '', given.get('class', ''))}")
        if tag == "a" and not given.get("href", "#").startswith("#"):
            self.found.add(("GET", given["href"]))
        elif tag == "form" and given.get("method") != "dialog":
            self.found.add((given.get("method", "get").upper(), given.get("action", "")))
        for name, method in (("hx-get", "GET"), ("hx-post", "POST"), ("formaction", "POST")):
            if name in given:
                self.found.add((method, given[name]))
