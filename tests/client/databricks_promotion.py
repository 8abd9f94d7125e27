"""A whole promotion by Databricks' SDK against a running server, as Rosa, who trains, and Hugo, who reviews.

Run by `test_databricks_sdk` in the client's own environment; prints a line for each step that went well.
"""

import json
import os
from urllib.request import Request, urlopen

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
    ResourceAlreadyExists,
    ResourceConflict,
)
from databricks.sdk.service.ml import (
    ActivityAction,
    ActivityType,
    CommentActivityAction,
    PermissionLevel,
    RegisteredModelAccessControlRequest,
    RegisteredModelPermissionLevel,
)

NAME = "iris-sdk"


def client(name: str):
    """The registry in the hands of that person."""
    host, token = os.environ["HOST"], os.environ[f"TOKEN_OF_{name}"]
    return WorkspaceClient(host=host, token=token, auth_type="pat").model_registry


def refused(error: type[Exception], call: object, *arguments: object, **options: object) -> str:
    """What the client is told."""
    try:
        call(*arguments, **options)  # type: ignore[operator]
    except error as told:
        return str(told)
    raise AssertionError(f"{call} was not refused")


def stage(version: str) -> str:
    return client("ROSA").get_model_version(NAME, version).model_version.current_stage


def in_the_policy(**policy: object) -> None:
    """What Podium has and the SDK has no word for: the policy of Production for this model."""
    request = Request(
        f"{os.environ['HOST']}/api/v1/models/{NAME}/policies/Production",
        json.dumps(policy).encode(),
        {"Authorization": f"Bearer {os.environ['TOKEN_OF_ROSA']}", "Content-Type": "application/json"},
        method="PUT",
    )
    with urlopen(request) as answer:
        assert answer.status == 200


def make_versions() -> None:
    rosa = client("ROSA")
    rosa.create_model(NAME)
    for _ in range(3):
        rosa.create_model_version(NAME, "s3://bucket/iris")
    model = rosa.get_model(NAME).registered_model_databricks
    rosa.update_permissions(
        model.id,
        access_control_list=[
            RegisteredModelAccessControlRequest(
                user_name="hugo", permission_level=RegisteredModelPermissionLevel.CAN_MANAGE_PRODUCTION_VERSIONS
            )
        ],
    )


def permissions() -> None:
    rosa, emil = client("ROSA"), client("EMIL")
    model = rosa.get_model(NAME).registered_model_databricks
    assert model.permission_level is PermissionLevel.CAN_MANAGE
    levels = [each.permission_level.value for each in rosa.get_permission_levels(model.id).permission_levels]
    assert levels[0] == "CAN_READ"
    assert levels[-1] == "CAN_MANAGE"
    held = {
        entry.user_name: entry.all_permissions[0].permission_level.value
        for entry in rosa.get_permissions(model.id).access_control_list
        if entry.user_name in ("rosa", "hugo", "emil")
    }
    assert held == {"rosa": "CAN_MANAGE", "hugo": "CAN_MANAGE_PRODUCTION_VERSIONS"}
    level = RegisteredModelPermissionLevel.CAN_MANAGE
    give = RegisteredModelAccessControlRequest(user_name="emil", permission_level=level)
    refused(PermissionDenied, emil.update_permissions, model.id, access_control_list=[give])
    refused(PermissionDenied, emil.set_permissions, model.id, access_control_list=[give])


def comment() -> None:
    rosa, emil = client("ROSA"), client("EMIL")
    made = emil.create_comment(NAME, "1", "How large is it?").comment
    assert (made.comment, made.user_id) == ("How large is it?", "emil")
    assert set(made.available_actions) == {CommentActivityAction.EDIT_COMMENT, CommentActivityAction.DELETE_COMMENT}
    assert emil.update_comment(made.id, "How large is it, @rosa?").comment.comment.endswith("@rosa?")
    refused(PermissionDenied, rosa.update_comment, made.id, "Small.")
    refused(PermissionDenied, rosa.delete_comment, made.id)
    emil.delete_comment(made.id)
    refused(NotFound, emil.delete_comment, made.id)


def ask() -> None:
    rosa, emil = client("ROSA"), client("EMIL")
    made = emil.create_transition_request(NAME, "1", "Production", comment="Half the size.").request
    assert (made.to_stage, made.user_id, made.comment) == ("Production", "emil", "Half the size.")
    assert made.available_actions == [ActivityAction.CANCEL_TRANSITION_REQUEST]
    refused(ResourceAlreadyExists, rosa.create_transition_request, NAME, "1", "Production")
    refused(InvalidParameterValue, rosa.create_transition_request, NAME, "1", "None")
    (listed,) = list(rosa.list_transition_requests(NAME, "1"))
    assert (listed.activity_type, listed.user_id, listed.from_stage, listed.to_stage) == (
        ActivityType.REQUESTED_TRANSITION,
        "emil",
        "None",
        "Production",
    )


