"""An S3-compatible store: moto's server, in this process or in one of its own."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

from tests.live import free_port

START_SECONDS = 30

# moto and botocore warn; our own warnings are errors
QUIET = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """A store that answers at `url`, with an empty bucket."""

    url: str
    bucket: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which boto3 finds it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "maria",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    @property
    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id="maria",
            aws_secret_access_key="secret",
            region_name="us-east-1",
        )

    def with_another_bucket(self) -> "ObjectStore":
        """The same store, with an empty bucket."""
        return _with_a_bucket(self.url)

    def names(self) -> list[str]:
        """What lies in the bucket."""
        return [item["Key"] for item in self.client.list_objects_v2(Bucket=self.bucket).get("Contents", [])]


def _with_a_bucket(url: str) -> ObjectStore:
    store = ObjectStore(url, f"models-{uuid4().hex}")  # of its own, because stores are remembered by their address
    store.client.create_bucket(Bucket=store.bucket)
    return store


@contextmanager
def in_this_process() -> Iterator[ObjectStore]:
    """A store for as long as the context is open."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield _with_a_bucket(f"http://{host}:{port}")
    finally:
        server.stop()


@contextmanager
def in_its_own_process() -> Iterator[ObjectStore]:
    """A store for as long as the context is open, whose memory and work are not this process's."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url)
            yield _with_a_bucket(url)
        finally:
            process.terminate()


def _wait(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            requests.get(f"{url}/moto-api/", timeout=5)
        except requests.ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
