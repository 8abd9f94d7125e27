"""Setting what it takes to enter a stage."""

from django.db import transaction

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.audit.kinds import Kind
from registry_site.audit.record import record
from registry_site.core.errors import InvalidParameter, NotFound
from registry_site.promotion.models import StagePolicy
from registry_site.promotion.moving import look_again
from registry_site.promotion.policies import columns_of_policy, plain, write_gates
from registry_site.promotion.rules import Policy
from registry_site.registry import access, subjects
from registry_site.registry.locking import lock_model
from registry_site.registry.models import RegisteredModel
from registry_site.registry.stages import ACTIVE_STAGES, Stage

MOST_DAYS = 3650
MOST_GATES = 50


@transaction.atomic
def set_policy(actor: Actor, *, stage: Stage, policy: Policy, name: str | None = None) -> StagePolicy:
    """Set what it takes to enter a stage, for one model (needs CAN_MANAGE) or for the site (administrators).

    Pending requests are looked at again soon.
    """
    model = model_of_policy(actor, name)
    subject = subjects.of_model(model) if model else subjects.of_site_policy(stage)
    if policy.required_approvals < 1:
        raise InvalidParameter("A protected stage needs one approval at least.", field="required_approvals")
    if policy.expires_after_days is not None and not 1 <= policy.expires_after_days <= MOST_DAYS:
        raise InvalidParameter(f"Requests expire after 1 to {MOST_DAYS} days.", field="expires_after_days")
    if policy.is_exclusive and stage not in ACTIVE_STAGES:
        raise InvalidParameter(
            f"{stage.value} is shared by any number of versions: they begin in None and end in Archived.",
            field="when_occupied",
        )
    if len(policy.gates) > MOST_GATES:
        raise InvalidParameter(f"A policy has {MOST_GATES} gates at most.", field="gates")
    row, _ = StagePolicy.objects.update_or_create(
        registered_model=model,
        stage=stage.value,
        defaults=columns_of_policy(policy),
    )
    write_gates(row, policy.gates)
    look_again(model)
    record(actor, Kind.POLICY_SET, subject, stage=stage.value, **plain(policy))
    return row


@transaction.atomic
def remove_policy(actor: Actor, *, stage: Stage, name: str) -> None:
    """Let the site's policy hold for a stage of a model again. Needs CAN_MANAGE. Raises NotFound where it does."""
    model = model_of_policy(actor, name)
    deleted, _ = StagePolicy.objects.filter(registered_model=model, stage=stage.value).delete()
    if model is None or not deleted:
        raise NotFound(f"{name} has no policy of its own for {stage.value}.", field="stage")
    look_again(model)
    record(actor, Kind.POLICY_REMOVED, subjects.of_model(model), stage=stage.value)


def model_of_policy(actor: Actor, name: str | None) -> RegisteredModel | None:
    """The model that a policy is for, locked; None for the site's. Raises for those who may not set it."""
    if name is None:
        actor.require_admin()
        return None
    actor.require_signed_in()
    model = lock_model(name)
    if model is None:
        raise access.model_not_found(name)
    access.require(actor, model, Level.CAN_MANAGE)
    return model
