"""Every endpoint of the protocol in one table: a good call of it, what comes back, and how it refuses.

Texts in the table may name what `fill` made: `"$run_id"`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from string import Template
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse

from registry_site.accounts.actors import Actor, system
from registry_site.accounts.signed_urls import sign
from registry_site.core.clock import now
from registry_site.promotion.comments import create_comment
from registry_site.promotion.deciding import review
from registry_site.promotion.rules import Verdict
from registry_site.promotion.services import request_transition, transition
from registry_site.registry.names import model_id as registered_model_id
from registry_site.registry.services import set_alias
from registry_site.registry.stages import Stage
from registry_site.tracking.artifact_files import write_artifact
from registry_site.tracking.logged_models import create_logged_model, delete_logged_model
from registry_site.tracking.services import (
    DatasetUse,
    create_experiment,
    delete_experiment,
    delete_run,
    log_inputs,
    log_outputs,
)
from registry_site.webhooks.events import Event
from registry_site.webhooks.formats import Format
from registry_site.webhooks.models import Delivery, Webhook
from registry_site.webhooks.services import create_webhook
from tests.doors import Api
from tests.make import PASSWORD, make_experiment, make_model, make_run, make_version

MLFLOW = ("/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/", "/api/2.0/preview/mlflow/")
MLFLOW_3 = ("/api/3.0/mlflow/", "/ajax-api/3.0/mlflow/")
ARTIFACTS = ("/api/2.0/mlflow-artifacts/", "/ajax-api/2.0/mlflow-artifacts/")
SITE = ("/",)
API = ("/api/2.0/",)

INVALID = (400, "INVALID_PARAMETER_VALUE")
EXISTS = (400, "RESOURCE_ALREADY_EXISTS")
UNKNOWN = (404, "RESOURCE_DOES_NOT_EXIST")
FORBIDDEN = (403, "PERMISSION_DENIED")
CONFLICT = (409, "RESOURCE_CONFLICT")
NOT_OFFERED = (501, "NOT_IMPLEMENTED")

PARAMETER = re.compile(r"<\w+:(\w+)>")  # of a path


@dataclass(frozen=True)
class Refusal:
    """A call that is refused: the good one, but for these arguments. An argument that is None is left out."""

    answer: tuple[int, str]
    changes: Mapping[str, Any] = field(default_factory=dict)
    by: str = ""


@dataclass(frozen=True)
class Row:
    """An endpoint, and what is wrong with a call of it by `required` arguments that are absent or by `refusals`.

    `answer` has the keys that a good call is answered with and, below each, the keys of the object or of the first
    object of the list that it holds; bytes are a file or a text, and None is no body at all.
    """

    methods: tuple[str, ...]
    path: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    answer: Mapping[str, Any] | bytes | None = field(default_factory=dict)
    required: tuple[str, ...] = ()
    refusals: Sequence[Refusal] = ()
    roots: tuple[str, ...] = MLFLOW
    by: str = "maria"
    content: bytes | None = None
    status: int = 200
    error_code: str = ""

    def __str__(self) -> str:
        return f"{'|'.join(self.methods)} {self.path}"


@dataclass(frozen=True)
class Call:
    """An HTTP request, ready to be sent: with a query, with JSON, or with bytes."""

    method: str
    address: str
    query: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    content: bytes | None = None

    def send(self, api: Api) -> HttpResponse:
        """The answer of the server."""
        address = (
            f"{self.address}?{urlencode(self.query, doseq=True, errors='surrogatepass')}"
            if self.query
            else self.address
        )
        if self.content is not None:
            return api.raw(self.method, address, self.content, "application/octet-stream")
        return api.raw(self.method, address, "" if self.json is None else json.dumps(self.json))


def call(row: Row, method: str, root: str, arguments: Mapping[str, Any]) -> Call:
    """A call of an endpoint as clients make it: GET with a query, all others with JSON, or with the row's bytes."""
    rest = dict(arguments)
    address = root + PARAMETER.sub(lambda found: str(rest.pop(found[1])), row.path)
    if row.content is not None:
        return Call(method, address, content=row.content)
    if method == "GET":
        return Call(method, address, query=rest)
    return Call(method, address, json=rest)


def no(answer: tuple[int, str], by: str = "", **changes: Any) -> Refusal:
    return Refusal(answer, changes, by)


def filled(value: Any, names: Mapping[str, str]) -> Any:
    """The value with the names in its texts replaced."""
    if type(value) is str:  # and no member of an enum
        return Template(value).safe_substitute(names)
    if isinstance(value, Mapping):
        return {key: filled(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, names) for item in value]
    return value


def fill(maria: Actor) -> dict[str, str]:
    """A registry and experiments with one of everything, and the names that the table uses for them."""
    experiment = make_experiment(maria, "fraud", tags={"team": "risk"})
    deleted_experiment = create_experiment(maria, name="old")
    delete_experiment(maria, experiment_id=deleted_experiment.pk)
    run = make_run(
        maria,
        experiment=experiment,
        name="first",
        tags={"color": "red"},
        params={"depth": "3"},
        metrics={"loss": [1.0, 0.5]},
    )
    dataset = {"name": "train", "digest": "d1", "source_type": "local", "source": "{}"}
    log_inputs(maria, run_id=run.run_id, datasets=[DatasetUse(dataset, {"mlflow.data.context": "training"})])
    deleted_run = make_run(maria, experiment=experiment, name="gone")
    delete_run(maria, run_id=deleted_run.run_id)
    model = create_logged_model(
        maria,
        experiment_id=experiment.pk,
        name="forest",
        source_run_id=run.run_id,
        params={"depth": "3"},
        tags={"color": "red"},
    )
    log_outputs(maria, run_id=run.run_id, models={model.model_id: 0})
    deleted_model = create_logged_model(maria, experiment_id=experiment.pk, name="gone")
    delete_logged_model(maria, model_id=deleted_model.model_id)
    run_root = run.artifact_uri.removeprefix("mlflow-artifacts:/")
    model_root = model.artifact_uri.removeprefix("mlflow-artifacts:/")
    for path in (f"{run_root}/model/MLmodel", f"{run_root}/plots/roc.txt", f"{model_root}/MLmodel"):
        write_artifact(maria, path, BytesIO(b"flavors: {}"), length=11)
    churn = make_model(maria, "churn", description="Who leaves", tags={"team": "risk"})
    make_model(maria, "spare")
    make_model(maria, "greeting", tags={"mlflow.prompt.is_prompt": "true"})
    for _ in range(2):
        make_version(maria, "churn", run=run, description="d", tags={"color": "red"})
    set_alias(maria, name="churn", alias="champion", version=1)
    make_version(maria, "spare", run=run)
    for stage in (Stage.STAGING, Stage.ARCHIVED):
        transition(maria, name="spare", version=1, to_stage=stage)
    make_version(maria, "told", run=run)
    comment = create_comment(maria, name="told", version=1, text="Who looks?")
    for stage in (Stage.STAGING, Stage.PRODUCTION):
        request_transition(maria, name="told", version=1, to_stage=stage, comment="half the size")
    review(maria, name="told", number=1, verdict=Verdict.COMMENT, comment="Look soon.")
    on_request = create_comment(maria, name="told", number=1, text="I look.")
    hook = create_webhook(
        system(), name="old", url="https://8.8.8.8/", events=[Event.MODEL_VERSION_CREATED], description="d"
    )
    registry_hook = create_webhook(
        maria,
        name="old",
        url="https://8.8.8.8/",
        events=["MODEL_VERSION_CREATED"],
        description="d",
        format=Format.DATABRICKS,
        model="told",
    )
    Webhook.objects.update(url="https://127.0.0.1/")  # what its name means by now
    delivery = Delivery.objects.create(
        webhook=registry_hook, activity_id=1, event="MODEL_VERSION_CREATED", body="{}", created_at=now(), due_at=now()
    )
    return {
        "webhook_id": hook.webhook_id,
        "registry_webhook_id": registry_hook.webhook_id,
        "delivery_id": delivery.delivery_id,
        "experiment_id": str(experiment.pk),
        "deleted_experiment_id": str(deleted_experiment.pk),
        "run_id": run.run_id,
        "deleted_run_id": deleted_run.run_id,
        "model_id": model.model_id,
        "deleted_model_id": deleted_model.model_id,
        "run_root": run_root,
        "model_root": model_root,
        "comment_id": str(comment.pk),
        "request_comment_id": str(on_request.pk),
        "registered_model_id": registered_model_id(churn.pk),
        "signature": sign(maria, "file of a version", "churn", "1", "MLmodel", lasts=timedelta(minutes=15)).text,
        "password": PASSWORD,
    }


