"""Reading the registry: what the actor may see, in a bounded number of queries whatever the number of rows."""

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import and_

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from registry_site.accounts.actors import Actor
from registry_site.core.errors import InvalidParameter, NotFound
from registry_site.core.pages import Page
from registry_site.registry.access import visible_models
from registry_site.registry.fields import MODEL_VERSIONS, REGISTERED_MODELS
from registry_site.registry.models import Alias, ModelVersion, RegisteredModel, Tag
from registry_site.registry.services import PROMPT_TAG
from registry_site.registry.stages import Stage, parse_stage
from registry_site.search.compile import compile_filter, compile_order, compile_words
from registry_site.search.paging import read_page
from registry_site.search.parser import Condition, Operator, parse_filter, parse_order_by
from registry_site.search.words import Facet, split_search

MODELS_PER_PAGE_AT_MOST = 1000
VERSIONS_PER_PAGE_AT_MOST = 200_000


# -- registered models -------------------------------------------------------------------------------------------------
def get_model(actor: Actor, name: str) -> RegisteredModel:
    """The model with tags, aliases and `latest_versions`. Raises NotFound also where the actor may not see it."""
    model = _with_marks(visible_models(actor)).filter(name=name).first()
    if model is None:
        raise NotFound(f"Registered Model with name={name} not found", field="name")
    attach_latest_versions([model])
    return model


def search_models(
    actor: Actor,
    *,
    filter: str | None = None,
    order_by: Sequence[str] = (),
    max_results: int = 100,
    page_token: str | None = None,
) -> Page[RegisteredModel]:
    """A page of models that meet the filter, by name unless `order_by` says otherwise; prompts only if asked for."""
    conditions, prompts = _without_prompt_condition(parse_filter(filter))
    page = read_page(
        _with_marks(visible_models(actor)).filter(compile_filter(conditions, REGISTERED_MODELS), Q(is_prompt=prompts)),
        compile_order(parse_order_by(order_by), REGISTERED_MODELS, tie_break=["name"]),
        max_results=max_results,
        page_token=page_token,
        query=["registered models", actor.user_id, filter or "", list(order_by)],
        most=MODELS_PER_PAGE_AT_MOST,
    )
    attach_latest_versions(page.rows)
    return page


