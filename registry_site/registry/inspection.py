"""What was found in the files of versions, for people: to read, and to ask for anew."""

from typing import TypeVar

from django.db import transaction

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.audit import outbox
from registry_site.core import clock
from registry_site.core.errors import NotFound
from registry_site.core.pages import Page
from registry_site.registry import access
from registry_site.registry.models import Manifest, ManifestFile, ModelVersion, Scan
from registry_site.registry.places import folder_of
from registry_site.registry.queries import get_version
from registry_site.search.keyset import OrderPlan, Term
from registry_site.search.paging import read_page

Row = TypeVar("Row", Manifest, Scan)

_BY_PATH = OrderPlan((Term("path", "path", descending=False, nullable=False),))


def manifest_of(actor: Actor, *, name: str, version: int) -> Manifest:
    """The manifest of a version. Raises NotFound, of a prompt too."""
    found = get_version(actor, name, version)
    return _there(Manifest.objects.filter(model_version=found).first(), found)


def scan_of(actor: Actor, *, name: str, version: int) -> Scan:
    """The scan of a version. Raises NotFound, of a prompt too."""
    found = get_version(actor, name, version)
    return _there(Scan.objects.filter(model_version=found).first(), found)


def _there(row: Row | None, version: ModelVersion) -> Row:
    if row is None:
        raise NotFound(f"{version} is a prompt and has no files.", field="version")
    return row


def files_of(
    actor: Actor, *, name: str, version: int, max_results: int = 100, page_token: str | None = None
) -> Page[ManifestFile]:
    """A page of the files in a version's manifest, by path; none before it is complete. Raises NotFound."""
    found = get_version(actor, name, version)
    return read_page(
        ManifestFile.objects.filter(manifest__model_version=found),
        _BY_PATH,
        max_results=max_results,
        page_token=page_token,
        query=["files of", actor.user_id, name, version],
        most=1000,
    )


@transaction.atomic
def ask_for_check(actor: Actor, *, name: str, version: int) -> None:
    """Have the worker hold the files against the version's manifest, soon; or make it, where the files lay in no store
    of this server and now do. Raises NotFound."""
    actor.require_write()
    found = get_version(actor, name, version)
    waiting = Manifest.objects.filter(model_version=found, due_at=None)
    waiting.filter(state=Manifest.State.COMPLETE).update(due_at=clock.now())
    if folder_of(found) is not None:
        elsewhere = waiting.filter(state=Manifest.State.ELSEWHERE)
        elsewhere.update(state=Manifest.State.PENDING, due_at=clock.now())
    transaction.on_commit(outbox.nudge)


@transaction.atomic
def scan_again(actor: Actor, *, name: str, version: int) -> None:
    """Have the worker scan the version's files anew, soon; what was found stays until then. Needs CAN_EDIT."""
    actor.require_write()
    found = get_version(actor, name, version)
    access.require(actor, found.registered_model, Level.CAN_EDIT)
    Scan.objects.filter(model_version=found, due_at=None).exclude(scanned_at=None).update(due_at=clock.now())
    transaction.on_commit(outbox.nudge)