# -- what answers hold -------------------------------------------------------------------------------------------------
EXPERIMENT = {
    "experiment_id", "name", "artifact_location", "lifecycle_stage", "creation_time", "last_update_time", "workspace",
    "tags",
}  # fmt: skip
RUN_INFO = {
    "run_id", "run_uuid", "run_name", "experiment_id", "user_id", "status", "start_time", "artifact_uri",
    "lifecycle_stage",
}  # fmt: skip
NEW_RUN = {"info", "data", "inputs"}
RUN = {*NEW_RUN, "outputs"}
METRIC = {"key", "value", "timestamp", "step"}
LOGGED_MODEL = {"info", "data"}
BARE_MODEL = {"name", "creation_timestamp", "last_updated_timestamp"}
NEW_MODEL = {*BARE_MODEL, "description", "tags"}
MODEL = {*NEW_MODEL, "latest_versions", "aliases"}
BARE_VERSION = {
    "name", "version", "creation_timestamp", "last_updated_timestamp", "current_stage", "source", "status", "run_id",
    "run_link", "user_id",
}  # fmt: skip
VERSION = {*BARE_VERSION, "description", "tags"}
VERSION_WITH_ALIASES = {*VERSION, "aliases"}
FILE = {"path", "is_dir", "file_size"}
USER = {"id", "username", "is_admin"}

LONG = "x" * 501
MANY = [{"key": f"k{number}", "value": "v"} for number in range(101)]
POINT = {"key": "auc", "value": 0.5, "timestamp": 1}

# -- the table ---------------------------------------------------------------------------------------------------------
SYSTEM = (
    Row(("GET",), "health", roots=SITE, answer=b"OK"),
    Row(("GET",), "version", roots=SITE, answer=b"3.17.2"),
    Row(("GET",), ".well-known/databricks-config", roots=SITE, answer={"oidc_endpoint": None}),
    Row(
        ("GET",),
        "server-info",
        roots=MLFLOW_3,
        answer={
            "store_type": None,
            "workspaces_enabled": None,
            "trace_archival_enabled": None,
            "multipart_uploads_enabled": None,
            "multipart_downloads_enabled": None,
            "presigned_upload_run_id_supported": None,
            "presigned_upload_model_id_supported": None,
            "features_enabled": {"gateway"},
        },
    ),
)

EXPERIMENTS = (
    Row(
        ("POST",),
        "experiments/create",
        {"name": "new", "tags": [{"key": "team", "value": "risk"}]},
        {"experiment_id": None},
        required=("name",),
        refusals=(
            no(EXISTS, name="fraud"),
            no(EXISTS, name="old"),
            no(INVALID, name=LONG),
            no(INVALID, artifact_location="runs:/$run_id/a"),
            no(INVALID, artifact_location="http://elsewhere.example/a"),
            no(INVALID, artifact_location="mlflow-artifacts:/a#b"),
            no(INVALID, artifact_location="mlflow-artifacts:/a/../b"),
            no(INVALID, artifact_location="mlflow-artifacts:/" + "a" * 2048),
            no(INVALID, tags=[{"key": "a@b"}]),
            no(INVALID, tags=[{"key": "a", "value": "x" * 20_001}]),
        ),
    ),
    Row(
        ("GET",),
        "experiments/get",
        {"experiment_id": "$experiment_id"},
        {"experiment": EXPERIMENT},
        required=("experiment_id",),
        refusals=(no(UNKNOWN, experiment_id="4711"), no(INVALID, experiment_id="fraud")),
    ),
    Row(
        ("GET",),
        "experiments/get-by-name",
        {"experiment_name": "fraud"},
        {"experiment": EXPERIMENT},
        required=("experiment_name",),
        refusals=(no(UNKNOWN, experiment_name="nothing"),),
    ),
    Row(
        ("GET", "POST"),
        "experiments/search",
        {"max_results": 1, "filter": "name LIKE 'fr%'", "order_by": ["name DESC"], "view_type": "ALL"},
        {"experiments": EXPERIMENT},
        refusals=(
            no(INVALID, max_results=None),
            no(INVALID, max_results=0),
            no(INVALID, max_results=50_001),
            no(INVALID, filter="colour = 'red'"),
            no(INVALID, filter="name = 'a' OR name = 'b'"),
            no(INVALID, order_by=["name sideways"]),
            no(INVALID, order_by=["name", "name"]),
            no(INVALID, page_token="not a token"),
        ),
    ),
    Row(
        ("POST",),
        "experiments/update",
        {"experiment_id": "$experiment_id", "new_name": "renamed"},
        required=("experiment_id", "new_name"),
        refusals=(
            no(EXISTS, new_name="old"),
            no(INVALID, new_name=LONG),
            no(INVALID, experiment_id="$deleted_experiment_id"),
            no(UNKNOWN, experiment_id="4711"),
        ),
    ),
    Row(
        ("POST",),
        "experiments/delete",
        {"experiment_id": "$experiment_id"},
        required=("experiment_id",),
        refusals=(no(UNKNOWN, experiment_id="$deleted_experiment_id"), no(UNKNOWN, experiment_id="4711")),
    ),
    Row(
        ("POST",),
        "experiments/restore",
        {"experiment_id": "$deleted_experiment_id"},
        required=("experiment_id",),
        refusals=(no(UNKNOWN, experiment_id="$experiment_id"), no(UNKNOWN, experiment_id="4711")),
    ),
    Row(
        ("POST",),
        "experiments/set-experiment-tag",
        {"experiment_id": "$experiment_id", "key": "team", "value": "credit"},
        required=("experiment_id", "key"),
        refusals=(
            no(INVALID, experiment_id="$deleted_experiment_id"),
            no(UNKNOWN, experiment_id="4711"),
            no(INVALID, key="a/../b"),
            no(INVALID, key="x" * 251),
            no(INVALID, value="x" * 20_001),
        ),
    ),
    Row(
        ("POST",),
        "experiments/delete-experiment-tag",
        {"experiment_id": "$experiment_id", "key": "team"},
        required=("experiment_id", "key"),
        refusals=(
            no(UNKNOWN, key="nothing"),
            no(UNKNOWN, experiment_id="4711"),
            no(INVALID, experiment_id="$deleted_experiment_id"),
        ),
    ),
    Row(
        ("POST",),
        "experiments/search-datasets",
        {"experiment_ids": ["$experiment_id"]},
        {"dataset_summaries": {"experiment_id", "name", "digest", "context"}},
        required=("experiment_ids",),
        refusals=(
            no(INVALID, experiment_ids=["fraud"]),
            no(INVALID, experiment_ids=[str(number) for number in range(21)]),
        ),
    ),
)

