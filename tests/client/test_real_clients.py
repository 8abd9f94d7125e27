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
FLOW = {
    "training": ["train_with_autolog_and_register", "read_the_run_back", "search_for_the_best_setting"],
    "registering": ["register_a_second_version_from_the_run", "copy_versions_into_another_model"],
    "registry": [
        "search_registered_models",
        "search_model_versions",
        "tags",
        "descriptions",
        "aliases",
        "stages",
        "rename_and_delete",
        "mistakes_are_told_apart",
    ],
    "loading": [
        "load_by_version_stage_alias_and_run",
        "load_by_the_id_of_the_logged_model",
        "what_is_not_there_cannot_be_loaded",
    ],
    "copies": ["a_model_takes_versions_by_an_approved_copy_alone", "load_what_was_promoted_by_copy"],
    "files": [
        "folders_with_any_names",
        "a_large_file",
        "texts_and_tables",
        "files_of_a_version",
        "files_go_away",
    ],
    "serving": ["the_champion_is_served"],
    "searching": [
        "experiments_from_making_to_restoring",
        "search_experiments",
        "search_runs",
        "histories_and_batches",
        "a_run_below_a_run",
        "logged_models",
    ],
    "zenml": [
        "register_as_its_step_does",
        "list_as_its_registry_does",
        "deploy_by_stage_as_its_deployer_does",
    ],
    "prompts": [
        "register_and_load_prompts",
        "point_aliases_at_prompts",
        "prompts_stay_out_of_the_models",
        "link_a_prompt_to_a_run",
        "search_tag_and_shape_prompts",
        "delete_prompts",
    ],
    "webhooks": ["from_making_a_webhook_to_removing_it", "a_new_version_is_told_and_signed"],
    "command_line": ["experiments", "runs", "artifacts", "predict"],
}
ONLY_MLFLOW_3 = [
    "load_by_the_id_of_the_logged_model",
    "logged_models",
    "search_tag_and_shape_prompts",
    *FLOW["webhooks"],
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


def test_everything_that_people_do_with_a_client_works(
    environment: Environment, people: Podium, tmp_path: Path
) -> None:
    variables = people.client_environment("maria") | {
        "PYTHONPATH": str(HERE),
        "ADMINISTRATOR_TOKEN": people.token("admin"),
    }
    output = run(environment, tmp_path, variables, "-m", "flow")
    left_out = [] if environment.name == "mlflow-3" else ONLY_MLFLOW_3
    expected = [f"{subject}: {step}" for subject, steps in FLOW.items() for step in steps if step not in left_out]
    assert [line for line in output.splitlines() if line in expected] == expected


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
