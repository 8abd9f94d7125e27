"""The files of runs and logged models: the only way from a protocol or page to the artifact store.

A path is admitted when it lies in the artifacts of a run or logged model that exists and that keeps them just there.
What lies elsewhere in the store is nobody's, and so is not shown, written or deleted. Files are as open as the
experiment of their owner: CAN_READ reads them, CAN_EDIT writes and deletes them.
"""

from dataclasses import dataclass

from django.conf import settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.artifacts.paths import join, validate_artifact_path
from registry_site.artifacts.store import Entry, Reader, Source, Written, default_store
from registry_site.core.errors import InvalidParameter, NotFound
from registry_site.tracking import access, rules
from registry_site.tracking.logged_models import get_logged_model
from registry_site.tracking.models import LifecycleStage, LoggedModel, Run, RunModel
from registry_site.tracking.services import run_not_found


@dataclass(frozen=True, slots=True)
class ArtifactFile:
    """An entry of a listing, with its path below the artifact root of the run or logged model. `size` is in bytes."""

    path: str
    is_dir: bool
    size: int | None


@dataclass(frozen=True, slots=True)
class ArtifactListing:
    """What lies in one folder of a run or logged model: folders and files by name."""

    root_uri: str
    files: tuple[ArtifactFile, ...]


# -- by their path in the store ----------------------------------------------------------------------------------------
def resolve_artifact(actor: Actor, path: str, *, write: bool = False) -> str:
    """The path itself, if it lies in the artifacts of a run or logged model.

    With `write` it must lie below their root and its owner must not be deleted. Raises NotFound for all other places,
    and those that the actor may not read; PermissionDenied where they may read and not write; InvalidParameter for what
    is no path, and for a root or a deleted owner that shall be written to.
    """
    actor.require_signed_in()
    if write:
        actor.require_write()
    validate_artifact_path(path)
    parts = rules.split_artifact_path(path)
    if parts is None:
        raise _nobodys(path)
    root, owner, rest = parts
    uri = f"{rules.PROXY_SCHEME}:/{root}"
    is_model = owner.startswith("m-")
    rows = LoggedModel.objects.filter(model_id=owner) if is_model else Run.objects.filter(run_id=owner)
    found = rows.filter(artifact_uri=uri).values_list("lifecycle_stage", "experiment_id").first()
    if found is None:
        raise _nobodys(path)
    lifecycle_stage, experiment = found
    access.require(actor, experiment, Level.CAN_EDIT if write else Level.CAN_READ, hidden=_nobodys(path))
    if write:
        if not rest:
            raise InvalidParameter(
                f"{path} is the root of all artifacts of {owner}; name something below it.", field="path"
            )
        if lifecycle_stage != LifecycleStage.ACTIVE:
            raise InvalidParameter(
                f"The artifacts of {owner} cannot change: it is deleted. Restore it first.", field="path"
            )
    return path


def write_artifact(actor: Actor, path: str, stream: Source, *, length: int | None) -> Written:
    """Store the stream under the path, over what was there. Raises as `resolve_artifact` and `ArtifactStore.write`
    do."""
    return default_store().write(resolve_artifact(actor, path, write=True), stream, length=length)


def delete_artifact(actor: Actor, path: str) -> None:
    """Take a file or a folder away; content with nothing being there. Raises as `resolve_artifact` does."""
    default_store().delete(resolve_artifact(actor, path, write=True))


# -- by run and logged model -------------------------------------------------------------------------------------------
def resolve_run_artifact(actor: Actor, run_id: str, path: str) -> str:
    """Where in the store a file or folder of a run lies. A logged model that the run made is a folder of its name, if
    the run has no folder of that name itself. Raises NotFound, InvalidParameter."""
    actor.require_signed_in()
    validate_artifact_path(path)
    root = _stored_root(_run_root_uri(actor, run_id), run_id)
    own = join(root, path)
    name, _, rest = path.partition("/")
    model_root = _models_made_by(actor, run_id).get(name)
    if model_root is None or _is_there(own):
        return own
    return join(model_root, rest)


