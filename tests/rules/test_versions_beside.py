"""Versions side by side: which lines differ, which way, and what is left open where something is not known."""

import math
from types import SimpleNamespace
from typing import Any

import pytest

from registry_site.core.errors import InvalidParameter
from registry_site.pages.versions_beside import Section, sections_of
from registry_site.promotion.compared import check_numbers
from registry_site.promotion.differences import difference


def content(**said: Any) -> dict[str, Any]:
    return {"metrics": {}, "params": {}, "tags": {}, "files": {"read": False}} | said


def sections(*contents: dict[str, Any], **higher_is_better: bool) -> dict[str, Section]:
    compared: Any = SimpleNamespace(
        contents=contents,
        differences=[difference(contents[0], each, higher_is_better) for each in contents[1:]],
        is_hidden=lambda place: bool(contents[place].get("hidden")),
    )
    return {section.key: section for section in sections_of(compared)}


def files(columns: list[dict[str, Any]], **sizes: int) -> dict[str, Any]:
    artifacts = {path: {"size": size, "sha256": f"{size:064x}"} for path, size in sizes.items()}
    return {"read": True, "signature": {"inputs": columns}, "requirements": {}, "flavors": {}, "artifacts": artifacts}


def test_each_is_judged_beside_the_first_one() -> None:
    found = sections(
        content(metrics={"auc": 0.8, "loss": 0.3, "size": 1.0}),
        content(metrics={"auc": 0.9, "loss": 0.4, "size": 2.0}),
        content(metrics={"auc": 0.8, "loss": 0.2}),
        auc=True,
        loss=False,
    )["metrics"]
    said = {line.name: [(cell.change.value, cell.verdict) for cell in line.cells[1:]] for line in found.lines}
    assert said == {
        "auc": [("changed", "better"), ("same", "same")],
        "loss": [("changed", "worse"), ("changed", "better")],
        "size": [("changed", ""), ("removed", "")],
    }
    assert [cell.signed for cell in found.lines[0].cells] == ["", "+0.1", "+0"]


def test_only_lines_that_differ_somewhere_differ() -> None:
    found = sections(
        content(params={"a": "1", "b": "1"}, metrics={"nan": math.nan}),
        content(params={"a": "1", "b": "1"}, metrics={"nan": math.nan}),
        content(params={"a": "1", "b": "2", "c": "3"}, metrics={"nan": math.nan}),
    )
    assert [line.name for line in found["params"].differing] == ["b", "c"]
    assert found["metrics"].differing == []
    (new,) = (line for line in found["params"].lines if line.name == "c")
    assert [(cell.value, cell.change.value) for cell in new.cells] == [(None, "same"), (None, "same"), ("3", "added")]


@pytest.mark.parametrize("hidden", [0, 1])
def test_what_is_hidden_differs_from_nothing(hidden: int) -> None:
    contents = [content(metrics={"auc": 0.8}), content(metrics={"auc": 0.9})]
    contents[hidden] = content(hidden=True)
    (line,) = sections(*contents, auc=True)["metrics"].lines
    assert not line.differs
    assert line.cells[hidden].is_hidden
    assert (line.cells[1].verdict, line.cells[1].delta) == ("", None)


def test_two_that_are_seen_differ_beside_a_first_one_that_is_not() -> None:
    (line,) = sections(content(hidden=True), content(params={"a": "1"}), content(params={"a": "2"}))["params"].lines
    assert line.differs
    assert [cell.change.value for cell in line.cells] == ["same", "same", "same"]


def test_columns_and_files_are_told_one_by_one() -> None:
    age, tenure = ({"name": name, "type": "long", "required": True} for name in ("age", "tenure"))
    found = sections(
        content(files=files([tenure], same=1, gone=2, other=3)),
        content(files=files([tenure, age], same=1, other=4, new=5)),
        content(),
    )
    assert found["signature"].verdicts == ["breaking", ""]
    assert found["signature"].unknown == {2}
    columns = {line.name: line.cells[1].verdict for line in found["signature"].lines}
    assert columns == {"tenure": "", "age": "breaking"}
    changes = {line.name: line.cells[1].change.value for line in found["files"].lines}
    assert changes == {"same": "same", "gone": "removed", "other": "changed", "new": "added"}
    assert all(line.cells[2].is_hidden for line in found["files"].lines), "what is not known is not gone"


@pytest.mark.parametrize("numbers", [[], [1], [1, 1], [1, 2, 1], list(range(7))])
def test_two_to_six_different_ones_can_be_compared(numbers: list[int]) -> None:
    check_numbers("churn", [1, 2])
    check_numbers("churn", list(range(6)))
    with pytest.raises(InvalidParameter, match="Choose 2 to 6"):
        check_numbers("churn", numbers)
