"""What MLflow does with the registry URI `databricks` against a running server.

Run by `test_databricks_registry` in an environment of a real client; prints a line for each step that went well.
"""

import json
import os
import sys
from pathlib import Path

import mlflow
import requests
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

given = json.loads(sys.argv[1])
NAME, FILES = given["name"], given["files"]
client = MlflowClient(registry_uri="databricks")


def the_version_is_known() -> None:
    version = client.get_model_version(NAME, "1")
    assert (version.name, int(version.version), version.status) == (NAME, 1, "READY")
    (found,) = client.search_model_versions(f"name='{NAME}'")
    assert int(found.version) == 1


def download_all_of_it() -> None:
    for number, place in enumerate((f"models:/{NAME}/1", f"models:/{NAME}/latest", f"models:/{NAME}/Staging")):
        folder = Path(f"all-{number}")
        folder.mkdir()
        mlflow.artifacts.download_artifacts(place, dst_path=str(folder))
        sizes = {
            str(path.relative_to(folder)): path.stat().st_size
            for path in folder.rglob("*")
            if path.is_file() and path.name != "registered_model_meta"
        }
        assert sizes == FILES, sizes


def download_a_folder_and_a_file() -> None:
    folder = Path(mlflow.artifacts.download_artifacts(f"models:/{NAME}/1/many", dst_path="folder"))
    assert len(list(folder.iterdir())) == sum(path.startswith("many/") for path in FILES)
    file = Path(mlflow.artifacts.download_artifacts(f"models:/{NAME}/1/MLmodel", dst_path="file"))
    assert file.stat().st_size == FILES["MLmodel"]


def load_and_predict() -> None:
    model = mlflow.pyfunc.load_model(f"models:/{NAME}/1")
    assert model.predict([[1.0]]).tolist() == given["predictions"]


def the_signed_address_needs_no_credentials_and_knows_ranges() -> None:
    answer = requests.get(
        f"{os.environ['DATABRICKS_HOST']}/api/2.0/mlflow/model-versions/get-signed-download-uri",
        params={"name": NAME, "version": "1", "path": "large.bin"},
        headers={"Authorization": f"Bearer {os.environ['DATABRICKS_TOKEN']}"},
        timeout=30,
    ).json()
    assert answer["headers"] == []
    part = requests.get(answer["signed_uri"], headers={"Range": "bytes=10-19"}, timeout=30)
    assert (part.status_code, len(part.content)) == (206, 10)
    other = answer["signed_uri"].replace("large.bin", "MLmodel")
    assert requests.get(other, timeout=30).status_code == 404


def what_is_not_there_is_told() -> None:
    for place in (f"models:/{NAME}/9", "models:/nobody-made-this/1"):
        told = ""
        try:
            mlflow.artifacts.download_artifacts(place)
        except MlflowException as error:
            told = str(error)
        assert "not found" in told, told


if __name__ == "__main__":
    mlflow.set_registry_uri("databricks")
    for step in (
        the_version_is_known,
        download_all_of_it,
        download_a_folder_and_a_file,
        load_and_predict,
        the_signed_address_needs_no_credentials_and_knows_ranges,
        what_is_not_there_is_told,
    ):
        step()
        print(step.__name__, flush=True)  # noqa: T201  what the test reads
