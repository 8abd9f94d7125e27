"""Logged models: what MLflow 3 clients log as a model. Writing and reading, as both are small.

To write needs CAN_EDIT on the model's experiment, where nothing else is said. Whoever has less is told so by
PermissionDenied, and by NotFound whoever may not even see it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import CharField, Q, QuerySet

from registry_site.accounts.access import LookUp
from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.core import clock
from registry_site.core.errors import AlreadyExists, InvalidParameter, NotFound
from registry_site.core.ids import new_logged_model_id, new_name
from registry_site.core.once import once
from registry_site.core.pages import Page
from registry_site.core.prepared import Given, columns_of, instance_of
from registry_site.search.compile import compile_filter, compile_order
from registry_site.search.paging import read_page
from registry_site.search.parser import Ordering, parse_filter
from registry_site.tracking import access, rules
from registry_site.tracking.fields import LOGGED_MODELS
from registry_site.tracking.locking import active_experiment, logged_model_not_found, run_not_found
from registry_site.tracking.models import (
    Experiment,
    LifecycleStage,
    LoggedModel,
    LoggedModelParam,
    LoggedModelStatus,
    LoggedModelTag,
    Run,
)

SEARCH_LIMIT = 1000
VERSIONS_TAG = "mlflow.modelVersions"
_NEWEST_FIRST = ("-creation_timestamp", "model_id")


@dataclass(frozen=True, slots=True)
class DatasetFilter:
    """A dataset that a search's metric conditions count on; without a digest, every dataset of the name."""

    name: str
    digest: str = ""


@dataclass(frozen=True, slots=True)
class OrderItem:
    """What a search of logged models is ordered by: an attribute, or `metrics.<key>`, perhaps on one dataset."""

    field_name: str
    ascending: bool = True
    dataset_name: str = ""
    dataset_digest: str = ""


