"""Sending to addresses that people gave: to public ones only, and without following anybody anywhere.

A name is resolved once, its address is checked, and the connection goes to just that address, so that no name server
can turn it to one inside afterwards. Hosts that an administrator allows (`PODIUM_WEBHOOK_ALLOWED_HOSTS`) may be inside,
and may be spoken to by plain HTTP.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests
from django.conf import settings
from requests_hardened import Config, HTTPSession
from requests_hardened.ip_filter import InvalidIPAddress, get_ip_address
from requests_hardened.ip_filter_adapter import IPFilterAdapter

from registry_site.core.errors import InvalidParameter
from registry_site.webhooks.deadline import Deadline, let_deadlines_end

SECONDS = 10  # for an attempt
CONNECTING = 5  # of these, for the connection and for its encryption each
ANSWER_AT_MOST = 64 * 1024  # bytes that are read of an answer
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")
_UNUSABLE = re.compile(r"[\x00-\x20\x7f\\]")
_TOO_LATE = f"It did not answer within {SECONDS} seconds."
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")  # all IPv6 that is given to anybody outside


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
        address, _ = get_ip_address(parts.hostname or "", parts.port or 443, allow_loopback=False)
        _require_global(address)
    except InvalidIPAddress:
        raise _refused(url, "its host is not a public one") from None
    except (OSError, UnicodeError):
        raise _refused(url, "its host is not known") from None
    return url


def send(url: str, body: str, headers: dict[str, str]) -> Outcome:
    """POST the body once. Never raises for what the other side does, nor takes much longer than `SECONDS`."""
    deadline = Deadline(SECONDS)
    try:
        parts = _parts(url)
        allowed = _is_allowed(parts)
        if parts.scheme != "https" and not allowed:
            raise _refused(url, "it must begin with https://")
        with deadline, _session(is_inside=allowed) as session:
            answer = session.post(url, data=body.encode(), headers=headers, stream=True, timeout=(CONNECTING, SECONDS))
            text = _read(answer)
        if deadline.is_over:  # what was cut off can look like an end
            raise requests.Timeout
    except InvalidIPAddress:
        return Outcome(None, deadline.passed_ms, "The host is not a public one.")
    except InvalidParameter:  # which names the address, and that may hold a password
        return Outcome(None, deadline.passed_ms, "Its address is not one that is allowed any more.")
    except (requests.RequestException, OSError, ValueError) as error:
        is_late = deadline.is_over or isinstance(error, requests.Timeout)
        return Outcome(None, deadline.passed_ms, _TOO_LATE if is_late else _reason(error))
    problem = "" if 200 <= answer.status_code < 300 else f"It answered with {answer.status_code}."
    return Outcome(answer.status_code, deadline.passed_ms, problem, text if allowed else "")


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
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
    port = parts.port or (443 if parts.scheme == "https" else 80)
    allowed = {name.strip().lower() for name in settings.PODIUM_WEBHOOK_ALLOWED_HOSTS}
    return host in allowed or f"{host}:{port}" in allowed


def _require_global(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    """Raises InvalidIPAddress for the old ways to write IPv4 and local nets as IPv6 that the filter does not know."""
    if address.version == 6 and address not in _GLOBAL_UNICAST:
        raise InvalidIPAddress(address)


def _session(*, is_inside: bool) -> requests.Session:
    config = Config(
        ip_filter_enable=not is_inside,
        ip_filter_allow_loopback_ips=False,
        never_redirect=True,
        default_timeout=(CONNECTING, SECONDS),
        user_agent_override=f"Podium/{settings.PODIUM_VERSION}",
    )
    session = _Session(config)
    session.trust_env = False  # a proxy would be the checked address, instead of what is behind it
    if not is_inside:
        session.mount("https://", _PublicAdapter(is_https_proto=True))
    let_deadlines_end(session)
    return session


class _Session(HTTPSession):  # type: ignore[misc]  # requests-hardened ships no types
    """Follows nobody. To say where it would, requests reads all of an answer first, however long that is."""

    def get_redirect_target(self, response: requests.Response) -> None:
        return None


class _PublicAdapter(IPFilterAdapter):  # type: ignore[misc]  # as above
    """Connects to the address that it checked, and to no other."""

    def build_connection_pool_key_attributes(self, *arguments: Any, **options: Any) -> Any:
        host, pool = super().build_connection_pool_key_attributes(*arguments, **options)
        _require_global(ipaddress.ip_address(host["host"].strip("[]")))
        return host, pool


def _read(answer: requests.Response) -> str:
    """The beginning of the answer's text."""
    read = b""
    for chunk in answer.iter_content(4096):
        read += chunk
        if len(read) >= ANSWER_AT_MOST:
            break
    return read[:ANSWER_AT_MOST].decode("utf-8", "replace")


def _reason(error: Exception) -> str:
    """Why nobody answered, in words that show nothing of the network inside."""
    if isinstance(error, requests.exceptions.SSLError):
        return "Its certificate is not valid."
    return "It could not be reached."


def _refused(url: str, why: str) -> InvalidParameter:
    return InvalidParameter(f"Invalid webhook URL '{url[:200]}': {why}.", field="url")
