"""The history, and the queue that is fed from it."""

from django.db import models

from registry_site.audit.chain import START


class Activity(models.Model):
    """One immutable line of history. Plain values and no foreign keys: it outlives everything that it tells of.

    The database refuses to change and to delete one (see the migration `append_only`), and each is chained to the one
    before it (see `chain`).
    """

    at = models.DateTimeField(db_index=True)
    kind = models.CharField(max_length=40, help_text="a value of `Kind`; a new one takes no migration")
    origin = models.CharField(max_length=10)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=150)
    registered_model_id = models.BigIntegerField(null=True)
    subject = models.CharField(max_length=700, help_text="what it tells of, as it was named then")
    version = models.BigIntegerField(null=True)
    request_number = models.BigIntegerField(null=True)
    comment = models.TextField(blank=True)
    data = models.JSONField(default=dict, help_text="old and new values; never a secret")
    chain = models.BigIntegerField(help_text="the registered model, or 0 for the site")
    previous_hash = models.CharField(max_length=64, help_text="of the activity before it in its chain")
    hash = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = "activities"
        constraints = [models.UniqueConstraint(fields=["chain", "previous_hash"], name="activity_follows_one")]
        indexes = [
            models.Index(fields=["chain", "id"], name="activity_by_chain"),
            models.Index(fields=["registered_model_id", "version", "-id"], name="activity_by_model"),
            models.Index(fields=["kind", "-id"], name="activity_by_kind"),
            models.Index(fields=["actor_name", "-id"], name="activity_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.kind} {self.subject}"


class ChainHead(models.Model):
    """The end of a chain: what the next activity of it follows, and whose row is locked until that one is written.

    It also tells when activities were taken off the end, which the chain by itself cannot.
    """

    chain = models.BigIntegerField(primary_key=True)
    hash = models.CharField(max_length=64, default=START)

    def __str__(self) -> str:
        return f"end of chain {self.chain}"


class OutboxEntry(models.Model):
    """An activity that nobody has been told of yet. Deleted in the transaction that writes down whom to tell."""

    activity = models.OneToOneField(Activity, on_delete=models.CASCADE)
    due_at = models.DateTimeField(db_index=True, help_text="claimed by moving it into the future")
    attempts = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "outbox entries"

    def __str__(self) -> str:
        return f"outbox entry of activity {self.activity_id}"
