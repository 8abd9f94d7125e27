"""Writing webhooks, trying them out, and sending again. Who hears of the whole registry is a matter for administrators,
who hears of one model for those who manage it.

An address is checked before the transaction: that asks a name server, and nobody is to wait for one to write.
"""

import base64
import re
import secrets
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from registry_site.accounts.actors import Actor
from registry_site.audit.kinds import Kind
from registry_site.audit.record import record
from registry_site.core import clock
from registry_site.core.errors import Conflict, InvalidParameter
from registry_site.registry import access
from registry_site.registry.locking import lock_model
from registry_site.registry.models import RegisteredModel
from registry_site.webhooks import client, queries
from registry_site.webhooks.deliveries import attempt
from registry_site.webhooks.formats import Format, checked_events, example_body
from registry_site.webhooks.models import Delivery, DeliveryState, Webhook, WebhookStatus, new_id
from registry_site.webhooks.secrets import encrypt
from registry_site.webhooks.standard import SECRET_PREFIX, secret_bytes
from registry_site.webhooks.subjects import subject_of, told_of

_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?", re.IGNORECASE)
_PRINTABLE = re.compile(r"[\x20-\x7e]*")
_DISPATCHES = re.compile(r"/(?:[^/]+/)*repos/[^/]+/[^/]+/dispatches")
ACTIVE, DISABLED = WebhookStatus.ACTIVE, WebhookStatus.DISABLED
DESCRIPTION_LIMIT = 5000
SECRET_LIMIT = 1000
SECRET_AT_LEAST = 8  # characters
OLD_SECRET_LASTS = timedelta(hours=24)
_PRUNED_AT_ONCE = 1000


def create_webhook(
    actor: Actor,
    *,
    name: str,
    url: str,
    events: Sequence[str],
    description: str = "",
    secret: str = "",
    status: WebhookStatus = ACTIVE,
    format: Format = Format.MLFLOW,
    model: str | None = None,
    authorization: str = "",
) -> Webhook:
    """A new webhook: for one registered model, which needs CAN_MANAGE on it, or for the whole registry, which needs an
    administrator.

    The format `standard` needs a secret (see `new_secret`), and `github_dispatch` a token of GitHub's in its place.
    Raises NotFound for an unknown model, InvalidParameter for an odd name, an address that deliveries may not go to,
    events twice, none, or of another format, and a secret that is too short or not of the format.
    """
    about = _model(actor, model)
    queries.require_webhooks(actor, about)
    now = clock.now_ms()
    webhook = Webhook(
        name=_checked_name(name),
        url=_checked_url(format, url),
        format=format.value,
        registered_model=about,
        events=checked_events(format, events, of_a_model=about is not None),
        description=_checked_text(description, DESCRIPTION_LIMIT, "description"),
        encrypted_secret=encrypt(_checked_secret(format, secret)),
        encrypted_authorization=encrypt(_checked_header(authorization)),
        status=status,
        created_by_id=actor.user_id,
        creation_timestamp=now,
        last_updated_timestamp=now,
    )
    with transaction.atomic():
        if about is not None and lock_model(about.name) is None:
            raise access.model_not_found(about.name)
        webhook.save(force_insert=True)
        record(actor, Kind.WEBHOOK_CREATED, subject_of(webhook), **told_of(webhook))
    return webhook


