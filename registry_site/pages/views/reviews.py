"""The inbox: requests that wait for somebody."""

from functools import partial
from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from registry_site.pages.access import signed_in
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import pager_of
from registry_site.pages.views.requests import request_rows, requests_as_file
from registry_site.promotion.queries import Role, browse_requests, count_waiting_for
from registry_site.promotion.rules import RequestState


@signed_in
def reviews(request: PageRequest) -> HttpResponseBase:
    """What waits for me, what I asked for, and everything; the last two in one state, if one is chosen."""
    wanted, chosen = request.GET.get("role", ""), request.GET.get("state", "")
    role = Role(wanted) if wanted in list(Role) else Role.WAITING
    state = RequestState(chosen) if chosen in list(RequestState) and role is not Role.WAITING else None
    find = partial(browse_requests, request.actor, role=role, state=state)
    if file := requests_as_file(request, find):
        return file
    page = find(page_token=request.GET.get("page_token"))
    labels: dict[Role, Any] = {Role.WAITING: _("Waiting for me"), Role.MINE: _("Mine"), Role.ALL: _("All")}
    context = {
        "role": role,
        "state": state,
        "states": list(RequestState),
        "rows": request_rows(page.rows),
        "pager": pager_of(request, page.next_page_token),
        "tabs": [
            {
                "label": label,
                "url": f"?role={each.value}",
                "current": each is role,
                "count": count_waiting_for(request.actor) if each is Role.WAITING else None,
            }
            for each, label in labels.items()
        ],
    }
    return render(request, "pages/reviews/reviews.html", context)
