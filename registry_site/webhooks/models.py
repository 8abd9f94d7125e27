"""Webhooks and what they are to be told. A delivery is a row first, so that it survives whatever happens to the
process that sends it."""

import uuid

from django.conf import settings
from django.db import models

from registry_site.registry.models import RegisteredModel
from registry_site.webhooks.formats import Format


class WebhookStatus(models.TextChoices):
    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"
    TEST_MODE = "TEST_MODE"  # told of tests alone; a word of Databricks' registry


class DeliveryState(models.TextChoices):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


def new_id() -> str:
    """A fresh UUID as text, by which others know a webhook or a delivery."""
    return str(uuid.uuid4())


class Webhook(models.Model):
    """An address that is told of what happens in the registry, or with one registered model.

    What is secret of it is encrypted (see `secrets`).
    """

    webhook_id = models.CharField(max_length=36, unique=True, default=new_id)
    name = models.CharField(max_length=63)
    url = models.CharField(max_length=2000)
    description = models.TextField(blank=True)
    format = models.CharField(
        max_length=20, choices=[(each.value, each.value) for each in Format], default=Format.MLFLOW.value
    )
    registered_model = models.ForeignKey(
        RegisteredModel,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="webhooks",
        help_text="what it is about; the whole registry without one",
    )
    events = models.JSONField(help_text="names of events in its format; `*` is all of them")
    status = models.CharField(max_length=10, choices=WebhookStatus.choices, default=WebhookStatus.ACTIVE)
    encrypted_secret = models.TextField(blank=True)
    encrypted_old_secret = models.TextField(blank=True, help_text="the one before, which still signs for a while")
    old_secret_until = models.DateTimeField(null=True, blank=True)
    encrypted_authorization = models.TextField(blank=True, help_text="the value of the Authorization header")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    busy_until = models.DateTimeField(null=True, help_text="claimed by a worker that sends its deliveries")
    rests_until = models.DateTimeField(null=True, help_text="nothing is sent before, because the last attempt failed")
    failures_in_a_row = models.PositiveIntegerField(default=0)
    parked_at = models.DateTimeField(null=True, blank=True, help_text="disabled, because it had only failed for days")
    creation_timestamp = models.BigIntegerField(help_text="milliseconds")
    last_updated_timestamp = models.BigIntegerField(help_text="milliseconds")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(status__in=WebhookStatus.values), name="webhook_status_is_known"),
            models.CheckConstraint(
                condition=models.Q(format__in=[each.value for each in Format]), name="webhook_format_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Delivery(models.Model):
    """One event for one webhook, due at `due_at` while it is pending."""

    delivery_id = models.CharField(max_length=36, unique=True, default=new_id, help_text="the same at every attempt")
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    activity_id = models.BigIntegerField()
    event = models.CharField(max_length=60)
    body = models.TextField()
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.PENDING)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0, help_text="since it was made, or sent again by hand")
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
        indexes = [
            models.Index(fields=["state", "due_at"], name="deliveries_by_due_time"),
            models.Index(fields=["webhook", "state", "activity_id"], name="deliveries_in_order"),
            models.Index(fields=["webhook", "-id"], name="deliveries_of_a_webhook"),
        ]

    def __str__(self) -> str:
        return f"{self.event} for {self.webhook}"


class DeliveryAttempt(models.Model):
    """One try of a delivery, and what came of it."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="tries")
    at = models.DateTimeField(help_text="when it was over")
    duration_ms = models.PositiveIntegerField()
    response_status = models.PositiveIntegerField(null=True, help_text="none without an answer")
    error = models.TextField(blank=True, help_text="why it failed")
    answer = models.TextField(blank=True, help_text="the beginning of it, from hosts that are allowed by name only")

    def __str__(self) -> str:
        return f"attempt {self.pk} of delivery {self.delivery_id}"
