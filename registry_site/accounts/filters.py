"""Filters of lists that somebody wants to find again: a name, and the query of the list's address. Everybody has their
own, and nobody sees those of others."""

import re

from django.db import transaction

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import SavedFilter
from registry_site.core.errors import InvalidParameter

NAME_LIMIT = 60
QUERY_LIMIT = 2000
FILTERS_AT_MOST = 30  # of one person for one list
_PLACE = re.compile(r"models|experiments/\d{1,18}")


def own_filters(actor: Actor, place: str) -> list[SavedFilter]:
    """The actor's filters for a list, by name. Places are `models` and `experiments/3`."""
    return list(SavedFilter.objects.filter(user=actor.require_person(), place=place).order_by("name"))


@transaction.atomic
def save_filter(actor: Actor, *, place: str, name: str, query: str) -> SavedFilter:
    """Keep a filter; one of that name takes the place of the one before. Raises InvalidParameter for a list that there
    is not, a blank or long name, a long query, and for more filters than anybody reads."""
    actor.require_write()
    user = actor.require_person()
    name = name.strip()
    if not _PLACE.fullmatch(place):
        raise InvalidParameter(f"No list is at '{place}': filters are for models and experiments/ID.", field="place")
    if not name or len(name) > NAME_LIMIT or "\0" in name + query:
        raise InvalidParameter(f"A filter needs a name of 1 to {NAME_LIMIT} characters.", field="name")
    if not query or len(query) > QUERY_LIMIT:
        raise InvalidParameter(f"There is nothing to save, or more than {QUERY_LIMIT:,} characters.", field="query")
    own = SavedFilter.objects.filter(user=user, place=place)
    if own.count() >= FILTERS_AT_MOST and not own.filter(name=name).exists():
        raise InvalidParameter(f"You have {FILTERS_AT_MOST} filters for this list. Delete one first.", field="name")
    saved, _ = SavedFilter.objects.update_or_create(user_id=user, place=place, name=name, defaults={"query": query})
    return saved


@transaction.atomic
def delete_filter(actor: Actor, *, filter_id: int) -> None:
    """Forget one of the actor's filters; that it is not there is no error."""
    actor.require_write()
    SavedFilter.objects.filter(user=actor.require_person(), pk=filter_id).delete()
