"""What each list has in its file: the names of the columns, and what they say of a row.

Names stay as they are: scripts read them. Times are whole, and what is cut or coloured on a page is as it was written.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from registry_site.pages.exports import Columns, time_of_ms
from registry_site.pages.run_table import Column


def _name_of(person: Any) -> str | None:
    return person.username if person else None


def _number_of(version: Any) -> int | None:
    return version.version if version else None


def tags_of(tags: Iterable[Any]) -> dict[str, str]:
    """Tags by key."""
    return {tag.key: tag.value for tag in sorted(tags, key=lambda tag: tag.key)}


MODELS: Columns[Any] = {
    "name": lambda row: row.model.name,
    "description": lambda row: row.model.description,
    "owner": lambda row: _name_of(row.model.owner),
    "production": lambda row: _number_of(row.production),
    "staging": lambda row: _number_of(row.staging),
    "latest": lambda row: _number_of(row.latest),
    "pending_request": lambda row: row.pending.number if row.pending else None,
    "unsafe_versions": lambda row: sorted(
        one.version for one in (row.production, row.staging, row.latest) if one and one.pk in row.unsafe
    ),
    "tags": lambda row: tags_of(row.model.tags.all()),
    "created_at": lambda row: time_of_ms(row.model.creation_timestamp),
    "changed_at": lambda row: time_of_ms(row.model.last_updated_timestamp),
}
VERSIONS: Columns[Any] = {
    "version": lambda row: row.version.version,
    "stage": lambda row: row.version.current_stage,
    "aliases": lambda row: row.aliases,
    "description": lambda row: row.version.description,
    "run_id": lambda row: row.version.run_id,
    "run_name": lambda row: row.run_name if row.run_url else "",
    "source": lambda row: row.version.source,
    "pending_request": lambda row: row.pending.number if row.pending else None,
    "scan": lambda row: row.scan.removeprefix("scan_"),
    "tags": lambda row: tags_of(row.version.tags.all()),
    "registered_by": lambda row: row.version.user_id,
    "registered_at": lambda row: time_of_ms(row.version.creation_timestamp),
    "changed_at": lambda row: time_of_ms(row.version.last_updated_timestamp),
}
REQUESTS: Columns[Any] = {
    "model": lambda row: row.request.registered_model.name,
    "number": lambda row: row.request.number,
    "version": lambda row: row.request.version,
    "from_stage": lambda row: row.request.from_stage,
    "to_stage": lambda row: row.request.to_stage,
    "copy_to": lambda row: row.request.target_name if row.request.is_copy else None,
    "state": lambda row: row.request.state,
    "approvals": lambda row: row.outcome.approvals,
    "approvals_required": lambda row: row.required,
    "gates_passed": lambda row: row.gates_passed,
    "gates": lambda row: len(row.outcome.gates),
    "requester": lambda row: row.request.requester_name,
    "comment": lambda row: row.request.comment,
    "created_at": lambda row: row.request.created_at,
    "expires_at": lambda row: row.request.expires_at,
    "decided_at": lambda row: row.request.decided_at,
    "decided_by": lambda row: row.request.decided_by_name,
}
NOTIFICATIONS: Columns[Any] = {
    "id": lambda row: row.notification.pk,
    "at": lambda row: row.notification.created_at,
    "why": lambda row: row.notification.why,
    "who": lambda row: row.notification.activity.actor_name,
    "kind": lambda row: row.notification.activity.kind,
    "about": lambda row: row.about,
    "version": lambda row: row.notification.activity.version,
    "request": lambda row: row.notification.activity.request_number,
    "read_at": lambda row: row.notification.read_at,
    "done_at": lambda row: row.notification.done_at,
}
EXPERIMENTS: Columns[Any] = {
    "id": lambda row: row["experiment"].pk,
    "name": lambda row: row["experiment"].name,
    "state": lambda row: row["experiment"].lifecycle_stage,
    "runs": lambda row: row["run_count"],
    "last_run_at": lambda row: time_of_ms(row["last_start_time"]),
    "tags": lambda row: tags_of(row["experiment"].tags.all()),
    "created_at": lambda row: time_of_ms(row["experiment"].creation_time),
    "changed_at": lambda row: time_of_ms(row["experiment"].last_update_time),
}
PEOPLE: Columns[Any] = {
    "username": lambda user: user.username,
    "display_name": lambda user: user.display_name,
    "email": lambda user: user.email,
    "state": lambda user: user.state,
    "is_administrator": lambda user: user.is_superuser,
    "groups": lambda user: sorted(group.name for group in user.groups.all()),
    "last_sign_in_at": lambda user: user.last_login,
}
GROUPS: Columns[Any] = {
    "name": lambda group: group.name,
    "people": lambda group: group.people,
    "members": lambda group: sorted(user.username for user in group.user_set.all()),
}
MAILS: Columns[Any] = {
    "id": lambda mail: mail.pk,
    "subject": lambda mail: mail.subject,
    "to": lambda mail: mail.address,
    "recipient": lambda mail: mail.recipient.username,
    "why": lambda mail: mail.why,
    "state": lambda mail: mail.state,
    "attempts": lambda mail: mail.attempts,
    "error": lambda mail: mail.error,
    "created_at": lambda mail: mail.created_at,
    "due_at": lambda mail: mail.due_at,
    "sent_at": lambda mail: mail.sent_at,
}
STAYS: Columns[Any] = {
    "version": lambda stay: stay.version,
    "stage": lambda stay: stay.came.data.get("to_stage"),
    "from": lambda stay: stay.came.at,
    "until": lambda stay: stay.left.at if stay.left else None,
    "request": lambda stay: stay.came.request_number,
    "who": lambda stay: stay.came.actor_name,
    "comment": lambda stay: stay.came.comment,
    "is_rollback": lambda stay: stay.is_rollback,
    "bypass": lambda stay: stay.bypass,
    "version_is_deleted": lambda stay: not stay.exists,
}
WEBHOOKS: Columns[Any] = {
    "id": lambda row: row["webhook"].webhook_id,
    "name": lambda row: row["webhook"].name,
    "model": lambda row: row["webhook"].registered_model.name if row["webhook"].registered_model else None,
    "format": lambda row: row["webhook"].format,
    "host": lambda row: row["host"],  # the rest of the address may be as good as a password
    "events": lambda row: row["webhook"].events,
    "state": lambda row: row["state"],
    "failures_in_a_row": lambda row: row["webhook"].failures_in_a_row,
    "created_at": lambda row: time_of_ms(row["webhook"].creation_timestamp),
}
DELIVERIES: Columns[Any] = {
    "id": lambda delivery: delivery.delivery_id,
    "event": lambda delivery: delivery.event,
    "state": lambda delivery: delivery.state,
    "created_at": lambda delivery: delivery.created_at,
    "due_at": lambda delivery: delivery.due_at,
    "attempts": lambda delivery: delivery.attempts,
    "attempted_at": lambda delivery: delivery.attempted_at,
    "duration_ms": lambda delivery: delivery.duration_ms,
    "response_status": lambda delivery: delivery.response_status,
    "error": lambda delivery: delivery.error,
}
QUEUES: Columns[Any] = {
    "queue": lambda queue: queue.name,
    "due": lambda queue: queue.due,
    "oldest": lambda queue: queue.oldest,
    "later": lambda queue: queue.later,
    "failed": lambda queue: queue.failed,
}


def of_runs(columns: Sequence[Column]) -> Columns[Any]:
    """The columns of runs, with those metrics and params that were chosen."""
    return {
        "run_id": lambda row: row.run.run_id,
        "name": lambda row: row.run.run_name,
        "status": lambda row: row.run.status,
        "started_at": lambda row: time_of_ms(row.run.start_time),
        "ended_at": lambda row: time_of_ms(row.run.end_time),
        "duration_ms": lambda row: row.duration_ms,
        "parent_run_id": lambda row: row.parent_id or None,
        "user": lambda row: row.run.user_id,
        **{column.name: _cell(place) for place, column in enumerate(columns)},
        "versions": lambda row: [f"{one.name}/{one.version}" for one in row.versions],
        "datasets": lambda row: [one.dataset.name for one in row.run.dataset_inputs.all()],
        "tags": lambda row: tags_of(row.tags),
    }


def _cell(place: int) -> Any:
    return lambda row: row.cells[place][1]
