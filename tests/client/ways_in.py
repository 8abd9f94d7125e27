"""Asks the server for an experiment with each of the credentials given, and prints what came of it, line by line.

Runs inside an environment of `tests.client.environments`: `python ways_in.py '[{"TOKEN": …}, {"USERNAME": …, …}]'`.
"""

import json
import os
import sys

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

for way in json.loads(sys.argv[1]):
    for name in ("TOKEN", "USERNAME", "PASSWORD"):
        os.environ.pop(f"MLFLOW_TRACKING_{name}", None)
    os.environ.update({f"MLFLOW_TRACKING_{name}": value for name, value in way.items()})
    try:
        outcome = MlflowClient().get_experiment("0").name
    except MlflowException as error:
        outcome = f"{error.error_code} {error.get_http_status_code()}"
    print(outcome)  # noqa: T201  the test reads it