def update_webhook(
    actor: Actor,
    *,
    webhook_id: str,
    name: str | None = None,
    url: str | None = None,
    events: Sequence[str] | None = None,
    description: str | None = None,
    secret: str | None = None,
    status: WebhookStatus | None = None,
    authorization: str | None = None,
) -> Webhook:
    """Change what is given; format and model stay. Needs what `create_webhook` needs, and raises what that raises, and
    NotFound. To make one active again ends its rest."""
    format = Format(queries.get_webhook(actor, webhook_id).format)
    if url is not None:
        _checked_url(format, url)
    with transaction.atomic():
        webhook = _locked(actor, webhook_id)
        before = told_of(webhook)
        if name is not None:
            webhook.name = _checked_name(name)
        if url is not None:
            webhook.url = url
        if events is not None:
            webhook.events = checked_events(format, events, of_a_model=webhook.registered_model_id is not None)
        if description is not None:
            webhook.description = _checked_text(description, DESCRIPTION_LIMIT, "description")
        if secret is not None:
            webhook.encrypted_secret = encrypt(_checked_secret(format, secret))
            webhook.encrypted_old_secret, webhook.old_secret_until = "", None
        if authorization is not None:
            webhook.encrypted_authorization = encrypt(_checked_header(authorization))
        if status is not None:
            webhook.status = status
            if status is ACTIVE:
                webhook.parked_at, webhook.rests_until, webhook.failures_in_a_row = None, None, 0
        webhook.last_updated_timestamp = clock.now_ms()
        webhook.save(update_fields=_CHANGED_BY_PEOPLE)
        after = told_of(webhook) | {"new_secret": secret is not None}
        record(actor, Kind.WEBHOOK_UPDATED, subject_of(webhook), before=before, after=after)
    return webhook


# Not `busy_until`, which belongs to the worker that is sending at this moment.
_CHANGED_BY_PEOPLE = (
    "name", "url", "events", "description", "encrypted_secret", "encrypted_old_secret", "old_secret_until",
    "encrypted_authorization", "status", "parked_at", "rests_until", "failures_in_a_row", "last_updated_timestamp",
)  # fmt: skip


def rotate_secret(actor: Actor, *, webhook_id: str, secret: str = "") -> str:
    """Give a webhook another secret, a fresh one if none is given, and return it: it is not to be had again.

    For a day deliveries of the standard format are signed with the one before, too. Needs what `create_webhook` needs.
    Raises NotFound, and InvalidParameter for a bad secret, and for none where it is a token that somebody else makes.
    """
    format = Format(queries.get_webhook(actor, webhook_id).format)
    secret = _checked_secret(format, secret or new_secret(format))
    with transaction.atomic():
        webhook = _locked(actor, webhook_id)
        before = told_of(webhook)
        webhook.encrypted_old_secret = webhook.encrypted_secret
        webhook.old_secret_until = clock.now() + OLD_SECRET_LASTS
        webhook.encrypted_secret = encrypt(secret)
        webhook.last_updated_timestamp = clock.now_ms()
        webhook.save(update_fields=_CHANGED_BY_PEOPLE)
        after = told_of(webhook) | {"new_secret": True}
        record(actor, Kind.WEBHOOK_UPDATED, subject_of(webhook), before=before, after=after)
    return secret


def new_secret(format: Format) -> str:
    """A fresh secret for this format; "" where it is a token that somebody else makes."""
    if format is Format.GITHUB_DISPATCH:
        return ""
    if format is Format.STANDARD:
        return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
    return secrets.token_urlsafe(32)


@transaction.atomic
def delete_webhook(actor: Actor, *, webhook_id: str) -> None:
    """Remove a webhook with its deliveries. Needs what `create_webhook` needs. Raises NotFound."""
    webhook = _locked(actor, webhook_id)
    record(actor, Kind.WEBHOOK_DELETED, subject_of(webhook), **told_of(webhook))
    webhook.delete()


def try_webhook(actor: Actor, *, webhook_id: str, event: str | None = None) -> client.Outcome:
    """Send an example of an event, by default of the webhook's first, and say what came of it. Needs what
    `create_webhook` needs.

    A disabled webhook can be tried too. Raises NotFound, and InvalidParameter for an event of another format.
    """
    actor.require_write()
    webhook = queries.get_webhook(actor, webhook_id)
    format, model = Format(webhook.format), webhook.registered_model
    [event] = checked_events(format, [event or webhook.events[0]], of_a_model=model is not None)
    delivery_id = new_id()
    body = example_body(
        format,
        event,
        model=model.name if model else "example",
        site=settings.PODIUM_SITE_URL,
        at=clock.now(),
        webhook_id=webhook.webhook_id,
        delivery_id=delivery_id,
    )
    return attempt(webhook, delivery_id, body)


