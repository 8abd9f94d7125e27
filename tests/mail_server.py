"""A real SMTP server on this machine."""

import email
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from tests.live import free_port


class Mailboxes:
    """A mail server's memory, and its temper."""

    def __init__(self) -> None:
        self.port = free_port()
        self.received: list[EmailMessage] = []
        self.refusals: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refusals:
            return self.refusals.pop(0)
        message = email.message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.received.append(message)
        return "250 OK"

    def wait_for(self, address: str, subject: str, seconds: float = 60) -> EmailMessage:
        """The mail to that address with that subject, as soon as it is there."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for message in list(self.received):
                if (message["To"], message["Subject"]) == (address, subject):
                    return message
            time.sleep(0.1)
        told = [(message["To"], message["Subject"]) for message in self.received]
        raise AssertionError(f"no mail {subject!r} to {address} within {seconds} s, but {told}")


@contextmanager
def mail_server() -> Iterator[Mailboxes]:
    """A server that runs at `port`."""
    mailboxes = Mailboxes()
    controller = Controller(mailboxes, hostname="127.0.0.1", port=mailboxes.port)
    controller.start()
    try:
        yield mailboxes
    finally:
        controller.stop()
