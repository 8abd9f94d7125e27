"""Writing experiments and runs. What runs log at high rates is `recording`'s; logged models have a module of their
own.

To write needs CAN_EDIT on the experiment that it is in, where nothing else is said. Whoever has less is told so by
PermissionDenied, and by NotFound whoever may not even see it.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction

from registry_site.accounts.actors import Actor
from registry_site.accounts.grants import grant_to_creator
from registry_site.accounts.levels import Level
from registry_site.audit.kinds import Kind
from registry_site.audit.record import Subject, record
from registry_site.core import clock
from registry_site.core.errors import AlreadyExists, InvalidParameter, NotFound
from registry_site.core.ids import new_name, new_run_id
from registry_site.core.writing import insert, insert_many
from registry_site.tracking import access, rules
from registry_site.tracking.locking import (
    active_experiment,
    locked_active_experiment,
    locked_active_run,
    locked_experiment,
    locked_run,
    logged_model_not_found,
)
from registry_site.tracking.models import (
    Dataset,
    DatasetInput,
    Experiment,
    ExperimentTag,
    LifecycleStage,
    LoggedModel,
    Run,
    RunModel,
    RunStatus,
    RunTag,
)


@dataclass(frozen=True, slots=True)
class DatasetUse:
    """A dataset that a run read: the fields of the dataset (name, digest, source_type, source, schema, profile) and the
    tags of its use, `mlflow.data.context` among them."""

    dataset: Mapping[str, str]
    tags: Mapping[str, str] = field(default_factory=dict)


# -- experiments -------------------------------------------------------------------------------------------------------
@transaction.atomic
def create_experiment(
    actor: Actor, *, name: str, artifact_location: str = "", tags: Mapping[str, str] | None = None
) -> Experiment:
    """A new experiment that the actor manages from now on. Without a location its artifacts lie in
    `mlflow-artifacts:/<id>`.

    Raises AlreadyExists for a name that is taken, by a deleted experiment too; InvalidParameter for odd names, tags and
    locations (see `rules`).
    """
    actor.require_write()
    rules.validate_experiment_name(name)
    pairs = [rules.validate_experiment_tag(key, value) for key, value in (tags or {}).items()]
    if artifact_location:
        artifact_location = rules.validate_artifact_location(
            artifact_location,
            store_root=str(settings.PODIUM_ARTIFACT_ROOT),
            own_host=urlsplit(settings.PODIUM_SITE_URL).netloc,
            stores=settings.PODIUM_ARTIFACT_STORES,
        )
    now = clock.now_ms()
    try:
        with transaction.atomic():
            experiment = Experiment.objects.create(
                name=name,
                artifact_location=artifact_location,
                creation_time=now,
                last_update_time=now,
                created_by_id=actor.user_id,
            )
    except IntegrityError:
        raise _experiment_name_is_taken(actor, name, "name") from None
    if not artifact_location:
        experiment.artifact_location = rules.default_location(experiment.pk)
        experiment.save(update_fields=["artifact_location"])
    ExperimentTag.objects.bulk_create(
        ExperimentTag(experiment=experiment, key=key, value=value) for key, value in pairs
    )
    grant_to_creator(actor, access.EXPERIMENTS, experiment)
    record(
        actor,
        Kind.EXPERIMENT_CREATED,
        Subject(name),
        experiment_id=experiment.pk,
        artifact_location=experiment.artifact_location,
        tags=dict(pairs),
    )
    return experiment


@transaction.atomic
def rename_experiment(actor: Actor, *, experiment_id: str | int, new_name: str) -> Experiment:
    """Give an active experiment another name. Needs CAN_MANAGE. Raises AlreadyExists, NotFound, InvalidParameter."""
    actor.require_write()
    rules.validate_experiment_name(new_name, "new_name")
    experiment = locked_active_experiment(actor, experiment_id, Level.CAN_MANAGE)
    before, experiment.name = experiment.name, new_name
    if before == new_name:
        return experiment
    experiment.last_update_time = clock.now_ms()
    try:
        with transaction.atomic():
            experiment.save(update_fields=["name", "last_update_time"])
    except IntegrityError:
        raise _experiment_name_is_taken(actor, new_name, "new_name") from None
    record(
        actor, Kind.EXPERIMENT_RENAMED, Subject(new_name), experiment_id=experiment.pk, before=before, after=new_name
    )
    return experiment


@transaction.atomic
def delete_experiment(actor: Actor, *, experiment_id: str | int) -> None:
    """Mark an experiment and its runs as deleted; `restore_experiment` brings them back. Needs CAN_MANAGE.

    Raises NotFound when there is none, or it is deleted already.
    """
    actor.require_write()
    experiment = _move_experiment(actor, experiment_id, LifecycleStage.ACTIVE, LifecycleStage.DELETED)
    record(actor, Kind.EXPERIMENT_DELETED, Subject(experiment.name), experiment_id=experiment.pk)


@transaction.atomic
def restore_experiment(actor: Actor, *, experiment_id: str | int) -> None:
    """Make a deleted experiment and all its runs active again. Needs CAN_MANAGE. Raises NotFound when there is none, or
    it is active."""
    actor.require_write()
    experiment = _move_experiment(actor, experiment_id, LifecycleStage.DELETED, LifecycleStage.ACTIVE)
    record(actor, Kind.EXPERIMENT_RESTORED, Subject(experiment.name), experiment_id=experiment.pk)


@transaction.atomic
def set_experiment_tag(actor: Actor, *, experiment_id: str | int, key: str, value: str) -> None:
    """Set or replace a tag of an active experiment."""
    actor.require_write()
    rules.validate_experiment_tag(key, value)
    experiment = locked_active_experiment(actor, experiment_id, Level.CAN_EDIT)
    ExperimentTag.objects.update_or_create(experiment=experiment, key=key, defaults={"value": value})
    _touch_experiment(experiment)


@transaction.atomic
def delete_experiment_tag(actor: Actor, *, experiment_id: str | int, key: str) -> None:
    """Remove a tag of an active experiment. Raises NotFound when it has none of that key."""
    actor.require_write()
    experiment = locked_active_experiment(actor, experiment_id, Level.CAN_EDIT)
    deleted, _ = experiment.tags.filter(key=key).delete()
    if not deleted:
        raise NotFound(f"Experiment '{experiment.pk}' has no tag with key '{key}'.", field="key")
    _touch_experiment(experiment)


# -- runs --------------------------------------------------------------------------------------------------------------
@transaction.atomic
def create_run(
    actor: Actor,
    *,
    experiment_id: str | int,
    user_id: str = "",
    run_name: str = "",
    start_time: int = 0,
    tags: Mapping[str, str] | None = None,
) -> Run:
    """A new run, RUNNING. Without a name, in the argument or in the tag `mlflow.runName`, it is given one.

    `user_id` is what the client says; without it the run bears the actor's name. Raises InvalidParameter for a deleted
    experiment and for two different names, NotFound for an unknown experiment.
    """
    actor.require_write()
    kept = {rules.validate_key(key, "tag"): rules.cut_run_tag_value(value) for key, value in (tags or {}).items()}
    tagged_name = kept.get(rules.RUN_NAME_TAG, "")
    if run_name and tagged_name and run_name != tagged_name:
        raise InvalidParameter(
            f"The run has two names: run_name '{run_name}' and tag {rules.RUN_NAME_TAG} '{tagged_name}'. "
            "Send one of them.",
            field="run_name",
        )
    experiment = active_experiment(actor, experiment_id)
    run_id = new_run_id()
    kept[rules.RUN_NAME_TAG] = rules.cut_run_tag_value(run_name or tagged_name or new_name(), "run_name")
    run = Run(
        run_id=run_id,
        experiment=experiment,
        run_name=kept[rules.RUN_NAME_TAG],
        user_id=rules.validate_text(user_id or actor.name, rules.USER_ID_LIMIT, "user_id"),
        start_time=start_time,
        artifact_uri=rules.run_artifact_uri(experiment.artifact_location, run_id),
        created_by_id=actor.user_id,
    )
    insert(run)
    insert_many(RunTag, ("run_id", "key", "value"), [(run.pk, key, value) for key, value in sorted(kept.items())])
    return run


@transaction.atomic
def update_run(
    actor: Actor,
    *,
    run_id: str,
    status: str | None = None,
    end_time: int | None = None,
    run_name: str | None = None,
) -> Run:
    """Change what is given of an active run; a new name becomes the tag `mlflow.runName` too."""
    actor.require_write()
    run = locked_active_run(actor, run_id)
    if status is not None:
        if status not in RunStatus.values:
            raise InvalidParameter(
                f"Invalid run status '{status}': it is one of {', '.join(RunStatus.values)}.", field="status"
            )
        run.status = status
    if end_time is not None:
        run.end_time = end_time
    if run_name:
        run.run_name = rules.cut_run_tag_value(run_name, "run_name")
        RunTag.objects.update_or_create(run=run, key=rules.RUN_NAME_TAG, defaults={"value": run.run_name})
    run.save(update_fields=["status", "end_time", "run_name"])
    return run


@transaction.atomic
def delete_run(actor: Actor, *, run_id: str) -> None:
    """Mark a run as deleted; of one that is, nothing changes."""
    actor.require_write()
    _move_run(actor, run_id, LifecycleStage.DELETED, Kind.RUN_DELETED)


@transaction.atomic
def restore_run(actor: Actor, *, run_id: str) -> None:
    """Make a deleted run active again; of one that is, nothing changes."""
    actor.require_write()
    _move_run(actor, run_id, LifecycleStage.ACTIVE, Kind.RUN_RESTORED)


@transaction.atomic
def set_run_tag(actor: Actor, *, run_id: str, key: str, value: str) -> None:
    """Set or replace a tag of an active run; `mlflow.runName` renames the run."""
    actor.require_write()
    rules.validate_key(key, "tag")
    upsert_run_tags(locked_active_run(actor, run_id), {key: rules.cut_run_tag_value(value)})


@transaction.atomic
def delete_run_tag(actor: Actor, *, run_id: str, key: str) -> None:
    """Remove a tag of an active run. Raises NotFound when it has none of that key."""
    actor.require_write()
    run = locked_active_run(actor, run_id)
    deleted, _ = run.tags.filter(key=key).delete()
    if not deleted:
        raise NotFound(f"No tag with name: {key} in run with id {run_id}", field="key")


# -- what runs read and made -------------------------------------------------------------------------------------------
@transaction.atomic
def log_inputs(
    actor: Actor, *, run_id: str, datasets: Sequence[DatasetUse] = (), model_ids: Sequence[str] = ()
) -> None:
    """Note which datasets and logged models an active run read. What is noted already stays as it is."""
    actor.require_write()
    rules.validate_id(run_id)
    described = [rules.validate_dataset(use.dataset, f"datasets[{place}]") for place, use in enumerate(datasets)]
    tags = [rules.validate_input_tags(use.tags, f"datasets[{place}]") for place, use in enumerate(datasets)]
    run = locked_active_run(actor, run_id)
    keys = sorted({(one["name"], one["digest"]): one for one in reversed(described)}.items())
    Dataset.objects.bulk_create(
        (Dataset(experiment_id=run.experiment_id, **one) for _, one in keys), ignore_conflicts=True
    )
    known = Dataset.objects.filter(experiment_id=run.experiment_id, digest__in={digest for (_, digest), _ in keys})
    ids = {(name, digest): pk for pk, name, digest in known.values_list("pk", "name", "digest")}
    DatasetInput.objects.bulk_create(
        (
            DatasetInput(
                run=run,
                dataset_id=ids[one["name"], one["digest"]],
                context=its_tags.get(rules.DATASET_CONTEXT_TAG, ""),
                tags=its_tags,
            )
            for one, its_tags in zip(described, tags, strict=True)
        ),
        ignore_conflicts=True,
    )
    _link_models(actor, run, dict.fromkeys(model_ids, 0), is_output=False)


@transaction.atomic
def log_outputs(actor: Actor, *, run_id: str, models: Mapping[str, int]) -> None:
    """Note which logged models an active run made, and at which step of it: `{model_id: step}`."""
    actor.require_write()
    rules.validate_id(run_id)
    _link_models(actor, locked_active_run(actor, run_id), models, is_output=True)


@transaction.atomic
def log_run_model(actor: Actor, *, run_id: str, model_json: str) -> None:
    """What MLflow 2 clients say of a model that they logged: added to the run's tag `mlflow.log-model.history`."""
    actor.require_write()
    model = rules.parse_logged_model_json(model_json)
    run = locked_active_run(actor, run_id)
    before = run.tags.filter(key=rules.LOGGED_MODELS_TAG).values_list("value", flat=True).first()
    history = [*_json_list(before), model]
    RunTag.objects.update_or_create(run=run, key=rules.LOGGED_MODELS_TAG, defaults={"value": json.dumps(history)})


