"""Which policy holds for a stage of a model: its own, else the site's, else the built-in one."""

from django.db.models import Q

from registry_site.promotion.models import StagePolicy
from registry_site.promotion.rules import Policy, WhenOccupied, default_policy
from registry_site.registry.models import RegisteredModel
from registry_site.registry.stages import Stage


def policy_for(model: RegisteredModel, stage: Stage) -> Policy:
    """The policy that binds whoever moves a version of this model into this stage."""
    rows = StagePolicy.objects.filter(
        Q(registered_model=model) | Q(registered_model__isnull=True), stage=stage.value
    )
    row = min(rows, key=lambda row: row.registered_model_id is None, default=None)
    if row is None:
        return default_policy(stage)
    return Policy(
        protected=row.protected,
        required_approvals=row.required_approvals,
        allow_self_approval=row.allow_self_approval,
        when_occupied=WhenOccupied(row.when_occupied),
    )
