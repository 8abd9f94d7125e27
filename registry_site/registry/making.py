"""The only writer of new versions. Whether there may be one has been asked before."""

from collections.abc import Sequence

from registry_site.accounts.actors import Actor
from registry_site.audit.kinds import Kind
from registry_site.audit.record import record
from registry_site.core import clock
from registry_site.core.writing import insert, insert_many, update
from registry_site.registry import subjects
from registry_site.registry.cleanup import refuse_removed
from registry_site.registry.manifests import ask_for_manifest, carry_manifest
from registry_site.registry.models import ModelVersion, RegisteredModel, Tag
from registry_site.registry.scans import ask_for_scan, carry_scan
from registry_site.registry.sources import Source


def make_version(
    actor: Actor,
    model: RegisteredModel,
    found: Source,
    *,
    run_link: str = "",
    description: str = "",
    tags: Sequence[tuple[str, str]] = (),
) -> ModelVersion:
    """The next version of a model, under its lock. The files of a copy are those of its origin, so what was found in
    them is known of the copy too. Raises Conflict for files that are removed."""
    model.last_version += 1
    model.last_updated_timestamp = clock.now_ms()
    update(model, "last_version", "last_updated_timestamp")
    version = ModelVersion(
        registered_model=model,
        version=model.last_version,
        description=description,
        source=found.source,
        storage_location=found.storage_location,
        run_id=found.run_id,
        run_link=run_link,
        model_id=found.model_id,
        copied_from=found.origin,
        user_id=actor.name,
        created_by_id=actor.user_id,
        creation_timestamp=model.last_updated_timestamp,
        last_updated_timestamp=model.last_updated_timestamp,
    )
    insert(version)
    insert_many(Tag, ("model_version_id", "key", "value"), [(version.pk, *pair) for pair in tags])
    if not model.is_prompt:
        refuse_removed(version.storage_location)
        if found.origin is None or not carry_manifest(version, found.origin):
            ask_for_manifest(version=version)
        if found.origin is None or not carry_scan(version, found.origin):
            ask_for_scan(version)
    record(
        actor,
        Kind.VERSION_CREATED,
        subjects.of_version(version),
        source=version.source,
        run_id=version.run_id,
        model_id=version.model_id,
        description=description,
        tags=dict(tags),
    )
    return version
