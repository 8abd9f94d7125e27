"""The filter language as queries: what rows the tables of fields find, in which order, and page by page."""

import json
import re
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model, Q
from hypothesis import given
from hypothesis import strategies as st

from registry_site.core.errors import InvalidParameter
from registry_site.registry.fields import MODEL_VERSIONS, REGISTERED_MODELS
from registry_site.registry.models import ModelVersion, RegisteredModel, Tag
from registry_site.search.compile import compile_filter, compile_order, compile_words
from registry_site.search.fields import FieldTable
from registry_site.search.lookups import as_regex
from registry_site.search.parser import Ordering, parse_filter, parse_order_by
from registry_site.tracking.fields import EXPERIMENTS, LOGGED_MODELS, RUNS
from registry_site.tracking.models import (
    Dataset,
    DatasetInput,
    Experiment,
    ExperimentTag,
    LatestMetric,
    LoggedModel,
    LoggedModelMetric,
    LoggedModelParam,
    LoggedModelTag,
    Param,
    Run,
    RunTag,
)
from tests.effort import little_effort

TABLES = {
    "experiments": (EXPERIMENTS, Experiment),
    "runs": (RUNS, Run),
    "logged models": (LOGGED_MODELS, LoggedModel),
    "registered models": (REGISTERED_MODELS, RegisteredModel),
    "model versions": (MODEL_VERSIONS, ModelVersion),
}


def make_experiment(name: str, created: int = 0, **tags: str) -> Experiment:
    experiment = Experiment.objects.create(name=name, creation_time=created, last_update_time=created)
    for key, value in tags.items():
        ExperimentTag.objects.create(experiment=experiment, key=key, value=value)
    return experiment


def make_run(
    experiment: Experiment,
    run_id: str,
    *,
    metrics: dict[str, float] | None = None,
    params: dict[str, str] | None = None,
    tags: dict[str, str] | None = None,
    **columns: Any,
) -> Run:
    run = Run.objects.create(experiment=experiment, run_id=run_id, **columns)
    for key, value in (metrics or {}).items():
        is_nan = value != value
        LatestMetric.objects.create(run=run, key=key, value=0 if is_nan else value, is_nan=is_nan, timestamp=1)
    Param.objects.bulk_create(Param(run=run, key=key, value=value) for key, value in (params or {}).items())
    RunTag.objects.bulk_create(RunTag(run=run, key=key, value=value) for key, value in (tags or {}).items())
    return run


def make_version(model: RegisteredModel, number: int, **columns: Any) -> ModelVersion:
    return ModelVersion.objects.create(
        registered_model=model,
        version=number,
        creation_timestamp=number,
        last_updated_timestamp=number,
        **columns,
    )


def make_model(name: str, **tags: str) -> RegisteredModel:
    model = RegisteredModel.objects.create(name=name, creation_timestamp=0, last_updated_timestamp=0)
    Tag.objects.bulk_create(Tag(registered_model=model, key=key, value=value) for key, value in tags.items())
    return model


def found_runs(text: str) -> set[str]:
    return set(Run.objects.filter(compile_filter(parse_filter(text), RUNS)).values_list("run_id", flat=True))


def found_names(model: type[Model], table: FieldTable, text: str) -> set[str]:
    rows = model._default_manager.filter(compile_filter(parse_filter(text), table))
    return set(rows.values_list(table.attributes["name"].column, flat=True))


@pytest.fixture
def three_runs(db: None) -> Experiment:
    """a: good, b: diverged, c: has nothing but its name."""
    experiment = make_experiment("training")
    make_run(
        experiment,
        "a",
        run_name="Bert_base",
        user_id="maria",
        status="FINISHED",
        start_time=100,
        end_time=200,
        artifact_uri="s3://bucket/a",
        metrics={"auc": 0.9, "loss": 0.25},
        params={"lr": "0.01", "a b": "x"},
        tags={"team": "Risk", "mlflow.user": "maria"},
    )
    run_b = make_run(
        experiment,
        "b",
        run_name="bert-large",
        user_id="jon",
        status="RUNNING",
        start_time=300,
        metrics={"auc": 0.7, "loss": float("nan")},
        params={"lr": "0.1"},
        tags={"team": "fraud"},
    )
    make_run(experiment, "c", run_name="50% [x]*?", start_time=200)
    dataset = Dataset.objects.create(experiment=experiment, name="loans", digest="d1")
    DatasetInput.objects.create(run=run_b, dataset=dataset, context="train")
    return experiment


