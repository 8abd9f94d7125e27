"""Mails: each is a row first, so that it survives whatever happens to the process that sends it."""

from django.conf import settings
from django.db import models

from registry_site.accounts.purposes import CHOICES as PURPOSE_CHOICES


class MailState(models.TextChoices):
    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


class Mail(models.Model):
    """One mail to one person, mostly about one activity. Claimed by moving `due_at` into the future."""

    activity_id = models.BigIntegerField(null=True, blank=True)
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mails")
    address = models.EmailField()
    subject = models.CharField(max_length=300)
    text = models.TextField()
    html = models.TextField()
    thread = models.CharField(max_length=100, blank=True, help_text="mails about the same request share it")
    link = models.CharField(
        max_length=10,
        choices=PURPOSE_CHOICES,
        blank=True,
        help_text="a fresh link for this is written into the mail when it is sent; it stands nowhere else",
    )
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


class PasswordWish(models.Model):
    """Somebody asked for a new password by mail. Whether there is such a person is looked up in the background, so that
    the answer takes as long for a stranger's name as for anybody's."""

    asked = models.CharField(max_length=254, help_text="a user name or an address, as it was typed")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.asked
