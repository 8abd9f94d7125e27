"""Which way a metric is better: said for one model or for all, so that a comparison can say what is an improvement."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q

from registry_site.accounts.actors import Actor
from registry_site.audit.kinds import Kind
from registry_site.audit.record import Subject, record
from registry_site.core.errors import NotFound
from registry_site.core.prepared import Among, Prepared, Question, columns_of, instance_of
from registry_site.promotion.differences import directions
from registry_site.promotion.gates import Gate
from registry_site.promotion.models import MetricDirection
from registry_site.promotion.setting_policies import model_of_policy
from registry_site.registry import subjects
from registry_site.registry.models import RegisteredModel
from registry_site.tracking.rules import validate_key


@transaction.atomic
def set_metric_direction(
    actor: Actor, *, metric: str, higher_is_better: bool, name: str | None = None
) -> MetricDirection:
    """Say which way a metric is better, in one model (needs CAN_MANAGE) or in all (administrators). What is said of a
    model comes before what is said of all, and before what its gates ask for. Raises InvalidParameter, NotFound."""
    model = model_of_policy(actor, name)
    validate_key(metric, "metric", field="metric")
    known = MetricDirection.objects.filter(registered_model=model, metric=metric).first()
    if known is not None and known.higher_is_better == higher_is_better:
        return known
    row, _ = MetricDirection.objects.update_or_create(
        registered_model=model, metric=metric, defaults={"higher_is_better": higher_is_better}
    )
    record(actor, Kind.METRIC_DIRECTION_SET, _subject(model, metric), metric=metric, higher_is_better=higher_is_better)
    return row


@transaction.atomic
def remove_metric_direction(actor: Actor, *, metric: str, name: str | None = None) -> None:
    """Say no longer which way a metric is better. Raises NotFound where nobody has said it."""
    model = model_of_policy(actor, name)
    deleted, _ = MetricDirection.objects.filter(registered_model=model, metric=metric).delete()
    if not deleted:
        of = f" of {name}" if name else ""
        raise NotFound(f"Nobody has said which way the metric '{metric[:100]}'{of} is better.", field="metric")
    record(actor, Kind.METRIC_DIRECTION_REMOVED, _subject(model, metric), metric=metric)


def directions_in_force(model: RegisteredModel | None) -> list[MetricDirection]:
    """What holds for a model, or for the site, by metric."""
    rows = direction_question(model).answer()
    found = {row.metric: row for row in sorted(rows, key=lambda row: row.registered_model_id is not None)}
    return [row for _, row in sorted(found.items())]


def direction_question(model: RegisteredModel | None) -> Question[MetricDirection]:
    """What `directions_in_force` asks, for `ask_together`."""
    return _DIRECTIONS.question(keys=[model.pk] if model else [])


_DIRECTIONS = Prepared(
    lambda: MetricDirection.objects.filter(
        Q(Among("registered_model_id")) | Q(registered_model__isnull=True)
    ).values_list(*columns_of(MetricDirection)),
    instance_of(MetricDirection),
)


def higher_is_better(model: RegisteredModel, gates: Iterable[Gate]) -> dict[str, bool]:
    """For each metric of a model that somebody has said it of, or that one of these gates asks for, whether higher is
    better."""
    said: dict[bool, dict[str, bool]] = {True: {}, False: {}}
    for row in directions_in_force(model):
        said[row.registered_model_id is not None][row.metric] = row.higher_is_better
    return directions(gates, said[True], said[False])


def _subject(model: RegisteredModel | None, metric: str) -> Subject:
    return subjects.of_model(model) if model else Subject(f"direction of {metric} for all models")
