"""Artifacts in a container of Azure Blob Storage."""

import base64
import hashlib
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential
from azure.storage.blob import (
    BlobBlock,
    BlobClient,
    BlobPrefix,
    BlobProperties,
    BlobSasPermissions,
    BlobServiceClient,
    ContainerClient,
    LinearRetry,
    UserDelegationKey,
    generate_blob_sas,
)

from registry_site.artifacts.direct import UploadedPart
from registry_site.artifacts.objects import (
    Object,
    ObjectStore,
    Page,
    Upload,
    at_once,
    cannot_be_completed,
    refusal,
)
from registry_site.artifacts.paths import basename, content_disposition, join
from registry_site.artifacts.schemes import place_in_azure
from registry_site.artifacts.store import INCOMING, Body, Entry, Listing, not_found, own_folder, unavailable
from registry_site.core import clock
from registry_site.core.errors import Conflict, PodiumError, Unavailable

_PART = 8 * 1024 * 1024  # bytes of an upload in memory at a time
_MAX_PARTS = 50_000
_READ = 4 * 1024 * 1024  # bytes of a download in memory at a time
_COPY_SECONDS = 300  # within one account a copy is made at once, whatever its size
_DELEGATION = timedelta(hours=24)  # how long a key to sign with is asked for at least
_EARLIER = timedelta(minutes=5)  # clocks differ
_UPLOAD_ID = re.compile(r"[0-9a-f]{32}\Z")
_BEYOND = 416
_NO_CONTAINER = {"ContainerNotFound", "ContainerBeingDeleted"}
_UPLOAD_ERRORS = {"InvalidBlockList", "InvalidBlockId", "InvalidBlobOrBlock", "BlobNotFound", "BlockListTooLong"}


