"""The caller, as clients of MLflow's basic-auth app ask for it."""

from registry_site.accounts.actors import Actor
from registry_site.mlflow_api.endpoint import Endpoint
from registry_site.mlflow_api.structs.base import Arguments, Message


class NoArguments(Arguments):
    """Nothing is asked for."""


class User(Message):
    """A person."""

    id: int
    username: str
    is_admin: bool


class CurrentUserAnswer(Message):
    """The caller, and whether a name and password or token came by HTTP Basic."""

    user: User
    is_basic_auth: bool


class GetCurrentUser(Endpoint[NoArguments]):
    """Who is calling."""

    path = "users/current"
    methods = ("GET",)
    request_type = NoArguments

    def call(self, actor: Actor, request: NoArguments) -> CurrentUserAnswer:
        """Raises NotSignedIn for a stranger."""
        actor.require_signed_in()
        return CurrentUserAnswer(
            user=User(id=actor.user_id or 0, username=actor.name, is_admin=actor.is_admin),
            is_basic_auth=self.request.headers.get("Authorization", "").lower().startswith("basic "),
        )


ENDPOINTS = (GetCurrentUser,)
