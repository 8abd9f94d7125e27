"""Reading experiments and runs, in a bounded number of queries whatever the number of rows.

Rows come with all that is shown of them: an experiment with `tags`; a run with `latest_metrics`, `params`, `tags`,
`dataset_inputs` (their datasets too) and `run_models` (their logged models too), all prefetched.

What is in an experiment that the actor may not read is not there, for any of these functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import (
    BigIntegerField,
    CharField,
    Count,
    Max,
    Model,
    Q,
    prefetch_related_objects,
)

from registry_site.accounts.access import LookUp
from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.core.errors import InvalidParameter, NotFound
from registry_site.core.once import once
from registry_site.core.pages import Page
from registry_site.core.prepared import Among, Given, columns_of, instance_of
from registry_site.search.compile import compile_filter, compile_order, compile_words
from registry_site.search.paging import read_page
from registry_site.search.parser import parse_filter, parse_order_by
from registry_site.search.prepared import PreparedSearch
from registry_site.search.words import split_search
from registry_site.tracking import access, rules
from registry_site.tracking.fields import EXPERIMENTS, RUNS
from registry_site.tracking.locking import experiment_not_found, run_not_found
from registry_site.tracking.models import (
    DatasetInput,
    Experiment,
    LatestMetric,
    LifecycleStage,
    Param,
    Run,
)
from registry_site.tracking.rows import RUN_COLUMNS, RunRow, attach_everything
from registry_site.tracking.rules import ViewType

EXPERIMENTS_PER_PAGE_AT_MOST = 50_000
RUNS_PER_PAGE_AT_MOST = 50_000
SEARCH_DATASETS_LIMIT = 20
COLUMN_KEYS_LIMIT = 200

_PREFETCH_AT_ONCE = 1000  # SQLite takes a limited number of values in one statement
_RUNS_ASKED_FOR_KEYS = 250
_LIFECYCLES = {
    ViewType.ACTIVE_ONLY: [LifecycleStage.ACTIVE],
    ViewType.DELETED_ONLY: [LifecycleStage.DELETED],
    ViewType.ALL: list(LifecycleStage),
}


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
