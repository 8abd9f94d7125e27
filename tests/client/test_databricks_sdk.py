"""Databricks' SDK, unmodified and in an environment of its own, against the running server."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.client.environments import DATABRICKS
from tests.live import Podium

pytestmark = [pytest.mark.client, pytest.mark.slow]
SCRIPT = Path(__file__).parent / "databricks_permissions.py"


def test_permissions_are_read_and_set_by_the_sdk(podium: Podium, tmp_path: Path) -> None:
    if not DATABRICKS.is_ready:
        pytest.skip(f"{DATABRICKS.name} is not there: python -m tests.client.environments makes it")
    podium.create_user("rosa", display_name="Rosa")
    podium.create_user("emil")
    variables = {
        "HOST": podium.url,
        "TOKEN_OF_ROSA": podium.token("rosa"),
        "TOKEN_OF_EMIL": podium.token("emil"),
        "DATABRICKS_CONFIG_FILE": str(tmp_path / "none"),
        "HOME": str(tmp_path),
    }
    answer = subprocess.run(
        [str(DATABRICKS.python), str(SCRIPT)],
        env=os.environ | variables,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert answer.returncode == 0, f"{answer.stdout}\n{answer.stderr}"
    assert answer.stdout.split() == ["who_am_i", "permissions_on_registered_models", "permissions_on_experiments"]
