"""Previews of every kind of file, in a browser that would run what it is given."""

import base64
import io
import json
import math
import struct
import wave
import zipfile
from collections.abc import Mapping

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests.browser.conftest import OpenWindow
from tests.browser.test_every_page import flaws
from tests.browser.training import Logger, striped_png
from tests.live import Podium

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.xdist_group("browser")]

ATTACK = """<!doctype html><html><body style="font: 16px sans-serif">
<h1>Drift report</h1><p id="said">without scripts</p>
<form action="https://elsewhere.example/"><button>Send</button></form>
<script>
const tried = {};
for (const [name, act] of Object.entries({
  cookie: () => document.cookie,
  parent: () => parent.document.title,
  storage: () => localStorage.length,
  top: () => { top.location = "about:blank"; },
})) { try { act(); tried[name] = "done"; } catch { tried[name] = "refused"; } }
fetch("/models").then(() => "done", () => "refused").then(came => {
  tried.fetch = came;
  document.getElementById("said").textContent = JSON.stringify(tried);
});
</script></body></html>"""

CHART = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 160" width="320" height="160">
<script>document.documentElement.setAttribute("fill", "red")</script>
<rect width="320" height="160" fill="#f4f6fb"/>
<polyline points="10,150 80,90 150,60 220,40 310,30" fill="none" stroke="#3456d1" stroke-width="4"/></svg>"""

TABLE = """<div><style scoped>.dataframe th {color: red}</style><table border="1" class="dataframe"><thead>
<tr style="text-align: right;"><th></th><th>tenure</th><th>spend</th></tr></thead><tbody>
<tr><th>0</th><td>12</td><td>31.5</td></tr><tr><th>1</th><td>40</td><td>18.0</td></tr></tbody></table></div>"""

YAML = """name: churn
channels: [conda-forge]
dependencies:
  - python=3.11.9
  - pip:
      - mlflow==3.17.2
      - scikit-learn==1.9.1
