"""Artifacts in a bucket of an S3-compatible store."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from storages.backends.s3 import S3Storage
from urllib3.exceptions import HTTPError

from registry_site.artifacts.direct import UploadedPart
from registry_site.artifacts.objects import Object, ObjectStore, Page, Upload, cannot_be_completed, refusal, too_long
from registry_site.artifacts.paths import basename, content_disposition
from registry_site.artifacts.store import Body, not_found, store_full, unavailable
from registry_site.core import clock
from registry_site.core.errors import PodiumError, Unavailable

_LAST = "\U0010ffff"  # sorts behind every name: what a page starts after to pass over a whole folder
_PART = 16 * 1024 * 1024  # bytes of an upload in memory at a time; 10 000 parts make 160 GB
_MAX_PARTS = 10_000
_ABSENT_CODES = {"404", "NoSuchKey", "NotFound"}
_BEYOND_CODES = {"InvalidRange", "416"}
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


class S3Store(ObjectStore):
    """A bucket's keys under a prefix. The connection is made from django-storages' settings (`AWS_S3_*`) and boto3's
    environment (`AWS_ENDPOINT_URL`, keys, region)."""

    failures = (ClientError, BotoCoreError, HTTPError, OSError)
    signs = True
    upload_headers: Mapping[str, str] = {}

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self._client: Any = _client(self.bucket)
        self._public_client: Any = None

    def page(self, base: str, *, after: str | None, limit: int, flat: bool) -> Page:
        start = "" if after is None else base + after + (_LAST if after.endswith("/") and not flat else "")
        depth = {} if flat else {"Delimiter": "/"}
        answer = self._client.list_objects_v2(Bucket=self.bucket, Prefix=base, MaxKeys=limit, StartAfter=start, **depth)
        objects = [
            Object(item["Key"], int(item["Size"]), item["LastModified"], is_marker=item["Key"].endswith("/"))
            for item in answer.get("Contents", [])
        ]
        folders = [item["Prefix"] for item in answer.get("CommonPrefixes", [])]
        last = max([*(one.key for one in objects), *folders], default="")
        return Page(objects, folders, last.removeprefix(base) if answer["IsTruncated"] else None)

    def head(self, key: str) -> Object:
        found = self._client.head_object(Bucket=self.bucket, Key=key)
        return Object(key, int(found["ContentLength"]), found["LastModified"])

    def body(self, key: str, offset: int, length: int | None) -> tuple[Body, int] | None:
        extent = {}
        if offset or length is not None:
            extent["Range"] = f"bytes={offset}-{'' if length is None else offset + length - 1}"
        try:
            answer = self._client.get_object(Bucket=self.bucket, Key=key, **extent)
        except ClientError as failure:
            if failure.response["Error"]["Code"] in _BEYOND_CODES:
                return None
            raise
        return answer["Body"], int(answer["ContentLength"])

    def put(self, key: str, upload: Upload, length: int | None) -> None:
        part = max(_PART, -(-(length or 0) // _MAX_PARTS))
        # In this thread and one part at a time: the upload is read where it arrives, and memory holds one
        # part.
        transfer = TransferConfig(multipart_threshold=part, multipart_chunksize=part, use_threads=False)
        self._client.upload_fileobj(upload, self.bucket, key, Config=transfer)

    def remove(self, keys: Sequence[str]) -> None:
        if len(keys) == 1:
            self._client.delete_object(Bucket=self.bucket, Key=keys[0])
        elif keys:
            batch = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
            answer = self._client.delete_objects(Bucket=self.bucket, Delete=batch)
            if answer.get("Errors"):
                raise Unavailable(f"The artifact store did not delete {len(answer['Errors'])} files; try again later.")

    def told(self, path: str, failure: Exception) -> PodiumError:
        if not isinstance(failure, ClientError):
            return unavailable(failure)
        code = failure.response["Error"]["Code"]
        if code in _ABSENT_CODES:
            return not_found(path)
        if code == "XMinioStorageFull":
            return store_full(path)
        if code == "KeyTooLongError":
            return too_long(path)
        return refusal(path, failure.response["ResponseMetadata"].get("HTTPStatusCode"), code)

    def sweep_incoming(self, older_than: timedelta) -> int:
        horizon = clock.now() - older_than
        swept = 0
        with self.answers(""):
            pages = self._client.get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=self.bucket, Prefix=self.base("")):
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
            Key=self.key(path),
            ResponseContentDisposition=disposition,
            ResponseContentType="application/octet-stream",  # a browser saves it, whatever it is
        )

    def upload_address(self, path: str, *, seconds: int) -> str:
        return self._signed("put_object", seconds, Key=self.key(path))

    def start_upload(self, path: str) -> str:
        with self.answers(path):
            answer = self._client.create_multipart_upload(Bucket=self.bucket, Key=self.key(path))
        upload_id: str = answer["UploadId"]
        return upload_id

    def part_address(self, path: str, upload_id: str, number: int, *, seconds: int) -> str:
        return self._signed("upload_part", seconds, Key=self.key(path), UploadId=upload_id, PartNumber=number)

    def complete_upload(self, path: str, upload_id: str, parts: Sequence[UploadedPart]) -> None:
        found = [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
        with self.answers(path):
            try:
                self._client.complete_multipart_upload(
                    Bucket=self.bucket, Key=self.key(path), UploadId=upload_id, MultipartUpload={"Parts": found}
                )
            except ClientError as failure:
                code = failure.response["Error"]["Code"]
                if code in _UPLOAD_ERRORS:
                    raise cannot_be_completed(path, code) from failure
                raise

    def abort_upload(self, path: str, upload_id: str) -> None:
        with self.answers(path):
            try:
                self._client.abort_multipart_upload(Bucket=self.bucket, Key=self.key(path), UploadId=upload_id)
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


def _client(bucket: str, address: str | None = None) -> Any:
    """A client of boto3 that any thread may use, by django-storages' settings.

    Its files are not used: they spool a whole object before the first byte can be read.
    """
    given = {"endpoint_url": address} if address else {}
    storage = S3Storage(bucket_name=bucket, **given)
    storage.client_config = storage.client_config.merge(_CONFIG)
    return storage.connection.meta.client
