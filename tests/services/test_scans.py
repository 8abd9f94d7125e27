"""Versions are scanned for what loading them would run, by the worker, and again when somebody asks."""

import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from registry_site.accounts.actors import Actor
from registry_site.artifacts.scanning import Finding, Severity, Verdict
from registry_site.core.errors import NotFound, PermissionDenied
from registry_site.registry.inspection import scan_again
from registry_site.registry.models import ModelVersion, Scan
from registry_site.registry.scans import findings_of, verdicts, work_on_scans
from registry_site.registry.services import create_version
from registry_site.tracking.artifact_files import write_artifact
from tests.client.environments import ENVIRONMENTS
from tests.make import make_model, make_run, make_version

pytestmark = pytest.mark.django_db

MODEL_LIBRARIES = (
    "catboost", "cloudpickle", "dill", "joblib", "keras", "lightgbm", "mlflow", "numpy", "onnx", "pandas",
    "safetensors", "scipy", "sklearn", "skops", "tensorflow", "torch", "xgboost",
)  # fmt: skip


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("echo owned",)


def version_of(actor: Actor, files: Mapping[str, bytes]) -> ModelVersion:
    run = make_run(actor)
    root = run.artifact_uri.removeprefix("mlflow-artifacts:/")
    for path, content in files.items():
        write_artifact(actor, f"{root}/model/{path}", BytesIO(content), length=len(content))
    return make_version(actor, run=run)


def test_a_new_version_is_scanned_and_its_pickles_are_judged(maria_actor: Actor) -> None:
    evil = version_of(maria_actor, {"MLmodel": b"flavors: {sklearn: {}}", "code/model.pkl": pickle.dumps(Evil())})
    honest = version_of(maria_actor, {"model.pkl": pickle.dumps([1.5])})
    assert verdicts([evil.pk, honest.pk]) == {}
    assert work_on_scans() == 2
    assert work_on_scans() == 0
    assert verdicts([evil.pk, honest.pk]) == {evil.pk: Verdict.UNSAFE, honest.pk: Verdict.CLEAN}
    assert findings_of(evil.scan) == [
        Finding("code/model.pkl", Severity.DANGER, "It imports posix.system, which can run anything.")
    ]
    assert evil.scan.imports == ["posix.system"]
    assert evil.scan.scanner.startswith("picklescan 1.")


def test_what_the_mlmodel_file_says_of_code_is_noted(maria_actor: Actor) -> None:
    mlmodel = b"""
flavors:
  python_function: {loader_module: team.loader, code: code, python_model: python_model.pkl}
  other: {loader_module: mlflow.pyfunc.model, model_code_path: chain.py}
"""
    version = version_of(maria_actor, {"MLmodel": mlmodel, "model.safetensors": bytes(9)})
    work_on_scans()
    assert version.scan.verdict == Verdict.CLEAN
    assert [finding.message for finding in findings_of(version.scan)] == [
        "Loading the model runs Python code that lies with it, in code.",
        "Loading the model runs Python code that lies with it, in chain.py.",
        "The flavor python_function is loaded by team.loader, which is not MLflow's own.",
        "The flavor other is a Python class of the model's author, which runs when it is used.",
        "safetensors: nothing but numbers, there is nothing in it to run.",
    ]


def test_an_mlmodel_file_that_is_a_bomb_is_not_clean(maria_actor: Actor) -> None:
    bomb = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
        f"{name}: &{name} [{','.join(['*' + before] * 9)}]\n".encode()
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    version = version_of(maria_actor, {"MLmodel": bomb})
    work_on_scans()
    assert version.scan.verdict == Verdict.INCOMPLETE
    assert "too large or too deep" in version.scan.findings[0]["message"]


def test_files_elsewhere_are_said_to_be_unread(maria_actor: Actor) -> None:
    make_model(maria_actor)
    version = create_version(maria_actor, name="churn", source="s3://somebody-elses/model")
    assert version.scan.verdict == Verdict.INCOMPLETE
    assert findings_of(version.scan)[0].message == "The files are in no store of this server."


def test_a_version_is_scanned_again_for_those_who_may_edit_it(
    maria_actor: Actor, eve_actor: Actor, artifact_root: Path
) -> None:
    version = version_of(maria_actor, {"model.pkl": pickle.dumps([])})
    work_on_scans()
    next(artifact_root.rglob("model.pkl")).write_bytes(pickle.dumps(Evil()))  # behind our back
    with pytest.raises(PermissionDenied):
        scan_again(eve_actor, name="churn", version=1)
    with pytest.raises(NotFound):
        scan_again(maria_actor, name="churn", version=2)
    assert work_on_scans() == 0
    scan_again(maria_actor, name="churn", version=1)
    assert verdicts([version.pk]) == {version.pk: Verdict.CLEAN}, "what was found stays until then"
    assert work_on_scans() == 1
    assert verdicts([version.pk]) == {version.pk: Verdict.UNSAFE}


