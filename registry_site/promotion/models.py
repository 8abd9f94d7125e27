"""Stage policies and their gates, requests with reviews and evidence, comments, and what outside systems say."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from registry_site.promotion.gates import CheckState, Comparison, GateType
from registry_site.promotion.rules import DeploymentState, OccupantDecision, RequestState, Verdict, WhenOccupied
from registry_site.registry.models import STAGE_CHOICES, ModelVersion, RegisteredModel


class StagePolicy(models.Model):
    """What it takes to enter a stage: site-wide, or (with a registered model) for that model alone."""

    registered_model = models.ForeignKey(
        RegisteredModel, null=True, blank=True, on_delete=models.CASCADE, related_name="stage_policies"
    )
    stage = models.CharField(max_length=10, choices=STAGE_CHOICES)
    protected = models.BooleanField(default=False, help_text="everybody needs a request")
    required_approvals = models.PositiveSmallIntegerField(default=1)
    allow_self_approval = models.BooleanField(default=False)
    when_occupied = models.CharField(max_length=10, choices=[(each.value, each.value) for each in WhenOccupied])
    dismiss_stale_approvals = models.BooleanField(
        default=True, help_text="approvals stop counting when the evidence changes"
    )
    expires_after_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="pending requests that are older expire; empty: never"
    )

    class Meta:
        verbose_name_plural = "stage policies"
        constraints = [
            models.UniqueConstraint(fields=["registered_model", "stage"], name="one_policy_per_model_and_stage"),
            models.UniqueConstraint(
                fields=["stage"], condition=Q(registered_model__isnull=True), name="one_site_policy_per_stage"
            ),
            models.CheckConstraint(condition=Q(required_approvals__gte=1), name="at_least_one_approval"),
            models.CheckConstraint(
                condition=Q(expires_after_days__isnull=True) | Q(expires_after_days__gte=1),
                name="requests_live_a_day_at_least",
            ),
        ]

    def __str__(self) -> str:
        return f"policy for {self.stage} of {self.registered_model or 'all models'}"


class PolicyGate(models.Model):
    """One gate of a policy, in its place; the columns are those of `gates.Gate`."""

    policy = models.ForeignKey(StagePolicy, on_delete=models.CASCADE, related_name="gates")
    position = models.PositiveSmallIntegerField()
    type = models.CharField(max_length=30, choices=[(each.value, each.value) for each in GateType])
    key = models.CharField(max_length=250, blank=True)
    comparison = models.CharField(max_length=2, blank=True, choices=[(each.value, each.value) for each in Comparison])
    number = models.FloatField(null=True, blank=True)
    value = models.TextField(null=True, blank=True)  # noqa: DJ001  a tag may have to be empty, or anything

    class Meta:
        constraints = [models.UniqueConstraint(fields=["policy", "position"], name="one_gate_per_place")]
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.type} {self.key}".strip()


class MetricDirection(models.Model):
    """Whether a greater value of a metric is the better one, site-wide or for one registered model."""

    registered_model = models.ForeignKey(
        RegisteredModel, null=True, blank=True, on_delete=models.CASCADE, related_name="metric_directions"
    )
    metric = models.CharField(max_length=250)
    higher_is_better = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["registered_model", "metric"], name="one_direction_per_metric"),
            models.UniqueConstraint(
                fields=["metric"], condition=Q(registered_model__isnull=True), name="one_site_direction_per_metric"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.metric}: {'higher' if self.higher_is_better else 'lower'} is better"


class AliasPolicy(models.Model):
    """An alias that stands for a stage, site-wide or for one registered model: who sets it needs what the stage asks
    for. A mirror follows the stage by itself."""

    registered_model = models.ForeignKey(
        RegisteredModel, null=True, blank=True, on_delete=models.CASCADE, related_name="alias_policies"
    )
    alias = models.CharField(max_length=255)
    stage = models.CharField(max_length=10, choices=STAGE_CHOICES)
    is_mirror = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "alias policies"
        constraints = [
            models.UniqueConstraint(fields=["registered_model", "alias"], name="one_policy_per_model_and_alias"),
            models.UniqueConstraint(
                fields=["alias"], condition=Q(registered_model__isnull=True), name="one_site_policy_per_alias"
            ),
        ]

    def __str__(self) -> str:
        return f"@{self.alias} stands for {self.stage}"


class TransitionRequest(models.Model):
    """Somebody asks that one version move to one stage, or that a copy of it come into one of another model. Its number
    is its own within the version's model: `churn#12`."""

    registered_model = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE, related_name="transition_requests")
    number = models.BigIntegerField()
    model_version = models.ForeignKey(
        ModelVersion, null=True, on_delete=models.SET_NULL, related_name="transition_requests"
    )
    version = models.BigIntegerField(help_text="kept when the version is deleted")
    copy_to = models.ForeignKey(
        RegisteredModel,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="copy_requests",
        help_text="the model that the version is to be copied into",
    )
    copy_to_name = models.CharField(max_length=256, blank=True, help_text="what that was called when it was asked")
    copied_version = models.BigIntegerField(null=True, blank=True, help_text="the version that came of it there")
    from_stage = models.CharField(max_length=10, choices=STAGE_CHOICES)
    to_stage = models.CharField(max_length=10, choices=STAGE_CHOICES)
    occupant_decision = models.CharField(max_length=10, choices=[(each.value, each.value) for each in OccupantDecision])
    occupant_to_stage = models.CharField(max_length=10, choices=STAGE_CHOICES, blank=True)
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="transition_requests"
    )
    requester_name = models.CharField(max_length=150)
    comment = models.TextField(blank=True)
    state = models.CharField(
        max_length=10, choices=[(each.value, each.value) for each in RequestState], default=RequestState.PENDING.value
    )
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by_name = models.CharField(max_length=150, blank=True)
    decision_comment = models.TextField(blank=True)
    approvers = models.JSONField(default=list, blank=True, help_text="user names that an approval is attributed to")
    is_rollback = models.BooleanField(default=False, help_text="brings an earlier occupant of the stage back")
    evidence_digest = models.CharField(max_length=64, blank=True, help_text="of the evidence that is looked at now")
    occupant_version = models.BigIntegerField(null=True, blank=True, help_text="what the candidate is compared with")
    occupant_evidence = models.TextField(blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    remind_at = models.DateTimeField(null=True, blank=True)
    settle_at = models.DateTimeField(null=True, blank=True, help_text="when the worker looks at it next")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["registered_model", "number"], name="request_numbers_are_unique"),
            models.UniqueConstraint(
                fields=["model_version", "to_stage"],
                condition=Q(state=RequestState.PENDING.value, copy_to_name=""),
                name="one_pending_request_per_version_and_stage",
            ),
            models.UniqueConstraint(
                fields=["model_version", "to_stage", "copy_to"],
                condition=Q(state=RequestState.PENDING.value) & ~Q(copy_to_name=""),
                name="one_pending_copy_per_version_stage_and_model",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[each.value for each in RequestState]), name="request_state_is_known"
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-created_at"], name="requests_by_state"),
            models.Index(fields=["settle_at"], condition=Q(state="pending"), name="requests_to_settle"),
            models.Index(fields=["expires_at"], condition=Q(state="pending"), name="requests_to_expire"),
            models.Index(fields=["remind_at"], condition=Q(state="pending"), name="requests_to_remind"),
        ]

    def __str__(self) -> str:
        return f"{self.registered_model}#{self.number}"

    @property
    def is_copy(self) -> bool:
        """Whether it asks for a copy in another model."""
        return bool(self.copy_to_name)

    @property
    def target(self) -> RegisteredModel:
        """The model whose stage is to be entered, and whose policy, occupant and people decide about that."""
        return self.copy_to or self.registered_model

    @property
    def target_name(self) -> str:
        """What that is called, or was."""
        return self.target.name if self.copy_to or not self.is_copy else self.copy_to_name


