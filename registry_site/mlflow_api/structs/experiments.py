"""Messages about experiments."""

from registry_site.mlflow_api.structs.base import Arguments, Int64, Message, Tag, TagArgument


class Experiment(Message):
    """An experiment; times are in milliseconds since the epoch."""

    experiment_id: str
    name: str
    artifact_location: str
    lifecycle_stage: str
    creation_time: int
    last_update_time: int
    workspace: str
    tags: list[Tag] = []


class ExperimentAnswer(Message):
    """One experiment."""

    experiment: Experiment


class ExperimentIdAnswer(Message):
    """The id of a new experiment."""

    experiment_id: str


class ExperimentsAnswer(Message):
    """A page of experiments."""

    experiments: list[Experiment] = []
    next_page_token: str = ""


class DatasetSummary(Message):
    """A dataset of an experiment in one of the contexts it was used in."""

    experiment_id: str
    name: str
    digest: str
    context: str = ""


class DatasetSummariesAnswer(Message):
    """What runs of some experiments read."""

    dataset_summaries: list[DatasetSummary] = []


class CreateExperimentArguments(Arguments):
    """A new experiment; of a tag that comes twice the last value counts."""

    name: str
    artifact_location: str = ""
    tags: list[TagArgument] = []


class ExperimentIdArguments(Arguments):
    """Which experiment."""

    experiment_id: str | int


class ExperimentNameArguments(Arguments):
    """Which experiment, by name."""

    experiment_name: str


class UpdateExperimentArguments(Arguments):
    """Another name."""

    experiment_id: str | int
    new_name: str


class SearchExperimentsArguments(Arguments):
    """Which experiments; without max_results the search is refused, as by MLflow."""

    max_results: Int64 = 0
    filter: str = ""
    order_by: list[str] = []
    page_token: str = ""
    view_type: str | int = ""


class SetExperimentTagArguments(Arguments):
    """A tag of an experiment."""

    experiment_id: str | int
    key: str
    value: str = ""


class DeleteExperimentTagArguments(Arguments):
    """The key of a tag of an experiment."""

    experiment_id: str | int
    key: str


class SearchDatasetsArguments(Arguments):
    """Whose datasets."""

    experiment_ids: list[str | int]
