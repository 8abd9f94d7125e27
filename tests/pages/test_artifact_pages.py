"""The files of runs and logged models: the tree, the previews, the bytes."""

import io
from urllib.parse import quote

import pytest
from django.http.response import HttpResponseBase
from django.test import Client

from registry_site.accounts.actors import Actor
from registry_site.tracking import rules, services
from registry_site.tracking.artifact_files import write_artifact
from registry_site.tracking.logged_models import create_logged_model
from registry_site.tracking.models import LoggedModel, Run
from registry_site.tracking.recording import MetricPoint, log_batch
from tests.make import make_run, make_version

MLMODEL = """\
flavors:
  python_function: {loader_module: mlflow.sklearn, python_version: 3.11.7}
  sklearn: {sklearn_version: 1.8.0, serialization_format: skops}
mlflow_version: 3.17.2
signature:
  inputs: '[{"type": "double", "name": "income", "required": true}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'
"""
NOTEBOOK = """{"nbformat": 4, "metadata": {}, "cells": [
  {"cell_type": "markdown", "source": ["# Title"]},
  {"cell_type": "code", "execution_count": 3, "source": ["print('hi')"],
   "outputs": [{"output_type": "stream", "text": ["<script>alert(1)</script>"]}]}]}"""
ODD_NAMES = [
    "<img src=x onerror=alert(1)>.txt",
    "what? #1 & \"two\" 'three'.txt",
    "100%25 done.txt",
    "π/münchen ☃.txt",
    "a+b;c.txt",
]
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 24


@pytest.fixture
def run(maria_actor: Actor) -> Run:
    return make_run(maria_actor, name="gbm")


def put(actor: Actor, owner: Run | LoggedModel, path: str, content: bytes | str) -> None:
    """Log a file of a run or logged model."""
    data = content.encode() if isinstance(content, str) else content
    root = rules.storage_path(owner.artifact_uri, "")
    write_artifact(actor, f"{root}/{path}", io.BytesIO(data), length=len(data))


def text_of(page: Client, url: str, **headers: str) -> str:
    response = page.get(url, headers=headers)
    assert response.status_code == 200, response.content[:500]
    return response.content.decode()


def fetched(page: Client, url: str, **headers: str) -> tuple[HttpResponseBase, bytes]:
    """The answer, and its body, which a browser would read to the end."""
    response = page.get(url, headers=headers)
    return response, b"".join(response.streaming_content) if response.streaming else response.content


def shown(page: Client, run: Run, path: str) -> str:
    """The page of a file."""
    return text_of(page, f"/runs/{run.run_id}/artifacts/{quote(path)}")


# -- the tree ----------------------------------------------------------------------------------------------------------
def test_folders_open_on_the_way_to_a_file(maria_page: Client, maria_actor: Actor, run: Run) -> None:
    put(maria_actor, run, "plots/val/roc.txt", "roc")
    put(maria_actor, run, "other/hidden.txt", "x")
    html = shown(maria_page, run, "plots/val/roc.txt")
    assert f'href="/runs/{run.run_id}/artifacts/plots/val/roc.txt"' in html
    assert "hidden.txt" not in html
    assert f"runs:/{run.run_id}/plots/val/roc.txt" in html


def test_a_run_without_files_says_how_to_log_one(maria_page: Client, run: Run) -> None:
    html = text_of(maria_page, f"/runs/{run.run_id}/artifacts")
    assert "No files" in html
    assert "mlflow.log_artifact" in html


def test_long_folders_come_in_pages_of_two_hundred(maria_page: Client, maria_actor: Actor, run: Run) -> None:
    for number in range(205):
        put(maria_actor, run, f"many/file-{number:03}.txt", "x")
    html = text_of(maria_page, f"/runs/{run.run_id}/artifacts/many")
    assert "file-199.txt" in html
    assert "file-200.txt" not in html
    assert "Show more: 5 entries are hidden" in html
    assert "205 entries" in html
    assert "file-204.txt" in text_of(maria_page, f"/runs/{run.run_id}/artifacts/many?show=400")
    assert "file-204.txt" in shown(maria_page, run, "many/file-204.txt")