@pytest.mark.parametrize(
    ("text", "run_ids"),
    [
        ("", "abc"),
        ("run_id = 'a'", "a"),
        ("run_id != 'a'", "bc"),
        ("attributes.run_id IN ('a', 'c', 'z')", "ac"),
        ("attr.run_id NOT IN ('a')", "bc"),
        ("run.status = 'RUNNING'", "bc"),
        ("attribute.status != 'FINISHED'", "bc"),
        ("user_id = 'maria'", "a"),
        ("artifact_uri LIKE 's3://%'", "a"),
        ("`run name` = 'bert-large'", "b"),
        ("Run Name ILIKE 'BERT%'", "ab"),
        ("run_name LIKE 'bert%'", "b"),
        ("run_name LIKE 'Bert_base'", "a"),
        ("run_name LIKE '%BASE'", ""),
        ("run_name ILIKE '%BASE'", "a"),
        ("run_name LIKE 'bert'", ""),
        ("run_name LIKE '%[x]*?'", "c"),
        ("run_name LIKE '_0%'", "c"),
        ("run_name ILIKE '%[X]*?'", "c"),
        ("start_time > 100", "bc"),
        ("created >= 200", "bc"),
        ("start_time = 300", "b"),
        ("start_time < 300 AND start_time > 100", "c"),
        ("start_time > 199.5", "bc"),
        ("start_time >= 199.5", "bc"),
        ("start_time < 200.5", "ac"),
        ("start_time <= 200.5", "ac"),
        ("end_time <= 200", "a"),
        ("end_time != 1", "a"),
        ("metrics.auc > 0.8", "a"),
        ("metric.auc != 0.9", "b"),
        ("metrics.auc >= 0.7 AND metrics.auc < 0.9", "b"),
        ("metrics.loss > -1", "a"),
        ("metrics.loss < 1e300", "a"),
        ("metrics.loss = 0", ""),
        ("metrics.loss != 0", "ab"),
        ("metrics.loss != 0.25", "b"),
        ("metrics.loss = NaN", "b"),
        ("metrics.loss != NaN", "a"),
        ("metrics.loss < inf", "a"),
        ("params.lr = '0.01'", "a"),
        ("param.lr != '0.01'", "b"),
        ("parameters.`a b` = 'x'", "a"),
        ("parameter.lr LIKE '0.%'", "ab"),
        ("params.lr IS NULL", "c"),
        ("params.lr IS NOT NULL", "ab"),
        ("tags.team = 'Risk'", "a"),
        ("tags.team = 'risk'", ""),
        ("tag.team ILIKE 'RISK'", "a"),
        ("tags.team != 'Risk'", "b"),
        ("tags.team IS NULL", "c"),
        ("tags.team = 'Risk' AND tags.mlflow.user = 'maria'", "a"),
        ("tags.team = 'fraud' AND tags.mlflow.user = 'maria'", ""),
        ("datasets.name = 'loans'", "b"),
        ("dataset.digest LIKE 'd%'", "b"),
        ("dataset.context IN ('train', 'test')", "b"),
        ("dataset.name != 'loans'", ""),
        ("run_id = '''; DROP TABLE tracking_run; --'", ""),
    ],
)
def test_runs_are_found(three_runs: Experiment, text: str, run_ids: str) -> None:
    assert found_runs(text) == set(run_ids)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("name = 'alpha'", {"alpha"}),
        ("name != 'alpha'", {"Beta"}),
        ("attribute.name ILIKE 'b%'", {"Beta"}),
        ("experiment_id = '{alpha}'", {"alpha"}),
        ("experiment_id != '{alpha}'", {"Beta"}),
        ("experiment_id IN ('{alpha}', '{beta}')", {"alpha", "Beta"}),
        ("experiment_id NOT IN ('{alpha}')", {"Beta"}),
        ("creation_time >= 20", {"Beta"}),
        ("last_update_time < 20", {"alpha"}),
        ("tags.team = 'risk'", {"alpha"}),
        ("tag.team IS NULL", {"Beta"}),
        ("tags.team IS NOT NULL", {"alpha"}),
    ],
)
@pytest.mark.django_db
def test_experiments_are_found(text: str, names: set[str]) -> None:
    Experiment.objects.all().delete()
    alpha, beta = make_experiment("alpha", 10, team="risk"), make_experiment("Beta", 20)
    assert found_names(Experiment, EXPERIMENTS, text.format(alpha=alpha.pk, beta=beta.pk)) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("name = 'fraud'", {"fraud"}),
        ("attribute.name LIKE 'F%'", {"Fraud-2"}),
        ("name ILIKE 'F%'", {"fraud", "Fraud-2"}),
        ("name IN ('fraud', 'churn')", {"fraud", "churn"}),
        ("name NOT IN ('fraud')", {"Fraud-2", "churn"}),
        ("tags.team = 'risk'", {"fraud"}),
        ("tag.team != 'risk'", {"churn"}),
        ("tags.team IS NULL", {"Fraud-2"}),
        ("tags.team = 'risk' AND name = 'churn'", set()),
    ],
)
@pytest.mark.django_db
def test_registered_models_are_found(text: str, names: set[str]) -> None:
    make_model("fraud", team="risk")
    make_model("Fraud-2")
    make_model("churn", team="sales")
    assert found_names(RegisteredModel, REGISTERED_MODELS, text) == names


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("name = 'fraud'", {1, 2, 3}),
        ("name != 'fraud'", set()),
        ("version_number = 2", {2}),
        ("version_number = '2'", {2}),
        ("version_number > 1", {2, 3}),
        ("version_number != '1'", {2, 3}),
        ("version_number < 9223372036854775807", {1, 2, 3}),
        ("run_id = 'r2'", {2}),
        ("run_id IN ('r1', 'r2')", {1, 2}),
        ("source_path LIKE 's3://%/1'", {1}),
        ("name='fraud' AND source='s3://bucket/2' AND run_id='r2'", {2}),  # as ZenML asks
        ("tags.checked = 'yes'", {3}),
    ],
)
@pytest.mark.django_db
def test_model_versions_are_found(text: str, numbers: set[int]) -> None:
    model = make_model("fraud", checked="yes")
    for number in (1, 2, 3):
        version = make_version(model, number, run_id=f"r{number}", source=f"s3://bucket/{number}")
    Tag.objects.create(model_version=version, key="checked", value="yes")
    found = ModelVersion.objects.filter(compile_filter(parse_filter(text), MODEL_VERSIONS))
    assert set(found.values_list("version", flat=True)) == numbers


