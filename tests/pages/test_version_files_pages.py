"""What the pages tell of a version's files: what they were, what they are, and what loading them would run."""

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.registry.manifests import work_on_manifests
from registry_site.registry.models import Manifest
from registry_site.registry.scans import work_on_scans
from tests.make import make_model
from tests.pages.registry_flows import MLMODEL, PROBE, get, html_of, version_with_run, words_of

pytestmark = pytest.mark.django_db

VERSION = "/models/churn/versions/1"


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("echo owned",)


def work() -> None:
    while work_on_manifests() + work_on_scans():
        pass


def model_with(actor: Actor, **files: str) -> None:
    version_with_run(
        actor, files={"MLmodel": MLMODEL} | {name.replace("__", "."): text for name, text in files.items()}
    )


def test_a_version_shows_that_its_files_are_read_and_then_what_they_are(maria_page: Client, maria_actor: Actor) -> None:
    model_with(maria_actor, model__txt="weights")
    words = get(maria_page, VERSION)
    assert "Files Being read" in words
    assert "Scan Being read" in words
    work()
    words = get(maria_page, VERSION)
    digest = Manifest.objects.get(model_version__isnull=False).digest
    assert f"Files As registered Digest sha256:{digest}" in words
    assert "Files 2 files, " in words
    assert "Scan Clean Nothing in them runs anything when they are loaded" in words


def test_the_manifest_lists_every_file_in_pages(maria_page: Client, maria_actor: Actor) -> None:
    model_with(maria_actor, **{f"file{number:03}": str(number) for number in range(120)})
    assert "No files are listed" in get(maria_page, f"{VERSION}/manifest")
    work()
    first = maria_page.get(f"{VERSION}/manifest")
    assert "MLmodel" in words_of(first)
    assert "file098" in words_of(first)
    assert "file099" not in words_of(first)
    url = html_of(first).split("page_token=")[1].split('"')[0]
    assert "file119" in get(maria_page, f"{VERSION}/manifest?page_token={url}")


def test_files_that_went_away_behind_our_back_are_missed_at_once(
    maria_page: Client, maria_actor: Actor, artifact_root: Path
) -> None:
    model_with(maria_actor, model__txt="weights")
    work()
    file = next(artifact_root.rglob("model.txt"))
    file.unlink()
    assert "Files Not as registered" in (words := get(maria_page, VERSION))
    assert "Missing model.txt" in words
    (file.parent / "MLmodel").unlink()
    assert "Files Artifact missing There is no file where the version was registered from." in get(maria_page, VERSION)


def test_a_check_finds_what_a_look_cannot_see(maria_page: Client, maria_actor: Actor, artifact_root: Path) -> None:
    model_with(maria_actor, model__txt="weights")
    work()
    next(artifact_root.rglob("model.txt")).write_text("weighty")
    assert "Files As registered" in get(maria_page, VERSION)
    answer = maria_page.post(f"{VERSION}/check", follow=True)
    assert "The files of version 1 are being checked." in html_of(answer)
    assert "They are being checked." in words_of(answer)
    work()
    words = get(maria_page, VERSION)
    assert "Files Not as registered" in words
    assert "Changed model.txt" in words
    assert "Checked just now" in words


def test_findings_are_shown_on_the_version_and_in_the_list(
    maria_page: Client, maria_actor: Actor, artifact_root: Path
) -> None:
    model_with(maria_actor, model__pkl="")
    next(artifact_root.rglob("model.pkl")).write_bytes(pickle.dumps(Evil()))
    work()
    words = get(maria_page, VERSION)
    assert "Scan Unsafe model.pkl It imports posix.system, which can run anything." in words
    assert "1 name is imported by pickles posix.system" in words
    assert "churn v1 None Unsafe" in words, "beside the heading"
    assert "v1 None Unsafe" in get(maria_page, "/models/churn")
    assert "churn – – v1 Unsafe" in get(maria_page, "/models")


def test_who_may_edit_has_it_scanned_again(
    maria_page: Client, maria_actor: Actor, eve: User, page_client: Callable[[User], Client]
) -> None:
    model_with(maria_actor)
    work()
    assert "Scan again" in get(maria_page, VERSION)
    assert "Scan again" not in get(page_client(eve), VERSION)
    assert page_client(eve).post(f"{VERSION}/scan").status_code == 403
    answer = maria_page.post(f"{VERSION}/scan", follow=True)
    assert "Version 1 is being scanned." in html_of(answer)
    assert "They are being scanned again." in words_of(answer)


def test_a_list_of_many_versions_costs_no_more_queries(maria_page: Client, maria_actor: Actor) -> None:
    counts = []
    make_model(maria_actor)
    for _ in range(2):
        for _ in range(3):
            model_with(maria_actor)
        work()
        maria_page.get("/models/churn")
        with CaptureQueriesContext(connection) as captured:
            maria_page.get("/models/churn")
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_the_page_shows_card_example_and_tensors(maria_page: Client, maria_actor: Actor) -> None:
    header = json.dumps({"layer.weight": {"dtype": "F32", "shape": [10, 4], "data_offsets": [0, 160]}})
    version_with_run(
        maria_actor,
        files={
            "MLmodel": MLMODEL + "saved_input_example_info: {artifact_path: input_example.json}\n",
            "README.md": f"---\nlicense: apache-2.0\n---\n\nPredicts **leavers**. {PROBE}",
            "input_example.json": '{"columns": ["tenure", "note"], "data": [[12, "nul \\u0000 and \\ud800"]]}',
            "weights/model.safetensors": f"{chr(len(header))}{chr(0) * 7}{header}",
        },
    )
    assert "Model card" not in get(maria_page, VERSION)
    work()
    answer = maria_page.get(VERSION)
    words = words_of(answer)
    assert "Model card README.md license apache-2.0 Predicts leavers." in words
    assert "Input example tenure note 12 nul \ufffd and \ufffd" in words
    assert "Tensors weights/model.safetensors, 1 tensor, 40 numbers" in words
    assert "layer.weight F32 10 × 4" in words
    assert PROBE not in html_of(answer)


def test_odd_files_beside_a_model_leave_the_page_as_it_was(maria_page: Client, maria_actor: Actor) -> None:
    version_with_run(
        maria_actor,
        files={
            "MLmodel": MLMODEL + "saved_input_example_info: {artifact_path: ../../secret}\n",
            "README.md": "x" * 200_000,
            "broken.safetensors": "xx",
        },
    )
    work()
    words = get(maria_page, VERSION)
    assert "Model card" not in words
    assert "Input example" not in words
    assert "Tensors" not in words
