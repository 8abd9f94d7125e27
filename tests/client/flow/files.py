"""Artifacts of any depth and size: up, listed, down, and away."""

import hashlib
import os
import tempfile
from pathlib import Path

import mlflow
from flow.common import FOLDER, MAJOR, NAME, Seen, client, refused, step
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

MEGABYTE = 1024 * 1024
BIG_FILE_BYTES = 60 * MEGABYTE


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def listed(path: str | None = None) -> list[tuple[str, bool]]:
    return [(file.path, file.is_dir) for file in client.list_artifacts(Seen.run_id, path)]


@step
def folders_with_any_names() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "report")
        (folder / "plots" / "by region").mkdir(parents=True)
        (folder / "empty.txt").touch()
        (folder / "plots" / "curve.csv").write_text("x,y\n1,2\n", "utf-8")
        (folder / "plots" / "by region" / "größe & co.txt").write_text("ünï", "utf-8")
        (folder / "plots" / "by region" / "100% + 2.txt").write_text("odd", "utf-8")
        client.log_artifacts(Seen.run_id, str(folder), artifact_path="report")
        assert listed("report") == [("report/empty.txt", False), ("report/plots", True)]
        assert listed("report/plots") == [("report/plots/by region", True), ("report/plots/curve.csv", False)]
        assert listed("no such folder") == []
        fetched = mlflow.artifacts.download_artifacts(
            run_id=Seen.run_id, artifact_path="report", dst_path=scratch + "/got"
        )
        assert contents(Path(fetched)) == contents(folder)
        assert len(contents(folder)) == 4


@step
def a_large_file() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        big = Path(scratch, "weights.bin")
        big.write_bytes(os.urandom(MEGABYTE) * (BIG_FILE_BYTES // MEGABYTE))
        client.log_artifact(Seen.run_id, str(big), artifact_path="large")
        (found,) = client.list_artifacts(Seen.run_id, "large")
        assert (found.path, found.file_size, found.is_dir) == ("large/weights.bin", BIG_FILE_BYTES, False)
        place = f"runs:/{Seen.run_id}/large/weights.bin"
        again = Path(mlflow.artifacts.download_artifacts(place, dst_path=scratch + "/got"))
        assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(big.read_bytes()).digest()


@step
def texts_and_tables() -> None:
    client.log_text(Seen.run_id, "first", "notes/a.txt")
    client.log_text(Seen.run_id, "second", "notes/a.txt")
    client.log_dict(Seen.run_id, {"cultivars": 3}, "notes/b.json")
    client.log_table(Seen.run_id, {"cultivar": ["Barolo", "Barbera"]}, "notes/c.json")
    client.log_table(Seen.run_id, {"cultivar": ["Grignolino"]}, "notes/c.json")
    assert mlflow.artifacts.load_text(f"runs:/{Seen.run_id}/notes/a.txt") == "second"
    assert mlflow.artifacts.load_dict(f"runs:/{Seen.run_id}/notes/b.json") == {"cultivars": 3}
    table = mlflow.load_table("notes/c.json", run_ids=[Seen.run_id])
    assert list(table["cultivar"]) == ["Barolo", "Barbera", "Grignolino"]


@step
def files_of_a_version() -> None:
    place = f"models:/{NAME}/1"
    paths = {Path(file.path).name for file in mlflow.artifacts.list_artifacts(place)}
    pickled = mlflow.models.get_model_info(place).flavors["sklearn"]["pickled_model"]
    assert {"MLmodel", pickled, "requirements.txt"} <= paths
    text = mlflow.artifacts.load_text(f"{place}/MLmodel")
    assert "sklearn_version" in text
    assert mlflow.artifacts.load_text(f"runs:/{Seen.run_id}/{FOLDER}/MLmodel") == text


@step
def files_go_away() -> None:
    files = get_artifact_repository(client.get_run(Seen.run_id).info.artifact_uri)
    files.delete_artifacts("notes/b.json")
    files.delete_artifacts("report")
    files.delete_artifacts("never there")
    assert listed("notes") == [("notes/a.txt", False), ("notes/c.json", False)]
    assert "report" not in [path for path, _ in listed()]
    with refused("RESOURCE_DOES_NOT_EXIST" if MAJOR >= 3 else "INTERNAL_ERROR", "b.json"):  # both the client's words
        mlflow.artifacts.load_text(f"runs:/{Seen.run_id}/notes/b.json")
