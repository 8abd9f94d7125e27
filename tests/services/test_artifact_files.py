"""Artifacts: only what lies in a run or logged model is read, written, listed and deleted."""

from io import BytesIO
from pathlib import Path

import pytest

from registry_site.accounts.actors import Actor
from registry_site.core.errors import InvalidParameter, NotFound, NotSignedIn
from registry_site.registry.files import list_artifacts
from registry_site.tracking import artifact_files, logged_models, services
from registry_site.tracking.models import Experiment, Run
from tests.make import make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(maria_actor: Actor) -> Run:
    return make_run(maria_actor)


def place(uri: str, rest: str = "") -> str:
    return uri.removeprefix("mlflow-artifacts:/") + (f"/{rest}" if rest else "")


def write(actor: Actor, path: str, content: bytes = b"hello") -> None:
    artifact_files.write_artifact(actor, path, BytesIO(content), length=len(content))


def read(actor: Actor, path: str) -> bytes:
    with artifact_files.open_stored(artifact_files.resolve_artifact(actor, path)) as reader:
        return reader.read()


def test_what_is_written_to_a_run_is_read_listed_and_deleted(maria_actor: Actor, run: Run) -> None:
    write(maria_actor, place(run.artifact_uri, "plots/roc curve.png"), b"png")

    assert read(maria_actor, place(run.artifact_uri, "plots/roc curve.png")) == b"png"
    entries = list_artifacts(maria_actor, place(run.artifact_uri, "plots"))
    assert [(one.name, one.is_dir, one.size) for one in entries] == [("roc curve.png", False, 3)]
    artifact_files.delete_artifact(maria_actor, place(run.artifact_uri, "plots"))
    artifact_files.delete_artifact(maria_actor, place(run.artifact_uri, "plots"))
    assert list_artifacts(maria_actor, place(run.artifact_uri)) == ()


def test_logged_models_have_a_place_of_their_own(maria_actor: Actor, run: Run) -> None:
    model = logged_models.create_logged_model(maria_actor, experiment_id=run.experiment_id)
    write(maria_actor, place(model.artifact_uri, "MLmodel"))

    listing = artifact_files.logged_model_artifacts(maria_actor, model.model_id)
    assert [(one.path, one.size) for one in listing.files] == [("MLmodel", 5)]
    stored = artifact_files.resolve_logged_model_artifact(maria_actor, model.model_id, "MLmodel")
    assert artifact_files.stat_stored(stored).size == 5


def test_an_experiment_with_a_place_of_its_own_keeps_its_runs_there(maria_actor: Actor, artifact_root: Path) -> None:
    experiment = services.create_experiment(maria_actor, name="x", artifact_location="mlflow-artifacts:/team/models")
    run = make_run(maria_actor, experiment=experiment)
    write(maria_actor, f"team/models/{run.run_id}/artifacts/a.txt")

    assert (artifact_root / "team/models" / run.run_id / "artifacts/a.txt").read_bytes() == b"hello"


@pytest.mark.parametrize(
    "path",
    [
        "a.txt",
        "0/a.txt",
        "0/{run}/a.txt",
        "0/{run}/artifacts/a.txt",  # right but for the experiment
        "{experiment}/00000000000000000000000000000000/artifacts/a.txt",
        "{experiment}/models/m-00000000000000000000000000000000/artifacts/a.txt",
        "x/{experiment}/{run}/artifacts/a.txt",
        "{run}/artifacts/a.txt",
    ],
)
def test_a_place_that_is_nobodys_is_neither_read_nor_written_nor_deleted(
    maria_actor: Actor, run: Run, artifact_root: Path, path: str
) -> None:
    path = path.format(run=run.run_id, experiment=run.experiment_id)
    target = artifact_root / path
    target.parent.mkdir(parents=True)
    target.write_bytes(b"secret")
    refusal = f"^No artifact at {path}: it lies in no run and no logged model.$"

    with pytest.raises(NotFound, match=refusal):
        read(maria_actor, path)
    with pytest.raises(NotFound, match=refusal):
        write(maria_actor, path)
    with pytest.raises(NotFound, match=refusal):
        artifact_files.delete_artifact(maria_actor, path)
    assert list_artifacts(maria_actor, path.rpartition("/")[0]) == ()
    assert target.read_bytes() == b"secret"