def test_the_box_filters_the_open_folder(maria_page: Client, maria_actor: Actor, run: Run) -> None:
    put(maria_actor, run, "plots/roc.png", PNG)
    put(maria_actor, run, "plots/loss.png", PNG)
    html = text_of(
        maria_page, f"/runs/{run.run_id}/artifacts/plots?q=ROC", **{"HX-Request": "true", "HX-Target": "tree"}
    )
    assert "<html" not in html
    assert "roc.png" in html
    assert "loss.png" not in html


def test_htmx_gets_the_browser_or_the_pane_alone(maria_page: Client, maria_actor: Actor, run: Run) -> None:
    put(maria_actor, run, "notes/a.txt", "hello there")
    url = f"/runs/{run.run_id}/artifacts/notes/a.txt"
    browser = text_of(maria_page, url, **{"HX-Request": "true", "HX-Target": "browser"})
    pane = text_of(maria_page, url, **{"HX-Request": "true", "HX-Target": "preview"})
    assert "<html" not in browser
    assert 'id="tree"' in browser
    assert 'id="tree"' not in pane
    assert "hello there" in pane


def test_what_is_not_there_is_not_found(maria_page: Client, maria_actor: Actor, run: Run) -> None:
    put(maria_actor, run, "a.txt", "x")
    for path in ("b.txt", "a.txt/b", "folder/b.txt"):
        assert maria_page.get(f"/runs/{run.run_id}/artifacts/{path}").status_code == 404
        assert maria_page.get(f"/runs/{run.run_id}/files/{path}").status_code == 404


@pytest.mark.parametrize("path", ["../secret", "a/../../b", "%2e%2e/b", "a\\b", "file:///etc/passwd", "a//b"])
def test_paths_that_leave_the_run_are_refused(maria_page: Client, maria_actor: Actor, run: Run, path: str) -> None:
    put(maria_actor, run, "a.txt", "x")
    for way in ("artifacts", "files"):
        assert maria_page.get(f"/runs/{run.run_id}/{way}/{quote(path)}").status_code in (400, 404)


def test_a_very_deep_folder_opens(maria_page: Client, maria_actor: Actor, run: Run) -> None:
    deep = "/".join(["d"] * 300)
    put(maria_actor, run, f"{deep}/leaf.txt", "at the bottom")
    assert "at the bottom" in shown(maria_page, run, f"{deep}/leaf.txt")


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_listed_linked_shown_and_downloaded(
    maria_page: Client, maria_actor: Actor, run: Run, name: str
) -> None:
    put(maria_actor, run, f"odd/{name}", "the content")
    folder = name.rpartition("/")[0]
    listing = text_of(maria_page, f"/runs/{run.run_id}/artifacts/{quote(f'odd/{folder}'.rstrip('/'))}")
    assert "<img src=x" not in listing
    html = shown(maria_page, run, f"odd/{name}")
    assert "the content" in html
    assert "<img src=x" not in html
    link = html.split('class="btn btn-small" href="')[1].split('"')[0].replace("&amp;", "&").replace("&#x27;", "'")
    response, body = fetched(maria_page, link)
    assert body == b"the content"
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert "\n" not in response.headers["Content-Disposition"]


# -- models ------------------------------------------------------------------------------------------------------------
def test_a_folder_with_an_mlmodel_file_is_a_card_with_the_register_button(
    maria_page: Client, maria_actor: Actor, run: Run
) -> None:
    put(maria_actor, run, "model/MLmodel", MLMODEL)
    html = text_of(maria_page, f"/runs/{run.run_id}/artifacts/model")
    for expected in ("sklearn", "1.8.0", "skops", "income", "int64"):
        assert expected in html
    assert f'href="/runs/{run.run_id}/register?path=model"' in html
    assert "Register model" in text_of(maria_page, f"/runs/{run.run_id}")


def test_other_folders_have_no_register_button(maria_page: Client, maria_actor: Actor, run: Run) -> None:
    put(maria_actor, run, "plots/a.txt", "x")
    assert "Register model" not in text_of(maria_page, f"/runs/{run.run_id}/artifacts/plots")


def test_logged_models_stand_among_the_files_of_their_run(maria_page: Client, maria_actor: Actor, run: Run) -> None:
    put(maria_actor, run, "notes.txt", "x")
    model = create_logged_model(maria_actor, experiment_id=run.experiment_id, name="scorer", source_run_id=run.run_id)
    services.log_outputs(maria_actor, run_id=run.run_id, models={model.model_id: 0})
    put(maria_actor, model, "MLmodel", MLMODEL)
    html = text_of(maria_page, f"/runs/{run.run_id}/artifacts")
    assert "notes.txt" in html
    assert 'aria-label="Logged model"' in html
    assert "skops" in text_of(maria_page, f"/runs/{run.run_id}/artifacts/scorer")
    assert b"skops" in fetched(maria_page, f"/runs/{run.run_id}/files/scorer/MLmodel")[1]


