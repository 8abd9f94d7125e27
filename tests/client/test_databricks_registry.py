"""Unmodified MLflow clients that take the running server for a registry of Databricks."""

from pathlib import Path

import pytest

from tests.client.environments import ENVIRONMENTS, Environment
from tests.client.test_real_clients import HERE, run
from tests.live import Podium

pytestmark = [pytest.mark.client, pytest.mark.slow]
SMALL_PARTS = {"MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE": str(1024 * 1024), "MLFLOW_ENABLE_MULTIPART_DOWNLOAD": "true"}


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=lambda environment: environment.name)
def test_models_are_read_through_a_registry_of_databricks(
    environment: Environment, podium: Podium, tmp_path: Path
) -> None:
    if not environment.is_ready:
        pytest.skip(f"{environment.name} is not there: python -m tests.client.environments makes it")
    if "reader-of-models" not in podium.people:
        podium.create_user("reader-of-models")
    writer, reader = tmp_path / "writer", tmp_path / "reader"
    for folder in (writer, reader):
        folder.mkdir()
    name = f"line-{environment.name}"
    given = run(
        environment,
        writer,
        podium.client_environment("reader-of-models"),
        str(HERE / "databricks_registry_fill.py"),
        name,
    )
    variables = SMALL_PARTS | {
        "DATABRICKS_HOST": podium.url,
        "DATABRICKS_TOKEN": podium.token("reader-of-models"),
        "DATABRICKS_CONFIG_FILE": str(tmp_path / "none"),
        "HOME": str(tmp_path),
    }
    answer = run(environment, reader, variables, str(HERE / "databricks_registry.py"), given.splitlines()[-1])
    assert answer.split() == [
        "the_version_is_known",
        "download_all_of_it",
        "download_a_folder_and_a_file",
        "load_and_predict",
        "the_signed_address_needs_no_credentials_and_knows_ranges",
        "what_is_not_there_is_told",
    ]
