"""Messages about logged models."""

from registry_site.mlflow_api.structs.base import Arguments, Int64, Message, Tag, TagArgument
from registry_site.mlflow_api.structs.runs import Metric


class LoggedModelInfo(Message):
    """What a logged model is; times are in milliseconds since the epoch."""

    model_id: str
    experiment_id: str
    name: str
    creation_timestamp_ms: int
    last_updated_timestamp_ms: int
    artifact_uri: str
    status: str
    model_type: str
    source_run_id: str = ""
    status_message: str = ""
    tags: list[Tag] = []


class LoggedModelData(Message):
    """What was measured and noted of a logged model."""

    params: list[Tag] = []
    metrics: list[Metric] = []


class LoggedModel(Message):
    """A logged model."""

    info: LoggedModelInfo
    data: LoggedModelData


class LoggedModelAnswer(Message):
    """One logged model."""

    model: LoggedModel


class LoggedModelsAnswer(Message):
    """A page of logged models."""

    models: list[LoggedModel] = []
    next_page_token: str = ""


class CreateLoggedModelArguments(Arguments):
    """A new logged model; of a tag or param that comes twice the last value counts."""

    experiment_id: str | int
    name: str = ""
    model_type: str = ""
    source_run_id: str = ""
    params: list[TagArgument] = []
    tags: list[TagArgument] = []


class GetLoggedModelArguments(Arguments):
    """Which logged model."""

    model_id: str
    allow_deleted: bool = False


class ModelIdArguments(Arguments):
    """Which logged model."""

    model_id: str


class FinalizeLoggedModelArguments(Arguments):
    """How the upload ended, by the name or the number of the status."""

    model_id: str
    status: str | int


class DatasetArgument(Arguments):
    """A dataset that metrics count on."""

    dataset_name: str
    dataset_digest: str = ""


class OrderByArgument(Arguments):
    """One item of an order."""

    field_name: str
    ascending: bool = True
    dataset_name: str = ""
    dataset_digest: str = ""


class SearchLoggedModelsArguments(Arguments):
    """Which logged models."""

    experiment_ids: list[str | int]
    filter: str = ""
    datasets: list[DatasetArgument] = []
    max_results: Int64 = 50
    order_by: list[OrderByArgument] = []
    page_token: str = ""


class SetLoggedModelTagsArguments(Arguments):
    """Tags of a logged model."""

    model_id: str
    tags: list[TagArgument] = []


class DeleteLoggedModelTagArguments(Arguments):
    """The key of a tag of a logged model."""

    model_id: str
    tag_key: str


class LogLoggedModelParamsArguments(Arguments):
    """Params of a logged model."""

    model_id: str
    params: list[TagArgument] = []


class LoggedModelFolderArguments(Arguments):
    """A folder among the artifacts of a logged model; none is their root."""

    model_id: str
    artifact_directory_path: str = ""
