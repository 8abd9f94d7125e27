"""What people write about versions and requests."""

from collections.abc import Sequence

from django.db import transaction

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.audit.kinds import Kind
from registry_site.audit.record import Subject, record
from registry_site.core import clock
from registry_site.core.errors import InvalidParameter, NotFound, PermissionDenied
from registry_site.promotion.mentions import mentions
from registry_site.promotion.models import Comment, TransitionRequest
from registry_site.promotion.preparing import COMMENT_LIMIT
from registry_site.promotion.visibility import visible, visible_comments
from registry_site.registry import access
from registry_site.registry.locking import lock_model, version_of
from registry_site.registry.models import ModelVersion, RegisteredModel
from registry_site.registry.queries import get_version

_LARGEST_KEY = 2**63 - 1


@transaction.atomic
def create_comment(
    actor: Actor, *, name: str, text: str, version: int | None = None, number: int | None = None
) -> Comment:
    """Write about a version, or about a request; whoever reads the model may. Markdown, in which `@maria` means Maria.

    Raises InvalidParameter for a comment without words, NotFound.
    """
    actor.require_person()
    _validate(text)
    model = _locked_model(actor, name, version, number)
    request = _request_of(actor, model, number) if number is not None else None
    found = _version_of(model, version) if request is None else request.model_version
    now = clock.now()
    comment = Comment.objects.create(
        registered_model=model,
        model_version=found,
        version=request.version if request else found.version if found else 0,
        request=request,
        author_id=actor.user_id,
        author_name=actor.name,
        text=text,
        created_at=now,
        updated_at=now,
    )
    _record(actor, Kind.COMMENT_CREATED, comment, text)
    return comment


@transaction.atomic
def update_comment(actor: Actor, *, comment_id: str, text: str) -> Comment:
    """Write one's own comment anew. Raises PermissionDenied for somebody else's, NotFound, InvalidParameter."""
    comment = _locked_comment(actor, comment_id)
    if actor.user_id is None or comment.author_id != actor.user_id:
        raise PermissionDenied(f"Only {comment.author_name}, who wrote it, may change this comment.")
    _validate(text)
    if comment.text != text:
        before, comment.text, comment.updated_at = comment.text, text, clock.now()
        comment.save(update_fields=["text", "updated_at"])
        _record(actor, Kind.COMMENT_UPDATED, comment, text, before=before)
    return comment


@transaction.atomic
def delete_comment(actor: Actor, *, comment_id: str) -> None:
    """Take a comment away: one's own, or as an administrator anybody's. History keeps what it said.

    Raises PermissionDenied for somebody else's, NotFound.
    """
    comment = _locked_comment(actor, comment_id)
    if not may_be_deleted(comment, actor):
        raise PermissionDenied(f"Only {comment.author_name}, who wrote it, and administrators may delete this comment.")
    _record(actor, Kind.COMMENT_DELETED, comment, "", before=comment.text)
    comment.delete()


def may_be_deleted(comment: Comment, actor: Actor) -> bool:
    """Whether the actor may take this comment away."""
    return actor.is_admin or (actor.user_id is not None and actor.user_id == comment.author_id)


def comments_of(actor: Actor, name: str, *, version: int | None = None, number: int | None = None) -> Sequence[Comment]:
    """The comments on a version (those on its requests too), or on one request, oldest first. Raises NotFound."""
    comments = visible_comments(actor).filter(registered_model__name=name).select_related("author", "registered_model")
    if number is not None:
        return list(comments.filter(request__number=number).order_by("created_at", "pk"))
    found = get_version(actor, name, version or 0)
    return list(comments.filter(version=found.version).order_by("created_at", "pk"))


def mentioned_in(model: RegisteredModel, text: str) -> list[User]:
    """The people whom a text means, of those who may read the model: to mention somebody tells nobody anything new."""
    readers = access.people_with_level(model, Level.CAN_READ)
    return list(readers.filter(username__in=mentions(text)))


def _record(actor: Actor, kind: Kind, comment: Comment, text: str, **data: str) -> None:
    model = comment.registered_model
    request = comment.request
    subject = Subject(
        f"request {model.name}#{request.number}" if request else f"model {model.name} version {comment.version}",
        registered_model_id=model.pk,
        version=comment.version,
        request_number=request.number if request else None,
    )
    record(actor, kind, subject, comment=text, comment_id=str(comment.pk), mentions=mentions(text), **data)


def _validate(text: str) -> None:
    if not text.strip():
        raise InvalidParameter("A comment has words.", field="comment")
    if len(text) > COMMENT_LIMIT:
        raise InvalidParameter(f"A comment has {COMMENT_LIMIT} characters at most.", field="comment")


def _locked_model(actor: Actor, name: str, version: int | None, number: int | None) -> RegisteredModel:
    hidden = (
        NotFound(f"There is no request {name}#{number}.")
        if number is not None
        else NotFound(f"Model Version (name={name}, version={version}) not found", field="version")
    )
    model = lock_model(name)
    if model is None:
        raise hidden
    access.require(actor, model, Level.CAN_READ, hidden=hidden)
    return model


def _request_of(actor: Actor, model: RegisteredModel, number: int) -> TransitionRequest:
    requests = model.transition_requests.select_related("model_version").filter(visible(actor), number=number)
    found = requests.first()
    if found is None:
        raise NotFound(f"There is no request {model.name}#{number}.")
    found.registered_model = model
    return found


def _version_of(model: RegisteredModel, version: int | None) -> ModelVersion:
    found = version_of(model, version) if version is not None else None
    if found is None:
        raise NotFound(f"Model Version (name={model.name}, version={version}) not found", field="version")
    return found


def _locked_comment(actor: Actor, comment_id: str) -> Comment:
    """A comment, under the lock of its model. One on what the actor may not read is not there."""
    actor.require_person()
    hidden = NotFound(f"There is no comment '{comment_id[:40]}'.", field="id")
    if not comment_id.isascii() or not comment_id.isdecimal() or int(comment_id[:20]) > _LARGEST_KEY:
        raise hidden
    comments = visible_comments(actor).filter(pk=int(comment_id))
    name = comments.values_list("registered_model__name", flat=True).first()
    model = lock_model(name) if name is not None else None
    found = comments.select_related("request").filter(registered_model=model).first() if model else None
    if model is None or found is None:
        raise hidden
    found.registered_model = model
    return found
