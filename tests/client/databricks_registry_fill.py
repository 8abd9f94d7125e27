"""Logs and registers what `databricks_registry` reads; prints its name, files and predictions as JSON."""

import json
import os
import sys
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from sklearn.linear_model import LinearRegression

NAME = sys.argv[1]
MANY = 5
LARGE = 6 * 1024 * 1024

with mlflow.start_run():
    model = LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0])
    mlflow.sklearn.save_model(model, "model")
    Path("model/many").mkdir()
    for number in range(MANY):
        Path(f"model/many/münchen {number}.txt").write_text("x", "utf-8")
    Path("model/large.bin").write_bytes(os.urandom(LARGE))
    mlflow.log_artifacts("model", "model")
    version = mlflow.register_model(mlflow.get_artifact_uri("model"), NAME)
MlflowClient().transition_model_version_stage(NAME, version.version, "Staging")
files = {str(path.relative_to("model")): path.stat().st_size for path in Path("model").rglob("*") if path.is_file()}
print(json.dumps({"name": NAME, "files": files, "predictions": model.predict([[1.0]]).tolist()}))  # noqa: T201
