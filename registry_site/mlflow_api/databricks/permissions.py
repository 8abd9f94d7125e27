"""Permissions on registered models and experiments, and who one is, as Databricks' clients ask for them."""

from collections.abc import Iterable, Sequence

from registry_site.accounts import queries
from registry_site.accounts.access import AccessList, Source
from registry_site.accounts.actors import Actor
from registry_site.accounts.grants import NewGrant
from registry_site.accounts.levels import EXPERIMENT_LEVELS, MODEL_LEVELS, Level, parse_level
from registry_site.mlflow_api.endpoint import Endpoint
from registry_site.mlflow_api.structs import permissions as structs
from registry_site.mlflow_api.structs.users import NoArguments
from registry_site.registry import grants as model_grants
from registry_site.tracking import grants as experiment_grants

ROOTS = ("api/2.0/",)
MODEL = "permissions/registered-models/<str:object_id>"
EXPERIMENT = "permissions/experiments/<str:object_id>"
DESCRIPTIONS = {
    Level.CAN_READ: "May see it, comment, and request a transition",
    Level.CAN_EDIT: "May change what is in it: versions, descriptions, tags and aliases, or runs and their files",
    Level.CAN_MANAGE_STAGING_VERSIONS: "May decide about transitions among None, Staging and Archived",
    Level.CAN_MANAGE_PRODUCTION_VERSIONS: "May decide about every transition",
    Level.CAN_MANAGE: "May do all of it, and rename it, delete it and give permissions",
}


# -- registered models -------------------------------------------------------------------------------------------------
class GetModelPermissions(Endpoint[structs.ObjectArguments]):
    """Who may do what with a registered model."""

    path = MODEL
    methods = ("GET",)
    roots = ROOTS
    request_type = structs.ObjectArguments

    def call(self, actor: Actor, request: structs.ObjectArguments) -> structs.PermissionsAnswer:
        return _of_model(actor, request.object_id)


class SetModelPermissions(Endpoint[structs.PermissionsArguments]):
    """Gives these levels and takes all others that were given on the model itself."""

    path = MODEL
    methods = ("PUT",)
    roots = ROOTS
    request_type = structs.PermissionsArguments
    replace = True

    def call(self, actor: Actor, request: structs.PermissionsArguments) -> structs.PermissionsAnswer:
        name = model_grants.name_of(actor, request.object_id)
        given = _given(request.access_control_list, MODEL_LEVELS)
        model_grants.set_grants(actor, name=name, given=given, replace=self.replace)
        return _of_model(actor, request.object_id)


class UpdateModelPermissions(SetModelPermissions):
    """Gives these levels; all others stay."""

    methods = ("PATCH",)
    replace = False


class GetModelPermissionLevels(Endpoint[structs.ObjectArguments]):
    """The levels that there are."""

    path = f"{MODEL}/permissionLevels"
    methods = ("GET",)
    roots = ROOTS
    request_type = structs.ObjectArguments

    def call(self, actor: Actor, request: structs.ObjectArguments) -> structs.PermissionLevelsAnswer:
        model_grants.name_of(actor, request.object_id)
        return _levels(MODEL_LEVELS)


def _of_model(actor: Actor, object_id: str) -> structs.PermissionsAnswer:
    access = model_grants.access_list(actor, model_grants.name_of(actor, object_id))
    return _answer("registered-model", f"/registered-models/{object_id}", access)


# -- experiments -------------------------------------------------------------------------------------------------------
class GetExperimentPermissions(Endpoint[structs.ObjectArguments]):
    """Who may do what with an experiment."""

    path = EXPERIMENT
    methods = ("GET",)
    roots = ROOTS
    request_type = structs.ObjectArguments

    def call(self, actor: Actor, request: structs.ObjectArguments) -> structs.PermissionsAnswer:
        return _of_experiment(actor, request.object_id)


