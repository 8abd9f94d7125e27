"""The contracts on imports, which stand in pyproject.toml."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[2]


def test_imports_keep_their_contracts() -> None:
    # In a process of its own: it configures logging for itself, and would silence this one's.
    program = Path(sys.executable).parent / "lint-imports"
    answer = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
