"""Artifacts in a bucket of Google Cloud Storage."""

import contextlib
import os
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import google.auth
from google.api_core.exceptions import GoogleAPICallError, GoogleAPIError, RetryError, from_http_response
from google.api_core.exceptions import NotFound as NotThere
from google.auth.credentials import AnonymousCredentials, Signing
from google.auth.exceptions import GoogleAuthError, TransportError
from google.auth.transport.requests import AuthorizedSession
from google.cloud.storage import Blob, Client
from google.cloud.storage.exceptions import DataCorruption
from google.cloud.storage.retry import DEFAULT_RETRY
from requests import Response
from urllib3.exceptions import HTTPError

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
from registry_site.artifacts.paths import basename, content_disposition
from registry_site.artifacts.store import Body, not_found, unavailable
from registry_site.core import clock
from registry_site.core.errors import PodiumError

_SCOPES = ["https://www.googleapis.com/auth/devstorage.read_write"]
_PART = 8 * 1024 * 1024  # bytes of an upload in memory at a time
_ANYTHING = "application/octet-stream"
_FIELDS = "items(name,size,updated),prefixes,nextPageToken"
_TIMEOUT = (5, 60)  # seconds to connect, and between two packets
_RETRY = DEFAULT_RETRY.with_delay(initial=0.2, maximum=1.0, multiplier=2.0).with_timeout(3.0)
_CODE = re.compile(r"<Code>(\w+)</Code>")


