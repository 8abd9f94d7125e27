"""Which policy holds for a stage of a model: its own, else the site's, else the built-in one."""

from collections.abc import Iterable

from django.db.models import Q

from registry_site.promotion.models import StagePolicy
from registry_site.promotion.rules import Policy, WhenOccupied, default_policy
from registry_site.registry.models import RegisteredModel
from registry_site.registry.stages import Stage


def policy_for(model: RegisteredModel, stage: Stage) -> Policy:
    """The policy that binds whoever moves a version of this model into this stage."""
    return policies_for([(model.pk, stage)])[model.pk, stage]


def policies_for(wanted: Iterable[tuple[int, Stage]]) -> dict[tuple[int, Stage], Policy]:
    """The policies of several stages of several models, by the model's key and the stage, in one query."""
    wanted = set(wanted)
    rows = StagePolicy.objects.filter(
        Q(registered_model__in={key for key, _ in wanted}) | Q(registered_model__isnull=True)
    )
    found = {(row.registered_model_id, row.stage): _policy(row) for row in rows}
    return {
        (key, stage): found.get((key, stage.value)) or found.get((None, stage.value)) or default_policy(stage)
        for key, stage in wanted
    }


def _policy(row: StagePolicy) -> Policy:
    return Policy(
        protected=row.protected,
        required_approvals=row.required_approvals,
        allow_self_approval=row.allow_self_approval,
        when_occupied=WhenOccupied(row.when_occupied),
    )
