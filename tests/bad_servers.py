"""Servers on this machine that take connections and do not do what they should."""

import socket
import threading
from contextlib import suppress


class Dripping:
    """Answers with `beginning` at once, and then with `piece` a hundred times; `sent` is how many bytes that were."""

    def __init__(self, beginning: bytes, piece: bytes = b"x", pause: float = 0.2) -> None:
        self.beginning, self.piece, self.pause = beginning, piece, pause
        self.sent = 0
        self.over = threading.Event()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.answer)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.listening.getsockname()[1]}"

    def answer(self) -> None:
        connected, _ = self.listening.accept()
        with connected, suppress(OSError):  # the other side has had enough
            connected.recv(65536)
            connected.sendall(self.beginning)
            for _ in range(100):
                if self.over.wait(self.pause):
                    break
                connected.sendall(self.piece)
                self.sent += len(self.piece)

    def __enter__(self) -> "Dripping":
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.over.set()
        self.thread.join()
        self.listening.close()


class Silent(Dripping):
    """Takes a connection, and never says anything."""

    def __init__(self) -> None:
        super().__init__(b"")

    def answer(self) -> None:
        connected, _ = self.listening.accept()
        with connected:
            self.over.wait()