class Evidence(models.Model):
    """What was known of a request's version at some time: a text, and its SHA-256. It never changes."""

    request = models.ForeignKey(TransitionRequest, on_delete=models.CASCADE, related_name="evidence")
    digest = models.CharField(max_length=64)
    content = models.TextField()
    taken_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "evidence"
        constraints = [models.UniqueConstraint(fields=["request", "digest"], name="evidence_is_kept_once")]

    def __str__(self) -> str:
        return f"evidence {self.digest[:12]} of {self.request}"


class Review(models.Model):
    """One person's verdict on a request; the latest one counts."""

    request = models.ForeignKey(TransitionRequest, on_delete=models.CASCADE, related_name="reviews")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="reviews")
    reviewer_name = models.CharField(max_length=150)
    verdict = models.CharField(max_length=20, choices=[(each.value, each.value) for each in Verdict])
    comment = models.TextField(blank=True)
    created_at = models.DateTimeField()
    evidence_digest = models.CharField(max_length=64, blank=True, help_text="of what the reviewer saw")
    dismissed_at = models.DateTimeField(null=True, blank=True)
    dismissed_by_name = models.CharField(max_length=150, blank=True)
    dismissal_reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "reviewer"], name="one_review_per_person"),
            models.CheckConstraint(condition=Q(verdict__in=[each.value for each in Verdict]), name="verdict_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.reviewer_name}: {self.verdict}"


class Check(models.Model):
    """What an outside system says of a version: one row for each of its runs, which `external_id` tells apart. The
    newest run of a name counts."""

    model_version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="checks")
    name = models.CharField(max_length=250)
    external_id = models.CharField(max_length=250, blank=True)
    state = models.CharField(max_length=10, choices=[(each.value, each.value) for each in CheckState])
    summary = models.TextField(blank=True)
    link = models.CharField(max_length=2000, blank=True)
    posted_by_name = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["model_version", "name", "external_id"], name="one_check_per_run"),
            models.CheckConstraint(
                condition=Q(state__in=[each.value for each in CheckState]), name="check_state_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"check {self.name} of {self.model_version}: {self.state}"


class Deployment(models.Model):
    """Where an outside system has taken a version: one row for each of its runs, which `external_id` tells apart."""

    model_version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="deployments")
    environment = models.CharField(max_length=250)
    external_id = models.CharField(max_length=250, blank=True)
    state = models.CharField(max_length=10, choices=[(each.value, each.value) for each in DeploymentState])
    description = models.TextField(blank=True)
    link = models.CharField(max_length=2000, blank=True)
    posted_by_name = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model_version", "environment", "external_id"], name="one_deployment_per_run"
            ),
            models.CheckConstraint(
                condition=Q(state__in=[each.value for each in DeploymentState]), name="deployment_state_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model_version} in {self.environment}: {self.state}"


class Comment(models.Model):
    """What somebody wrote about a version, or about a request. Markdown."""

    registered_model = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE, related_name="comments")
    model_version = models.ForeignKey(ModelVersion, null=True, on_delete=models.SET_NULL, related_name="comments")
    version = models.BigIntegerField(help_text="kept when the version is deleted")
    request = models.ForeignKey(
        TransitionRequest, null=True, blank=True, on_delete=models.CASCADE, related_name="comments"
    )
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="comments")
    author_name = models.CharField(max_length=150)
    text = models.TextField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["registered_model", "version", "created_at"], name="comments_of_version")]

    def __str__(self) -> str:
        return f"comment by {self.author_name} on {self.registered_model} version {self.version}"
