"""The contracts on imports, which stand in pyproject.toml."""

from importlinter.cli import lint_imports


def test_imports_keep_their_contracts(capsys) -> None:
    exit_code = lint_imports(no_cache=True, verbose=False)
    assert exit_code == 0, capsys.readouterr().out