RUNS = (
    Row(
        ("POST",),
        "runs/create",
        {"experiment_id": "$experiment_id", "user_id": "maria", "run_name": "second", "start_time": 1, "tags": []},
        {"run": NEW_RUN},
        refusals=(
            no(UNKNOWN, experiment_id="4711"),
            no(INVALID, experiment_id="fraud"),
            no(INVALID, experiment_id="$deleted_experiment_id"),
            no(INVALID, tags=[{"key": "mlflow.runName", "value": "another"}]),
            no(INVALID, tags=[{"key": "a@b", "value": ""}]),
            no(INVALID, start_time="yesterday"),
        ),
    ),
    Row(
        ("GET",),
        "runs/get",
        {"run_id": "$run_id"},
        {"run": RUN},
        required=("run_id",),
        refusals=(no(UNKNOWN, run_id="nothing"),),
    ),
    Row(
        ("POST",),
        "runs/update",
        {"run_id": "$run_id", "status": "FINISHED", "end_time": 2, "run_name": "done"},
        {"run_info": {*RUN_INFO, "end_time"}},
        required=("run_id",),
        refusals=(no(UNKNOWN, run_id="nothing"), no(INVALID, run_id="$deleted_run_id"), no(INVALID, end_time="soon")),
    ),
    Row(
        ("POST",),
        "runs/delete",
        {"run_id": "$run_id"},
        required=("run_id",),
        refusals=(no(UNKNOWN, run_id="nothing"),),
    ),
    Row(
        ("POST",),
        "runs/restore",
        {"run_id": "$deleted_run_id"},
        required=("run_id",),
        refusals=(no(UNKNOWN, run_id="nothing"),),
    ),
    Row(
        ("POST",),
        "runs/search",
        {"experiment_ids": ["$experiment_id"], "filter": "metrics.loss < 1", "order_by": ["params.depth DESC"]},
        {"runs": RUN},
        refusals=(
            no(INVALID, experiment_ids=["fraud"]),
            no(INVALID, filter="metrics.loss < 'low'"),
            no(INVALID, filter="params.depth = 3"),
            no(INVALID, filter="experiment_id = '0'"),
            no(INVALID, order_by=["loss"]),
            no(INVALID, max_results=0),
            no(INVALID, max_results=50_001),
            no(INVALID, page_token="not a token"),
        ),
    ),
    Row(
        ("POST",),
        "runs/log-metric",
        {"run_id": "$run_id", **POINT, "step": 3, "model_id": "$model_id"},
        required=("run_id", "key", "value", "timestamp"),
        refusals=(
            no(UNKNOWN, run_id="nothing"),
            no(INVALID, run_id="$deleted_run_id"),
            no(UNKNOWN, model_id="m-nothing"),
            no(INVALID, key="a@b"),
            no(INVALID, value="high"),
            no(INVALID, timestamp=-1),
            no(INVALID, step=1.5),
        ),
    ),
    Row(
        ("POST",),
        "runs/log-parameter",
        {"run_id": "$run_id", "key": "trees", "value": "100"},
        required=("run_id", "key"),
        refusals=(
            no(UNKNOWN, run_id="nothing"),
            no(INVALID, run_id="$deleted_run_id"),
            no(INVALID, key="depth", value="4"),
            no(INVALID, key="/depth"),
            no(INVALID, value=100),
        ),
    ),
    Row(
        ("POST",),
        "runs/set-tag",
        {"run_id": "$run_id", "key": "color", "value": "blue"},
        required=("run_id", "key"),
        refusals=(
            no(UNKNOWN, run_id="nothing"),
            no(INVALID, run_id="$deleted_run_id"),
            no(INVALID, key="color/"),
        ),
    ),
    Row(
        ("POST",),
        "runs/delete-tag",
        {"run_id": "$run_id", "key": "color"},
        required=("run_id", "key"),
        refusals=(
            no(UNKNOWN, run_id="nothing"),
            no(UNKNOWN, key="nothing"),
            no(INVALID, run_id="$deleted_run_id"),
        ),
    ),
    Row(
        ("POST",),
        "runs/log-batch",
        {
            "run_id": "$run_id",
            "metrics": [POINT],
            "params": [{"key": "trees", "value": "100"}],
            "tags": [{"key": "color", "value": "blue"}],
        },
        required=("run_id",),
        refusals=(
            no(UNKNOWN, run_id="nothing"),
            no(INVALID, run_id="not an id"),
            no(INVALID, run_id="$deleted_run_id"),
            no(INVALID, metrics=[POINT] * 1001),
            no(INVALID, params=MANY),
            no(INVALID, tags=MANY),
            no(INVALID, metrics=[POINT] * 1000),
            no(INVALID, metrics=[{"key": "auc", "value": 0.5}]),
            no(INVALID, params=[{"key": "trees", "value": "1"}, {"key": "trees", "value": "1"}]),
            no(INVALID, params=[{"key": "depth", "value": "4"}]),
        ),
    ),
    Row(
        ("POST",),
        "runs/log-inputs",
        {
            "run_id": "$run_id",
            "datasets": [
                {
                    "dataset": {"name": "test", "digest": "d2", "source_type": "local", "source": "{}"},
                    "tags": [{"key": "mlflow.data.context", "value": "testing"}],
                }
            ],
            "models": [{"model_id": "$model_id"}],
        },
        required=("run_id",),
        refusals=(
            no(UNKNOWN, run_id="nothing"),
            no(INVALID, run_id="$deleted_run_id"),
            no(INVALID, datasets=[{"dataset": {"name": "test"}}]),
            no(INVALID, datasets=[{"dataset": {"name": LONG, "digest": "d"}}]),
            no(UNKNOWN, models=[{"model_id": "m-nothing"}]),
        ),
    ),
    Row(
        ("POST",),
        "runs/outputs",
        {"run_id": "$run_id", "models": [{"model_id": "$model_id", "step": 1}]},
        required=("run_id", "models"),
        refusals=(
            no(UNKNOWN, run_id="nothing"),
            no(INVALID, run_id="$deleted_run_id"),
            no(UNKNOWN, models=[{"model_id": "m-nothing"}]),
        ),
    ),
    Row(
        ("POST",),
        "runs/log-model",
        {
            "run_id": "$run_id",
            "model_json": '{"artifact_path": "model", "flavors": {}, "utc_time_created": "now", "run_id": "$run_id"}',
        },
        required=("run_id", "model_json"),
        refusals=(
            no(UNKNOWN, run_id="nothing"),
            no(INVALID, run_id="$deleted_run_id"),
            no(INVALID, model_json="{}"),
            no(INVALID, model_json="{"),
            no(INVALID, model_json="[]"),
        ),
    ),
    Row(
        ("GET",),
        "metrics/get-history",
        {"run_id": "$run_id", "metric_key": "loss", "max_results": 1},
        {"metrics": METRIC, "next_page_token": None},
        required=("run_id", "metric_key"),
        refusals=(no(INVALID, max_results=0), no(INVALID, page_token="not a token")),
    ),
    Row(
        ("GET",),
        "metrics/get-history-bulk",
        {"run_id": ["$run_id"], "metric_key": "loss"},
        {"metrics": {*METRIC, "run_id"}},
        required=("run_id", "metric_key"),
        refusals=(
            no(INVALID, run_id=[f"r{number}" for number in range(101)]),
            no(INVALID, max_results=25_001),
        ),
    ),
    Row(
        ("GET",),
        "metrics/get-history-bulk-interval",
        {"run_ids": ["$run_id"], "metric_key": "loss", "start_step": 0, "end_step": 1},
        {"metrics": {*METRIC, "run_id"}},
        required=("run_ids", "metric_key"),
        refusals=(
            no(INVALID, run_ids=[f"r{number}" for number in range(101)]),
            no(INVALID, end_step=None),
            no(INVALID, end_step=-1),
            no(INVALID, max_results=0),
            no(INVALID, max_results=2501),
        ),
    ),
)

