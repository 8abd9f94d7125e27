"""How history names webhooks, and what it keeps of one."""

from typing import Any
from urllib.parse import urlsplit

from registry_site.audit.record import Subject
from registry_site.webhooks.models import Webhook


def subject_of(webhook: Webhook) -> Subject:
    """A webhook; that of one registered model is in the history of that model."""
    return Subject(f"webhook {webhook.name}", registered_model_id=webhook.registered_model_id)


def told_of(webhook: Webhook) -> dict[str, Any]:
    """What history keeps: of the address the host only, since a path may be as good as a password."""
    return {
        "webhook_id": webhook.webhook_id,
        "name": webhook.name,
        "format": webhook.format,
        "host": urlsplit(webhook.url).netloc,
        "events": list(webhook.events),
        "status": str(webhook.status),
        "signed": bool(webhook.encrypted_secret),
    }
