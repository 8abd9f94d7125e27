"""What pages tell of a version's files: are they what was registered, and what would loading them run?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from registry_site.artifacts.digests import Comparison
from registry_site.artifacts.scanning import Finding
from registry_site.core.errors import PodiumError
from registry_site.registry.manifests import Integrity, known_of, look
from registry_site.registry.scans import findings_of

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.registry.models import Manifest, Scan

SHOWN = 10  # paths of one kind


@dataclass(frozen=True, slots=True)
class FilesBox:
    """The panel about the files of a version. `state` is a status that has a pill."""

    state: str
    known: Integrity
    differences: Sequence[tuple[str, Sequence[str], int]]
    """What became of files, the first of their paths, and how many more there are."""
    busy: bool
    trouble: str = ""
    """Why the store cannot be asked now."""


@dataclass(frozen=True, slots=True)
class ScanBox:
    """The panel about a version's scan; `verdict` is empty before the first."""

    verdict: str
    findings: Sequence[Finding]
    imports: Sequence[str]
    scanner: str
    scanned_at: datetime | None
    busy: bool
    error: str


def files_box(manifest: "Manifest | None") -> FilesBox | None:
    """What is known of the files, and a look at whether they are still there; nothing for a prompt."""
    if manifest is None:
        return None
    known, seen, trouble = known_of(manifest), None, ""
    try:
        seen = look(manifest)
    except PodiumError as error:
        trouble = error.message
    found = seen if seen is not None and not seen.holds else known.comparison or Comparison()
    kinds = ((_("Missing"), found.missing), (_("Changed"), found.changed), (_("Added"), found.added))
    return FilesBox(
        state="files_unreachable" if trouble else _state(known, found),
        known=known,
        differences=[(what, paths[:SHOWN], len(paths[SHOWN:])) for what, paths in kinds if paths],
        busy=manifest.due_at is not None,
        trouble=trouble,
    )


def _state(known: Integrity, found: Comparison) -> str:
    if known.state != known.state.COMPLETE:
        return "files_pending" if known.state == known.state.PENDING else "files_elsewhere"
    if not known.file_count or len(found.missing) == known.file_count:
        return "files_missing"
    return "files_intact" if found.holds else "files_changed"


def scan_box(scan: "Scan | None") -> ScanBox | None:
    """What the last scan found; nothing for a prompt."""
    if scan is None:
        return None
    return ScanBox(
        verdict=scan.verdict,
        findings=findings_of(scan),
        imports=scan.imports,
        scanner=scan.scanner,
        scanned_at=scan.scanned_at,
        busy=scan.due_at is not None,
        error=scan.error,
    )


def scan_status(verdict: Any) -> str:
    """The status that a verdict is shown by; empty for none."""
    return f"scan_{verdict}" if verdict else ""
