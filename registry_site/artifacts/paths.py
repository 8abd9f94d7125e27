"""What an artifact's path may be, and what its name says about the file. Pure.

A path is what stands behind `…/mlflow-artifacts/artifacts/` or in `?path=` after the HTTP layer decoded it,
once. It is accepted as it is or refused; nothing here cleans one, because two spellings of one file are how
guards are walked round.
"""

import mimetypes
import re
from urllib.parse import quote, unquote

from registry_site.core.errors import InvalidParameter

MAX_PATH_BYTES = 1000  # object stores end at 1024, and a store's own prefix stands before the path
MAX_SEGMENT_BYTES = 255  # of every usual file system
MAX_DECODINGS = 10  # a path that is still encoded after so many is not a name that somebody chose

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(/|$)|file:", re.IGNORECASE)
_UNSAFE_IN_QUOTES = re.compile(r'[^\x20-\x7e]|["\\%]')

# The table is ours and not the machine's /etc/mime.types, so that a file is served alike everywhere.
_TYPES = mimetypes.MimeTypes(filenames=())
_PLAIN = "cfg conf cnf err hocon in ini jl lock log out prop properties r rst sh sql tex toml yaml yml"
for _extension in _PLAIN.split():
    _TYPES.add_type("text/plain", f".{_extension}")
for _type, _extension in {
    "application/json": ".geojson",
    "application/x-ipynb+json": ".ipynb",
    "application/vnd.apache.parquet": ".parquet",
    "audio/flac": ".flac",
    "audio/mp4": ".m4a",
    "audio/ogg": ".ogg",
    "image/avif": ".avif",
    "image/webp": ".webp",
    "text/csv": ".csv",
    "text/javascript": ".js",
    "text/markdown": ".md",
    "text/tab-separated-values": ".tsv",
}.items():
    _TYPES.add_type(_type, _extension)
_TEXT_NAMES = {"MLmodel", "MLproject", "Dockerfile", "Makefile", "LICENSE", "README"}
_COMPRESSED = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}


def validate_artifact_path(path: str) -> str:
    """The path, unchanged, when it names a place below a root: `segment/segment/…`, no segment empty, `.` or
    `..`.

    Blanks, quotes, `#`, `?`, `;`, `%`, `+`, `&`, `:` and every script are letters like others: real clients
    log such names. Raises InvalidParameter for an absolute path, a backslash, control characters, a scheme
    (`file:`), a segment over 255 bytes or a path over 1000, and for whatever would become one of these if
    somebody decoded it again.
    """
    if not path:
        raise _invalid(path, "it is empty")
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        raise _invalid(path, "it is not valid Unicode") from None
    if len(encoded) > MAX_PATH_BYTES:
        raise _invalid(path, f"it is longer than {MAX_PATH_BYTES} bytes")
    if any(len(segment.encode()) > MAX_SEGMENT_BYTES for segment in path.split("/")):
        raise _invalid(path, f"a part of it is longer than {MAX_SEGMENT_BYTES} bytes")
    if "" in path.strip("/").split("/") or path.endswith("/"):
        raise _invalid(path, "it has an empty part")

    spelling = path
    for _ in range(MAX_DECODINGS):
        _refuse_escapes(path, spelling)
        decoded = unquote(spelling)
        if decoded == spelling:
            return path
        spelling = decoded
    raise _invalid(path, "it is percent-encoded over and over")


def _refuse_escapes(path: str, spelling: str) -> None:
    if _CONTROL.search(spelling):
        raise _invalid(path, "it contains a control character")
    if "\\" in spelling:
        raise _invalid(path, "it contains a backslash; folders are parted by '/'")
    if spelling.startswith("/"):
        raise _invalid(path, "it is absolute")
    if _SCHEME.match(spelling):
        raise _invalid(path, "it is a URI and not a path")
    if not {".", ".."}.isdisjoint(spelling.split("/")):
        raise _invalid(path, "'.' and '..' are not allowed in it")


def _invalid(path: str, reason: str) -> InvalidParameter:
    shown = path if len(path) <= 100 else f"{path[:100]}…"
    return InvalidParameter(f"Invalid path {shown!a}: {reason}.", field="path")


def join(*parts: str) -> str:
    """The parts in one path; empty parts, which stand for a root, are left out."""
    return "/".join(part for part in parts if part)


def parent(path: str) -> str:
    """The folder that holds the path; empty, for the root, when it has one part."""
    return path.rpartition("/")[0]


def basename(path: str) -> str:
    """The last part of the path."""
    return path.rpartition("/")[2]


def content_type_of(name: str) -> str:
    """The media type that the name promises, without a charset; `application/octet-stream` when it promises
    none."""
    if basename(name) in _TEXT_NAMES:
        return "text/plain"
    # guess_type() would take a name for a URL and drop what stands before a colon
    kind, encoding = _TYPES.guess_type(f"./{basename(name)}".replace(":", "_"))
    if encoding:
        return _COMPRESSED.get(encoding, "application/octet-stream")
    return kind or "application/octet-stream"


def content_disposition(name: str, *, inline: bool = False) -> str:
    """The header of RFC 6266 under which a browser saves the file by its own name, in any script."""
    kind = "inline" if inline else "attachment"
    plain = _UNSAFE_IN_QUOTES.sub("_", name)
    if plain == name:
        return f'{kind}; filename="{name}"'
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"
