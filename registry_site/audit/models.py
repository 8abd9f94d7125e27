"""The history, and the queue that is fed from it."""

from django.db import models

from registry_site.audit.kinds import Kind, Origin


class Activity(models.Model):
    """One immutable line of history. Plain values and no foreign keys: it outlives everything that it tells of."""

    at = models.DateTimeField()
    kind = models.CharField(max_length=40, choices=[(kind.value, kind.value) for kind in Kind])
    origin = models.CharField(max_length=10, choices=[(origin.value, origin.value) for origin in Origin])
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=150)
    registered_model_id = models.BigIntegerField(null=True)
    subject = models.CharField(max_length=700, help_text="what it tells of, as it was named then")
    version = models.BigIntegerField(null=True)
    request_number = models.BigIntegerField(null=True)
    comment = models.TextField(blank=True)
    data = models.JSONField(default=dict, help_text="old and new values; never a secret")

    class Meta:
        verbose_name_plural = "activities"
        indexes = [
            models.Index(fields=["registered_model_id", "version", "-id"], name="activity_by_model"),
            models.Index(fields=["kind", "-id"], name="activity_by_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.kind} {self.subject}"


class OutboxEntry(models.Model):
    """An activity that nobody has been told of yet. Deleted in the transaction that writes down whom to tell."""

    activity = models.OneToOneField(Activity, on_delete=models.CASCADE)
    due_at = models.DateTimeField(db_index=True, help_text="claimed by moving it into the future")
    attempts = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "outbox entries"

    def __str__(self) -> str:
        return f"outbox entry of activity {self.activity_id}"
