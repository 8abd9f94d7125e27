"""Asking for a stage, deciding and moving, in the words of Databricks' registry."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from registry_site.accounts.actors import Actor
from registry_site.audit.kinds import Kind
from registry_site.core.clock import to_ms
from registry_site.mlflow_api import activities
from registry_site.mlflow_api import shapes_registry as shapes
from registry_site.mlflow_api.endpoint import Endpoint
from registry_site.mlflow_api.structs import transition_requests as structs
from registry_site.mlflow_api.structs.activities import ActivityType
from registry_site.mlflow_api.structs.model_versions import VersionArguments
from registry_site.mlflow_api.structs.transition_requests import AvailableAction
from registry_site.promotion import deciding, queries, services, standing
from registry_site.promotion.rules import Action
from registry_site.registry.access import level_of
from registry_site.registry.history import history_of
from registry_site.registry.queries import get_version
from registry_site.registry.stages import parse_stage

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from collections.abc import Iterable

    from registry_site.promotion.models import TransitionRequest

_ACTIONS: Mapping[Action, AvailableAction] = {
    Action.APPROVE: AvailableAction.APPROVE_TRANSITION_REQUEST,
    Action.REJECT: AvailableAction.REJECT_TRANSITION_REQUEST,
    Action.CANCEL: AvailableAction.CANCEL_TRANSITION_REQUEST,
}


class CreateTransitionRequest(Endpoint[structs.StageArguments]):
    """Asks that a version move to a stage."""

    path = "transition-requests/create"
    methods = ("POST",)
    request_type = structs.StageArguments

    def call(self, actor: Actor, request: structs.StageArguments) -> structs.NewRequestAnswer:
        made = services.request_transition(
            actor,
            name=request.name,
            version=shapes.version_number(request.version),
            to_stage=parse_stage(request.stage),
            comment=request.comment,
        )
        return structs.NewRequestAnswer(
            request=structs.NewRequest(
                to_stage=made.to_stage,
                user_id=made.requester_name,
                creation_timestamp=to_ms(made.created_at),
                comment=made.comment,
                available_actions=_words(standing.actions_of(actor, [made])[made.pk]),
            )
        )


class ListTransitionRequests(Endpoint[VersionArguments]):
    """The open requests of a version, oldest first."""

    path = "transition-requests/list"
    methods = ("GET",)
    request_type = VersionArguments

    def call(self, actor: Actor, request: VersionArguments) -> structs.OpenRequestsAnswer:
        number = shapes.version_number(request.version)
        return structs.OpenRequestsAnswer(requests=_open_requests(actor, request.name, number))


class ApproveTransitionRequest(Endpoint[structs.ApproveArguments]):
    """Approves the open request for a stage, whoever made it; with the last one that it takes, the version moves."""

    path = "transition-requests/approve"
    methods = ("POST",)
    request_type = structs.ApproveArguments

    def call(self, actor: Actor, request: structs.ApproveArguments) -> structs.ActivityAnswer:
        number = _number_of(actor, request)
        deciding.approve(
            actor,
            name=request.name,
            number=number,
            comment=request.comment,
            archive_existing=request.archive_existing_versions,
        )
        return _what_was_done(actor, request, number, Kind.REVIEW_GIVEN, ActivityType.APPROVED_REQUEST)


class RejectTransitionRequest(Endpoint[structs.StageArguments]):
    """Ends the open request for a stage with a no."""

    path = "transition-requests/reject"
    methods = ("POST",)
    request_type = structs.StageArguments

    def call(self, actor: Actor, request: structs.StageArguments) -> structs.ActivityAnswer:
        number = _number_of(actor, request)
        deciding.reject(actor, name=request.name, number=number, comment=request.comment)
        return _what_was_done(actor, request, number, Kind.REVIEW_GIVEN, ActivityType.REJECTED_REQUEST)


class DeleteTransitionRequest(Endpoint[structs.DeleteRequestArguments]):
    """Takes back the open request of one person for a stage."""

    path = "transition-requests/delete"
    methods = ("DELETE",)
    request_type = structs.DeleteRequestArguments

    def call(self, actor: Actor, request: structs.DeleteRequestArguments) -> structs.ActivityAnswer:
        number = _number_of(actor, request, by=request.creator)
        deciding.cancel(actor, name=request.name, number=number, comment=request.comment)
        return _what_was_done(actor, request, number, Kind.REQUEST_CANCELLED, ActivityType.CANCELLED_REQUEST)


class DatabricksTransitionStage(Endpoint[structs.DatabricksTransitionArguments]):
    """Moves a version into a stage at once, and tells what Databricks tells of it."""

    path = "databricks/model-versions/transition-stage"
    methods = ("POST",)
    request_type = structs.DatabricksTransitionArguments

    def call(self, actor: Actor, request: structs.DatabricksTransitionArguments) -> structs.DatabricksVersionAnswer:
        number = shapes.version_number(request.version)
        services.transition(
            actor,
            name=request.name,
            version=number,
            to_stage=parse_stage(request.stage),
            archive_existing=request.archive_existing_versions,
            comment=request.comment,
        )
        found = get_version(actor, request.name, number)
        plain = shapes.full_version(found)
        return structs.DatabricksVersionAnswer(
            model_version_databricks=structs.DatabricksVersion(
                **{field: getattr(plain, field) for field in plain.__struct_fields__},
                permission_level=level_of(actor, found.registered_model).name,
                open_requests=_open_requests(actor, request.name, number),
            )
        )


def _number_of(actor: Actor, request: structs.StageArguments, *, by: str = "") -> int:
    """The number of the open request that the arguments mean. Raises NotFound."""
    version = shapes.version_number(request.version)
    return queries.open_request(actor, request.name, version, parse_stage(request.stage), by=by).number


def _open_requests(actor: Actor, name: str, version: int) -> list[structs.OpenRequest]:
    found = queries.open_requests(actor, name, version)
    may = standing.actions_of(actor, found)
    return [_open_request(one, may[one.pk]) for one in found]


def _open_request(request: "TransitionRequest", may: "Iterable[Action]") -> structs.OpenRequest:
    at = to_ms(request.created_at)
    return structs.OpenRequest(
        id=str(request.pk),
        activity_type=ActivityType.REQUESTED_TRANSITION,
        user_id=request.requester_name,
        creation_timestamp=at,
        last_updated_timestamp=at,
        from_stage=request.from_stage,
        to_stage=request.to_stage,
        comment=request.comment,
        available_actions=_words(may),
    )


def _words(may: "Iterable[Action]") -> list[str]:
    return [_ACTIONS[action].value for action in may]


def _what_was_done(
    actor: Actor, request: structs.StageArguments, number: int, kind: Kind, called: ActivityType
) -> structs.ActivityAnswer:
    """The last line of a request's history of that kind."""
    (line,) = history_of(actor, request.name, request_number=number, kinds=[kind], max_results=1).rows
    asked = queries.get_request(actor, request.name, number)
    activity = activities.activity_of(line, called)
    activity.from_stage, activity.to_stage = asked.from_stage, asked.to_stage
    return structs.ActivityAnswer(activity=activity)


ENDPOINTS = (
    CreateTransitionRequest,
    ListTransitionRequests,
    ApproveTransitionRequest,
    RejectTransitionRequest,
    DeleteTransitionRequest,
    DatabricksTransitionStage,
)
