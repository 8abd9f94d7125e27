"""Messages about model versions."""

from registry_site.mlflow_api.structs.base import Arguments, Int64, Message, Tag, TagArgument


class ModelVersion(Message):
    """A version; `version` is its number as text, times are in milliseconds since the epoch."""

    name: str
    version: str
    creation_timestamp: int
    last_updated_timestamp: int
    current_stage: str
    source: str
    status: str
    run_id: str
    run_link: str
    description: str = ""
    user_id: str = ""
    model_id: str = ""
    tags: list[Tag] = []
    aliases: list[str] = []


class ModelVersionAnswer(Message):
    """One version."""

    model_version: ModelVersion


class ModelVersionsAnswer(Message):
    """Some versions, or a page of them."""

    model_versions: list[ModelVersion] = []
    next_page_token: str = ""


class DownloadUriAnswer(Message):
    """Where the files of a version really lie."""

    artifact_uri: str


class VersionArguments(Arguments):
    """Which version of which registered model. The number may come as text, as in MLflow, or as a number."""

    name: str
    version: str | int


class CreateModelVersionArguments(Arguments):
    """A new version, and what it was made of."""

    name: str
    source: str
    run_id: str = ""
    model_id: str = ""
    run_link: str = ""
    description: str = ""
    tags: list[TagArgument] = []


class UpdateModelVersionArguments(VersionArguments):
    """A description; none clears it."""

    description: str = ""


class TransitionStageArguments(VersionArguments):
    """The stage to move to, and whether whoever stands there is archived."""

    stage: str
    archive_existing_versions: bool = False
    comment: str = ""


class SearchModelVersionsArguments(Arguments):
    """A filter, an order, and which page. Without a size, a page is as long as it may be."""

    filter: str = ""
    order_by: list[str] = []
    max_results: Int64 = 200_000
    page_token: str = ""


class SetVersionTagArguments(VersionArguments):
    """A tag of a version."""

    key: str
    value: str = ""


class DeleteVersionTagArguments(VersionArguments):
    """Which tag of a version."""

    key: str


class VersionArtifactArguments(VersionArguments):
    """Which file of a version."""

    path: str