def make_logged_model(experiment: Experiment, model_id: str, **columns: Any) -> LoggedModel:
    return LoggedModel.objects.create(
        experiment=experiment, model_id=model_id, creation_timestamp=1, last_updated_timestamp=1, **columns
    )


def measure(model: LoggedModel, run: Run, value: float, dataset: str, timestamp: int) -> None:
    LoggedModelMetric.objects.create(
        logged_model=model, run=run, key="auc", value=value, dataset_name=dataset, timestamp=timestamp
    )


@pytest.fixture
def two_logged_models(three_runs: Experiment) -> Experiment:
    """m-1 was measured on two datasets, first better and later worse; m-2 once, and comes from no run."""
    run = Run.objects.get(run_id="a")
    first = make_logged_model(three_runs, "m-1", name="one", source_run=run, status="LOGGED_MODEL_READY")
    second = make_logged_model(three_runs, "m-2", name="two")
    measure(first, run, 0.9, "train", 1)
    measure(first, run, 0.6, "test", 2)
    measure(second, run, 0.7, "test", 1)
    LoggedModelParam.objects.create(logged_model=first, key="depth", value="3")
    LoggedModelTag.objects.create(logged_model=second, key="team", value="risk")
    return three_runs


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("model_id = 'm-1'", {"one"}),
        ("attributes.name IN ('two')", {"two"}),
        ("source_run_id = 'a'", {"one"}),
        ("source_run_id != 'b'", {"one"}),
        ("source_run_id NOT IN ('b')", {"one"}),
        ("status LIKE '%_READY'", {"one"}),
        ("creation_time >= 1 AND creation_timestamp < 2", {"one", "two"}),
        ("metrics.auc > 0.8", {"one"}),
        ("params.depth = '3'", {"one"}),
        ("tags.team NOT IN ('sales')", {"two"}),
    ],
)
def test_logged_models_are_found(two_logged_models: Experiment, text: str, names: set[str]) -> None:
    assert found_names(LoggedModel, LOGGED_MODELS, text) == names


