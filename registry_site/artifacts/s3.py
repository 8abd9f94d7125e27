"""Artifacts in a bucket of an S3-compatible store."""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from storages.backends.s3 import S3Storage
from urllib3.exceptions import HTTPError

from registry_site.artifacts.direct import UploadedPart
from registry_site.artifacts.paths import basename, content_disposition, join, validate_artifact_path
from registry_site.artifacts.store import (
    CHUNK,
    Entry,
    Intake,
    Listing,
    Reader,
    Source,
    is_a_folder,
    not_found,
    store_full,
    unavailable,
)
from registry_site.core import clock
from registry_site.core.errors import InvalidParameter, Unavailable

_LAST = "\U0010ffff"  # sorts behind every name: what a page starts after to pass over a whole folder
_PART = 16 * 1024 * 1024  # bytes of an upload in memory at a time; 10 000 parts make 160 GB
_MAX_PARTS = 10_000
_ABSENT_CODES = {"404", "NoSuchKey", "NotFound"}
_PAGE = 1000  # of S3's own answers
_UPLOAD_ERRORS = {"NoSuchUpload", "InvalidPart", "InvalidPartOrder", "EntityTooSmall", "InvalidRequest", "MalformedXML"}
_CONFIG = Config(
    signature_version="s3v4",  # else addresses at stores of one's own are signed in the way of old
    # Checksums that only AWS knows would be part of signed addresses, and plain clients send none.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
    connect_timeout=5,  # seconds; a store that is gone shall not hold a thread for minutes
    read_timeout=60,
    retries={"mode": "standard"},  # three attempts
)


