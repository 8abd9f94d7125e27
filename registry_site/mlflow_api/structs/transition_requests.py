"""Messages about transition requests and comments, as Databricks' registry has them."""

from enum import StrEnum

from registry_site.mlflow_api.structs.activities import Activity
from registry_site.mlflow_api.structs.base import Arguments, Message
from registry_site.mlflow_api.structs.model_versions import ModelVersion, VersionArguments


class AvailableAction(StrEnum):
    """What the caller may do. Generated clients refuse every other word."""

    APPROVE_TRANSITION_REQUEST = "APPROVE_TRANSITION_REQUEST"
    REJECT_TRANSITION_REQUEST = "REJECT_TRANSITION_REQUEST"
    CANCEL_TRANSITION_REQUEST = "CANCEL_TRANSITION_REQUEST"
    EDIT_COMMENT = "EDIT_COMMENT"
    DELETE_COMMENT = "DELETE_COMMENT"


# -- requests ----------------------------------------------------------------------------------------------------------
class StageArguments(VersionArguments):
    """Which version, which stage, and why."""

    stage: str
    comment: str = ""


class ApproveArguments(StageArguments, kw_only=True):
    """An approval, and whether whoever stands in the stage is archived."""

    archive_existing_versions: bool


class DeleteRequestArguments(StageArguments, kw_only=True):
    """Whose request is taken back."""

    creator: str


class OpenRequest(Activity):
    """A request that nobody has decided yet, and what the caller may do with it."""

    available_actions: list[str] = []


class NewRequest(Message):
    """A request that was just made."""

    to_stage: str
    user_id: str
    creation_timestamp: int
    comment: str = ""
    available_actions: list[str] = []


class NewRequestAnswer(Message):
    """A request that was just made."""

    request: NewRequest


class OpenRequestsAnswer(Message):
    """All open requests of a version."""

    requests: list[OpenRequest] = []


class ActivityAnswer(Message):
    """What was done."""

    activity: Activity


# -- versions ----------------------------------------------------------------------------------------------------------
class DatabricksVersion(ModelVersion, kw_only=True):
    """A version with its open requests, and the caller's level on its model."""

    permission_level: str
    open_requests: list[OpenRequest] = []


class DatabricksVersionAnswer(Message):
    """One version, as Databricks has it."""

    model_version_databricks: DatabricksVersion


class DatabricksTransitionArguments(StageArguments, kw_only=True):
    """The stage to move to, and whether whoever stands there is archived."""

    archive_existing_versions: bool


# -- comments ----------------------------------------------------------------------------------------------------------
class CreateCommentArguments(VersionArguments):
    """What somebody has to say of a version."""

    comment: str


class UpdateCommentArguments(Arguments):
    """Another text for a comment."""

    id: str
    comment: str


class DeleteCommentArguments(Arguments):
    """Which comment."""

    id: str


class Comment(Message):
    """A comment, and what the caller may do with it; times are in milliseconds since the epoch."""

    id: str
    comment: str
    user_id: str
    creation_timestamp: int
    last_updated_timestamp: int
    available_actions: list[str] = []


class CommentAnswer(Message):
    """One comment."""

    comment: Comment
