"""The same contents for the tables of both servers, in SQL that PostgreSQL and SQLite read alike."""

from collections.abc import Iterator

from benchmarks.databases import insert
from benchmarks.sizes import EXPERIMENTS, HISTORY, KEYS, POINTS, START, TEAMS, VERSIONS, Size

_MODEL = "'model-' || substr(CAST(1000000 + i AS TEXT), 2)"
_RUN = "'0123456789abcdef01234567' || substr(CAST(100000000 + i AS TEXT), 2)"
_EXPERIMENT = f"1001 + (i - 1) % {EXPERIMENTS}"
_STAGE = "CASE v WHEN 4 THEN 'Staging' WHEN 3 THEN 'Production' WHEN 5 THEN 'None' ELSE 'Archived' END"
_VALUE = f"(i * 7919 + k) % 10007 / 10007.0 + {POINTS} - p"  # its last point is between 0 and 1
_HISTORY_VALUE = "1.0 / i"


def podium(size: Size) -> Iterator[str]:
    """Statements that fill Podium's tables, as its migrations leave them."""
    yield from _numbers(size)
    yield insert(
        "tracking_experiment",
        [
            "id = 1000 + i",
            "name = 'experiment-' || i",
            "artifact_location = 'mlflow-artifacts:/' || (1000 + i)",
            "lifecycle_stage = 'active'",
            f"creation_time = {START} + i",
            f"last_update_time = {START} + i",
        ],
        f"FROM numbers WHERE i <= {EXPERIMENTS}",
    )
    yield insert(
        "tracking_run",
        [
            f"run_id = {_RUN}",
            f"experiment_id = {_EXPERIMENT}",
            "run_name = 'run-' || i",
            "user_id = 'maria'",
            "status = 'FINISHED'",
            f"start_time = {START} + i * 1000",
            f"end_time = {START} + i * 1000 + 500",
            f"artifact_uri = 'mlflow-artifacts:/' || ({_EXPERIMENT}) || '/' || {_RUN} || '/artifacts'",
            "lifecycle_stage = 'active'",
        ],
        f"FROM numbers WHERE i <= {size.runs} ORDER BY i",
    )
    runs = "(SELECT id AS run_id, CAST(substr(run_id, 25) AS INTEGER) AS i FROM tracking_run) AS runs"
    keys = f"(SELECT i AS k FROM numbers WHERE i <= {KEYS}) AS keys"
    points = f"(SELECT i AS p FROM numbers WHERE i <= {POINTS}) AS points"
    metric = ["run_id", "key = 'metric_' || k", f"value = {_VALUE}", "is_nan = false", f"timestamp = {START} + p"]
    yield insert("tracking_metric", [*metric, "step = p"], f"FROM {runs}, {keys}, {points}")
    yield insert(
        "tracking_latestmetric",
        [*metric, "step = p"],
        f"FROM {runs}, {keys}, (SELECT {POINTS} AS p) AS points",
    )
    first = "(SELECT run_id AS number, id AS run_id FROM tracking_run) AS runs"
    history = ["run_id", "key = 'history'", f"value = {_HISTORY_VALUE}", "is_nan = false", f"timestamp = {START} + i"]
    of_first = f"number = '0123456789abcdef0123456700000001' AND i <= {HISTORY}"
    yield insert("tracking_metric", [*history, "step = i"], f"FROM {first}, numbers WHERE {of_first}")
    yield insert(
        "tracking_latestmetric", [*history, "step = i"], f"FROM {first}, numbers WHERE {of_first} AND i = {HISTORY}"
    )
    yield insert("tracking_param", ["run_id", "key = 'param_' || k", "value = 'value-' || i"], f"FROM {runs}, {keys}")
    yield insert("tracking_runtag", ["run_id", "key = 'mlflow.runName'", "value = 'run-' || i"], f"FROM {runs}")
    yield insert("tracking_runtag", ["run_id", "key = 'mlflow.user'", "value = 'maria'"], f"FROM {runs}")
    yield insert(
        "registry_registeredmodel",
        [
            f"name = {_MODEL}",
            "description = 'A model of the benchmark.'",
            f"creation_timestamp = {START} + i",
            f"last_updated_timestamp = {START} + i",
            "is_prompt = false",
            f"last_version = {VERSIONS}",
            "last_request_number = 0",
        ],
        f"FROM numbers WHERE i <= {size.models} ORDER BY i",
    )
    models = "(SELECT id AS model_id, CAST(substr(name, 7) AS INTEGER) AS i FROM registry_registeredmodel) AS models"
    versions = f"(SELECT i AS v FROM numbers WHERE i <= {VERSIONS}) AS versions"
    run = _RUN.replace("+ i", f"+ {_run_of_version(size)}")
    experiment = _EXPERIMENT.replace("i -", f"{_run_of_version(size)} -")
    source = f"'mlflow-artifacts:/' || ({experiment}) || '/' || {run} || '/artifacts/model'"
    yield insert(
        "registry_modelversion",
        [
            "registered_model_id = model_id",
            "version = v",
            f"current_stage = {_STAGE}",
            "is_sole_occupant = (v = 3)",
            "description = 'A version of the benchmark.'",
            f"source = {source}",
            f"storage_location = {source}",
            f"run_id = {run}",
            "run_link = ''",
            "model_id = ''",
            "user_id = 'maria'",
            f"creation_timestamp = {START} + i * 10 + v",
            f"last_updated_timestamp = {START} + i * 10 + v",
        ],
        f"FROM {models}, {versions} ORDER BY i, v",
    )
    yield insert(
        "registry_tag",
        ["registered_model_id = model_id", "key = 'team'", f"value = 'team-' || (i % {TEAMS})"],
        f"FROM {models}",
    )
    yield insert(
        "registry_tag", ["registered_model_id = model_id", "key = 'task'", "value = 'churn'"], f"FROM {models}"
    )
    yield insert(
        "registry_tag",
        ["model_version_id = id", "key = 'framework'", "value = 'sklearn'"],
        "FROM registry_modelversion",
    )
    yield insert(
        "registry_alias",
        ["registered_model_id", "alias = 'champion'", "model_version_id = id"],
        "FROM registry_modelversion WHERE version = 3",
    )
    for grants in ("registry_grant", "tracking_experimentgrant"):  # so that one user may do all that is measured
        yield insert(grants, ["user_id = id", "level = 5"], "FROM accounts_user WHERE username = 'maria'")


