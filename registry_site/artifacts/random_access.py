"""An artifact as a file in which one moves about, and of which only a bounded part is ever read."""

import errno
import io
from typing import TYPE_CHECKING

from registry_site.artifacts.store import ArtifactStore
from registry_site.core.errors import TooLarge

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class RandomAccess(io.RawIOBase):
    """Reads ranges of an artifact of `size` bytes. Raises TooLarge when more than `budget` bytes are read in all."""

    def __init__(self, store: ArtifactStore, path: str, *, size: int, budget: int) -> None:
        super().__init__()
        self._store, self._path, self._size, self._left = store, path, size, budget
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise OSError(errno.EINVAL, "There is nothing before the beginning of the file.")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer).cast("B")
        chunk = self.read_range(self._at, len(view))
        view[: len(chunk)] = chunk
        self._at += len(chunk)
        return len(chunk)

    def read_range(self, offset: int, length: int) -> bytes:
        """The bytes there, fewer at the end of the file."""
        length = max(min(length, self._size - offset), 0)
        if length > self._left:
            raise TooLarge(f"More of {self._path} would have to be read than a preview may.")
        self._left -= length
        if not length:
            return b""
        with self._store.open(self._path, offset=offset, length=length) as reader:
            return reader.read()