def run_artifacts(actor: Actor, run_id: str, path: str = "") -> ArtifactListing:
    """What lies in a folder of a run, the logged models that it made among it as folders of their names.

    Nothing for a file or a missing folder. Raises NotFound for an unknown run.
    """
    actor.require_signed_in()
    if path:
        validate_artifact_path(path)
    root_uri = _run_root_uri(actor, run_id)
    root = _stored_root(root_uri, run_id)
    files = {one.path: one for one in _listed(root, path)}
    name, _, rest = path.partition("/")
    models = _models_made_by(actor, run_id)
    if not path:
        found = [ArtifactFile(model, is_dir=True, size=None) for model in models]
    else:
        found = [ArtifactFile(join(name, one.path), one.is_dir, one.size) for one in _listed(models.get(name), rest)]
    for one in found:
        files.setdefault(one.path, one)
    return ArtifactListing(root_uri, tuple(files[key] for key in sorted(files)))


def resolve_logged_model_artifact(actor: Actor, model_id: str, path: str) -> str:
    """Where in the store a file or folder of a logged model lies. Raises NotFound, InvalidParameter."""
    validate_artifact_path(path)
    model = get_logged_model(actor, model_id=model_id)
    return join(_stored_root(model.artifact_uri, model_id), path)


def logged_model_artifacts(actor: Actor, model_id: str, path: str = "") -> ArtifactListing:
    """What lies in a folder of a logged model. Nothing for a file or a missing folder. Raises NotFound."""
    if path:
        validate_artifact_path(path)
    model = get_logged_model(actor, model_id=model_id)
    return ArtifactListing(model.artifact_uri, _listed(_stored_root(model.artifact_uri, model_id), path))


# -- of a path that one of the functions above gave --------------------------------------------------------------------
def stat_stored(stored: str) -> Entry:
    """The file or folder at a resolved path. Raises NotFound."""
    return default_store().stat(stored)


def open_stored(stored: str, *, offset: int = 0, length: int | None = None) -> Reader:
    """The bytes of the file at a resolved path. Raises NotFound; InvalidParameter of a folder."""
    return default_store().open(stored, offset=offset, length=length)


def _nobodys(path: str) -> NotFound:
    return NotFound(f"No artifact at {path}: it lies in no run and no logged model.", field="path")


def _run_root_uri(actor: Actor, run_id: str) -> str:
    runs = Run.objects.filter(access.visible(actor, "experiment_id"), run_id=run_id)
    uri = runs.values_list("artifact_uri", flat=True).first()
    if uri is None:
        raise run_not_found(run_id)
    return uri


def _stored_root(uri: str, owner: str) -> str:
    root = rules.storage_path(uri, str(settings.PODIUM_ARTIFACT_ROOT))
    if root is None:
        raise NotFound(f"The artifacts of {owner} lie in {uri}, outside of this server's store.")
    return root


def _models_made_by(actor: Actor, run_id: str) -> dict[str, str]:
    """The roots in the store of the logged models that a run made and that the actor may read, by name; of two of one
    name, the newest."""
    made = RunModel.objects.filter(
        access.visible(actor, "logged_model__experiment_id"),
        run__run_id=run_id,
        is_output=True,
        logged_model__lifecycle_stage=LifecycleStage.ACTIVE,
    ).order_by("logged_model__creation_timestamp", "pk")
    rows = made.values_list("logged_model__name", "logged_model__artifact_uri")
    stored = {name: rules.storage_path(uri, str(settings.PODIUM_ARTIFACT_ROOT)) for name, uri in rows}
    return {name: root for name, root in stored.items() if root is not None}


def _listed(root: str | None, path: str) -> tuple[ArtifactFile, ...]:
    if root is None:
        return ()
    entries = default_store().list(join(root, path)).entries
    return tuple(ArtifactFile(join(path, entry.name), entry.is_dir, entry.size) for entry in entries)


def _is_there(stored: str) -> bool:
    try:
        stat_stored(stored)
    except NotFound:
        return False
    return True
