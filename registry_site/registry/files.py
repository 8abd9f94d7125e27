"""The files of a version that tell what it is: its MLmodel and what it needs to run."""

from django.conf import settings

from registry_site.accounts.actors import Actor
from registry_site.artifacts.mlmodel import MAX_BYTES, REQUIREMENTS, MLModel, read_mlmodel
from registry_site.artifacts.paths import join
from registry_site.core.errors import InvalidParameter, NotFound, Unavailable
from registry_site.registry.models import ModelVersion
from registry_site.tracking import rules
from registry_site.tracking.artifact_files import open_stored, resolve_artifact, stat_stored

MAX_REQUIREMENTS = 64 * 1024  # bytes


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
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _small_text(actor: Actor, version: ModelVersion, name: str, most: int) -> str | None:
    folder = rules.storage_path(version.storage_location, str(settings.PODIUM_ARTIFACT_ROOT))
    if folder is None:
        return None
    try:
        stored = resolve_artifact(actor, join(folder, name))
        size = stat_stored(stored).size
        if size is None or size > most:
            return None
        with open_stored(stored) as reader:
            return reader.read().decode("utf-8", "replace")
    except (NotFound, InvalidParameter, Unavailable):
        return None