@transaction.atomic
def send_again(actor: Actor, *, delivery_id: str) -> Delivery:
    """Have a delivery sent once more, now, with the same id and body, and with a fresh count of attempts. Needs what
    `create_webhook` needs. Raises NotFound, and Conflict while its webhook is not active."""
    found = queries.get_delivery(actor, delivery_id)
    webhook = _locked(actor, found.webhook.webhook_id)
    if webhook.status != ACTIVE:
        raise Conflict(f"The webhook {webhook.name} is not active: enable it, and send again.")
    now = clock.now()
    Delivery.objects.filter(pk=found.pk).update(state=DeliveryState.PENDING, due_at=now, attempts=0)
    Webhook.objects.filter(pk=webhook.pk).update(rests_until=None)
    record(actor, Kind.WEBHOOK_SENT_AGAIN, subject_of(webhook), delivery_id=delivery_id, event=found.event)
    return queries.get_delivery(actor, delivery_id)


def prune_deliveries() -> int:
    """Remove deliveries that ended, or whose webhook is not active, longer ago than
    `PODIUM_WEBHOOK_DELIVERIES_KEPT_DAYS`, with their attempts. Returns how many."""
    old = clock.now() - timedelta(days=settings.PODIUM_WEBHOOK_DELIVERIES_KEPT_DAYS)
    over = Delivery.objects.filter(
        ~Q(state=DeliveryState.PENDING) | ~Q(webhook__status=ACTIVE),
        Q(attempted_at__lt=old) | Q(attempted_at=None),
        created_at__lt=old,
    )
    pruned = 0
    while keys := list(over.order_by("pk").values_list("pk", flat=True)[:_PRUNED_AT_ONCE]):
        Delivery.objects.filter(pk__in=keys).delete()
        pruned += len(keys)
    return pruned


def parse_status(word: str) -> WebhookStatus | None:
    """The status of this name, if it is one."""
    return WebhookStatus(word) if word in WebhookStatus.values else None


# -- what they share ---------------------------------------------------------------------------------------------------
def _model(actor: Actor, name: str | None) -> RegisteredModel | None:
    if name is None:
        return None
    found = access.visible_models(actor).filter(name=name).first()
    if found is None:
        raise access.model_not_found(name)
    return found


def _locked(actor: Actor, webhook_id: str) -> Webhook:
    """The webhook of somebody who may change it, locked; its model is locked before, as whoever deletes that does."""
    seen = queries.get_webhook(actor, webhook_id)
    if seen.registered_model is not None:
        lock_model(seen.registered_model.name)
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


def _checked_url(format: Format, url: str) -> str:
    client.validate_url(url)
    if format is Format.GITHUB_DISPATCH and not _DISPATCHES.fullmatch(urlsplit(url).path):
        raise InvalidParameter(
            f"Invalid webhook URL '{url[:200]}': GitHub takes dispatches at "
            "https://api.github.com/repos/OWNER/REPOSITORY/dispatches.",
            field="url",
        )
    return url


def _checked_secret(format: Format, secret: str) -> str:
    if format is Format.STANDARD:
        secret_bytes(secret)
        return secret
    if format is Format.GITHUB_DISPATCH and not secret:
        raise InvalidParameter("A dispatch needs a token of GitHub's as its secret.", field="secret")
    if secret and len(secret) < SECRET_AT_LEAST:
        raise InvalidParameter(
            f"The secret is too short: it has {SECRET_AT_LEAST} characters at least.", field="secret"
        )
    if format is Format.GITHUB_DISPATCH:
        _checked_header(secret, "secret")
    return _checked_text(secret, SECRET_LIMIT, "secret")


def _checked_header(value: str, field: str = "authorization") -> str:
    if not _PRINTABLE.fullmatch(value):
        raise InvalidParameter(f"'{field}' is sent in a header: it has printable ASCII characters only.", field=field)
    return _checked_text(value, SECRET_LIMIT, field)


def _checked_text(text: str, most: int, field: str) -> str:
    if len(text) > most:
        raise InvalidParameter(f"'{field}' has {most} characters at most.", field=field)
    return text
