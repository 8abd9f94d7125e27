"""Finding models and versions by a few words, for the search over everything: the best first, and never many.

What cannot be found by an index is looked for among the newest, so that a search costs the same in a great registry.
"""

import re
from collections.abc import Sequence

from django.db.models import OuterRef, Q, Subquery

from registry_site.accounts.actors import Actor
from registry_site.registry.access import visible, visible_models
from registry_site.registry.models import ModelVersion, RegisteredModel, Tag
from registry_site.registry.stages import Stage
from registry_site.search.compile import compile_words

NEWEST_VERSIONS = 5_000
MODELS_PUT_IN_ORDER = 1_000
_LIKE = 200
_NUMBER = re.compile(r"[vV]?(\d{1,18})")


def find_models(actor: Actor, words: Sequence[str], *, limit: int) -> list[RegisteredModel]:
    """Models with every word in their names: first those whose name begins so, the one of just that name in front. Each
    has `in_production`, the number of the version there, or None."""
    occupant = ModelVersion.objects.filter(registered_model=OuterRef("pk"), current_stage=Stage.PRODUCTION.value)
    number = Subquery(occupant.order_by("-version").values("version")[:1])
    visible = visible_models(actor).filter(is_prompt=False)
    seen = visible.order_by("name").annotate(in_production=number)
    found: list[RegisteredModel] = list(seen.filter(name__startswith=" ".join(words))[:limit])
    if len(found) < limit:
        # First those that have the words, then their order: else the database goes through all names in order.
        with_words = visible.filter(compile_words(words, "name")).values("pk")[:MODELS_PUT_IN_ORDER]
        others = seen.filter(pk__in=with_words).exclude(pk__in=[model.pk for model in found])
        found += others[: limit - len(found)]
    return found


def find_versions(actor: Actor, words: Sequence[str], *, limit: int) -> list[ModelVersion]:
    """Versions by number (`churn 3`) and by how an alias begins (`champion`, `churn champion`); then, of the newest
    5,000, those that have the words in their description or in a tag. Each has its model."""
    if not words:
        return []
    *names, last = words
    seen = ModelVersion.objects.filter(visible(actor, "registered_model_id"), registered_model__is_prompt=False)
    versions = seen.select_related("registered_model").order_by("-pk")
    of_models = compile_words(names, "registered_model__name")
    found: list[ModelVersion] = []
    if names and (number := _NUMBER.fullmatch(last)):
        found += versions.filter(registered_model__name__startswith=" ".join(names), version=int(number[1]))[:limit]
    found += versions.filter(of_models, aliases__alias__startswith=last.removeprefix("@")).distinct()[:limit]
    # Read, and not a subquery: of a key that it does not know yet the database expects that a third of all are greater.
    newest = ModelVersion.objects.order_by("-pk").values_list("pk", flat=True)
    before_them = next(iter(newest[NEWEST_VERSIONS : NEWEST_VERSIONS + 1]), 0)
    tagged = Tag.objects.filter(compile_words(words, "value"), model_version__gt=before_them)
    said = compile_words(words, "description") | Q(
        pk__in=tagged.exclude(key__startswith="mlflow.").values("model_version")
    )
    found += versions.filter(said, pk__gt=before_them)[:limit]
    return list({version.pk: version for version in found}.values())[:limit]


def names_like(actor: Actor, name: str) -> list[str]:
    """Names of models that have the beginning of this one, or its longest word, in theirs; at most some hundreds."""
    seen = visible_models(actor).filter(is_prompt=False)
    begin, word = name[:3], max(re.split(r"[\W_]+", name), key=len)[:32]
    found = (
        set(seen.filter(name__startswith=begin).order_by("name").values_list("name", flat=True)[:_LIKE])
        if begin
        else set()
    )
    if len(word) > len(begin):
        found |= set(seen.filter(compile_words([word], "name")).values_list("name", flat=True)[:_LIKE])
    return sorted(found)
