"""Who may do what with experiments: giving levels, taking them back, and seeing who has which."""

from collections.abc import Iterable

from django.db import transaction

from registry_site.accounts.access import AccessList
from registry_site.accounts.actors import Actor
from registry_site.accounts.grants import NewGrant, Place, give, take
from registry_site.accounts.levels import EXPERIMENT_LEVELS, Level
from registry_site.audit.record import Subject
from registry_site.tracking import access, rules
from registry_site.tracking.locking import experiment_not_found, locked_experiment
from registry_site.tracking.models import Experiment

_EVERY_EXPERIMENT = Subject("all experiments")


@transaction.atomic
def set_grant(
    actor: Actor, *, experiment_id: str | int | None, username: str = "", group: str = "", level: Level
) -> int:
    """Give a person or a group this level on one experiment (needs CAN_MANAGE), or without one on all of them
    (administrators). Returns the key of the grant.

    A level that they had there is replaced. Raises NotFound for an unknown experiment, person or group,
    InvalidParameter without exactly one holder and for a level that experiments have not; Conflict where the actor
    would leave nobody who manages the experiment.
    """
    return give(actor, _governed(actor, experiment_id), [NewGrant(level, username, group)])[0]


@transaction.atomic
def set_grants(
    actor: Actor, *, experiment_id: str | int | None, given: Iterable[NewGrant], replace: bool = False
) -> None:
    """As `set_grant`, several at once, or none of them; with `replace` all others on this experiment are taken back."""
    give(actor, _governed(actor, experiment_id), given, replace=replace)


@transaction.atomic
def remove_grant(actor: Actor, *, experiment_id: str | int | None, username: str = "", group: str = "") -> None:
    """Take a level back; one that is not there is no error. Needs and raises what `set_grant` does."""
    take(actor, _governed(actor, experiment_id), username=username, group=group)


def access_list(actor: Actor, experiment_id: str | int) -> AccessList:
    """Who may do what with an experiment, for whoever may read it. Raises NotFound."""
    key = rules.parse_experiment_id(experiment_id)
    if not Experiment.objects.filter(access.visible(actor), pk=key).exists():
        raise experiment_not_found(experiment_id)
    return access.EXPERIMENTS.access_list(actor, key)


def _governed(actor: Actor, experiment_id: str | int | None) -> Place:
    """The experiment, locked, if the actor manages it; all of them, if the actor is an administrator."""
    if experiment_id is None:
        actor.require_admin()
        return _place(None, _EVERY_EXPERIMENT)
    experiment = locked_experiment(actor, experiment_id, Level.CAN_MANAGE)
    return _place(experiment, Subject(f"experiment {experiment.name}"), experiment_id=experiment.pk)


def _place(experiment: Experiment | None, subject: Subject, **data: int) -> Place:
    return Place(access.EXPERIMENTS, experiment, subject, EXPERIMENT_LEVELS, data)
