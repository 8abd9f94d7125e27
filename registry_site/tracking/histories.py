"""Reading what was logged of metrics over time: whole histories, samples of them, and what to plot.

What is in an experiment that the actor may not read is not there, for any of these functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from django.db import connection
from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from registry_site.accounts.actors import Actor
from registry_site.core.errors import InvalidParameter
from registry_site.core.pages import Page
from registry_site.core.prepared import fetch
from registry_site.search.keyset import OrderPlan, Term
from registry_site.search.paging import read_page
from registry_site.tracking import access
from registry_site.tracking.locking import run_not_found
from registry_site.tracking.models import Metric, Run
from registry_site.tracking.rows import MetricRow

HISTORY_PER_PAGE_AT_MOST = 1_000_000
BULK_RUNS_LIMIT = 100
BULK_INTERVAL_LIMIT = 2500
BULK_HISTORY_LIMIT = 25_000

_HISTORY_FIELDS = MetricRow.__struct_fields__
# The order of the unique index: it ends every tie, and no row outside of the index is read.
_BY_TIME = OrderPlan(tuple(Term(name, name, False, False) for name in ("timestamp", "step", "value", "is_nan")))


class HistoryPoint(Protocol):
    """One point of a metric's history. The value is 0 where `is_nan`."""

    key: str
    value: float
    is_nan: bool
    timestamp: int
    step: int


class HistoryPointOfRun(HistoryPoint, Protocol):
    """One point of a history of several runs."""

    run__run_id: str


@dataclass(frozen=True, slots=True)
class SeriesPoint:
    """A point of a plot."""

    step: int
    timestamp: int
    value: float


def metric_history(
    actor: Actor, *, run_id: str, key: str, max_results: int | None = None, page_token: str | None = None
) -> Page[HistoryPoint]:
    """The points of a run's metric by timestamp, step and value; all of them without `max_results`.

    Nothing for an unknown run or key.
    """
    points = _points(actor).filter(run__run_id=run_id, key=key).values_list(*_HISTORY_FIELDS)
    page = read_page(
        cast("QuerySet[Metric]", points),
        _BY_TIME,
        max_results=HISTORY_PER_PAGE_AT_MOST if max_results is None else max_results,
        page_token=page_token,
        query=["history", actor.user_id, run_id, key],
        most=HISTORY_PER_PAGE_AT_MOST,
        read=lambda queryset: cast("list[Metric]", fetch(queryset, MetricRow)),
    )
    return cast("Page[HistoryPoint]", page)


def metric_history_of_runs(
    actor: Actor, *, run_ids: Sequence[str], key: str, max_results: int = BULK_HISTORY_LIMIT
) -> list[HistoryPointOfRun]:
    """The points of one metric in several runs (at most 100), by run, timestamp, step and value."""
    points = _points_of_runs(actor, run_ids, key, max_results, BULK_HISTORY_LIMIT)
    ordered = points.order_by("run__run_id", "timestamp", "step", "value", "pk")
    return _with_run_ids(ordered[:max_results])


def metric_history_sample(
    actor: Actor,
    *,
    run_ids: Sequence[str],
    key: str,
    start_step: int | None = None,
    end_step: int | None = None,
    max_results: int = BULK_INTERVAL_LIMIT,
) -> list[HistoryPointOfRun]:
    """An even sample of one metric in several runs (at most 100): per run about `max_results` points, by step, the
    first and the last among them. The steps, which are given together or not at all, narrow it."""
    points = _points_of_runs(actor, run_ids, key, max_results, BULK_INTERVAL_LIMIT)
    if (start_step is None) != (end_step is None):
        raise InvalidParameter("start_step and end_step are given together, or not at all.", field="start_step")
    if start_step is not None and end_step is not None:
        if start_step > end_step:
            raise InvalidParameter("end_step must not be less than start_step.", field="end_step")
        points = points.filter(step__gte=start_step, step__lte=end_step)
    by_step = ("step", "timestamp", "pk")
    numbered = points.annotate(
        row=Window(RowNumber(), partition_by="run", order_by=by_step), total=Window(Count("pk"), partition_by="run")
    )
    every = (F("total") + max_results - 1) / max_results
    sample = numbered.annotate(odd=(F("row") - 1) % every).filter(Q(odd=0) | Q(row=F("total")))
    return _with_run_ids(sample.order_by("run__run_id", *by_step))


