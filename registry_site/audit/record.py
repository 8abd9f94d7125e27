"""The only writer of history."""

from dataclasses import dataclass
from typing import Any, Protocol

from django.db import transaction

from registry_site.audit import outbox
from registry_site.audit.kinds import Kind, Origin
from registry_site.audit.models import Activity, OutboxEntry
from registry_site.core import clock


class Who(Protocol):
    """What history keeps of an actor."""

    @property
    def user_id(self) -> int | None: ...
    @property
    def name(self) -> str: ...
    @property
    def origin(self) -> Origin: ...


@dataclass(frozen=True, slots=True)
class Subject:
    """What an activity tells of. `registered_model_id` puts it into the history of that model."""

    name: str
    registered_model_id: int | None = None
    version: int | None = None
    request_number: int | None = None


def record(actor: Who, kind: Kind, subject: Subject, *, comment: str = "", **data: Any) -> Activity:
    """Write one activity and its outbox entry, in the caller's transaction: both stand or fall with the change.

    `data` holds JSON values, old and new. Raises RuntimeError outside a transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("record() belongs into the transaction of the change that it tells of")
    now = clock.now()
    activity = Activity.objects.create(
        at=now,
        kind=kind,
        origin=actor.origin,
        actor_id=actor.user_id,
        actor_name=actor.name,
        registered_model_id=subject.registered_model_id,
        subject=subject.name,
        version=subject.version,
        request_number=subject.request_number,
        comment=comment,
        data=data,
    )
    OutboxEntry.objects.create(activity=activity, due_at=now)
    transaction.on_commit(outbox.nudge)
    return activity
