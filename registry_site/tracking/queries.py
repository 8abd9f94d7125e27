"""Reading experiments and runs, in a bounded number of queries whatever the number of rows.

Rows come with all that is shown of them: an experiment with `tags`; a run with `latest_metrics`, `params`, `tags`,
`dataset_inputs` (their datasets too) and `run_models` (their logged models too), all prefetched.

What is in an experiment that the actor may not read is not there, for any of these functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, cast

from django.db import connection
from django.db.models import (
    BigIntegerField,
    CharField,
    Count,
    F,
    Max,
    Model,
    Q,
    QuerySet,
    Window,
    prefetch_related_objects,
)
from django.db.models.functions import RowNumber

from registry_site.accounts.access import LookUp
from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.core.errors import InvalidParameter, NotFound
from registry_site.core.once import once
from registry_site.core.pages import Page
from registry_site.core.prepared import Among, Given, columns_of, fetch, instance_of
from registry_site.search.compile import compile_filter, compile_order, compile_words
from registry_site.search.keyset import OrderPlan, Term
from registry_site.search.paging import read_page
from registry_site.search.parser import parse_filter, parse_order_by
from registry_site.search.prepared import PreparedSearch
from registry_site.search.words import split_search
from registry_site.tracking import access, rules
from registry_site.tracking.fields import EXPERIMENTS, RUNS
from registry_site.tracking.models import (
    DatasetInput,
    Experiment,
    LatestMetric,
    LifecycleStage,
    Metric,
    Param,
    Run,
)
from registry_site.tracking.rows import RUN_COLUMNS, MetricRow, RunRow, attach_everything
from registry_site.tracking.rules import ViewType
from registry_site.tracking.services import experiment_not_found, run_not_found

EXPERIMENTS_PER_PAGE_AT_MOST = 50_000
RUNS_PER_PAGE_AT_MOST = 50_000
HISTORY_PER_PAGE_AT_MOST = 1_000_000
BULK_RUNS_LIMIT = 100
BULK_INTERVAL_LIMIT = 2500
BULK_HISTORY_LIMIT = 25_000
SEARCH_DATASETS_LIMIT = 20
COLUMN_KEYS_LIMIT = 200

_PREFETCH_AT_ONCE = 1000  # SQLite takes a limited number of values in one statement
_RUNS_ASKED_FOR_KEYS = 250
_HISTORY_FIELDS = MetricRow.__struct_fields__
# The order of the unique index: it ends every tie, and no row outside of the index is read.
_BY_TIME = OrderPlan(tuple(Term(name, name, False, False) for name in ("timestamp", "step", "value", "is_nan")))
_LIFECYCLES = {
    ViewType.ACTIVE_ONLY: [LifecycleStage.ACTIVE],
    ViewType.DELETED_ONLY: [LifecycleStage.DELETED],
    ViewType.ALL: list(LifecycleStage),
}


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
class ExperimentSummary:
    """An experiment as lists show it. `last_start_time` is in milliseconds, None without runs."""

    experiment: Experiment
    run_count: int
    last_start_time: int | None


@dataclass(frozen=True, slots=True)
class DatasetSummary:
    """A dataset of an experiment in one of the contexts it was used in."""

    experiment_id: int
    name: str
    digest: str
    context: str


@dataclass(frozen=True, slots=True)
class Keys:
    """What the newest runs of an experiment have logged, alphabetical."""

    metrics: list[str]
    params: list[str]


@dataclass(frozen=True, slots=True)
class SeriesPoint:
    """A point of a plot."""

    step: int
    timestamp: int
    value: float


# -- experiments -------------------------------------------------------------------------------------------------------
def get_experiment(actor: Actor, experiment_id: str | int) -> Experiment:
    """The experiment, deleted or not. Raises NotFound, and InvalidParameter for what is no id."""
    visible = Experiment.objects.filter(access.visible(actor)).select_related("created_by")
    found = visible.prefetch_related("tags").filter(pk=rules.parse_experiment_id(experiment_id)).first()
    if found is None:
        raise experiment_not_found(experiment_id)
    return found


def get_experiment_by_name(actor: Actor, name: str) -> Experiment:
    """The experiment, deleted or not. Raises NotFound."""
    found = Experiment.objects.filter(access.visible(actor), name=name).prefetch_related("tags").first()
    if found is None:
        raise NotFound(f"Could not find experiment with name '{name}'", field="experiment_name")
    return found


def search_experiments(
    actor: Actor,
    *,
    filter: str | None = None,
    order_by: Sequence[str] = (),
    view_type: ViewType = ViewType.ACTIVE_ONLY,
    max_results: int = 1000,
    page_token: str | None = None,
) -> Page[Experiment]:
    """Experiments that meet the filter, newest first unless ordered otherwise."""
    return _experiments(
        actor,
        compile_filter(parse_filter(filter), EXPERIMENTS),
        ["filter", filter],
        order_by,
        view_type,
        max_results,
        page_token,
    )


def experiments_overview(
    actor: Actor,
    *,
    text: str = "",
    order_by: Sequence[str] = (),
    view_type: ViewType = ViewType.ACTIVE_ONLY,
    max_results: int = 50,
    page_token: str | None = None,
) -> Page[ExperimentSummary]:
    """Experiments for what somebody typed (words of the name, `tag.team:risk`, or a filter), with their active runs
    counted."""
    search = split_search(text)
    wanted = compile_filter(search.conditions, EXPERIMENTS) & compile_words(search.words, "name")
    for facet in search.facets:
        if facet.tag is None:
            raise InvalidParameter(
                f"Experiments are not found by '{facet.key}:'. Type words of the name, or tag.<key>:<value>.",
                field="filter",
            )
        tagged = Experiment.objects.filter(tags__key=facet.tag, tags__value=facet.value)
        wanted &= Q(pk__in=tagged.values("pk"))
    page = _experiments(actor, wanted, ["typed", text], order_by, view_type, max_results, page_token)
    runs = Run.objects.filter(experiment__in=page.rows, lifecycle_stage=LifecycleStage.ACTIVE)
    counted = {
        pk: (count, newest)
        for pk, count, newest in runs.order_by()
        .values("experiment")
        .annotate(count=Count("pk"), newest=Max("start_time"))
        .values_list("experiment", "count", "newest")
    }
    return Page([ExperimentSummary(one, *counted.get(one.pk, (0, None))) for one in page.rows], page.next_page_token)


def _experiments(
    actor: Actor,
    wanted: Q,
    query: list[Any],
    order_by: Sequence[str],
    view_type: ViewType,
    max_results: int,
    page_token: str | None,
) -> Page[Experiment]:
    orderings = parse_order_by(order_by)
    page = read_page(
        Experiment.objects.filter(access.visible(actor), wanted, lifecycle_stage__in=_LIFECYCLES[view_type]),
        compile_order(orderings, EXPERIMENTS, ["-id"] if orderings else ["-creation_time", "id"]),
        max_results=max_results,
        page_token=page_token,
        query=["experiments", actor.user_id, query, list(order_by), view_type],
        most=EXPERIMENTS_PER_PAGE_AT_MOST,
    )
    _prefetch(page.rows, "tags")
    return page


def search_datasets(actor: Actor, *, experiment_ids: Sequence[str | int]) -> list[DatasetSummary]:
    """Up to 1000 datasets that active runs of these experiments (at most 20) read, in each context."""
    actor.require_signed_in()
    ids = rules.parse_experiment_ids(experiment_ids)
    if not 1 <= len(ids) <= SEARCH_DATASETS_LIMIT:
        raise InvalidParameter(
            f"experiment_ids must name 1 to {SEARCH_DATASETS_LIMIT} experiments.", field="experiment_ids"
        )
    inputs = DatasetInput.objects.filter(
        run__experiment__in=access.readable(actor, ids), run__lifecycle_stage=LifecycleStage.ACTIVE
    )
    columns = ("dataset__experiment", "dataset__name", "dataset__digest", "context")
    return [DatasetSummary(*row) for row in inputs.order_by(*columns).values_list(*columns).distinct()[:1000]]


# -- runs --------------------------------------------------------------------------------------------------------------
def get_run(actor: Actor, run_id: str) -> Run:
    """The run, deleted or not. Raises NotFound."""
    run = _RUN_BY_ID.first(actor, Level.CAN_READ, hidden=run_not_found(run_id), run_id=run_id)
    attach_everything(actor, [run])
    return run


def runs_by_ids(actor: Actor, run_ids: Sequence[str], *, with_models: bool = True) -> list[Run]:
    """The runs that there are of these, in this order; `run_models` only if asked for."""
    by_id = _runs_by_id(actor, frozenset(run_ids), with_models)
    return [by_id[run_id] for run_id in run_ids if run_id in by_id]


@once
def _runs_by_id(actor: Actor, run_ids: frozenset[str], with_models: bool) -> dict[str, Run]:
    if not run_ids:
        return {}
    visible = Run.objects.filter(access.visible(actor, "experiment_id"), run_id__in=run_ids)
    found = list(visible.select_related("experiment"))
    attach_everything(actor, found, with_models=with_models)
    return {run.run_id: run for run in found}


def search_runs(
    actor: Actor,
    *,
    experiment_ids: Sequence[str | int],
    filter: str | None = None,
    view_type: ViewType = ViewType.ACTIVE_ONLY,
    order_by: Sequence[str] = (),
    max_results: int = 1000,
    page_token: str | None = None,
) -> Page[RunRow]:
    """Runs of these experiments that meet the filter, newest first unless ordered otherwise. No experiments, no
    runs."""
    ids = rules.parse_experiment_ids(experiment_ids)
    readable = access.readable(actor, ids)
    single = len(readable) == 1
    page = _RUNS.page(
        parse_filter(filter),
        parse_order_by(order_by),
        scope=_Scope(single, view_type),
        given={"experiment": readable[0]} if single else {"experiments": readable},
        max_results=max_results,
        page_token=page_token,
        query=["runs", actor.user_id, ids, filter, list(order_by), view_type],
        most=RUNS_PER_PAGE_AT_MOST,
    )
    attach_everything(actor, page.rows)
    return page


def distinct_keys(actor: Actor, experiment_id: str | int) -> Keys:
    """The keys of metrics and params that the newest 250 runs have, at most 200 of each: to choose columns from."""
    newest = Run.objects.filter(
        access.visible(actor, "experiment_id"),
        experiment=rules.parse_experiment_id(experiment_id),
        lifecycle_stage=LifecycleStage.ACTIVE,
    )
    runs = newest.order_by("-start_time", "run_id").values("pk")[:_RUNS_ASKED_FOR_KEYS]
    return Keys(
        *(
            list(rows.filter(run__in=runs).order_by("key").values_list("key", flat=True).distinct()[:COLUMN_KEYS_LIMIT])
            for rows in (LatestMetric.objects.all(), Param.objects.all())
        )
    )


def _run(*values: Any) -> Run:
    """A run with its experiment, out of the columns of both."""
    width = len(columns_of(Run))
    run = instance_of(Run)(*values[:width])
    run.experiment = instance_of(Experiment)(*values[width:])
    return run


class _Scope(NamedTuple):
    """Which runs a search is about, before its filter."""

    single: bool
    view_type: ViewType

    @property
    def wanted(self) -> Q:
        """Runs of the experiments, at this stage of their life."""
        # A single experiment is compared by =, which lets the database read its runs in their order.
        experiments = Q(experiment=Given("experiment", BigIntegerField())) if self.single else _OF_EXPERIMENTS
        stages = _LIFECYCLES[self.view_type]
        return experiments & (Q(lifecycle_stage=stages[0]) if len(stages) == 1 else Q())


_OF_EXPERIMENTS = Q(Among("experiment_id", "experiments"))
_RUNS = PreparedSearch(
    RUNS,
    lambda scope: Run.objects.filter(scope.wanted),
    columns=RUN_COLUMNS,
    make=RunRow,
    tie_break=["-start_time", "run_id"],
)
_RUN_BY_ID = LookUp(
    access.EXPERIMENTS,
    lambda: Run.objects.filter(run_id=Given("run_id", CharField())),
    (*columns_of(Run), *columns_of(Experiment, "experiment__")),
    _run,
    key="experiment_id",
)


def _prefetch(rows: Sequence[Model], *lookups: str) -> None:
    for start in range(0, len(rows), _PREFETCH_AT_ONCE):
        prefetch_related_objects(rows[start : start + _PREFETCH_AT_ONCE], *lookups)


# -- histories of metrics ----------------------------------------------------------------------------------------------
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
