"""What `manage.py up` may be told, as options and as the environment that the settings read. Knows no Django."""

import argparse
import ipaddress
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from registry_site.artifacts import schemes
from registry_site.core import oidc
from registry_site.worker.terminal import Refusal

BASE_DIR = Path(__file__).resolve().parent.parent.parent
_EVERYWHERE = ("", "0.0.0.0", "::")


@dataclass(frozen=True, slots=True)
class Options:
    """`data_dir` is absolute. Port 0 takes a free one."""

    host: str
    port: int
    data_dir: Path
    workers: int
    open: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `up`, with their help."""
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=5000, help="the port to listen on (default: 5000)")
    parser.add_argument("--data-dir", help="where everything is kept (default: PODIUM_DATA_DIR, or ./data)")
    parser.add_argument("--workers", type=int, default=1, help="web processes of 8 threads each (default: 1)")
    parser.add_argument(
        "--open",
        action="store_true",
        help="let everybody without credentials work as the owner, as a bare MLflow server does; loopback only",
    )


def parse(arguments: list[str]) -> Options:
    """The options in the arguments behind `manage.py up`. Ends the process, as argparse does, for unknown ones.

    Raises Refusal for values that cannot work, among them open mode on an address that others reach.
    """
    parser = argparse.ArgumentParser(prog="manage.py up", description="Start Podium: web server and worker.")
    add_arguments(parser)
    given = parser.parse_args(arguments)
    if not 0 <= given.port <= 65535:
        raise Refusal(f"--port {given.port} is not a port: it must be between 0 and 65535.")
    if given.workers < 1:
        raise Refusal("--workers must be at least 1.")
    if in_the_way := oidc.trouble(os.environ) or schemes.trouble(_artifact_roots()):
        raise Refusal(in_the_way)
    data_dir = given.data_dir or os.environ.get("PODIUM_DATA_DIR") or str(BASE_DIR / "data")
    options = Options(
        host=given.host,
        port=given.port,
        data_dir=Path(data_dir).expanduser().absolute(),
        workers=given.workers,
        open=given.open or os.environ.get("PODIUM_OPEN", "").lower() in ("1", "true", "yes", "on"),
    )
    if options.open:
        _refuse_open_to_others(options.host)
    return options


def _artifact_roots() -> list[str]:
    named = [os.environ.get("PODIUM_ARTIFACT_ROOT", ""), *os.environ.get("PODIUM_ARTIFACT_STORES", "").split(",")]
    return [root.strip() for root in named if root.strip()]


def _refuse_open_to_others(host: str) -> None:
    if not is_loopback(host):
        raise Refusal(
            f"--open is refused on {host or 'all addresses'}, as everybody who reaches Podium would work as its owner: "
            "use a loopback address such as 127.0.0.1, or leave it out."
        )
    for allowed in os.environ.get("PODIUM_ALLOWED_HOSTS", "").split(","):
        if allowed.strip().startswith(("*", ".")):
            raise Refusal(
                f"--open is refused with {allowed.strip()!r} in PODIUM_ALLOWED_HOSTS, which any web page could pass: "
                "name exact hosts."
            )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens there. Names count by their addresses."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host or None, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        return False
    return all(ipaddress.ip_address(str(address[4][0]).partition("%")[0]).is_loopback for address in found)


def reachable_host(host: str) -> str:
    """A host that a browser on this machine may use for a server that listens there."""
    shown = "127.0.0.1" if host in _EVERYWHERE else host
    return f"[{shown}]" if ":" in shown else shown


def environment(options: Options, port: int) -> dict[str, str]:
    """The environment of web server and worker: the present one, and what the options say of it."""
    made = dict(os.environ)
    made["PODIUM_DATA_DIR"] = str(options.data_dir)
    made["PODIUM_OPEN"] = "1" if options.open else "0"
    made.setdefault("PODIUM_SITE_URL", f"http://{reachable_host(options.host)}:{port}")
    if options.host not in _EVERYWHERE:
        hosts = dict.fromkeys(["localhost", "127.0.0.1", "[::1]", reachable_host(options.host)])
        made.setdefault("PODIUM_ALLOWED_HOSTS", ",".join(hosts))
    made.setdefault("DJANGO_SETTINGS_MODULE", "registry_site.settings")
    made.setdefault("MALLOC_ARENA_MAX", "2")  # glibc's default of 8 arenas a core keeps memory that threads gave back
    made["PYTHONPATH"] = os.pathsep.join(filter(None, [str(BASE_DIR), made.get("PYTHONPATH", "")]))
    return made
