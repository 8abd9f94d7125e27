"""An empty bucket at each kind of object store, for tests to which it shall make no difference which one it is."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from registry_site.artifacts.objects import ObjectStore
from registry_site.artifacts.store import store_at
from tests import azure_server, gcs_server, object_store

KINDS = ("s3", "gcs", "azure")
PREFIX = "podium/artifacts"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket and the variables by which the store's library finds it. `put` and `names` go past Podium; `named` is
    the URI of a place in the bucket, and `at` gives the variables for another address."""

    kind: str
    environment: dict[str, str]
    named: Callable[[str], str]
    put: Callable[[str, bytes], object]
    names: Callable[[], list[str]]
    at: Callable[[str], dict[str, str]]

    @property
    def root(self) -> str:
        return self.named(PREFIX)

    @property
    def store(self) -> ObjectStore:
        """What Podium makes of it; the variables have to be set."""
        store = store_at(self.root)
        assert isinstance(store, ObjectStore)
        return store


class Servers:
    """A server of each kind, started when it is first needed, until the stack is left."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._running: dict[str, Any] = {}

    def of(self, kind: str) -> Any:
        if kind not in self._running:
            start = {
                "s3": object_store.in_its_own_process,
                "gcs": gcs_server.running,
                "azure": azure_server.running,
            }[kind]
            self._running[kind] = self._stack.enter_context(start())
        return self._running[kind]

    def bucket(self, kind: str) -> Bucket:
        """A new one, with nothing in it."""
        return _MAKERS[kind](self.of(kind))


def _s3(server: object_store.ObjectStore) -> Bucket:
    store = server.with_another_bucket()
    return Bucket(
        "s3",
        store.environment | {"AWS_MAX_ATTEMPTS": "1"},
        lambda prefix: f"s3://{store.bucket}/{prefix}",
        lambda key, content: store.client.put_object(Bucket=store.bucket, Key=key, Body=content),
        store.names,
        lambda address: {"AWS_ENDPOINT_URL": address},
    )


def _gcs(server: gcs_server.GcsServer) -> Bucket:
    name = server.make_bucket()
    return Bucket(
        "gcs",
        server.environment,
        lambda prefix: f"gs://{name}/{prefix}",
        lambda key, content: server.put(name, key, content),
        lambda: sorted(server.buckets[name]),
        lambda address: {"STORAGE_EMULATOR_HOST": address},
    )


def _azure(server: azure_server.AzureServer) -> Bucket:
    name = server.make_container()
    container = server.container(name)
    return Bucket(
        "azure",
        server.environment,
        lambda prefix: azure_server.root(name, prefix),
        lambda key, content: container.upload_blob(key, content, overwrite=True),
        lambda: list(container.list_blob_names()),
        lambda address: {"AZURE_STORAGE_CONNECTION_STRING": azure_server.AzureServer(address).connection_string},
    )


_MAKERS: dict[str, Callable[[Any], Bucket]] = {"s3": _s3, "gcs": _gcs, "azure": _azure}


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(stack)


def made(servers: Servers, kind: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A new bucket, which this process finds by its variables."""
    bucket = servers.bucket(kind)
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    return bucket


@pytest.fixture(params=KINDS)
def bucket(request: pytest.FixtureRequest, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """One of each kind after the other."""
    return made(servers, request.param, monkeypatch)
