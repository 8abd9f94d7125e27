"""Messages about people."""

from registry_site.mlflow_api.structs.base import Arguments, Message


class CurrentUser(Message):
    """The caller."""

    id: int
    username: str
    is_admin: bool


class CurrentUserAnswer(Message):
    """The caller, and whether a name and password or token came by HTTP Basic."""

    user: CurrentUser
    is_basic_auth: bool


class User(CurrentUser):
    """A person. Clients of MLflow 2 read the two lists, and MLflow 3 has none in them either."""

    experiment_permissions: list[str]
    registered_model_permissions: list[str]


class UserAnswer(Message):
    """One person."""

    user: User


class ListedUser(CurrentUser):
    """A person in a list; nobody has roles here."""

    roles: list[str]


class UsersAnswer(Message):
    """Everybody."""

    users: list[ListedUser]


class NoArguments(Arguments):
    """Nothing is asked for."""


class UsernameArguments(Arguments):
    """Which person."""

    username: str


class CreateUserArguments(Arguments):
    """A new person."""

    username: str
    password: str


class UpdatePasswordArguments(Arguments):
    """A new password; who changes their own sends the present one too."""

    username: str
    password: str
    current_password: str = ""


class UpdateAdminArguments(Arguments):
    """Whether that person is an administrator."""

    username: str
    is_admin: bool
