"""The search over everything."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import ngettext

from registry_site.core.errors import InvalidParameter
from registry_site.pages.access import signed_in
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import render_page_or_part, wants_part
from registry_site.pages.search import named, search_everything


@signed_in
def search(request: PageRequest) -> HttpResponse:
    """What the words find, in groups; straight on to the one thing that was named exactly."""
    text, only = request.GET.get("q", "").replace("\0", "").strip(), request.GET.get("in", "")
    exact = named(request.actor, text) if text and not only else None
    if exact is not None and not wants_part(request):
        return redirect(exact.url)
    context: dict[str, Any] = {"q": text, "only": only, "exact": exact, "groups": []}
    status = 200
    try:
        context["groups"] = search_everything(request.actor, text, only=only) if text else []
    except InvalidParameter as error:
        context["error"] = error.message
        status = 422 if wants_part(request) else 400
    count = sum(len(group.hits) for group in context["groups"]) + (exact is not None)
    context["said"] = ngettext("%(count)s found", "%(count)s found", count) % {"count": count} if text else ""
    return render_page_or_part(request, "pages/search/search.html", "pages/search/_hits.html", context, status=status)