class S3Store:
    """A bucket's keys under a prefix. Folders are prefixes, so an empty one does not exist. The connection is
    made from django-storages' settings (`AWS_S3_*`) and boto3's environment (`AWS_ENDPOINT_URL`, keys,
    region)."""

    def __init__(self, root: str) -> None:
        """`root` is `s3://bucket/prefix`; the prefix may be missing."""
        parts = urlsplit(root)
        self.bucket = parts.netloc
        self.prefix = parts.path.strip("/")
        self._client: Any = _client(self.bucket)
        self._public_client: Any = None

    def list(self, path: str = "", *, after: str | None = None, limit: int | None = None) -> Listing:
        base = self._base(path)
        start = "" if after is None else base + after + (_LAST if after.endswith("/") else "")
        entries: list[Entry] = []
        with _answers(path):
            while limit is None or len(entries) < limit:
                wanted = _PAGE if limit is None else min(limit - len(entries), _PAGE)
                answer = self._client.list_objects_v2(
                    Bucket=self.bucket, Prefix=base, Delimiter="/", MaxKeys=wanted, StartAfter=start
                )
                found = {item["Key"]: item for item in answer.get("Contents", [])}
                folders = {item["Prefix"] for item in answer.get("CommonPrefixes", [])}
                keys = sorted(found.keys() | folders)
                entries += [
                    _object_entry(base, path, key, found.get(key))
                    for key in keys
                    if key != base and not key.endswith("//")  # consoles mark a folder by an empty object
                ]
                if not answer["IsTruncated"]:
                    return Listing(tuple(entries), None)
                start = keys[-1] + (_LAST if keys[-1] in folders else "")
        last = entries[-1]
        return Listing(tuple(entries), last.name + "/" if last.is_dir else last.name)

    def walk(self, prefix: str = "", *, empty_folders: bool = False) -> Iterator[Entry]:
        base = self._base(prefix)
        with _answers(prefix):
            for key, item in self._objects(base):
                if not key.endswith("/"):
                    yield _object_entry(base, prefix, key, item)

    def stat(self, path: str) -> Entry:
        key = self._key(path)
        with _answers(path):
            try:
                found = self._client.head_object(Bucket=self.bucket, Key=key)
            except ClientError as failure:
                if failure.response["Error"]["Code"] not in _ABSENT_CODES or not self._is_folder(key):
                    raise
                return Entry(basename(path), path, is_dir=True, size=None, modified_ms=None)
        return Entry(basename(path), path, False, int(found["ContentLength"]), clock.to_ms(found["LastModified"]))

    def open(self, path: str, *, offset: int = 0, length: int | None = None) -> Reader:
        key = self._key(path)
        if length == 0:
            self.stat(path)
            return Reader(_Nothing(), remaining=0)
        extent = {}
        if offset or length is not None:
            extent["Range"] = f"bytes={offset}-{'' if length is None else offset + length - 1}"
        with _answers(path):
            try:
                answer = self._client.get_object(Bucket=self.bucket, Key=key, **extent)
            except ClientError as failure:
                code = failure.response["Error"]["Code"]
                if code in {"InvalidRange", "416"}:  # also of every range of an empty file
                    return Reader(_Nothing(), remaining=0)
                if code in _ABSENT_CODES and self._is_folder(key):
                    raise is_a_folder(path) from failure
                raise
        return Reader(_Body(path, answer["Body"]), remaining=int(answer["ContentLength"]))

    def write(self, path: str, stream: Source, *, length: int | None) -> int:
        key = self._key(path)
        intake = Intake(path, stream, length)
        part = max(_PART, -(-(length or 0) // _MAX_PARTS))
        # In this thread and one part at a time: the upload is read where it arrives, and memory holds one
        # part.
        transfer = TransferConfig(multipart_threshold=part, multipart_chunksize=part, use_threads=False)
        with _answers(path):
            self._client.upload_fileobj(_Whole(intake), self.bucket, key, Config=transfer)
        return intake.size

    def delete(self, path: str) -> None:
        key = self._key(path)
        with _answers(path):
            self._client.delete_object(Bucket=self.bucket, Key=key)
            batch: list[dict[str, str]] = []
            for found, _ in self._objects(f"{key}/"):
                batch.append({"Key": found})
                if len(batch) == _PAGE:
                    self._delete_batch(batch)
                    batch = []
            self._delete_batch(batch)

    def sweep_incoming(self, older_than: timedelta) -> int:
        horizon = clock.now() - older_than
        swept = 0
        with _answers(""):
            pages = self._client.get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=self.bucket, Prefix=self._base("")):
                for upload in page.get("Uploads", []):
                    if upload["Initiated"] < horizon:
                        self._client.abort_multipart_upload(
                            Bucket=self.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                        )
                        swept += 1
        return swept

    # -- for clients that read and write the bucket themselves ---------------------------------------------------------
    def download_address(self, path: str, *, seconds: int) -> str:
        disposition = content_disposition(basename(path))
        return self._signed(
            "get_object",
            seconds,
            Key=self._key(path),
            ResponseContentDisposition=disposition,
            ResponseContentType="application/octet-stream",  # a browser saves it, whatever it is
        )

    def upload_address(self, path: str, *, seconds: int) -> str:
        return self._signed("put_object", seconds, Key=self._key(path))

    def start_upload(self, path: str) -> str:
        with _answers(path):
            answer = self._client.create_multipart_upload(Bucket=self.bucket, Key=self._key(path))
        upload_id: str = answer["UploadId"]
        return upload_id

    def part_address(self, path: str, upload_id: str, number: int, *, seconds: int) -> str:
        return self._signed("upload_part", seconds, Key=self._key(path), UploadId=upload_id, PartNumber=number)

    def complete_upload(self, path: str, upload_id: str, parts: Sequence[UploadedPart]) -> None:
        found = [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
        with _answers(path), _upload_errors(path):
            self._client.complete_multipart_upload(
                Bucket=self.bucket, Key=self._key(path), UploadId=upload_id, MultipartUpload={"Parts": found}
            )

    def abort_upload(self, path: str, upload_id: str) -> None:
        with _answers(path):
            try:
                self._client.abort_multipart_upload(Bucket=self.bucket, Key=self._key(path), UploadId=upload_id)
            except ClientError as failure:
                if failure.response["Error"]["Code"] != "NoSuchUpload":
                    raise

    def _signed(self, call: str, seconds: int, **parameters: Any) -> str:
        if self._public_client is None:
            self._public_client = _client(self.bucket, settings.PODIUM_STORE_PUBLIC_URL or None)
        address: str = self._public_client.generate_presigned_url(
            call, Params={"Bucket": self.bucket, **parameters}, ExpiresIn=seconds
        )
        return address

    def _key(self, path: str) -> str:
        return join(self.prefix, validate_artifact_path(path))

    def _base(self, path: str) -> str:
        key = self._key(path) if path else self.prefix
        return f"{key}/" if key else ""

    def _objects(self, base: str) -> Iterator[tuple[str, dict[str, Any]]]:
        pages = self._client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self.bucket, Prefix=base):
            for item in page.get("Contents", []):
                yield item["Key"], item

    def _is_folder(self, key: str) -> bool:
        answer = self._client.list_objects_v2(Bucket=self.bucket, Prefix=f"{key}/", MaxKeys=1)
        return bool(answer["KeyCount"])

    def _delete_batch(self, batch: Sequence[dict[str, str]]) -> None:
        if not batch:
            return
        answer = self._client.delete_objects(Bucket=self.bucket, Delete={"Objects": batch, "Quiet": True})
        if answer.get("Errors"):
            raise Unavailable(f"The artifact store did not delete {len(answer['Errors'])} files; try again later.")


def _client(bucket: str, address: str | None = None) -> Any:
    """A client of boto3 that any thread may use, by django-storages' settings.

    Its files are not used: they spool a whole object before the first byte can be read.
    """
    given = {"endpoint_url": address} if address else {}
    storage = S3Storage(bucket_name=bucket, **given)
    storage.client_config = storage.client_config.merge(_CONFIG)
    return storage.connection.meta.client


class _Nothing:
    """An empty file's body."""

    def read(self, size: int, /) -> bytes:
        return b""

    def close(self) -> None:
        """Holds nothing."""


class _Body:
    """The body of an answer, whose connection may break while it is read."""

    def __init__(self, path: str, body: Any) -> None:
        self._path = path
        self._body = body
        self.close = body.close

    def read(self, size: int, /) -> bytes:
        with _answers(self._path):
            chunk: bytes = self._body.read(size)
        return chunk


class _Whole:
    """Gives boto3 as many bytes as it asks for, which takes a short read for the end."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def read(self, size: int = -1) -> bytes:
        parts: list[bytes] = []
        missing = size
        while size < 0 or missing > 0:
            chunk = self._intake.read(CHUNK if size < 0 else missing)
            if not chunk:
                break
            parts.append(chunk)
            missing -= len(chunk)
        return b"".join(parts)


def _object_entry(base: str, path: str, key: str, item: dict[str, Any] | None) -> Entry:
    name = key.removeprefix(base)
    if item is None:
        name = name.rstrip("/")
        return Entry(name, join(path, name), is_dir=True, size=None, modified_ms=None)
    return Entry(basename(name), join(path, name), False, int(item["Size"]), clock.to_ms(item["LastModified"]))


@contextlib.contextmanager
def _answers(path: str) -> Iterator[None]:
    """Turns boto3's errors into ours."""
    try:
        yield
    except ClientError as failure:
        code = failure.response["Error"]["Code"]
        if code in _ABSENT_CODES:
            raise not_found(path) from failure
        if failure.response["ResponseMetadata"].get("HTTPStatusCode") == 507 or code == "XMinioStorageFull":
            raise store_full(path) from failure
        if code == "KeyTooLongError":
            raise InvalidParameter(f"Invalid path {path!r}: it is too long for the store.", field="path") from failure
        raise Unavailable(f"The artifact store refused the call ({code}); ask an administrator.") from failure
    except (BotoCoreError, HTTPError, OSError) as failure:
        raise unavailable(failure) from failure


@contextlib.contextmanager
def _upload_errors(path: str) -> Iterator[None]:
    """What is wrong with the parts of an upload is the client's to put right."""
    try:
        yield
    except ClientError as failure:
        code = failure.response["Error"]["Code"]
        if code in _UPLOAD_ERRORS:
            raise InvalidParameter(
                f"The upload of {path} cannot be completed ({code}); nothing was kept. Start it anew."
            ) from failure
        raise
