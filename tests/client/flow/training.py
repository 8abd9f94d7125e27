"""Train with autolog, and log the model under a registered name; then read everything back."""

import json

import mlflow
import numpy as np
from flow.common import EXPERIMENT, FOLDER, MAJOR, NAME, Seen, client, features, labels, step, versions_of
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GridSearchCV


@step
def train_with_autolog_and_register() -> None:
    mlflow.set_experiment(EXPERIMENT)
    mlflow.sklearn.autolog(log_models=False)
    with mlflow.start_run(run_name="half a ridge") as run:
        model = RidgeClassifier(alpha=0.5).fit(features, labels)
        for epoch in range(5):
            mlflow.log_metric("loss", 1 / (epoch + 1), step=epoch)
        mlflow.log_metric("not a number", float("nan"))
        mlflow.log_metric("endless", float("inf"))
        mlflow.log_param("region", "Piedmont ☀")
        mlflow.sklearn.log_model(
            model,
            **({"name": FOLDER} if MAJOR >= 3 else {"artifact_path": FOLDER}),
            registered_model_name=NAME,
            input_example=features.head(2),
            pip_requirements=["scikit-learn"],
        )
    mlflow.sklearn.autolog(disable=True)
    Seen.run_id = run.info.run_id
    Seen.predictions = model.predict(features)
    Seen.accuracy = model.score(features, labels)
    assert versions_of(client.search_model_versions(f"name = '{NAME}'")) == [(NAME, 1)]


@step
def read_the_run_back() -> None:
    run = client.get_run(Seen.run_id)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "half a ridge"
    assert run.info.end_time >= run.info.start_time > 0
    assert run.data.params["alpha"] == "0.5"
    assert run.data.params["region"] == "Piedmont ☀"
    assert run.data.metrics["training_accuracy_score"] == Seen.accuracy
    assert run.data.metrics["loss"] == 0.2
    assert np.isnan(run.data.metrics["not a number"])
    assert run.data.metrics["endless"] > 1e300
    assert run.data.tags["estimator_name"] == "RidgeClassifier"
    assert [(metric.step, metric.value) for metric in client.get_metric_history(Seen.run_id, "loss")] == [
        (0, 1.0),
        (1, 0.5),
        (2, 1 / 3),
        (3, 0.25),
        (4, 0.2),
    ]
    seen = {tag.value: found.dataset for found in run.inputs.dataset_inputs for tag in found.tags}
    assert sorted(seen) == ["eval", "train"]
    assert json.loads(seen["train"].profile) == {"num_rows": 178, "num_elements": 178 * 13}
    assert "estimator.html" in [file.path for file in client.list_artifacts(Seen.run_id)]
    if MAJOR == 2:
        (logged,) = json.loads(run.data.tags["mlflow.log-model.history"])
        assert (logged["run_id"], logged["artifact_path"]) == (Seen.run_id, FOLDER)


@step
def search_for_the_best_setting() -> None:
    """The client logs the candidates from several threads at once, each as a run below the search's own."""
    alphas = [0.25, 0.5, 1.0, 2.0]
    mlflow.sklearn.autolog(log_models=False)
    with mlflow.start_run(run_name="four ridges") as run:
        search = GridSearchCV(RidgeClassifier(), {"alpha": alphas}, cv=2).fit(features, labels)
    mlflow.sklearn.autolog(disable=True)
    logged = client.get_run(run.info.run_id).data
    assert logged.params["best_alpha"] == str(search.best_params_["alpha"])
    assert logged.metrics["best_cv_score"] == search.best_score_
    candidates = client.search_runs(
        [run.info.experiment_id],
        f"tags.mlflow.parentRunId = '{run.info.run_id}' AND attributes.status = 'FINISHED'",
        order_by=["params.alpha"],
    )
    assert [float(candidate.data.params["alpha"]) for candidate in candidates] == alphas
    scores = list(search.cv_results_["mean_test_score"])
    assert [candidate.data.metrics["mean_test_score"] for candidate in candidates] == scores
