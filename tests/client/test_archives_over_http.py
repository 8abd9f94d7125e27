"""Archives from a running server: whole, or visibly broken off."""

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
import requests

from tests.live import Podium

pytestmark = pytest.mark.slow
MEGABYTE = 1024 * 1024
LARGE = os.urandom(MEGABYTE) * 64  # far more than sockets hold back


@pytest.fixture
def maria(podium: Podium) -> requests.Session:
    if "nadia" not in podium.people:
        podium.create_user("nadia")
    client = requests.Session()
    client.trust_env = False
    client.headers["Authorization"] = f"Bearer {podium.token('nadia')}"
    return client


@pytest.fixture
def version(podium: Podium, maria: requests.Session) -> tuple[str, Path]:
    """The address of a version without its extension, and where its files lie."""
    mlflow = f"{podium.url}/api/2.0/mlflow"
    run = maria.post(f"{mlflow}/runs/create", json={"experiment_id": "0"}).json()["run"]["info"]
    folder = run["artifact_uri"].removeprefix("mlflow-artifacts:/") + "/model"
    for name, content in (("a.bin", LARGE), ("z.bin", b"the last one")):
        files = f"{podium.url}/api/2.0/mlflow-artifacts/artifacts/{folder}"
        assert maria.put(f"{files}/{name}", data=content).status_code == 200
    name = f"archived-{run['run_id'][:8]}"
    maria.post(f"{mlflow}/registered-models/create", json={"name": name})
    source = {"name": name, "source": f"runs:/{run['run_id']}/model", "run_id": run["run_id"]}
    assert maria.post(f"{mlflow}/model-versions/create", json=source).status_code == 200
    return f"{podium.url}/models/{name}/1/archive", podium.data_dir / "artifacts" / folder.lstrip("/")


def test_a_version_arrives_whole(maria: requests.Session, version: tuple[str, Path]) -> None:
    zipped = maria.get(f"{version[0]}.zip")
    with zipfile.ZipFile(io.BytesIO(zipped.content)) as archive:
        assert archive.testzip() is None
        assert archive.read("a.bin") == LARGE
    packed = maria.get(f"{version[0]}.tar.gz")
    with tarfile.open(fileobj=io.BytesIO(packed.content), mode="r:gz") as tar:
        assert {one.name: one.size for one in tar} == {"a.bin": len(LARGE), "z.bin": 12}


@pytest.mark.parametrize("extension", ["zip", "tar.gz"])
def test_a_file_that_vanishes_in_the_middle_breaks_the_download(
    maria: requests.Session, version: tuple[str, Path], extension: str
) -> None:
    address, folder = version
    with maria.get(f"{address}.{extension}", stream=True) as answer:
        assert answer.status_code == 200
        parts = answer.iter_content(MEGABYTE)
        next(parts)
        (folder / "z.bin").unlink()
        with pytest.raises(requests.exceptions.RequestException):
            for _ in parts:
                pass