def metric_series(
    actor: Actor, run_id: str, keys: Sequence[str], max_points: int = 1000
) -> dict[str, list[SeriesPoint]]:
    """What to plot of a run's metrics, as `metric_series_of_runs` says it. Raises NotFound."""
    found = metric_series_of_runs(actor, [run_id], keys, max_points)
    if run_id not in found:
        raise run_not_found(run_id)
    return found[run_id]


def metric_series_of_runs(
    actor: Actor, run_ids: Sequence[str], keys: Sequence[str], max_points: int = 1000
) -> dict[str, dict[str, list[SeriesPoint]]]:
    """What to plot of metrics of the runs that there are of these: at most `max_points` of each metric, by step.

    A long history is parted into equal stretches, and of each the least and the greatest point are kept, so that no
    peak is lost. Values that are not numbers are left out; a key without points is not in the answer.
    """
    visible = Run.objects.filter(access.visible(actor, "experiment_id"), run_id__in=run_ids)
    by_key = dict(visible.values_list("pk", "run_id"))
    series: dict[str, dict[str, list[SeriesPoint]]] = {run_id: {} for run_id in run_ids if run_id in by_key.values()}
    if not keys or not by_key:
        return series
    with connection.cursor() as cursor:
        cursor.execute(
            _EXTREMES.format(
                table=Metric._meta.db_table,
                runs=", ".join(["%s"] * len(by_key)),
                keys=", ".join(["%s"] * len(keys)),
            ),
            [max(max_points // 2, 1), *by_key, *keys],
        )
        for run, key, step, timestamp, value in cursor.fetchall():
            series[by_key[run]].setdefault(key, []).append(SeriesPoint(step, timestamp, value))
    return series


# The ORM cannot number rows within the result of another numbering.
_EXTREMES = """
    SELECT run_id, key, step, timestamp, value
    FROM (
        SELECT run_id, key, step, timestamp, value, id,
            ROW_NUMBER() OVER (PARTITION BY run_id, key, stretch ORDER BY value, id) AS from_least,
            ROW_NUMBER() OVER (PARTITION BY run_id, key, stretch ORDER BY value DESC, id DESC) AS from_greatest
        FROM (
            SELECT run_id, key, step, timestamp, value, id,
                NTILE(%s) OVER (PARTITION BY run_id, key ORDER BY step, timestamp, id) AS stretch
            FROM {table}
            WHERE run_id IN ({runs}) AND NOT is_nan AND key IN ({keys})
        ) AS parted
    ) AS ranked
    WHERE from_least = 1 OR from_greatest = 1
    ORDER BY run_id, key, step, timestamp, id
"""


def _points(actor: Actor) -> QuerySet[Metric]:
    return Metric.objects.filter(access.visible(actor, "run__experiment_id"))


def _points_of_runs(actor: Actor, run_ids: Sequence[str], key: str, max_results: int, most: int) -> QuerySet[Metric]:
    if not 1 <= len(run_ids) <= BULK_RUNS_LIMIT:
        raise InvalidParameter(
            f"run_ids must name 1 to {BULK_RUNS_LIMIT} runs; {len(run_ids)} are given.", field="run_ids"
        )
    if not 1 <= max_results <= most:
        raise InvalidParameter(
            f"Invalid value {max_results} for parameter 'max_results' supplied: it must be from 1 to {most}.",
            field="max_results",
        )
    return _points(actor).filter(run__run_id__in=run_ids, key=key)


def _with_run_ids(points: QuerySet[Metric]) -> list[HistoryPointOfRun]:
    return cast("list[HistoryPointOfRun]", list(points.values_list(*_HISTORY_FIELDS, "run__run_id", named=True)))
