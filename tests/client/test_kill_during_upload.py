"""The web process is killed while a large file comes in: nobody sees half a file, and the retry goes through."""

import hashlib
import http.client
import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tests.live import Podium, command_line, start_podium, wait_until_answering

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("killed")]  # both on the same server
SIZE = 60 * 1024 * 1024
CHUNK = 1024 * 1024


def web_process(podium: Podium) -> int:
    (found,) = [pid for pid in podium.processes() if " web " in command_line(pid)]
    return found


def sizes_below(folder: Path) -> int:
    """The bytes of all files below a folder, those of uploads under way too."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def finish(upload: http.client.HTTPConnection, rest: bytes) -> None:
    """Send the rest and wait for the answer."""
    with closing(upload):
        upload.send(rest)
        upload.getresponse()


@pytest.fixture(scope="module")
def podium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podium]:
    """A server of this module's own, with Maria in it."""
    with start_podium(tmp_path_factory.mktemp("killed") / "data") as podium:
        podium.create_user("maria")
        yield podium


@pytest.mark.parametrize("is_chunked", [False, True], ids=["with a length", "chunked"])
def test_half_an_upload_is_never_listed_and_the_retry_is_taken(podium: Podium, is_chunked: bool) -> None:
    content = os.urandom(CHUNK) * (SIZE // CHUNK)
    client = requests.Session()
    client.trust_env = False
    client.headers["Authorization"] = f"Bearer {podium.token('maria')}"
    mlflow = f"{podium.url}/api/2.0/mlflow"
    run = client.post(f"{mlflow}/runs/create", json={"experiment_id": "0"}).json()["run"]
    folder = run["info"]["artifact_uri"].removeprefix("mlflow-artifacts:/")
    files = f"{podium.url}/api/2.0/mlflow-artifacts/artifacts"
    whole = f"{files}/{folder}/small.txt"
    assert client.put(whole, data=b"all of it").status_code == 200

    victim = web_process(podium)
    artifacts = podium.data_dir / "artifacts"
    before = sizes_below(artifacts)
    upload = http.client.HTTPConnection(urlsplit(podium.url).netloc, timeout=30)
    upload.putrequest("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{folder}/weights.bin")
    upload.putheader("Authorization", str(client.headers["Authorization"]))
    framing = ("Transfer-Encoding", "chunked") if is_chunked else ("Content-Length", str(SIZE))
    upload.putheader(*framing)
    upload.endheaders()
    for sent in range(0, SIZE // 2, CHUNK):
        part = content[sent : sent + CHUNK]
        upload.send(b"%x\r\n%s\r\n" % (len(part), part) if is_chunked else part)
    deadline = time.monotonic() + 20
    while sizes_below(artifacts) < before + SIZE // 4:
        assert time.monotonic() < deadline, "the upload does not arrive"
        time.sleep(0.02)
    os.kill(victim, signal.SIGKILL)
    with pytest.raises(OSError):  # noqa: PT011  a broken pipe or a reset, whichever comes first
        finish(upload, content)
    client.close()

    wait_until_answering(podium)
    assert web_process(podium) != victim
    listed = client.get(files, params={"path": folder}).json()["files"]
    assert [file["path"] for file in listed] == ["small.txt"]
    assert client.get(f"{files}/{folder}/weights.bin").status_code == 404

    retried = client.put(f"{files}/{folder}/weights.bin", data=content)
    assert retried.status_code == 200
    listed = client.get(files, params={"path": folder}).json()["files"]
    assert [(file["path"], file.get("file_size")) for file in listed] == [
        ("small.txt", len(b"all of it")),
        ("weights.bin", SIZE),
    ]
    back = client.get(f"{files}/{folder}/weights.bin").content
    assert hashlib.sha256(back).digest() == hashlib.sha256(content).digest()
