"""Databricks' SDK, unmodified and in an environment of its own, against the running server."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.client.environments import DATABRICKS
from tests.live import Podium

pytestmark = [pytest.mark.client, pytest.mark.slow]
HERE = Path(__file__).parent
RECEIVER = "127.0.0.1:8099"  # the server was told to allow it; no other test of the client listens there meanwhile


def test_permissions_are_read_and_set_by_the_sdk(podium: Podium, tmp_path: Path) -> None:
    said = run("databricks_permissions.py", podium, tmp_path, "rosa", "emil")
    assert said == ["who_am_i", "permissions_on_registered_models", "permissions_on_experiments"]


def test_a_whole_promotion_is_done_by_the_sdk(podium: Podium, tmp_path: Path) -> None:
    said = run("databricks_promotion.py", podium, tmp_path, "rosa", "emil", "hugo")
    assert said == [
        "make_versions",
        "permissions",
        "comment",
        "ask",
        "approve",
        "approve_and_archive_under_a_policy",
        "reject",
        "cancel",
        "transition",
        "delete",
    ]


def test_webhooks_are_made_tried_and_removed_by_the_sdk(podium: Podium, tmp_path: Path) -> None:
    if "hook-keeper" not in podium.people:
        podium.create_user("hook-keeper", is_admin=True)
    said = run("databricks_webhooks.py", podium, tmp_path, "rosa", maria="rosa", admin="hook-keeper")
    assert said == ["a_webhook_of_the_registry", "a_webhook_of_a_model"]


def run(script: str, podium: Podium, folder: Path, *names: str, **others: str) -> list[str]:
    """What the script printed, run with a token of each of these people."""
    if not DATABRICKS.is_ready:
        pytest.skip(f"{DATABRICKS.name} is not there: python -m tests.client.environments makes it")
    for name in names:
        if name not in podium.people:
            podium.create_user(name, display_name=name.capitalize())
    tokens = {name: name for name in names} | others
    variables = {
        "HOST": podium.url,
        "RECEIVER": f"http://{RECEIVER}/hook",
        "DATABRICKS_CONFIG_FILE": str(folder / "none"),
        "HOME": str(folder),
    } | {f"TOKEN_OF_{name.upper()}": podium.token(who) for name, who in tokens.items()}
    answer = subprocess.run(
        [str(DATABRICKS.python), str(HERE / script)],
        env=os.environ | variables,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert answer.returncode == 0, f"{answer.stdout}\n{answer.stderr}"
    return answer.stdout.split()
