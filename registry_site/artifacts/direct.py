"""Transfers that pass by this server: addresses of the store itself, signed and short-lived, at which a client reads or
writes one file. Only object stores have such."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeGuard, runtime_checkable

from django.conf import settings

from registry_site.artifacts.store import default_store, store_of
from registry_site.core.errors import InvalidParameter, NotSupported

DOWNLOAD_SECONDS = 15 * 60
UPLOAD_SECONDS = 60 * 60  # all parts of a large file are signed at its start
MOST_SECONDS = 7 * 24 * 3600  # stores refuse addresses that hold longer
MOST_PARTS = 10_000

_MULTIPART = (
    "Multipart upload is not supported for the current artifact repository"  # MLflow's clients know these words
)


@dataclass(frozen=True, slots=True)
class UploadedPart:
    """A part that the store has acknowledged: its number, from 1, and the store's tag of it."""

    number: int
    etag: str


@dataclass(frozen=True, slots=True)
class StartedUpload:
    """An upload in parts: its id at the store, and an address to put each part to, the first part's first."""

    upload_id: str
    addresses: tuple[str, ...]


@runtime_checkable
class DirectStore(Protocol):
    """What a store has that clients can reach themselves. Paths are checked again, as everywhere; every call may raise
    Unavailable."""

    @property
    def signs(self) -> bool:
        """Whether it has what addresses are signed with: not all credentials can."""

    @property
    def upload_headers(self) -> Mapping[str, str]:
        """What has to be sent with a file that is put as a whole."""

    def download_address(self, path: str, *, seconds: int) -> str:
        """Where the file can be read, in ranges too. Does not look whether it is there."""

    def upload_address(self, path: str, *, seconds: int) -> str:
        """Where the file can be put as a whole."""

    def start_upload(self, path: str) -> str:
        """Begins an upload in parts, of which nothing is seen before it is complete; its id."""

    def part_address(self, path: str, upload_id: str, number: int, *, seconds: int) -> str:
        """Where a part can be put."""

    def complete_upload(self, path: str, upload_id: str, parts: Sequence[UploadedPart]) -> None:
        """Makes the parts the file. Raises InvalidParameter for an unknown upload and for parts that are not there."""

    def abort_upload(self, path: str, upload_id: str) -> None:
        """Throws the parts away; content with there being none."""


def offers_direct_transfers() -> bool:
    """Whether clients may read and write what goes to the first store without this server."""
    return settings.PODIUM_DIRECT_TRANSFERS and _signs(store_of("")[0])


def offers_direct_writing() -> bool:
    """Whether there is any store at which a client may be given an address to write to."""
    return settings.PODIUM_DIRECT_TRANSFERS and (offers_direct_transfers() or bool(settings.PODIUM_ARTIFACT_STORES))


def download_address(stored: str, *, seconds: int = DOWNLOAD_SECONDS) -> tuple[str, int]:
    """Where a client reads the file at a resolved path, and its size in bytes. Raises NotFound; InvalidParameter of a
    folder; NotSupported."""
    store, path = _direct(stored, "Presigned download is not supported for the current artifact repository")
    size = default_store().stat(stored).size
    if size is None:
        raise InvalidParameter(f"{stored} is a folder; ask for a file in it.", field="path")
    return store.download_address(path, seconds=_within_limits(seconds)), size


def upload_address(stored: str, *, seconds: int = DOWNLOAD_SECONDS) -> tuple[str, Mapping[str, str]]:
    """Where a client puts the whole file at a resolved path, and what headers it sends with it. Raises NotSupported."""
    store, path = _direct(stored, "Presigned upload is not supported for the current artifact repository")
    return store.upload_address(path, seconds=_within_limits(seconds)), store.upload_headers


def start_upload(stored: str, *, parts: int) -> StartedUpload:
    """Begin an upload in so many parts. Raises InvalidParameter for none or more than 10,000; NotSupported."""
    store, path = _direct(stored, _MULTIPART)
    if not 1 <= parts <= MOST_PARTS:
        raise InvalidParameter(f"num_parts is {parts}; an upload has 1 to {MOST_PARTS} parts.", field="num_parts")
    upload_id = store.start_upload(path)
    numbers = range(1, parts + 1)
    return StartedUpload(
        upload_id, tuple(store.part_address(path, upload_id, number, seconds=UPLOAD_SECONDS) for number in numbers)
    )


def complete_upload(stored: str, upload_id: str, parts: Sequence[UploadedPart]) -> None:
    """Make the uploaded parts the file. Raises InvalidParameter for parts that are not those of this upload;
    NotSupported."""
    store, path = _direct(stored, _MULTIPART)
    numbers = [part.number for part in parts]
    if not numbers or numbers[0] < 1 or numbers[-1] > MOST_PARTS or numbers != sorted(set(numbers)):
        raise InvalidParameter(f"parts must be numbered upwards from 1 to at most {MOST_PARTS}.", field="parts")
    store.complete_upload(path, upload_id, parts)


def abort_upload(stored: str, upload_id: str) -> None:
    """Throw the uploaded parts away. Raises NotSupported."""
    store, path = _direct(stored, _MULTIPART)
    store.abort_upload(path, upload_id)


def _direct(stored: str, refusal: str) -> tuple[DirectStore, str]:
    store, path = store_of(stored)
    if not settings.PODIUM_DIRECT_TRANSFERS or not _signs(store):
        raise NotSupported(f"{refusal}: read and write the artifact itself.")
    return store, path


def _signs(store: object) -> TypeGuard[DirectStore]:
    return isinstance(store, DirectStore) and store.signs


def _within_limits(seconds: int) -> int:
    if not 1 <= seconds <= MOST_SECONDS:
        raise InvalidParameter(
            f"expiration is {seconds}; it must be between 1 and {MOST_SECONDS} seconds.", field="expiration"
        )
    return seconds
