"""Permissions of single people on experiments and registered models, as MLflow 2's basic-auth app has them.

READ, EDIT and MANAGE are the levels of those names; a level between EDIT and MANAGE shows as EDIT. To create one that
is there replaces it, and to update one that is not there gives it.
"""

from registry_site.accounts.access import AccessList, Holder, Source
from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.core.errors import InvalidParameter, NotFound
from registry_site.mlflow_api.endpoint import Endpoint
from registry_site.mlflow_api.structs import permissions as structs
from registry_site.registry import grants as model_grants
from registry_site.tracking import grants as experiment_grants

LEVELS = {
    "NO_PERMISSIONS": Level.NONE,
    "READ": Level.CAN_READ,
    "EDIT": Level.CAN_EDIT,
    "MANAGE": Level.CAN_MANAGE,
}


# -- experiments -------------------------------------------------------------------------------------------------------
class GetExperimentPermission(Endpoint[structs.ExperimentUserArguments]):
    """What is granted to a person on an experiment."""

    path = "experiments/permissions/get"
    methods = ("GET",)
    request_type = structs.ExperimentUserArguments

    def call(self, actor: Actor, request: structs.ExperimentUserArguments) -> structs.ExperimentPermissionAnswer:
        return _on_experiment(actor, request)


class CreateExperimentPermission(Endpoint[structs.ExperimentPermissionArguments]):
    """Gives a person a level on an experiment."""

    path = "experiments/permissions/create"
    methods = ("POST",)
    request_type = structs.ExperimentPermissionArguments

    def call(self, actor: Actor, request: structs.ExperimentPermissionArguments) -> structs.ExperimentPermissionAnswer:
        experiment_grants.set_grant(
            actor, experiment_id=request.experiment_id, username=request.username, level=_level(request.permission)
        )
        return _on_experiment(actor, request)


class UpdateExperimentPermission(CreateExperimentPermission):
    """Replaces the level of a person on an experiment."""

    path = "experiments/permissions/update"
    methods = ("PATCH",)


class DeleteExperimentPermission(Endpoint[structs.ExperimentUserArguments]):
    """Takes back what was granted to a person on an experiment."""

    path = "experiments/permissions/delete"
    methods = ("DELETE",)
    request_type = structs.ExperimentUserArguments

    def call(self, actor: Actor, request: structs.ExperimentUserArguments) -> None:
        experiment_grants.remove_grant(actor, experiment_id=request.experiment_id, username=request.username)


def _on_experiment(actor: Actor, request: structs.ExperimentUserArguments) -> structs.ExperimentPermissionAnswer:
    holder = _own(experiment_grants.access_list(actor, request.experiment_id), request.username)
    return structs.ExperimentPermissionAnswer(
        experiment_permission=structs.ExperimentPermission(
            experiment_id=request.experiment_id, user_id=holder.user_id or 0, permission=_word(holder.level)
        )
    )


# -- registered models -------------------------------------------------------------------------------------------------
class GetModelPermission(Endpoint[structs.ModelUserArguments]):
    """What is granted to a person on a registered model."""

    path = "registered-models/permissions/get"
    methods = ("GET",)
    request_type = structs.ModelUserArguments

    def call(self, actor: Actor, request: structs.ModelUserArguments) -> structs.ModelPermissionAnswer:
        return _on_model(actor, request)


class CreateModelPermission(Endpoint[structs.ModelPermissionArguments]):
    """Gives a person a level on a registered model."""

    path = "registered-models/permissions/create"
    methods = ("POST",)
    request_type = structs.ModelPermissionArguments

    def call(self, actor: Actor, request: structs.ModelPermissionArguments) -> structs.ModelPermissionAnswer:
        model_grants.set_grant(actor, name=request.name, username=request.username, level=_level(request.permission))
        return _on_model(actor, request)


class UpdateModelPermission(CreateModelPermission):
    """Replaces the level of a person on a registered model."""

    path = "registered-models/permissions/update"
    methods = ("PATCH",)


class DeleteModelPermission(Endpoint[structs.ModelUserArguments]):
    """Takes back what was granted to a person on a registered model."""

    path = "registered-models/permissions/delete"
    methods = ("DELETE",)
    request_type = structs.ModelUserArguments

    def call(self, actor: Actor, request: structs.ModelUserArguments) -> None:
        model_grants.remove_grant(actor, name=request.name, username=request.username)


def _on_model(actor: Actor, request: structs.ModelUserArguments) -> structs.ModelPermissionAnswer:
    holder = _own(model_grants.access_list(actor, request.name), request.username)
    return structs.ModelPermissionAnswer(
        registered_model_permission=structs.ModelPermission(
            name=request.name, user_id=holder.user_id or 0, permission=_word(holder.level)
        )
    )


# -- what they share ---------------------------------------------------------------------------------------------------
def _level(word: str) -> Level:
    if word not in LEVELS:
        raise InvalidParameter(f"Invalid permission '{word}': it is one of {', '.join(LEVELS)}.", field="permission")
    return LEVELS[word]


def _word(level: Level) -> str:
    return max((known, word) for word, known in LEVELS.items() if known <= level)[1]


def _own(access: AccessList, username: str) -> Holder:
    """What was granted to this very person on the thing itself."""
    for holder in access.holders:
        if holder.source is Source.OWN and holder.username == username:
            return holder
    raise NotFound(f"Nothing is granted to user '{username}' there.", field="username")


ENDPOINTS = (
    GetExperimentPermission,
    CreateExperimentPermission,
    UpdateExperimentPermission,
    DeleteExperimentPermission,
    GetModelPermission,
    CreateModelPermission,
    UpdateModelPermission,
    DeleteModelPermission,
)
