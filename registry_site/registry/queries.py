"""Reading the registry: what the actor may see, in a bounded number of queries whatever the number of rows."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import connection
from django.db.models import BigIntegerField, Case, CharField, Q, QuerySet, When
from django.db.models.expressions import RawSQL

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.core.errors import InvalidParameter, NotFound
from registry_site.core.pages import Page
from registry_site.core.prepared import Given, GivenKeys, Prepared, Question, columns_of, instance_of
from registry_site.registry import access
from registry_site.registry.access import visible, visible_models
from registry_site.registry.fields import MODEL_VERSIONS, REGISTERED_MODELS
from registry_site.registry.models import ModelVersion, RegisteredModel
from registry_site.registry.rows import (
    MODEL_COLUMNS,
    VERSION_COLUMNS,
    ModelRow,
    VersionRow,
    attach_model_marks,
    attach_version_marks,
)
from registry_site.registry.services import PROMPT_TAG
from registry_site.registry.stages import ACTIVE_STAGES, Stage
from registry_site.search.compile import compile_order
from registry_site.search.paging import read_page
from registry_site.search.parser import Condition, Operator, parse_filter, parse_order_by
from registry_site.search.prepared import PreparedSearch

Row = TypeVar("Row")

MODELS_PER_PAGE_AT_MOST = 1000
VERSIONS_PER_PAGE_AT_MOST = 200_000
_ENDLESS = 2**63
_COPIES = 100
_VERSIONS_OF_RUNS = 10_000


class _ByName(Generic[Row]):
    """A prepared query of what belongs to one registered model, for those who read every model, and for the others.

    `build` gets the condition that the actor may read the model, whose key the query knows as `model_key`.
    """

    def __init__(
        self,
        build: "Callable[[Q], QuerySet[Any, Any]]",
        make: Callable[..., Row],
        model_key: str = "registered_model_id",
    ) -> None:
        self._of_all = Prepared(lambda: build(Q()), make)
        self._of_granted = Prepared(lambda: build(access.granted(_USER, Level.CAN_READ, model_key)), make)

    def first(self, actor: Actor, **given: Any) -> Row | None:
        """The first row that the actor may read."""
        if access.reads_everything(actor):
            return self._of_all.first(**given)
        return self._of_granted.first(user=actor.user_id, **given)

    def question(self, actor: Actor, **given: Any) -> Question[Row]:
        """What finds the rows that the actor may read."""
        if access.reads_everything(actor):
            return self._of_all.question(**given)
        return self._of_granted.question(user=actor.user_id, **given)


class _Scope(NamedTuple):
    """Which rows a search is about, before its filter."""

    all_models: bool
    prompts: bool

    def visible(self, model_key: str) -> Q:
        """What the actor may read."""
        return Q() if self.all_models else access.granted(_USER, Level.CAN_READ, model_key)


_NAME = Given("name", CharField())
_USER = Given("user", BigIntegerField())


# -- registered models -------------------------------------------------------------------------------------------------
def get_model(actor: Actor, name: str) -> RegisteredModel:
    """The model with tags, aliases and `latest_versions`. Raises NotFound also where the actor may not see it."""
    model = find_model(actor, name)
    attach_all([model])
    return model


def find_model(actor: Actor, name: str) -> RegisteredModel:
    """The model by itself. Raises NotFound also where the actor may not see it."""
    model = _MODEL_BY_NAME.first(actor, name=name)
    if model is None:
        raise NotFound(f"Registered Model with name={name} not found", field="name")
    return model


def search_models(
    actor: Actor,
    *,
    filter: str | None = None,
    order_by: Sequence[str] = (),
    max_results: int = 100,
    page_token: str | None = None,
) -> Page[ModelRow]:
    """A page of models that meet the filter, by name unless `order_by` says otherwise; prompts only if asked for."""
    conditions, prompts = without_prompt_condition(parse_filter(filter))
    page = _MODELS.page(
        conditions,
        parse_order_by(order_by),
        scope=_Scope(access.reads_everything(actor), prompts),
        given={"user": actor.user_id},
        max_results=max_results,
        page_token=page_token,
        query=["registered models", actor.user_id, filter or "", list(order_by)],
        most=MODELS_PER_PAGE_AT_MOST,
    )
    models = list(page.rows)
    by_key = {model.pk: model for model in models}
    versions = _LATEST_VERSION_ROWS.read(keys=by_key)
    attach_model_marks(models, versions)
    for version in versions:
        by_key[version.registered_model_id].latest_versions.append(version)
    return Page(models, page.next_page_token)


def sees_models(actor: Actor) -> bool:
    """Whether there is any model that the actor may read."""
    return visible_models(actor).exists()


def _latest(columns: Sequence[str]) -> "QuerySet[ModelVersion, Any]":
    """Of every stage of the models whose keys are given, the greatest version.

    It is one statement, which sees one moment: whoever asks for Production while one version takes the place of another
    there finds one of the two, and never none.
    """
    # By hand, because the ORM takes longer to write this than the database takes to answer it.
    models, versions = RegisteredModel._meta.db_table, ModelVersion._meta.db_table
    among = "= ANY(%s)" if connection.vendor == "postgresql" else "IN (SELECT value FROM json_each(%s))"
    stages = " UNION ALL ".join(f"SELECT '{stage.value}' AS name" for stage in Stage)
    newest = (
        f"SELECT (SELECT id FROM {versions} WHERE registered_model_id = model.id AND current_stage = stage.name "
        f"ORDER BY version DESC LIMIT 1) FROM {models} model CROSS JOIN ({stages}) stage WHERE model.id {among}"
    )
    keys = RawSQL(newest, [GivenKeys("keys", BigIntegerField())], BigIntegerField())
    return ModelVersion.objects.filter(pk__in=keys).order_by("-version").values_list(*columns)


def attach_all(models: Sequence[RegisteredModel]) -> None:
    """Fetch tags, aliases and `latest_versions` (of every stage the greatest, greatest first): two queries for any
    number of models, each reading only the rows that it returns."""
    by_key = {model.pk: model for model in models}
    versions = _LATEST_VERSIONS.read(keys=by_key)
    attach_model_marks(models, versions)
    for model in models:
        model.latest_versions = []  # type: ignore[attr-defined]  # attached here for whoever shows a model
    for version in versions:
        version.registered_model = by_key[version.registered_model_id]
        by_key[version.registered_model_id].latest_versions.append(version)  # type: ignore[attr-defined]


def without_prompt_condition(conditions: Sequence[Condition]) -> tuple[list[Condition], bool]:
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


# -- versions ----------------------------------------------------------------------------------------------------------
def get_version(actor: Actor, name: str, version: int) -> ModelVersion:
    """The version with its model, tags and aliases. Raises NotFound also where the actor may not see the model."""
    return _with_marks(find_version(actor, name, version))


def find_version(actor: Actor, name: str, version: int) -> ModelVersion:
    """The version with its model, by itself. Raises NotFound also where the actor may not see the model."""
    known = abs(version) < _ENDLESS  # no database can even be asked for more
    found = _VERSION_BY_NUMBER.first(actor, name=name, version=version) if known else None
    if found is None:
        raise NotFound(f"Model Version (name={name}, version={version}) not found", field="version")
    return found


def get_version_by_alias(actor: Actor, name: str, alias: str) -> ModelVersion:
    """The version that an alias points at; "latest" is the greatest one.

    Raises NotFound for an unknown model, and InvalidParameter for an unknown alias, because clients expect just that.
    """
    if alias.lower() == "latest":
        found = _NEWEST_VERSION.first(actor, name=name)
    else:
        found = _VERSION_BY_ALIAS.first(actor, name=name, alias=alias)
    if found is None:
        get_model(actor, name)
        raise InvalidParameter(f"Registered model alias {alias} not found.", field="alias")
    return _with_marks(found)


def newest_in_stage(actor: Actor, name: str, stage: Stage) -> ModelVersion | None:
    """The version with the greatest number in a stage, with tags and aliases; None where nobody sees one."""
    versions = _visible_versions(actor).filter(registered_model__name=name, current_stage=stage.value)
    found = versions.order_by("-version").first()
    return _with_marks(found) if found else None


def newest_in_stages(models: Collection[int]) -> list[ModelVersion]:
    """Of every stage of the models whose keys these are, the version with the greatest number."""
    return newest_question(models).answer()


def newest_question(models: Collection[int]) -> Question[ModelVersion]:
    """What `newest_in_stages` asks, for `ask_together`."""
    return _LATEST_VERSIONS.question(keys=sorted(models))


def newest_in_active_stages(version: ModelVersion) -> dict[Stage, ModelVersion]:
    """Of the model of a version, which has been found visible, the greatest version in Production and in Staging."""
    of_model = newest_in_stages([version.registered_model_id])
    found = {Stage(one.current_stage): one for one in of_model if one.current_stage in ACTIVE_STAGES}
    for one in found.values():
        one.registered_model = version.registered_model
    return found


def latest_versions(actor: Actor, name: str, stages: Sequence[Stage] | None = None) -> list[ModelVersion]:
    """The greatest version of each stage (of all four when none is named), with tags and aliases."""
    model = get_model(actor, name)
    wanted = {stage.value for stage in stages or Stage}
    latest: list[ModelVersion] = model.latest_versions  # type: ignore[attr-defined]
    found = [version for version in reversed(latest) if version.current_stage in wanted]
    attach_version_marks(found)
    return found


def search_versions(
    actor: Actor,
    *,
    filter: str | None = None,
    order_by: Sequence[str] = (),
    max_results: int = VERSIONS_PER_PAGE_AT_MOST,
    page_token: str | None = None,
) -> Page[VersionRow]:
    """A page of versions that meet the filter, the last changed first unless `order_by` says otherwise."""
    conditions, prompts = without_prompt_condition(parse_filter(filter))
    page = _VERSIONS.page(
        conditions,
        parse_order_by(order_by or ["last_updated_timestamp DESC"]),
        scope=_Scope(access.reads_everything(actor), prompts),
        given={"user": actor.user_id},
        max_results=max_results,
        page_token=page_token,
        query=["model versions", actor.user_id, filter or "", list(order_by)],
        most=VERSIONS_PER_PAGE_AT_MOST,
    )
    attach_version_marks(page.rows)
    return page


def versions_of_model(
    actor: Actor, name: str, *, max_results: int = 50, page_token: str | None = None
) -> Page[ModelVersion]:
    """A page of a model's versions, newest first, with tags and aliases."""
    page = read_page(
        _visible_versions(actor).filter(registered_model__name=name),
        compile_order(parse_order_by(["version_number DESC"]), MODEL_VERSIONS, tie_break=["-version"]),
        max_results=max_results,
        page_token=page_token,
        query=["versions of", actor.user_id, name],
        most=MODELS_PER_PAGE_AT_MOST,
    )
    attach_version_marks(page.rows)
    return page