# -- what they share ---------------------------------------------------------------------------------------------------
def upsert_run_tags(run: Run, tags: Mapping[str, str]) -> None:
    """Set or replace tags (valid ones) in the caller's transaction; `mlflow.runName` renames the run."""
    RunTag.objects.bulk_create(
        (RunTag(run_id=run.pk, key=key, value=value) for key, value in sorted(tags.items())),
        update_conflicts=True,
        unique_fields=["run", "key"],
        update_fields=["value"],
    )
    if rules.RUN_NAME_TAG in tags:
        Run.objects.filter(pk=run.pk).update(run_name=tags[rules.RUN_NAME_TAG])


def _move_experiment(
    actor: Actor, experiment_id: str | int, before: LifecycleStage, after: LifecycleStage
) -> Experiment:
    experiment = locked_experiment(actor, experiment_id, Level.CAN_MANAGE)
    if experiment.lifecycle_stage != before:
        raise NotFound(f"No {before} experiment with id={experiment_id} exists", field="experiment_id")
    experiment.lifecycle_stage = after
    _touch_experiment(experiment)
    experiment.runs.exclude(lifecycle_stage=after).update(lifecycle_stage=after)
    return experiment


def _touch_experiment(experiment: Experiment) -> None:
    experiment.last_update_time = clock.now_ms()
    experiment.save(update_fields=["lifecycle_stage", "last_update_time"])