class GcsStore(ObjectStore):
    """A bucket's keys under a prefix. Who calls is found out as by all of Google's libraries
    (`GOOGLE_APPLICATION_CREDENTIALS`, or the machine that this runs on); `STORAGE_EMULATOR_HOST` is another address."""

    failures = (GoogleAPIError, GoogleAuthError, DataCorruption, HTTPError, OSError)
    upload_headers: Mapping[str, str] = {}

    def page(self, base: str, *, after: str | None, limit: int, flat: bool) -> Page:
        found = self._client.list_blobs(
            self.bucket,
            prefix=base,
            delimiter=None if flat else "/",
            page_size=limit,
            page_token=after,
            fields=_FIELDS,
            timeout=_TIMEOUT,
            retry=_RETRY,
        )
        try:
            page = next(found.pages)
        except NotThere as failure:
            raise _no_bucket(base) from failure
        objects = [Object(one.name, one.size, one.updated, is_marker=one.name.endswith("/")) for one in page]
        return Page(objects, page.prefixes, found.next_page_token)

    def head(self, key: str) -> Object:
        blob = self._blob(key)
        blob.reload(timeout=_TIMEOUT, retry=_RETRY)
        return Object(key, int(blob.size or 0), blob.updated or clock.now())

    def body(self, key: str, offset: int, length: int | None) -> tuple[Body, int] | None:
        # As it lies there: what was stored compressed would else come unpacked, and longer than it is said to be.
        headers = {"Accept-Encoding": "gzip"}
        if offset or length is not None:
            headers["Range"] = f"bytes={offset}-{'' if length is None else offset + length - 1}"
        address = f"download/storage/v1/b/{self.bucket}/o/{quote(key, safe='')}?alt=media"
        try:
            answer = self._request("GET", address, headers=headers, stream=True)
        except GoogleAPICallError as failure:
            if failure.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                return None
            raise
        return _Raw(answer), int(answer.headers["Content-Length"])

    def put(self, key: str, upload: Upload, length: int | None) -> None:
        blob = self._blob(key)
        blob.chunk_size = _PART
        first = upload.read(_PART)
        try:
            if len(first) < _PART:
                blob.upload_from_string(first, _ANYTHING, timeout=_TIMEOUT, retry=_RETRY)
            else:
                blob.upload_from_file(_Rest(first, upload), timeout=_TIMEOUT, retry=_RETRY)
        except NotThere as failure:
            raise _no_bucket(key) from failure

    def remove(self, keys: Sequence[str]) -> None:
        at_once(self._remove_one, keys)

    def told(self, path: str, failure: Exception) -> PodiumError:
        if isinstance(failure, RetryError) and failure.cause is not None:
            failure = failure.cause
        if isinstance(failure, NotThere):
            return not_found(path)
        code = type(failure).__name__
        if isinstance(failure, GoogleAPICallError):
            return refusal(path, failure.code, code)
        if isinstance(failure, GoogleAuthError) and not isinstance(failure, TransportError):
            return refusal(path, None, code)
        return unavailable(failure)

    def sweep_incoming(self, older_than: timedelta) -> int:
        horizon = clock.now() - older_than
        swept = 0
        begin_at = ""
        with self.answers(""):
            while True:
                address = f"{self.bucket}?uploads&prefix={quote(self.base(''))}{begin_at}"
                found = ElementTree.fromstring(self._request("GET", address).content)
                for upload in found.iterfind("{*}Upload"):
                    if datetime.fromisoformat(_text(upload, "Initiated")) < horizon:
                        self._abort(_text(upload, "Key"), _text(upload, "UploadId"))
                        swept += 1
                if _text(found, "IsTruncated") != "true":
                    return swept
                begin_at = "".join(
                    f"&{name}={quote(_text(found, f'Next{tag}'), safe='')}"
                    for name, tag in (("key-marker", "KeyMarker"), ("upload-id-marker", "UploadIdMarker"))
                )

    # -- for clients that read and write the bucket themselves ---------------------------------------------------------
    @property
    def signs(self) -> bool:
        try:
            return isinstance(self._credentials, Signing)
        except GoogleAuthError:
            return False

    def download_address(self, path: str, *, seconds: int) -> str:
        return self._signed(
            "GET",
            path,
            seconds,
            response_disposition=content_disposition(basename(path)),
            response_type=_ANYTHING,  # a browser saves it, whatever it is
        )

    def upload_address(self, path: str, *, seconds: int) -> str:
        return self._signed("PUT", path, seconds)

    def start_upload(self, path: str) -> str:
        with self.answers(path):
            answer = self._request("POST", f"{self._place(self.key(path))}?uploads", data=b"")
            return _text(ElementTree.fromstring(answer.content), "UploadId")

    def part_address(self, path: str, upload_id: str, number: int, *, seconds: int) -> str:
        return self._signed("PUT", path, seconds, query_parameters={"partNumber": str(number), "uploadId": upload_id})

    def complete_upload(self, path: str, upload_id: str, parts: Sequence[UploadedPart]) -> None:
        body = ElementTree.Element("CompleteMultipartUpload")
        for part in parts:
            told = ElementTree.SubElement(body, "Part")
            ElementTree.SubElement(told, "PartNumber").text = str(part.number)
            ElementTree.SubElement(told, "ETag").text = part.etag
        address = f"{self._place(self.key(path))}?uploadId={quote(upload_id, safe='')}"
        with self.answers(path):
            try:
                self._request("POST", address, data=ElementTree.tostring(body))
            except GoogleAPICallError as failure:
                if failure.code in (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND):
                    code = _CODE.search(str(failure))
                    raise cannot_be_completed(path, code[1] if code else type(failure).__name__) from failure
                raise

    def abort_upload(self, path: str, upload_id: str) -> None:
        with self.answers(path):
            self._abort(self.key(path), upload_id)

    # -- the ways to Google --------------------------------------------------------------------------------------------
    @cached_property
    def _credentials(self) -> Any:
        if os.environ.get("STORAGE_EMULATOR_HOST") and not os.environ.get("GOOGLE_APPLICATION_CREDENTIALS"):
            return AnonymousCredentials()
        return google.auth.default(scopes=_SCOPES)[0]

    @cached_property
    def _client(self) -> Client:
        return Client(project=None, credentials=self._credentials)

    @cached_property
    def _session(self) -> AuthorizedSession:
        return AuthorizedSession(self._credentials)

    def _request(self, method: str, address: str, **how: Any) -> Response:
        """For what the library has no call that streams, or none at all."""

        def once() -> Response:
            answer: Response = self._session.request(
                method, f"{self._client.api_endpoint}/{address}", timeout=_TIMEOUT, **how
            )
            if not answer.ok:
                raise from_http_response(answer)
            return answer

        answer: Response = _RETRY(once)()
        return answer

    def _blob(self, key: str) -> Blob:
        return self._client.bucket(self.bucket).blob(key)

    def _place(self, key: str) -> str:
        return f"{self.bucket}/{quote(key, safe='/~')}"

    def _remove_one(self, key: str) -> None:
        with contextlib.suppress(NotThere):
            self._blob(key).delete(timeout=_TIMEOUT, retry=_RETRY)

    def _abort(self, key: str, upload_id: str) -> None:
        with contextlib.suppress(NotThere):
            self._request("DELETE", f"{self._place(key)}?uploadId={quote(upload_id, safe='')}")

    def _signed(self, method: str, path: str, seconds: int, **more: Any) -> str:
        with self.answers(path):  # some credentials ask Google to sign
            address: str = self._blob(self.key(path)).generate_signed_url(
                version="v4", expiration=timedelta(seconds=seconds), method=method, **more
            )
        return address


class _Raw:
    """The body of an answer, as it comes."""

    def __init__(self, answer: Response) -> None:
        self._answer = answer
        self.close = answer.close

    def read(self, size: int, /) -> bytes:
        chunk: bytes = self._answer.raw.read(size)
        return chunk


class _Rest:
    """An upload of which the first part was read already.

    It has no length to ask for: then the library sends part by part, and the last one only when the upload ended as it
    should."""

    def __init__(self, first: bytes, upload: Upload) -> None:
        self._first: bytes | None = first
        self._upload = upload
        self._at = 0

    def read(self, size: int) -> bytes:
        part = self._upload.read(size) if self._first is None else self._first
        self._first = None
        self._at += len(part)
        return part

    def tell(self) -> int:
        return self._at


def _text(element: ElementTree.Element, tag: str) -> str:
    return element.findtext(f"{{*}}{tag}") or ""


def _no_bucket(path: str) -> PodiumError:
    return refusal(path, HTTPStatus.NOT_FOUND, "NoSuchBucket")
