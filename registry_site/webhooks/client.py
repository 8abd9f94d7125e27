"""Sending to addresses that people gave: to public ones only, and without following anybody anywhere.

A name is resolved once, its address is checked, and the connection goes to just that address, so that no name server
can turn it to one inside afterwards. Hosts that an administrator allows (`PODIUM_WEBHOOK_ALLOWED_HOSTS`) may be inside,
and may be spoken to by plain HTTP.
"""

import re
import time
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import requests
from django.conf import settings
from requests_hardened import Config, Manager
from requests_hardened.ip_filter import InvalidIPAddress, get_ip_address

from registry_site.core.errors import InvalidParameter

SECONDS = 10  # for each step of an attempt, and about that for all of it
ANSWER_AT_MOST = 64 * 1024  # bytes that are read of an answer
_HOST = re.compile(r"[A-Za-z0-9.-]+|[0-9A-Fa-f:.]+")
_UNUSABLE = re.compile(r"[\x00-\x20\x7f\\]")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt. The status is None where nobody answered; then `error` says why."""

    status: int | None
    duration_ms: int
    error: str = ""
    text: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether it was taken: an answer of 200 to 299."""
        return self.status is not None and 200 <= self.status < 300


def validate_url(url: str) -> str:
    """The address, if deliveries may go there now. Raises InvalidParameter that says why not."""
    parts = _parts(url)
    if _is_allowed(parts):
        return url
    if parts.scheme != "https":
        raise _refused(url, "it must begin with https://")
    try:
        get_ip_address(parts.hostname or "", parts.port or 443, allow_loopback=False)
    except InvalidIPAddress:
        raise _refused(url, "its host is not a public one") from None
    except (OSError, UnicodeError):
        raise _refused(url, "its host is not known") from None
    return url


def send(url: str, body: str, headers: dict[str, str]) -> Outcome:
    """POST the body once. Never raises for what the other side does."""
    started = time.monotonic()
    try:
        parts = _parts(url)
        allowed = _is_allowed(parts)
        if parts.scheme != "https" and not allowed:
            raise _refused(url, "it must begin with https://")
        with _session(is_inside=allowed) as session:
            answer = session.post(url, data=body.encode(), headers=headers, stream=True, timeout=SECONDS)
            text = _read(answer, started)
    except InvalidIPAddress:
        return Outcome(None, _since(started), "The host is not a public one.")
    except InvalidParameter as error:
        return Outcome(None, _since(started), error.message)
    except (requests.RequestException, OSError, ValueError) as error:
        return Outcome(None, _since(started), _reason(error))
    problem = "" if 200 <= answer.status_code < 300 else f"It answered with {answer.status_code}."
    return Outcome(answer.status_code, _since(started), problem, text if allowed else "")


def _parts(url: str) -> SplitResult:
    """The parts of an address that cannot be read in two ways. Raises InvalidParameter."""
    if len(url) > 2000 or _UNUSABLE.search(url) or not url.isascii():
        raise _refused(url, "it has 2000 characters at most, all of them ASCII, without blanks and backslashes")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refused(url, "it is no address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise _refused(url, "it must be like https://host/path")
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise _refused(url, "it must not hold a user name or password")
    if parts.fragment or not _HOST.fullmatch(parts.hostname):
        raise _refused(url, "it must be like https://host/path")
    return parts


def _is_allowed(parts: SplitResult) -> bool:
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return bool({parts.hostname, f"{parts.hostname}:{port}"} & set(settings.PODIUM_WEBHOOK_ALLOWED_HOSTS))


def _session(*, is_inside: bool) -> requests.Session:
    config = Config(
        ip_filter_enable=not is_inside,
        ip_filter_allow_loopback_ips=False,
        never_redirect=True,
        default_timeout=(SECONDS, SECONDS),
        user_agent_override=f"Podium/{settings.PODIUM_VERSION}",
    )
    session: requests.Session = Manager(config).get_session()
    session.trust_env = False  # a proxy would be the checked address, instead of what is behind it
    return session


def _read(answer: requests.Response, started: float) -> str:
    """The beginning of the answer's text, as far as it comes in time."""
    read = b""
    for chunk in answer.iter_content(4096):
        read += chunk
        if len(read) >= ANSWER_AT_MOST or time.monotonic() - started > SECONDS:
            break
    return read[:ANSWER_AT_MOST].decode("utf-8", "replace")


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def _reason(error: Exception) -> str:
    """Why nobody answered, in words that show nothing of the network inside."""
    if isinstance(error, requests.Timeout):
        return f"It did not answer within {SECONDS} seconds."
    if isinstance(error, requests.exceptions.SSLError):
        return "Its certificate is not valid."
    return "It could not be reached."


def _refused(url: str, why: str) -> InvalidParameter:
    return InvalidParameter(f"Invalid webhook URL '{url[:200]}': {why}.", field="url")
