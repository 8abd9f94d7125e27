"""What the permission calls of Databricks' SDK do against a running server, as Rosa and as Emil.

Run by `test_databricks_sdk` in the client's own environment; prints a line for each step that went well.
"""

import os

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound, PermissionDenied, ResourceConflict
from databricks.sdk.service.ml import (
    ExperimentAccessControlRequest,
    ExperimentPermissionLevel,
    RegisteredModelAccessControlRequest,
    RegisteredModelPermissionLevel,
)


def client(name: str) -> WorkspaceClient:
    """The SDK in the hands of that person."""
    return WorkspaceClient(host=os.environ["HOST"], token=os.environ[f"TOKEN_OF_{name}"], auth_type="pat")


def refused(error: type[Exception], call: object, *arguments: object, **options: object) -> str:
    """What the client is told."""
    try:
        call(*arguments, **options)  # type: ignore[operator]
    except error as told:
        return str(told)
    raise AssertionError(f"{call} was not refused")


def who_am_i() -> None:
    me = client("ROSA").current_user.me()
    assert (me.user_name, me.display_name, me.active) == ("rosa", "Rosa", True)
    assert [mail.value for mail in me.emails] == ["rosa@example.org"]
    assert not me.groups


def permissions_on_registered_models() -> None:
    rosa, emil = client("ROSA").model_registry, client("EMIL").model_registry
    rosa.create_model("churn-sdk")
    model = rosa.get_model("churn-sdk").registered_model_databricks
    assert (model.permission_level.value, model.user_id) == ("CAN_MANAGE", "rosa")
    assert emil.get_model("churn-sdk").registered_model_databricks.permission_level.value == "CAN_READ"
    levels = [each.permission_level.value for each in rosa.get_permission_levels(model.id).permission_levels]
    assert levels == [
        "CAN_READ",
        "CAN_EDIT",
        "CAN_MANAGE_STAGING_VERSIONS",
        "CAN_MANAGE_PRODUCTION_VERSIONS",
        "CAN_MANAGE",
    ]

    def own() -> dict[str, str]:
        listed = rosa.get_permissions(model.id)
        assert (listed.object_id, listed.object_type) == (f"/registered-models/{model.id}", "registered-model")
        return {
            entry.user_name: held.permission_level.value
            for entry in listed.access_control_list
            for held in entry.all_permissions
            if not held.inherited
        }

    give = RegisteredModelAccessControlRequest(
        user_name="emil", permission_level=RegisteredModelPermissionLevel.CAN_MANAGE_STAGING_VERSIONS
    )
    rosa.update_permissions(model.id, access_control_list=[give])
    assert own() == {"rosa": "CAN_MANAGE", "emil": "CAN_MANAGE_STAGING_VERSIONS"}
    told = refused(PermissionDenied, emil.update_permissions, model.id, access_control_list=[give])
    assert told.startswith("This needs CAN_MANAGE on registered model 'churn-sdk', and emil has CAN_MANAGE_STAGING")
    keep = RegisteredModelAccessControlRequest(
        user_name="rosa", permission_level=RegisteredModelPermissionLevel.CAN_MANAGE
    )
    rosa.set_permissions(model.id, access_control_list=[keep])
    assert own() == {"rosa": "CAN_MANAGE"}
    refused(ResourceConflict, rosa.set_permissions, model.id, access_control_list=[give])
    rosa.rename_model("churn-sdk", new_name="leavers-sdk")
    assert own() == {"rosa": "CAN_MANAGE"}, "the id is the same whatever the model is called"
    nobody = RegisteredModelAccessControlRequest(
        user_name="nobody", permission_level=RegisteredModelPermissionLevel.CAN_READ
    )
    told = refused(NotFound, rosa.update_permissions, model.id, access_control_list=[nobody])
    assert told == "User 'nobody' does not exist."
    refused(NotFound, rosa.get_permissions, "0" * 32)


def permissions_on_experiments() -> None:
    rosa, emil = client("ROSA").experiments, client("EMIL").experiments
    made = rosa.create_experiment("fraud-sdk").experiment_id
    levels = [each.permission_level.value for each in rosa.get_permission_levels(made).permission_levels]
    assert levels == ["CAN_READ", "CAN_EDIT", "CAN_MANAGE"]
    refused(PermissionDenied, emil.create_run, experiment_id=made)
    give = ExperimentAccessControlRequest(user_name="emil", permission_level=ExperimentPermissionLevel.CAN_EDIT)
    rosa.update_permissions(made, access_control_list=[give])
    run = emil.create_run(experiment_id=made).run
    assert run.info.experiment_id == made
    keep = ExperimentAccessControlRequest(user_name="rosa", permission_level=ExperimentPermissionLevel.CAN_MANAGE)
    listed = rosa.set_permissions(made, access_control_list=[keep])
    assert listed.object_id == f"/experiments/{made}"
    refused(PermissionDenied, emil.log_metric, key="auc", value=0.5, timestamp=1, run_id=run.info.run_id)


if __name__ == "__main__":
    for step in (who_am_i, permissions_on_registered_models, permissions_on_experiments):
        step()
        print(step.__name__)  # noqa: T201  what the test reads