LOGGED_MODELS = (
    Row(
        ("POST",),
        "logged-models",
        {"experiment_id": "$experiment_id", "name": "tree", "source_run_id": "$run_id", "params": [], "tags": []},
        {"model": LOGGED_MODEL},
        required=("experiment_id",),
        refusals=(
            no(UNKNOWN, experiment_id="4711"),
            no(INVALID, experiment_id="$deleted_experiment_id"),
            no(INVALID, name="a/b"),
            no(INVALID, tags=[{"key": "a@b"}]),
        ),
    ),
    Row(
        ("POST",),
        "logged-models/search",
        {"experiment_ids": ["$experiment_id"], "filter": "params.depth = '3'", "order_by": [{"field_name": "name"}]},
        {"models": LOGGED_MODEL},
        required=("experiment_ids",),
        refusals=(
            no(INVALID, experiment_ids=["fraud"]),
            no(INVALID, filter="colour = 'red'"),
            no(INVALID, order_by=[{"field_name": "colour"}]),
            no(INVALID, order_by=[{}]),
            no(INVALID, datasets=[{"dataset_digest": "d1"}]),
            no(INVALID, max_results=0),
            no(INVALID, page_token="not a token"),
        ),
    ),
    Row(
        ("GET",),
        "logged-models/<str:model_id>",
        {"model_id": "$model_id"},
        {"model": LOGGED_MODEL},
        refusals=(
            no(UNKNOWN, model_id="m-nothing"),
            no(UNKNOWN, model_id="$deleted_model_id"),
            no(INVALID, allow_deleted="perhaps"),
        ),
    ),
    Row(
        ("PATCH",),
        "logged-models/<str:model_id>",
        {"model_id": "$model_id", "status": "LOGGED_MODEL_READY"},
        {"model": LOGGED_MODEL},
        required=("status",),
        refusals=(
            no(UNKNOWN, model_id="m-nothing"),
            no(UNKNOWN, model_id="$deleted_model_id"),
            no(INVALID, status="FINISHED"),
        ),
    ),
    Row(
        ("DELETE",),
        "logged-models/<str:model_id>",
        {"model_id": "$model_id"},
        refusals=(no(UNKNOWN, model_id="m-nothing"),),
    ),
    Row(
        ("PATCH",),
        "logged-models/<str:model_id>/tags",
        {"model_id": "$model_id", "tags": [{"key": "color", "value": "blue"}]},
        refusals=(no(UNKNOWN, model_id="$deleted_model_id"), no(INVALID, tags=[{"key": "a@b"}])),
    ),
    Row(
        ("DELETE",),
        "logged-models/<str:model_id>/tags/<path:tag_key>",
        {"model_id": "$model_id", "tag_key": "color"},
        refusals=(no(UNKNOWN, model_id="$deleted_model_id"), no(UNKNOWN, tag_key="nothing")),
    ),
    Row(
        ("POST",),
        "logged-models/<str:model_id>/params",
        {"model_id": "$model_id", "params": [{"key": "trees", "value": "100"}]},
        refusals=(
            no(UNKNOWN, model_id="$deleted_model_id"),
            no(EXISTS, params=[{"key": "depth", "value": "3"}]),
            no(INVALID, params=[{"key": "a@b"}]),
        ),
    ),
    Row(
        ("GET",),
        "logged-models/<str:model_id>/artifacts/directories",
        {"model_id": "$model_id"},
        {"root_uri": None, "files": FILE},
        refusals=(
            no(UNKNOWN, model_id="$deleted_model_id"),
            no(INVALID, artifact_directory_path="../other"),
        ),
    ),
    Row(
        ("GET",),
        "logged-models/<str:model_id>/artifacts/files",
        {"model_id": "$model_id", "artifact_file_path": "MLmodel"},
        b"flavors: {}",
        required=("artifact_file_path",),
        refusals=(
            no(UNKNOWN, model_id="$deleted_model_id"),
            no(UNKNOWN, artifact_file_path="nothing"),
            no(INVALID, artifact_file_path="../MLmodel"),
        ),
    ),
)

REGISTERED_MODELS = (
    Row(
        ("POST",),
        "registered-models/create",
        {"name": "leavers", "description": "Who leaves", "tags": [{"key": "team", "value": "risk"}]},
        {"registered_model": NEW_MODEL},
        required=("name",),
        refusals=(
            no(EXISTS, name="churn"),
            no(EXISTS, name="greeting"),
            no(EXISTS, name="churn", tags=[{"key": "mlflow.prompt.is_prompt", "value": "true"}]),
            no(INVALID, name="a/b"),
            no(INVALID, name="a:b"),
            no(INVALID, name=".."),
            no(INVALID, name=" "),
            no(INVALID, tags=[{"key": "x" * 251}]),
            no(INVALID, tags=[{"key": "a", "value": "x" * 100_001}]),
        ),
    ),
    Row(
        ("GET",),
        "registered-models/get",
        {"name": "churn"},
        {"registered_model": MODEL},
        required=("name",),
        refusals=(no(UNKNOWN, name="nothing"),),
    ),
    Row(
        ("PATCH", "POST"),
        "registered-models/update",
        {"name": "churn", "description": "Who stays"},
        {"registered_model": MODEL},
        required=("name",),
        refusals=(no(UNKNOWN, name="nothing"), no(FORBIDDEN, "eve")),
    ),
    Row(
        ("POST",),
        "registered-models/rename",
        {"name": "churn", "new_name": "leavers"},
        {"registered_model": MODEL},
        required=("name", "new_name"),
        refusals=(
            no(UNKNOWN, name="nothing"),
            no(EXISTS, new_name="greeting"),
            no(INVALID, new_name="a/b"),
            no(FORBIDDEN, "eve"),
        ),
    ),
    Row(
        ("DELETE",),
        "registered-models/delete",
        {"name": "churn"},
        required=("name",),
        refusals=(no(UNKNOWN, name="nothing"), no(FORBIDDEN, "eve")),
    ),
    Row(
        ("GET", "POST"),
        "registered-models/search",
        {"filter": "name = 'churn' AND tags.team = 'risk'", "order_by": ["timestamp DESC"], "max_results": 5},
        {"registered_models": MODEL},
        refusals=(
            no(INVALID, filter="version = 1"),
            no(INVALID, filter="name = churn"),
            no(INVALID, order_by=["creation_timestamp"]),
            no(INVALID, order_by=["name", "name"]),
            no(INVALID, max_results=0),
            no(INVALID, max_results=1001),
            no(INVALID, page_token="not a token"),
        ),
    ),
    Row(
        ("GET",),
        "registered-models/list",
        {"max_results": 1},
        {"registered_models": MODEL, "next_page_token": None},
        refusals=(no(INVALID, max_results=0), no(INVALID, page_token="not a token")),
    ),
    Row(
        ("GET", "POST"),
        "registered-models/get-latest-versions",
        {"name": "churn", "stages": ["none"]},
        {"model_versions": VERSION},
        required=("name",),
        refusals=(no(UNKNOWN, name="nothing"), no(INVALID, stages=["Live"])),
    ),
    Row(
        ("POST",),
        "registered-models/set-tag",
        {"name": "churn", "key": "team", "value": "credit"},
        required=("name", "key"),
        refusals=(
            no(UNKNOWN, name="nothing"),
            no(INVALID, key="x" * 251),
            no(INVALID, value="x" * 100_001),
            no(FORBIDDEN, "eve"),
        ),
    ),
    Row(
        ("DELETE",),
        "registered-models/delete-tag",
        {"name": "churn", "key": "team"},
        required=("name", "key"),
        refusals=(no(UNKNOWN, name="nothing"), no(FORBIDDEN, "eve")),
    ),
    Row(
        ("POST",),
        "registered-models/alias",
        {"name": "churn", "alias": "champion", "version": "2"},
        required=("name", "alias", "version"),
        refusals=(
            no(UNKNOWN, name="nothing"),
            no(UNKNOWN, version="9"),
            no(INVALID, version="two"),
            no(INVALID, alias="Latest"),
            no(INVALID, alias="v2"),
            no(INVALID, alias="a b"),
            no(INVALID, alias="x" * 256),
            no(FORBIDDEN, "eve"),
        ),
    ),
    Row(
        ("DELETE",),
        "registered-models/alias",
        {"name": "churn", "alias": "champion"},
        required=("name", "alias"),
        refusals=(no(UNKNOWN, name="nothing"), no(FORBIDDEN, "eve")),
    ),
    Row(
        ("GET",),
        "registered-models/alias",
        {"name": "churn", "alias": "champion"},
        {"model_version": VERSION_WITH_ALIASES},
        required=("name", "alias"),
        refusals=(no(UNKNOWN, name="nothing"), no(INVALID, alias="nothing")),
    ),
)

