"""What a data scientist does with files, in short: logs a folder, a model and one large file, and reads it all back.

Runs inside an environment of `tests.client.environments`: `python stored.py NAME MEGABYTES [ARTIFACT_LOCATION]`.
Prints each request to the server that was about the bytes of the large file.
"""

import filecmp
import logging
import re
import sys
import tempfile
from pathlib import Path

import mlflow
import numpy as np
from mlflow import MlflowClient
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from sklearn.linear_model import LinearRegression

MEGABYTE = 1024 * 1024
name, size, location = sys.argv[1], int(sys.argv[2]) * MEGABYTE, next(iter(sys.argv[3:]), None)


class Requests(logging.Handler):
    """What urllib3 tells of requests to the server for the bytes of a file."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.msg == '%s://%s:%s "%s %s %s" %s %s':
            method, path, _, status = record.args[3:7]
            if found := re.search(r"/mlflow-artifacts/(artifacts|presigned|mpu/\w+)/", path):
                self.made.append(f"{method} {found[1]} {status}")


def make_large(path: Path) -> None:
    """Mostly a hole, so that it costs no time to make; no two megabytes are alike."""
    with path.open("wb") as file:
        file.truncate(size)
        for number in range(size // MEGABYTE):
            file.seek(number * MEGABYTE + number)
            file.write(number.to_bytes(4, "big") + b"weights")


client = MlflowClient()
experiment = client.create_experiment(name, artifact_location=location)
with mlflow.start_run(experiment_id=experiment) as run, tempfile.TemporaryDirectory() as scratch:
    run_id = run.info.run_id
    folder = Path(scratch, "report")
    (folder / "by region").mkdir(parents=True)
    (folder / "empty.txt").touch()
    (folder / "by region" / "größe & co.txt").write_text("ünï", "utf-8")
    mlflow.log_artifacts(str(folder), "report")
    assert [(one.path, one.is_dir) for one in client.list_artifacts(run_id, "report")] == [
        ("report/by region", True),
        ("report/empty.txt", False),
    ]
    fetched = Path(mlflow.artifacts.download_artifacts(f"runs:/{run_id}/report", dst_path=f"{scratch}/got"))
    assert (fetched / "by region" / "größe & co.txt").read_text("utf-8") == "ünï"
    assert (fetched / "empty.txt").stat().st_size == 0

    model = LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0])
    how = {"name": "line"} if int(mlflow.__version__.split(".")[0]) >= 3 else {"artifact_path": "line"}
    mlflow.sklearn.log_model(model, **how, registered_model_name=name, pip_requirements=["scikit-learn"])
    assert np.allclose(mlflow.pyfunc.load_model(f"models:/{name}/1").predict([[2.0]]), [5.0])
    assert "sklearn_version" in mlflow.artifacts.load_text(f"models:/{name}/1/MLmodel")

    large = Path(scratch, "weights.bin")
    make_large(large)
    requests = Requests()
    logger = logging.getLogger("urllib3.connectionpool")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(requests)
    mlflow.log_artifact(str(large), "large")
    (found,) = client.list_artifacts(run_id, "large")
    assert (found.path, found.file_size) == ("large/weights.bin", size)
    again = mlflow.artifacts.download_artifacts(f"runs:/{run_id}/large/weights.bin", dst_path=f"{scratch}/again")
    assert filecmp.cmp(again, large, shallow=False)
    logger.removeHandler(requests)
    for line in requests.made:
        print("request:", line)  # noqa: T201  the test reads it

    if location is None:  # with keys of its own to the bucket, a client deletes by itself
        get_artifact_repository(run.info.artifact_uri).delete_artifacts("report")
        assert client.list_artifacts(run_id, "report") == []