class AzureStore(ObjectStore):
    """A container's blobs under a prefix, block blobs all of them.

    Who calls is found out as by MLflow's clients: `AZURE_STORAGE_CONNECTION_STRING`, if it is for the account of the
    place; else `AZURE_STORAGE_ACCESS_KEY`; else what azure-identity finds.
    """

    failures = (AzureError, OSError)
    upload_headers: Mapping[str, str] = {"x-ms-blob-type": "BlockBlob"}

    def __init__(self, root: str) -> None:
        """`root` is `wasbs://container@account.blob.core.windows.net/prefix`, or `abfss://` with `dfs` for `blob`."""
        super().__init__(root)
        place = place_in_azure(root)
        assert place is not None
        self.bucket, self.account, domain = place
        self._service = _service(self.account, f"{self.account}.blob.{domain}")
        self._delegation: tuple[datetime, UserDelegationKey] | None = None

    def page(self, base: str, *, after: str | None, limit: int, flat: bool) -> Page:
        how: dict[str, Any] = {"name_starts_with": base, "results_per_page": limit, "include": ["metadata"]}
        found = self._container.list_blobs(**how) if flat else self._container.walk_blobs(delimiter="/", **how)
        pages: Any = found.by_page(continuation_token=after)
        answered: list[BlobProperties | BlobPrefix] = list(next(pages))
        folders = [one.name for one in answered if isinstance(one, BlobPrefix)]
        objects = [_object(one.name, one) for one in answered if not isinstance(one, BlobPrefix)]
        return Page(objects, folders, pages.continuation_token or None)

    def head(self, key: str) -> Object:
        return _object(key, self._blob(key).get_blob_properties())

    def body(self, key: str, offset: int, length: int | None) -> tuple[Body, int] | None:
        blob = self._blob(key)
        first_size = _READ if length is None else min(length, _READ)
        try:
            first = blob.download_blob(offset, first_size, decompress=False)  # as it lies there, and as long
        except HttpResponseError as failure:
            if failure.status_code == _BEYOND:
                return None
            raise
        whole = _whole_size(first.properties)
        rest = max(whole - offset, 0)
        remaining = rest if length is None else min(rest, length)
        return _Pieces(blob, first.readall(), offset, remaining, str(first.properties.etag)), remaining

    def put(self, key: str, upload: Upload, length: int | None) -> None:
        blob = self._blob(key)
        size = max(_PART, -(-(length or 0) // _MAX_PARTS))
        part = upload.read(size)
        if len(part) < size:
            blob.upload_blob(part, length=len(part), overwrite=True)
            return
        upload_id, number = uuid4().hex, 0
        while part:
            number += 1
            blob.stage_block(_block(upload_id, number), part, length=len(part))
            part = upload.read(size)
        try:
            blob.commit_block_list([BlobBlock(_block(upload_id, one)) for one in range(1, number + 1)])
        except HttpResponseError as failure:
            if _code(failure) == "InvalidBlockList":  # another upload of the same name ended, and took these away
                raise Conflict("Somebody else wrote the same file meanwhile; send it again.") from failure
            raise

    def remove(self, keys: Sequence[str]) -> None:
        at_once(self._remove_one, keys)

    def told(self, path: str, failure: Exception) -> PodiumError:
        if not isinstance(failure, HttpResponseError):
            return unavailable(failure)
        code = _code(failure)
        if isinstance(failure, ResourceNotFoundError) and code not in _NO_CONTAINER:
            return not_found(path)
        if isinstance(failure, ClientAuthenticationError) and failure.status_code is None:
            return refusal(path, None, type(failure).__name__)
        return refusal(path, failure.status_code, code)

    # -- what is not whole yet -----------------------------------------------------------------------------------------
    # What a client sends by itself, with an address that allows to write, goes to a name of the store's own, and is
    # copied by Podium when it is complete: so the address is worth nothing afterwards.
    def key(self, path: str) -> str:
        if path.partition("/")[0] == INCOMING:
            raise own_folder(path)
        return super().key(path)

    def list(self, path: str = "", *, after: str | None = None, limit: int | None = None) -> Listing:
        found = super().list(path, after=after, limit=limit)
        return Listing(tuple(one for one in found.entries if one.path != INCOMING), found.after)

    def walk(self, prefix: str = "", *, empty_folders: bool = False) -> Iterator[Entry]:
        for one in super().walk(prefix, empty_folders=empty_folders):
            if not one.path.startswith(f"{INCOMING}/"):
                yield one

    def sweep_incoming(self, older_than: timedelta) -> int:
        horizon = clock.now() - older_than
        with self.answers(""):
            left = [one.key for one in self.objects(f"{self._incoming('')}/") if one.modified < horizon]
            self.remove(left)
        return len(left)

    def _incoming(self, name: str) -> str:
        return join(self.prefix, INCOMING, name)

    # -- for clients that read and write the container themselves ------------------------------------------------------
    @property
    def signs(self) -> bool:
        credential = self._service.credential
        return hasattr(credential, "account_key") or hasattr(credential, "get_token")

    def download_address(self, path: str, *, seconds: int) -> str:
        with self.answers(path):
            return self._signed(
                self.key(path),
                seconds,
                BlobSasPermissions(read=True),
                content_disposition=content_disposition(basename(path)),
                content_type="application/octet-stream",  # a browser saves it, whatever it is
            )

    def upload_address(self, path: str, *, seconds: int) -> str:
        with self.answers(path):
            return self._signed(self.key(path), seconds, BlobSasPermissions(create=True, write=True))

    def start_upload(self, path: str) -> str:
        self.key(path)
        return uuid4().hex

    def part_address(self, path: str, upload_id: str, number: int, *, seconds: int) -> str:
        with self.answers(path):
            address = self._signed(self._parts_at(path, upload_id), seconds, BlobSasPermissions(write=True))
        name = base64.b64encode(_block(upload_id, number).encode()).decode()
        return f"{address}&comp=block&blockid={quote(name, safe='')}"

    def complete_upload(self, path: str, upload_id: str, parts: Sequence[UploadedPart]) -> None:
        arrived = self._blob(self._parts_at(path, upload_id))
        with self.answers(path):
            try:
                arrived.commit_block_list([BlobBlock(_block(upload_id, part.number)) for part in parts])
            except HttpResponseError as failure:
                if _code(failure) in _UPLOAD_ERRORS:
                    raise cannot_be_completed(path, _code(failure)) from failure
                raise
            source = self._signed(arrived.blob_name, _COPY_SECONDS, BlobSasPermissions(read=True))
            self._copy(source, self._blob(self.key(path)))
            arrived.delete_blob()

    def abort_upload(self, path: str, upload_id: str) -> None:
        blob = self._blob(self._parts_at(path, upload_id))
        with self.answers(path):
            blob.commit_block_list([])  # which throws away the blocks that wait; there is no call to delete them
            blob.delete_blob()

    def _parts_at(self, path: str, upload_id: str) -> str:
        """Where the parts of an upload wait: only who has its id and says the same path finds them."""
        if not _UPLOAD_ID.match(upload_id):
            raise cannot_be_completed(path, "NoSuchUpload")
        return self._incoming(hashlib.sha256(f"{upload_id}/{self.key(path)}".encode()).hexdigest())

    def _copy(self, source: str, target: BlobClient) -> None:
        status: object = target.start_copy_from_url(source)["copy_status"]
        deadline = time.monotonic() + _COPY_SECONDS
        while status == "pending" and time.monotonic() < deadline:
            time.sleep(0.2)
            status = target.get_blob_properties().copy.status
        if status != "success":
            raise Unavailable(f"The artifact store did not make the parts one file ({status}); try again later.")

    # -- the ways to Azure ---------------------------------------------------------------------------------------------
    @cached_property
    def _container(self) -> ContainerClient:
        return self._service.get_container_client(self.bucket)

    def _blob(self, key: str) -> BlobClient:
        return self._container.get_blob_client(key)

    def _remove_one(self, key: str) -> None:
        try:
            self._blob(key).delete_blob(delete_snapshots="include")
        except ResourceNotFoundError as failure:
            if _code(failure) in _NO_CONTAINER:
                raise

    def _signed(self, key: str, seconds: int, permission: BlobSasPermissions, **more: Any) -> str:
        credential: Any = self._service.credential
        until = clock.now() + timedelta(seconds=seconds)
        if hasattr(credential, "account_key"):
            more["account_key"] = credential.account_key
        else:
            more["user_delegation_key"] = self._delegation_key(until)
        signature = generate_blob_sas(self.account, self.bucket, key, permission=permission, expiry=until, **more)
        address = self._blob(key).url.partition("?")[0]
        return f"{address}?{signature}"

    def _delegation_key(self, until: datetime) -> UserDelegationKey:
        if self._delegation is None or self._delegation[0] < until:
            now = clock.now()
            expiry = max(until, now + _DELEGATION)
            self._delegation = expiry, self._service.get_user_delegation_key(now - _EARLIER, expiry)
        return self._delegation[1]


def _service(account: str, host: str) -> BlobServiceClient:
    how: dict[str, Any] = {
        "connection_timeout": 5,  # seconds; a store that is gone shall not hold a thread for minutes
        "read_timeout": 60,
        "retry_policy": LinearRetry(backoff=1, retry_total=2, random_jitter_range=0),
        "max_single_put_size": _PART,
        "max_single_get_size": _READ,
        "max_chunk_get_size": _READ,
    }
    if text := os.environ.get("AZURE_STORAGE_CONNECTION_STRING"):
        try:
            service = BlobServiceClient.from_connection_string(text, **how)
        except ValueError as failure:
            raise Unavailable("AZURE_STORAGE_CONNECTION_STRING cannot be read; ask an administrator.") from failure
        if service.account_name == account:
            return service
    credential = os.environ.get("AZURE_STORAGE_ACCESS_KEY") or DefaultAzureCredential()
    return BlobServiceClient(f"https://{host}", credential, **how)


class _Pieces:
    """The rest of a blob, fetched a piece at a time; all of them of the one that was there at the start."""

    def __init__(self, blob: BlobClient, first: bytes, offset: int, remaining: int, etag: str) -> None:
        self._blob = blob
        self._piece = first
        self._at = 0
        self._next = offset + len(first)
        self._end = offset + remaining
        self._etag = etag

    def read(self, size: int, /) -> bytes:
        if self._at == len(self._piece) and self._next < self._end:
            wanted = min(_READ, self._end - self._next)
            self._piece, self._at = b"", 0  # given up first: one piece in memory, and not two
            found = self._blob.download_blob(
                self._next,
                wanted,
                decompress=False,
                etag=self._etag,
                match_condition=MatchConditions.IfNotModified,
            )
            self._piece = found.readall()
            self._next += len(self._piece)
        chunk = self._piece[self._at : self._at + size]
        self._at += len(chunk)
        return chunk

    def close(self) -> None:
        self._piece = b""


def _object(key: str, found: BlobProperties) -> Object:
    # Hadoop's libraries, and accounts with real folders, mark a folder by a blob of its name
    marks = key.endswith("/") or (found.metadata or {}).get("hdi_isfolder") == "true"
    return Object(key, int(found.size or 0), found.last_modified, is_marker=marks)


def _whole_size(properties: BlobProperties) -> int:
    """The size of the blob that a range was read of."""
    return int(str(properties.content_range).rpartition("/")[2])


def _block(upload_id: str, number: int) -> str:
    """The name of a block: all of a blob have to be of one length."""
    return f"{upload_id}-{number:05}"


def _code(failure: HttpResponseError) -> str:
    code = getattr(failure, "error_code", None)  # a member of an enumeration, or a word that it does not have
    return str(getattr(code, "value", code) or failure.status_code or type(failure).__name__)
