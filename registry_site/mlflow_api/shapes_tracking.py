"""Experiments, runs and logged models as MLflow's clients see them. Pure: rows in, messages out, and words in."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from registry_site.mlflow_api.structs import artifacts, experiments, logged_models, runs
from registry_site.mlflow_api.structs.base import Tag, TagArgument, number
from registry_site.tracking.rules import ViewType

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.tracking import models
    from registry_site.tracking.artifact_files import ArtifactFile
    from registry_site.tracking.histories import HistoryPoint, HistoryPointOfRun
    from registry_site.tracking.rows import MetricRow, RunRow

WORKSPACE = "default"  # there is one, and clients ask for its name

_VIEW_TYPES: Mapping[str, ViewType] = {str(place): view for place, view in enumerate(ViewType, 1)} | {
    view.value: view for view in ViewType
}
_RUN_STATUSES = ("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED")
_LOGGED_MODEL_STATUSES = (
    "LOGGED_MODEL_STATUS_UNSPECIFIED",
    "LOGGED_MODEL_PENDING",
    "LOGGED_MODEL_READY",
    "LOGGED_MODEL_UPLOAD_FAILED",
)


class KeyAndValue(Protocol):
    """A row that is a tag or param."""

    @property
    def key(self) -> str: ...
    @property
    def value(self) -> str: ...


# -- words of the protocol ---------------------------------------------------------------------------------------------
def view_type(word: str | int) -> ViewType:
    """What a name or number means; ACTIVE_ONLY for all others."""
    return _VIEW_TYPES.get(str(word), ViewType.ACTIVE_ONLY)


def run_status(word: str | int) -> str | None:
    """The name for a name or number; None for all others, which clients expect to change nothing."""
    numbered = {str(place): name for place, name in enumerate(_RUN_STATUSES, 1)}
    name = numbered.get(str(word), str(word))
    return name if name in _RUN_STATUSES else None


def logged_model_status(word: str | int) -> str:
    """The name for a number; all else as it is."""
    numbered = {str(place): name for place, name in enumerate(_LOGGED_MODEL_STATUSES)}
    return numbered.get(str(word), str(word))


def by_key(arguments: Iterable[TagArgument]) -> dict[str, str]:
    """Tags or params that were sent; the last value of a key counts."""
    return {one.key: one.value for one in arguments}


# -- experiments -------------------------------------------------------------------------------------------------------
def experiment(row: "models.Experiment") -> experiments.Experiment:
    """An experiment whose tags were fetched."""
    return experiments.Experiment(
        experiment_id=str(row.pk),
        name=row.name,
        artifact_location=row.artifact_location,
        lifecycle_stage=row.lifecycle_stage,
        creation_time=row.creation_time,
        last_update_time=row.last_update_time,
        workspace=WORKSPACE,
        tags=_tags(row.tags.all()),
    )


# -- runs --------------------------------------------------------------------------------------------------------------
def run_info(row: "models.Run | RunRow") -> runs.RunInfo:
    """What a run is."""
    return runs.RunInfo(
        run_id=row.run_id,
        run_uuid=row.run_id,
        run_name=row.run_name,
        experiment_id=str(row.experiment_id),
        user_id=row.user_id,
        status=row.status,
        start_time=row.start_time,
        artifact_uri=row.artifact_uri,
        lifecycle_stage=row.lifecycle_stage,
        end_time=row.end_time,
    )


def new_run(row: "models.Run") -> runs.Run:
    """A run that was just made and has nothing but tags yet."""
    return runs.Run(info=run_info(row), data=runs.RunData(tags=_tags(row.tags.all())), inputs=runs.RunInputs())


def run(row: "models.Run | RunRow") -> runs.Run:
    """A run with all that `tracking.queries` fetches of it."""
    links = list(row.run_models.all())
    return runs.Run(
        info=run_info(row),
        data=runs.RunData(
            metrics=points(row.latest_metrics.all()),
            params=list(row.params.all()),
            tags=list(row.tags.all()),
        ),
        inputs=runs.RunInputs(
            dataset_inputs=[_dataset_input(one) for one in row.dataset_inputs.all()],
            model_inputs=[runs.ModelInput(model_id=one.logged_model.model_id) for one in links if not one.is_output],
        ),
        outputs=runs.RunOutputs(
            model_outputs=[
                runs.ModelOutput(model_id=one.logged_model.model_id, step=one.step) for one in links if one.is_output
            ]
        ),
    )


def point(row: "HistoryPoint | MetricRow") -> runs.Metric:
    """A point of a run's metric."""
    value = "NaN" if row.is_nan else row.value
    return runs.Metric(key=row.key, value=value, timestamp=row.timestamp, step=row.step)


def points(rows: "Iterable[HistoryPoint | MetricRow]") -> list[Any]:
    """Points of a run's metrics. A row that is a number is sent as it was read, since its fields are those of the
    message: ten thousand copies would cost more than to read them did."""
    return [point(row) if row.is_nan else row for row in rows]


def points_of_runs(rows: Sequence["HistoryPointOfRun"]) -> list[runs.Metric]:
    """Points of a metric in several runs."""
    return [
        runs.Metric(
            key=row.key,
            value="NaN" if row.is_nan else row.value,
            timestamp=row.timestamp,
            step=row.step,
            run_id=row.run__run_id,
        )
        for row in rows
    ]


def _dataset_input(row: "models.DatasetInput") -> runs.DatasetInput:
    dataset = row.dataset
    return runs.DatasetInput(
        dataset=runs.Dataset(
            name=dataset.name,
            digest=dataset.digest,
            source_type=dataset.source_type,
            source=dataset.source,
            schema=dataset.schema,
            profile=dataset.profile,
        ),
        tags=[Tag(key=key, value=value) for key, value in row.tags.items()],
    )


# -- logged models -----------------------------------------------------------------------------------------------------
def logged_model(row: "models.LoggedModel") -> logged_models.LoggedModel:
    """A logged model with all that `tracking.logged_models` fetches of it."""
    return logged_models.LoggedModel(
        info=logged_models.LoggedModelInfo(
            model_id=row.model_id,
            experiment_id=str(row.experiment_id),
            name=row.name,
            creation_timestamp_ms=row.creation_timestamp,
            last_updated_timestamp_ms=row.last_updated_timestamp,
            artifact_uri=row.artifact_uri,
            status=row.status,
            model_type=row.model_type,
            source_run_id=row.source_run.run_id if row.source_run else "",
            status_message=row.status_message,
            tags=_tags(row.tags.all()),
        ),
        data=logged_models.LoggedModelData(
            params=_tags(row.params.all()),
            metrics=[_metric_of_model(row.model_id, one) for one in row.metrics.all()],
        ),
    )


def _metric_of_model(model_id: str, row: "models.LoggedModelMetric") -> runs.Metric:
    return runs.Metric(
        key=row.key,
        value=number(row.number),
        timestamp=row.timestamp,
        step=row.step,
        model_id=model_id,
        dataset_name=row.dataset_name,
        dataset_digest=row.dataset_digest,
        run_id=row.run.run_id,
    )


# -- artifacts ---------------------------------------------------------------------------------------------------------
def files(rows: Iterable["ArtifactFile"]) -> list[artifacts.FileInfo]:
    """Entries of a listing, by paths below the root."""
    return [artifacts.FileInfo(path=row.path, is_dir=row.is_dir, file_size=row.size) for row in rows]


def _tags(rows: Iterable[KeyAndValue]) -> list[Tag]:
    return [Tag(key=row.key, value=row.value) for row in rows]
