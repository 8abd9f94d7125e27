"""The files of versions. Who registers a model publishes its files: they can be read with the registered model too, and
not only with the experiment that they came from."""

from itertools import accumulate

from django.db.models import Q

from registry_site.accounts.actors import Actor
from registry_site.artifacts.mlmodel import MAX_BYTES, REQUIREMENTS, MLModel, read_mlmodel
from registry_site.artifacts.paths import join, validate_artifact_path
from registry_site.artifacts.store import Entry, default_store
from registry_site.core.errors import InvalidParameter, NotFound, Unavailable
from registry_site.registry.access import visible
from registry_site.registry.models import ModelVersion
from registry_site.tracking import access, artifact_files, rules
from registry_site.tracking.artifact_files import artifact_uris, open_stored, stat_stored, stored_path

MAX_REQUIREMENTS = 64 * 1024  # bytes


def resolve_artifact(actor: Actor, path: str) -> str:
    """The path itself, as a client names it, if the actor may read what lies there: in the artifacts of a run or logged
    model, or of a version that was made of one. Raises as `tracking.artifact_files.resolve_artifact` does to read."""
    actor.require_signed_in()
    return resolve_stored(actor, validate_artifact_path(path))


def resolve_stored(actor: Actor, path: str) -> str:
    """As `resolve_artifact`, of a place that begins with what `tracking.artifact_files.stored_path` gave."""
    try:
        return artifact_files.resolve_stored(actor, path)
    except NotFound:
        if access.reads_everything(actor) or not _is_of_a_version(actor, path):
            raise
        return path


def version_root(version: ModelVersion) -> str:
    """Where the files of a version lie, for `resolve_stored`. Raises NotFound when that is in no store of this
    server."""
    root = stored_path(version.storage_location)
    if root is None:
        raise NotFound(
            f"The files of {version.registered_model.name} version {version.version} lie in "
            f"{version.storage_location}, outside of this server's store."
        )
    return root


def list_artifacts(actor: Actor, path: str) -> tuple[Entry, ...]:
    """What lies directly in a folder; nothing for a file, a missing folder, and a place that is nobody's."""
    actor.require_signed_in()
    if not path:
        return ()
    try:
        return default_store().list(resolve_artifact(actor, path)).entries
    except NotFound:
        return ()


def _is_of_a_version(actor: Actor, path: str) -> bool:
    parts = rules.split_artifact_path(path)
    if parts is None:
        return False
    root, owner, rest = parts
    folders = accumulate([root, *filter(None, rest.split("/"))], join)
    made_of = Q(model_id=owner) if owner.startswith("m-") else Q(run_id=owner)
    return ModelVersion.objects.filter(
        made_of,
        visible(actor, "registered_model_id"),
        storage_location__in=[uri for folder in folders for uri in artifact_uris(folder)],
    ).exists()


def mlmodel_of(actor: Actor, version: ModelVersion) -> MLModel | None:
    """What the version's MLmodel file says; None where there is none, it is broken, or the store does not answer."""
    text = _small_text(actor, version, "MLmodel", MAX_BYTES)
    if text is None:
        return None
    try:
        return read_mlmodel(text)
    except InvalidParameter:
        return None


def requirements_of(actor: Actor, version: ModelVersion) -> list[str]:
    """The lines of the version's requirements.txt without comments; none where there is no such file."""
    text = _small_text(actor, version, REQUIREMENTS, MAX_REQUIREMENTS) or ""
    return requirement_lines(text)


def requirement_lines(text: str) -> list[str]:
    """What a requirements.txt asks for: its lines without comments."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _small_text(actor: Actor, version: ModelVersion, name: str, most: int) -> str | None:
    folder = stored_path(version.storage_location)
    if folder is None:
        return None
    try:
        stored = resolve_stored(actor, join(folder, name))
        size = stat_stored(stored).size
        if size is None or size > most:
            return None
        with open_stored(stored) as reader:
            return reader.read().decode("utf-8", "replace")
    except (NotFound, InvalidParameter, Unavailable):
        return None
