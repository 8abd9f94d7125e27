"""What a folder of files is, in one line: its manifest, and the digest over it. Pure.

A manifest lists every file below a folder: its path relative to the folder, its size in bytes and the SHA-256 of its
bytes. Its digest is the SHA-256, in hexadecimal, of one line for each file,

    <SHA-256 of the file in hexadecimal> <two blanks> <path> <line feed>

in UTF-8, ordered by the bytes of the paths. A folder that has been downloaded can be held against it without Podium:

    find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

CHUNK = 1024 * 1024  # bytes in memory at a time


@dataclass(frozen=True, slots=True)
class FileDigest:
    """A file by its path in the folder. Without `sha256` it was not read, and only its size is known."""

    path: str
    size: int
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Paths by what became of them, each in order."""

    missing: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the folder is what the manifest says."""
        return not (self.missing or self.changed or self.added)


def digest_of(files: Iterable[FileDigest]) -> str:
    """The digest over a manifest, 64 hexadecimal digits. Raises ValueError for a file that was not read."""
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda file: file.path.encode()):
        if file.sha256 is None:
            raise ValueError(f"{file.path} was not read")
        digest.update(f"{file.sha256}  {file.path}\n".encode())
    return digest.hexdigest()


def compare(manifest: Iterable[FileDigest], found: Iterable[FileDigest]) -> Comparison:
    """What is not as the manifest says. A file that was not read counts as changed when its size is another."""
    expected = {file.path: file for file in manifest}
    there = {file.path: file for file in found}
    return Comparison(
        missing=tuple(sorted(expected.keys() - there.keys())),
        changed=tuple(sorted(path for path in expected.keys() & there.keys() if _differ(expected[path], there[path]))),
        added=tuple(sorted(there.keys() - expected.keys())),
    )


def read_digest(path: str, read: Callable[[int], bytes], meanwhile: Callable[[], None] = lambda: None) -> FileDigest:
    """The digest of the file that `read` gives in pieces, empty at its end; `meanwhile` is called between them."""
    digest, size = hashlib.sha256(), 0
    while chunk := read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
        meanwhile()
    return FileDigest(path, size, digest.hexdigest())


def _differ(one: FileDigest, other: FileDigest) -> bool:
    return one.size != other.size or (None not in (one.sha256, other.sha256) and one.sha256 != other.sha256)