def test_a_prompt_is_not_scanned(maria_actor: Actor) -> None:
    make_model(maria_actor, "greeting", tags={"mlflow.prompt.is_prompt": "true"})
    create_version(maria_actor, name="greeting", source="dummy-source", tags={"mlflow.prompt.is_prompt": "true"})
    assert not Scan.objects.exists()


@pytest.mark.once
def test_the_server_and_the_worker_import_no_library_of_models(tmp_path: Path) -> None:
    """Nor does a scan of an evil file, which would run it."""
    marker = tmp_path / "owned"
    (tmp_path / "model.pkl").write_bytes(f"cposix\nsystem\n(S'touch {marker}'\ntR.".encode())
    program = f"""
import sys, django
django.setup()
import registry_site.wsgi, registry_site.urls, registry_site.worker.tasks
from django.urls import get_resolver
get_resolver().url_patterns
from registry_site.artifacts.scanning import File, scan
content = open({str(tmp_path / "model.pkl")!r}, "rb").read()
def opened(offset):
    import io
    return io.BytesIO(content[offset:])
print(scan([File("model.pkl", len(content), opened), File("a.npy", 0, opened)]).verdict)
print(sorted(set(sys.modules) & set({MODEL_LIBRARIES!r})))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "registry_site.settings", "PODIUM_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == ["unsafe", "[]"], done.stderr
    assert not marker.exists()


@pytest.mark.client
@pytest.mark.once
@pytest.mark.parametrize("name", ["mlflow-2", "mlflow-3"])
def test_models_of_scikit_learn_and_arrays_of_numpy_pass_clean(name: str, tmp_path: Path, maria_actor: Actor) -> None:
    environment = ENVIRONMENTS[name]
    if not environment.python.exists():
        pytest.skip("python -m tests.client.environments makes this environment")
    program = """
import pickle, numpy, sys
import cloudpickle
from sklearn.ensemble import RandomForestClassifier, GradientBoostingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
x = numpy.random.default_rng(0).normal(size=(200, 4)); y = (x[:, 0] > 0).astype(int)
models = {
    "forest": RandomForestClassifier(20).fit(x, y),
    "boosting": GradientBoostingRegressor(n_estimators=20).fit(x, y),
    "pipeline": make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y),
    "arrays": {"x": x, "y": y, "words": numpy.array(["a", "b"], dtype=object)},
}
for name, model in models.items():
    for protocol in (2, 4, 5):
        open(f"{name}-{protocol}.pkl", "wb").write(pickle.dumps(model, protocol))
    open(f"{name}-cloud.pkl", "wb").write(cloudpickle.dumps(model))
numpy.save("x.npy", x); numpy.save("words.npy", models["arrays"]["words"]); numpy.savez_compressed("x.npz", x=x)
"""
    subprocess.run([str(environment.python), "-c", program], cwd=tmp_path, check=True)
    version = version_of(maria_actor, {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()})
    work_on_scans()
    assert version.scan.findings == []
    assert version.scan.verdict == Verdict.CLEAN
    assert any(name.startswith("sklearn.") for name in version.scan.imports)


@pytest.mark.client
@pytest.mark.once
def test_models_of_xgboost_pass_clean_however_they_are_saved(tmp_path: Path, maria_actor: Actor) -> None:
    environment = ENVIRONMENTS["mlflow-3"]
    if not environment.is_ready:
        pytest.skip("python -m tests.client.environments makes this environment")
    program = """
import pickle, joblib, numpy, mlflow, xgboost
x = numpy.random.default_rng(0).normal(size=(200, 4)); y = (x[:, 0] > 0).astype(int)
model = xgboost.XGBClassifier(n_estimators=5, max_depth=3).fit(x, y)
for protocol in (2, 4, 5):
    open(f"classifier-{protocol}.pkl", "wb").write(pickle.dumps(model, protocol))
open("booster.pkl", "wb").write(pickle.dumps(model.get_booster()))
joblib.dump(model, "classifier.joblib")
joblib.dump(model, "classifier.joblib.gz", compress=("gzip", 3))
model.save_model("model.json"); model.save_model("model.ubj")
mlflow.xgboost.save_model(model, "logged")
"""
    done = subprocess.run(
        [str(environment.python), "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    if "No module named 'xgboost'" in done.stderr:
        pytest.skip("xgboost is installed on Linux only")
    assert done.returncode == 0, done.stderr
    files = {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(files) > 9
    version = version_of(maria_actor, files)
    work_on_scans()
    assert version.scan.findings == []
    assert version.scan.verdict == Verdict.CLEAN
    assert "xgboost.core.Booster" in version.scan.imports
