"""What runs log while they run: metrics, params, tags. The hot path: few statements, each over many rows. It needs
CAN_EDIT on the run's experiment.

Batches of one run may come at the same time from many threads and machines. Every statement is right by itself under
that: points are inserted unless they are there, and the latest point of a metric gives way only to a greater one.
Rows are written in the order of their keys, so that batches wait for each other and never in a circle.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import CharField

from registry_site.accounts.access import LookUp
from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.core.errors import InvalidParameter
from registry_site.core.prepared import Given, columns_of, instance_of
from registry_site.core.writing import insert_many
from registry_site.tracking import access, rules
from registry_site.tracking.locking import require_active, run_not_found
from registry_site.tracking.models import LatestMetric, LoggedModelMetric, Metric, Param, Run
from registry_site.tracking.services import logged_model_keys, upsert_run_tags

_POINT = ("run_id", "key", "value", "is_nan", "timestamp", "step")
_POINT_OF_MODEL = ("logged_model_id", *_POINT, "dataset_name", "dataset_digest")


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """One measured value, as clients send it. With `model_id` it is a metric of that logged model too."""

    key: str
    value: float
    timestamp: int
    step: int = 0
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


@transaction.atomic
def log_metric(actor: Actor, *, run_id: str, metric: MetricPoint) -> None:
    """Add one point to a metric of an active run; a point that is there already is not added again."""
    actor.require_write()
    _write_metrics(actor, _active_run(actor, run_id), [metric], "")


@transaction.atomic
def log_param(actor: Actor, *, run_id: str, key: str, value: str) -> None:
    """Write a param of an active run, once: the same value again is fine, another one raises InvalidParameter."""
    actor.require_write()
    rules.validate_key(key, "param")
    _write_params(_active_run(actor, run_id), {key: rules.cut_param_value(value)})


@transaction.atomic
def log_batch(
    actor: Actor,
    *,
    run_id: str,
    metrics: Sequence[MetricPoint] = (),
    params: Sequence[tuple[str, str]] = (),
    tags: Sequence[tuple[str, str]] = (),
) -> None:
    """Write metrics, params and tags of an active run, all or nothing.

    Raises InvalidParameter beyond the limits of a batch, for odd keys, for a param that comes twice, and for one that
    the run has with another value.
    """
    actor.require_write()
    rules.validate_id(run_id)
    rules.validate_batch_size(metrics=len(metrics), params=len(params), tags=len(tags))
    new_params = _checked_params(params)
    new_tags = {
        rules.validate_key(key, "tag", f"tags[{place}].key"): rules.cut_run_tag_value(value, f"tags[{place}].value")
        for place, (key, value) in enumerate(tags)
    }
    run = _active_run(actor, run_id)
    _write_params(run, new_params)
    _write_metrics(actor, run, metrics, "metrics[{}].")
    if new_tags:
        upsert_run_tags(run, new_tags)


def _active_run(actor: Actor, run_id: str) -> Run:
    # Not locked: nothing here depends on another row of the run, and a lock would queue its batches.
    run = _RUN_BY_ID.first(actor, Level.CAN_EDIT, hidden=run_not_found(run_id), run_id=run_id)
    require_active(run_id, run.lifecycle_stage)
    return run


_RUN_BY_ID = LookUp(
    access.EXPERIMENTS,
    lambda: Run.objects.filter(run_id=Given("run_id", CharField())),
    columns_of(Run),
    instance_of(Run),
    key="experiment_id",
)


# -- params ------------------------------------------------------------------------------------------------------------
def _checked_params(params: Iterable[tuple[str, str]]) -> dict[str, str]:
    checked: dict[str, str] = {}
    for place, (key, value) in enumerate(params):
        rules.validate_key(key, "param", f"params[{place}].key")
        if key in checked:
            raise InvalidParameter(
                f"Duplicate parameter key '{key}' in one request: send it once.", field=f"params[{place}]"
            )
        checked[key] = rules.cut_param_value(value, f"params[{place}].value")
    return checked


def _write_params(run: Run, params: Mapping[str, str]) -> None:
    if not params:
        return
    rows = [(run.pk, key, value) for key, value in sorted(params.items())]
    insert_many(Param, ("run_id", "key", "value"), rows, "ON CONFLICT DO NOTHING")
    # Read back after the insert: what another batch wrote at the same moment is seen here, whoever was first.
    for key, stored in Param.objects.filter(run=run, key__in=params).values_list("key", "value"):
        if stored != params[key]:
            raise InvalidParameter(
                f"Changing param values is not allowed. Param with key='{key}' was already logged with "
                f"value='{stored}' for run ID='{run.run_id}'. Attempted logging new value '{params[key]}'.",
                field="value",
            )


# -- metrics -----------------------------------------------------------------------------------------------------------
def _write_metrics(actor: Actor, run: Run, metrics: Sequence[MetricPoint], place: str) -> None:
    if not metrics:
        return
    rows = sorted({_row(run, metric, place.format(number)) for number, metric in enumerate(metrics)})
    insert_many(Metric, _POINT, rows, "ON CONFLICT DO NOTHING")
    latest: dict[str, tuple[Any, ...]] = {}
    for row in rows:
        if row[1] not in latest or _rank(row) > _rank(latest[row[1]]):
            latest[row[1]] = row
    insert_many(LatestMetric, _POINT, list(latest.values()), _UNLESS_GREATER)
    _write_metrics_of_models(actor, run, [metric for metric in metrics if metric.model_id])


def _row(run: Run, metric: MetricPoint, place: str) -> tuple[Any, ...]:
    rules.validate_key(metric.key, "metric", f"{place}key")
    if metric.timestamp < 0:
        raise InvalidParameter(
            f"Invalid timestamp {metric.timestamp} of metric '{metric.key}': it must not be negative.",
            field=f"{place}timestamp",
        )
    return (run.pk, metric.key, *rules.normal_metric_value(metric.value), metric.timestamp, metric.step)


def _rank(row: tuple[Any, ...]) -> tuple[int, int, float]:
    _, _, value, _, timestamp, step = row
    return step, timestamp, value


def _write_metrics_of_models(actor: Actor, run: Run, metrics: Sequence[MetricPoint]) -> None:
    if not metrics:
        return
    ids = logged_model_keys(actor, {metric.model_id for metric in metrics}, Level.CAN_EDIT, run=run)
    for metric in metrics:
        rules.validate_text(metric.dataset_name, rules.DATASET_LIMITS["name"], "dataset_name")
        rules.validate_text(metric.dataset_digest, rules.DATASET_LIMITS["digest"], "dataset_digest")
    rows = {
        (ids[metric.model_id], *_row(run, metric, ""), metric.dataset_name, metric.dataset_digest) for metric in metrics
    }
    insert_many(LoggedModelMetric, _POINT_OF_MODEL, sorted(rows), "ON CONFLICT DO NOTHING")


def _greater(table: str) -> str:
    return f"({table}.step, {table}.timestamp, {table}.value)"


_UNLESS_GREATER = (
    "ON CONFLICT (run_id, key) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in ("value", "is_nan", "timestamp", "step"))
    + f" WHERE {_greater('excluded')} > {_greater(LatestMetric._meta.db_table)}"
)
