"""Mails as files, for an installation that has no mail server: administrators read them on a page.

One `.eml` file a message, 0600, in a folder, 0700. A name begins with the time, so names sort by it.
"""

import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage as ParsedMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage

from registry_site.core import clock
from registry_site.core.errors import NotFound

_NAME = re.compile(r"\d{13}-[0-9a-f]{8}\.eml\Z")


class FolderBackend(BaseEmailBackend):
    """Django's mail backend that writes into `settings.PODIUM_MAIL_FOLDER`."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write each message, whole or not at all, and return how many. Raises OSError for a folder it cannot write."""
        folder = Path(settings.PODIUM_MAIL_FOLDER)
        written = 0
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for message in email_messages:
                _write(folder, message.message().as_bytes())
                written += 1
        except OSError:
            if not self.fail_silently:
                raise
        return written


def _write(folder: Path, content: bytes) -> None:
    name = f"{clock.now_ms():013d}-{secrets.token_hex(4)}.eml"
    temporary = folder / f".{name}"
    file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())
    temporary.rename(folder / name)


@dataclass(frozen=True, slots=True)
class StoredMail:
    """A message in the folder. The bodies are empty in a list; `html` is as it was sent and not to be trusted."""

    name: str
    at: datetime
    subject: str
    sender: str
    to: str
    text: str = ""
    html: str = ""


def read_folder(limit: int = 50, before: str | None = None) -> list[StoredMail]:
    """At most `limit` messages, newest first, without their bodies; `before` is the last name of the page before."""
    folder = Path(settings.PODIUM_MAIL_FOLDER)
    if not folder.is_dir():
        return []
    names = sorted((name for name in os.listdir(folder) if _NAME.match(name)), reverse=True)
    wanted = [name for name in names if before is None or name < before][:limit]
    return [_stored(name, _parse(folder / name, headers_only=True)) for name in wanted]


def read_message(name: str) -> StoredMail:
    """One message with its bodies. Raises NotFound for a name that is not in the folder."""
    path = Path(settings.PODIUM_MAIL_FOLDER) / name
    if not _NAME.match(name) or not path.is_file():
        raise NotFound(f"There is no mail {name!r}.")
    message = _parse(path, headers_only=False)
    return _stored(name, message, text=_body(message, "plain"), html=_body(message, "html"))


def _parse(path: Path, *, headers_only: bool) -> ParsedMessage:
    with path.open("rb") as file:
        return BytesParser(ParsedMessage, policy=policy.default).parse(file, headersonly=headers_only)


def _body(message: ParsedMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part else ""


def _stored(name: str, message: ParsedMessage, **bodies: Any) -> StoredMail:
    return StoredMail(
        name=name,
        at=clock.from_ms(int(name.partition("-")[0])),
        subject=str(message["Subject"] or ""),
        sender=str(message["From"] or ""),
        to=str(message["To"] or ""),
        **bodies,
    )
