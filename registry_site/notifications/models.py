"""What people are told, on the site and by mail, and what they want to be told.

A mail is a row first, so that it survives whatever happens to the process that sends it.
"""

from django.conf import settings
from django.db import models

from registry_site.accounts.purposes import CHOICES as PURPOSE_CHOICES
from registry_site.audit.models import Activity
from registry_site.notifications.audience import Way, Why
from registry_site.registry.models import RegisteredModel

WHY_CHOICES = [(why.value, why.value) for why in Why]
WAY_CHOICES = [(way.value, way.value) for way in Way]


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
    why = models.CharField(
        max_length=10, choices=WHY_CHOICES, blank=True, help_text="the reason that a link in it ends mails for"
    )
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


class Notification(models.Model):
    """One person told of one activity, and why. New, then read, then done: what is done leaves the list."""

    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications")
    activity = models.ForeignKey(Activity, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    registered_model = models.ForeignKey(
        RegisteredModel, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    why = models.CharField(max_length=10, choices=WHY_CHOICES)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    digest_at = models.DateTimeField(
        null=True, blank=True, help_text="when it goes into a daily mail; empty when it did, or never does"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["activity", "recipient"], name="one_notification_per_activity")]
        indexes = [
            models.Index(fields=["recipient", "-id"], name="notifications_of_a_person"),
            models.Index(
                fields=["recipient"],
                name="notifications_unread",
                condition=models.Q(read_at__isnull=True, done_at__isnull=True),
            ),
            models.Index(
                fields=["digest_at"], name="notifications_to_digest", condition=models.Q(digest_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.activity_id} to {self.recipient_id}"


class Following(models.Model):
    """Somebody wants to hear of a registered model."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    registered_model = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["registered_model", "user"], name="followed_once")]

    def __str__(self) -> str:
        return f"{self.user_id} follows {self.registered_model_id}"


class MailChoice(models.Model):
    """How somebody wants mails of one reason; without a row, in the usual way."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    why = models.CharField(max_length=10, choices=WHY_CHOICES)
    way = models.CharField(max_length=10, choices=WAY_CHOICES)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "why"], name="one_choice_per_reason")]

    def __str__(self) -> str:
        return f"{self.why}: {self.way}"


class PasswordWish(models.Model):
    """Somebody asked for a new password by mail. Whether there is such a person is looked up in the background, so that
    the answer takes as long for a stranger's name as for anybody's."""

    asked = models.CharField(max_length=254, help_text="a user name or an address, as it was typed")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.asked