defaults: &defaults {retries: 3, timeout: 1.5, verbose: no, proxy: ~}
training: *defaults
"""


def pdf() -> bytes:
    """A page with two words."""
    text = b"BT /F1 24 Tf 72 700 Td (Model card) Tj ET"
    parts = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(text), text),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )
    written, offsets = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        offsets.append(len(written))
        written += b"%d 0 obj%s endobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return written + b"xref\n0 6\n0000000000 65535 f \n%strailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (
        table,
        len(written),
    )


def tone() -> bytes:
    """A second of a tone."""
    written = io.BytesIO()
    with wave.open(written, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"".join(struct.pack("<h", int(8000 * math.sin(at / 3))) for at in range(8000)))
    return written.getvalue()


def notebook() -> bytes:
    """Cells of every kind, with outputs of every kind."""
    picture = base64.b64encode(striped_png(240, 120)).decode()
    outputs = [
        {"output_type": "stream", "text": ["fitting 300 trees\n", "\x1b[32mdone\x1b[0m in 4.1 s\n"]},
        {"output_type": "execute_result", "data": {"text/html": TABLE, "text/plain": "   tenure  spend"}},
        {"output_type": "display_data", "data": {"image/png": picture, "text/plain": "<Figure size 240x120>"}},
        {"output_type": "display_data", "data": {"image/svg+xml": CHART, "text/plain": "<Figure>"}},
        {"output_type": "display_data", "data": {"text/html": "<script>document.title = 'taken'</script>"}},
        {"output_type": "error", "traceback": ["Traceback (most recent call last):", "ValueError: no such column"]},
    ]
    cells = [
        {
            "cell_type": "markdown",
            "source": ["# Training\n", "The **baseline**, see [the data](https://example.org).\n"],
        },
        {
            "cell_type": "code",
            "execution_count": 3,
            "source": ["import mlflow\n", "\n", "model = fit(frame, trees=300)  # slow\n", "frame.head(2)"],
            "outputs": outputs,
        },
        {"cell_type": "raw", "source": "kept as it is"},
    ]
    return json.dumps({"nbformat": 4, "metadata": {"language_info": {"name": "python"}}, "cells": cells}).encode()


def zipped() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("config.json", "metadata.json", "model.weights.h5"):
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 20, 9, 30, 0)), b"x" * 4096)
    return written.getvalue()


def parquet() -> bytes:
    pyarrow = pytest.importorskip("pyarrow")
    rows = 2000
    table = pyarrow.table(
        {
            "customer": [f"c{row:04}" for row in range(rows)],
            "tenure": list(range(rows)),
            "score": [row / rows for row in range(rows)],
            "labels": [["new", "paying"] if row % 3 else [] for row in range(rows)],
        }
    )
    written = io.BytesIO()
    pytest.importorskip("pyarrow.parquet").write_table(table, written)
    return written.getvalue()


def files() -> Mapping[str, bytes]:
    """One file of each kind."""
    return {
        "report.html": ATTACK.encode(),
        "chart.svg": CHART.encode(),
        "conda.yaml": YAML.encode(),
        "training.ipynb": notebook(),
        "scores.parquet": parquet(),
        "net.keras": zipped(),
        "area.geojson": json.dumps({"type": "Point", "coordinates": [13.4, 52.5]}, indent=1).encode(),
        "card.pdf": pdf(),
        "call.wav": tone(),
        "train.py": b"import mlflow\n\n\ndef fit(frame, *, trees: int = 300) -> None:\n    mlflow.autolog()\n",
        "train.log": b"".join(b"epoch %d loss 0.%03d\n" % (step, 999 - step % 900) for step in range(30_000)),
        "broken.parquet": b"PAR1 and no more",
        "folder/inner.txt": b"x",
    }


@pytest.fixture(scope="package")
def run_with_files(podium: Podium) -> str:
    client = Logger(podium, "maria")
    experiment_id = client.post("experiments/create", name="files of every kind")["experiment_id"]
    info = client.post("runs/create", experiment_id=experiment_id, run_name="all kinds", start_time=1)["run"]["info"]
    for path, content in files().items():
        client.put_file(info["artifact_uri"], path, content)
    run_id: str = info["run_id"]
    return run_id


def test_every_kind_of_file_is_shown_whole(window: OpenWindow, run_with_files: str) -> None:
    maria, found = window("maria"), []
    for path in files():
        response = maria.page.goto(reverse("run_artifact", args=[run_with_files, path]))
        if response.status != 200:
            found.append(f"{path}: {response.status}")
        maria.page.wait_for_load_state("load")
        found += flaws(maria, f"preview-{path.replace('/', '-')}")
        if path == "report.html":
            maria.troubles.clear()  # the browser tells of the script that it did not run
    assert not found, "\n".join(found)


def test_html_runs_no_script_unless_it_is_told_to_and_then_reaches_nothing(
    window: OpenWindow, run_with_files: str
) -> None:
    maria = window("maria")
    page = maria.page
    page.goto(reverse("run_artifact", args=[run_with_files, "report.html"]))
    frame = page.frame_locator(".preview-frame")
    expect(frame.locator("#said")).to_have_text("without scripts")
    maria.troubles.clear()  # the browser tells of the script that it did not run
    page.get_by_role("link", name="Run its scripts in the sandbox").click()
    expect(frame.locator("#said")).not_to_have_text("without scripts")
    tried = json.loads(frame.locator("#said").inner_text())
    assert tried == dict.fromkeys(("cookie", "parent", "storage", "top", "fetch"), "refused")
    assert "scripts=1" in page.url
    expect(page.get_by_role("heading", name="report.html")).to_be_visible()
    maria.photograph("preview-report.html-with-scripts")
    page.get_by_role("link", name="Stop its scripts").click()
    expect(frame.locator("#said")).to_have_text("without scripts")
    maria.troubles.clear()  # what it was refused


def test_a_folder_is_downloaded_from_its_button(window: OpenWindow, run_with_files: str) -> None:
    page = window("maria").page
    page.goto(reverse("run_artifact", args=[run_with_files, "folder"]))
    with page.expect_download() as started:
        page.get_by_role("link", name="Download folder").click()
    assert started.value.suggested_filename == "folder.zip"
    with zipfile.ZipFile(started.value.path()) as archive:
        assert archive.namelist() == ["inner.txt"]


def test_a_link_for_programs_is_made_in_a_dialog(window: OpenWindow) -> None:
    maria = window("maria")
    page = maria.page
    page.goto(reverse("version_artifacts", args=["fraud-detector", 4]))
    page.get_by_text("Download", exact=True).click()
    maria.photograph("version-files-menu")
    page.get_by_role("link", name="Link for KServe or curl").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Works for").select_option("24")
    maria.photograph("archive-link-form")
    dialog.get_by_role("button", name="Make the link").click()
    expect(dialog.get_by_text("Whoever has this link")).to_be_visible()
    maria.photograph("archive-link-made")
    maria.look(390, "dark")
    maria.photograph("archive-link-made")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
