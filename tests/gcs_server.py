"""A server that speaks as much of Google Cloud Storage as stores and clients need: the JSON API with bearer tokens, the
XML API with signed addresses, uploads as a whole, in one session and in parts. What it keeps lies in files."""

import base64
import hashlib
import json
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from uuid import uuid4
from xml.etree import ElementTree

import google_crc32c
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

BLOCK = 256 * 1024
TOKEN = "token-of-podium"
EMAIL = "podium@tests.iam.gserviceaccount.com"
SMALLEST_CHUNK = 256 * 1024


@dataclass
class Kept:
    """An object: the file with its bytes, and when it was written."""

    file: Path
    crc32c: str
    updated: datetime

    @property
    def size(self) -> int:
        return self.file.stat().st_size


@dataclass
class Parts:
    """An upload in parts that is under way."""

    bucket: str
    name: str
    initiated: datetime
    arrived: dict[int, tuple[str, Path]] = field(default_factory=dict)


class Refused(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


class GcsServer:
    """Buckets of one owner; answers at `url` as long as it is entered."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.buckets: dict[str, dict[str, Kept]] = {}
        self.sessions: dict[str, tuple[str, str, Path]] = {}
        self.parts: dict[str, Parts] = {}
        self.is_forbidden = False
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        answers = type("Answers", (_Answers,), {"server_of": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), answers)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._key_file = folder / "key.json"
        key = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._key_file.write_text(
            json.dumps(
                {
                    "type": "service_account",
                    "project_id": "tests",
                    "private_key_id": "1",
                    "private_key": key.decode(),
                    "client_email": EMAIL,
                    "token_uri": f"{self.url}/token",
                }
            )
        )

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which Google's library finds it."""
        return {"STORAGE_EMULATOR_HOST": self.url, "GOOGLE_APPLICATION_CREDENTIALS": str(self._key_file)}

    def make_bucket(self) -> str:
        name = f"models-{uuid4().hex}"
        self.buckets[name] = {}
        return name

    def put(self, bucket: str, name: str, content: bytes) -> None:
        """Write as somebody with keys of their own does."""
        file = self.file()
        file.write_bytes(content)
        self.keep(bucket, name, file)

    def file(self) -> Path:
        return self.folder / uuid4().hex

    def keep(self, bucket: str, name: str, file: Path) -> Kept:
        checksum = google_crc32c.Checksum()
        with file.open("rb") as content:
            while block := content.read(BLOCK):
                checksum.update(block)
        kept = Kept(file, base64.b64encode(checksum.digest()).decode(), datetime.now(UTC))
        self.buckets[bucket][name] = kept
        return kept

    def is_signed(self, method: str, path: str, query: list[tuple[str, str]], host: str) -> bool:
        """Whether the address carries a signature of the owner's that holds now, of this call and no other."""
        given = dict(query)
        signature = given.get("X-Goog-Signature", "")
        if not signature or given["X-Goog-SignedHeaders"] != "host":
            return False
        rest = sorted((quote(name, safe="~"), quote(value, safe="~")) for name, value in query)
        text = "&".join(f"{name}={value}" for name, value in rest if name != "X-Goog-Signature")
        request = "\n".join((method, path, text, f"host:{host}", "", "host", "UNSIGNED-PAYLOAD"))
        scope = given["X-Goog-Credential"].partition("/")[2]
        digest = hashlib.sha256(request.encode()).hexdigest()
        signed = "\n".join(("GOOG4-RSA-SHA256", given["X-Goog-Date"], scope, digest))
        try:
            self._key.public_key().verify(
                bytes.fromhex(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256()
            )
        except InvalidSignature:
            return False
        made = datetime.strptime(given["X-Goog-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return datetime.now(UTC) < made + timedelta(seconds=int(given["X-Goog-Expires"]))

    def __enter__(self) -> "GcsServer":
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._http.shutdown()
        self._http.server_close()


class _Answers(BaseHTTPRequestHandler):
    server_of: GcsServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self) -> None:
        self.path_there = urlsplit(self.path).path
        self.query = parse_qsl(urlsplit(self.path).query, keep_blank_values=True)
        self.given = dict(self.query)
        self.left = int(self.headers.get("Content-Length") or 0)
        try:
            self.find()
        except Refused as refused:
            self.skip()
            is_json = self.path_there.startswith(("/storage/", "/upload/", "/download/"))
            error = {"error": {"code": refused.status, "message": refused.reason, "errors": [{"reason": "x"}]}}
            text = json.dumps(error) if is_json else f"<Error><Code>{refused.reason}</Code></Error>"
            self.send(refused.status, text.encode(), {"Content-Type": "application/json" if is_json else "text/xml"})

    do_GET = do_PUT = do_POST = do_DELETE = answer

    def find(self) -> None:
        if self.path_there == "/token":
            self.skip()
            return self.send_json({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})
        is_owner = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        host = self.headers["Host"]
        if not is_owner and not self.server_of.is_signed(self.command, self.path_there, self.query, host):
            raise Refused(403, "AccessDenied")
        if self.server_of.is_forbidden:
            raise Refused(403, "Forbidden")
        if found := re.fullmatch(
            r"/(storage|upload/storage|download/storage)/v1/b/([^/]+)/o(?:/([^/]+))?", self.path_there
        ):
            door, bucket, name = found.groups()
            objects = self.objects(bucket)
            if door == "upload/storage":
                return self.upload(bucket)
            if name is None:
                return self.list(objects)
            kept = objects.get(unquote(name))
            if kept is None:
                raise Refused(404, f"No such object: {bucket}/{unquote(name)}")
            if self.command == "DELETE":
                del objects[unquote(name)]
                return self.send(204)
            if door == "download/storage":
                return self.send_file(kept)
            return self.send_json(self.described(unquote(name), kept))
        bucket, _, name = self.path_there[1:].partition("/")
        return self.xml(bucket, unquote(name))

    def objects(self, bucket: str) -> dict[str, Kept]:
        if bucket not in self.server_of.buckets:
            raise Refused(404, "NoSuchBucket" if not self.path_there.startswith("/storage") else "No such bucket")
        return self.server_of.buckets[bucket]

    # -- the JSON API --------------------------------------------------------------------------------------------------
    def list(self, objects: dict[str, Kept]) -> None:
        prefix, delimiter = self.given.get("prefix", ""), self.given.get("delimiter")
        found: dict[str, Kept | None] = {}
        for name, kept in sorted(objects.items()):
            if name.startswith(prefix):
                head, parted, _ = name[len(prefix) :].partition(delimiter) if delimiter else (name, "", "")
                found[prefix + head + parted if parted else name] = None if parted else kept
        start = base64.b64decode(self.given.get("pageToken", "")).decode()
        names = [name for name in found if name > start]
        page = names[: int(self.given.get("maxResults", 1000))]
        answer: dict[str, Any] = {
            "items": [self.described(name, kept) for name in page if (kept := found[name])],
            "prefixes": [name for name in page if found[name] is None],
        }
        if len(page) < len(names):
            answer["nextPageToken"] = base64.b64encode(page[-1].encode()).decode()
        self.send_json(answer)

    def described(self, name: str, kept: Kept) -> dict[str, str]:
        updated = kept.updated.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {"name": name, "size": str(kept.size), "updated": updated, "crc32c": kept.crc32c}

    def upload(self, bucket: str) -> None:
        if session := self.given.get("upload_id"):
            return self.resume(session)
        if self.given["uploadType"] == "resumable":
            name = json.loads(self.rfile.read(self.left))["name"]
            session, file = uuid4().hex, self.server_of.file()
            file.touch()
            self.server_of.sessions[session] = (bucket, name, file)
            return self.send(200, headers={"Location": f"{self.server_of.url}{self.path}&upload_id={session}"})
        boundary = re.search(r'boundary="?([^";]+)', self.headers["Content-Type"])
        assert boundary
        _, described, content, _ = self.rfile.read(self.left).split(b"--" + boundary[1].strip("'").encode())
        name = json.loads(described.partition(b"\r\n\r\n")[2])["name"]
        file = self.server_of.file()
        file.write_bytes(content.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n"))
        return self.send_json(self.described(name, self.server_of.keep(bucket, name, file)))

    def resume(self, session: str) -> None:
        bucket, name, file = self.server_of.sessions[session]
        extent = re.fullmatch(r"bytes (?:\*|(\d+)-(\d+))/(\*|\d+)", self.headers["Content-Range"])
        assert extent
        if int(extent[1] or file.stat().st_size) != file.stat().st_size:
            raise Refused(400, "InvalidChunk")
        if extent[3] == "*" and self.left % SMALLEST_CHUNK:
            raise Refused(400, "InvalidChunk")
        self.receive(file)
        size = file.stat().st_size
        if extent[3] == "*":
            return self.send(308, headers={"Range": f"bytes=0-{size - 1}"})
        del self.server_of.sessions[session]
        return self.send_json(self.described(name, self.server_of.keep(bucket, name, file)))

    # -- the XML API ---------------------------------------------------------------------------------------------------
    def xml(self, bucket: str, name: str) -> None:
        objects, parts = self.objects(bucket), self.server_of.parts
        upload_id = self.given.get("uploadId", "")
        if upload_id and (upload_id not in parts or (parts[upload_id].bucket, parts[upload_id].name) != (bucket, name)):
            raise Refused(404, "NoSuchUpload")
        if self.command == "GET" and "uploads" in self.given:
            return self.send_xml(self.uploads(bucket))
        if self.command == "POST" and "uploads" in self.given:
            parts[uuid4().hex] = Parts(bucket, name, datetime.now(UTC))
            return self.send_xml(
                f"<InitiateMultipartUploadResult><UploadId>{[*parts][-1]}</UploadId></InitiateMultipartUploadResult>"
            )
        if self.command == "POST" and upload_id:
            return self.complete(parts[upload_id], upload_id)
        if self.command == "DELETE" and upload_id:
            del parts[upload_id]
            return self.send(204)
        if self.command == "PUT":
            file = self.server_of.file()
            file.touch()
            self.receive(file)
            if upload_id:
                tag = f'"{uuid4().hex}"'
                parts[upload_id].arrived[int(self.given["partNumber"])] = (tag, file)
                return self.send(200, headers={"ETag": tag})
            self.server_of.keep(bucket, name, file)
            return self.send(200)
        if self.command == "GET" and name in objects:
            return self.send_file(objects[name])
        raise Refused(404, "NoSuchKey")

    def uploads(self, bucket: str) -> str:
        begin = (self.given.get("key-marker", ""), self.given.get("upload-id-marker", ""))
        found = sorted((one.name, key, one) for key, one in self.server_of.parts.items() if one.bucket == bucket)
        found = [one for one in found if one[0].startswith(self.given.get("prefix", "")) and one[:2] > begin]
        page = found[:2]
        listed = "".join(
            f"<Upload><Key>{name}</Key><UploadId>{key}</UploadId>"
            f"<Initiated>{one.initiated:%Y-%m-%dT%H:%M:%S.%fZ}</Initiated></Upload>"
            for name, key, one in page
        )
        more = f"<IsTruncated>{'true' if len(page) < len(found) else 'false'}</IsTruncated>"
        if page:
            more += f"<NextKeyMarker>{page[-1][0]}</NextKeyMarker>"
            more += f"<NextUploadIdMarker>{page[-1][1]}</NextUploadIdMarker>"
        return f"<ListMultipartUploadsResult>{listed}{more}</ListMultipartUploadsResult>"

    def complete(self, upload: Parts, upload_id: str) -> None:
        asked = ElementTree.fromstring(self.rfile.read(self.left))
        self.left = 0
        file = self.server_of.file()
        with file.open("wb") as target:
            for part in asked.iter("Part"):
                tag, content = upload.arrived.get(int(part.findtext("PartNumber") or 0), ("", Path()))
                if not tag or tag != part.findtext("ETag"):
                    raise Refused(400, "InvalidPart")
                with content.open("rb") as source:
                    shutil.copyfileobj(source, target)
        self.server_of.keep(upload.bucket, upload.name, file)
        del self.server_of.parts[upload_id]
        self.send_xml("<CompleteMultipartUploadResult/>")

    # -- what comes and goes -------------------------------------------------------------------------------------------
    def receive(self, file: Path) -> None:
        with file.open("ab") as target:
            while self.left and (block := self.rfile.read(min(BLOCK, self.left))):
                target.write(block)
                self.left -= len(block)

    def skip(self) -> None:
        while self.left and (block := self.rfile.read(min(BLOCK, self.left))):
            self.left -= len(block)

    def send_file(self, kept: Kept) -> None:
        first, last, status = 0, kept.size - 1, 200
        headers = {}
        if extent := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last, status = int(extent[1]), min(int(extent[2] or last), last), 206
            if first >= kept.size:
                raise Refused(416, "InvalidRange")
            headers["Content-Range"] = f"bytes {first}-{last}/{kept.size}"
        for name in ("content-disposition", "content-type"):
            if value := self.given.get(f"response-{name}"):
                headers[name] = value
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(last - first + 1)}).items():
            self.send_header(name, value)
        self.end_headers()
        with kept.file.open("rb") as content:
            content.seek(first)
            left = last - first + 1
            while left and (block := content.read(min(BLOCK, left))):
                self.wfile.write(block)
                left -= len(block)

    def send_json(self, answer: dict[str, Any]) -> None:
        self.send(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def send_xml(self, answer: str) -> None:
        self.send(200, answer.encode(), {"Content-Type": "application/xml"})

    def send(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ((headers or {}) | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Keeps quiet."""


@contextmanager
def running() -> Iterator[GcsServer]:
    """A server for as long as the context is open."""
    with tempfile.TemporaryDirectory() as folder, GcsServer(Path(folder)) as server:
        yield server
