"""The files of runs and logged models: the only way from a protocol or page to the artifact store.

A path is admitted when it lies in the artifacts of a run or logged model that exists and that keeps them just there.
What lies elsewhere in the store is nobody's, and so is not shown, written or deleted. Files are as open as the
experiment of their owner: CAN_READ reads them, CAN_EDIT writes and deletes them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Protocol

from django.conf import settings
from django.db.models import CharField

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.artifacts.paths import join, validate_artifact_path
from registry_site.artifacts.store import Entry, FillingSource, Listing, Reader, Source, default_store
from registry_site.core.errors import InvalidParameter, NotFound
from registry_site.core.once import once
from registry_site.core.prepared import Given, Prepared, Question
from registry_site.tracking import access, rules
from registry_site.tracking.locking import run_not_found
from registry_site.tracking.logged_models import get_logged_model
from registry_site.tracking.models import LifecycleStage, LoggedModel, Run, RunModel


class Guard(Protocol):
    """Raises Conflict for a path that must not change, or, where it `deletes`, that holds something that must not."""

    def __call__(self, actor: Actor, path: str, *, deletes: bool = False) -> None: ...


_guards: list[Guard] = []


def add_guard(guard: Guard) -> None:
    """Have this asked before every write and delete (the registry does, which knows what versions are made of)."""
    if guard not in _guards:
        _guards.append(guard)


@dataclass(frozen=True, slots=True)
class ArtifactFile:
    """An entry of a listing, with its path below the artifact root of the run or logged model. `size` is in bytes."""

    path: str
    is_dir: bool
    size: int | None


@dataclass(frozen=True, slots=True)
class ArtifactListing:
    """What lies in one folder of a run or logged model: folders and files by name; of a longer one, where there was a
    limit, only the first of them."""

    root_uri: str
    files: tuple[ArtifactFile, ...]
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the store, and where its contents are found below the folder that somebody asked for; of two with a
    file of the same path, the first has the one that is meant."""

    path: str
    stored: str


def stored_path(artifact_uri: str) -> str | None:
    """Where in the stores an artifact root lies, for the functions below; None when it lies in none of them."""
    return rules.storage_path(artifact_uri, str(settings.PODIUM_ARTIFACT_ROOT), settings.PODIUM_ARTIFACT_STORES)


def artifact_uris(stored: str) -> list[str]:
    """Every spelling in which such a place may stand in the database as an artifact root."""
    return rules.artifact_uris(stored, str(settings.PODIUM_ARTIFACT_ROOT))


# -- by their path in the store ----------------------------------------------------------------------------------------
def resolve_artifact(actor: Actor, path: str, *, write: bool = False, deletes: bool = False) -> str:
    """The path itself, as a client names it, if it lies in the artifacts of a run or logged model.

    With `write` it must lie below their root and its owner must not be deleted. Raises NotFound for all other places,
    and those that the actor may not read; PermissionDenied where they may read and not write; InvalidParameter for what
    is no path, and for a root or a deleted owner that shall be written to; Conflict for what is frozen.
    """
    actor.require_signed_in()
    if write:
        actor.require_write()
    return resolve_stored(actor, validate_artifact_path(path), write=write, deletes=deletes)


def resolve_stored(actor: Actor, path: str, *, write: bool = False, deletes: bool = False) -> str:
    """As `resolve_artifact`, of a place that begins with what `stored_path` gave."""
    actor.require_signed_in()
    if write:
        actor.require_write()
    parts = rules.split_artifact_path(path)
    if parts is None:
        raise _nobodys(path)
    root, owner, rest = parts
    found = _owner_of(root, owner)
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
        _ask_guards(actor, path, deletes=deletes)
    return path


def owner_questions(stored: str | None) -> list[Question[Any]]:
    """What is asked before a file below this place of the stores is read, for `ask_together`."""
    parts = rules.split_artifact_path(stored) if stored else None
    return [_owner_question(parts[1])] if parts else []


def _owner_question(owner: str) -> Question[tuple[str, int, str]]:
    return (_LOGGED_MODEL_BY_ID if owner.startswith("m-") else _RUN_BY_ID).question(owner=owner)


def _owner_of(root: str, owner: str) -> tuple[str, int] | None:
    """The state and the experiment of the run or logged model that keeps its artifacts there."""
    for lifecycle_stage, experiment, artifact_uri in _owner_question(owner).answer():
        if artifact_uri in artifact_uris(root):
            return lifecycle_stage, experiment
    return None


