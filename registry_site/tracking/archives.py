"""What goes into the archive of a folder."""

from collections.abc import Sequence
from functools import partial

from registry_site.artifacts.archives import Member
from registry_site.artifacts.paths import join, validate_artifact_path
from registry_site.core.errors import InvalidParameter, NotFound, TooLarge
from registry_site.tracking.artifact_files import Folder, open_stored, stat_stored, walk_stored

MAX_MEMBERS = 100_000  # of which the server remembers each name while it sends


def members_of(folders: Sequence[Folder], *, called: str) -> list[Member]:
    """Every file, and every empty folder, below these folders of the store, which the caller may read.

    Raises NotFound where none of them is there, InvalidParameter for a file and for a name that unpacking could take
    elsewhere, TooLarge for too many; `called` is what these say was asked for.
    """
    found: dict[str, Member] = {}
    for folder in folders:
        for entry in walk_stored(folder.stored):
            path = validate_artifact_path(join(folder.path, entry.path.removeprefix(folder.stored).lstrip("/")))
            if entry.is_dir:
                found.setdefault(f"{path}/", Member(f"{path}/", 0, None, partial(open_stored, entry.path)))
            elif entry.size is not None:
                found.setdefault(path, Member(path, entry.size, entry.modified_ms, partial(open_stored, entry.path)))
            if len(found) > MAX_MEMBERS:
                raise TooLarge(
                    f"{called} has more than {MAX_MEMBERS} files, too many for one archive; download it with "
                    "mlflow.artifacts.download_artifacts."
                )
    if not found:
        _require_a_folder(folders, called)
    return sorted(found.values(), key=lambda member: member.path)


def _require_a_folder(folders: Sequence[Folder], called: str) -> None:
    for folder in folders:
        try:
            entry = stat_stored(folder.stored)
        except NotFound:
            continue
        if entry.is_dir:
            return
        raise InvalidParameter(f"{called} is a file; download it as it is.", field="path")
    raise NotFound(f"There are no files in {called}.")
