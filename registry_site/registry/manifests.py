"""Manifests of versions and logged models: making them, and holding the files against them.

Both read every byte, so both are work for the worker; `integrity_of` and `look` are not.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.db.models import BigIntegerField, Q

from registry_site.accounts.actors import Actor
from registry_site.artifacts.digests import Comparison, FileDigest, compare, digest_of, read_digest
from registry_site.audit import outbox
from registry_site.core import clock
from registry_site.core.errors import NotFound, PodiumError
from registry_site.core.prepared import Given, Prepared, Question
from registry_site.core.writing import insert, insert_many
from registry_site.registry import hooks
from registry_site.registry.jobs import Claim, ClaimLost, claimed
from registry_site.registry.models import Manifest, ManifestFile, ModelVersion
from registry_site.registry.places import Folder, folder_at, folder_of, key_of, place_of
from registry_site.tracking import logged_models
from registry_site.tracking.models import LoggedModel, LoggedModelStatus

log = logging.getLogger(__name__)

AT_ONCE = 20  # manifests of one round of the worker
NAMED = 100  # paths of each kind of difference that are kept
LOOKED_AT = 1000  # files that are listed while somebody waits
_ROWS = 1000  # of one statement


@dataclass(frozen=True, slots=True)
class Integrity:
    """What is known of a version's files, without reading them.

    `digest` is empty until the manifest is complete. `comparison` is what the last check found, of each kind the first
    100 paths; None while nothing was ever checked, and then the files were as the manifest says when it was made.
    """

    state: Manifest.State
    digest: str
    file_count: int
    size: int
    checked_at: datetime | None
    comparison: Comparison | None
    error: str

    @property
    def is_intact(self) -> bool:
        """Whether there is a complete manifest, of a file at least, and the files were last found to be as it says."""
        complete = self.state == Manifest.State.COMPLETE and self.file_count > 0
        return complete and (self.comparison is None or self.comparison.holds)


# -- asking for one ----------------------------------------------------------------------------------------------------
def ask_for_manifest(*, version: ModelVersion | None = None, logged_model: LoggedModel | None = None) -> None:
    """Note, in the caller's transaction, that a manifest is to be made of one of the two. From then on the files of a
    version are frozen."""
    if version is not None:
        place, here = place_of(version.storage_location), folder_of(version) is not None
    else:
        uri = logged_model.artifact_uri if logged_model else ""
        place, here = place_of(uri), folder_at(uri) is not None
    row = Manifest(
        model_version_id=version.pk if version is not None else None,
        logged_model_id=logged_model.pk if logged_model is not None else None,
        place=place,
        place_key=key_of(place),
        state=Manifest.State.PENDING if here else Manifest.State.ELSEWHERE,
        due_at=clock.now() if here else None,
    )
    insert(row)


def carry_manifest(version: ModelVersion, origin: ModelVersion) -> bool:
    """Give a copy the manifest of its origin, whose files are frozen and the same; whether there is one to give."""
    there = Manifest.objects.filter(model_version=origin, state=Manifest.State.COMPLETE).first()
    if there is None or there.place != place_of(version.storage_location):
        return False
    copy = Manifest(model_version_id=version.pk)
    for field in (
        *("place", "place_key", "state", "digest", "size", "file_count", "completed_at"),
        *("checked_at", "is_intact", "differences"),
    ):
        setattr(copy, field, getattr(there, field))
    insert(copy)
    files = there.files.values_list("path", "size", "sha256").iterator(_ROWS)
    while rows := list(islice(files, _ROWS)):
        insert_many(ManifestFile, ("manifest_id", "path", "size", "sha256"), [(copy.pk, *row) for row in rows])
    return True


@transaction.atomic
def finalize_logged_model(actor: Actor, *, model_id: str, status: str) -> LoggedModel:
    """Say how the upload of a logged model ended; of one that is ready a manifest is made, anew if there is one.

    Raises what `tracking.logged_models.finalize_logged_model` does.
    """
    model = logged_models.finalize_logged_model(actor, model_id=model_id, status=status)
    if model.status == LoggedModelStatus.READY:
        Manifest.objects.filter(logged_model=model).delete()
        ask_for_manifest(logged_model=model)
        transaction.on_commit(outbox.nudge)
    return model


# -- reading -----------------------------------------------------------------------------------------------------------
def integrity_of(version: ModelVersion) -> Integrity | None:
    """What is known of the version's files; None of a version without any, such as a prompt's."""
    manifest = Manifest.objects.filter(model_version=version).first()
    return None if manifest is None else known_of(manifest)


def known_of(manifest: Manifest) -> Integrity:
    """What this manifest tells."""
    comparison = None
    if manifest.checked_at is not None:
        comparison = Comparison(**{kind: tuple(paths) for kind, paths in manifest.differences.items()})
    return Integrity(
        state=Manifest.State(manifest.state),
        digest=manifest.digest,
        file_count=manifest.file_count,
        size=manifest.size,
        checked_at=manifest.checked_at,
        comparison=comparison,
        error=manifest.error,
    )


def look(manifest: Manifest) -> Comparison | None:
    """The files by path and size alone: quick enough for a page. None where it cannot be told: the manifest is not
    complete, or has over 1000 files. Raises Unavailable."""
    if manifest.state != Manifest.State.COMPLETE or manifest.file_count > LOOKED_AT:
        return None
    folder = folder_at(manifest.place)
    if folder is None:
        return None
    found = [FileDigest(entry.path, entry.size or 0) for entry in folder.files()]
    return compare(_KEPT_OF_A_FEW.read(version=manifest.model_version_id), found)


def kept_question(version: ModelVersion) -> Question[FileDigest]:
    """What `look` asks, for `ask_together`."""
    return _KEPT_OF_A_FEW.question(version=version.pk)


_KEPT_OF_A_FEW = Prepared(
    lambda: ManifestFile.objects.filter(
        manifest__model_version=Given("version", BigIntegerField()), manifest__file_count__lte=LOOKED_AT
    ).values_list("path", "size", "sha256"),
    FileDigest,
)


def manifests(name: str = "", version: int | None = None) -> Iterator[Manifest]:
    """Those of all versions, of a registered model's, or of one version's, in order."""
    wanted = Q(model_version__isnull=False)
    if name:
        wanted &= Q(model_version__registered_model__name=name)
    if version is not None:
        wanted &= Q(model_version__version=version)
    rows = Manifest.objects.filter(wanted).select_related("model_version__registered_model")
    yield from rows.order_by("model_version__registered_model__name", "model_version__version").iterator(_ROWS)


# -- the work ----------------------------------------------------------------------------------------------------------
def work_on_manifests() -> int:
    """Make the manifests that are due, or hold files against them. Returns how many were taken."""
    taken = 0
    for manifest, claim in claimed(Manifest, AT_ONCE):
        taken += 1
        try:
            work_on(manifest, claim)
        except ClaimLost:
            log.info("Manifest %s was left to somebody else.", manifest.pk)
    return taken


def work_on(manifest: Manifest, claim: Claim) -> None:
    """Make this manifest, or check it. Raises ClaimLost."""
    try:
        if manifest.state == Manifest.State.COMPLETE:
            claim.finish(**_checked(check(manifest, claim.renew)))
        else:
            _make(manifest, claim)
    except PodiumError as error:  # the store does not answer, or a file went away while it was read
        log.warning("Manifest %s has to wait: %s", manifest.pk, error.message)
        claim.put_off(error.message)
    else:
        hooks.tell_inspected(manifest.model_version_id)


def check(manifest: Manifest, meanwhile: Callable[[], None] = lambda: None) -> Comparison:
    """What became of the files of a complete manifest: every one is read. Raises Unavailable."""
    folder = folder_at(manifest.place)
    return compare(_kept(manifest), _read(folder, meanwhile) if folder else [])


def note_check(manifest: Manifest, found: Comparison) -> None:
    """Keep what a check found that the worker did not make."""
    Manifest.objects.filter(pk=manifest.pk, state=Manifest.State.COMPLETE).update(**_checked(found))
    hooks.tell_inspected(manifest.model_version_id)


def _checked(found: Comparison) -> dict[str, object]:
    kinds = {"missing": found.missing, "changed": found.changed, "added": found.added}
    differences = {kind: list(paths[:NAMED]) for kind, paths in kinds.items() if paths}
    return {"checked_at": clock.now(), "is_intact": found.holds, "differences": differences}


def _make(manifest: Manifest, claim: Claim) -> None:
    folder = folder_at(manifest.place)
    if folder is None:  # the settings are others now
        claim.finish(state=Manifest.State.ELSEWHERE)
        return
    files = list(_read(folder, claim.renew))
    with transaction.atomic():
        claim.finish(
            state=Manifest.State.COMPLETE,
            digest=digest_of(files),
            size=sum(file.size for file in files),
            file_count=len(files),
            completed_at=clock.now(),
        )
        ManifestFile.objects.bulk_create(
            (ManifestFile(manifest=manifest, path=one.path, size=one.size, sha256=one.sha256 or "") for one in files),
            batch_size=_ROWS,
        )


def _read(folder: Folder, meanwhile: Callable[[], None]) -> Iterator[FileDigest]:
    for entry in folder.files():
        meanwhile()
        try:
            reader = folder.open(entry.path)
        except NotFound:  # gone between the listing and now: as if it had been gone before
            continue
        with reader:
            yield read_digest(entry.path, reader.read, meanwhile)


def _kept(manifest: Manifest) -> Iterable[FileDigest]:
    rows = manifest.files.values_list("path", "size", "sha256")
    return [FileDigest(*row) for row in rows.iterator(_ROWS)]
