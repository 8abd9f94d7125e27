"""The files of the demonstration's runs: small, believable, and made with the standard library alone."""

import json
import math
import pickle
import struct
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from random import Random
from typing import Any

import yaml

from registry_site.worker.demo_content import Story

Colour = tuple[int, int, int]
WHITE, GREY, BLUE, ORANGE = (255, 255, 255), (210, 214, 220), (10, 91, 181), (179, 89, 0)
_LOADERS = {"prophet": "mlflow.prophet", "transformers": "mlflow.transformers", "pytorch": "mlflow.pytorch"}


class Picture:
    """A canvas of pixels that becomes a PNG."""

    def __init__(self, width: int, height: int, colour: Colour = WHITE) -> None:
        self.width, self.height = width, height
        self._rows = [bytearray(bytes(colour) * width) for _ in range(height)]

    def box(self, x: int, y: int, width: int, height: int, colour: Colour) -> None:
        """Fill a rectangle; what lies outside of the canvas is left out."""
        left, right = max(x, 0), min(x + width, self.width)
        for row in self._rows[max(y, 0) : max(y + height, 0)]:
            row[left * 3 : right * 3] = bytes(colour) * max(right - left, 0)

    def line(self, points: Sequence[tuple[float, float]], colour: Colour) -> None:
        """A line, two pixels thick, through points given in shares of the canvas, the origin at the lower left."""
        for (x, y), (to_x, to_y) in pairwise(points):
            steps = max(int(max(abs(to_x - x) * self.width, abs(to_y - y) * self.height)), 1)
            for step in range(steps + 1):
                share = step / steps
                across, up = x + (to_x - x) * share, y + (to_y - y) * share
                self.box(round(across * (self.width - 2)), round((1 - up) * (self.height - 2)), 2, 2, colour)

    def png(self) -> bytes:
        """The picture as a PNG of eight bits a channel."""
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        pixels = zlib.compress(b"".join(b"\0" + bytes(row) for row in self._rows), 9)
        return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def curve_png(quality: float) -> bytes:
    """A curve that bends to the upper left the more the better (0 to 1), over its diagonal and a grid."""
    picture = Picture(360, 240)
    for share in (0.25, 0.5, 0.75):
        picture.line([(share, 0), (share, 1)], GREY)
        picture.line([(0, share), (1, share)], GREY)
    picture.line([(0, 0), (1, 1)], ORANGE)
    bend = max(1 - quality, 0.03)
    picture.line([(step / 60, (step / 60) ** bend) for step in range(61)], BLUE)
    return picture.png()


def heat_map_png(cells: Sequence[Sequence[int]]) -> bytes:
    """A square of cells, the darker the greater."""
    picture = Picture(240, 240)
    size = 240 // len(cells)
    greatest = max(map(max, cells)) or 1
    for row, values in enumerate(cells):
        for column, value in enumerate(values):
            paleness = 1 - value / greatest
            shade = (round(10 + 235 * paleness), round(91 + 154 * paleness), round(181 + 70 * paleness))
            picture.box(column * size, row * size, size - 2, size - 2, shade)
    return picture.png()


def sample_png(random: Random) -> bytes:
    """A grey panel with a few marks on it."""
    picture = Picture(160, 120, (186, 190, 196))
    for _ in range(random.randint(1, 4)):
        x, y = random.random() * 0.8 + 0.1, random.random() * 0.8 + 0.1
        picture.line([(x, y), (x + random.uniform(-0.2, 0.2), y + random.uniform(-0.15, 0.15))], (140, 38, 29))
    return picture.png()


def bars_svg(values: Mapping[str, float]) -> bytes:
    """A bar for each value (0 to 1) with its name."""
    bars = "".join(
        f'<text x="110" y="{place * 28 + 34}" text-anchor="end">{name}</text>'
        f'<rect x="120" y="{place * 28 + 20}" width="{value * 220:.0f}" height="18" fill="#0a5bb5"/>'
        for place, (name, value) in enumerate(values.items())
    )
    height = len(values) * 28 + 30
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 360 {height}" font-family="sans-serif" font-size="12">'
        f'<rect width="360" height="{height}" fill="#ffffff"/>{bars}</svg>'
    ).encode()


