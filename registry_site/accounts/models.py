"""People, their tokens, and what grants are made of."""

from django.conf import settings
from django.contrib.auth.models import AbstractUser, Group
from django.db import models
from django.db.models import Q

from registry_site.accounts.levels import CHOICES as LEVEL_CHOICES
from registry_site.accounts.purposes import CHOICES as PURPOSE_CHOICES
from registry_site.accounts.purposes import LinkPurpose
from registry_site.accounts.scopes import CHOICES as SCOPE_CHOICES
from registry_site.accounts.scopes import Scope


class User(AbstractUser):
    """A person, or a machine that acts under a name of its own. `is_superuser` makes an administrator."""

    display_name = models.CharField(max_length=150, blank=True)
    time_zone = models.CharField(max_length=63, default="UTC")
    email_confirmed = models.BooleanField(
        default=False,
        help_text="an administrator gave the address, or mail to it was answered, or the provider vouches",
    )
    sessions_ended = models.PositiveIntegerField(default=0, help_text="how often all sessions were ended at once")

    def __str__(self) -> str:
        return self.display_name or self.username

    def get_session_auth_hash(self) -> str:
        """What a session holds and is compared with: it changes with the password, and with `sessions_ended`."""
        return f"{super().get_session_auth_hash()}{f'.{self.sessions_ended}' if self.sessions_ended else ''}"


class ApiToken(models.Model):
    """A token that an MLflow client sends. Its text is shown once and never stored."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, help_text="how a person recognises it")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token")
    scope = models.PositiveSmallIntegerField(choices=SCOPE_CHOICES, default=Scope.WRITE.value)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class SignInLink(models.Model):
    """A link that lets one person in, once: so there is no default password, and none is ever mailed."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_in_links")
    purpose = models.CharField(max_length=10, choices=PURPOSE_CHOICES, default=LinkPurpose.SIGN_IN.value)
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the secret in the link")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True, help_text="when it, or another one in its place, was used")

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} link of {self.user}"


class ProviderIdentity(models.Model):
    """Who a person is at the single sign-on provider. The provider never gives a subject to somebody else."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="identities")
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)

    class Meta:
        verbose_name_plural = "provider identities"
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="one_person_per_identity")]

    def __str__(self) -> str:
        return f"{self.user} at {self.issuer}"


class SavedFilter(models.Model):
    """A filter of a list that somebody wants to find again: the query of the list's address, by a name."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_filters")
    place = models.CharField(max_length=60, help_text="the list: models, or experiments/3")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=2000)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "place", "name"], name="one_saved_filter_per_name")]

    def __str__(self) -> str:
        return self.name


class AbstractGrant(models.Model):
    """A level for one user or one group, on one thing or on all of its kind.

    Whoever inherits adds a foreign key to the thing, null for all of them, and `one_grant_each` to the constraints.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="%(class)ss"
    )
    group = models.ForeignKey(Group, null=True, blank=True, on_delete=models.CASCADE, related_name="%(class)ss")
    level = models.PositiveSmallIntegerField(choices=LEVEL_CHOICES)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=True) ^ Q(group__isnull=True), name="%(class)s_has_one_holder"
            )
        ]


def one_grant_each(place: str, *, on_one: str, on_all: str) -> list[models.BaseConstraint]:
    """That nobody has two grants on one thing, nor on all of them. `on_one` and `on_all` begin the constraints'
    names."""
    return [
        *(
            models.UniqueConstraint(fields=[place, holder], name=f"{on_one}_and_{holder}")
            for holder in ("user", "group")
        ),
        *(
            models.UniqueConstraint(
                fields=[holder], condition=Q((f"{place}__isnull", True)), name=f"{on_all}_per_{holder}"
            )
            for holder in ("user", "group")
        ),
    ]
