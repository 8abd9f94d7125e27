"""Messages about runs and what they log."""

from typing import Any

from registry_site.core.errors import InvalidParameter
from registry_site.mlflow_api.structs.base import Arguments, Double, Int64, Message, Tag, TagArgument


# -- answers -----------------------------------------------------------------------------------------------------------
class RunInfo(Message):
    """What a run is; times are in milliseconds since the epoch."""

    run_id: str
    run_uuid: str
    run_name: str
    experiment_id: str
    user_id: str
    status: str
    start_time: int
    artifact_uri: str
    lifecycle_stage: str
    end_time: int | None = None


class Metric(Message):
    """A point of a metric. The value is the text "NaN" when it is not a number."""

    key: str
    value: float | str
    timestamp: int
    step: int
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""
    run_id: str = ""


class RunData(Message):
    """What a run logged: of each metric the latest point. Rows with the fields of `Metric` and `Tag` may stand for
    them."""

    metrics: list[Any] = []
    params: list[Any] = []
    tags: list[Any] = []


class Dataset(Message):
    """A dataset."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str = ""
    profile: str = ""


class DatasetInput(Message):
    """A dataset that a run read."""

    dataset: Dataset
    tags: list[Tag] = []


class ModelInput(Message):
    """A logged model that a run read."""

    model_id: str


class ModelOutput(Message):
    """A logged model that a run made."""

    model_id: str
    step: int


class RunInputs(Message):
    """What a run read."""

    dataset_inputs: list[DatasetInput] = []
    model_inputs: list[ModelInput] = []


class RunOutputs(Message):
    """What a run made."""

    model_outputs: list[ModelOutput] = []


class Run(Message):
    """A run."""

    info: RunInfo
    data: RunData
    inputs: RunInputs
    outputs: RunOutputs | None = None


class RunAnswer(Message):
    """One run."""

    run: Run


class RunInfoAnswer(Message):
    """What a run is after a change."""

    run_info: RunInfo


class RunsAnswer(Message):
    """A page of runs."""

    runs: list[Run] = []
    next_page_token: str = ""


# -- arguments ---------------------------------------------------------------------------------------------------------
class RunArguments(Arguments):
    """Which run, by either of the names that its id has had."""

    run_id: str = ""
    run_uuid: str = ""

    @property
    def run(self) -> str:
        """The run's id. Raises InvalidParameter without one."""
        if not (self.run_id or self.run_uuid):
            raise InvalidParameter(
                "Missing value for required parameter 'run_id'. It must not be empty.", field="run_id"
            )
        return self.run_id or self.run_uuid


class CreateRunArguments(Arguments):
    """A new run; of a tag that comes twice the last value counts."""

    experiment_id: str | int = "0"
    user_id: str = ""
    run_name: str = ""
    start_time: Int64 = 0
    tags: list[TagArgument] = []


class UpdateRunArguments(RunArguments):
    """What shall change of a run. An unknown status changes nothing."""

    status: str | int = ""
    end_time: Int64 | None = None
    run_name: str = ""


class SearchRunsArguments(Arguments):
    """Which runs."""

    experiment_ids: list[str | int] = []
    filter: str = ""
    run_view_type: str | int = ""
    max_results: Int64 = 1000
    order_by: list[str] = []
    page_token: str = ""


class LogMetricArguments(RunArguments, kw_only=True):
    """One point of a metric."""

    key: str
    value: Double
    timestamp: Int64
    step: Int64 = 0
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class LogParamArguments(RunArguments, kw_only=True):
    """A param."""

    key: str
    value: str = ""


class SetRunTagArguments(RunArguments, kw_only=True):
    """A tag."""

    key: str
    value: str = ""


class DeleteRunTagArguments(RunArguments, kw_only=True):
    """The key of a tag."""

    key: str


class MetricArgument(Arguments):
    """One point of a metric in a batch."""

    key: str
    value: Double
    timestamp: Int64
    step: Int64 = 0
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class LogBatchArguments(RunArguments):
    """Metrics, params and tags."""

    metrics: list[MetricArgument] = []
    params: list[TagArgument] = []
    tags: list[TagArgument] = []


class DatasetArgument(Arguments):
    """A dataset that a run read."""

    name: str = ""
    digest: str = ""
    source_type: str = ""
    source: str = ""
    schema: str = ""
    profile: str = ""


class DatasetInputArgument(Arguments):
    """A dataset that a run read, and tags of that use."""

    dataset: DatasetArgument
    tags: list[TagArgument] = []


class ModelInputArgument(Arguments):
    """A logged model that a run read."""

    model_id: str


class ModelOutputArgument(Arguments):
    """A logged model that a run made."""

    model_id: str
    step: Int64 = 0


class LogInputsArguments(RunArguments):
    """What a run read."""

    datasets: list[DatasetInputArgument] = []
    models: list[ModelInputArgument] = []


class LogOutputsArguments(RunArguments, kw_only=True):
    """What a run made."""

    models: list[ModelOutputArgument]


class LogModelArguments(RunArguments, kw_only=True):
    """What MLflow 2 clients say of a model that they logged, as JSON."""

    model_json: str
