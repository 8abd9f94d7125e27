"""Stage policies, transition requests and reviews."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from registry_site.promotion.rules import OccupantDecision, RequestState, Verdict, WhenOccupied
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

    class Meta:
        verbose_name_plural = "stage policies"
        constraints = [
            models.UniqueConstraint(fields=["registered_model", "stage"], name="one_policy_per_model_and_stage"),
            models.UniqueConstraint(
                fields=["stage"], condition=Q(registered_model__isnull=True), name="one_site_policy_per_stage"
            ),
            models.CheckConstraint(condition=Q(required_approvals__gte=1), name="at_least_one_approval"),
        ]

    def __str__(self) -> str:
        return f"policy for {self.stage} of {self.registered_model or 'all models'}"


class TransitionRequest(models.Model):
    """Somebody asks that one version move to one stage. Its number is its own within the model: `churn#12`."""

    registered_model = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE, related_name="transition_requests")
    number = models.BigIntegerField()
    model_version = models.ForeignKey(
        ModelVersion, null=True, on_delete=models.SET_NULL, related_name="transition_requests"
    )
    version = models.BigIntegerField(help_text="kept when the version is deleted")
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

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["registered_model", "number"], name="request_numbers_are_unique"),
            models.UniqueConstraint(
                fields=["model_version", "to_stage"],
                condition=Q(state=RequestState.PENDING.value),
                name="one_pending_request_per_version_and_stage",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[each.value for each in RequestState]), name="request_state_is_known"
            ),
        ]
        indexes = [models.Index(fields=["state", "-created_at"], name="requests_by_state")]

    def __str__(self) -> str:
        return f"{self.registered_model}#{self.number}"


class Review(models.Model):
    """One person's verdict on a request; the latest one counts."""

    request = models.ForeignKey(TransitionRequest, on_delete=models.CASCADE, related_name="reviews")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="reviews")
    reviewer_name = models.CharField(max_length=150)
    verdict = models.CharField(max_length=20, choices=[(each.value, each.value) for each in Verdict])
    comment = models.TextField(blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["request", "reviewer"], name="one_review_per_person")]

    def __str__(self) -> str:
        return f"{self.reviewer_name}: {self.verdict}"
