"""What somebody may have meant by the name of a model that is not there."""

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.urls import reverse

from registry_site.registry.finding import names_like

if TYPE_CHECKING:
    from registry_site.pages.middleware import PageRequest

MOST = 5
_CLOSE = 0.6


def near_matches(request: "HttpRequest | PageRequest") -> tuple[str, list[tuple[str, str]]]:
    """The name of the model that the address asks for, and the names and addresses of those like it that the actor may
    read; of all other addresses nothing."""
    match = request.resolver_match
    actor = getattr(request, "actor", None)
    name = match.kwargs.get("name", "") if match and match.route.startswith("models/") else ""
    if not name or actor is None or not actor.is_signed_in:
        return "", []
    found = closest(name, names_like(actor, name))
    return name, [(each, reverse("model", args=[each])) for each in found]


def closest(name: str, names: list[str]) -> list[str]:
    """The names most like this one, the best first. Pure."""
    folded = name.casefold()
    rated = [(SequenceMatcher(None, folded, each.casefold()).ratio(), each) for each in names]
    close = [(-ratio, each) for ratio, each in rated if ratio >= _CLOSE or folded in each.casefold()]
    return [each for _, each in sorted(close)[:MOST]]