def model_files(story: Story, random: Random, *, run_id: str, created: datetime) -> dict[str, bytes]:
    """What `log_model` writes into the folder of a model."""
    weights = pickle.dumps({name: random.gauss(0, 1) for name, _ in story.inputs})
    packages = ["mlflow==3.4.0", f"{'torch' if story.flavor == 'pytorch' else story.flavor}", "numpy==2.3.3"]
    inputs = [{"type": kind, "name": name, "required": True} for name, kind in story.inputs]
    description: dict[str, Any] = {
        "artifact_path": "model",
        "flavors": {
            "python_function": {
                "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
                "loader_module": _LOADERS.get(story.flavor, f"mlflow.{story.flavor}"),
                "model_path": "model.pkl",
                "python_version": "3.11.9",
            },
            story.flavor: {"code": None, "model_data": "model.pkl"},
        },
        "mlflow_version": "3.4.0",
        "model_size_bytes": len(weights),
        "run_id": run_id,
        "signature": {
            "inputs": json.dumps(inputs),
            "outputs": json.dumps([{"type": story.output, "required": True}]),
            "params": None,
        },
        "utc_time_created": f"{created:%Y-%m-%d %H:%M:%S.%f}",
    }
    conda = {"name": "mlflow-env", "channels": ["conda-forge"], "dependencies": ["python=3.11.9", {"pip": packages}]}
    example = {"columns": [name for name, _ in story.inputs], "data": [[_example(kind) for _, kind in story.inputs]]}
    return {
        "MLmodel": yaml.safe_dump(description).encode(),
        "model.pkl": weights,
        "conda.yaml": yaml.safe_dump(conda).encode(),
        "python_env.yaml": yaml.safe_dump({"python": "3.11.9", "dependencies": ["-r requirements.txt"]}).encode(),
        "requirements.txt": ("\n".join(packages) + "\n").encode(),
        "input_example.json": json.dumps(example).encode(),
    }


def _example(kind: str) -> Any:
    return {"double": 12.5, "long": 3, "boolean": True, "datetime": "2026-09-01", "binary": "iVBORw0KGgo="}.get(
        kind, "a"
    )


def report_files(story: Story, random: Random, metrics: Mapping[str, float], quality: float) -> dict[str, bytes]:
    """Plots, tables and notes that a training script logs beside its model, in nested folders."""
    hits = round(400 * quality)
    cells = [[hits, 500 - hits], [430 - hits, hits]]
    table = "actual,predicted_yes,predicted_no\n" + "".join(
        f"{actual},{first},{second}\n" for actual, (first, second) in zip(("yes", "no"), cells, strict=True)
    )
    weights = {name: random.uniform(0.15, 1) for name, _ in story.inputs}
    lines = "".join(f"| {key} | {value:.4g} |\n" for key, value in metrics.items())
    notes = f"# {story.name}: evaluation\n\nHoldout of `{story.dataset}`.\n\n| metric | value |\n| --- | --- |\n{lines}"
    files = {
        "plots/curves/roc.png": curve_png(quality),
        "plots/confusion.png": heat_map_png(cells),
        "plots/importance.svg": bars_svg(dict(sorted(weights.items(), key=lambda item: -item[1]))),
        "reports/evaluation.md": notes.encode(),
        "reports/tables/confusion.csv": table.encode(),
        "reports/metrics.json": json.dumps(metrics, indent=2).encode(),
        "logs/training.txt": _log(random, quality).encode(),
    }
    if story.images:
        files |= {
            f"samples/batch-{batch}/panel-{panel}.png": sample_png(random) for batch in (1, 2) for panel in (1, 2)
        }
    return files


def _log(random: Random, quality: float) -> str:
    return "".join(
        f"epoch {epoch:2d}  loss {math.exp(-epoch / 6) + 1 - quality + random.uniform(0, 0.02):.4f}\n"
        for epoch in range(1, 21)
    )
