"""The table of runs: its columns, its order, its rows, and what may be typed above it. Knows no database."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from registry_site.core.errors import InvalidParameter
from registry_site.search.words import split_search

PARENT_TAG = "mlflow.parentRunId"
NOTE_TAG = "mlflow.note.content"
OWN_TAGS = "mlflow."  # what MLflow notes for itself is shown as facts, and not among people's tags
DEFAULT_COLUMNS_OF_A_KIND = 3
MOST_COLUMNS = 40

_SORTABLE = ("run_name", "status", "start_time", "end_time", "user_id")
_FACETS = {"status": "attributes.status", "user": "attributes.user_id", "dataset": "datasets.name"}


@dataclass(frozen=True, slots=True)
class Column:
    """A metric or param as a column."""

    entity: str
    key: str

    @property
    def name(self) -> str:
        """What the address and the filter language call it."""
        return f"{self.entity}.{self.key}"

    @property
    def is_metric(self) -> bool:
        return self.entity == "metrics"


@dataclass(frozen=True, slots=True)
class Row:
    """A run as the table shows it. `cells` are numbers of metrics, texts of params, and None, column by column."""

    run: Any
    cells: Sequence[tuple[Column, float | str | None]]
    duration_ms: int | None
    parent_id: str = ""
    parent_name: str = ""
    tags: Sequence[Any] = ()
    versions: Sequence[Any] = field(default_factory=list)


def columns_of(metrics: Iterable[str], params: Iterable[str]) -> list[Column]:
    """Every column that there could be, metrics first."""
    return [Column("metrics", key) for key in metrics] + [Column("params", key) for key in params]


def chosen_columns(names: Sequence[str] | None, possible: Sequence[Column]) -> list[Column]:
    """The columns of these names, in the order of the table; without a choice, the first few of each kind."""
    if names is None:
        return [
            column
            for entity in ("metrics", "params")
            for column in [each for each in possible if each.entity == entity][:DEFAULT_COLUMNS_OF_A_KIND]
        ]
    known = {column.name: column for column in possible}
    wanted = [known.get(name) or _column(name) for name in dict.fromkeys(names)]
    return [column for column in wanted if column is not None][:MOST_COLUMNS]


def _column(name: str) -> Column | None:
    entity, _, key = name.partition(".")
    return Column(entity, key) if entity in ("metrics", "params") and key else None


def order_by(sort: str) -> list[str]:
    """The ordering of a column's link (`-start_time`, `metrics.auc`), for `search_runs`; none for an unknown one."""
    name = sort.removeprefix("-")
    direction = "DESC" if sort.startswith("-") else "ASC"
    column = _column(name)
    if column is not None:
        return [f"{column.entity}.`{column.key}` {direction}"]
    return [f"attributes.{name} {direction}"] if name in _SORTABLE else []


def filter_of(text: str) -> str:
    """What was typed, in MLflow's filter language: as it is, or words of the name and `status:failed`, `user:maria`,
    `dataset:train`, `tag.team:risk`.

    Raises InvalidParameter for what starts like a filter and is none, and for unknown terms.
    """
    search = split_search(text)
    clauses = [f"attributes.run_name ILIKE {_quoted(f'%{word}%')}" for word in search.words]
    for facet in search.facets:
        if facet.tag is not None:
            clauses.append(f"tags.`{facet.tag}` = {_quoted(facet.value)}")
        elif facet.key in _FACETS:
            value = facet.value.upper() if facet.key == "status" else facet.value
            clauses.append(f"{_FACETS[facet.key]} = {_quoted(value)}")
        else:
            raise InvalidParameter(
                f"Runs are not found by '{facet.key}:'. Try status:finished, user:maria, tag.team:risk, or a filter "
                "such as metrics.accuracy > 0.9.",
                field="filter",
            )
    return " AND ".join(clauses) if clauses else text


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def rows_of(runs: Sequence[Any], columns: Sequence[Column], versions: Iterable[Any]) -> list[Row]:
    """The runs, prefetched as `search_runs` gives them, with the model versions that were made of them."""
    by_run: Mapping[str, list[Any]] = defaultdict(list)
    for version in versions:
        by_run[version.run_id].append(version)
    names = {run.run_id: str(run) for run in runs}
    return [_row(run, columns, names, by_run.get(run.run_id, [])) for run in runs]


def _row(run: Any, columns: Sequence[Column], names: Mapping[str, str], versions: list[Any]) -> Row:
    metrics = {metric.key: metric.number for metric in run.latest_metrics.all()}
    params = {param.key: param.value for param in run.params.all()}
    tags = run.tags.all()
    parent = next((tag.value for tag in tags if tag.key == PARENT_TAG), "")
    return Row(
        run=run,
        cells=[(column, (metrics if column.is_metric else params).get(column.key)) for column in columns],
        duration_ms=duration_of(run),
        parent_id=parent,
        parent_name=names.get(parent, ""),
        tags=[tag for tag in tags if not tag.key.startswith(OWN_TAGS)],
        versions=versions,
    )


def duration_of(run: Any) -> int | None:
    """How long a run took, in milliseconds; None while it runs, and where its clock went backwards."""
    if run.end_time is None or not run.start_time or run.end_time < run.start_time:
        return None
    return int(run.end_time - run.start_time)
