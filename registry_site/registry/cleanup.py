"""Taking away what nobody needs: the artifacts of runs and logged models that were deleted long ago, and files that
belong to nobody.

A deleted run or logged model is noted when it is first seen, and its artifacts go when it has stayed deleted for the
time that the settings say. What a version was made of stays for as long as the version does. Rows stay: a run that is
restored afterwards has no files.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from registry_site.artifacts.paths import join
from registry_site.artifacts.store import ArtifactStore, default_store
from registry_site.core import clock
from registry_site.core.errors import Conflict, PodiumError
from registry_site.registry.models import DeletedArtifacts, Manifest, ModelVersion
from registry_site.registry.places import key_of, keys_above, place_of, place_of_path
from registry_site.tracking import rules
from registry_site.tracking.artifact_files import stored_path
from registry_site.tracking.models import LifecycleStage, LoggedModel, Run

log = logging.getLogger(__name__)

AT_ONCE = 1000  # of one pass
DEEPEST = 12  # folders above those of runs
_OWNER = re.compile(r"(?:m-)?[0-9a-f]{32}\Z")
_DELETED, _ACTIVE = LifecycleStage.DELETED, LifecycleStage.ACTIVE


@dataclass(frozen=True, slots=True)
class Garbage:
    """The artifacts of a deleted run or logged model that are due to go. `kept_for` says why they stay all the same."""

    owner: str
    path: str
    since: datetime
    size: int
    file_count: int
    kept_for: str = ""


@dataclass(frozen=True, slots=True)
class Orphan:
    """A folder, or a file beside such folders, that belongs to no run and no logged model."""

    path: str
    size: int
    file_count: int
    kept_for: str = ""


def keep_deleted_for() -> timedelta | None:
    """How long the artifacts of what is deleted stay; None for ever."""
    days = int(settings.PODIUM_KEEP_DELETED_DAYS)
    return timedelta(days=days) if days >= 0 else None


def refuse_removed(source: str) -> None:
    """Raises Conflict when the files of the source are gone; else they stay until the transaction ends, which is to be
    the one that makes a version of them."""
    place = place_of(source)
    gone = DeletedArtifacts.objects.select_for_update().filter(place_key__in=keys_above(place)).order_by("pk")
    for row in gone:
        if row.decided_at is not None:
            raise Conflict(
                f"The artifacts of {row.owner} were removed on {row.decided_at:%Y-%m-%d}, because it was deleted. "
                "Register a version of something that has its files."
            )


def collect_garbage(kept_for: timedelta, *, dry_run: bool = False) -> Iterator[Garbage]:
    """Remove the artifacts of what has been deleted for so long; what goes or stays is told. A dry run only tells."""
    if not dry_run:
        _note_what_is_deleted()
    for row in _due(kept_for, dry_run):
        size, count = _measure(row.path)
        found = Garbage(row.owner, row.path, row.since, size, count)
        if dry_run:
            yield _with_reason(found, _reason_to_stay(row))
            continue
        reason = _decide(row)
        if not reason:
            default_store().delete(row.path)
            DeletedArtifacts.objects.filter(pk=row.pk).update(removed_at=clock.now())
            log.info("Removed the artifacts of %s, deleted since %s: %s bytes.", row.owner, row.since, size)
        yield _with_reason(found, reason)


def find_orphans(*, remove: bool = False, older_than: timedelta = timedelta(days=1)) -> Iterator[Orphan]:
    """What lies in the store and belongs to nobody; with `remove` it goes, unless a version was made of it or a file in
    it is younger than `older_than`."""
    horizon = clock.to_ms(clock.now() - older_than)
    store = default_store()
    for path, is_folder in _nobodys(store, "", DEEPEST):
        entries = list(store.walk(path)) if is_folder else [store.stat(path)]
        reason = _version_made_of(place_of_path(path))
        if not reason and any((entry.modified_ms or 0) > horizon for entry in entries):
            reason = "it changed lately"
        if remove and not reason:
            store.delete(path)
            log.info("Removed %s, which belonged to nobody.", path)
        yield Orphan(path, sum(entry.size or 0 for entry in entries), len(entries), reason)


# -- what is deleted ---------------------------------------------------------------------------------------------------
def _note_what_is_deleted() -> None:
    """Begin to count for what is newly deleted, and forget what was restored."""
    noted = DeletedArtifacts.objects.values("owner")
    for rows, name in ((Run.objects, "run_id"), (LoggedModel.objects, "model_id")):
        DeletedArtifacts.objects.filter(owner__in=rows.filter(lifecycle_stage=_ACTIVE).values(name)).delete()
        fresh = rows.filter(lifecycle_stage=_DELETED).exclude(**{f"{name}__in": noted})
        DeletedArtifacts.objects.bulk_create(
            (_noted(owner, uri) for owner, uri in fresh.values_list(name, "artifact_uri").iterator(AT_ONCE)),
            batch_size=AT_ONCE,
            ignore_conflicts=True,
        )


def _noted(owner: str, uri: str) -> DeletedArtifacts:
    path = _own_root(owner, uri)
    place = place_of_path(path) if path else ""
    return DeletedArtifacts(owner=owner, path=path, place_key=key_of(place) if place else "", since=clock.now())


def _own_root(owner: str, uri: str) -> str:
    """The folder that is the owner's alone, in the first store; empty where there is none. What clients wrote to stores
    of their own is theirs to remove."""
    path = stored_path(uri) or ""
    parts = rules.split_artifact_path(path) if "://" not in path else None
    return parts[0] if parts and parts[1:] == (owner, "") else ""


def _due(kept_for: timedelta, dry_run: bool) -> Iterator[DeletedArtifacts]:
    horizon = clock.now() - kept_for
    waiting = DeletedArtifacts.objects.filter(removed_at=None, since__lte=horizon).exclude(path="")
    yield from waiting.order_by("since", "pk")[:AT_ONCE]
    if dry_run and kept_for <= timedelta():  # what nobody noted yet would be noted, and go
        noted = DeletedArtifacts.objects.values("owner")
        for rows, name in ((Run.objects, "run_id"), (LoggedModel.objects, "model_id")):
            fresh = rows.filter(lifecycle_stage=_DELETED).exclude(**{f"{name}__in": noted})
            found = (_noted(*row) for row in fresh.values_list(name, "artifact_uri")[:AT_ONCE])
            yield from (row for row in found if row.path)


@transaction.atomic
def _decide(row: DeletedArtifacts) -> str:
    """Why the artifacts stay; empty when it is decided, for good, that they go."""
    locked = DeletedArtifacts.objects.select_for_update().filter(pk=row.pk).first()
    if locked is None:
        return "it is not deleted any more"
    reason = _reason_to_stay(locked)
    if not reason:
        DeletedArtifacts.objects.filter(pk=row.pk).update(decided_at=clock.now())
    return reason


@transaction.atomic
def _reason_to_stay(row: DeletedArtifacts) -> str:
    owners = (
        Run.objects.filter(run_id=row.owner)
        if not row.owner.startswith("m-")
        else LoggedModel.objects.filter(model_id=row.owner)
    )
    if owners.select_for_update().filter(lifecycle_stage=_ACTIVE).exists():
        return "it is not deleted any more"
    return _version_made_of(place_of_path(row.path))


def _version_made_of(place: str) -> str:
    """Which version's files lie in this place, as a reason; empty for none."""
    mine = Manifest.objects.filter(model_version__isnull=False)
    at = mine.filter(place_key__in=keys_above(place)).values("model_version")
    below = mine.filter(place__startswith=f"{place}/").values("model_version")
    versions = ModelVersion.objects.filter(Q(pk__in=at) | Q(pk__in=below)).select_related("registered_model")
    found = versions.order_by("pk").first()
    return f"{found} is made of it" if found else ""


