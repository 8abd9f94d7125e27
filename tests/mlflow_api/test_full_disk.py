"""A disk that is really full: a small file system of its own, where this machine lets one be mounted."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.doors import Api

pytestmark = pytest.mark.django_db

MIB = 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """An artifact store with room for 1 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    settings.PODIUM_ARTIFACT_ROOT = str(disk / "artifacts")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_an_upload_that_does_not_fit_is_a_507_and_leaves_nothing_behind(api: Api, small_disk: Path) -> None:
    run_id = api.post("runs/create", {"experiment_id": "0"}).json()["run"]["info"]["run_id"]
    root = f"/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts"

    answer = api.put(f"{root}/model.bin", b"x" * (2 * MIB))

    assert answer.status_code == 507
    assert answer.json() == {
        "error_code": "RESOURCE_EXHAUSTED",
        "message": f"The artifact store is full; nothing of 0/{run_id}/artifacts/model.bin was kept. "
        "Free some room and send it again.",
    }
    assert api.get("artifacts/list", {"run_id": run_id}).json().get("files") is None
    assert not [path for path in small_disk.rglob("*") if path.is_file()]
    assert api.put(f"{root}/small.bin", b"x" * 1024).status_code == 200
