"""Comments on versions, in the words of Databricks' registry."""

from typing import TYPE_CHECKING

from registry_site.accounts.actors import Actor
from registry_site.core.clock import to_ms
from registry_site.mlflow_api import shapes_registry as shapes
from registry_site.mlflow_api.endpoint import Endpoint
from registry_site.mlflow_api.structs import transition_requests as structs
from registry_site.mlflow_api.structs.transition_requests import AvailableAction
from registry_site.promotion import comments

if TYPE_CHECKING:  # the rows come from queries; only their type is named here
    from registry_site.promotion.models import Comment


class CreateComment(Endpoint[structs.CreateCommentArguments]):
    """Says something of a version."""

    path = "comments/create"
    methods = ("POST",)
    request_type = structs.CreateCommentArguments

    def call(self, actor: Actor, request: structs.CreateCommentArguments) -> structs.CommentAnswer:
        version = shapes.version_number(request.version)
        return _answer(actor, comments.create_comment(actor, name=request.name, version=version, text=request.comment))


class UpdateComment(Endpoint[structs.UpdateCommentArguments]):
    """Says it otherwise."""

    path = "comments/update"
    methods = ("PATCH", "POST")
    request_type = structs.UpdateCommentArguments

    def call(self, actor: Actor, request: structs.UpdateCommentArguments) -> structs.CommentAnswer:
        return _answer(actor, comments.update_comment(actor, comment_id=request.id, text=request.comment))


class DeleteComment(Endpoint[structs.DeleteCommentArguments]):
    """Takes it away."""

    path = "comments/delete"
    methods = ("DELETE",)
    request_type = structs.DeleteCommentArguments

    def call(self, actor: Actor, request: structs.DeleteCommentArguments) -> None:
        comments.delete_comment(actor, comment_id=request.id)


def _answer(actor: Actor, comment: "Comment") -> structs.CommentAnswer:
    may = []
    if comment.author_id == actor.user_id:
        may.append(AvailableAction.EDIT_COMMENT.value)
    if comments.may_be_deleted(comment, actor):
        may.append(AvailableAction.DELETE_COMMENT.value)
    return structs.CommentAnswer(
        comment=structs.Comment(
            id=str(comment.pk),
            comment=comment.text,
            user_id=comment.author_name,
            creation_timestamp=to_ms(comment.created_at),
            last_updated_timestamp=to_ms(comment.updated_at),
            available_actions=may,
        )
    )


ENDPOINTS = (CreateComment, UpdateComment, DeleteComment)