def _measure(path: str) -> tuple[int, int]:
    sizes = [entry.size or 0 for entry in default_store().walk(path)]
    return sum(sizes), len(sizes)


def _with_reason(found: Garbage, reason: str) -> Garbage:
    return Garbage(found.owner, found.path, found.since, found.size, found.file_count, reason)


# -- what is nobody's --------------------------------------------------------------------------------------------------
def _nobodys(store: ArtifactStore, path: str, deep: int) -> Iterator[tuple[str, bool]]:
    """Paths in a folder that are nobody's, and whether each is a folder. Folders named as runs and logged models are
    asked about a page at a time."""
    after: str | None = None
    while True:
        page = store.list(path, after=after, limit=AT_ONCE)
        folders = [entry.path for entry in page.entries if entry.is_dir]
        owners = {folder: folder.rpartition("/")[2] for folder in folders if _OWNER.match(folder.rpartition("/")[2])}
        known = _known(set(owners.values()))
        for entry in page.entries:
            if not entry.is_dir:
                yield entry.path, False
            elif entry.path not in owners:
                if deep > 1:
                    yield from _nobodys(store, entry.path, deep - 1)
            elif place_of_path(join(entry.path, "artifacts")) != known.get(owners[entry.path]):
                yield entry.path, True
        after = page.after
        if after is None:
            return


def _known(owners: set[str]) -> dict[str, str]:
    runs = Run.objects.filter(run_id__in=owners).values_list("run_id", "artifact_uri")
    models = LoggedModel.objects.filter(model_id__in=owners).values_list(F("model_id"), "artifact_uri")
    return {owner: place_of(uri) for owner, uri in (*runs, *models)}


def remove_what_is_due() -> int:
    """The hourly task: how many runs and logged models lost their artifacts. Stops where the store does not answer."""
    kept_for = keep_deleted_for()
    if kept_for is None:
        return 0
    removed = 0
    try:
        for found in collect_garbage(kept_for):
            removed += not found.kept_for
    except PodiumError as error:
        log.warning("Removing old artifacts has to wait: %s", error.message)
    return removed