MODEL_VERSIONS = (
    Row(
        ("POST",),
        "model-versions/create",
        {
            "name": "churn",
            "source": "models:/$model_id",
            "model_id": "$model_id",
            "description": "d",
            "tags": [{"key": "color", "value": "red"}],
        },
        {"model_version": {*VERSION, "model_id"}},
        required=("name", "source"),
        refusals=(
            no(UNKNOWN, name="nothing"),
            no(UNKNOWN, model_id="m-nothing"),
            no(INVALID, source="models:/m-00000000000000000000000000000000"),
            no(INVALID, source="/etc", model_id=None),
            no(INVALID, source="file:///etc", model_id=None),
            no(INVALID, source="http://elsewhere.example/a", model_id=None),
            no(INVALID, source="http://[elsewhere", model_id=None),
            no(INVALID, source="s3://bucket/a/../b", model_id=None),
            no(INVALID, source="runs:/$deleted_run_id/model", run_id="$run_id", model_id=None),
            no(INVALID, source="mlflow-artifacts:/nobody/artifacts/model", run_id="$run_id", model_id=None),
            no(INVALID, source="models:/greeting/1", model_id=None),
            no(INVALID, source="models:/churn/9", model_id=None),
            no(INVALID, source="models:/churn/99999999999999999999999", model_id=None),
            no(INVALID, source="dummy-source", model_id=None),
            no(FORBIDDEN, "eve"),
        ),
    ),
    Row(
        ("GET",),
        "model-versions/get",
        {"name": "churn", "version": "1"},
        {"model_version": VERSION_WITH_ALIASES},
        required=("name", "version"),
        refusals=(no(UNKNOWN, name="nothing"), no(UNKNOWN, version="9"), no(INVALID, version="1.0")),
    ),
    Row(
        ("PATCH", "POST"),
        "model-versions/update",
        {"name": "churn", "version": "1", "description": "Better"},
        {"model_version": VERSION_WITH_ALIASES},
        required=("name", "version"),
        refusals=(no(UNKNOWN, version="9"), no(INVALID, version="one"), no(FORBIDDEN, "eve")),
    ),
    Row(
        ("DELETE",),
        "model-versions/delete",
        {"name": "churn", "version": "1"},
        required=("name", "version"),
        refusals=(no(UNKNOWN, version="9"), no(INVALID, version="one"), no(FORBIDDEN, "eve")),
    ),
    Row(
        ("POST",),
        "model-versions/transition-stage",
        {"name": "churn", "version": "1", "stage": "staging", "archive_existing_versions": True},
        {"model_version": VERSION_WITH_ALIASES},
        required=("name", "version", "stage"),
        refusals=(
            no(UNKNOWN, version="9"),
            no(INVALID, version="one"),
            no(INVALID, stage="Live"),
            no(INVALID, stage="Archived"),
            no(INVALID, archive_existing_versions="perhaps"),
            no(FORBIDDEN, "eve"),
        ),
    ),
    Row(
        ("GET",),
        "model-versions/get-download-uri",
        {"name": "churn", "version": "1"},
        {"artifact_uri": None},
        required=("name", "version"),
        refusals=(no(UNKNOWN, version="9"), no(INVALID, version="one")),
    ),
    Row(
        ("GET", "POST"),
        "model-versions/search",
        {"filter": "name = 'churn' AND run_id = '$run_id'", "order_by": ["version_number DESC"], "max_results": 1},
        {"model_versions": VERSION, "next_page_token": None},
        refusals=(
            no(INVALID, filter="current_stage = 'Staging'"),
            no(INVALID, filter="version_number = 1.5"),
            no(INVALID, filter="run_id IN ()"),
            no(INVALID, order_by=["stage"]),
            no(INVALID, max_results=0),
            no(INVALID, max_results=200_001),
            no(INVALID, page_token="not a token"),
        ),
    ),
    Row(
        ("POST",),
        "model-versions/set-tag",
        {"name": "churn", "version": "1", "key": "color", "value": "blue"},
        required=("name", "version", "key"),
        refusals=(
            no(UNKNOWN, version="9"),
            no(INVALID, version="one"),
            no(INVALID, key="x" * 251),
            no(FORBIDDEN, "eve"),
        ),
    ),
    Row(
        ("DELETE",),
        "model-versions/delete-tag",
        {"name": "churn", "version": "1", "key": "color"},
        required=("name", "version", "key"),
        refusals=(no(UNKNOWN, version="9"), no(INVALID, version="one"), no(FORBIDDEN, "eve")),
    ),
    Row(
        ("GET",),
        "model-versions/get-artifact",
        {"name": "churn", "version": "1", "path": "MLmodel"},
        b"flavors: {}",
        roots=SITE,
        required=("name", "version", "path"),
        refusals=(
            no(UNKNOWN, version="9"),
            no(UNKNOWN, path="nothing"),
            no(INVALID, version="one"),
            no(INVALID, path="../MLmodel"),
        ),
    ),
)

