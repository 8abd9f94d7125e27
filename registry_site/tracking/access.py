"""Who may see and do what with experiments: the rule of `accounts.access`, in the words of tracking.

A run, what it logged, its files and a logged model are as open as their experiment. CAN_READ sees them, CAN_EDIT logs
and changes them, CAN_MANAGE renames, deletes and restores the experiment and gives levels.
"""

from collections.abc import Sequence

from django.db.models import BigIntegerField, Q

from registry_site.accounts.access import Resolver
from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.core.errors import NotFound
from registry_site.core.prepared import Among, Given, Prepared, Question
from registry_site.tracking.models import Experiment, ExperimentGrant

DEFAULT_EXPERIMENT = 0  # where clients log that name no experiment: it is everybody's

EXPERIMENTS = Resolver(
    ExperimentGrant,
    "experiment",
    called=lambda key: f"experiment '{Experiment.objects.get(pk=key).name}'",
    everybodys={DEFAULT_EXPERIMENT: Level.CAN_EDIT},
)


def reads_everything(actor: Actor) -> bool:
    """Whether the actor may read every experiment. Raises NotSignedIn for a stranger."""
    return EXPERIMENTS.everywhere(actor) >= Level.CAN_READ


def visible(actor: Actor, experiment_key: str = "pk") -> Q:
    """The rows whose experiment, by its key in this column, the actor may read. Raises NotSignedIn for a stranger."""
    return EXPERIMENTS.visible(actor, experiment_key)


def readable(actor: Actor, experiment_keys: Sequence[int]) -> Sequence[int]:
    """Those of the experiments that the actor may read."""
    if reads_everything(actor) or not experiment_keys:
        return experiment_keys
    return _READABLE.read(keys=experiment_keys, user=actor.user_id)


def level_of(actor: Actor, experiment_key: int) -> Level:
    """The actor's level on an experiment and all that is in it; NONE for a stranger."""
    return EXPERIMENTS.level_of(actor, experiment_key)


def level_questions(actor: Actor, experiment_key: int) -> list[Question[int]]:
    """What `level_of` asks, for `ask_together`."""
    return EXPERIMENTS.level_questions(actor, experiment_key)


def require(actor: Actor, experiment_key: int, level: Level, *, hidden: NotFound) -> None:
    """Raises NotSignedIn, `hidden` for an experiment that the actor may not even see, PermissionDenied below the
    level."""
    EXPERIMENTS.require(actor, experiment_key, level, hidden=hidden)


_READABLE = Prepared(
    lambda: (
        Experiment.objects.filter(Among("pk"), EXPERIMENTS.granted(Given("user", BigIntegerField()), Level.CAN_READ))
        .order_by("pk")
        .values_list("pk")
    ),
    int,
)
