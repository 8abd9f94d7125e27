"""Experiments, runs, histories and logged models: making, searching, paging, deleting, restoring."""

import time

import mlflow
import numpy as np
from flow.common import EXPERIMENT, FOLDER, MAJOR, Seen, client, pages, refused, step, step_of_mlflow_3
from mlflow.entities import Metric, Param, RunTag, ViewType

NEVER_MADE = "0" * 32


@step
def experiments_from_making_to_restoring() -> None:
    name = f"vintages by mlflow {MAJOR}"
    made = client.create_experiment(name, tags={"region": "Barolo"})
    client.set_experiment_tag(made, "year", "2026")
    found = client.get_experiment(made)
    assert (found.name, found.lifecycle_stage) == (name, "active")
    assert {"region": "Barolo", "year": "2026"}.items() <= found.tags.items()
    assert found.artifact_location.startswith("mlflow-artifacts:/")
    client.rename_experiment(made, f"{name}, aged")
    assert client.get_experiment_by_name(name) is None
    run = client.create_run(made)
    client.delete_experiment(made)
    assert client.get_experiment_by_name(f"{name}, aged").lifecycle_stage == "deleted"
    assert client.get_run(run.info.run_id).info.lifecycle_stage == "deleted"
    with refused("RESOURCE_ALREADY_EXISTS", "aged"):
        client.create_experiment(f"{name}, aged")
    with refused("INVALID_PARAMETER_VALUE"):
        client.create_run(made)
    client.restore_experiment(made)
    assert client.get_experiment(made).lifecycle_stage == "active"
    assert client.get_run(run.info.run_id).info.lifecycle_stage == "active"
    with refused("RESOURCE_DOES_NOT_EXIST", "987654321"):
        client.get_experiment("987654321")


@step
def search_experiments() -> None:
    names = [f"grape {number} by mlflow {MAJOR}" for number in range(5)]
    colours = ["white", "white", "white", "red", "white"]
    made = [
        client.create_experiment(name, tags={"colour": colour}) for name, colour in zip(names, colours, strict=True)
    ]
    client.delete_experiment(made[4])
    ours = f"name LIKE 'grape % by mlflow {MAJOR}'"

    def found(text: str, *order: str, view: int = ViewType.ACTIVE_ONLY) -> list[str]:
        experiments = client.search_experiments(view_type=view, filter_string=text, order_by=list(order) or None)
        return [experiment.name for experiment in experiments]

    assert found(ours) == names[3::-1]
    assert found(ours, "name ASC") == names[:4]
    assert found(ours, "name ASC", view=ViewType.ALL) == names
    assert found(ours, view=ViewType.DELETED_ONLY) == names[4:]
    assert found(f"{ours} AND tags.colour = 'red'") == names[3:4]
    assert found(f"{ours} AND creation_time > {int(time.time() * 1000) + 60_000}") == []
    paged = pages(client.search_experiments, filter_string=ours, order_by=["name DESC"], max_results=3)
    assert [[experiment.name for experiment in page] for page in paged] == [names[3:0:-1], names[:1]]
    with refused("INVALID_PARAMETER_VALUE"):
        client.search_experiments(filter_string="lifecycle_stage = 'active'")


