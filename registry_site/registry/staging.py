"""The only writer of a stage. Imported by `promotion` alone, which decides who may move what where."""

from django.db.models import QuerySet

from registry_site.accounts.actors import Actor
from registry_site.audit.kinds import Kind
from registry_site.audit.record import record
from registry_site.core import clock
from registry_site.registry import subjects
from registry_site.registry.models import ModelVersion, RegisteredModel
from registry_site.registry.stages import Stage


def versions_in(model: RegisteredModel, stage: Stage) -> QuerySet[ModelVersion]:
    """The versions that stand in a stage, newest first."""
    return model.versions.filter(current_stage=stage.value).order_by("-version")


def set_stage(
    actor: Actor,
    version: ModelVersion,
    stage: Stage,
    *,
    exclusive: bool,
    comment: str = "",
    cause: str = "",
    request_number: int | None = None,
    is_rollback: bool = False,
) -> None:
    """Put a version into a stage, under the lock of its model, and write it down.

    `exclusive` says that the stage admits one version of the model: the database then refuses a second one, so its
    occupant is moved out first. `cause` tells, in history, what this move is a side effect of; with `request_number` it
    is part of the history of that request too. `is_rollback` says that the version comes back to where it was before.
    """
    before = version.current_stage
    now = clock.now()
    version.current_stage = stage.value
    version.is_sole_occupant = exclusive
    version.stage_changed_at = now
    version.last_updated_timestamp = clock.to_ms(now)
    version.save(update_fields=["current_stage", "is_sole_occupant", "stage_changed_at", "last_updated_timestamp"])
    RegisteredModel.objects.filter(pk=version.registered_model_id).update(
        last_updated_timestamp=version.last_updated_timestamp
    )
    record(
        actor,
        Kind.VERSION_STAGE_CHANGED,
        subjects.of_version(version, request_number),
        comment=comment,
        from_stage=before,
        to_stage=stage.value,
        cause=cause,
        rollback=is_rollback,
    )
