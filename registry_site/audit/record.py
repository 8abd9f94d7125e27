"""The only writer of history."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.db import transaction
from django.db.backends.utils import CursorWrapper

from registry_site.audit import outbox
from registry_site.audit.chain import START, Stored, chain_of, link
from registry_site.audit.kinds import Kind, Origin
from registry_site.core import clock


class Who(Protocol):
    """What history keeps of an actor."""

    @property
    def user_id(self) -> int | None: ...
    @property
    def name(self) -> str: ...
    @property
    def origin(self) -> Origin: ...
    def require_write(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Subject:
    """What an activity tells of. `registered_model_id` puts it into the history of that model."""

    name: str
    registered_model_id: int | None = None
    version: int | None = None
    request_number: int | None = None


def record(actor: Who, kind: Kind, subject: Subject, *, comment: str = "", **data: Any) -> None:
    """Write one activity and its outbox entry, in the caller's transaction: both stand or fall with the change.

    `data` holds JSON values, old and new. From here to the end of the transaction everybody else who records about the
    same registered model waits, and for what belongs to none, everybody who records such things. A transaction that
    does both records about the model first: in two orders, two of them would wait for each other for ever.
    Raises RuntimeError outside a transaction, and PermissionDenied for an actor who may only read: every change that is
    kept comes through here.
    """
    actor.require_write()
    connection = transaction.get_connection()
    if not connection.in_atomic_block:
        raise RuntimeError("record() belongs into the transaction of the change that it tells of")
    chain = chain_of(subject.registered_model_id)
    with connection.cursor() as cursor:
        previous_hash, key = _take_turn(cursor, connection.vendor, chain)
        stored = Stored(
            id=key,
            at=_to_the_millisecond(clock.now()),
            kind=kind.value,
            origin=actor.origin.value,
            actor_id=actor.user_id,
            actor_name=actor.name,
            registered_model_id=subject.registered_model_id,
            subject=subject.name,
            version=subject.version,
            request_number=subject.request_number,
            comment=comment,
            data=data,
        )
        values = stored._asdict() | {
            "at": connection.ops.adapt_datetimefield_value(stored.at),
            "data": json.dumps(data),
            "chain": chain,
            "previous_hash": previous_hash,
            "hash": link(stored, previous_hash),
        }
        for statement in _WRITE[connection.vendor]:
            cursor.execute(statement, values)
    transaction.on_commit(outbox.nudge)


def _to_the_millisecond(at: datetime) -> datetime:
    """As exact as `dumpdata` is: history can move to another database, and is there what it was."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _take_turn(cursor: CursorWrapper, vendor: str, chain: int) -> tuple[str, int]:
    """The end of the chain, locked, and the key of the next activity."""
    while True:
        cursor.execute(_TAKE_TURN[vendor], {"chain": chain})
        if found := cursor.fetchone():
            previous_hash, key = found
            return previous_hash, key
        # The first activity of the chain was committed while this statement waited for it: the next one sees it.


# Written by hand and never compiled again: everything that changes something comes through here.
_COLUMNS = (*Stored._fields, "chain", "previous_hash", "hash")
_INSERT = f"INSERT INTO audit_activity ({', '.join(_COLUMNS)}) VALUES ({', '.join(f'%({name})s' for name in _COLUMNS)})"
_PUT_OUT = "INSERT INTO audit_outboxentry (activity_id, due_at, attempts) VALUES (%(id)s, %(at)s, 0)"

_TAKE_TURN = {
    # One statement. The key is drawn after the lock was got, so keys grow along a chain.
    "postgresql": f"""
        WITH made AS (
            INSERT INTO audit_chainhead (chain, hash) VALUES (%(chain)s, '{START}')
            ON CONFLICT DO NOTHING RETURNING hash
        ), there AS (
            SELECT hash FROM audit_chainhead WHERE chain = %(chain)s FOR UPDATE
        )
        SELECT hash, nextval('audit_activity_id_seq') FROM (SELECT hash FROM made UNION ALL SELECT hash FROM there) AS h
    """,
    # The transaction holds the only lock that there is for writing.
    "sqlite": f"""
        SELECT coalesce((SELECT hash FROM audit_chainhead WHERE chain = %(chain)s), '{START}'),
               (SELECT coalesce(max(id), 0) + 1 FROM audit_activity)
    """,
}
_WRITE = {
    "postgresql": (
        f"""
        WITH line AS ({_INSERT.replace("%(data)s", "%(data)s::jsonb")}),
             head AS (UPDATE audit_chainhead SET hash = %(hash)s WHERE chain = %(chain)s)
        {_PUT_OUT}
        """,
    ),
    "sqlite": (
        _INSERT,
        "INSERT INTO audit_chainhead (chain, hash) VALUES (%(chain)s, %(hash)s) "
        "ON CONFLICT (chain) DO UPDATE SET hash = excluded.hash",
        _PUT_OUT,
    ),
}