class SetExperimentPermissions(Endpoint[structs.PermissionsArguments]):
    """Gives these levels and takes all others that were given on the experiment itself."""

    path = EXPERIMENT
    methods = ("PUT",)
    roots = ROOTS
    request_type = structs.PermissionsArguments
    replace = True

    def call(self, actor: Actor, request: structs.PermissionsArguments) -> structs.PermissionsAnswer:
        given = _given(request.access_control_list, EXPERIMENT_LEVELS)
        experiment_grants.set_grants(actor, experiment_id=request.object_id, given=given, replace=self.replace)
        return _of_experiment(actor, request.object_id)


class UpdateExperimentPermissions(SetExperimentPermissions):
    """Gives these levels; all others stay."""

    methods = ("PATCH",)
    replace = False


class GetExperimentPermissionLevels(Endpoint[structs.ObjectArguments]):
    """The levels that there are."""

    path = f"{EXPERIMENT}/permissionLevels"
    methods = ("GET",)
    roots = ROOTS
    request_type = structs.ObjectArguments

    def call(self, actor: Actor, request: structs.ObjectArguments) -> structs.PermissionLevelsAnswer:
        experiment_grants.access_list(actor, request.object_id)
        return _levels(EXPERIMENT_LEVELS)


def _of_experiment(actor: Actor, object_id: str) -> structs.PermissionsAnswer:
    access = experiment_grants.access_list(actor, object_id)
    return _answer("mlflowExperiment", f"/experiments/{object_id}", access)


# -- what they share ---------------------------------------------------------------------------------------------------
def _given(arguments: Iterable[structs.AccessControlArgument], levels: Sequence[Level]) -> list[NewGrant]:
    return [
        NewGrant(
            parse_level(one.permission_level, levels),
            username=one.user_name or one.service_principal_name,
            group=one.group_name,
        )
        for one in arguments
    ]


def _answer(object_type: str, object_id: str, access: AccessList) -> structs.PermissionsAnswer:
    root = "/".join((object_id.rpartition("/")[0], "root"))
    entries: dict[tuple[str, str], structs.AccessControl] = {}
    for holder in access.holders:
        inherited = holder.source is not Source.OWN
        entry = entries.setdefault(
            (holder.username, holder.group),
            structs.AccessControl(
                user_name=holder.username,
                group_name=holder.group,
                display_name=holder.display_name,
                all_permissions=[],
            ),
        )
        entry.all_permissions.append(
            structs.Permission(
                permission_level=holder.level.name,
                inherited=inherited,
                inherited_from_object=[root] if inherited else [],
            )
        )
    return structs.PermissionsAnswer(
        object_id=object_id, object_type=object_type, access_control_list=list(entries.values())
    )


def _levels(levels: Sequence[Level]) -> structs.PermissionLevelsAnswer:
    return structs.PermissionLevelsAnswer(
        permission_levels=[
            structs.PermissionLevel(permission_level=level.name, description=DESCRIPTIONS[level]) for level in levels
        ]
    )


# -- oneself -----------------------------------------------------------------------------------------------------------
class GetMe(Endpoint[NoArguments]):
    """Who is calling."""

    path = "preview/scim/v2/Me"
    methods = ("GET",)
    roots = ROOTS
    request_type = NoArguments

    def call(self, actor: Actor, request: NoArguments) -> structs.Me:
        user = queries.get_user(actor)
        return structs.Me(
            id=str(user.pk),
            user_name=user.username,
            display_name=str(user),
            active=user.is_active,
            emails=[structs.Email(value=user.email, primary=True)] if user.email else [],
            groups=[structs.MemberOf(display=group.name) for group in user.groups.all()],
        )


ENDPOINTS = (
    GetModelPermissions,
    SetModelPermissions,
    UpdateModelPermissions,
    GetModelPermissionLevels,
    GetExperimentPermissions,
    SetExperimentPermissions,
    UpdateExperimentPermissions,
    GetExperimentPermissionLevels,
    GetMe,
)
