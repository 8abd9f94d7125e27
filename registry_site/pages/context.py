"""What every template may rely on."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from registry_site.accounts.actors import Actor, stranger
from registry_site.audit.kinds import Origin
from registry_site.core.requests import current_request_id
from registry_site.notifications.queries import count_unread
from registry_site.pages.foresight import foresee
from registry_site.promotion.queries import count_waiting_for


def site(request: HttpRequest) -> dict[str, Any]:
    """`actor`, `reviews_waiting` and `unread` (asked of the database where they are shown), `open_mode`, `theme`,
    `podium_version`, `request_id`."""
    actor: Actor = getattr(request, "actor", stranger(Origin.PAGE))
    theme = request.COOKIES.get("theme", "")

    def counted(count: Callable[[Actor], int]) -> int:
        foresee(actor)
        return count(actor)

    return {
        "actor": actor,
        "reviews_waiting": SimpleLazyObject(lambda: counted(count_waiting_for)) if actor.is_signed_in else 0,
        "unread": SimpleLazyObject(lambda: counted(count_unread)) if actor.is_signed_in else 0,
        "open_mode": settings.PODIUM_OPEN,
        "theme": theme if theme in ("light", "dark") else "",
        "podium_version": settings.PODIUM_VERSION,
        "request_id": current_request_id(),
    }