def test_a_folder_says_which_version_it_became(maria_page: Client, maria_actor: Actor, run: Run) -> None:
    put(maria_actor, run, "model/MLmodel", MLMODEL)
    put(maria_actor, run, "plots/a.txt", "x")
    make_version(maria_actor, "churn", run=run)
    headers = {"HX-Request": "true", "HX-Target": "browser"}
    link = 'href="/models/churn/versions/1"'
    assert link in text_of(maria_page, f"/runs/{run.run_id}/artifacts/model", **headers)
    assert link not in text_of(maria_page, f"/runs/{run.run_id}/artifacts/plots", **headers)


def test_the_page_of_a_logged_model(maria_page: Client, maria_actor: Actor, run: Run) -> None:
    model = create_logged_model(
        maria_actor,
        experiment_id=run.experiment_id,
        name="scorer",
        source_run_id=run.run_id,
        params={"depth": "3"},
        tags={"team": "risk"},
    )
    put(maria_actor, model, "MLmodel", MLMODEL)
    html = text_of(maria_page, f"/logged-models/{model.model_id}")
    for expected in ("scorer", "not registered", "depth", "risk", "income", f"models:/{model.model_id}"):
        assert expected in html
    assert f'href="/runs/{run.run_id}"' in html
    assert f'href="/logged-models/{model.model_id}/register"' in html
    assert "skops" in text_of(maria_page, f"/logged-models/{model.model_id}/artifacts/MLmodel")
    assert b"skops" in fetched(maria_page, f"/logged-models/{model.model_id}/files/MLmodel")[1]
    assert maria_page.get("/logged-models/m-none").status_code == 404


def test_a_logged_model_shows_the_last_point_of_each_metric(maria_page: Client, maria_actor: Actor, run: Run) -> None:
    model = create_logged_model(maria_actor, experiment_id=run.experiment_id, name="scorer", source_run_id=run.run_id)
    points = [MetricPoint("loss", 0.9 - step / 10, step, step, model_id=model.model_id) for step in range(3)]
    log_batch(maria_actor, run_id=run.run_id, metrics=points)
    html = text_of(maria_page, f"/logged-models/{model.model_id}")
    assert html.count('<th scope="row" class="key">loss</th>') == 1
    assert "0.7000" in html


# -- previews ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("notes.txt", "one <b>\ntwo", '<span class="line">one &lt;b&gt;\n</span>'),
        ("train.py", "import mlflow", '<span class="kn">import</span>'),
        ("data.json", '{"rate": 0.1, "<b>": [1, 2]}', '<span class="json-key">&lt;b&gt;</span>'),
        ("conda.yaml", "name: <b>env</b>\nseed: 3", '<span class="json-key">seed</span>'),
        ("weights.npz", b"PK\x05\x06" + b"\0" * 18, "0 of 0 entries shown; nothing was unpacked"),
        ("broken.parquet", b"PAR1", "could not be read as Parquet"),
        ("table.csv", "name,score\nmaria,0.9\n", '<th scope="col" class="number">score</th>'),
        (
            "evil.csv",
            'name,score\n<script>alert(1)</script>,"\'""><b"\n',
            "<td>&lt;script&gt;alert(1)&lt;/script&gt;</td>",
        ),
        ("evil.log", "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        (
            "long.csv",
            "text,score\n" + "x" * 400 + ",0.9\n",
            f'<td class="long">{"x" * 299}…</td><td class="number">0.9</td>',
        ),
        ("README.md", "# Hello <script>x</script>", "<h2>Hello"),
        ("book.ipynb", NOTEBOOK, "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("model.bin", b"\x00\x01\x02abc", "00 01 02 61 62 63"),
        ("MLmodel", MLMODEL, "income"),
        ("empty.txt", "", "This file is empty."),
        ("roc.png", PNG, 'class="preview-image" src="'),
        ("page.html", "<script>alert(1)</script>", 'sandbox=""'),
        ("chart.svg", "<svg onload='alert(1)'/>", 'class="preview-image" src="'),
        ("paper.pdf", b"%PDF-1.4", '<iframe class="preview-frame"'),
        ("call.wav", b"RIFF", "<audio"),
        ("clip.mp4", b"ftyp", "<video"),
    ],
)
def test_each_kind_of_file_has_its_preview(
    maria_page: Client, maria_actor: Actor, run: Run, name: str, content: bytes | str, expected: str
) -> None:
    put(maria_actor, run, name, content)
    html = shown(maria_page, run, name)
    assert expected in html
    assert "<script>alert" not in html
    assert "onload='alert" not in html