def _owner(*columns: Any) -> tuple[str, int, str]:
    return columns  # the columns of the two below


_OWNER_COLUMNS = ("lifecycle_stage", "experiment_id", "artifact_uri")
_LOGGED_MODEL_BY_ID = Prepared(
    lambda: LoggedModel.objects.filter(model_id=Given("owner", CharField())).values_list(*_OWNER_COLUMNS), _owner
)
_RUN_BY_ID = Prepared(
    lambda: Run.objects.filter(run_id=Given("owner", CharField())).values_list(*_OWNER_COLUMNS), _owner
)


def _ask_guards(actor: Actor, path: str, *, deletes: bool = False) -> None:
    for guard in _guards:
        guard(actor, path, deletes=deletes)


def write_artifact(actor: Actor, path: str, stream: Source, *, length: int | None) -> int:
    """Store the stream under the path, over what was there; its length in bytes. Raises as `resolve_artifact` and
    `ArtifactStore.write` do."""
    stored = resolve_artifact(actor, path, write=True)
    guarded = _GuardedFilling if isinstance(stream, FillingSource) else _Guarded
    return default_store().write(stored, guarded(actor, path, stream), length=length)


class _Guarded:
    """An upload that is refused at its end too: what it writes to may have been frozen while it came in."""

    def __init__(self, actor: Actor, path: str, stream: Any) -> None:
        self._actor, self._path, self._stream = actor, path, stream

    def read(self, size: int, /) -> bytes:
        chunk: bytes = self._stream.read(size)
        if not chunk:
            _ask_guards(self._actor, self._path)
        return chunk


class _GuardedFilling(_Guarded):
    """The same, of one that writes into memory which is there already."""

    def readinto(self, buffer: memoryview, /) -> int:
        count: int = self._stream.readinto(buffer)
        if not count:
            _ask_guards(self._actor, self._path)
        return count


def delete_artifact(actor: Actor, path: str) -> None:
    """Take a file or a folder away; content with nothing being there. Raises as `resolve_artifact` does."""
    default_store().delete(resolve_artifact(actor, path, write=True, deletes=True))


def resolve_direct_upload(actor: Actor, path: str, *, run_id: str = "", model_id: str = "") -> str:
    """Where a client may put a file of the run or logged model without this server. Raises as `resolve_artifact` does,
    and InvalidParameter for one whose artifacts lie behind the proxy: there nobody could say any more when they must
    not change."""
    actor.require_write()
    validate_artifact_path(path)
    owner = model_id or run_id
    uri = get_logged_model(actor, model_id=model_id).artifact_uri if model_id else _run_root_uri(actor, run_id)
    stored = resolve_stored(actor, join(_stored_root(uri, owner), path), write=True)
    if uri.startswith(f"{rules.PROXY_SCHEME}:"):
        raise InvalidParameter(
            f"The artifacts of {owner} lie behind this server ({uri}): write them there, large ones in parts.",
            field="model_id" if model_id else "run_id",
        )
    return stored


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


def run_artifacts(actor: Actor, run_id: str, path: str = "", *, limit: int | None = None) -> ArtifactListing:
    """What lies in a folder of a run, the logged models that it made among it as folders of their names.

    Nothing for a file or a missing folder. Raises NotFound for an unknown run.
    """
    actor.require_signed_in()
    if path:
        validate_artifact_path(path)
    root_uri = _run_root_uri(actor, run_id)
    root = _stored_root(root_uri, run_id)
    files, is_complete = _listed(root, path, limit)
    name, _, rest = path.partition("/")
    models = _models_made_by(actor, run_id)
    if not path:
        found = [ArtifactFile(model, is_dir=True, size=None) for model in models]
    elif name in models:
        inside, all_inside = _listed(models[name], rest, limit)
        found = [ArtifactFile(join(name, one.path), one.is_dir, one.size) for one in inside]
        is_complete = is_complete and all_inside
    else:
        found = []
    if found:
        files = tuple({one.path: one for one in (*found, *files)}.values())
    return ArtifactListing(root_uri, tuple(sorted(files, key=attrgetter("path"))), is_complete)


def folders_with(actor: Actor, run_id: str, folders: Sequence[str], name: str) -> list[str]:
    """Those of a run's own folders that have something of this name in them. Raises NotFound."""
    root = _stored_root(_run_root_uri(actor, run_id), run_id)
    return [folder for folder in folders if _is_there(join(root, f"{folder}/{name}"))]


