"""What happened to model versions, in the words of Databricks' registry, which has no endpoint for it itself."""

from typing import TYPE_CHECKING

from registry_site.accounts.actors import Actor
from registry_site.audit.kinds import Kind
from registry_site.core.clock import to_ms
from registry_site.mlflow_api.endpoint import Endpoint
from registry_site.mlflow_api.shapes_registry import version_number
from registry_site.mlflow_api.structs import activities as structs
from registry_site.mlflow_api.structs.activities import ActivityType
from registry_site.registry.history import history_of

if TYPE_CHECKING:  # the rows come from queries; only their type is named here
    from registry_site.audit.models import Activity

TYPES: dict[str, ActivityType] = {
    Kind.REQUEST_CREATED: ActivityType.REQUESTED_TRANSITION,
    Kind.REQUEST_APPROVED: ActivityType.APPROVED_REQUEST,
    Kind.REQUEST_REJECTED: ActivityType.REJECTED_REQUEST,
    Kind.REQUEST_CANCELLED: ActivityType.CANCELLED_REQUEST,
    Kind.REQUEST_EXPIRED: ActivityType.CANCELLED_REQUEST,
    Kind.REQUEST_SUPERSEDED: ActivityType.CANCELLED_REQUEST,
    Kind.VERSION_STAGE_CHANGED: ActivityType.APPLIED_TRANSITION,
    Kind.COMMENT_CREATED: ActivityType.NEW_COMMENT,
}
_BY_ITSELF = (Kind.REQUEST_EXPIRED, Kind.REQUEST_SUPERSEDED)  # what they tell is no person's comment


class ListActivities(Endpoint[structs.ListActivitiesArguments]):
    """A page of what happened to a registered model or one of its versions, newest first. Requests for copies into
    other models, for which Databricks has no words, are left out."""

    path = "activities/list"
    methods = ("GET",)
    request_type = structs.ListActivitiesArguments

    def call(self, actor: Actor, request: structs.ListActivitiesArguments) -> structs.ActivitiesAnswer:
        page = history_of(
            actor,
            request.name,
            version=version_number(request.version) if request.version != "" else None,
            kinds=TYPES,
            max_results=request.max_results,
            page_token=request.page_token,
        )
        return structs.ActivitiesAnswer(
            activities=[activity_of(one) for one in page.rows if "copy_to_id" not in one.data],
            next_page_token=page.next_page_token,
        )


def activity_of(activity: "Activity", called: ActivityType | None = None) -> structs.Activity:
    """A line of history as Databricks has it, called so if it is not told by its kind."""
    data, at = activity.data, to_ms(activity.at)
    cause = str(data.get("cause", ""))
    by_itself = activity.kind in _BY_ITSELF
    return structs.Activity(
        id=str(activity.pk),
        activity_type=called or (ActivityType.SYSTEM_TRANSITION if cause else TYPES[activity.kind]),
        user_id=activity.actor_name,
        creation_timestamp=at,
        last_updated_timestamp=at,
        from_stage=data.get("from_stage", ""),
        to_stage=data.get("to_stage", ""),
        comment="" if by_itself else activity.comment,
        system_comment=activity.comment if by_itself else cause,
    )


ENDPOINTS = (ListActivities,)
