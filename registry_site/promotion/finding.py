"""Finding requests by a few words, for the search over everything: never many."""

import re
from collections.abc import Sequence

from django.db.models import IntegerField, Q, Subquery, Value
from django.db.models.functions import Coalesce

from registry_site.accounts.actors import Actor
from registry_site.promotion.models import TransitionRequest
from registry_site.promotion.visibility import visible
from registry_site.search.compile import compile_words

NEWEST_REQUESTS = 10_000
_NUMBER = re.compile(r"#?(\d{1,18})")


def find_requests(actor: Actor, words: Sequence[str], *, limit: int) -> list[TransitionRequest]:
    """Of the newest 10,000 requests those that have the number (`#12`, `churn 12`), or the words in the model's name or
    in what was said; newest first, each with its model and requester."""
    if not words:
        return []
    *names, last = words
    wanted = compile_words(words, "registered_model__name") | compile_words(words, "comment")
    if number := _NUMBER.fullmatch(last):
        wanted |= compile_words(names, "registered_model__name") & Q(number=int(number[1]))
    newest = TransitionRequest.objects.order_by("-pk").values("pk")[NEWEST_REQUESTS : NEWEST_REQUESTS + 1]
    oldest_of_them = Coalesce(Subquery(newest), Value(0), output_field=IntegerField())
    found = TransitionRequest.objects.filter(visible(actor), wanted, pk__gt=oldest_of_them)
    return list(found.select_related("registered_model", "requester", "copy_to").order_by("-pk")[:limit])


def requests_numbered(actor: Actor, number: int, *, limit: int = 2) -> list[TransitionRequest]:
    """Requests of this number, whatever model they are of; newest first, each with its model."""
    found = TransitionRequest.objects.filter(visible(actor), number=number)
    return list(found.select_related("registered_model").order_by("-pk")[:limit])
