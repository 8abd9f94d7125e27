"""The page of a version that has everything in it: a card, an example, tensors, findings, files that went away."""

import json
import os
import pickle
import shutil
import struct
import time
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenWindow
from tests.browser.test_every_page import flaws
from tests.browser.training import Logger
from tests.live import Podium

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.xdist_group("browser")]

MODEL = "credit-scorer"
CARD = """---
license: apache-2.0
language: [en, de]
datasets: [loans-2025, loans-2026]
library_name: sklearn
---
# Credit scorer

Scores applications for **consumer credit**. It was trained on the loans of two years; see the
[data sheet](https://example.org).

| split | rows | AUC |
| --- | ---: | ---: |
| train | 812,004 | 0.871 |
| test | 90,221 | 0.866 |

- not for mortgages
- not for people below 18
"""
MLMODEL = """
mlflow_version: 3.17.2
flavors:
  python_function: {loader_module: team.loader, python_version: 3.11.9, code: code}
  sklearn: {sklearn_version: 1.9.1, serialization_format: cloudpickle}
saved_input_example_info: {artifact_path: input_example.json, type: dataframe, pandas_orient: split}
signature:
  inputs: '[{"type": "double", "name": "income", "required": true}, {"type": "long", "name": "age", "required": true},
    {"type": "string", "name": "purpose", "required": false}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 2]}}]'
"""


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("echo owned",)


def safetensors() -> bytes:
    """Three layers, and no numbers behind their header."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt", "trained": "2026-11"}}
    at = 0
    for layer in range(3):
        for name, shape in (("weight", [64, 128]), ("bias", [64])):
            size = 4 * shape[0] * (shape[1] if len(shape) > 1 else 1)
            offsets = [at, at + size]
            header[f"encoder.layers.{layer}.attention.{name}"] = {
                "dtype": "F32",
                "shape": shape,
                "data_offsets": offsets,
            }
            at += size
    content = json.dumps(header).encode()
    return struct.pack("<Q", len(content)) + content + bytes(at)


FILES = {
    "MLmodel": MLMODEL.encode(),
    "README.md": CARD.encode(),
    "requirements.txt": b"mlflow==3.17.2\nscikit-learn==1.9.1\npandas==3.1.1\n",
    "input_example.json": json.dumps(
        {
            "columns": ["income", "age", "purpose"],
            "data": [[31000.5 + at, 30 + at, "a car, used, from a neighbour"] for at in range(12)],
        }
    ).encode(),
    "model.safetensors": safetensors(),
    "model.pkl": pickle.dumps([0.5, 1.5]),
    "code/preprocessing/pipeline-of-the-team.pkl": pickle.dumps(Evil()),
    "model.tar": b"x" * 257 + b"ustar" + b"0" * 600,
}


@pytest.fixture(scope="package")
def artifacts(podium: Podium) -> str:
    """Two versions, read by the worker; where the files of both lie."""
    client = Logger(podium, "maria")
    experiment_id = client.post("experiments/create", name="credit")["experiment_id"]
    info = client.post("runs/create", experiment_id=experiment_id, run_name="gbm 12", start_time=1)["run"]["info"]
    for path, content in FILES.items():
        client.put_file(info["artifact_uri"], f"model/{path}", content)
    client.put_file(info["artifact_uri"], "plain/model.pkl", pickle.dumps([1]))
    client.post("registered-models/create", name=MODEL)
    for folder in ("model", "plain"):
        client.post(
            "model-versions/create", name=MODEL, source=f"runs:/{info['run_id']}/{folder}", run_id=info["run_id"]
        )
    uri: str = info["artifact_uri"]
    return uri.removeprefix("mlflow-artifacts:/")


def open_version(page: Page, number: int) -> None:
    """Its page, when the worker has read the files."""
    deadline = time.monotonic() + 60
    while True:
        page.goto(reverse("version", args=[MODEL, number]))
        if not page.get_by_text("Being read").count():
            return
        assert time.monotonic() < deadline, "the worker reads no files"
        page.wait_for_timeout(300)


def test_a_version_tells_what_is_in_it(window: OpenWindow, podium: Podium, artifacts: str) -> None:
    maria = window("maria")
    page, found = maria.page, []
    open_version(page, 1)
    expect(page.get_by_role("heading", name="Model card")).to_be_visible()
    expect(page.get_by_role("heading", name="Input example")).to_be_visible()
    expect(page.get_by_role("heading", name="Tensors")).to_be_visible()
    expect(page.get_by_text("It imports posix.system, which can run anything.")).to_be_visible()
    found += flaws(maria, "version-contents")
    page.get_by_role("button", name="Scan again").click()
    expect(page.get_by_text("Version 1 is being scanned.")).to_be_visible()
    for name, where in (
        ("version-contents-manifest", reverse("version_manifest", args=[MODEL, 1])),
        ("version-contents-files", reverse("version_artifacts", args=[MODEL, 1])),
        ("version-contents-pickle", reverse("version_artifact", args=[MODEL, 1, "model.pkl"])),
        ("version-contents-mlmodel", reverse("version_artifact", args=[MODEL, 1, "MLmodel"])),
        ("version-contents-list", reverse("model", args=[MODEL])),
        ("version-contents-models", reverse("models")),
    ):
        page.goto(where)
        found += flaws(maria, name)
    assert not found, "\n".join(found)


def test_files_that_went_away_are_named(window: OpenWindow, podium: Podium, artifacts: str) -> None:
    maria = window("maria")
    page = maria.page
    folder = podium.data_dir / "artifacts" / artifacts / "plain"
    open_version(page, 2)
    shutil.move(folder, folder.with_name("away"))
    page.reload()
    expect(page.get_by_role("link", name="Artifact missing")).to_be_visible()
    found = flaws(maria, "version-missing")
    shutil.move(folder.with_name("away"), folder)
    (folder / "more.txt").write_text("x")
    page.reload()
    expect(page.get_by_role("link", name="Not as registered")).to_be_visible()
    found += flaws(maria, "version-changed")
    assert not found, "\n".join(found)


def test_a_store_that_does_not_answer_is_said(window: OpenWindow, podium: Podium, artifacts: str) -> None:
    maria = window("maria")
    page, store = maria.page, podium.data_dir / "artifacts"
    maria.expected.add(503)
    away = store.rename(store.with_name("artifacts away"))
    try:
        page.goto(reverse("version", args=[MODEL, 1]))
        expect(page.get_by_text("Cannot be reached")).to_be_visible()
        found = flaws(maria, "store-gone-version")
        page.goto(reverse("version_artifacts", args=[MODEL, 1]))
        expect(page.get_by_text("The artifact store does not work now")).to_be_visible()
        found += flaws(maria, "store-gone-files")
    finally:
        away.rename(store)
    assert not found, "\n".join(found)
