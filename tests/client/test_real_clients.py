"""Unmodified MLflow clients, each in an environment of its own, against the running server."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.client.environments import ENVIRONMENTS, Environment
from tests.live import Podium
from tests.make import PASSWORD

pytestmark = [pytest.mark.client, pytest.mark.slow]
HERE = Path(__file__).parent
QUIET = {
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",  # what the server gets wrong shall be seen, and at once
}
STEPS = [
    "train_with_autolog_and_register",
    "read_the_run_back",
    "register_a_second_version_from_the_run",
    "search_registered_models",
    "search_model_versions",
    "tags",
    "descriptions",
    "aliases",
    "stages",
    "load_and_predict",
    "artifacts_of_any_depth_and_size",
    "search_runs",
    "mistakes_are_told_apart",
    "rename_and_delete",
]


@pytest.fixture(params=ENVIRONMENTS.values(), ids=lambda environment: environment.name)
def environment(request: pytest.FixtureRequest) -> Environment:
    found: Environment = request.param
    if not found.is_ready:
        pytest.skip(f"{found.name} is not there: python -m tests.client.environments makes it")
    return found


@pytest.fixture
def people(podium: Podium) -> Podium:
    """The server, with Maria in it, who has a password too."""
    if "maria" not in podium.people:
        podium.create_user("maria", password=PASSWORD)
    return podium


def run(environment: Environment, folder: Path, variables: dict[str, str], *arguments: str) -> str:
    """Run Python in that environment, away from this repository; what it printed. Fails with all that it printed."""
    answer = subprocess.run(
        [str(environment.python), *arguments],
        env=os.environ | QUIET | variables,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert answer.returncode == 0, f"{answer.stdout}\n{answer.stderr}"
    return answer.stdout


def test_a_model_goes_from_training_to_predictions(environment: Environment, people: Podium, tmp_path: Path) -> None:
    output = run(environment, tmp_path, people.client_environment("maria"), str(HERE / "flow.py"))
    assert [line for line in output.splitlines() if line in STEPS] == STEPS


def test_a_client_is_known_by_token_or_password_and_else_refused(
    environment: Environment, people: Podium, tmp_path: Path
) -> None:
    ways = [
        {"TOKEN": people.token("maria")},
        {"USERNAME": "maria", "PASSWORD": PASSWORD},
        {"USERNAME": "maria", "PASSWORD": people.token("maria")},
        {"USERNAME": "maria", "PASSWORD": "a guess at it"},
        {"TOKEN": "podium_made_up"},
        {},
    ]
    variables = {"MLFLOW_TRACKING_URI": people.url, "HOME": str(tmp_path)}
    output = run(environment, tmp_path, variables, str(HERE / "ways_in.py"), json.dumps(ways))
    assert output.splitlines() == ["Default"] * 3 + ["UNAUTHENTICATED 401"] * 3
