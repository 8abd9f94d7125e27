"""Endpoints of people, as MLflow's basic-auth app has them."""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse

from registry_site.accounts import administration, queries, services
from registry_site.accounts.actors import Actor
from registry_site.mlflow_api.endpoint import Endpoint, View, json_response
from registry_site.mlflow_api.structs import users as structs

if TYPE_CHECKING:  # the rows come from queries; only their type is named here
    from registry_site.accounts import models


class GetCurrentUser(View):
    """Who is calling, and whether by Basic authentication."""

    path = "users/current"
    methods = ("GET",)

    def respond(self, actor: Actor, http: HttpRequest, **path: Any) -> HttpResponse:
        """The caller, out of the request's own header."""
        return json_response(
            structs.CurrentUserAnswer(
                user=structs.CurrentUser(id=actor.user_id or 0, username=actor.name, is_admin=actor.is_admin),
                is_basic_auth=http.headers.get("Authorization", "").lower().startswith("basic "),
            )
        )


class CreateUser(Endpoint[structs.CreateUserArguments]):
    """A new person with a password; for administrators."""

    path = "users/create"
    methods = ("POST",)
    request_type = structs.CreateUserArguments

    def call(self, actor: Actor, request: structs.CreateUserArguments) -> structs.UserAnswer:
        return _answer(services.create_user(actor, username=request.username, password=request.password))


class GetUser(Endpoint[structs.UsernameArguments]):
    """A person: oneself, or for administrators anybody."""

    path = "users/get"
    methods = ("GET",)
    request_type = structs.UsernameArguments

    def call(self, actor: Actor, request: structs.UsernameArguments) -> structs.UserAnswer:
        return _answer(queries.user_by_name(actor, request.username))


class ListUsers(Endpoint[structs.NoArguments]):
    """Everybody; for administrators."""

    path = "users/list"
    methods = ("GET",)
    request_type = structs.NoArguments

    def call(self, actor: Actor, request: structs.NoArguments) -> structs.UsersAnswer:
        return structs.UsersAnswer(
            users=[
                structs.ListedUser(id=user.pk, username=user.username, is_admin=user.is_superuser, roles=[])
                for user in queries.all_users(actor)
            ]
        )


class UpdatePassword(Endpoint[structs.UpdatePasswordArguments]):
    """Sets a password: one's own, or for administrators anybody's."""

    path = "users/update-password"
    methods = ("PATCH",)
    request_type = structs.UpdatePasswordArguments

    def call(self, actor: Actor, request: structs.UpdatePasswordArguments) -> None:
        administration.set_password(
            actor, username=request.username, new=request.password, current=request.current_password
        )


class UpdateAdmin(Endpoint[structs.UpdateAdminArguments]):
    """Makes somebody an administrator, or no longer one; for administrators."""

    path = "users/update-admin"
    methods = ("PATCH",)
    request_type = structs.UpdateAdminArguments

    def call(self, actor: Actor, request: structs.UpdateAdminArguments) -> None:
        administration.set_admin(actor, username=request.username, is_admin=request.is_admin)


class DeleteUser(Endpoint[structs.UsernameArguments]):
    """Removes a person; for administrators."""

    path = "users/delete"
    methods = ("DELETE",)
    request_type = structs.UsernameArguments

    def call(self, actor: Actor, request: structs.UsernameArguments) -> None:
        administration.delete_user(actor, username=request.username)


def _answer(user: "models.User") -> structs.UserAnswer:
    return structs.UserAnswer(
        user=structs.User(
            id=user.pk,
            username=user.username,
            is_admin=user.is_superuser,
            experiment_permissions=[],
            registered_model_permissions=[],
        )
    )


ENDPOINTS = (
    GetCurrentUser,
    CreateUser,
    GetUser,
    ListUsers,
    UpdatePassword,
    UpdateAdmin,
    DeleteUser,
)