def mlflow(size: Size) -> Iterator[str]:
    """Statements that fill MLflow's tables, as `mlflow db upgrade` leaves them."""
    yield from _numbers(size)
    yield insert(
        "experiments",
        [
            "experiment_id = 1000 + i",
            "name = 'experiment-' || i",
            "artifact_location = 'mlflow-artifacts:/' || (1000 + i)",
            "lifecycle_stage = 'active'",
            f"creation_time = {START} + i",
            f"last_update_time = {START} + i",
        ],
        f"FROM numbers WHERE i <= {EXPERIMENTS}",
    )
    yield insert(
        "runs",
        [
            f"run_uuid = {_RUN}",
            f"experiment_id = {_EXPERIMENT}",
            "name = 'run-' || i",
            "source_type = 'UNKNOWN'",
            "source_name = ''",
            "entry_point_name = ''",
            "source_version = ''",
            "user_id = 'maria'",
            "status = 'FINISHED'",
            f"start_time = {START} + i * 1000",
            f"end_time = {START} + i * 1000 + 500",
            f"artifact_uri = 'mlflow-artifacts:/' || ({_EXPERIMENT}) || '/' || {_RUN} || '/artifacts'",
            "lifecycle_stage = 'active'",
        ],
        f"FROM numbers WHERE i <= {size.runs} ORDER BY i",
    )
    runs = f"(SELECT i FROM numbers WHERE i <= {size.runs}) AS runs"
    keys = f"(SELECT i AS k FROM numbers WHERE i <= {KEYS}) AS keys"
    points = f"(SELECT i AS p FROM numbers WHERE i <= {POINTS}) AS points"
    metric = [
        f"run_uuid = {_RUN}",
        "key = 'metric_' || k",
        f"value = {_VALUE}",
        "is_nan = false",
        f"timestamp = {START} + p",
        "step = p",
    ]
    yield insert("metrics", metric, f"FROM {runs}, {keys}, {points}")
    yield insert("latest_metrics", metric, f"FROM {runs}, {keys}, (SELECT {POINTS} AS p) AS points")
    history = [
        "run_uuid = '0123456789abcdef0123456700000001'",
        "key = 'history'",
        f"value = {_HISTORY_VALUE}",
        "is_nan = false",
        f"timestamp = {START} + i",
        "step = i",
    ]
    yield insert("metrics", history, f"FROM numbers WHERE i <= {HISTORY}")
    yield insert("latest_metrics", history, f"FROM numbers WHERE i = {HISTORY}")
    yield insert(
        "params", [f"run_uuid = {_RUN}", "key = 'param_' || k", "value = 'value-' || i"], f"FROM {runs}, {keys}"
    )
    yield insert("tags", [f"run_uuid = {_RUN}", "key = 'mlflow.runName'", "value = 'run-' || i"], f"FROM {runs}")
    yield insert("tags", [f"run_uuid = {_RUN}", "key = 'mlflow.user'", "value = 'maria'"], f"FROM {runs}")
    models = f"(SELECT i FROM numbers WHERE i <= {size.models}) AS models"
    versions = f"(SELECT i AS v FROM numbers WHERE i <= {VERSIONS}) AS versions"
    yield insert(
        "registered_models",
        [
            f"name = {_MODEL}",
            "description = 'A model of the benchmark.'",
            f"creation_time = {START} + i",
            f"last_updated_time = {START} + i",
        ],
        f"FROM {models} ORDER BY i",
    )
    run = _RUN.replace("+ i", f"+ {_run_of_version(size)}")
    experiment = _EXPERIMENT.replace("i -", f"{_run_of_version(size)} -")
    source = f"'mlflow-artifacts:/' || ({experiment}) || '/' || {run} || '/artifacts/model'"
    yield insert(
        "model_versions",
        [
            f"name = {_MODEL}",
            "version = v",
            f"current_stage = {_STAGE}",
            "description = 'A version of the benchmark.'",
            f"source = {source}",
            f"storage_location = {source}",
            f"run_id = {run}",
            "status = 'READY'",
            "user_id = 'maria'",
            f"creation_time = {START} + i * 10 + v",
            f"last_updated_time = {START} + i * 10 + v",
        ],
        f"FROM {models}, {versions} ORDER BY i, v",
    )
    yield insert(
        "registered_model_tags",
        [f"name = {_MODEL}", "key = 'team'", f"value = 'team-' || (i % {TEAMS})"],
        f"FROM {models}",
    )
    yield insert("registered_model_tags", [f"name = {_MODEL}", "key = 'task'", "value = 'churn'"], f"FROM {models}")
    yield insert(
        "model_version_tags",
        ["name", "version", "key = 'framework'", "value = 'sklearn'"],
        "FROM model_versions",
    )
    yield insert(
        "registered_model_aliases", [f"name = {_MODEL}", "alias = 'champion'", "version = 3"], f"FROM {models}"
    )


def _numbers(size: Size) -> Iterator[str]:
    most = max(size.models, size.runs, HISTORY)
    yield "CREATE TEMPORARY TABLE numbers (i BIGINT PRIMARY KEY)"
    yield (
        "INSERT INTO numbers WITH RECURSIVE counted(i) AS "
        f"(SELECT 1 UNION ALL SELECT i + 1 FROM counted WHERE i < {most}) SELECT i FROM counted"
    )


def _run_of_version(size: Size) -> str:
    """The number of the run that version `v` of model `i` was made of."""
    return f"(1 + (i * {VERSIONS} + v) % {size.runs})"