@step
def search_runs() -> None:
    experiment = client.create_experiment(f"harvests by mlflow {MAJOR}")
    sweetness = {"dry": 0.1, "medium": 0.5, "sweet": 0.9, "unknown": None, "spoilt": float("nan")}
    runs = {}
    for name, sugar in sweetness.items():
        run = client.create_run(experiment, run_name=name, tags={"cellar": "north" if name < "m" else "south"})
        runs[name] = run.info.run_id
        client.log_param(run.info.run_id, "barrel", f"oak-{len(runs)}")
        if sugar is not None:
            client.log_metric(run.info.run_id, "sugar", 5.0, step=0)
            client.log_metric(run.info.run_id, "sugar", sugar, step=1)
        client.set_terminated(run.info.run_id, "FAILED" if name == "spoilt" else "FINISHED")

    def found(text: str = "", *order: str, view: int = ViewType.ACTIVE_ONLY) -> list[str]:
        return [run.info.run_name for run in client.search_runs([experiment], text, view, order_by=list(order))]

    assert found() == list(sweetness)[::-1]
    assert found("", "metrics.sugar DESC") == ["sweet", "medium", "dry", "spoilt", "unknown"]
    assert found("", "metrics.sugar ASC") == ["dry", "medium", "sweet", "spoilt", "unknown"]
    assert found("metrics.sugar < 1", "metrics.sugar") == ["dry", "medium", "sweet"]
    assert found("metrics.sugar >= 0.5 AND params.barrel != 'oak-3'") == ["medium"]
    assert found("params.barrel ILIKE 'OAK-_' AND tags.cellar = 'north'") == ["dry"]
    assert found("attributes.status = 'FAILED'") == ["spoilt"]
    assert found('tags.mlflow.runName = "sweet"') == ["sweet"]
    assert found("attributes.run_name LIKE '%w%'", "attributes.run_name DESC") == ["unknown", "sweet"]
    assert found(f"attributes.run_id IN ('{runs['dry']}', '{runs['sweet']}')", "start_time ASC") == ["dry", "sweet"]
    assert found("", "params.barrel DESC", "start_time") == list(sweetness)[::-1]
    paged = pages(client.search_runs, experiment_ids=[experiment], order_by=["metrics.sugar DESC"], max_results=2)
    assert [[run.info.run_name for run in page] for page in paged] == [
        ["sweet", "medium"],
        ["dry", "spoilt"],
        ["unknown"],
    ]

    client.delete_run(runs["dry"])
    assert "dry" not in found()
    assert found(view=ViewType.DELETED_ONLY) == ["dry"]
    assert len(found(view=ViewType.ALL)) == 5
    with refused("INVALID_PARAMETER_VALUE", "active"):
        client.log_metric(runs["dry"], "sugar", 1.0)
    client.restore_run(runs["dry"])
    frame = mlflow.search_runs([experiment], "metrics.sugar > 0", order_by=["metrics.sugar"])
    assert list(frame["tags.mlflow.runName"]) == ["dry", "medium", "sweet"]
    assert list(frame["params.barrel"]) == ["oak-1", "oak-2", "oak-3"]
    (trained,) = client.search_runs(
        [client.get_experiment_by_name(EXPERIMENT).experiment_id],
        "datasets.context = 'train' AND params.alpha = '0.5' AND metrics.loss <= 0.2",
    )
    assert trained.info.run_id == Seen.run_id
    with refused("INVALID_PARAMETER_VALUE"):
        found("metrics.sugar = 'much'")


@step
def histories_and_batches() -> None:
    run_id = client.create_run("0", run_name="long haul", start_time=1_700_000_000_000).info.run_id
    losses = [Metric("loss", 1 / (number + 1), 1_700_000_000_000 + number, number) for number in range(1500)]
    settings = [Param(f"setting {number}", str(number)) for number in range(150)]
    client.log_batch(run_id, metrics=losses, params=settings, tags=[RunTag("cellar", "north")])
    client.log_batch(run_id, metrics=losses[:10], params=settings[:10])
    run = client.get_run(run_id)
    assert run.data.metrics == {"loss": 1 / 1500}
    assert run.data.params == {f"setting {number}": str(number) for number in range(150)}
    assert run.data.tags["cellar"] == "north"
    history = client.get_metric_history(run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(point.step, point.value) for point in losses]
    client.log_metric(run_id, "loss", np.inf, timestamp=1_700_000_000_000, step=7)
    assert client.get_run(run_id).data.metrics == {"loss": 1 / 1500}, "the last step counts, not the last writing"
    assert client.get_metric_history(run_id, "never logged") == []

    client.set_tag(run_id, "passing", "soon")
    client.delete_tag(run_id, "passing")
    assert "passing" not in client.get_run(run_id).data.tags
    with refused("RESOURCE_DOES_NOT_EXIST", "passing"):
        client.delete_tag(run_id, "passing")
    client.update_run(run_id, status="KILLED", name="short haul")
    renamed = client.get_run(run_id)
    assert (renamed.info.run_name, renamed.info.status) == ("short haul", "KILLED")
    assert renamed.data.tags["mlflow.runName"] == "short haul"
    client.log_param(run_id, "setting 1", "1")
    with refused("INVALID_PARAMETER_VALUE", "setting 1"):
        client.log_param(run_id, "setting 1", "2")
    for ask in (
        lambda: client.get_run(NEVER_MADE),
        lambda: client.log_metric(NEVER_MADE, "loss", 1.0),
        lambda: client.set_terminated(NEVER_MADE),
    ):
        with refused("RESOURCE_DOES_NOT_EXIST", NEVER_MADE):
            ask()


