"""Registered models, their versions, and what marks them. What must always be true is a constraint here."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from registry_site.accounts.models import AbstractGrant, one_grant_each
from registry_site.registry.stages import Stage

STAGE_CHOICES = [(stage.value, stage.value) for stage in Stage]


class RegisteredModel(models.Model):
    """A unique name that owns versions. Its row is locked before any change of what it owns."""

    name = models.CharField(max_length=256, unique=True)
    description = models.TextField(blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    creation_timestamp = models.BigIntegerField()
    last_updated_timestamp = models.BigIntegerField(db_index=True)
    is_prompt = models.BooleanField(default=False, help_text="an MLflow prompt, which lives in the same tables")
    last_version = models.BigIntegerField(default=0, help_text="the greatest number ever given; never goes back")
    last_request_number = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class ModelVersion(models.Model):
    """A numbered version. `source`, `run_id` and `model_id` never change after creation."""

    registered_model = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE, related_name="versions")
    version = models.BigIntegerField()
    current_stage = models.CharField(max_length=10, choices=STAGE_CHOICES, default=Stage.NONE.value)
    stage_changed_at = models.DateTimeField(null=True, blank=True)
    is_sole_occupant = models.BooleanField(
        default=False, help_text="its stage admits one version of the model, and this is it"
    )
    description = models.TextField(blank=True)
    source = models.CharField(max_length=2200)
    storage_location = models.CharField(max_length=2200, help_text="where the files really are; never models:/")
    run_id = models.CharField(max_length=32, blank=True, db_index=True)
    run_link = models.CharField(max_length=500, blank=True)
    model_id = models.CharField(max_length=34, blank=True, help_text="the logged model that it was made of")
    user_id = models.CharField(max_length=256, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    creation_timestamp = models.BigIntegerField()
    last_updated_timestamp = models.BigIntegerField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["registered_model", "version"], name="version_numbers_are_unique"),
            models.UniqueConstraint(
                fields=["registered_model", "current_stage"],
                condition=Q(is_sole_occupant=True),
                name="one_occupant_of_an_exclusive_stage",
            ),
            models.CheckConstraint(
                condition=Q(current_stage__in=[stage.value for stage in Stage]), name="stage_is_one_of_four"
            ),
        ]
        indexes = [
            models.Index(fields=["registered_model", "current_stage", "-version"], name="latest_version_in_stage"),
            models.Index(fields=["model_id"], name="version_of_logged_model"),
        ]

    def __str__(self) -> str:
        return f"{self.registered_model} version {self.version}"


class Tag(models.Model):
    """A key and a value, on a registered model or on one version."""

    registered_model = models.ForeignKey(
        RegisteredModel, null=True, blank=True, on_delete=models.CASCADE, related_name="tags"
    )
    model_version = models.ForeignKey(
        ModelVersion, null=True, blank=True, on_delete=models.CASCADE, related_name="tags"
    )
    key = models.CharField(max_length=250)
    value = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["registered_model", "key"], name="one_value_per_model_tag"),
            models.UniqueConstraint(fields=["model_version", "key"], name="one_value_per_version_tag"),
            models.CheckConstraint(
                condition=Q(registered_model__isnull=True) ^ Q(model_version__isnull=True), name="tag_has_one_owner"
            ),
        ]
        indexes = [models.Index(fields=["key", "registered_model", "model_version"], name="registry_tag_by_key")]

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


class Alias(models.Model):
    """A name that points at exactly one version of its model."""

    registered_model = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE, related_name="aliases")
    alias = models.CharField(max_length=255)
    model_version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="aliases")

    class Meta:
        verbose_name_plural = "aliases"
        constraints = [models.UniqueConstraint(fields=["registered_model", "alias"], name="one_version_per_alias")]

    def __str__(self) -> str:
        return f"@{self.alias}"


class Grant(AbstractGrant):
    """A level for one user or one group, on one registered model or (without one) on all."""

    registered_model = models.ForeignKey(
        RegisteredModel, null=True, blank=True, on_delete=models.CASCADE, related_name="grants"
    )

    class Meta(AbstractGrant.Meta):
        constraints = [
            *AbstractGrant.Meta.constraints,
            *one_grant_each("registered_model", on_one="one_grant_per_model", on_all="one_site_grant"),
        ]

    def __str__(self) -> str:
        return f"{self.get_level_display()} on {self.registered_model or 'all models'} for {self.user or self.group}"