def test_a_large_file_is_cut_and_says_so(maria_page: Client, maria_actor: Actor, run: Run) -> None:
    put(maria_actor, run, "large.csv", "a,b\n" + "1,2\n" * 500_000)
    put(maria_actor, run, "large.log", "a line of a log\n" * 100_000)
    for name in ("large.csv", "large.log"):
        html = shown(maria_page, run, name)
        assert "Only the beginning of this file is shown." in html
        assert len(html) < 1_000_000


def test_the_end_of_a_long_log_is_a_link_away(maria_page: Client, maria_actor: Actor, run: Run) -> None:
    put(maria_actor, run, "large.log", "the first\n" + "a line of a log\n" * 100_000 + "the last")
    url = f"/runs/{run.run_id}/artifacts/large.log"
    beginning = text_of(maria_page, url)
    assert f'href="{url}?part=end"' in beginning
    assert "the last" not in beginning
    end = text_of(maria_page, f"{url}?part=end")
    assert "Only the end of this file is shown." in end
    assert "the last" in end
    assert "the first" not in end
    assert "numbered" not in end


def test_a_deeply_nested_document_is_shown(maria_page: Client, maria_actor: Actor, run: Run) -> None:
    put(maria_actor, run, "deep.json", '{"a":' * 200 + "1" + "}" * 200)
    assert "json-tree" in shown(maria_page, run, "deep.json")


# -- the bytes ---------------------------------------------------------------------------------------------------------
def test_a_download_is_an_attachment_that_nothing_runs_in(maria_page: Client, maria_actor: Actor, run: Run) -> None:
    put(maria_actor, run, "page.html", "<script>alert(1)</script>")
    response, _body = fetched(maria_page, f"/runs/{run.run_id}/files/page.html")
    assert response.headers["Content-Disposition"] == 'attachment; filename="page.html"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"] == "sandbox"


@pytest.mark.parametrize(
    ("name", "disposition", "sandboxed"),
    [
        ("page.html", "attachment", True),
        ("chart.svg", "inline", True),
        ("roc.png", "inline", True),
        ("call.wav", "inline", True),
        ("paper.pdf", "inline", False),
        ("code.js", "attachment", True),
        ("notes.txt", "attachment", True),
        ("data.xml", "attachment", True),
        ("model.pkl", "attachment", True),
    ],
)
def test_only_harmless_kinds_are_shown_in_place(
    maria_page: Client, maria_actor: Actor, run: Run, name: str, disposition: str, sandboxed: bool
) -> None:
    put(maria_actor, run, name, b"content")
    response, _body = fetched(maria_page, f"/runs/{run.run_id}/files/{name}?inline=1")
    assert response.headers["Content-Disposition"].startswith(disposition)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox") is sandboxed
    assert "script-src" not in policy
    assert "allow-scripts" not in policy


@pytest.mark.parametrize(
    ("asked", "status", "body", "content_range"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=5-99", 206, b"56789", "bytes 5-9/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=0-1,4-5", 200, b"0123456789", None),
        ("lines=1-2", 200, b"0123456789", None),
    ],
)
def test_ranges(
    maria_page: Client,
    maria_actor: Actor,
    run: Run,
    asked: str,
    status: int,
    body: bytes,
    content_range: str | None,
) -> None:
    put(maria_actor, run, "digits.txt", "0123456789")
    response, received = fetched(maria_page, f"/runs/{run.run_id}/files/digits.txt", Range=asked)
    assert response.status_code == status
    assert response.headers.get("Content-Range") == content_range
    assert received == body


def test_strangers_get_no_file(stranger_page: Client, maria_actor: Actor, run: Run) -> None:
    put(maria_actor, run, "notes.txt", "secret")
    assert stranger_page.get(f"/runs/{run.run_id}/files/notes.txt").status_code == 302
