"""What searches may ask of experiments, runs and logged models."""

from registry_site.search.fields import (
    EQUALITY,
    LISTS,
    NUMBER_OPERATORS,
    PRESENCE,
    TEXT_OPERATORS,
    Attribute,
    Collection,
    FieldTable,
    Kind,
)

EXPERIMENTS = FieldTable(
    noun="experiments",
    prefixes=("attribute", "attributes", "attr"),
    attributes={
        "name": Attribute("name"),
        "experiment_id": Attribute("id", Kind.ID, EQUALITY | LISTS),
        "creation_time": Attribute("creation_time", Kind.TIME, NUMBER_OPERATORS),
        "last_update_time": Attribute("last_update_time", Kind.TIME, NUMBER_OPERATORS),
    },
    collections={
        "tags": Collection(
            "tracking.ExperimentTag",
            parent="experiment",
            operators=TEXT_OPERATORS | PRESENCE,
            aliases=("tag",),
            sortable=False,
        ),
    },
)

RUNS = FieldTable(
    noun="runs",
    prefixes=("attribute", "attributes", "attr", "run"),
    attributes={
        "run_id": Attribute("run_id", operators=TEXT_OPERATORS | LISTS),
        "run_name": Attribute("run_name", aliases=("run name", "Run name", "Run Name")),
        "user_id": Attribute("user_id"),
        "status": Attribute("status"),
        "artifact_uri": Attribute("artifact_uri"),
        "start_time": Attribute("start_time", Kind.TIME, NUMBER_OPERATORS, aliases=("created", "Created")),
        "end_time": Attribute("end_time", Kind.TIME, NUMBER_OPERATORS, nullable=True),
    },
    collections={
        "metrics": Collection(
            "tracking.LatestMetric",
            parent="run",
            kind=Kind.NUMBER,
            operators=NUMBER_OPERATORS,
            aliases=("metric",),
            nan_flag="is_nan",
        ),
        "params": Collection(
            "tracking.Param",
            parent="run",
            operators=TEXT_OPERATORS | PRESENCE,
            aliases=("param", "parameter", "parameters"),
        ),
        "tags": Collection("tracking.RunTag", parent="run", operators=TEXT_OPERATORS | PRESENCE, aliases=("tag",)),
        "datasets": Collection(
            "tracking.DatasetInput",
            parent="run",
            operators=TEXT_OPERATORS | LISTS,
            aliases=("dataset",),
            members={"name": "dataset__name", "digest": "dataset__digest", "context": "context"},
            sortable=False,
        ),
    },
)

LOGGED_MODELS = FieldTable(
    noun="logged models",
    prefixes=("attributes",),
    attributes={
        "name": Attribute("name", operators=TEXT_OPERATORS | LISTS),
        "model_id": Attribute("model_id", operators=TEXT_OPERATORS | LISTS),
        "model_type": Attribute("model_type", operators=TEXT_OPERATORS | LISTS),
        "status": Attribute("status", operators=TEXT_OPERATORS | LISTS),
        "source_run_id": Attribute("source_run__run_id", operators=TEXT_OPERATORS | LISTS, nullable=True),
        "creation_timestamp": Attribute("creation_timestamp", Kind.TIME, NUMBER_OPERATORS, aliases=("creation_time",)),
        "last_updated_timestamp": Attribute("last_updated_timestamp", Kind.TIME, NUMBER_OPERATORS),
    },
    collections={
        "metrics": Collection(
            "tracking.LoggedModelMetric",
            parent="logged_model",
            kind=Kind.NUMBER,
            operators=NUMBER_OPERATORS,
            nan_flag="is_nan",
            newest=("-timestamp", "-step", "-pk"),
        ),
        "params": Collection(
            "tracking.LoggedModelParam",
            parent="logged_model",
            operators=TEXT_OPERATORS | LISTS,
            sortable=False,
        ),
        "tags": Collection(
            "tracking.LoggedModelTag", parent="logged_model", operators=TEXT_OPERATORS | LISTS, sortable=False
        ),
    },
)