PROXY = (
    Row(
        ("PUT",),
        "artifacts/<path:path>",
        {"path": "$run_root/notes.txt"},
        None,
        roots=ARTIFACTS,
        content=b"hello",
        refusals=(
            no(UNKNOWN, path="nobody/notes.txt"),
            no(INVALID, path="$run_root"),
            no(INVALID, path="$run_root/%2e%2e/notes.txt"),
            no(INVALID, path="$run_root/a%5Cb"),
            no(CONFLICT, path="$run_root/model/MLmodel"),
        ),
    ),
    Row(
        ("GET",),
        "artifacts/<path:path>",
        {"path": "$run_root/model/MLmodel"},
        b"flavors: {}",
        roots=ARTIFACTS,
        refusals=(
            no(UNKNOWN, path="$run_root/nothing"),
            no(UNKNOWN, path="nobody/notes.txt"),
            no(INVALID, path="$run_root/model"),
            no(INVALID, path="$run_root/%252e%252e/notes.txt"),
        ),
    ),
    Row(
        ("DELETE",),
        "artifacts/<path:path>",
        {"path": "$run_root/plots"},
        roots=ARTIFACTS,
        refusals=(
            no(UNKNOWN, path="nobody/notes.txt"),
            no(INVALID, path="$run_root"),
            no(CONFLICT, path="$run_root/model"),
        ),
    ),
    Row(
        ("GET",),
        "artifacts",
        {"path": "$run_root/model"},
        {"files": FILE},
        roots=ARTIFACTS,
        refusals=(no(INVALID, path="../model"),),
    ),
    *(
        Row(
            ("POST",),
            f"mpu/{step}/<path:folder>",
            {"folder": "$run_root", "path": "/data/big.bin", **arguments},
            roots=ARTIFACTS,
            required=("path", *required),
            status=NOT_OFFERED[0],
            error_code=NOT_OFFERED[1],
            refusals=(no(INVALID, folder="../model"), no(UNKNOWN, folder="0/nobody")),
        )
        for step, arguments, required in (
            ("create", {"num_parts": 2}, ()),
            ("complete", {"upload_id": "u", "parts": [{"part_number": 1, "etag": "e"}]}, ("upload_id", "parts")),
            ("abort", {"upload_id": "u"}, ("upload_id",)),
        )
    ),
    Row(
        ("GET",),
        "presigned/<path:path>",
        {"path": "$run_root/model/MLmodel"},
        roots=ARTIFACTS,
        status=NOT_OFFERED[0],
        error_code=NOT_OFFERED[1],
        refusals=(no(INVALID, path="../model"), no(UNKNOWN, path="0/nobody/model")),
    ),
    Row(
        ("POST",),
        "artifacts/presigned-download-url",
        {"run_id": "$run_id", "path": "model/MLmodel"},
        required=("path",),
        status=NOT_OFFERED[0],
        error_code=NOT_OFFERED[1],
        refusals=(no(INVALID, run_id=None), no(UNKNOWN, run_id="nothing"), no(INVALID, path="../model")),
    ),
    Row(
        ("POST",),
        "artifacts/presigned-upload-url",
        {"run_id": "$run_id", "path": "plots/roc.png"},
        required=("path",),
        status=INVALID[0],
        error_code=INVALID[1],
        refusals=(no(INVALID, run_id=None), no(UNKNOWN, run_id="nothing"), no(INVALID, path="../model")),
    ),
    Row(
        ("GET",),
        "artifacts/list",
        {"run_id": "$run_id", "path": "model"},
        {"root_uri": None, "files": FILE},
        required=("run_id",),
        refusals=(no(UNKNOWN, run_id="nothing"), no(INVALID, path="../model")),
    ),
    Row(
        ("GET",),
        "get-artifact",
        {"run_id": "$run_id", "path": "model/MLmodel"},
        b"flavors: {}",
        roots=SITE,
        required=("run_id", "path"),
        refusals=(
            no(UNKNOWN, run_id="nothing"),
            no(UNKNOWN, path="nothing"),
            no(INVALID, path="model"),
            no(INVALID, path="/model/MLmodel"),
        ),
    ),
)

USERS = (
    Row(("GET",), "users/current", answer={"user": USER, "is_basic_auth": None}),
    Row(
        ("POST",),
        "users/create",
        {"username": "kim", "password": "a goat ate my umbrella"},
        {"user": {*USER, "experiment_permissions", "registered_model_permissions"}},
        required=("username", "password"),
        by="admin",
        refusals=(no(EXISTS, username="jon"), no(INVALID, password="short"), no(FORBIDDEN, "maria")),
    ),
    Row(
        ("GET",),
        "users/get",
        {"username": "jon"},
        {"user": {*USER, "experiment_permissions", "registered_model_permissions"}},
        required=("username",),
        by="admin",
        refusals=(no(UNKNOWN, username="nobody"), no(FORBIDDEN, "maria")),
    ),
    Row(
        ("GET",),
        "users/list",
        answer={"users": {*USER, "roles"}},
        by="admin",
        refusals=(no(FORBIDDEN, "maria"),),
    ),
    Row(
        ("PATCH",),
        "users/update-password",
        {"username": "maria", "password": "a goat ate my umbrella", "current_password": "$password"},
        required=("username", "password"),
        refusals=(
            no(INVALID, current_password=None),
            no(INVALID, current_password="wrong"),
            no(INVALID, password="short"),
            no(FORBIDDEN, username="jon"),
            no(UNKNOWN, "admin", username="nobody"),
        ),
    ),
    Row(
        ("PATCH",),
        "users/update-admin",
        {"username": "jon", "is_admin": True},
        required=("username", "is_admin"),
        by="admin",
        refusals=(
            no(UNKNOWN, username="nobody"),
            no(CONFLICT, username="admin", is_admin=False),
            no(FORBIDDEN, "maria"),
        ),
    ),
    Row(
        ("DELETE",),
        "users/delete",
        {"username": "jon"},
        required=("username",),
        by="admin",
        refusals=(no(UNKNOWN, username="nobody"), no(INVALID, username="admin"), no(FORBIDDEN, "maria")),
    ),
)

HOOK_EVENT = {"entity": "MODEL_VERSION", "action": "CREATED"}
HOOK = {"webhook_id", "name", "url", "events", "status", "creation_timestamp", "last_updated_timestamp"}
WEBHOOKS = (
    Row(
        ("POST",),
        "webhooks",
        {
            "name": "ci",
            "url": "https://8.8.8.8/hook",
            "events": [HOOK_EVENT],
            "secret": "known to two",
            "description": "CI",
        },
        {"webhook": {*HOOK, "description"}},
        required=("name", "url", "events"),
        by="admin",
        refusals=(
            no(INVALID, name="a b"),
            no(INVALID, secret="short"),
            no(INVALID, url="http://8.8.8.8/hook"),
            no(INVALID, url="https://127.0.0.1/hook"),
            no(INVALID, events=[{"entity": "MODEL_VERSION", "action": "SET"}]),
            no(INVALID, events=[{"entity": "STAGE", "action": "SET"}]),
            no(INVALID, events=[HOOK_EVENT, HOOK_EVENT]),
            no(INVALID, events=[{"entity": "MODEL_VERSION"}]),
            no(FORBIDDEN, "maria"),
        ),
    ),
    Row(
        ("GET",),
        "webhooks",
        {"max_results": 10},
        {"webhooks": {*HOOK, "description"}},
        by="admin",
        refusals=(
            no(INVALID, max_results=1001),
            no(INVALID, max_results=-1),
            no(INVALID, page_token="nonsense"),
            no(FORBIDDEN, "maria"),
        ),
    ),
    Row(
        ("GET",),
        "webhooks/<str:webhook_id>",
        {"webhook_id": "$webhook_id"},
        {"webhook": {*HOOK, "description"}},
        by="admin",
        refusals=(no(UNKNOWN, webhook_id="nothing"), no(FORBIDDEN, "maria")),
    ),
    Row(
        ("PATCH",),
        "webhooks/<str:webhook_id>",
        {"webhook_id": "$webhook_id", "status": "DISABLED", "description": "resting"},
        {"webhook": {*HOOK, "description"}},
        by="admin",
        refusals=(
            no(UNKNOWN, webhook_id="nothing"),
            no(INVALID, url="https://[::1]/"),
            no(INVALID, name=""),
            no(FORBIDDEN, "maria"),
        ),
    ),
    Row(
        ("POST",),
        "webhooks/<str:webhook_id>/test",
        {"webhook_id": "$webhook_id"},
        {"result": {"success", "error_message"}},
        by="admin",
        refusals=(
            no(UNKNOWN, webhook_id="nothing"),
            no(INVALID, event={"entity": "MODEL_VERSION", "action": "EXCEEDED"}),
            no(FORBIDDEN, "maria"),
        ),
    ),
    Row(
        ("DELETE",),
        "webhooks/<str:webhook_id>",
        {"webhook_id": "$webhook_id"},
        by="admin",
        refusals=(no(UNKNOWN, webhook_id="nothing"), no(FORBIDDEN, "maria")),
    ),
)

