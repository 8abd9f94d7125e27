"""The files of a version: found by what the version is called, listed, read and packed."""

from registry_site.accounts.actors import Actor
from registry_site.artifacts.archives import Member
from registry_site.artifacts.paths import join, validate_artifact_path
from registry_site.core.errors import InvalidParameter, NotFound
from registry_site.core.pages import Page, decode_token, encode_token
from registry_site.registry.files import resolve_stored, version_root
from registry_site.registry.models import ModelVersion
from registry_site.registry.queries import get_model, get_version, get_version_by_alias, newest_in_stage
from registry_site.registry.stages import parse_stage
from registry_site.tracking.archives import members_of
from registry_site.tracking.artifact_files import (
    ArtifactFile,
    ArtifactListing,
    Folder,
    files_in,
    list_stored_page,
    stat_stored,
    stored_path,
)

FILES_PER_PAGE = 1000


def get_version_called(actor: Actor, name: str, called: str) -> ModelVersion:
    """The version that stands behind `models:/name/called` or `models:/name@alias`: a number, a stage (the newest in
    it), `@alias` or `latest`. Raises NotFound also where the actor may not see the model."""
    if called.isdecimal():
        return get_version(actor, name, int(called))
    try:
        if called.startswith("@") or called.lower() == "latest":
            return get_version_by_alias(actor, name, called.removeprefix("@"))
        found = newest_in_stage(actor, name, parse_stage(called))
    except InvalidParameter:
        found = None
    if found is None:
        get_model(actor, name)
        raise NotFound(
            f"{name} has no version {called}: say a number, a stage with a version in it, latest, or an alias with an "
            "@ before it.",
            field="version",
        )
    return found


def resolve_version_artifact(actor: Actor, version: ModelVersion, path: str = "") -> str:
    """Where in the store a file or folder of the version lies. Raises NotFound, InvalidParameter."""
    if path:
        validate_artifact_path(path)
    return join(resolve_stored(actor, version_root(version)), path)


def lies_in_this_store(version: ModelVersion) -> bool:
    """Whether the files of the version can be read here at all."""
    return stored_path(version.storage_location) is not None


def version_artifacts(
    actor: Actor, version: ModelVersion, path: str = "", *, limit: int | None = None
) -> ArtifactListing:
    """What lies in a folder of the version; nothing for a file or a missing folder."""
    listing = list_stored_page(resolve_version_artifact(actor, version, path), after=None, limit=limit)
    return ArtifactListing(version.storage_location, files_in(path, listing), listing.after is None)


def version_artifacts_page(
    actor: Actor, version: ModelVersion, path: str = "", *, page_token: str | None = None
) -> Page[ArtifactFile]:
    """A page of what lies in a folder of the version; of a file, the file; nothing for a missing folder. Raises
    InvalidParameter for a token of another listing."""
    stored = resolve_version_artifact(actor, version, path)
    query = ["files of", version.pk, path]
    after = decode_token(page_token, query)
    listing = list_stored_page(stored, after=after[0] if after else None, limit=FILES_PER_PAGE)
    files = files_in(path, listing)
    if path and not files and after is None:
        try:
            entry = stat_stored(stored)
        except NotFound:
            return Page([])
        return Page([] if entry.is_dir else [ArtifactFile(path, is_dir=False, size=entry.size)])
    return Page(files, encode_token([listing.after], query) if listing.after else "")


def version_members(actor: Actor, version: ModelVersion, path: str = "") -> list[Member]:
    """What goes into an archive of the version, or of a folder of it. Raises as `members_of` does."""
    called = f"{version.registered_model.name} version {version.version}"
    stored = resolve_version_artifact(actor, version, path)
    return members_of([Folder("", stored)], called=f"{path} of {called}" if path else called)
