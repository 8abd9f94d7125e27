"""A training run, logged by plain HTTP as any MLflow client does."""

import io
import json
import math
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from tests.live import Podium

EPOCHS = 40
SIGNATURE_INPUTS = json.dumps([{"type": "double", "name": name, "required": True} for name in ("tenure", "spend")])
SIGNATURE_OUTPUTS = json.dumps([{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}])


@dataclass(slots=True)
class Logger:
    """Somebody's client of the tracking server."""

    podium: Podium
    name: str

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        """POST JSON below /api/2.0/mlflow/; the JSON of the answer."""
        return self._checked(requests.post(self._address(path), json=body, headers=self._headers, timeout=30)).json()

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """GET below /api/2.0/mlflow/; the JSON of the answer."""
        return self._checked(requests.get(self._address(path), params=query, headers=self._headers, timeout=30)).json()

    def put_file(self, artifact_uri: str, path: str, content: bytes) -> None:
        """Upload a file below an `mlflow-artifacts:` URI."""
        self._checked(requests.put(self._file(artifact_uri, path), data=content, headers=self._headers, timeout=30))

    def get_file(self, artifact_uri: str, path: str) -> bytes:
        """The content of a file below an `mlflow-artifacts:` URI."""
        return self._checked(requests.get(self._file(artifact_uri, path), headers=self._headers, timeout=30)).content

    def train(self, *, experiment: str, run: str) -> str:
        """A finished run with params, metric curves, files in folders and a model in the folder `model`; its id."""
        experiment_id = self.post("experiments/create", name=experiment)["experiment_id"]
        info = self.post("runs/create", experiment_id=experiment_id, run_name=run, start_time=1_795_000_000_000)["run"][
            "info"
        ]
        run_id, artifact_uri = info["run_id"], info["artifact_uri"]
        self.post(
            "runs/log-batch",
            run_id=run_id,
            params=[{"key": "max_depth", "value": "6"}, {"key": "learning_rate", "value": "0.05"}],
            metrics=curves(),
            tags=[{"key": "task", "value": "churn"}],
        )
        for path, content in files(run_id).items():
            self.put_file(artifact_uri, path, content)
        self.post("runs/update", run_id=run_id, status="FINISHED", end_time=1_795_000_090_000)
        return run_id

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.podium.token(self.name)}"}

    def _address(self, path: str) -> str:
        return f"{self.podium.url}/api/2.0/mlflow/{path}"

    def _file(self, artifact_uri: str, path: str) -> str:
        root = artifact_uri.removeprefix("mlflow-artifacts:").lstrip("/")
        return f"{self.podium.url}/api/2.0/mlflow-artifacts/artifacts/{root}/{path}"

    @staticmethod
    def _checked(answer: requests.Response) -> requests.Response:
        assert answer.ok, f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text[:400]}"
        return answer


def curves() -> list[dict[str, Any]]:
    """Histories of two metrics, and one that was logged once."""
    courses = {"loss": lambda epoch: math.exp(-epoch / 9) + 0.1, "auc": lambda epoch: 0.93 - 0.4 * math.exp(-epoch / 7)}
    points = [
        {"key": key, "value": course(epoch), "timestamp": 1_795_000_000_000 + 2000 * epoch, "step": epoch}
        for key, course in courses.items()
        for epoch in range(EPOCHS)
    ]
    return [*points, {"key": "latency_ms", "value": 12.5, "timestamp": 1_795_000_080_000, "step": 0}]


def files(run_id: str) -> Mapping[str, bytes]:
    """What the run leaves behind, by path."""
    return {
        "model/MLmodel": mlmodel(run_id).encode(),
        "model/model.pkl": bytes(range(256)) * 40,
        "model/requirements.txt": b"scikit-learn==1.9.1\npandas==3.0.1\n",
        "reports/summary.md": b"# Training report\n\nIt learned **well**.\n\n| fold | auc |\n|---|---|\n| 1 | 0.93 |\n",
        "reports/scores.csv": b"customer,score\n" + b"".join(b"c%03d,0.%02d\n" % (row, row) for row in range(60)),
        "reports/config.json": json.dumps({"trees": 300, "columns": ["tenure", "spend"], "seed": 7}).encode(),
        "plots/curves/roc.png": striped_png(240, 160),
    }


def mlmodel(run_id: str) -> str:
    """The description that MLflow writes beside a model."""
    return f"""artifact_path: model
flavors:
  python_function:
    loader_module: mlflow.sklearn
    model_path: model.pkl
    python_version: 3.11.9
  sklearn:
    pickled_model: model.pkl
    serialization_format: cloudpickle
    sklearn_version: 1.9.1
mlflow_version: 3.17.2
model_size_bytes: 10240
run_id: {run_id}
signature:
  inputs: '{SIGNATURE_INPUTS}'
  outputs: '{SIGNATURE_OUTPUTS}'
utc_time_created: '2026-11-18 10:26:40.000000'
"""


def striped_png(width: int, height: int) -> bytes:
    """A picture with stripes."""
    rows = io.BytesIO()
    for y in range(height):
        rows.write(b"\0" + bytes(90 + 60 * ((x + y) // 20 % 3) for x in range(width)))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.getvalue())), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