def stages_of_versions(actor: Actor, name: str, *, limit: int) -> list[tuple[int, str]]:
    """The newest versions of a model and the stages that they are in, newest first."""
    rows = ModelVersion.objects.filter(visible(actor, "registered_model_id"), registered_model__name=name)
    return list(rows.order_by("-version").values_list("version", "current_stage")[:limit])


def versions_by_number(actor: Actor, name: str, numbers: Sequence[int]) -> list[ModelVersion]:
    """These versions of a model, in this order, with tags, aliases, manifest and scan. Raises NotFound for one that is
    not there."""
    known = [number for number in numbers if abs(number) < _ENDLESS]
    rows = _visible_versions(actor).filter(registered_model__name=name, version__in=known)
    found = {one.version: one for one in rows.select_related("manifest", "scan")}
    missing = next((number for number in numbers if number not in found), None)
    if missing is not None:
        get_model(actor, name)
        raise NotFound(f"{name} has no version {missing}. It may have been deleted.", field="version")
    attach_version_marks(list(found.values()))
    return [found[number] for number in numbers]


def versions_of_run(actor: Actor, run_id: str) -> list[ModelVersion]:
    """The versions that were made of a run, newest first: at most 100."""
    found = list(_visible_versions(actor).filter(run_id=run_id).order_by("-creation_timestamp", "-pk")[:100])
    attach_version_marks(found)
    return found


