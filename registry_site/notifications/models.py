"""Mails: each is a row first, so that it survives whatever happens to the process that sends it."""

from django.conf import settings
from django.db import models


class MailState(models.TextChoices):
    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


class Mail(models.Model):
    """One mail to one person about one activity. Claimed by moving `due_at` into the future."""

    activity_id = models.BigIntegerField()
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mails")
    address = models.EmailField()
    subject = models.CharField(max_length=300)
    text = models.TextField()
    html = models.TextField()
    thread = models.CharField(max_length=100, blank=True, help_text="mails about the same request share it")
    state = models.CharField(max_length=10, choices=MailState.choices, default=MailState.QUEUED)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["activity_id", "recipient"], name="one_mail_per_activity")]
        indexes = [models.Index(fields=["state", "due_at"], name="mails_by_due_time")]

    def __str__(self) -> str:
        return f"{self.subject} to {self.address}"