def test_only_the_metrics_on_a_dataset_count_when_that_is_asked(two_logged_models: Experiment) -> None:
    q = compile_filter(parse_filter("metrics.auc > 0.65"), LOGGED_MODELS, only={"metrics": Q(dataset_name="test")})
    assert list(LoggedModel.objects.filter(q).values_list("name", flat=True)) == ["two"]


@pytest.mark.parametrize(
    ("noun", "text", "answer"),
    [
        (
            "registered models",
            "stage = 'Production'",
            "Invalid key 'stage': registered models are not filtered by it. Valid keys are name, tags.<key>.",
        ),
        (
            "registered models",
            "attributes.name = 'x'",
            "Invalid key 'attributes.name': registered models are not filtered by it. Valid keys are name, tags.<key>.",
        ),
        (
            "registered models",
            "last_updated_timestamp > 5",
            "Invalid key 'last_updated_timestamp': registered models are not filtered by it. "
            "Valid keys are name, tags.<key>.",
        ),
        (
            "model versions",
            "version = 1",
            "Invalid key 'version': model versions are not filtered by it. "
            "Valid keys are name, run_id, source_path, version_number, tags.<key>.",
        ),
        (
            "model versions",
            "version_number = 1.5",
            "Invalid value for 'version_number' at column 1; it is compared with a whole number.",
        ),
        (
            "model versions",
            "name = 'a' AND version_number = '1.5'",
            "Invalid value for 'version_number' at column 16; it is compared with a whole number.",
        ),
        (
            "model versions",
            "version_number IN ('1')",
            "Invalid operator IN for 'version_number' at column 1; valid operators are =, !=, >, >=, <, <=.",
        ),
        (
            "model versions",
            "source_path IN ('x')",
            "Invalid operator IN for 'source_path' at column 1; valid operators are =, !=, LIKE, ILIKE.",
        ),
        (
            "model versions",
            "version_number > 9223372036854775808",
            "The number for 'version_number' at column 1 is too large.",
        ),
        (
            "experiments",
            "experiment_id = '1x'",
            "Invalid value for 'experiment_id' at column 1; it is compared with a whole number in quotes.",
        ),
        (
            "experiments",
            "creation_time > '5'",
            "Invalid value for 'creation_time' at column 1; "
            "it is compared with milliseconds since 1970, a number without quotes.",
        ),
        (
            "experiments",
            "creation_time > inf",
            "Invalid value for 'creation_time' at column 1; "
            "it is compared with milliseconds since 1970, a number without quotes.",
        ),
        (
            "runs",
            "Name = 'x'",
            "Invalid key 'Name': runs are not filtered by it. "
            "Valid keys are run_id, run_name, user_id, status, "
            "artifact_uri, start_time, end_time, metrics.<key>, params.<key>, tags.<key>, datasets.name, "
            "datasets.digest, datasets.context.",
        ),
        (
            "runs",
            "params.lr > '5'",
            "Invalid operator > for 'params.lr' at column 1; "
            "valid operators are =, !=, LIKE, ILIKE, IS NULL, IS NOT NULL.",
        ),
        (
            "runs",
            "params.lr = 5",
            "Invalid value for 'params.lr' at column 1; it is compared with text in quotes.",
        ),
        (
            "runs",
            "metrics.auc = '5'",
            "Invalid value for 'metrics.auc' at column 1; it is compared with a number without quotes.",
        ),
        (
            "runs",
            "metrics.loss > NaN",
            "NaN is neither more nor less than a number: compare 'metrics.loss' with it by = or !=.",
        ),
        (
            "runs",
            "status IN ('RUNNING')",
            "Invalid operator IN for 'status' at column 1; valid operators are =, !=, LIKE, ILIKE.",
        ),
        (
            "logged models",
            "tag.team = 'risk'",
            "Invalid key 'tag.team': logged models are not filtered by it. "
            "Valid keys are name, model_id, model_type, status, source_run_id, creation_timestamp, "
            "last_updated_timestamp, metrics.<key>, params.<key>, tags.<key>.",
        ),
    ],
)
def test_a_filter_that_does_not_fit_is_answered_with_what_does(noun: str, text: str, answer: str) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        compile_filter(parse_filter(text), TABLES[noun][0])
    assert refusal.value.message == answer
    assert refusal.value.field == "filter"