class VersionOfRun(NamedTuple):
    """A version as lists of runs name it."""

    run_id: str
    name: str
    version: int
    current_stage: str


def versions_of_runs(actor: Actor, run_ids: Collection[str]) -> list[VersionOfRun]:
    """The versions that were made of these runs, newest first: at most 10,000."""
    found = ModelVersion.objects.filter(visible(actor, "registered_model_id"), run_id__in=run_ids)
    newest = found.order_by("-creation_timestamp", "-pk")[:_VERSIONS_OF_RUNS]
    columns = newest.values_list("run_id", "registered_model__name", "version", "current_stage")
    return [VersionOfRun(*row) for row in columns] if run_ids else []


class Lineage(NamedTuple):
    """What a version is a copy of, and what are copies of it; of both what the actor may see."""

    copied_from: ModelVersion | None
    copies: list[ModelVersion]


def lineage_of(actor: Actor, version: ModelVersion) -> Lineage:
    """Where a version came from and went to; of its copies the newest 100. It has been found visible."""
    found = {one.pk: one for one in lineage_question(actor, version).answer()}
    origin = found.pop(version.copied_from_id, None) if version.copied_from_id is not None else None
    return Lineage(origin, list(found.values())[:_COPIES])


def lineage_question(actor: Actor, version: ModelVersion) -> Question[ModelVersion]:
    """What `lineage_of` asks, for `ask_together`."""
    return _RELATED.question(actor, origin=version.copied_from_id or 0, version=version.pk)


