"""Type-ahead of those whom a level may be given to: names, and no addresses."""

from django.http import HttpResponse, JsonResponse

from registry_site.accounts import grants
from registry_site.pages.access import signed_in
from registry_site.pages.middleware import PageRequest


@signed_in
def suggest_people(request: PageRequest) -> HttpResponse:
    """People by what they are called."""
    found = grants.suggest_people(request.actor, request.GET.get("q", ""))
    items = [{"value": each.username, "label": each.username, "hint": each.display_name} for each in found]
    return JsonResponse({"items": items})


@signed_in
def suggest_groups(request: PageRequest) -> HttpResponse:
    """Groups by name."""
    found = grants.suggest_groups(request.actor, request.GET.get("q", ""))
    return JsonResponse({"items": [{"value": each.name, "label": each.name} for each in found]})