@step
def a_run_below_a_run() -> None:
    with mlflow.start_run(run_name="evening") as outer, mlflow.start_run(run_name="first glass", nested=True) as inner:
        mlflow.log_params({"colour": "red"})
    children = client.search_runs([outer.info.experiment_id], f"tags.mlflow.parentRunId = '{outer.info.run_id}'")
    assert [child.info.run_id for child in children] == [inner.info.run_id]
    with mlflow.start_run(run_id=outer.info.run_id):
        mlflow.log_metric("glasses", 1)
    reopened = client.get_run(outer.info.run_id)
    assert (reopened.info.status, reopened.data.metrics) == ("FINISHED", {"glasses": 1.0})


@step_of_mlflow_3
def logged_models() -> None:
    experiment = client.create_experiment("bottles")
    made = [
        client.create_logged_model(
            experiment, name, tags={"shelf": name}, params={"size": str(size)}, model_type="glass"
        )
        for size, name in enumerate(["magnum", "piccolo", "jeroboam"])
    ]
    with mlflow.start_run(experiment_id=experiment):
        for size, model in enumerate(made):
            mlflow.log_metric("fill", size / 2, model_id=model.model_id)
    client.finalize_logged_model(made[0].model_id, "READY")
    client.set_logged_model_tags(made[0].model_id, {"shelf": "top", "gone": "soon"})
    client.delete_logged_model_tag(made[0].model_id, "gone")
    client.log_model_params(made[0].model_id, {"cork": "natural"})
    magnum = client.get_logged_model(made[0].model_id)
    assert (magnum.name, str(magnum.status), magnum.model_type) == ("magnum", "READY", "glass")
    assert (magnum.tags, magnum.params) == ({"shelf": "top"}, {"size": "0", "cork": "natural"})

    def found(text: str | None = None, **order) -> list[str]:
        models = client.search_logged_models([experiment], text, order_by=[order] if order else None)
        return [model.name for model in models]

    assert found() == ["jeroboam", "piccolo", "magnum"]
    assert found(field_name="metrics.fill", ascending=True) == ["magnum", "piccolo", "jeroboam"]
    assert found("metrics.fill >= 0.5", field_name="name", ascending=True) == ["jeroboam", "piccolo"]
    assert found("params.size = '1'") == ["piccolo"]
    assert found("tags.shelf = 'top'") == ["magnum"]
    assert found("status LIKE '%READY'") == ["magnum"]
    paged = pages(client.search_logged_models, experiment_ids=[experiment], max_results=2)
    assert [[model.name for model in page] for page in paged] == [["jeroboam", "piccolo"], ["magnum"]]
    client.delete_logged_model(made[1].model_id)
    assert found() == ["jeroboam", "magnum"]
    with refused("RESOURCE_DOES_NOT_EXIST", made[1].model_id):
        client.get_logged_model(made[1].model_id)
    trained = mlflow.search_logged_models(
        [client.get_experiment_by_name(EXPERIMENT).experiment_id], output_format="list"
    )
    assert [model.name for model in trained] == [FOLDER]
