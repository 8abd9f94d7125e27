"""A receiver of webhooks on this machine."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

Some = TypeVar("Some", bound="Receiver")


class Receiver(ThreadingHTTPServer):
    """Takes deliveries. `status`, `headers` and `body` are what it answers with, `taken` what it was sent; `:path`
    among the headers is where to."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Taking)
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body = b"thanks"
        self.taken: list[tuple[dict[str, str], bytes]] = []

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever sends may hang up."""

    @property
    def told(self) -> list[str]:
        """What happened, by deliveries of MLflow's format."""
        return ["{entity}.{action}".format_map(json.loads(body)) for _, body in self.taken]

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.taken]


class Taking(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((dict(self.headers) | {":path": self.path}, body))
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@contextmanager
def receiving(port: int = 0, receiver: type[Some] = Receiver) -> Iterator[Some]:
    """A receiver that runs, on a free port if none is given."""
    with receiver(port) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
