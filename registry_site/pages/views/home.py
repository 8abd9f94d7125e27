"""The first page: my work."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render

from registry_site.pages.access import signed_in
from registry_site.pages.middleware import PageRequest
from registry_site.pages.snippets import connect_snippet, log_model_snippet
from registry_site.pages.views.models import model_rows
from registry_site.pages.views.requests import request_rows
from registry_site.promotion.queries import Role, browse_requests
from registry_site.registry.history import display_names, recent_moves
from registry_site.registry.queries import browse_models
from registry_site.registry.stages import Stage

FEW = 5
MOVES = 8


@signed_in
def home(request: PageRequest) -> HttpResponse:
    """What waits for me, what I asked for, what came into Production, and the models that I own."""
    waiting = browse_requests(request.actor, role=Role.WAITING, max_results=FEW)
    mine = browse_requests(request.actor, role=Role.MINE, max_results=FEW)
    owned = browse_models(request.actor, text="owner:me", order_by=["last_updated_timestamp DESC"], max_results=FEW)
    is_empty = not owned.rows and not browse_models(request.actor, max_results=1).rows
    host = request.build_absolute_uri("/").rstrip("/")
    moves = recent_moves(request.actor, Stage.PRODUCTION, limit=MOVES)
    people = display_names(move.activity for move in moves)
    context = {
        "waiting": request_rows(waiting.rows),
        "more_waiting": bool(waiting.next_page_token),
        "mine": request_rows(mine.rows),
        "moves": [
            {
                "model_name": move.model_name,
                "version": move.activity.version,
                "who": people.get(move.activity.actor_name, move.activity.actor_name),
                "when": move.activity.at,
            }
            for move in moves
        ],
        "owned": model_rows(request.actor, owned.rows),
        "more_owned": bool(owned.next_page_token),
        "is_empty": is_empty,
        "connect": connect_snippet(host, open_mode=settings.PODIUM_OPEN),
        "first_model": log_model_snippet(host, "churn-classifier"),
    }
    return render(request, "pages/home/home.html", context)
