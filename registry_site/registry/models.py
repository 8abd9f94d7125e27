"""Registered models, their versions, and what marks them. What must always be true is a constraint here."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Left

from registry_site.accounts.models import AbstractGrant, one_grant_each
from registry_site.artifacts.scanning import Verdict
from registry_site.registry.stages import Stage
from registry_site.tracking.models import LoggedModel

START_OF_VALUE = 60  # characters of a tag's value, by which models are found
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
    copied_from = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="copies",
        help_text="the version that it is a copy of; its source keeps the name",
    )
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
        indexes = [
            models.Index(fields=["key", "registered_model", "model_version"], name="registry_tag_by_key"),
            models.Index(  # values may be longer than an index takes
                F("key"),
                Left("value", START_OF_VALUE),
                condition=Q(registered_model__isnull=False),
                name="model_tag_by_value",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


class Alias(models.Model):
    """A name that points at exactly one version of its model."""

    registered_model = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE, related_name="aliases")
    alias = models.CharField(max_length=255, db_index=True)
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


class Manifest(models.Model):
    """What the files of a version were when it was registered, or those of a logged model when it became ready.

    It is made, and later held against the files, by whoever claims the row at `due_at`. The files of a version that has
    one are frozen: see `registry.freezing`.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        COMPLETE = "complete"
        ELSEWHERE = "elsewhere"  # in no store of this server, which so cannot read them

    model_version = models.OneToOneField(
        ModelVersion, null=True, blank=True, on_delete=models.CASCADE, related_name="manifest"
    )
    logged_model = models.OneToOneField(
        LoggedModel, null=True, blank=True, on_delete=models.CASCADE, related_name="manifest"
    )
    place = models.CharField(max_length=2200, help_text="where the files lie, in one spelling for each place")
    place_key = models.CharField(max_length=64, db_index=True, help_text="SHA-256 of the place")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    digest = models.CharField(max_length=64, blank=True, help_text="as `artifacts.digests` makes it")
    size = models.BigIntegerField(default=0, help_text="bytes of all files")
    file_count = models.BigIntegerField(default=0)
    completed_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True, help_text="when the files were last held against it")
    is_intact = models.BooleanField(null=True, help_text="whether they were what it says")
    differences = models.JSONField(default=dict, help_text="else the first paths that are missing, changed, added")
    due_at = models.DateTimeField(null=True, blank=True, db_index=True, help_text="when there is work to do on it")
    attempts = models.PositiveIntegerField(default=0, help_text="without success")
    error = models.TextField(blank=True, help_text="why the last attempt failed")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(model_version__isnull=True) ^ Q(logged_model__isnull=True), name="manifest_has_one_owner"
            ),
            models.CheckConstraint(
                condition=Q(state="complete", digest__gt="", completed_at__isnull=False)
                | (~Q(state="complete") & Q(digest="")),
                name="complete_manifest_has_digest",
            ),
        ]

    def __str__(self) -> str:
        return f"sha256:{self.digest}" if self.digest else f"{self.state} manifest"


class Scan(models.Model):
    """What was found in the files of a version that loading it would run. Whoever claims the row at `due_at` scans."""

    model_version = models.OneToOneField(ModelVersion, on_delete=models.CASCADE, related_name="scan")
    verdict = models.CharField(
        max_length=10,
        choices=[(one.value, one.value) for one in Verdict],
        blank=True,
        help_text="empty at first",
    )
    findings = models.JSONField(default=list, help_text="path, severity and message of each, the worst first")
    imports = models.JSONField(default=list, help_text="what pickles import, as module.name")
    contents = models.JSONField(default=dict, help_text="what is in the model, as `registry.contents` reads it")
    scanner = models.CharField(max_length=60, blank=True)
    scanned_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True, db_index=True, help_text="when there is work to do on it")
    attempts = models.PositiveIntegerField(default=0, help_text="without success")
    error = models.TextField(blank=True, help_text="why the last attempt failed")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(verdict="", scanned_at__isnull=True)
                | Q(verdict__in=[one.value for one in Verdict], scanned_at__isnull=False),
                name="scan_has_verdict_when_done",
            )
        ]
        indexes = [models.Index(fields=["model_version"], condition=Q(verdict="unsafe"), name="unsafe_scans")]

    def __str__(self) -> str:
        return self.verdict or "not scanned yet"


class DeletedArtifacts(models.Model):
    """The artifacts of a run or logged model that is deleted: how long it has been, and whether they are gone. Whoever
    makes a version of them locks the row first, and so does whoever decides that they go."""

    owner = models.CharField(max_length=34, unique=True, help_text="the run's or logged model's id")
    path = models.CharField(max_length=1100, blank=True, help_text="in the store; empty where they lie elsewhere")
    place_key = models.CharField(max_length=64, blank=True, db_index=True, help_text="as a manifest's")
    since = models.DateTimeField(db_index=True, help_text="when it was first seen to be deleted")
    decided_at = models.DateTimeField(null=True, blank=True, help_text="from then on nothing is made of them")
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deleted artifacts"
        constraints = [
            models.CheckConstraint(
                condition=Q(removed_at__isnull=True) | Q(decided_at__isnull=False), name="removal_was_decided"
            )
        ]

    def __str__(self) -> str:
        return self.owner


class ManifestFile(models.Model):
    """A file of a manifest, by its path in the folder."""

    manifest = models.ForeignKey(Manifest, on_delete=models.CASCADE, related_name="files")
    path = models.CharField(max_length=1100)
    size = models.BigIntegerField(help_text="bytes")
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["manifest", "path"], name="one_line_per_file_of_a_manifest")]

    def __str__(self) -> str:
        return self.path