def browse_models(
    actor: Actor, *, text: str = "", order_by: Sequence[str] = (), max_results: int = 25, page_token: str | None = None
) -> Page[RegisteredModel]:
    """A page of models for what somebody typed: MLflow's filter language, or plain words and facets.

    Words are looked for in the name. Facets are `stage:production`, `alias:champion`, `owner:maria` (or `me`) and
    `tag.team:risk-ml`. Raises InvalidParameter for a wrong filter or an unknown facet.
    """
    search = split_search(text)
    conditions, prompts = _without_prompt_condition(search.conditions)
    wanted = [_facet(actor, facet) for facet in search.facets]
    page = read_page(
        _with_marks(visible_models(actor))
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
    attach_latest_versions(page.rows)
    return page


def suggest_models(actor: Actor, text: str, *, limit: int = 10) -> list[RegisteredModel]:
    """The first models by name that hold every word of the text: for type-ahead."""
    models = visible_models(actor).filter(compile_words(text.split(), "name"), is_prompt=False)
    return list(models.order_by("name")[:limit])


def attach_latest_versions(models: Iterable[RegisteredModel]) -> None:
    """Set `latest_versions` on each model: the greatest version of every stage that has one, greatest first.

    Two queries for any number of models, each reading only the rows that it returns.
    """
    by_key = {model.pk: model for model in models}
    greatest = {
        stage.name: Subquery(
            ModelVersion.objects.filter(registered_model=OuterRef("pk"), current_stage=stage.value)
            .order_by("-version")
            .values("pk")[:1]
        )
        for stage in Stage
    }
    keys = RegisteredModel.objects.filter(pk__in=by_key).values_list(*greatest.values())
    wanted = [key for row in keys for key in row if key is not None]
    for model in by_key.values():
        model.latest_versions = []  # type: ignore[attr-defined]  # attached here for whoever shows a model
    for version in ModelVersion.objects.filter(pk__in=wanted).prefetch_related("tags").order_by("-version"):
        version.registered_model = by_key[version.registered_model_id]
        by_key[version.registered_model_id].latest_versions.append(version)  # type: ignore[attr-defined]


def _with_marks(models: QuerySet[RegisteredModel]) -> QuerySet[RegisteredModel]:
    return models.prefetch_related("tags", "aliases__model_version")


def _without_prompt_condition(conditions: Sequence[Condition]) -> tuple[list[Condition], bool]:
    """The conditions but for the one on prompts, and whether prompts are wanted: only (True) or not at all (False).

    Every client appends `tag.mlflow.prompt.is_prompt != 'true'`, which by the rule for tags would match nothing that
    has no such tag.
    """
    prompts = False
    others = []
    for condition in conditions:
        if condition.key == PROMPT_TAG and condition.operator in (Operator.EQUAL, Operator.NOT_EQUAL):
            says_true = str(condition.value).lower() == "true"
            prompts = says_true == (condition.operator is Operator.EQUAL)
        else:
            others.append(condition)
    return others, prompts


def _facet(actor: Actor, facet: Facet) -> Q:
    if facet.tag is not None:
        return Q(Exists(Tag.objects.filter(registered_model=OuterRef("pk"), key=facet.tag, value=facet.value)))
    if facet.key == "stage":
        stage = parse_stage(facet.value)
        return Q(Exists(ModelVersion.objects.filter(registered_model=OuterRef("pk"), current_stage=stage.value)))
    if facet.key == "alias":
        return Q(Exists(Alias.objects.filter(registered_model=OuterRef("pk"), alias=facet.value.removeprefix("@"))))
    if facet.key == "owner":
        return Q(owner__username=actor.name if facet.value == "me" else facet.value)
    raise InvalidParameter(
        f"'{facet.key}:' is not known here. Try stage:production, alias:champion, owner:me or tag.team:risk-ml.",
        field="search",
    )


# -- versions ----------------------------------------------------------------------------------------------------------
def get_version(actor: Actor, name: str, version: int) -> ModelVersion:
    """The version with its model, tags and aliases. Raises NotFound also where the actor may not see the model."""
    found = _visible_versions(actor).filter(registered_model__name=name, version=version).first()
    if found is None:
        raise NotFound(f"Model Version (name={name}, version={version}) not found", field="version")
    return found


def get_version_by_alias(actor: Actor, name: str, alias: str) -> ModelVersion:
    """The version that an alias points at; "latest" is the greatest one.

    Raises NotFound for an unknown model, and InvalidParameter for an unknown alias, because clients expect just that.
    """
    versions = _visible_versions(actor).filter(registered_model__name=name)
    if alias.lower() == "latest":
        found = versions.order_by("-version").first()
    else:
        found = versions.filter(aliases__alias=alias).first()
    if found is None:
        get_model(actor, name)
        raise InvalidParameter(f"Registered model alias {alias} not found.", field="alias")
    return found


def newest_in_stage(actor: Actor, name: str, stage: Stage) -> ModelVersion | None:
    """The version with the greatest number in a stage, with tags and aliases; None where nobody sees one."""
    versions = _visible_versions(actor).filter(registered_model__name=name, current_stage=stage.value)
    return versions.order_by("-version").first()


def latest_versions(actor: Actor, name: str, stages: Sequence[Stage] | None = None) -> list[ModelVersion]:
    """The greatest version of each stage (of all four when none is named), with tags and aliases."""
    model = get_model(actor, name)
    wanted = {stage.value for stage in stages or Stage}
    keys = [version.pk for version in model.latest_versions if version.current_stage in wanted]  # type: ignore[attr-defined]
    return list(_visible_versions(actor).filter(pk__in=keys).order_by("version"))


def search_versions(
    actor: Actor,
    *,
    filter: str | None = None,
    order_by: Sequence[str] = (),
    max_results: int = VERSIONS_PER_PAGE_AT_MOST,
    page_token: str | None = None,
) -> Page[ModelVersion]:
    """A page of versions that meet the filter, the last changed first unless `order_by` says otherwise."""
    conditions, prompts = _without_prompt_condition(parse_filter(filter))
    plan = compile_order(
        parse_order_by(order_by or ["last_updated_timestamp DESC"]),
        MODEL_VERSIONS,
        tie_break=["registered_model__name", "-version"],
    )
    return read_page(
        ModelVersion.objects.filter(
            compile_filter(conditions, MODEL_VERSIONS),
            Q(registered_model__is_prompt=prompts),
            registered_model__in=visible_models(actor),
        )
        .select_related("registered_model")
        .prefetch_related("tags"),
        plan,
        max_results=max_results,
        page_token=page_token,
        query=["model versions", actor.user_id, filter or "", list(order_by)],
        most=VERSIONS_PER_PAGE_AT_MOST,
    )


def versions_of_model(
    actor: Actor, name: str, *, max_results: int = 50, page_token: str | None = None
) -> Page[ModelVersion]:
    """A page of a model's versions, newest first, with tags and aliases."""
    return read_page(
        _visible_versions(actor).filter(registered_model__name=name),
        compile_order(parse_order_by(["version_number DESC"]), MODEL_VERSIONS, tie_break=["-version"]),
        max_results=max_results,
        page_token=page_token,
        query=["versions of", actor.user_id, name],
        most=MODELS_PER_PAGE_AT_MOST,
    )


def versions_of_run(actor: Actor, run_id: str) -> list[ModelVersion]:
    """The versions that were made of a run, newest first: at most 100."""
    return list(_visible_versions(actor).filter(run_id=run_id).order_by("-creation_timestamp", "-pk")[:100])


def _visible_versions(actor: Actor) -> QuerySet[ModelVersion]:
    return (
        ModelVersion.objects.filter(registered_model__in=visible_models(actor))
        .select_related("registered_model", "created_by")
        .prefetch_related("tags", "aliases")
    )
