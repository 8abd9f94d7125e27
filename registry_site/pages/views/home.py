"""The first page: my work."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render

from registry_site.notifications.queries import models_of_interest
from registry_site.pages.access import signed_in
from registry_site.pages.middleware import PageRequest
from registry_site.pages.snippets import connect_snippet, host_of, log_model_snippet
from registry_site.pages.views.experiments import snippet_of
from registry_site.pages.views.requests import request_rows
from registry_site.promotion.queries import Role, browse_requests
from registry_site.registry.history import display_names, recent_moves
from registry_site.registry.queries import sees_models
from registry_site.registry.stages import Stage
from registry_site.tracking.finding import latest_runs

FEW = 5
MODELS = 8
MOVES = 8


@signed_in
def home(request: PageRequest) -> HttpResponse:
    """What waits for me, what I asked for, the models that I follow or own, what came into Production, and my runs."""
    waiting = browse_requests(request.actor, role=Role.WAITING, max_results=FEW)
    mine = browse_requests(request.actor, role=Role.MINE, max_results=FEW)
    rows = request_rows([*waiting.rows, *mine.rows])
    models = models_of_interest(request.actor, limit=MODELS + 1)
    runs = latest_runs(request.actor, limit=FEW)
    moves = recent_moves(request.actor, Stage.PRODUCTION, limit=MOVES)
    people = display_names(move.activity for move in moves)
    host = host_of(request)
    context = {
        "waiting": rows[: len(waiting.rows)],
        "more_waiting": bool(waiting.next_page_token),
        "mine": rows[len(waiting.rows) :],
        "models": models[:MODELS],
        "more_models": len(models) > MODELS,
        "runs": runs,
        "moves": [
            {
                "model_name": move.model_name,
                "version": move.activity.version,
                "who": people.get(move.activity.actor_name, move.activity.actor_name),
                "when": move.activity.at,
            }
            for move in moves
        ],
        "is_empty": not models and not sees_models(request.actor),
        "connect": connect_snippet(host, open_mode=settings.PODIUM_OPEN),
        "first_model": log_model_snippet(host, "churn-classifier"),
        "first_run": snippet_of(request, "my-first-experiment"),
    }
    return render(request, "pages/home/home.html", context)