REGISTRY_HOOK = {
    "id", "events", "status", "creation_timestamp", "last_updated_timestamp", "http_url_spec", "model_name",
    "description",
}  # fmt: skip
REGISTRY_HOOK_ID = {"id": "$registry_webhook_id"}
REGISTRY_WEBHOOKS = (
    Row(
        ("POST",),
        "registry-webhooks/create",
        {
            "events": ["MODEL_VERSION_CREATED"],
            "http_url_spec": {"url": "https://8.8.8.8/hook", "secret": "known to two", "authorization": "Bearer a"},
            "model_name": "told",
            "description": "Slack",
            "status": "TEST_MODE",
        },
        {"webhook": REGISTRY_HOOK},
        required=("events",),
        refusals=(
            no(INVALID, http_url_spec=None),
            no(INVALID, http_url_spec={"url": "http://8.8.8.8/hook"}),
            no(INVALID, http_url_spec={"url": "https://127.0.0.1/hook"}),
            no(INVALID, http_url_spec={"url": "https://8.8.8.8/", "secret": "short"}),
            no(INVALID, http_url_spec={"url": "https://8.8.8.8/", "authorization": "a\r\nb"}),
            no(INVALID, http_url_spec={"url": "https://8.8.8.8/", "enable_ssl_verification": False}),
            no(INVALID, job_spec={"job_id": "1", "access_token": "a"}),
            no(INVALID, events=["NOTHING"]),
            no(INVALID, events=["REGISTERED_MODEL_CREATED"]),
            no(INVALID, status="RESTING"),
            no(UNKNOWN, model_name="nothing"),
            no(FORBIDDEN, "jon"),
            no(FORBIDDEN, model_name=None),
        ),
    ),
    Row(
        ("GET",),
        "registry-webhooks/list",
        {"events": ["MODEL_VERSION_CREATED"], "model_name": "told", "max_results": 10},
        {"webhooks": REGISTRY_HOOK},
        refusals=(
            no(INVALID, max_results=1001),
            no(INVALID, page_token="nonsense"),
            no(UNKNOWN, model_name="nothing"),
            no(FORBIDDEN, "jon"),
        ),
    ),
    Row(
        ("PATCH",),
        "registry-webhooks/update",
        REGISTRY_HOOK_ID | {"status": "DISABLED", "http_url_spec": {"url": "https://8.8.8.8/other"}},
        {"webhook": REGISTRY_HOOK},
        required=("id",),
        refusals=(
            no(UNKNOWN, id="nothing"),
            no(UNKNOWN, id="$webhook_id"),
            no(INVALID, http_url_spec={"url": "https://[::1]/"}),
            no(INVALID, events=["NOTHING"]),
            no(INVALID, job_spec={"job_id": "1"}),
            no(FORBIDDEN, "jon"),
        ),
    ),
    Row(
        ("POST",),
        "registry-webhooks/test",
        REGISTRY_HOOK_ID | {"event": "COMMENT_CREATED"},
        {"body": None},
        required=("id",),
        refusals=(no(UNKNOWN, id="nothing"), no(INVALID, event="NOTHING"), no(FORBIDDEN, "jon")),
    ),
    Row(
        ("DELETE",),
        "registry-webhooks/delete",
        REGISTRY_HOOK_ID,
        required=("id",),
        refusals=(no(UNKNOWN, id="nothing"), no(UNKNOWN, id="$webhook_id"), no(FORBIDDEN, "jon")),
    ),
)

ACTIVITIES = (
    Row(
        ("GET",),
        "activities/list",
        {"name": "told", "version": "1", "max_results": 1},
        {
            "activities": {
                "id",
                "activity_type",
                "user_id",
                "creation_timestamp",
                "last_updated_timestamp",
                "comment",
            },
            "next_page_token": None,
        },
        required=("name",),
        refusals=(
            no(UNKNOWN, name="nothing"),
            no(INVALID, version="one"),
            no(INVALID, max_results=0),
            no(INVALID, max_results=501),
            no(INVALID, page_token="not a token"),
        ),
    ),
)

ON_EXPERIMENT = {"experiment_id": "$experiment_id", "username": "jon", "permission": "EDIT"}
ON_MODEL = {"name": "churn", "username": "jon", "permission": "EDIT"}
HELD_ON_EXPERIMENT = {"experiment_permission": {"experiment_id", "user_id", "permission"}}
HELD_ON_MODEL = {"registered_model_permission": {"name", "user_id", "permission"}}

PERMISSIONS = (
    Row(
        ("GET",),
        "experiments/permissions/get",
        {"experiment_id": "$experiment_id", "username": "maria"},
        HELD_ON_EXPERIMENT,
        required=("experiment_id", "username"),
        refusals=(no(UNKNOWN, username="jon"), no(UNKNOWN, experiment_id="4711"), no(INVALID, experiment_id="fraud")),
    ),
    *(
        Row(
            (method,),
            f"experiments/permissions/{verb}",
            ON_EXPERIMENT,
            HELD_ON_EXPERIMENT,
            required=("experiment_id", "username", "permission"),
            refusals=(
                no(UNKNOWN, username="nobody"),
                no(UNKNOWN, experiment_id="4711"),
                no(INVALID, permission="USE"),
                no(INVALID, permission="NO_PERMISSIONS"),
                no(CONFLICT, username="maria"),
                no(FORBIDDEN, "eve"),
            ),
        )
        for method, verb in (("POST", "create"), ("PATCH", "update"))
    ),
    Row(
        ("DELETE",),
        "experiments/permissions/delete",
        {"experiment_id": "$experiment_id", "username": "jon"},
        required=("experiment_id", "username"),
        refusals=(no(UNKNOWN, username="nobody"), no(CONFLICT, username="maria"), no(FORBIDDEN, "eve")),
    ),
    Row(
        ("GET",),
        "registered-models/permissions/get",
        {"name": "churn", "username": "maria"},
        HELD_ON_MODEL,
        required=("name", "username"),
        refusals=(no(UNKNOWN, username="jon"), no(UNKNOWN, name="nothing")),
    ),
    *(
        Row(
            (method,),
            f"registered-models/permissions/{verb}",
            ON_MODEL,
            HELD_ON_MODEL,
            required=("name", "username", "permission"),
            refusals=(
                no(UNKNOWN, username="nobody"),
                no(UNKNOWN, name="nothing"),
                no(INVALID, permission="USE"),
                no(INVALID, permission="NO_PERMISSIONS"),
                no(CONFLICT, username="maria"),
                no(FORBIDDEN, "eve"),
            ),
        )
        for method, verb in (("POST", "create"), ("PATCH", "update"))
    ),
    Row(
        ("DELETE",),
        "registered-models/permissions/delete",
        {"name": "churn", "username": "jon"},
        required=("name", "username"),
        refusals=(no(UNKNOWN, username="nobody"), no(CONFLICT, username="maria"), no(FORBIDDEN, "eve")),
    ),
)

