"""Messages about who may do what: as Databricks has them, and as MLflow 2's basic-auth app."""

from registry_site.mlflow_api.structs.base import Arguments, Message
from registry_site.mlflow_api.structs.registered_models import RegisteredModel


# -- Databricks' -------------------------------------------------------------------------------------------------------
class ObjectArguments(Arguments):
    """What it is about: the id of a registered model, or of an experiment."""

    object_id: str


class AccessControlArgument(Arguments):
    """A level for one user or group; a machine is a user too."""

    permission_level: str
    user_name: str = ""
    group_name: str = ""
    service_principal_name: str = ""


class PermissionsArguments(ObjectArguments, kw_only=True):
    """Levels on one thing."""

    access_control_list: list[AccessControlArgument] = []


class Permission(Message):
    """A level, and where it comes from if it is not granted on the thing itself."""

    permission_level: str
    inherited: bool
    inherited_from_object: list[str] = []


class AccessControl(Message, kw_only=True):
    """The levels of a user or group."""

    user_name: str = ""
    group_name: str = ""
    display_name: str = ""
    all_permissions: list[Permission]


class PermissionsAnswer(Message):
    """Who has which levels on a thing."""

    object_id: str
    object_type: str
    access_control_list: list[AccessControl]


class PermissionLevel(Message):
    """A level that there is, and what it is for."""

    permission_level: str
    description: str


class PermissionLevelsAnswer(Message):
    """The levels that there are on things of a kind."""

    permission_levels: list[PermissionLevel]


class DatabricksModel(RegisteredModel, kw_only=True):
    """A registered model with its id, whoever made it, and the caller's level on it."""

    id: str
    permission_level: str
    user_id: str = ""


class DatabricksModelAnswer(Message):
    """One registered model, as Databricks has it."""

    registered_model_databricks: DatabricksModel


class Email(Message, rename="camel"):
    """An address of a person."""

    value: str
    primary: bool


class MemberOf(Message, rename="camel"):
    """A group that a person is in."""

    display: str


class Me(Message, rename="camel", kw_only=True):
    """The caller, as SCIM has it."""

    id: str
    user_name: str
    display_name: str
    active: bool
    emails: list[Email] = []
    groups: list[MemberOf] = []


# -- MLflow 2's --------------------------------------------------------------------------------------------------------
class ExperimentUserArguments(Arguments):
    """A person on an experiment."""

    experiment_id: str
    username: str


class ExperimentPermissionArguments(ExperimentUserArguments):
    """What a person may do with an experiment."""

    permission: str


class ModelUserArguments(Arguments):
    """A person on a registered model."""

    name: str
    username: str


class ModelPermissionArguments(ModelUserArguments):
    """What a person may do with a registered model."""

    permission: str


class ExperimentPermission(Message):
    """What is granted to a person on an experiment."""

    experiment_id: str
    user_id: int
    permission: str


class ExperimentPermissionAnswer(Message):
    """One permission on an experiment."""

    experiment_permission: ExperimentPermission


class ModelPermission(Message):
    """What is granted to a person on a registered model."""

    name: str
    user_id: int
    permission: str


class ModelPermissionAnswer(Message):
    """One permission on a registered model."""

    registered_model_permission: ModelPermission
