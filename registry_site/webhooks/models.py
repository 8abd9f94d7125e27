"""Webhooks and what they are to be told. A delivery is a row first, so that it survives whatever happens to the
process that sends it."""

import uuid

from django.conf import settings
from django.db import models


class WebhookStatus(models.TextChoices):
    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"


class DeliveryState(models.TextChoices):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


def new_id() -> str:
    """A fresh UUID as text, by which others know a webhook or a delivery."""
    return str(uuid.uuid4())


class Webhook(models.Model):
    """An address that is told of what happens in the registry. The secret is encrypted (see `secrets`)."""

    webhook_id = models.CharField(max_length=36, unique=True, default=new_id)
    name = models.CharField(max_length=63)
    url = models.CharField(max_length=2000)
    description = models.TextField(blank=True)
    events = models.JSONField(help_text="values of `events.Event`")
    status = models.CharField(max_length=10, choices=WebhookStatus.choices, default=WebhookStatus.ACTIVE)
    encrypted_secret = models.TextField(blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    busy_until = models.DateTimeField(null=True, help_text="claimed by a worker that sends its deliveries")
    creation_timestamp = models.BigIntegerField(help_text="milliseconds")
    last_updated_timestamp = models.BigIntegerField(help_text="milliseconds")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(status__in=WebhookStatus.values), name="webhook_status_is_known")
        ]

    def __str__(self) -> str:
        return self.name


class Delivery(models.Model):
    """One event for one webhook, due at `due_at` while it is pending."""

    delivery_id = models.CharField(max_length=36, unique=True, default=new_id, help_text="the same at every attempt")
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    activity_id = models.BigIntegerField()
    event = models.CharField(max_length=40)
    body = models.TextField()
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.PENDING)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    attempted_at = models.DateTimeField(null=True, help_text="the last time")
    duration_ms = models.PositiveIntegerField(null=True, help_text="of the last attempt")
    response_status = models.PositiveIntegerField(null=True, help_text="of the last attempt; none without an answer")
    error = models.TextField(blank=True, help_text="why the last attempt failed")

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["webhook", "activity_id", "event"], name="one_delivery_per_activity"),
            models.CheckConstraint(condition=models.Q(state__in=DeliveryState.values), name="delivery_state_is_known"),
        ]
        indexes = [models.Index(fields=["state", "due_at"], name="deliveries_by_due_time")]

    def __str__(self) -> str:
        return f"{self.event} for {self.webhook}"
