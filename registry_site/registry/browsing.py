"""Finding registered models by what somebody types, and by searches of one click."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import and_
from typing import NamedTuple

from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.db.models.functions import Left

from registry_site.accounts.actors import Actor
from registry_site.artifacts.scanning import Verdict
from registry_site.core.errors import InvalidParameter
from registry_site.core.pages import Page
from registry_site.registry.access import visible_models
from registry_site.registry.fields import REGISTERED_MODELS
from registry_site.registry.models import START_OF_VALUE, Alias, ModelVersion, RegisteredModel, Tag
from registry_site.registry.queries import MODELS_PER_PAGE_AT_MOST, attach_all, without_prompt_condition
from registry_site.registry.stages import Stage, parse_stage
from registry_site.search.compile import compile_filter, compile_order, compile_words
from registry_site.search.paging import read_page
from registry_site.search.parser import parse_order_by
from registry_site.search.words import Facet, split_search

_RECENT, _CHOICES = 500, 30
_NO_FACETS: Mapping[str, Q] = {}


def browse_models(
    actor: Actor,
    *,
    text: str = "",
    more_facets: Mapping[str, Q] = _NO_FACETS,
    order_by: Sequence[str] = (),
    max_results: int = 25,
    page_token: str | None = None,
) -> Page[RegisteredModel]:
    """A page of models for what somebody typed: MLflow's filter language, or plain words and facets.

    Words are looked for in the name. Facets are `stage:production`, `alias:champion`, `owner:maria` (or `me`),
    `no:owner`, `has:finding` (a scan found danger), `tag.team:risk-ml`, and what whoever asks knows besides
    (`has:request`). Raises InvalidParameter for a wrong filter or an unknown facet.
    """
    search = split_search(text)
    conditions, prompts = without_prompt_condition(search.conditions)
    wanted = [_condition(actor, facet, more_facets) for facet in search.facets]
    page = read_page(
        visible_models(actor)
        .select_related("owner")
        .filter(
            compile_filter(conditions, REGISTERED_MODELS),
            compile_words(search.words, "name"),
            reduce(and_, wanted, Q()),
            Q(is_prompt=prompts),
        ),
        compile_order(parse_order_by(order_by), REGISTERED_MODELS, tie_break=["name"]),
        max_results=max_results,
        page_token=page_token,
        query=["browse models", actor.user_id, text, list(order_by)],
        most=MODELS_PER_PAGE_AT_MOST,
    )
    attach_all(page.rows)
    return page


def suggest_models(actor: Actor, text: str, *, limit: int = 10) -> list[RegisteredModel]:
    """The first models by name that hold every word of the text: for type-ahead."""
    models = visible_models(actor).filter(compile_words(text.split(), "name"), is_prompt=False)
    return list(models.order_by("name")[:limit])


def _facet(actor: Actor, facet: Facet) -> Q:
    if facet.tag is not None:
        # In the words of the index `model_tag_by_value`. Of a short value its start says all: said twice, the database
        # would expect fewer rows, and go a longer way.
        start = {"start": facet.value[:START_OF_VALUE], "registered_model__isnull": False}
        tags = Tag.objects.alias(start=Left("value", START_OF_VALUE)).filter(**start)
        rest = Q(value=facet.value) if len(facet.value) >= START_OF_VALUE else Q()
        return Q(Exists(tags.filter(rest, registered_model=OuterRef("pk"), key=facet.tag)))
    if facet.key == "stage":
        stage = parse_stage(facet.value)
        return Q(Exists(ModelVersion.objects.filter(registered_model=OuterRef("pk"), current_stage=stage.value)))
    if facet.key == "alias":
        return Q(Exists(Alias.objects.filter(registered_model=OuterRef("pk"), alias=facet.value.removeprefix("@"))))
    if facet.key == "owner":
        return Q(owner__username=actor.name if facet.value == "me" else facet.value)
    if (facet.key, facet.value) == ("no", "owner"):
        return Q(owner__isnull=True)
    if (facet.key, facet.value) == ("has", "finding"):
        dangerous = ModelVersion.objects.filter(scan__verdict=Verdict.UNSAFE.value)
        return Q(pk__in=dangerous.exclude(current_stage=Stage.ARCHIVED.value).values("registered_model"))
    raise InvalidParameter(
        f"'{facet.key}:{facet.value}' is not known here. Try stage:production, alias:champion, owner:me, no:owner, "
        "has:request, has:finding or tag.team:risk-ml.",
        field="search",
    )


class Choices(NamedTuple):
    """What lists of models are narrowed by: people who own some, as name and display name, and values of the tag
    `team`. `counts` says how many models have a term, by its key and value; of very many models it says nothing."""

    owners: list[tuple[str, str]]
    teams: list[str]
    counts: Mapping[tuple[str, str], int]


def facet_choices(actor: Actor, *, counted: Sequence[Facet] = (), more_facets: Mapping[str, Q] = _NO_FACETS) -> Choices:
    """The owners and teams of the 500 models that changed last, by name: at most 30 of each. If there are no more
    models than that, and terms to be `counted`, it counts who has these, and who has which owner and team."""
    models = visible_models(actor).filter(is_prompt=False)
    team = Tag.objects.filter(registered_model=OuterRef("pk"), key="team").values("value")
    recent = models.order_by("-last_updated_timestamp").annotate(team=Subquery(team))
    rows = list(recent.values_list("owner__username", "owner__display_name", "team")[: _RECENT + 1])
    counts: dict[tuple[str, str], int] = {}
    if counted and len(rows) <= _RECENT:
        owned, tagged = Counter(name for name, *_ in rows), Counter(own_team for *_, own_team in rows)
        counts |= {("owner", name): count for name, count in owned.items() if name}
        counts |= {("tag.team", own_team): count for own_team, count in tagged.items()}
        counts["no", "owner"] = len(rows) - sum(count for name, count in owned.items() if name)
        terms = [(facet.key, facet.value) for facet in counted]
        conditions = [Count("pk", filter=_condition(actor, facet, more_facets)) for facet in counted]
        found = models.aggregate(**{f"n{place}": condition for place, condition in enumerate(conditions)})
        counts |= {term: found[f"n{place}"] for place, term in enumerate(terms)}
    owners = sorted({(name, display) for name, display, _ in rows if name})
    teams = sorted({own_team for *_, own_team in rows if own_team})
    return Choices(owners[:_CHOICES], teams[:_CHOICES], counts)


def _condition(actor: Actor, facet: Facet, more_facets: Mapping[str, Q]) -> Q:
    return more_facets.get(f"{facet.key}:{facet.value}") or _facet(actor, facet)
