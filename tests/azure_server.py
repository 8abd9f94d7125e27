"""Azurite, Microsoft's own emulator of Azure storage. It comes from npm: `python -m tests.azure_server` installs it
below `.cache`; without it the tests that need it are skipped."""

import base64
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
import requests
from azure.storage.blob import BlobServiceClient, ContainerClient

from tests.live import free_port

VERSION = "3.37.0"
FOLDER = Path(__file__).resolve().parents[1] / ".cache" / "azurite"
ACCOUNT = "podiumtests"
KEY = base64.b64encode(b"a key of no value, for an account of no value").decode()
START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class AzureServer:
    """An account that answers at `url`."""

    url: str

    @property
    def connection_string(self) -> str:
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={self.url}/{ACCOUNT};"
        )

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which Azure's library finds it."""
        return {"AZURE_STORAGE_CONNECTION_STRING": self.connection_string}

    def make_container(self) -> str:
        name = f"models-{uuid4().hex}"
        BlobServiceClient.from_connection_string(self.connection_string).create_container(name)
        return name

    def container(self, name: str) -> ContainerClient:
        """What is in a container, for somebody with keys of their own."""
        return BlobServiceClient.from_connection_string(self.connection_string).get_container_client(name)


def root(container: str, prefix: str, scheme: str = "wasbs") -> str:
    """The URI of a place, as MLflow's clients write it."""
    kind = {"wasbs": "blob", "abfss": "dfs"}[scheme]
    return f"{scheme}://{container}@{ACCOUNT}.{kind}.core.windows.net/{prefix}"


def _program() -> Path:
    return FOLDER / "node_modules" / ".bin" / "azurite-blob"


def _is_ready() -> bool:
    return _program().exists() and (FOLDER / "version").exists() and (FOLDER / "version").read_text() == VERSION


@contextmanager
def running() -> Iterator[AzureServer]:
    """An account for as long as the context is open; skips the test where there is no Azurite."""
    if not _is_ready() or not shutil.which("node"):
        pytest.skip("needs Azurite: `python -m tests.azure_server` installs it by npm")
    port = free_port()
    where = ["--blobHost", "127.0.0.1", "--blobPort", str(port)]
    how = ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent"]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [str(_program()), *where, *how],
            cwd=folder,
            env={"PATH": str(Path(shutil.which("node") or "").parent), "AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process,
    ):
        try:
            _wait(f"http://127.0.0.1:{port}", process)
            yield AzureServer(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            requests.get(url, timeout=5)
        except requests.ConnectionError:
            if time.monotonic() > deadline or process.poll() is not None:
                raise
            time.sleep(0.1)
        else:
            return


def main() -> int:
    if _is_ready():
        return 0
    npm = shutil.which("npm")
    if npm is None:
        print("There is no npm: the tests with Azure are skipped.")  # noqa: T201  a command's output
        return 0
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    install = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(FOLDER)]
    done = subprocess.run([*install, f"azurite@{VERSION}"], check=False, capture_output=True, text=True)
    if done.returncode:
        print(f"Azurite cannot be installed, and the tests with Azure are skipped: {done.stderr[-500:]}")  # noqa: T201
        return 0
    (FOLDER / "version").write_text(VERSION)
    return 0


if __name__ == "__main__":
    sys.exit(main())