def test_the_store_and_its_experiments_are_not_listed(maria_actor: Actor, run: Run) -> None:
    write(maria_actor, place(run.artifact_uri, "a.txt"))
    for path in ("", str(run.experiment_id), f"{run.experiment_id}/{run.run_id}"):
        assert list_artifacts(maria_actor, path) == ()


@pytest.mark.parametrize("rest", ["../x", "%2e%2e/x", "a/../../x", "./x", "a\\b", "a\x00b"])
def test_a_path_cannot_leave_its_run(maria_actor: Actor, run: Run, rest: str) -> None:
    with pytest.raises(InvalidParameter, match=r"^Invalid path"):
        write(maria_actor, place(run.artifact_uri, rest))


def test_the_root_of_a_run_is_no_file_and_is_not_deleted(maria_actor: Actor, run: Run) -> None:
    write(maria_actor, place(run.artifact_uri, "a.txt"))
    for change in (write, artifact_files.delete_artifact):
        with pytest.raises(
            InvalidParameter, match=rf"is the root of all artifacts of {run.run_id}; name something below"
        ):
            change(maria_actor, place(run.artifact_uri))
    assert read(maria_actor, place(run.artifact_uri, "a.txt")) == b"hello"


def test_artifacts_of_a_deleted_run_are_read_and_do_not_change(maria_actor: Actor, run: Run) -> None:
    path = place(run.artifact_uri, "a.txt")
    write(maria_actor, path)
    services.delete_run(maria_actor, run_id=run.run_id)

    assert read(maria_actor, path) == b"hello"
    with pytest.raises(InvalidParameter, match=r"cannot change: it is deleted. Restore it first.$"):
        write(maria_actor, path)


def test_a_stranger_sees_and_changes_nothing(stranger_actor: Actor, run: Run) -> None:
    path = place(run.artifact_uri, "a.txt")
    for call in (
        lambda: artifact_files.resolve_artifact(stranger_actor, path),
        lambda: list_artifacts(stranger_actor, path),
        lambda: write(stranger_actor, path),
        lambda: artifact_files.delete_artifact(stranger_actor, path),
        lambda: artifact_files.run_artifacts(stranger_actor, run.run_id),
        lambda: artifact_files.resolve_run_artifact(stranger_actor, run.run_id, "a.txt"),
        lambda: artifact_files.logged_model_artifacts(stranger_actor, "m-0"),
        lambda: artifact_files.resolve_logged_model_artifact(stranger_actor, "m-0", "a.txt"),
    ):
        with pytest.raises(NotSignedIn):
            call()


def test_a_run_shows_the_models_that_it_made_as_folders(maria_actor: Actor, run: Run) -> None:
    model = logged_models.create_logged_model(maria_actor, experiment_id=run.experiment_id, name="model")
    services.log_outputs(maria_actor, run_id=run.run_id, models={model.model_id: 0})
    write(maria_actor, place(run.artifact_uri, "notes.txt"))
    write(maria_actor, place(model.artifact_uri, "MLmodel"))
    write(maria_actor, place(model.artifact_uri, "data/weights.bin"), b"12")

    def shown(path: str) -> list[tuple[str, bool, int | None]]:
        files = artifact_files.run_artifacts(maria_actor, run.run_id, path).files
        return [(one.path, one.is_dir, one.size) for one in files]

    assert shown("") == [("model", True, None), ("notes.txt", False, 5)]
    assert shown("model") == [("model/MLmodel", False, 5), ("model/data", True, None)]
    assert shown("model/data") == [("model/data/weights.bin", False, 2)]
    assert shown("notes.txt") == shown("none") == []
    stored = artifact_files.resolve_run_artifact(maria_actor, run.run_id, "model/data/weights.bin")
    assert stored == place(model.artifact_uri, "data/weights.bin")
    assert artifact_files.run_artifacts(maria_actor, run.run_id).root_uri == run.artifact_uri


def test_a_run_outside_of_the_store_says_where_its_artifacts_lie(maria_actor: Actor, run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(artifact_uri="gs://elsewhere/run")
    with pytest.raises(NotFound, match=r"lie in gs://elsewhere/run, outside of this server's store.$"):
        artifact_files.run_artifacts(maria_actor, run.run_id)
    assert Experiment.objects.filter(pk=run.experiment_id).exists()