def _experiment_name_is_taken(actor: Actor, name: str, field_name: str) -> AlreadyExists:
    there = Experiment.objects.filter(access.visible(actor), name=name)
    deleted = there.filter(lifecycle_stage=LifecycleStage.DELETED).exists()
    advice = " It is deleted: restore it, or choose another name." if deleted else ""
    return AlreadyExists(f"Experiment(name={name}) already exists.{advice}", field=field_name)


def _move_run(actor: Actor, run_id: str, after: LifecycleStage, kind: Kind) -> None:
    run = locked_run(actor, run_id)
    if run.lifecycle_stage == after:
        return
    run.lifecycle_stage = after
    run.save(update_fields=["lifecycle_stage"])
    record(actor, kind, Subject(f"{run}"[:700]), run_id=run_id, experiment_id=run.experiment_id)


def logged_model_keys(actor: Actor, model_ids: Collection[str], level: Level, *, run: Run) -> dict[str, int]:
    """The keys of these logged models, which a run that the actor changes shall name. Raises NotFound for an unknown
    one, PermissionDenied below the level on its experiment."""
    found = LoggedModel.objects.filter(model_id__in=model_ids).values_list("model_id", "pk", "experiment_id")
    known = {model_id: (key, experiment) for model_id, key, experiment in found}
    for model_id in model_ids:
        if model_id not in known:
            raise logged_model_not_found(model_id)
        if (experiment := known[model_id][1]) != run.experiment_id:
            access.require(actor, experiment, level, hidden=logged_model_not_found(model_id))
    return {model_id: key for model_id, (key, _) in known.items()}


def _link_models(actor: Actor, run: Run, steps: Mapping[str, int], *, is_output: bool) -> None:
    rules.validate_count(steps, rules.LINKED_MODELS_LIMIT, "models")
    known = logged_model_keys(actor, steps.keys(), Level.CAN_READ, run=run)
    RunModel.objects.bulk_create(
        (
            RunModel(run=run, logged_model_id=known[model], is_output=is_output, step=step)
            for model, step in steps.items()
        ),
        ignore_conflicts=True,
    )


def _json_list(text: str | None) -> list[object]:
    """The list that a tag holds; clients may have overwritten it with anything."""
    try:
        found = json.loads(text or "[]")
    except ValueError:
        return []
    return found if isinstance(found, list) else []