@pytest.mark.parametrize(
    "text", ["dataset.owner = 'x'", "mlflow.user = 'x'", "experiment_id = '1'", "lifecycle_stage = 'x'"]
)
def test_what_runs_do_not_have_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameter, match="runs are not filtered by it"):
        compile_filter(parse_filter(text), RUNS)


@pytest.mark.parametrize(
    ("text", "run_ids"),
    [
        (" AND ".join(["tags.team != 'x'"] * 100), "ab"),
        (" AND ".join(["metrics.auc > 0.1"] * 100), "ab"),
        ("run_id IN ('a'" + ",'b'" * 2_400 + ")", "ab"),
        ("run_name ILIKE '" + "%ä" * 4_900 + "'", ""),
    ],
    ids=["tags", "metrics", "list", "pattern"],
)
def test_the_greatest_filters_are_answered_at_once(three_runs: Experiment, text: str, run_ids: str) -> None:
    with little_effort():
        assert found_runs(text) == set(run_ids)


# -- patterns ------------------------------------------------------------------------------------------------
PATTERN_NAMES = [
    "a",
    "A",
    "ab",
    "aXb",
    "a%b",
    "a_b",
    "a*b",
    "a?b",
    "[a]",
    "a\\b",
    "Käse",
    "KÄSE",
    "ﬁ",
    "a\nb",
    "",
    "ab" * 40,
]


