"""What hangs on runs, read for many of them at once: mostly rows without models behind them."""

from collections.abc import Sequence
from typing import Any

import msgspec
from django.db.models import BigIntegerField, BooleanField, FloatField, QuerySet, TextField, Value

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.core.prepared import Among, Given, Prepared, Rows, attach, columns_of, instance_of
from registry_site.tracking import access
from registry_site.tracking.models import (
    Dataset,
    DatasetInput,
    Experiment,
    LatestMetric,
    LoggedModel,
    Param,
    Run,
    RunModel,
    RunTag,
)


class KeyAndValue(msgspec.Struct, frozen=True):
    """A tag or param, as it is read, and as the protocol writes it."""

    key: str
    value: str


class MetricRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """A metric, as it is read. The value is 0 where `is_nan`; elsewhere it is as the protocol writes it."""

    key: str
    value: float
    timestamp: int
    step: int
    is_nan: bool = False

    @property
    def number(self) -> float:
        """The value as it was measured."""
        return float("nan") if self.is_nan else self.value


class RunRow(msgspec.Struct):
    """A run, as it is read; the first fields are `RUN_COLUMNS`."""

    pk: int
    run_id: str
    experiment_id: int
    run_name: str
    user_id: str
    status: str
    start_time: int
    end_time: int | None
    artifact_uri: str
    lifecycle_stage: str
    experiment: Any = None
    latest_metrics: Rows[MetricRow] = msgspec.field(default_factory=Rows)
    params: Rows[KeyAndValue] = msgspec.field(default_factory=Rows)
    tags: Rows[KeyAndValue] = msgspec.field(default_factory=Rows)
    dataset_inputs: Rows[DatasetInput] = msgspec.field(default_factory=Rows)
    run_models: Rows[RunModel] = msgspec.field(default_factory=Rows)

    def __str__(self) -> str:
        return self.run_name or self.run_id


RUN_COLUMNS = RunRow.__struct_fields__[:10]


def attach_everything(actor: Actor, runs: Sequence[Any], *, with_models: bool = True) -> None:
    """Fetch `experiment`, `latest_metrics`, `params`, `tags`, `dataset_inputs` (with datasets) and `run_models` (with
    logged models, those that the actor may read) of each run, in four queries; in one less where the experiments were
    fetched with the runs, and in one less without models."""
    if not runs:
        return
    by_key = {run.pk: run for run in runs}
    without = [run for run in runs if not (isinstance(run, Run) and Run.experiment.is_cached(run))]
    if without:
        experiments = {one.pk: one for one in _EXPERIMENTS.read(keys={run.experiment_id for run in without})}
        for run in without:
            run.experiment = experiments[run.experiment_id]
    logged: dict[str, list[tuple[int, Any]]] = {"metric": [], "param": [], "tag": []}
    for kind, run_key, row in _LOGGED.read(keys=by_key):
        logged[kind].append((run_key, row))
    attach(by_key, "latest_metrics", logged["metric"])
    attach(by_key, "params", logged["param"])
    attach(by_key, "tags", logged["tag"])
    attach(by_key, "dataset_inputs", _DATASET_INPUTS.read(keys=by_key))
    if not with_models:
        return
    if access.reads_everything(actor):
        models = _RUN_MODELS.read(keys=by_key)
    else:
        models = _RUN_MODELS_GRANTED.read(keys=by_key, user=actor.user_id)
    attach(by_key, "run_models", models)


def _logged(kind: str, run: int, text: str | None, key: str, *number: Any) -> tuple[str, int, MetricRow | KeyAndValue]:
    return kind, run, MetricRow(key, *number) if text is None else KeyAndValue(key, text)


def _pairs(kind: str, rows: "QuerySet[Any]") -> "QuerySet[Any, Any]":
    """Rows of a key and a text in the columns of those that have a number."""
    nothing = [Value(None, field) for field in (FloatField(), BigIntegerField(), BigIntegerField(), BooleanField())]
    return rows.filter(Among("run_id")).values_list(Value(kind), "run_id", "value", "key", *nothing)


def _dataset_input(*values: Any) -> tuple[int, DatasetInput]:
    width = len(columns_of(DatasetInput))
    row = instance_of(DatasetInput)(*values[:width])
    row.dataset = instance_of(Dataset)(*values[width:])
    return row.run_id, row


def _run_model(*values: Any) -> tuple[int, RunModel]:
    width = len(columns_of(RunModel))
    row = instance_of(RunModel)(*values[:width])
    row.logged_model = instance_of(LoggedModel)(*values[width:])
    return row.run_id, row


_EXPERIMENTS = Prepared(
    lambda: Experiment.objects.filter(Among("pk")).values_list(*columns_of(Experiment)), instance_of(Experiment)
)
_LOGGED = Prepared(
    lambda: (
        LatestMetric.objects.filter(Among("run_id"))
        .values_list(Value("metric"), "run_id", Value(None, TextField()), *MetricRow.__struct_fields__)
        .union(_pairs("param", Param.objects.all()), _pairs("tag", RunTag.objects.all()), all=True)
    ),
    _logged,
)
_DATASET_INPUTS = Prepared(
    lambda: (
        DatasetInput.objects.filter(Among("run_id"))
        .order_by("pk")
        .values_list(*columns_of(DatasetInput), *columns_of(Dataset, "dataset__"))
    ),
    _dataset_input,
)
_RUN_MODEL_COLUMNS = (*columns_of(RunModel), *columns_of(LoggedModel, "logged_model__"))
_RUN_MODELS = Prepared(
    lambda: RunModel.objects.filter(Among("run_id")).order_by("pk").values_list(*_RUN_MODEL_COLUMNS),
    _run_model,
)
_RUN_MODELS_GRANTED = Prepared(
    lambda: (
        RunModel.objects.filter(
            access.EXPERIMENTS.granted(Given("user", BigIntegerField()), Level.CAN_READ, "logged_model__experiment_id"),
            Among("run_id"),
        )
        .order_by("pk")
        .values_list(*_RUN_MODEL_COLUMNS)
    ),
    _run_model,
)