def approve() -> None:
    emil, hugo = client("EMIL"), client("HUGO")
    arguments = (NAME, "1", "Production", True)
    told = refused(PermissionDenied, emil.approve_transition_request, *arguments)
    assert told.startswith("To decide iris-sdk#1 one needs CAN_MANAGE_PRODUCTION_VERSIONS, which emil does not have.")
    done = hugo.approve_transition_request(*arguments, comment="go").activity
    assert (done.activity_type, done.user_id, done.to_stage, done.comment) == (
        ActivityType.APPROVED_REQUEST,
        "hugo",
        "Production",
        "go",
    )
    assert stage("1") == "Production"
    refused(NotFound, hugo.approve_transition_request, *arguments)
    assert list(hugo.list_transition_requests(NAME, "1")) == []


def approve_and_archive_under_a_policy() -> None:
    rosa, hugo = client("ROSA"), client("HUGO")
    in_the_policy(protected=True, when_occupied="ask")
    refused(PermissionDenied, rosa.transition_stage, NAME, "2", "Production", True)
    rosa.create_transition_request(NAME, "2", "Production")
    told = refused(PermissionDenied, rosa.approve_transition_request, NAME, "2", "Production", True)
    assert told.startswith("rosa asked for iris-sdk#2 and so cannot approve it: somebody else has to.")
    told = refused(ResourceConflict, hugo.approve_transition_request, NAME, "2", "Production", False)
    assert told.startswith("Request iris-sdk#2 archives iris-sdk version 1, which is in Production.")
    assert stage("1") == "Production"
    hugo.approve_transition_request(NAME, "2", "Production", True)
    assert (stage("1"), stage("2")) == ("Archived", "Production")


def reject() -> None:
    rosa, hugo = client("ROSA"), client("HUGO")
    rosa.create_transition_request(NAME, "3", "Production")
    refused(InvalidParameterValue, hugo.reject_transition_request, NAME, "3", "Production")
    done = hugo.reject_transition_request(NAME, "3", "Production", comment="Recall fell.").activity
    assert (done.activity_type, done.comment) == (ActivityType.REJECTED_REQUEST, "Recall fell.")
    assert stage("3") == "None"


def cancel() -> None:
    rosa, hugo, emil = client("ROSA"), client("HUGO"), client("EMIL")
    emil.create_transition_request(NAME, "3", "Staging")
    refused(NotFound, emil.delete_transition_request, NAME, "3", "Staging", "rosa")
    refused(PermissionDenied, hugo.delete_transition_request, NAME, "3", "Staging", "emil", comment="no")
    done = emil.delete_transition_request(NAME, "3", "Staging", "emil", comment="too early").activity
    assert (done.activity_type, done.user_id) == (ActivityType.CANCELLED_REQUEST, "emil")
    assert list(emil.list_transition_requests(NAME, "3")) == []
    emil.create_transition_request(NAME, "3", "Staging")
    refused(InvalidParameterValue, rosa.delete_transition_request, NAME, "3", "Staging", "emil")
    rosa.delete_transition_request(NAME, "3", "Staging", "emil", comment="not this one")
    assert stage("3") == "None"


def transition() -> None:
    hugo = client("HUGO")
    client("EMIL").create_transition_request(NAME, "3", "Archived")
    moved = hugo.transition_stage(NAME, "3", "Staging", False, comment="shadow").model_version_databricks
    assert (moved.current_stage, moved.permission_level.value) == ("Staging", "CAN_MANAGE_PRODUCTION_VERSIONS")
    assert [one.to_stage for one in moved.open_requests] == ["Archived"]
    refused(InvalidParameterValue, hugo.transition_stage, NAME, "3", "Archived", True)


def delete() -> None:
    rosa, hugo = client("ROSA"), client("HUGO")
    refused(PermissionDenied, hugo.delete_model_version, NAME, "3")
    rosa.delete_model_version(NAME, "3")
    told = refused(ResourceConflict, rosa.delete_model, NAME)
    assert told == "iris-sdk version 2 is in Production, which is protected. Archive it first."
    hugo.transition_stage(NAME, "2", "Archived", False)
    rosa.delete_model(NAME)
    refused(NotFound, rosa.get_model, NAME)


if __name__ == "__main__":
    for step in (
        make_versions,
        permissions,
        comment,
        ask,
        approve,
        approve_and_archive_under_a_policy,
        reject,
        cancel,
        transition,
        delete,
    ):
        step()
        print(step.__name__, flush=True)  # noqa: T201  what the test reads
