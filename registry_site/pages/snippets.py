"""Code that people copy, filled in with this server's address and the names on the page."""

import json
from shlex import quote
from urllib.parse import urlencode

from django.http import HttpRequest

Snippet = tuple[str, str, str]  # title, language, code


def host_of(request: HttpRequest) -> str:
    """This server's address, as the request had it."""
    return request.build_absolute_uri("/").rstrip("/")


def load_snippets(host: str, uri: str, *, name: str, version: int | None = None) -> list[Snippet]:
    """How to load a `models:/` URI in Python, on the command line, and how to ask the REST API about it."""
    python = (
        f"import mlflow\n\nmlflow.set_tracking_uri({_text(host)})\n"
        f"model = mlflow.pyfunc.load_model({_text(uri)})\nmodel.predict(frame)"
    )
    shell = (
        f"export MLFLOW_TRACKING_URI={quote(host)}\n"
        f"mlflow artifacts download --artifact-uri {quote(uri)} --dst-path model"
    )
    if version is None:
        path = f"registered-models/get?{urlencode({'name': name})}"
    else:
        path = f"model-versions/get?{urlencode({'name': name, 'version': version})}"
    curl = f'curl -H "Authorization: Bearer $MLFLOW_TRACKING_TOKEN" \\\n  {quote(f"{host}/api/2.0/mlflow/{path}")}'
    return [("Python", "python", python), ("CLI", "bash", shell), ("curl", "bash", curl)]


def archive_snippets(address: str, format: str) -> list[Snippet]:
    """How an archive is fetched from a signed address, by hand and by KServe."""
    unpack = "unzip model.zip -d model" if format == "zip" else "mkdir -p model && tar -xzf model.tar.gz -C model"
    curl = f"curl --fail -o model.{format} {quote(address)}\n{unpack}"
    kserve = (
        "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata:\n  name: model\nspec:\n"
        "  predictor:\n    model:\n      modelFormat:\n        name: mlflow\n      protocolVersion: v2\n"
        f"      storageUri: {_text(address)}"
    )
    return [("curl", "bash", curl), ("KServe", "yaml", kserve)]


def log_model_snippet(host: str, name: str) -> str:
    """How a client registers the next version of a model while it trains."""
    return (
        "import mlflow\nfrom sklearn.linear_model import LogisticRegression\n\n"
        f"mlflow.set_tracking_uri({_text(host)})\n"
        "with mlflow.start_run():\n"
        "    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])\n"
        f'    mlflow.sklearn.log_model(model, name="model", registered_model_name={_text(name)})'
    )


def connect_snippet(host: str, *, open_mode: bool) -> str:
    """What a shell needs before a client can talk to this server."""
    lines = [f"export MLFLOW_TRACKING_URI={quote(host)}"]
    if not open_mode:
        lines.append("export MLFLOW_TRACKING_TOKEN=podium_…  # yours, from API tokens")
    return "\n".join(lines)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)  # a JSON string is a Python string too
