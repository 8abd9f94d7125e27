"""What ZenML's tracker and registry ask by way of the client: no logged model is named, sources are `runs:/`, and
filters are written in a way of its own."""

import mlflow
from flow.common import EXPERIMENT, FOLDER, MAJOR, Seen, client, step, versions_of
from mlflow.entities import ViewType

PIPELINE = f"zenml-pipeline-{MAJOR}"


@step
def register_as_its_step_does() -> None:
    experiment = client.get_experiment_by_name(EXPERIMENT)
    (run,) = client.search_runs(
        [experiment.experiment_id], 'tags.mlflow.runName = "half a ridge"', run_view_type=ViewType.ALL
    )
    assert run.info.run_id == Seen.run_id
    assert client.list_artifacts(run.info.run_id, FOLDER) != []
    client.create_registered_model(PIPELINE, description=None, tags={"zenml_version": "0.98.0"})
    for number in ("1", "2"):
        version = client.create_model_version(
            name=PIPELINE,
            source=f"runs:/{run.info.run_id}/{FOLDER}",
            run_id=run.info.run_id,
            run_link="",
            description=f"trained by pipeline run {number}",
            tags={"zenml_pipeline_run_id": number, "mlflow_run_id": run.info.run_id},
        )
        assert (version.source, version.run_id) == (f"runs:/{run.info.run_id}/{FOLDER}", run.info.run_id)
    assert client.get_model_version_download_uri(PIPELINE, "1").startswith("mlflow-artifacts:/")


@step
def list_as_its_registry_does() -> None:
    (model,) = client.search_registered_models(
        filter_string=f"name='{PIPELINE}' AND tags.zenml_version='0.98.0'", max_results=100
    )
    assert model.name == PIPELINE
    source = f"runs:/{Seen.run_id}/{FOLDER}"
    asked = f"name='{PIPELINE}' AND source='{source}' AND run_id='{Seen.run_id}'"
    newest_first = client.search_model_versions(asked, order_by=["creation_timestamp DESC"])
    assert versions_of(newest_first) == [(PIPELINE, 2), (PIPELINE, 1)]
    of_one_run = client.search_model_versions(
        f"{asked} AND tags.zenml_pipeline_run_id='1'", order_by=["creation_timestamp DESC"]
    )
    assert versions_of(of_one_run) == [(PIPELINE, 1)]
    assert "sklearn" in mlflow.models.get_model_info(source).flavors


@step
def deploy_by_stage_as_its_deployer_does() -> None:
    client.transition_model_version_stage(PIPELINE, "1", "Staging")
    versions = client.search_model_versions(f"name='{PIPELINE}'", order_by=["creation_timestamp DESC"])
    assert versions_of(version for version in versions if version.current_stage == "Staging") == [(PIPELINE, 1)]
