"""The databases that both servers are measured on: made anew, filled in bulk, and looked at while they work."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import psycopg


class Database(Protocol):
    """Where one server keeps its tables."""

    name: str

    @property
    def podium_url(self) -> str: ...
    @property
    def mlflow_url(self) -> str: ...
    def make(self) -> None: ...
    def run(self, statements: Iterable[str]) -> None: ...
    def processes(self) -> list[int]: ...


class Postgres:
    """A database on a PostgreSQL server, whose address needs no name: `postgresql://postgres@127.0.0.1:5432`."""

    def __init__(self, server: str, name: str) -> None:
        self.name = name
        self._server = server.rstrip("/")

    @property
    def podium_url(self) -> str:
        return f"{self._server}/{self.name}"

    @property
    def mlflow_url(self) -> str:
        return f"postgresql+psycopg2{self.podium_url.removeprefix('postgresql')}"

    def make(self) -> None:
        """Make it, empty; one of that name is dropped."""
        with psycopg.connect(f"{self._server}/postgres", autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)".encode())
            connection.execute(f"CREATE DATABASE {self.name}".encode())

    def run(self, statements: Iterable[str]) -> None:
        """Run statements in one transaction, and let the planner look at what they left."""
        with psycopg.connect(self.podium_url) as connection:
            for statement in statements:
                connection.execute(statement.encode())
        with psycopg.connect(self.podium_url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")

    def processes(self) -> list[int]:
        """The process ids of the connections that are open to it. They must be of this machine."""
        with psycopg.connect(f"{self._server}/postgres") as connection:
            rows = connection.execute("SELECT pid FROM pg_stat_activity WHERE datname = %s", [self.name])
            return [pid for (pid,) in rows]


class Sqlite:
    """A database in a file, read and written by the server's own processes."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._path = folder / f"{name}.sqlite3"

    @property
    def podium_url(self) -> str:
        return f"sqlite:///{self._path}"

    mlflow_url = podium_url

    def make(self) -> None:
        """Make room for it; the file comes with the first connection."""
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self._path}{suffix}").unlink(missing_ok=True)

    def run(self, statements: Iterable[str]) -> None:
        """Run statements in one transaction, and let the planner look at what they left."""
        with closing(sqlite3.connect(self._path)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()
            connection.execute("ANALYZE")

    def processes(self) -> list[int]:
        """None but the server's own."""
        return []


def insert(table: str, columns: Sequence[str], select: str) -> str:
    """An INSERT of a query's rows; `columns` are `name` alone, or `name = expression`, which the query selects."""
    pairs = [column.partition(" = ") for column in columns]
    names = ", ".join(name for name, _, _ in pairs)
    expressions = ", ".join(expression or name for name, _, expression in pairs)
    return f"INSERT INTO {table} ({names}) SELECT {expressions} {select}"


def is_local(url: str) -> bool:
    """Whether a server's processes can be seen from here."""
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", None)
