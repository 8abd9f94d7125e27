"""Keeping filters of lists, and forgetting them."""

from django.http import HttpResponse, QueryDict
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from registry_site.accounts import filters
from registry_site.pages.access import signed_in
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import back_or, go


@require_POST
@signed_in
def save_filter(request: PageRequest) -> HttpResponse:
    """Keep the present filter of a list by a name."""
    place, query = request.POST.get("place", ""), QueryDict(request.POST.get("query", ""))
    saved = filters.save_filter(request.actor, place=place, name=request.POST.get("name", ""), query=query.urlencode())
    return go(request, f"/{place}?{saved.query}", said=_("The filter “%(name)s” is saved.") % {"name": saved.name})


@require_POST
@signed_in
def delete_filter(request: PageRequest, filter_id: int) -> HttpResponse:
    """Forget a filter; the list stays as it is."""
    filters.delete_filter(request.actor, filter_id=filter_id)
    return go(request, back_or(request, "/models"), said=_("The filter is deleted."))