def _visible_versions(actor: Actor) -> QuerySet[ModelVersion]:
    return ModelVersion.objects.filter(visible(actor, "registered_model_id")).select_related(
        "registered_model", "created_by"
    )


def _with_marks(version: ModelVersion) -> ModelVersion:
    """The version, its tags and aliases fetched."""
    attach_version_marks([version])
    return version


# -- prepared ----------------------------------------------------------------------------------------------------------
_OF_THE_OWNER = ("id", "username", "display_name")


def _model(*values: Any) -> RegisteredModel:
    """A model with what its owner is called."""
    model = instance_of(RegisteredModel)(*values[: -len(_OF_THE_OWNER)])
    if model.owner_id is not None:
        model.owner = User.from_db("default", _OF_THE_OWNER, values[-len(_OF_THE_OWNER) :])
    return model


def _version(*values: Any) -> ModelVersion:
    """A version with its model and whoever made it, out of the columns of the three."""
    version = instance_of(ModelVersion)(*values[:_VERSION_WIDTH])
    version.registered_model = instance_of(RegisteredModel)(*values[_VERSION_WIDTH:_VERSION_AND_MODEL_WIDTH])
    creator = values[_VERSION_AND_MODEL_WIDTH:]
    version.created_by = instance_of(User)(*creator) if creator[0] is not None else None
    return version


_VERSION_COLUMNS = (
    *columns_of(ModelVersion),
    *columns_of(RegisteredModel, "registered_model__"),
    *columns_of(User, "created_by__"),
)
_VERSION_WIDTH = len(columns_of(ModelVersion))
_VERSION_AND_MODEL_WIDTH = _VERSION_WIDTH + len(columns_of(RegisteredModel))


_MODELS = PreparedSearch(
    REGISTERED_MODELS,
    lambda scope: RegisteredModel.objects.filter(scope.visible("pk"), is_prompt=scope.prompts),
    columns=MODEL_COLUMNS,
    make=ModelRow,
    tie_break=["name"],
)
_VERSIONS = PreparedSearch(
    MODEL_VERSIONS,
    lambda scope: ModelVersion.objects.filter(
        scope.visible("registered_model_id"), registered_model__is_prompt=scope.prompts
    ),
    columns=(*VERSION_COLUMNS, "registered_model__name"),
    make=VersionRow,
    tie_break=["registered_model__name", "-version"],
)
_LATEST_VERSION_ROWS = Prepared(lambda: _latest(VERSION_COLUMNS), VersionRow)
_MODEL_BY_NAME = _ByName(
    lambda visible: RegisteredModel.objects.filter(visible, name=_NAME).values_list(
        *columns_of(RegisteredModel), *(f"owner__{name}" for name in _OF_THE_OWNER)
    ),
    _model,
    model_key="pk",
)
_LATEST_VERSIONS = Prepared(lambda: _latest(columns_of(ModelVersion)), instance_of(ModelVersion))
_VERSION_BY_NUMBER = _ByName(
    lambda visible: ModelVersion.objects.filter(
        visible, registered_model__name=_NAME, version=Given("version", BigIntegerField())
    ).values_list(*_VERSION_COLUMNS),
    _version,
)
_VERSION_BY_ALIAS = _ByName(
    lambda visible: ModelVersion.objects.filter(
        visible,
        registered_model__name=_NAME,
        aliases__alias=Given("alias", CharField()),
    ).values_list(*_VERSION_COLUMNS),
    _version,
)
_RELATED = _ByName(
    lambda visible: (
        ModelVersion.objects.filter(
            Q(pk=Given("origin", BigIntegerField())) | Q(copied_from=Given("version", BigIntegerField())), visible
        )
        .order_by(Case(When(pk=Given("origin", BigIntegerField()), then=0), default=1), "-pk")
        .values_list(*_VERSION_COLUMNS)[: _COPIES + 1]
    ),
    _version,
)
_NEWEST_VERSION = _ByName(
    lambda visible: (
        ModelVersion.objects.filter(visible, registered_model__name=_NAME)
        .order_by("-version")
        .values_list(*_VERSION_COLUMNS)[:1]
    ),
    _version,
)
