"""How a copy of a version gets into another registered model, once it has been decided.

All of it happens under the locks of both models, which `registry.locking.lock_models` takes in the order of their keys.
"""

from dataclasses import replace
from typing import Any

from registry_site.accounts.actors import Actor
from registry_site.audit.kinds import Kind
from registry_site.audit.record import record
from registry_site.promotion.models import TransitionRequest
from registry_site.promotion.moving import Why, clear, close, move
from registry_site.promotion.rules import Policy, RequestState
from registry_site.registry import subjects
from registry_site.registry.making import make_version
from registry_site.registry.models import ModelVersion, RegisteredModel
from registry_site.registry.sources import copy_of
from registry_site.registry.stages import Stage

ARRIVALS = (Stage.NONE, Stage.STAGING, Stage.PRODUCTION)


def copy(
    actor: Actor,
    version: ModelVersion,
    model: RegisteredModel,
    to_stage: Stage,
    policy: Policy,
    occupants_to: Stage | None,
    why: Why,
) -> ModelVersion:
    """The next version of another model, with the source, run, description and tags of this one and what was found in
    its files, in a stage there, whose occupants go first. A logged model that it was made of is not told: its tags are
    read by people who may not know the other model.

    Both models' histories tell of it; that of this one does not name the other, which not all may read. Requests for
    the same end. Raises what moving raises, and Conflict for files that are removed.
    """
    made = make_version(
        actor,
        model,
        copy_of(version),
        run_link=version.run_link,
        description=version.description,
        tags=sorted(version.tags.values_list("key", "value")),
    )
    said: dict[str, Any] = {"copy_to_id": model.pk, "copied_version": made.version, "to_stage": to_stage.value}
    record(actor, Kind.VERSION_COPIED, subjects.of_version(version, why.request_number), comment=why.comment, **said)
    arrival = replace(why, request_number=None, cause=_cause(version, why))
    if to_stage is Stage.NONE:
        clear(actor, made, to_stage, policy, occupants_to, arrival)
    else:
        move(actor, made, to_stage, policy, occupants_to, arrival)
    supersede_copies(actor, version, model, to_stage)
    return made


def _cause(version: ModelVersion, why: Why) -> str:
    name = version.registered_model.name
    return (
        f"request {name}#{why.request_number}" if why.request_number else f"a copy of {name} version {version.version}"
    )


def supersede_copies(
    actor: Actor, version: ModelVersion | None, model: RegisteredModel, to_stage: Stage | None = None
) -> None:
    """Close the pending requests for copies into a model: of one version for one stage, which is there now, or without
    a version all of them, because the model goes."""
    pending = model.copy_requests.select_for_update().filter(state=RequestState.PENDING.value)
    reason = "the model that it was to be copied into was deleted"
    if version is not None and to_stage is not None:
        pending = pending.filter(model_version=version, to_stage=to_stage.value)
        reason = f"version {version.version} was copied there already"
    for request in pending.order_by("pk").select_related("registered_model"):
        close(actor, request, RequestState.SUPERSEDED, Kind.REQUEST_SUPERSEDED, reason)


def sources_of_copies(key: int) -> set[int]:
    """The keys of the models that pending requests want to copy from, into the one with this key."""
    pending = TransitionRequest.objects.filter(copy_to=key, state=RequestState.PENDING.value)
    return set(pending.values_list("registered_model_id", flat=True))
