"""What is in the repository speaks of the project, is finished, and keeps its word."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[2]
NOT_FINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
OF_SOME_MACHINE = re.compile(r"(?<![\w.])/(?:ro" r"ot|wo" r"rk|ho" r"me/\w+|tm" r"p/podium)\b")
REGISTRIES = re.compile(r"\b(?:py" r"pi\.org|pythonho" r"sted\.org|npm" r"js\.(?:com|org)|gh" r"cr\.io|qu" r"ay\.io)\b")
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".txt",
    ".html",
    ".css",
    ".js",
    ".lark",
    ".yml",
    ".yaml",
    ".svg",
    ".cfg",
    ".json",
    "",
}
START = "python3 -m venv .venv && .venv/bin/pip install -c constraints.txt -e . && .venv/bin/python manage.py up"
TEST = (
    'python3 -m venv .venv && .venv/bin/pip install -c constraints.txt -e ".[test]" '
    "&& .venv/bin/pytest && .venv/bin/pytest --db postgresql"
)


def files() -> list[Path]:
    """What git would commit: known files, and new ones that are not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    found = [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    assert len(found) > 100
    return found


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in files()
        if path.suffix in TEXT
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize(
    "pattern",
    [NOT_FINISHED, OF_SOME_MACHINE, REGISTRIES],
    ids=["unfinished work", "somebody's machine", "registries"],
)
def test_no_file_mentions(pattern: re.Pattern[str]) -> None:
    assert lines_with(pattern) == []


def test_no_file_is_large_or_made_by_a_program() -> None:
    assert [str(path) for path in files() if path.stat().st_size > 300_000] == []
    assert [str(path) for path in files() if {"node_modules", "vendor", "__pycache__"} & set(path.parts)] == []


def test_the_readme_has_the_two_commands_each_on_one_line() -> None:
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    assert START in lines
    assert TEST in lines


def test_constraints_are_exact_versions_and_nothing_else() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    odd = [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[\w.]+(?: ; [\w.]+ [=!<>]+ '[\w.]+')?", line)]
    assert odd == []


def test_every_dependency_is_constrained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    names = {re.split(r"[^\w-]", requirement)[0].lower().replace("_", "-") for requirement in wanted}
    constrained = {line.partition("==")[0] for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()}
    assert names - constrained == set()


def test_every_variable_of_the_settings_is_documented() -> None:
    settings = (ROOT / "registry_site" / "settings.py").read_text("utf-8")
    variables = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', settings))
    assert len(variables) > 15
    documented = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    assert [name for name in sorted(variables) if f"`{name}`" not in documented] == []


def test_the_licence_is_apache_2() -> None:
    assert "Apache License\n                           Version 2.0" in (ROOT / "LICENSE").read_text("utf-8")


def test_notifications_are_made_from_activities_never_beside_them() -> None:
    makes = re.compile(
        r"(?<!class )\bNotification(?:\(|\.objects\.(?:bulk_create|create|get_or_create|update_or_create))"
    )
    found = {
        path.relative_to(ROOT).as_posix()
        for path in files()
        if path.suffix == ".py"
        and path.is_relative_to(ROOT / "registry_site")
        and makes.search(path.read_text("utf-8"))
    }
    assert found == {"registry_site/notifications/fan_out.py"}
