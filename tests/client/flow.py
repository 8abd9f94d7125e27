"""What a data scientist does with an unmodified MLflow client, from training to deleting, with exact expectations.

Runs inside an environment of `tests.client.environments`: `python flow.py` against MLFLOW_TRACKING_URI, with a token
that may make models. Prints the name of each step that passed, and ends with an exception at the first one that does
not.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import mlflow
import mlflow.pyfunc
import mlflow.sklearn
import numpy as np
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sklearn.datasets import load_wine
from sklearn.linear_model import RidgeClassifier

MAJOR = int(mlflow.__version__.split(".")[0])
NAME = f"wine-{MAJOR}"
MODEL_FOLDER = {"name": "classifier"} if MAJOR >= 3 else {"artifact_path": "classifier"}
BIG_FILE_BYTES = 60 * 1024 * 1024

client = MlflowClient()
features, labels = load_wine(return_X_y=True, as_frame=True)
STEPS: list[Callable[[], None]] = []


class Seen:
    """What earlier steps leave for later ones."""

    run_id: str
    predictions: "np.ndarray"
    accuracy: float


def step(function: Callable[[], None]) -> Callable[[], None]:
    STEPS.append(function)
    return function


@contextmanager
def refused(error_code: str, *words: str):
    """The block must fail with this code and a message that holds these words."""
    told = None
    try:
        yield
    except MlflowException as error:
        told = error
    assert told is not None, f"expected {error_code}"
    assert told.error_code == error_code, (told.error_code, str(told))
    assert [word for word in words if word not in str(told)] == [], str(told)


def versions_of(models) -> list[tuple[str, int]]:
    return [(found.name, int(found.version)) for found in models]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@step
def train_with_autolog_and_register() -> None:
    mlflow.set_experiment(f"wine by mlflow {MAJOR}")
    mlflow.sklearn.autolog(log_models=False)
    with mlflow.start_run(run_name="half a ridge") as run:
        model = RidgeClassifier(alpha=0.5).fit(features, labels)
        for epoch in range(5):
            mlflow.log_metric("loss", 1 / (epoch + 1), step=epoch)
        mlflow.log_metric("not a number", float("nan"))
        mlflow.log_metric("endless", float("inf"))
        mlflow.log_param("region", "Piedmont ☀")
        mlflow.sklearn.log_model(
            model,
            **MODEL_FOLDER,
            registered_model_name=NAME,
            input_example=features.head(2),
            pip_requirements=["scikit-learn"],
        )
    mlflow.sklearn.autolog(disable=True)
    Seen.run_id = run.info.run_id
    Seen.predictions = model.predict(features)
    Seen.accuracy = model.score(features, labels)
    assert versions_of(client.search_model_versions(f"name = '{NAME}'")) == [(NAME, 1)]


@step
def read_the_run_back() -> None:
    run = client.get_run(Seen.run_id)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "half a ridge"
    assert run.info.end_time >= run.info.start_time > 0
    assert run.data.params["alpha"] == "0.5"
    assert run.data.params["region"] == "Piedmont ☀"
    assert run.data.metrics["training_accuracy_score"] == Seen.accuracy
    assert run.data.metrics["loss"] == 0.2
    assert np.isnan(run.data.metrics["not a number"])
    assert run.data.metrics["endless"] > 1e300
    assert run.data.tags["estimator_name"] == "RidgeClassifier"
    assert [(metric.step, metric.value) for metric in client.get_metric_history(Seen.run_id, "loss")] == [
        (0, 1.0),
        (1, 0.5),
        (2, 1 / 3),
        (3, 0.25),
        (4, 0.2),
    ]
    seen = {tag.value: found.dataset for found in run.inputs.dataset_inputs for tag in found.tags}
    assert sorted(seen) == ["eval", "train"]
    assert json.loads(seen["train"].profile) == {"num_rows": 178, "num_elements": 178 * 13}
    assert "estimator.html" in [file.path for file in client.list_artifacts(Seen.run_id)]


@step
def register_a_second_version_from_the_run() -> None:
    version = mlflow.register_model(f"runs:/{Seen.run_id}/classifier", NAME, tags={"origin": "by hand"})
    assert (version.name, int(version.version), version.run_id) == (NAME, 2, Seen.run_id)
    assert version.status == "READY"
    assert version.current_stage == "None"
    assert version.tags == {"origin": "by hand"}
    first = client.get_model_version(NAME, "1")
    assert first.run_id == Seen.run_id
    assert client.get_model_version_download_uri(NAME, "1").startswith("mlflow-artifacts:/")


@step
def search_registered_models() -> None:
    for number in range(3):
        client.create_registered_model(f"{NAME}-extra-{number}", tags={"number": str(number)}, description="one more")
    every = f"name LIKE '{NAME}%'"
    names = [NAME, f"{NAME}-extra-0", f"{NAME}-extra-1", f"{NAME}-extra-2"]
    assert [model.name for model in client.search_registered_models(every)] == names
    assert [model.name for model in client.search_registered_models(every, order_by=["name DESC"])] == names[::-1]
    assert [model.name for model in client.search_registered_models(f"{every} AND tags.number = '1'")] == [names[2]]
    assert [model.name for model in client.search_registered_models(f"name ILIKE '{NAME.upper()}-EXTRA%'")] == names[1:]
    paged, token = [], None
    while True:
        page = client.search_registered_models(every, max_results=3, page_token=token)
        paged.append([model.name for model in page])
        token = page.token
        if not token:
            break
    assert paged == [names[:3], names[3:]]
    (found,) = client.search_registered_models(f"name = '{NAME}'")
    assert versions_of(found.latest_versions) == [(NAME, 2)]
    with refused("INVALID_PARAMETER_VALUE"):
        client.search_registered_models("name = 'a' OR name = 'b'")


@step
def search_model_versions() -> None:
    by_run = client.search_model_versions(f"run_id = '{Seen.run_id}'", order_by=["version_number ASC"])
    assert versions_of(by_run) == [(NAME, 1), (NAME, 2)]
    newest = client.search_model_versions(f"name = '{NAME}'", order_by=["version_number DESC"], max_results=1)
    assert versions_of(newest) == [(NAME, 2)]
    assert versions_of(
        client.search_model_versions(
            f"name = '{NAME}'", page_token=newest.token, max_results=1, order_by=["version_number DESC"]
        )
    ) == [(NAME, 1)]
    assert versions_of(client.search_model_versions("tags.origin = 'by hand' AND " + f"name = '{NAME}'")) == [(NAME, 2)]
    assert client.search_model_versions("name = 'nobody made this'") == []


@step
def tags() -> None:
    client.set_registered_model_tag(NAME, "team", "cellar")
    client.set_registered_model_tag(NAME, "team", "vineyard")
    client.set_registered_model_tag(NAME, "gone", "soon")
    client.delete_registered_model_tag(NAME, "gone")
    assert client.get_registered_model(NAME).tags == {"team": "vineyard"}
    client.set_model_version_tag(NAME, "1", "checked", "yes — twice")
    client.set_model_version_tag(NAME, "1", "gone", "soon")
    client.delete_model_version_tag(NAME, "1", "gone")
    assert client.get_model_version(NAME, "1").tags["checked"] == "yes — twice"
    assert "gone" not in client.get_model_version(NAME, "1").tags


@step
def descriptions() -> None:
    client.update_registered_model(NAME, description="# Wine\nWhich *cultivar* it is.")
    client.update_model_version(NAME, "1", description="alpha is a half")
    assert client.get_registered_model(NAME).description == "# Wine\nWhich *cultivar* it is."
    assert client.get_model_version(NAME, "1").description == "alpha is a half"


@step
def aliases() -> None:
    client.set_registered_model_alias(NAME, "champion", "2")
    client.set_registered_model_alias(NAME, "champion", "1")
    client.set_registered_model_alias(NAME, "challenger", "2")
    client.set_registered_model_alias(NAME, "passing", "2")
    client.delete_registered_model_alias(NAME, "passing")
    assert int(client.get_model_version_by_alias(NAME, "champion").version) == 1
    assert client.get_model_version(NAME, "1").aliases == ["champion"]
    assert client.get_registered_model(NAME).aliases in (  # mlflow 2 gives text, mlflow 3 numbers
        {"champion": "1", "challenger": "2"},
        {"champion": 1, "challenger": 2},
    )
    with refused("INVALID_PARAMETER_VALUE", "passing"):
        client.get_model_version_by_alias(NAME, "passing")
    with refused("INVALID_PARAMETER_VALUE", "reserved"):
        client.set_registered_model_alias(NAME, "latest", "1")


@step
def stages() -> None:
    assert client.transition_model_version_stage(NAME, "1", "staging").current_stage == "Staging"
    assert client.transition_model_version_stage(NAME, "2", "Production").current_stage == "Production"
    assert versions_of(client.get_latest_versions(NAME, ["Production"])) == [(NAME, 2)]
    assert sorted(versions_of(client.get_latest_versions(NAME))) == [(NAME, 1), (NAME, 2)]
    assert client.get_latest_versions(NAME, ["Archived"]) == []
    with refused("RESOURCE_CONFLICT", "version 2"):
        client.transition_model_version_stage(NAME, "1", "Production")
    assert client.get_model_version(NAME, "1").current_stage == "Staging"
    moved = client.transition_model_version_stage(NAME, "1", "Production", archive_existing_versions=True)
    assert moved.current_stage == "Production"
    assert client.get_model_version(NAME, "2").current_stage == "Archived"
    assert versions_of(client.get_latest_versions(NAME, ["Production", "Archived"])) in (
        [(NAME, 1), (NAME, 2)],
        [(NAME, 2), (NAME, 1)],
    )
    with refused("INVALID_PARAMETER_VALUE", "None, Staging, Production, Archived"):
        client.transition_model_version_stage(NAME, "1", "Retired")


@step
def load_and_predict() -> None:
    uris = ["1", "2", "latest", "Production", "Archived"]
    places = [f"models:/{NAME}/{part}" for part in uris] + [
        f"models:/{NAME}@champion",
        f"runs:/{Seen.run_id}/classifier",
    ]
    for place in places:
        loaded = mlflow.pyfunc.load_model(place)
        np.testing.assert_array_equal(loaded.predict(features), Seen.predictions, err_msg=place)
    native = mlflow.sklearn.load_model(f"models:/{NAME}/Production")
    np.testing.assert_array_equal(native.predict(features), Seen.predictions)
    assert loaded.metadata.signature.inputs.input_names()[:2] == ["alcohol", "malic_acid"]


@step
def artifacts_of_any_depth_and_size() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "report")
        (folder / "plots" / "by region").mkdir(parents=True)
        (folder / "empty.txt").touch()
        (folder / "plots" / "curve.csv").write_text("x,y\n1,2\n", "utf-8")
        (folder / "plots" / "by region" / "größe & co.txt").write_text("ünï", "utf-8")
        big = Path(scratch, "weights.bin")
        big.write_bytes(os.urandom(1024 * 1024) * (BIG_FILE_BYTES // (1024 * 1024)))

        client.log_artifacts(Seen.run_id, str(folder), artifact_path="report")
        client.log_artifact(Seen.run_id, str(big), artifact_path="large")
        client.log_text(Seen.run_id, "first", "notes/a.txt")
        client.log_text(Seen.run_id, "second", "notes/a.txt")
        client.log_dict(Seen.run_id, {"cultivars": 3}, "notes/b.json")

        assert [(file.path, file.is_dir) for file in client.list_artifacts(Seen.run_id, "report")] == [
            ("report/empty.txt", False),
            ("report/plots", True),
        ]
        assert [file.path for file in client.list_artifacts(Seen.run_id, "report/plots")] == [
            "report/plots/by region",
            "report/plots/curve.csv",
        ]
        (listed,) = client.list_artifacts(Seen.run_id, "large")
        assert (listed.path, listed.file_size, listed.is_dir) == ("large/weights.bin", BIG_FILE_BYTES, False)
        assert client.list_artifacts(Seen.run_id, "no such folder") == []

        fetched = Path(
            mlflow.artifacts.download_artifacts(run_id=Seen.run_id, artifact_path="report", dst_path=scratch + "/got")
        )
        assert contents(fetched) == {
            "empty.txt": b"",
            "plots/curve.csv": b"x,y\n1,2\n",
            "plots/by region/größe & co.txt": "ünï".encode(),
        }
        again = Path(
            mlflow.artifacts.download_artifacts(f"runs:/{Seen.run_id}/large/weights.bin", dst_path=scratch + "/got")
        )
        assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(big.read_bytes()).digest()
        assert mlflow.artifacts.load_text(f"runs:/{Seen.run_id}/notes/a.txt") == "second"
        assert mlflow.artifacts.load_dict(f"runs:/{Seen.run_id}/notes/b.json") == {"cultivars": 3}


@step
def search_runs() -> None:
    experiment = client.get_experiment_by_name(f"wine by mlflow {MAJOR}")
    other = client.create_run(experiment.experiment_id, run_name="second thoughts", tags={"kind": "draft"})
    client.log_metric(other.info.run_id, "loss", 9.5)
    client.set_terminated(other.info.run_id, "FAILED")
    found = client.search_runs([experiment.experiment_id], "metrics.loss < 1 AND params.alpha = '0.5'")
    assert [run.info.run_id for run in found] == [Seen.run_id]
    worst_first = client.search_runs([experiment.experiment_id], order_by=["metrics.loss DESC"])
    assert [run.info.run_name for run in worst_first] == ["second thoughts", "half a ridge"]
    assert [run.info.run_name for run in client.search_runs([experiment.experiment_id], "status = 'FAILED'")] == [
        "second thoughts"
    ]
    client.delete_run(other.info.run_id)
    assert [run.info.run_id for run in client.search_runs([experiment.experiment_id])] == [Seen.run_id]
    client.restore_run(other.info.run_id)
    assert len(client.search_runs([experiment.experiment_id])) == 2
    assert len(mlflow.search_runs(experiment_names=[experiment.name])) == 2


@step
def mistakes_are_told_apart() -> None:
    with refused("RESOURCE_DOES_NOT_EXIST", "nobody made this"):
        client.get_registered_model("nobody made this")
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.get_model_version(NAME, "99")
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.get_run("0" * 32)
    with refused("RESOURCE_ALREADY_EXISTS", NAME):
        client.create_registered_model(NAME)
    with refused("INVALID_PARAMETER_VALUE", "a/b"):
        client.create_registered_model("a/b")
    with refused("INVALID_PARAMETER_VALUE"):
        client.create_model_version(NAME, "file:///etc/passwd")
    with refused("INVALID_PARAMETER_VALUE", "region"):
        client.log_param(Seen.run_id, "region", "changed")


@step
def rename_and_delete() -> None:
    client.rename_registered_model(f"{NAME}-extra-0", f"{NAME}-renamed")
    assert client.get_registered_model(f"{NAME}-renamed").tags == {"number": "0"}
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.get_registered_model(f"{NAME}-extra-0")
    for name in (f"{NAME}-renamed", f"{NAME}-extra-1", f"{NAME}-extra-2"):
        client.delete_registered_model(name)
    client.delete_model_version(NAME, "2")
    assert versions_of(client.search_model_versions(f"name = '{NAME}'")) == [(NAME, 1)]
    third = mlflow.register_model(f"runs:/{Seen.run_id}/classifier", NAME)
    assert int(third.version) == 3, "numbers are never given twice"
    with refused("INVALID_PARAMETER_VALUE", "challenger"):
        client.get_model_version_by_alias(NAME, "challenger")


def main() -> None:
    for each in STEPS:
        each()
        print(each.__name__, flush=True)  # noqa: T201  the test reads it


if __name__ == "__main__":
    main()
