"""What the page tests about models start from, and how they read an answer."""

import io
import re
from collections.abc import Mapping
from html import unescape

from django.http import HttpResponse
from django.test import Client

from registry_site.accounts.actors import Actor
from registry_site.artifacts.store import default_store
from registry_site.registry.models import ModelVersion
from registry_site.tracking.recording import MetricPoint, log_batch
from tests.make import make_run, make_version

HTMX = {"HX-Request": "true"}
PROBE = "<img src=x onerror=alert(1)>"
MLMODEL = """
mlflow_version: 3.17.2
flavors:
  python_function: {loader_module: mlflow.sklearn, python_version: 3.11.9}
  sklearn: {sklearn_version: 1.9.1, serialization_format: skops}
signature:
  inputs: '[{"type": "double", "name": "tenure", "required": true}]'
  outputs: '[{"type": "long", "required": true}]'
"""


def html_of(response: HttpResponse, status: int = 200) -> str:
    """The page, after a look at its status."""
    assert response.status_code == status, f"{response.status_code}: {response.content[:800]!r}"
    return response.content.decode()


def words_of(response: HttpResponse, status: int = 200) -> str:
    """What can be read in the main part of the page, in one line, without the initials beside names."""
    whole = html_of(response, status)
    main = re.search(r"<main.*?</main>", whole, re.DOTALL)
    text = re.sub(r'<span class="avatar.*?</span>', "", main[0] if main else whole)
    text = re.sub(r'<span class="[a-z]{1,2}\d?">(.*?)</span>', r"\1", text, flags=re.DOTALL)  # coloured code
    text = re.sub(r"</(span|a)>(?=<)", " ", text)  # two such things beside each other are two words
    text = re.sub(r"</?(?:span|a|strong|em|time)\b[^>]*>", "", text)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", text)).split())


def get(page: Client, url: str, status: int = 200) -> str:
    return words_of(page.get(url), status)


def version_with_run(
    actor: Actor,
    name: str = "churn",
    *,
    metrics: Mapping[str, float] | None = None,
    params: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
    run_name: str = "gbm",
) -> ModelVersion:
    """The next version of a model, from a run with these metrics, params, and files in its folder `model`."""
    run = make_run(actor, name=run_name)
    points = [MetricPoint(key, value, timestamp=1) for key, value in (metrics or {}).items()]
    log_batch(actor, run_id=run.run_id, metrics=points, params=list((params or {}).items()))
    root = run.artifact_uri.removeprefix("mlflow-artifacts:/")
    for path, text in (files or {}).items():
        default_store().write(f"{root}/model/{path}", io.BytesIO(text.encode()), length=len(text.encode()))
    return make_version(actor, name, run=run)