# -- writing -----------------------------------------------------------------------------------------------------------
@transaction.atomic
def create_logged_model(
    actor: Actor,
    *,
    experiment_id: str | int,
    name: str = "",
    model_type: str = "",
    source_run_id: str = "",
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> LoggedModel:
    """A new logged model, LOGGED_MODEL_PENDING until it is finalised. Without a name it is given one.

    Who names a source run adds to what that run made, and so needs CAN_EDIT on its experiment too. Raises NotFound for
    an unknown experiment or run, InvalidParameter for a deleted experiment and odd names and keys.
    """
    actor.require_write()
    name = rules.validate_logged_model_name(name) if name else new_name()
    rules.validate_text(model_type, rules.LOGGED_MODEL_TYPE_LIMIT, "model_type")
    kept_params = _checked_params(params or {})
    kept_tags = _checked_tags(tags or {})
    experiment = active_experiment(actor, experiment_id)
    source_run = _source_run(actor, source_run_id, experiment) if source_run_id else None
    model_id = new_logged_model_id()
    now = clock.now_ms()
    model = LoggedModel.objects.create(
        model_id=model_id,
        experiment=experiment,
        name=name,
        model_type=model_type,
        source_run=source_run,
        artifact_uri=rules.logged_model_artifact_uri(experiment.artifact_location, model_id),
        creation_timestamp=now,
        last_updated_timestamp=now,
        created_by_id=actor.user_id,
    )
    LoggedModelParam.objects.bulk_create(
        LoggedModelParam(logged_model=model, key=k, value=v) for k, v in kept_params.items()
    )
    LoggedModelTag.objects.bulk_create(LoggedModelTag(logged_model=model, key=k, value=v) for k, v in kept_tags.items())
    return get_logged_model(actor, model_id=model_id)


@transaction.atomic
def finalize_logged_model(actor: Actor, *, model_id: str, status: str) -> LoggedModel:
    """Say how the upload ended. Raises InvalidParameter for other words, NotFound for an unknown or deleted model."""
    actor.require_write()
    if status not in (LoggedModelStatus.READY, LoggedModelStatus.UPLOAD_FAILED):
        raise InvalidParameter(
            f"Invalid status '{status}': a logged model becomes {LoggedModelStatus.READY} "
            f"or {LoggedModelStatus.UPLOAD_FAILED}.",
            field="status",
        )
    model = _locked(actor, model_id)
    model.status = status
    _touch(model, "status")
    return get_logged_model(actor, model_id=model_id)


@transaction.atomic
def delete_logged_model(actor: Actor, *, model_id: str) -> None:
    """Mark a logged model as deleted; of one that is, nothing changes. Its files stay."""
    actor.require_write()
    model = _LOCKED.first(actor, Level.CAN_EDIT, hidden=logged_model_not_found(model_id), model_id=model_id)
    model.lifecycle_stage = LifecycleStage.DELETED
    _touch(model, "lifecycle_stage")


@transaction.atomic
def set_logged_model_tags(actor: Actor, *, model_id: str, tags: Mapping[str, str]) -> None:
    """Set or replace tags.

    Clients note a new version in `mlflow.modelVersions` themselves, and a reader of the logged model may have made it.
    As `add_version_to_logged_model` has noted it already, that is taken from readers, and nothing changes.
    """
    actor.require_write()
    kept = _checked_tags(tags)
    is_noted_already = kept.keys() == {VERSIONS_TAG}
    model = _locked(actor, model_id, Level.CAN_READ if is_noted_already else Level.CAN_EDIT)
    if is_noted_already and access.level_of(actor, model.experiment_id) < Level.CAN_EDIT:
        return
    LoggedModelTag.objects.bulk_create(
        (LoggedModelTag(logged_model=model, key=key, value=value) for key, value in kept.items()),
        update_conflicts=True,
        unique_fields=["logged_model", "key"],
        update_fields=["value"],
    )


@transaction.atomic
def add_version_to_logged_model(actor: Actor, *, model_id: str, name: str, version: int) -> None:
    """Note in the tag `mlflow.modelVersions` (a JSON list, as clients read it) that a version was made of the model.
    Needs CAN_READ, as making one does."""
    actor.require_write()
    model = _locked(actor, model_id, Level.CAN_READ)
    try:
        noted = json.loads(model.tags.get(key=VERSIONS_TAG).value)
    except (LoggedModelTag.DoesNotExist, ValueError):
        noted = []
    noted = [*(noted if isinstance(noted, list) else ()), {"name": name, "version": version}]
    LoggedModelTag.objects.update_or_create(logged_model=model, key=VERSIONS_TAG, defaults={"value": json.dumps(noted)})


@transaction.atomic
def delete_logged_model_tag(actor: Actor, *, model_id: str, key: str) -> None:
    """Remove a tag. Raises NotFound when the model has none of that key."""
    actor.require_write()
    deleted, _ = _locked(actor, model_id).tags.filter(key=key).delete()
    if not deleted:
        raise NotFound(f"No tag with key '{key}' found for model with ID '{model_id}'.", field="key")


@transaction.atomic
def log_logged_model_params(actor: Actor, *, model_id: str, params: Mapping[str, str]) -> None:
    """Write params, once: a key that the model has already raises AlreadyExists."""
    actor.require_write()
    kept = _checked_params(params)
    model = _locked(actor, model_id)
    try:
        with transaction.atomic():
            LoggedModelParam.objects.bulk_create(
                LoggedModelParam(logged_model=model, key=key, value=value) for key, value in kept.items()
            )
    except IntegrityError:
        there = ", ".join(sorted(model.params.filter(key__in=kept).values_list("key", flat=True)))
        raise AlreadyExists(
            f"The logged model '{model_id}' has these params already, and they cannot change: {there}.", field="params"
        ) from None


# -- reading -----------------------------------------------------------------------------------------------------------
@once
def get_logged_model(actor: Actor, *, model_id: str, allow_deleted: bool = False) -> LoggedModel:
    """The model with its source run, tags, params and metrics prefetched. Raises NotFound, of a deleted one too."""
    models = with_everything(LoggedModel.objects.filter(access.visible(actor, "experiment_id"), model_id=model_id))
    if not allow_deleted:
        models = models.filter(lifecycle_stage=LifecycleStage.ACTIVE)
    model = models.first()
    if model is None:
        raise logged_model_not_found(model_id)
    return model


def search_logged_models(
    actor: Actor,
    *,
    experiment_ids: Sequence[str | int],
    filter: str | None = None,
    datasets: Sequence[DatasetFilter] = (),
    order_by: Sequence[OrderItem] = (),
    max_results: int = 50,
    page_token: str | None = None,
) -> Page[LoggedModel]:
    """Logged models of those of these experiments that the actor may read, newest first unless ordered otherwise, with
    everything prefetched.

    `datasets` narrows what the filter's metric conditions look at. Raises InvalidParameter for filters, orders and
    tokens that do not fit.
    """
    actor.require_signed_in()
    ids = rules.parse_experiment_ids(experiment_ids)
    rules.validate_count(datasets, rules.MODEL_DATASETS_LIMIT, "datasets")
    conditions = compile_filter(
        parse_filter(filter), LOGGED_MODELS, only={"metrics": _on(datasets)} if datasets else None
    )
    plan = compile_order([_ordering(item) for item in order_by], LOGGED_MODELS, _NEWEST_FIRST)
    return read_page(
        with_everything(
            LoggedModel.objects.filter(
                conditions, experiment__in=access.readable(actor, ids), lifecycle_stage=LifecycleStage.ACTIVE
            )
        ),
        plan,
        query=["logged models", actor.user_id, ids, filter, list(datasets), list(order_by)],
        max_results=max_results,
        page_token=page_token,
        most=SEARCH_LIMIT,
    )


def with_everything(models: QuerySet[LoggedModel]) -> QuerySet[LoggedModel]:
    """The models with all that their protocol shape shows, in a fixed number of queries."""
    return models.select_related("source_run").prefetch_related("tags", "params", "metrics__run")


# -- what they share ---------------------------------------------------------------------------------------------------
def _checked_params(params: Mapping[str, str]) -> dict[str, str]:
    return {rules.validate_key(key, "param"): rules.cut_param_value(value) for key, value in sorted(params.items())}


def _checked_tags(tags: Mapping[str, str]) -> dict[str, str]:
    return {rules.validate_key(key, "tag"): rules.cut_run_tag_value(value) for key, value in sorted(tags.items())}


def _source_run(actor: Actor, run_id: str, experiment: Experiment) -> Run:
    run = Run.objects.filter(run_id=run_id).first()
    if run is None:
        raise run_not_found(run_id)
    if run.experiment_id != experiment.pk:
        access.require(actor, run.experiment_id, Level.CAN_EDIT, hidden=run_not_found(run_id))
    return run


def _locked(actor: Actor, model_id: str, level: Level = Level.CAN_EDIT) -> LoggedModel:
    hidden = logged_model_not_found(model_id)
    model = _LOCKED.first(actor, level, hidden=hidden, model_id=model_id)
    if model.lifecycle_stage != LifecycleStage.ACTIVE:
        raise hidden
    return model


_LOCKED = LookUp(
    access.EXPERIMENTS,
    lambda: LoggedModel.objects.select_for_update(no_key=True).filter(model_id=Given("model_id", CharField())),
    columns_of(LoggedModel),
    instance_of(LoggedModel),
    key="experiment_id",
)


def _touch(model: LoggedModel, *changed: str) -> None:
    model.last_updated_timestamp = clock.now_ms()
    model.save(update_fields=[*changed, "last_updated_timestamp"])


def _on(datasets: Sequence[DatasetFilter]) -> Q:
    wanted = Q(pk__in=[])
    for dataset in datasets:
        one = Q(dataset_name=dataset.name)
        wanted |= one & Q(dataset_digest=dataset.digest) if dataset.digest else one
    return wanted


def _ordering(item: OrderItem) -> Ordering:
    entity, dot, key = item.field_name.partition(".")
    narrowed = {"dataset_name": item.dataset_name, "dataset_digest": item.dataset_digest}
    only = tuple((column, value) for column, value in narrowed.items() if value)
    if only and entity != "metrics":
        raise InvalidParameter(
            f"Only metrics are measured on datasets: order_by '{item.field_name}' has none.", field="order_by"
        )
    return Ordering(entity if dot else None, key if dot else entity, descending=not item.ascending, only=only)