def folders_in_run(actor: Actor, run_id: str, path: str = "") -> list[Folder]:
    """Where in the store the contents of a run's folder lie. Raises NotFound, InvalidParameter."""
    actor.require_signed_in()
    if path:
        validate_artifact_path(path)
    own = Folder("", join(_stored_root(_run_root_uri(actor, run_id), run_id), path))
    models = _models_made_by(actor, run_id)
    if not path:
        return [own, *(Folder(name, root) for name, root in models.items())]
    name, _, rest = path.partition("/")
    return [own, Folder("", join(models[name], rest))] if name in models else [own]


def folders_in_logged_model(actor: Actor, model_id: str, path: str = "") -> list[Folder]:
    """Where in the store the contents of a logged model's folder lie. Raises NotFound, InvalidParameter."""
    if path:
        validate_artifact_path(path)
    model = get_logged_model(actor, model_id=model_id)
    return [Folder("", join(_stored_root(model.artifact_uri, model_id), path))]


def resolve_logged_model_artifact(actor: Actor, model_id: str, path: str) -> str:
    """Where in the store a file or folder of a logged model lies. Raises NotFound, InvalidParameter."""
    validate_artifact_path(path)
    model = get_logged_model(actor, model_id=model_id)
    return join(_stored_root(model.artifact_uri, model_id), path)


def logged_model_artifacts(actor: Actor, model_id: str, path: str = "", *, limit: int | None = None) -> ArtifactListing:
    """What lies in a folder of a logged model. Nothing for a file or a missing folder. Raises NotFound."""
    if path:
        validate_artifact_path(path)
    model = get_logged_model(actor, model_id=model_id)
    files, is_complete = _listed(_stored_root(model.artifact_uri, model_id), path, limit)
    return ArtifactListing(model.artifact_uri, files, is_complete)


# -- of a path that one of the functions above gave --------------------------------------------------------------------
def stat_stored(stored: str) -> Entry:
    """The file or folder at a resolved path. Raises NotFound."""
    return default_store().stat(stored)


def open_stored(stored: str, *, offset: int = 0, length: int | None = None) -> Reader:
    """The bytes of the file at a resolved path. Raises NotFound; InvalidParameter of a folder."""
    return default_store().open(stored, offset=offset, length=length)


def walk_stored(stored: str) -> Iterator[Entry]:
    """Every file below the folder at a resolved path, and every empty folder; nothing for a file or a missing
    folder."""
    return default_store().walk(stored, empty_folders=True)


def list_stored_page(stored: str, *, after: str | None, limit: int | None) -> Listing:
    """What lies directly in the folder at a resolved path, a page at a time; the listing's `after` brings the next one.
    Nothing for a file or a missing folder."""
    return default_store().list(stored, after=after, limit=limit)


def _nobodys(path: str) -> NotFound:
    return NotFound(f"No artifact at {path}: it lies in no run and no logged model.", field="path")


@once
def _run_root_uri(actor: Actor, run_id: str) -> str:
    runs = Run.objects.filter(access.visible(actor, "experiment_id"), run_id=run_id)
    uri = runs.values_list("artifact_uri", flat=True).first()
    if uri is None:
        raise run_not_found(run_id)
    return uri


def _stored_root(uri: str, owner: str) -> str:
    root = stored_path(uri)
    if root is None:
        raise NotFound(f"The artifacts of {owner} lie in {uri}, outside of this server's store.")
    return root


@once
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
    stored = {name: stored_path(uri) for name, uri in rows}
    return {name: root for name, root in stored.items() if root is not None}


def _listed(root: str, path: str, limit: int | None) -> tuple[tuple[ArtifactFile, ...], bool]:
    listing = default_store().list(join(root, path), limit=limit)
    return files_in(path, listing), listing.after is None


def files_in(path: str, listing: Listing) -> tuple[ArtifactFile, ...]:
    """The entries of a folder of the store, by paths below the folder `path` of a run, logged model or version."""
    before = f"{path}/" if path else ""
    return tuple(ArtifactFile(before + entry.name, entry.is_dir, entry.size) for entry in listing.entries)


def _is_there(stored: str) -> bool:
    try:
        stat_stored(stored)
    except NotFound:
        return False
    return True