def naive_match(pattern: str, text: str) -> bool:
    """LIKE by its definition."""
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(naive_match(pattern[1:], text[start:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in ("_", text[0]) and naive_match(pattern[1:], text[1:])


@pytest.mark.parametrize(
    "pattern",
    [
        "a",
        "%",
        "",
        "_",
        "a%",
        "%b",
        "a_b",
        "a%b",
        "a*b",
        "a?b",
        "[a]",
        "a\\b",
        "%ä%",
        "K_SE",
        "%%b%",
        "__",
        "ab%ab%b",
    ],
)
@pytest.mark.django_db
def test_patterns_match_alike_on_every_database(pattern: str) -> None:
    ExperimentTag.objects.all().delete()
    for name in PATTERN_NAMES:
        ExperimentTag.objects.create(experiment=make_experiment(name), key="name", value=name)
    like = ExperimentTag.objects.filter(value__like=pattern).values_list("value", flat=True)
    ilike = ExperimentTag.objects.filter(value__ilike=pattern).values_list("value", flat=True)
    assert set(like) == {name for name in PATTERN_NAMES if naive_match(pattern, name)}
    assert set(ilike) == {name for name in PATTERN_NAMES if naive_match(pattern.lower(), name.lower())}


@given(st.text(alphabet="aä%_.", max_size=8), st.text(alphabet="aäb.\n", max_size=8))
def test_the_regular_expression_of_a_pattern_matches_what_the_pattern_does(pattern: str, text: str) -> None:
    assert bool(re.search(as_regex(pattern), text)) == naive_match(pattern, text)


@pytest.mark.django_db
def test_words_are_found_anywhere_in_any_order_and_case() -> None:
    for name in ("credit-RISK", "Risk of credit", "credit", "50%_x", "Käse"):
        make_model(name)

    def found(*words: str) -> set[str]:
        return set(RegisteredModel.objects.filter(compile_words(words, "name")).values_list("name", flat=True))

    assert found("credit", "risk") == {"credit-RISK", "Risk of credit"}
    assert found("%_") == {"50%_x"}
    assert found("KÄ") == {"Käse"}
    assert len(found()) == 5


# -- order and pages -----------------------------------------------------------------------------------------
@pytest.fixture
def many_runs(db: None) -> list[str]:
    """Runs in which every term ties, is missing, or is not a number, in all combinations."""
    experiment = make_experiment("many")
    losses = (0.5, -1.0, float("inf"), float("nan"), None)
    for number, (loss, rate, end) in enumerate(product(losses, ("b", "a", None), (5, 7, None))):
        make_run(
            experiment,
            f"{number:02}",
            start_time=number % 2,
            end_time=end,
            metrics={} if loss is None else {"loss": loss},
            params={} if rate is None else {"rate": rate},
        )
    return [f"{number:02}" for number in range(45)]


def paged(items: list[str], size: int) -> list[str]:
    """The run ids page by page, each page found by the JSON of the key of the last row before it."""
    plan = compile_order(parse_order_by(items), RUNS, ["-start_time", "run_id"])
    rows = plan.apply(Run.objects.all())
    page = list(rows[:size])
    ids: list[str] = []
    while page:
        ids += [run.run_id for run in page]
        key = json.loads(json.dumps(plan.key_of(page[-1])))
        page = list(rows.filter(plan.after(key))[:size])
    return ids


def by_loss(values: dict[str, float | None], descending: bool) -> Callable[[str], tuple[int, float]]:
    def place(run_id: str) -> tuple[int, float]:
        value = values[run_id]
        if value is None:
            return 2, 0
        if value != value:
            return 1, 0
        return 0, -value if descending else value

    return place


@pytest.mark.parametrize("descending", [False, True])
def test_runs_without_a_metric_come_last_and_those_that_are_not_a_number_just_before(
    many_runs: list[str], descending: bool
) -> None:
    losses: dict[str, float | None] = dict.fromkeys(many_runs)
    losses.update(
        {metric.run.run_id: float("nan") if metric.is_nan else metric.value for metric in LatestMetric.objects.all()}
    )
    expected = sorted(
        sorted(many_runs, key=lambda run_id: (-(int(run_id) % 2), run_id)), key=by_loss(losses, descending)
    )
    assert paged([f"metrics.loss {'DESC' if descending else 'ASC'}"], size=100) == expected


@pytest.mark.parametrize("directions", list(product(["ASC", "DESC"], repeat=3)))
@pytest.mark.parametrize("size", [1, 7])
def test_pages_lose_no_run_and_repeat_none(many_runs: list[str], directions: tuple[str, ...], size: int) -> None:
    first, second, third = directions
    items = [f"end_time {first}", f"metrics.loss {second}", f"params.rate {third}"]
    ids = paged(items, size)
    assert sorted(ids) == many_runs
    assert ids == paged(items, size=100)


@pytest.mark.django_db
def test_the_longest_order_is_answered_at_once() -> None:
    experiment = make_experiment("tied")
    metrics = {f"m{number}": 0.5 for number in range(10)}
    run_ids = [make_run(experiment, f"{number:02}", metrics=metrics).run_id for number in range(12)]
    with little_effort():
        assert paged([f"metrics.m{number} DESC" for number in range(10)], size=4) == run_ids


def test_values_sort_in_both_directions_with_the_missing_ones_last(three_runs: Experiment) -> None:
    assert paged(["params.lr"], 10) == ["a", "b", "c"]
    assert paged(["params.lr DESC"], 10) == ["b", "a", "c"]
    assert paged(["tags.team ASC"], 10)[-1] == "c"
    assert paged(["end_time DESC"], 10) == ["a", "b", "c"]
    assert paged(["attributes.start_time ASC"], 10) == ["a", "c", "b"]
    assert paged([], 10) == ["b", "c", "a"]


@pytest.mark.django_db
def test_versions_page_by_the_name_of_their_model_without_asking_for_it(
    django_assert_num_queries: Any,
) -> None:
    for name in ("churn", "fraud"):
        model = make_model(name)
        for number in (1, 2):
            make_version(model, number)
    plan = compile_order(parse_order_by(["name DESC"]), MODEL_VERSIONS, ["registered_model__name", "-version"])
    rows = plan.apply(ModelVersion.objects.all())
    with django_assert_num_queries(1):
        keys = [plan.key_of(version) for version in rows]
    assert keys == [["fraud", 2], ["fraud", 1], ["churn", 2], ["churn", 1]]
    assert [plan.key_of(version) for version in rows.filter(plan.after(["fraud", 1]))] == keys[2:]


def test_logged_models_are_ordered_by_their_newest_measurement(two_logged_models: Experiment) -> None:
    def ordered(**only: str) -> list[str]:
        ordering = Ordering("metrics", "auc", descending=True, only=tuple(only.items()))
        plan = compile_order([ordering], LOGGED_MODELS, ["-creation_timestamp", "model_id"])
        return [model.name for model in plan.apply(LoggedModel.objects.all())]

    assert ordered() == ["two", "one"]
    assert ordered(dataset_name="train") == ["one", "two"]


@pytest.mark.parametrize(
    ("noun", "items", "answer"),
    [
        (
            "registered models",
            ["creation_timestamp"],
            "Invalid key 'creation_timestamp': registered models are not ordered by it. "
            "Valid keys are name, last_updated_timestamp.",
        ),
        (
            "registered models",
            ["tags.team"],
            "Invalid key 'tags.team': registered models are not ordered by it. "
            "Valid keys are name, last_updated_timestamp.",
        ),
        (
            "registered models",
            ["timestamp", "last_updated_timestamp DESC"],
            "order_by names 'last_updated_timestamp' twice; name each key once.",
        ),
        (
            "runs",
            ["metrics.loss", "metric.loss DESC"],
            "order_by names 'metric.loss' twice; name each key once.",
        ),
        (
            "model versions",
            ["run_id"],
            "Invalid key 'run_id': model versions are not ordered by it. "
            "Valid keys are name, version_number, creation_timestamp, last_updated_timestamp.",
        ),
    ],
)
def test_an_order_that_does_not_fit_is_answered_with_what_does(noun: str, items: list[str], answer: str) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        compile_order(parse_order_by(items), TABLES[noun][0], ["pk"])
    assert refusal.value.message == answer
    assert refusal.value.field == "order_by"


def test_a_key_of_another_order_is_refused() -> None:
    plan = compile_order(parse_order_by(["run_id"]), RUNS, [])
    with pytest.raises(InvalidParameter, match="it belongs to another order"):
        plan.after(["a", 1])


# -- the tables ----------------------------------------------------------------------------------------------
def nullable(model: type[Model], path: str) -> bool:
    first, _, rest = path.partition("__")
    column = model._meta.get_field(first)
    if rest and column.related_model is not None:
        return bool(column.null) or nullable(column.related_model, rest)
    return bool(column.null)


@pytest.mark.parametrize("noun", TABLES)
def test_the_tables_of_fields_say_what_the_models_say(noun: str) -> None:
    table, model = TABLES[noun]
    for attribute in table.attributes.values():
        assert nullable(model, attribute.column) == attribute.nullable, attribute.column
    for collection in table.collections.values():
        rows = apps.get_model(collection.model)
        assert rows._meta.get_field(collection.parent).related_model is model
        for column in collection.members.values() or (collection.value,):
            assert not nullable(rows, column)
