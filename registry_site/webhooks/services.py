"""Writing webhooks, and trying them out. Who hears of the registry is a matter for administrators.

An address is checked before the transaction: that asks a name server, and nobody is to wait for one to write.
"""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from registry_site.accounts.actors import Actor
from registry_site.audit.kinds import Kind
from registry_site.audit.record import Subject, record
from registry_site.core import clock
from registry_site.core.errors import InvalidParameter
from registry_site.webhooks import client, queries
from registry_site.webhooks.deliveries import attempt
from registry_site.webhooks.events import Event, example_of
from registry_site.webhooks.models import Webhook, WebhookStatus, new_id
from registry_site.webhooks.secrets import encrypt
from registry_site.webhooks.signing import body_of

_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?", re.IGNORECASE)
ACTIVE = WebhookStatus.ACTIVE
DESCRIPTION_LIMIT = 5000
SECRET_LIMIT = 1000


def create_webhook(
    actor: Actor,
    *,
    name: str,
    url: str,
    events: Sequence[Event],
    description: str = "",
    secret: str = "",
    status: WebhookStatus = ACTIVE,
) -> Webhook:
    """A new webhook for the whole registry. Needs an administrator.

    Raises InvalidParameter for an odd name, an address that deliveries may not go to, and events twice or none.
    """
    actor.require_admin()
    now = clock.now_ms()
    webhook = Webhook(
        name=_checked_name(name),
        url=client.validate_url(url),
        events=_checked_events(events),
        description=_checked_text(description, DESCRIPTION_LIMIT, "description"),
        encrypted_secret=encrypt(_checked_text(secret, SECRET_LIMIT, "secret")),
        status=status,
        created_by_id=actor.user_id,
        creation_timestamp=now,
        last_updated_timestamp=now,
    )
    with transaction.atomic():
        webhook.save(force_insert=True)
        record(actor, Kind.WEBHOOK_CREATED, _subject(webhook), **_told(webhook))
    return webhook


def update_webhook(
    actor: Actor,
    *,
    webhook_id: str,
    name: str | None = None,
    url: str | None = None,
    events: Sequence[Event] | None = None,
    description: str | None = None,
    secret: str | None = None,
    status: WebhookStatus | None = None,
) -> Webhook:
    """Change what is given. Needs an administrator. Raises NotFound, and what `create_webhook` raises."""
    actor.require_admin()
    if url is not None:
        client.validate_url(url)
    with transaction.atomic():
        webhook = _locked(webhook_id)
        before = _told(webhook)
        if name is not None:
            webhook.name = _checked_name(name)
        if url is not None:
            webhook.url = url
        if events is not None:
            webhook.events = _checked_events(events)
        if description is not None:
            webhook.description = _checked_text(description, DESCRIPTION_LIMIT, "description")
        if secret is not None:
            webhook.encrypted_secret = encrypt(_checked_text(secret, SECRET_LIMIT, "secret"))
        if status is not None:
            webhook.status = status
        webhook.last_updated_timestamp = clock.now_ms()
        webhook.save()
        after = _told(webhook) | {"new_secret": secret is not None}
        record(actor, Kind.WEBHOOK_UPDATED, _subject(webhook), before=before, after=after)
    return webhook


@transaction.atomic
def delete_webhook(actor: Actor, *, webhook_id: str) -> None:
    """Remove a webhook with its deliveries. Needs an administrator. Raises NotFound."""
    actor.require_admin()
    webhook = _locked(webhook_id)
    record(actor, Kind.WEBHOOK_DELETED, _subject(webhook), **_told(webhook))
    webhook.delete()


def try_webhook(actor: Actor, *, webhook_id: str, event: Event | None = None) -> client.Outcome:
    """Send an example of an event, by default of the webhook's first, and say what came of it. Needs an administrator.

    A disabled webhook can be tried too. Raises NotFound.
    """
    webhook = queries.get_webhook(actor, webhook_id)
    event = event or Event(webhook.events[0])
    return attempt(webhook, new_id(), body_of(event, example_of(event), clock.now()))


def parse_status(word: str) -> WebhookStatus | None:
    """The status of this name, if it is one."""
    return WebhookStatus(word) if word in WebhookStatus.values else None


def _locked(webhook_id: str) -> Webhook:
    webhook = Webhook.objects.select_for_update().filter(webhook_id=webhook_id).first()
    if webhook is None:
        raise queries.webhook_not_found(webhook_id)
    return webhook


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise InvalidParameter(
            f"Webhook name '{name[:100]}' is invalid: it has 1 to 63 letters, digits, dots, underscores and hyphens, "
            "and begins and ends with a letter or digit.",
            field="name",
        )
    return name


def _checked_events(events: Sequence[Event]) -> list[str]:
    if not events:
        raise InvalidParameter("A webhook needs at least one event.", field="events")
    if len(set(events)) < len(events):
        raise InvalidParameter("An event is named twice; name each once.", field="events")
    return [event.value for event in events]


def _checked_text(text: str, most: int, field: str) -> str:
    if len(text) > most:
        raise InvalidParameter(f"'{field}' has {most} characters at most.", field=field)
    return text


def _subject(webhook: Webhook) -> Subject:
    return Subject(f"webhook {webhook.name}")


def _told(webhook: Webhook) -> dict[str, Any]:
    """What history keeps: of the address the host only, since a path may be as good as a password."""
    return {
        "webhook_id": webhook.webhook_id,
        "name": webhook.name,
        "host": urlsplit(webhook.url).netloc,
        "events": list(webhook.events),
        "status": str(webhook.status),
        "signed": bool(webhook.encrypted_secret),
    }
