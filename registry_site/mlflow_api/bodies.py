"""Bodies of requests, as streams."""

from typing import Any

from django.http import HttpRequest
from gunicorn.http.body import Body, LengthReader
from gunicorn.http.unreader import SocketUnreader

from registry_site.artifacts.store import Source
from registry_site.core.errors import InvalidParameter


def chunked_body(http: HttpRequest) -> Source | None:
    """The body of a chunked request, which Django takes for an empty one; None for a request that is not chunked.

    Raises InvalidParameter where the web server does not tell the end of such a body.
    """
    if "chunked" not in http.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        return None
    if not http.META.get("wsgi.input_terminated"):
        raise InvalidParameter("This web server takes no chunked uploads: send the Content-Length.")
    stream: Source = http.META["wsgi.input"]
    return stream


def sized_body(http: HttpRequest) -> Source:
    """The body of a request that says how long it is: under gunicorn straight from the connection."""
    body: Any = http.META["wsgi.input"]
    if (
        isinstance(body, Body)
        and isinstance(body.reader, LengthReader)
        and isinstance(body.reader.unreader, SocketUnreader)
        and not body.buf.tell()
    ):
        return ConnectionBody(body.reader)
    return http


class ConnectionBody:
    """What is left of a body, read from gunicorn's connection into memory that is there already.

    gunicorn's own stream makes four copies of every byte on its way. Its reader is told what was taken from under it,
    so that it knows where the next request begins.
    """

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def read(self, size: int, /) -> bytes:
        content: bytes = self._reader.read(min(size, self._reader.length))
        return content

    def readinto(self, buffer: memoryview, /) -> int:
        size = min(len(buffer), self._reader.length)
        unreader = self._reader.unreader
        if held := unreader.take_buffered():  # it came along with the headers
            count = min(len(held), size)
            buffer[:count] = held[:count]
            unreader.unread(held[count:])
        else:
            count = unreader.sock.recv_into(buffer, size) if size else 0
        self._reader.length -= count
        return int(count)
