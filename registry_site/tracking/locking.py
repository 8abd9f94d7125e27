"""Experiments and runs as they are about to be changed: there, active, and locked until the caller's transaction ends.

Whoever may not see one is told that it is not there.
"""

from django.db.models import BigIntegerField, CharField

from registry_site.accounts.access import LookUp
from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.core.errors import InvalidParameter, NotFound
from registry_site.core.prepared import Given, columns_of, instance_of
from registry_site.tracking import access, rules
from registry_site.tracking.models import Experiment, LifecycleStage, Run


def experiment_not_found(experiment_id: str | int) -> NotFound:
    """What is said of an experiment that is not there."""
    return NotFound(f"No Experiment with id={experiment_id} exists", field="experiment_id")


def run_not_found(run_id: str) -> NotFound:
    """What is said of a run that is not there."""
    return NotFound(f"Run with id={run_id} not found", field="run_id")


def logged_model_not_found(model_id: str) -> NotFound:
    """What is said of a logged model that is not there."""
    return NotFound(f"Logged model with ID '{model_id}' not found.", field="model_id")


def require_active(run_id: str, lifecycle_stage: str) -> None:
    """Raises InvalidParameter when the run is deleted."""
    if lifecycle_stage != LifecycleStage.ACTIVE:
        raise InvalidParameter(
            f"The run {run_id} must be in the 'active' state and is {lifecycle_stage}. Restore it first.",
            field="run_id",
        )


def locked_run(actor: Actor, run_id: str) -> Run:
    """The run, deleted or not, locked in the caller's transaction, for the actor to change. Raises NotFound."""
    return _LOCKED_RUN.first(actor, Level.CAN_EDIT, hidden=run_not_found(run_id), run_id=run_id)


def locked_active_run(actor: Actor, run_id: str) -> Run:
    """The run, locked in the caller's transaction, for the actor to change. Raises NotFound, and InvalidParameter when
    it is deleted."""
    run = locked_run(actor, run_id)
    require_active(run_id, run.lifecycle_stage)
    return run


def active_experiment(actor: Actor, experiment_id: str | int) -> Experiment:
    """The experiment, for the actor to log to. Raises NotFound, and InvalidParameter when it is deleted."""
    return _must_be_active(_found(_EXPERIMENT, actor, experiment_id, Level.CAN_EDIT))


def locked_experiment(actor: Actor, experiment_id: str | int, level: Level) -> Experiment:
    """The experiment, deleted or not, locked in the caller's transaction. Raises NotFound, and PermissionDenied below
    the level."""
    return _found(_LOCKED_EXPERIMENT, actor, experiment_id, level)


def locked_active_experiment(actor: Actor, experiment_id: str | int, level: Level) -> Experiment:
    """The same of an active experiment. Raises InvalidParameter when it is deleted."""
    return _must_be_active(locked_experiment(actor, experiment_id, level))


def _found(rows: LookUp[Experiment], actor: Actor, experiment_id: str | int, level: Level) -> Experiment:
    key = rules.parse_experiment_id(experiment_id)
    return rows.first(actor, level, hidden=experiment_not_found(experiment_id), experiment=key)


def _must_be_active(experiment: Experiment) -> Experiment:
    if experiment.lifecycle_stage != LifecycleStage.ACTIVE:
        raise InvalidParameter(
            f"The experiment {experiment.pk} must be in the 'active' state and is deleted. Restore it first.",
            field="experiment_id",
        )
    return experiment


_EXPERIMENT = LookUp(
    access.EXPERIMENTS,
    lambda: Experiment.objects.filter(pk=Given("experiment", BigIntegerField())),
    columns_of(Experiment),
    instance_of(Experiment),
)
# Locked without the key: rows that refer to it can be written meanwhile.
_LOCKED_EXPERIMENT = LookUp(
    access.EXPERIMENTS,
    lambda: Experiment.objects.select_for_update(no_key=True).filter(pk=Given("experiment", BigIntegerField())),
    columns_of(Experiment),
    instance_of(Experiment),
)
_LOCKED_RUN = LookUp(
    access.EXPERIMENTS,
    lambda: Run.objects.select_for_update(no_key=True).filter(run_id=Given("run_id", CharField())),
    columns_of(Run),
    instance_of(Run),
    key="experiment_id",
)
