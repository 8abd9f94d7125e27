"""Load the model by every kind of address, and predict with it."""

import mlflow
from flow.common import FOLDER, NAME, Seen, assert_predicts_as_trained, client, refused, step, step_of_mlflow_3
from flow.registering import COPY


@step
def load_by_version_stage_alias_and_run() -> None:
    registered = [f"models:/{NAME}/{part}" for part in ("1", "2", "latest", "Production", "archived")]
    others = [f"models:/{NAME}@champion", f"models:/{COPY}/3", f"runs:/{Seen.run_id}/{FOLDER}"]
    for place in registered + others:
        loaded = mlflow.pyfunc.load_model(place)
        assert_predicts_as_trained(loaded, place)
    assert loaded.metadata.signature.inputs.input_names()[:2] == ["alcohol", "malic_acid"]
    native = mlflow.sklearn.load_model(f"models:/{NAME}/Production")
    assert_predicts_as_trained(native, "native")


@step_of_mlflow_3
def load_by_the_id_of_the_logged_model() -> None:
    (output,) = client.get_run(Seen.run_id).outputs.model_outputs
    place = f"models:/{output.model_id}"
    assert_predicts_as_trained(mlflow.pyfunc.load_model(place), place)
    logged = client.get_logged_model(output.model_id)
    assert (logged.name, logged.source_run_id, str(logged.status)) == (FOLDER, Seen.run_id, "READY")
    assert mlflow.models.get_model_info(place).model_uuid == output.model_id


@step
def what_is_not_there_cannot_be_loaded() -> None:
    for place, error_code in {
        f"models:/{NAME}/99": "RESOURCE_DOES_NOT_EXIST",
        "models:/nobody made this/1": "RESOURCE_DOES_NOT_EXIST",
        f"models:/{NAME}@nobody": "INVALID_PARAMETER_VALUE",
        f"models:/{NAME}/Staging": "INTERNAL_ERROR",  # the client's own: no version is in that stage
    }.items():
        with refused(error_code):
            mlflow.pyfunc.load_model(place)
