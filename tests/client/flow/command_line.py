"""The commands `mlflow experiments`, `mlflow runs`, `mlflow artifacts` and `mlflow models predict`, called within this
process: processes of their own would import the client anew each time."""

import json
import re
import tempfile
from pathlib import Path

from click.testing import CliRunner
from flow.common import MAJOR, NAME, Seen, client, features, refused, step
from mlflow.cli import cli


def mlflow_command(*arguments: str) -> str:
    """Run `mlflow …`; what it printed. Raises what the command raises."""
    outcome = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout


@step
def experiments() -> None:
    name = f"typed by mlflow {MAJOR}"
    printed = mlflow_command("experiments", "create", "--experiment-name", name)
    made = re.search(r"with id (\d+)", printed)[1]
    assert name in mlflow_command("experiments", "search")
    mlflow_command("experiments", "rename", "--experiment-id", made, "--new-name", f"re{name}")
    mlflow_command("experiments", "delete", "--experiment-id", made)
    assert f"re{name}" not in mlflow_command("experiments", "search")
    assert f"re{name}" in mlflow_command("experiments", "search", "--view", "deleted_only")
    mlflow_command("experiments", "restore", "--experiment-id", made)
    assert client.get_experiment(made).lifecycle_stage == "active"
    with refused("RESOURCE_ALREADY_EXISTS"):
        mlflow_command("experiments", "create", "--experiment-name", f"re{name}")
    trained_in = client.get_run(Seen.run_id).info.experiment_id
    assert f"{Seen.run_id}," in mlflow_command("experiments", "csv", "--experiment-id", trained_in)


@step
def runs() -> None:
    trained_in = client.get_run(Seen.run_id).info.experiment_id
    assert Seen.run_id in mlflow_command("runs", "list", "--experiment-id", trained_in)
    described = json.loads(mlflow_command("runs", "describe", "--run-id", Seen.run_id))
    assert described["info"]["run_name"] == "half a ridge"
    assert described["data"]["params"]["alpha"] == "0.5"
    mlflow_command("runs", "delete", "--run-id", Seen.run_id)
    assert Seen.run_id not in mlflow_command("runs", "list", "--experiment-id", trained_in)
    mlflow_command("runs", "restore", "--run-id", Seen.run_id)
    assert client.get_run(Seen.run_id).info.lifecycle_stage == "active"
    with refused("RESOURCE_DOES_NOT_EXIST", "0" * 32):
        mlflow_command("runs", "describe", "--run-id", "0" * 32)


@step
def artifacts() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "folder")
        folder.mkdir()
        (folder / "inside.txt").write_text("of a folder", "utf-8")
        single = Path(scratch, "alone.txt")
        single.write_text("by itself", "utf-8")
        run = ("--run-id", Seen.run_id)
        mlflow_command("artifacts", "log-artifact", *run, "--local-file", str(single), "--artifact-path", "typed")
        mlflow_command("artifacts", "log-artifacts", *run, "--local-dir", str(folder), "--artifact-path", "typed/deep")
        listed = json.loads(mlflow_command("artifacts", "list", *run, "--artifact-path", "typed"))
        assert [(file["path"], file["is_dir"]) for file in listed] == [
            ("typed/alone.txt", False),
            ("typed/deep", True),
        ]
        target = Path(scratch, "got")
        mlflow_command("artifacts", "download", *run, "--artifact-path", "typed", "--dst-path", str(target))
        assert (target / "typed" / "alone.txt").read_text("utf-8") == "by itself"
        assert (target / "typed" / "deep" / "inside.txt").read_text("utf-8") == "of a folder"
        model = Path(scratch, "model")
        mlflow_command("artifacts", "download", "-u", f"models:/{NAME}@champion", "--dst-path", str(model))
        assert "sklearn" in (model / "MLmodel").read_text("utf-8")


@step
def predict() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        asked, answered = Path(scratch, "asked.json"), Path(scratch, "answered.json")
        asked.write_text(json.dumps({"dataframe_split": features.tail(20).to_dict(orient="split")}), "utf-8")
        place = ("-m", f"models:/{NAME}/Production", "--env-manager", "local")
        mlflow_command("models", "predict", *place, "-i", str(asked), "-o", str(answered))
        assert json.loads(answered.read_text("utf-8")) == {"predictions": Seen.predictions[-20:].tolist()}
