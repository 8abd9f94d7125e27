"""Reading bytes in order, a little at a time, and passing over what is of no interest."""

import io
from collections.abc import Callable

BLOCK = 64 * 1024


class Stream:
    """Bytes in order. `read` gives some, at most as many as asked for, and none at the end; `seek`, where there is one,
    passes over that many."""

    def __init__(self, read: Callable[[int], bytes], pass_over: Callable[[int], int] | None = None) -> None:
        self._read = read
        self._pass_over = pass_over
        self._buffer = b""
        self._at = 0

    def peek(self, size: int) -> bytes:
        """The next bytes, which stay; fewer at the end."""
        self._fill(size)
        return self._buffer[self._at : self._at + size]

    def read(self, size: int) -> bytes:
        """The next bytes; fewer at the end."""
        found = self.peek(size)
        self._at += len(found)
        return found

    def byte(self) -> int:
        """The next byte; -1 at the end."""
        if self._at >= len(self._buffer):
            self._fill(1)
            if not self._buffer:
                return -1
        self._at += 1
        return self._buffer[self._at - 1]

    def line(self, longest: int) -> bytes | None:
        """The next bytes up to a line feed, without it; None of a longer line, which is passed over. Raises EOFError
        when no line feed comes."""
        size, is_long = 256, False
        while True:
            found = self.peek(size)
            end = found.find(b"\n")
            if end >= 0:
                self._at += end + 1
                return None if is_long or end > longest else found[:end]
            if len(found) < size:
                raise EOFError
            if size > longest:
                is_long = True
                self._at += len(found)
            else:
                size *= 4

    def skip(self, size: int) -> int:
        """Pass over that many bytes; how many there were."""
        there = min(size, len(self._buffer) - self._at)
        self._at += there
        if there == size:
            return size
        if self._pass_over is not None:
            return there + self._pass_over(size - there)
        while there < size and (block := self.read(min(BLOCK, size - there))):
            there += len(block)
        return there

    def _fill(self, size: int) -> None:
        if len(self._buffer) - self._at >= size:
            return
        parts = [self._buffer[self._at :]]
        have = len(parts[0])
        while have < size:
            block = self._read(max(BLOCK, size - have))
            if not block:
                break
            parts.append(block)
            have += len(block)
        self._buffer, self._at = b"".join(parts), 0


class SeekableFile(io.RawIOBase):
    """A file of a store as Python's own libraries want one; `open_at` gives the bytes from an offset on.

    A single read of more than `most` bytes raises OSError: archives say themselves how large their parts are. A small
    file is opened once, however one moves about in it."""

    def __init__(self, size: int, open_at: Callable[[int], io.RawIOBase], most: int = 4 * 1024 * 1024) -> None:
        self._size = size
        self._open_at = open_at
        self._most = most
        self._at = 0
        self._body: io.RawIOBase | None = None
        self._body_at = 0
        self._whole: bytes | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise OSError("before the start of the file")
        self._at = start + offset
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = max(self._size - self._at, 0) if size is None or size < 0 else size
        wanted = min(wanted, max(self._size - self._at, 0))
        if wanted > self._most:
            raise OSError(f"more than {self._most} bytes at once")
        if self._size > BLOCK:
            return self._next(wanted)
        if self._whole is None:
            before, self._at = self._at, 0
            self._whole, self._at = self._next(self._size), before
        found = self._whole[self._at : self._at + wanted]
        self._at += len(found)
        return found

    def _next(self, wanted: int) -> bytes:
        parts = []
        while wanted > 0 and (block := self._some(wanted)):
            parts.append(block)
            wanted -= len(block)
        return b"".join(parts)

    def _some(self, size: int) -> bytes:
        if self._body is None or self._body_at != self._at:
            self.close_body()
            self._body, self._body_at = self._open_at(self._at), self._at
        block = self._body.read(size) or b""
        self._at += len(block)
        self._body_at = self._at
        return block

    def close_body(self) -> None:
        """Let go of what is open in the store."""
        if self._body is not None:
            self._body.close()
            self._body = None

    def close(self) -> None:
        self.close_body()
        super().close()