ACCESS = {
    "object_id": None,
    "object_type": None,
    "access_control_list": {"user_name", "display_name", "all_permissions"},
}
HELD = [
    {"user_name": "maria", "permission_level": "CAN_MANAGE"},
    {"service_principal_name": "jon", "permission_level": "CAN_EDIT"},
]
DATABRICKS = (
    Row(
        ("GET",),
        "databricks/registered-models/get",
        {"name": "churn"},
        {"registered_model_databricks": {*MODEL, "id", "permission_level", "user_id"}},
        required=("name",),
        refusals=(no(UNKNOWN, name="nothing"),),
    ),
    Row(
        ("GET",),
        "model-versions/list-artifacts",
        {"name": "churn", "version": "1"},
        {"files": FILE},
        required=("name", "version"),
        refusals=(
            no(UNKNOWN, name="nothing"),
            no(UNKNOWN, version="9"),
            no(INVALID, version="one"),
            no(INVALID, path="../model"),
            no(INVALID, page_token="not a token"),
        ),
    ),
    Row(
        ("GET",),
        "model-versions/get-signed-download-uri",
        {"name": "churn", "version": "1", "path": "MLmodel"},
        {"signed_uri": None, "headers": None},
        required=("name", "version", "path"),
        refusals=(
            no(UNKNOWN, name="nothing"),
            no(UNKNOWN, version="9"),
            no(UNKNOWN, path="nothing"),
            no(INVALID, version="one"),
            no(INVALID, path="../model/MLmodel"),
        ),
    ),
    Row(
        ("GET",),
        "model-versions/signed/<str:signature>/<str:name>/<str:version>/<path:path>",
        {"signature": "$signature", "name": "churn", "version": "1", "path": "MLmodel"},
        b"flavors: {}",
        roots=("/api/2.0/mlflow/",),
        refusals=(
            no(UNKNOWN, signature="nothing"),
            no(UNKNOWN, name="told"),
            no(UNKNOWN, version="2"),
            no(UNKNOWN, path="model.pkl"),
        ),
    ),
    Row(
        ("GET",),
        "preview/scim/v2/Me",
        {},
        {"id": None, "userName": None, "displayName": None, "active": None, "emails": {"value", "primary"}},
        roots=API,
    ),
    *(
        row
        for path, known, unknown in (
            ("permissions/registered-models/<str:object_id>", "$registered_model_id", "0" * 32),
            ("permissions/experiments/<str:object_id>", "$experiment_id", "4711"),
        )
        for row in (
            Row(
                ("GET",),
                path,
                {"object_id": known},
                ACCESS,
                roots=API,
                refusals=(no(UNKNOWN, object_id=unknown),),
            ),
            Row(
                ("PUT", "PATCH"),
                path,
                {"object_id": known, "access_control_list": HELD},
                ACCESS,
                roots=API,
                refusals=(
                    no(UNKNOWN, object_id=unknown),
                    no(UNKNOWN, access_control_list=[*HELD, {"group_name": "none", "permission_level": "CAN_READ"}]),
                    no(UNKNOWN, access_control_list=[*HELD, {"user_name": "nobody", "permission_level": "CAN_READ"}]),
                    no(INVALID, access_control_list=[*HELD, {"user_name": "jon", "permission_level": "IS_OWNER"}]),
                    no(INVALID, access_control_list=[*HELD, {"permission_level": "CAN_READ"}]),
                    no(INVALID, access_control_list=[*HELD, {"user_name": "jon"}]),
                    no(CONFLICT, access_control_list=[{"user_name": "maria", "permission_level": "CAN_EDIT"}]),
                    no(FORBIDDEN, "eve"),
                ),
            ),
            Row(
                ("GET",),
                f"{path}/permissionLevels",
                {"object_id": known},
                {"permission_levels": {"permission_level", "description"}},
                roots=API,
                refusals=(no(UNKNOWN, object_id=unknown),),
            ),
        )
    ),
)

ON_TOLD = {"name": "told", "version": "1"}
ACTIVITY = {
    "id", "activity_type", "user_id", "creation_timestamp", "last_updated_timestamp", "from_stage", "to_stage",
    "comment",
}  # fmt: skip
COMMENT = {
    "comment": {
        "id",
        "comment",
        "user_id",
        "creation_timestamp",
        "last_updated_timestamp",
        "available_actions",
    }
}
OPEN_REQUEST = ACTIVITY | {"available_actions"}
NO_SUCH_MOVE = (
    no(UNKNOWN, name="nothing"),
    no(UNKNOWN, version="9"),
    no(INVALID, version="one"),
    no(INVALID, stage="Testing"),
)
TRANSITION_REQUESTS = (
    Row(
        ("POST",),
        "transition-requests/create",
        ON_TOLD | {"stage": "Archived", "comment": "is old"},
        {"request": {"to_stage", "user_id", "creation_timestamp", "comment", "available_actions"}},
        required=("name", "version", "stage"),
        refusals=(
            *NO_SUCH_MOVE,
            no(INVALID, stage="None"),
            no(EXISTS, stage="Staging"),
            no(INVALID, comment="x" * 65_536),
        ),
    ),
    Row(
        ("GET",),
        "transition-requests/list",
        ON_TOLD,
        {"requests": OPEN_REQUEST},
        required=("name", "version"),
        refusals=(no(UNKNOWN, name="nothing"), no(UNKNOWN, version="9"), no(INVALID, version="one")),
    ),
    Row(
        ("POST",),
        "transition-requests/approve",
        ON_TOLD | {"stage": "staging", "archive_existing_versions": True, "comment": "go"},
        {"activity": ACTIVITY},
        required=("name", "version", "stage", "archive_existing_versions"),
        refusals=(*NO_SUCH_MOVE, no(UNKNOWN, stage="Archived"), no(FORBIDDEN, "eve")),
    ),
    Row(
        ("POST",),
        "transition-requests/reject",
        ON_TOLD | {"stage": "Staging", "comment": "not yet"},
        {"activity": ACTIVITY},
        required=("name", "version", "stage"),
        refusals=(*NO_SUCH_MOVE, no(UNKNOWN, stage="Archived"), no(INVALID, comment=" "), no(FORBIDDEN, "eve")),
    ),
    Row(
        ("DELETE",),
        "transition-requests/delete",
        ON_TOLD | {"stage": "Staging", "creator": "maria", "comment": "asked too early"},
        {"activity": ACTIVITY},
        required=("name", "version", "stage", "creator"),
        refusals=(*NO_SUCH_MOVE, no(UNKNOWN, creator="jon"), no(FORBIDDEN, "eve")),
    ),
    Row(
        ("POST",),
        "databricks/model-versions/transition-stage",
        ON_TOLD | {"stage": "Staging", "archive_existing_versions": False, "comment": "go"},
        {"model_version_databricks": {*BARE_VERSION, "permission_level", "open_requests"}},
        required=("name", "version", "stage", "archive_existing_versions"),
        refusals=(
            *NO_SUCH_MOVE,
            no(INVALID, stage="Archived", archive_existing_versions=True),
            no(FORBIDDEN, "eve"),
        ),
    ),
    Row(
        ("POST",),
        "comments/create",
        ON_TOLD | {"comment": "Half the size."},
        COMMENT,
        required=("name", "version", "comment"),
        refusals=(no(UNKNOWN, name="nothing"), no(UNKNOWN, version="9"), no(INVALID, comment="x" * 65_536)),
    ),
    Row(
        ("PATCH", "POST"),
        "comments/update",
        {"id": "$comment_id", "comment": "A third of the size."},
        COMMENT,
        required=("id", "comment"),
        refusals=(no(UNKNOWN, id="4711"), no(UNKNOWN, id="x"), no(FORBIDDEN, "jon")),
    ),
    Row(
        ("DELETE",),
        "comments/delete",
        {"id": "$comment_id"},
        {},
        required=("id",),
        refusals=(no(UNKNOWN, id="4711"), no(UNKNOWN, id="x"), no(FORBIDDEN, "jon")),
    ),
)

TABLE = (
    *SYSTEM,
    *EXPERIMENTS,
    *RUNS,
    *LOGGED_MODELS,
    *REGISTERED_MODELS,
    *MODEL_VERSIONS,
    *PROXY,
    *USERS,
    *WEBHOOKS,
    *REGISTRY_WEBHOOKS,
    *ACTIVITIES,
    *PERMISSIONS,
    *DATABRICKS,
    *TRANSITION_REQUESTS,
)
