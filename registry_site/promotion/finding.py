"""Finding requests by a few words, for the search over everything: never many."""

import re
from collections.abc import Sequence

from django.db.models import IntegerField, Q, Subquery, Value
from django.db.models.functions import Coalesce

from registry_site.accounts.actors import Actor
from registry_site.promotion.models import TransitionRequest
from registry_site.promotion.visibility import visible
from registry_site.search.compile import compile_words

NEWEST_REQUESTS = 5_000
_NUMBER = re.compile(r"#?(\d{1,18})")


def find_requests(actor: Actor, words: Sequence[str], *, limit: int) -> list[TransitionRequest]:
    """Requests by number (`#12`, `churn 12`) and by how the model's name begins; then, of the newest 5,000, those in
    which the words were said. Each has its model."""
    if not words:
        return []
    *names, last = words
    of_model = Q(registered_model__name__startswith=" ".join(words))
    if number := _NUMBER.fullmatch(last):
        of_model |= Q(registered_model__name__startswith=" ".join(names), number=int(number[1]))
    newest = TransitionRequest.objects.order_by("-pk").values("pk")[NEWEST_REQUESTS : NEWEST_REQUESTS + 1]
    said = Q(compile_words(words, "comment"), pk__gt=Coalesce(Subquery(newest), Value(0), output_field=IntegerField()))
    seen = TransitionRequest.objects.filter(visible(actor)).select_related("registered_model").order_by("-pk")
    found = [*seen.filter(of_model)[:limit], *seen.filter(said)[:limit]]
    return list({request.pk: request for request in found}.values())[:limit]


def requests_numbered(actor: Actor, number: int, *, limit: int = 2) -> list[TransitionRequest]:
    """Requests of this number, whatever model they are of; newest first, each with its model."""
    found = TransitionRequest.objects.filter(visible(actor), number=number)
    return list(found.select_related("registered_model").order_by("-pk")[:limit])
