"""Further ways to a version: register a run's model, and copy a version of another model."""

import mlflow
from flow.common import FOLDER, NAME, Seen, client, refused, step, versions_of

COPY = f"cellar of {NAME}"


@step
def register_a_second_version_from_the_run() -> None:
    version = mlflow.register_model(f"runs:/{Seen.run_id}/{FOLDER}", NAME, tags={"origin": "by hand"})
    assert (version.name, int(version.version), version.run_id) == (NAME, 2, Seen.run_id)
    assert version.status == "READY"
    assert version.current_stage == "None"
    assert version.tags == {"origin": "by hand"}
    first = client.get_model_version(NAME, "1")
    assert first.run_id == Seen.run_id
    assert client.get_model_version_download_uri(NAME, "1").startswith("mlflow-artifacts:/")


@step
def copy_versions_into_another_model() -> None:
    client.update_model_version(NAME, "2", description="registered by hand")
    assert versions_of([client.copy_model_version(f"models:/{NAME}/1", COPY)]) == [(COPY, 1)]
    assert versions_of([client.copy_model_version(f"models:/{NAME}/latest", COPY)]) == [(COPY, 2)]
    copy = client.get_model_version(COPY, "2")
    assert (copy.source, copy.run_id) == (f"models:/{NAME}/2", Seen.run_id)
    assert (copy.description, copy.tags) == ("registered by hand", {"origin": "by hand"})
    files = client.get_model_version_download_uri(COPY, "1")
    assert files == client.get_model_version_download_uri(NAME, "1")
    copy_of_a_copy = client.copy_model_version(f"models:/{COPY}/1", COPY)
    assert (int(copy_of_a_copy.version), copy_of_a_copy.source) == (3, f"models:/{COPY}/1")
    with refused("INTERNAL_ERROR", "RESOURCE_DOES_NOT_EXIST", "version=99"):  # the client wraps the server's answer
        client.copy_model_version(f"models:/{NAME}/99", COPY)
