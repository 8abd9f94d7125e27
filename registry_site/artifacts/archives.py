"""Folders as one file, made while it is sent: memory holds one chunk, and of each file its name."""

import struct
import tarfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from zipstream import ZipStream

from registry_site.artifacts.store import CHUNK, Reader
from registry_site.core.errors import Unavailable

_LEVEL = 1  # text gets small with this already
_STORED = 0  # for weights, which get no smaller, whatever the effort, at fifty times the speed
_SAMPLE = 64 * 1024  # bytes of a large file by which one knows which of the two


class Format(StrEnum):
    """What is made of a folder. The value is the extension."""

    ZIP = "zip"
    TAR_GZ = "tar.gz"

    @property
    def content_type(self) -> str:
        return "application/zip" if self is Format.ZIP else "application/gzip"


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive, or an empty folder, whose path ends with a slash. `size` is in bytes."""

    path: str
    size: int
    modified_ms: int | None
    open: Callable[[], Reader]

    @property
    def is_dir(self) -> bool:
        return self.path.endswith("/")


@dataclass(frozen=True, slots=True)
class Archive:
    """`length` is in bytes, or None where only the end will tell. Reading `chunks` raises the errors of the store, and
    Unavailable when a file is no longer what it was: an archive that came to its end is whole."""

    chunks: Iterator[bytes]
    length: int | None


def archive_of(members: Sequence[Member], format: Format) -> Archive:
    """The members in one file. Nothing is read before its chunks are."""
    if format is Format.TAR_GZ:
        return Archive(_tar_gz(members), None)
    stored = ZipStream(sized=True)
    for member in members:
        if member.is_dir:
            stored.mkdir(member.path)
        else:
            stored.add(_content(member), member.path, size=member.size)
    return Archive(iter(stored), len(stored))


def _tar_gz(members: Sequence[Member]) -> Iterator[bytes]:
    gzip = _Gzip()
    yield gzip.BEGINNING
    for member in members:
        header = tarfile.TarInfo(member.path.rstrip("/"))
        header.mtime = (member.modified_ms or 0) // 1000
        if member.is_dir:
            header.type, header.mode = tarfile.DIRTYPE, 0o755
        else:
            header.size = member.size
        yield gzip.compress(header.tobuf(tarfile.PAX_FORMAT))
        if not member.is_dir:
            for number, chunk in enumerate(_content(member)):
                if not number:
                    yield gzip.go_on(_level_for(member, chunk))
                yield gzip.compress(chunk)
            yield gzip.compress(bytes(-member.size % tarfile.BLOCKSIZE))
    yield gzip.compress(bytes(2 * tarfile.BLOCKSIZE)) + gzip.end()


class _Gzip:
    """One gzip stream, whose level may change on the way: many readers stop at a second header."""

    BEGINNING = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"

    def __init__(self) -> None:
        self._crc = self._size = 0
        self._begin(_LEVEL)

    def _begin(self, level: int) -> None:
        self._level = level
        self._deflate = zlib.compressobj(level, wbits=-zlib.MAX_WBITS)

    def compress(self, data: bytes) -> bytes:
        self._crc = zlib.crc32(data, self._crc)
        self._size += len(data)
        return self._deflate.compress(data)

    def go_on(self, level: int) -> bytes:
        """What is to be written before the bytes that are compressed at this level."""
        if level == self._level:
            return b""
        rest = self._deflate.flush(zlib.Z_FULL_FLUSH)
        self._begin(level)
        return rest

    def end(self) -> bytes:
        return self._deflate.flush() + struct.pack("<LL", self._crc, self._size % 2**32)


def _level_for(member: Member, chunk: bytes) -> int:
    if member.size < CHUNK:
        return _LEVEL
    sample = chunk[:_SAMPLE]
    return _LEVEL if len(zlib.compress(sample, _LEVEL)) < 0.9 * len(sample) else _STORED


def _content(member: Member) -> Iterator[bytes]:
    """The bytes of a file, which are as many as were announced."""
    with member.open() as reader:
        if reader.remaining != member.size:
            raise _changed(member)
        yield from reader
        if reader.remaining:
            raise _changed(member)


def _changed(member: Member) -> Unavailable:
    return Unavailable(f"{member.path} changed while it was read; download the archive again.")
