"""Messages about what happened to a model version, as Databricks' registry has them."""

from enum import StrEnum

from registry_site.mlflow_api.structs.base import Arguments, Int64, Message


class ActivityType(StrEnum):
    """What happened. Generated clients refuse every other word."""

    REQUESTED_TRANSITION = "REQUESTED_TRANSITION"
    APPROVED_REQUEST = "APPROVED_REQUEST"
    REJECTED_REQUEST = "REJECTED_REQUEST"
    CANCELLED_REQUEST = "CANCELLED_REQUEST"
    APPLIED_TRANSITION = "APPLIED_TRANSITION"
    SYSTEM_TRANSITION = "SYSTEM_TRANSITION"
    NEW_COMMENT = "NEW_COMMENT"


class Activity(Message):
    """One thing that happened; times are in milliseconds since the epoch.

    `comment` is what a person wrote, `system_comment` says of what it is a side effect.
    """

    id: str
    activity_type: str
    user_id: str
    creation_timestamp: int
    last_updated_timestamp: int
    from_stage: str = ""
    to_stage: str = ""
    comment: str = ""
    system_comment: str = ""


class ListActivitiesArguments(Arguments):
    """Of which registered model, and of which of its versions; of all when none is named. At most 500 a page."""

    name: str
    version: str | int = ""
    max_results: Int64 = 100
    page_token: str = ""


class ActivitiesAnswer(Message):
    """A page of what happened, newest first."""

    activities: list[Activity] = []
    next_page_token: str = ""
