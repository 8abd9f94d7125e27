"""What makes history tamper-evident: each activity carries the hash of the one before it in its chain.

There is a chain for each registered model, and one for everything else, the site's. A link is the SHA-256 of all that
is stored of an activity and of the link before. Whoever changes, removes or inserts a line breaks every link after it.
"""

import hashlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

FORMAT = "podium activity 1"  # of what is hashed: another one whenever a column comes or goes
SITE = 0  # the chain of what belongs to no registered model
START = "0" * 64  # what stands before the first activity of a chain

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


class Stored(NamedTuple):
    """All that is stored of an activity, its links aside."""

    id: int
    at: datetime
    kind: str
    origin: str
    actor_id: int | None
    actor_name: str
    registered_model_id: int | None
    subject: str
    version: int | None
    request_number: int | None
    comment: str
    data: dict[str, Any]


def chain_of(registered_model_id: int | None) -> int:
    """The chain that an activity of this model, or of none, belongs to."""
    return SITE if registered_model_id is None else registered_model_id


def link(stored: Stored, previous_hash: str) -> str:
    """The hash of an activity that follows the one with `previous_hash`.

    It is the same before the activity is written and after it was read from any database: times are UTC to the
    microsecond, keys are sorted, and a number counts by its value (1.0 is 1). Raises TypeError and ValueError for
    `data` that is not JSON.
    """
    fields = [
        FORMAT,
        chain_of(stored.registered_model_id),
        previous_hash,
        stored.id,
        stored.at.astimezone(UTC).isoformat(timespec="microseconds"),
        stored.kind,
        stored.origin,
        stored.actor_id,
        stored.actor_name,
        stored.registered_model_id,
        stored.subject,
        stored.version,
        stored.request_number,
        stored.comment,
        _plain(stored.data),
    ]
    return hashlib.sha256(_encode(fields).encode("ascii")).hexdigest()


def _plain(value: Any) -> Any:
    """The value as every database gives it back: jsonb writes a float without a fraction as a whole number."""
    if isinstance(value, float) and value.is_integer():
        return int(Decimal(repr(value)))
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError(f"a key that is no text is not JSON: {list(value)}")
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
