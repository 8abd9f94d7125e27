"""Runs side by side."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from registry_site.accounts.actors import Actor
from registry_site.pages.side_by_side import lines
from registry_site.tracking.models import Run
from registry_site.tracking.recording import MetricPoint, log_batch
from tests.make import make_run


@pytest.fixture
def runs(maria_actor: Actor) -> list[Run]:
    """Three runs of one experiment that differ in depth, and in how their loss went."""
    made = []
    for depth in (3, 5, 8):
        run = make_run(maria_actor, name=f"depth {depth}", tags={"team": "risk"})
        loss = [MetricPoint("loss", depth / (step + 1), timestamp=1000 + step, step=step) for step in range(20)]
        log_batch(
            maria_actor,
            run_id=run.run_id,
            metrics=[*loss, MetricPoint("auc", 0.8 + depth / 100, 1), MetricPoint("rows", 1000.0, 1)],
            params=[("depth", str(depth)), ("objective", "binary")],
        )
        made.append(run)
    return made


def address(runs: list[Run], **query: Any) -> str:
    rest = "".join(f"&{key}={value}" for key, value in query.items())
    experiment = runs[0].experiment_id
    return f"{reverse('compare_runs', args=[experiment])}?runs={','.join(run.run_id for run in runs)}{rest}"


def test_what_differs_is_shown_and_how_far_it_is_from_the_first(maria_page: Client, runs: list[Run]) -> None:
    response = maria_page.get(address(runs))
    text = response.content.decode()
    assert response.status_code == 200
    assert [column["run"].run_id for column in response.context["columns"]] == [run.run_id for run in runs]
    assert "+0.02" in text
    assert "+0.05" in text
    shown = {title: [line.name for line in found] for title, found, _total in response.context["sections"]}
    assert (shown["Metrics"], shown["Params"], shown["Tags"]) == (["auc", "loss"], ["depth"], [])
    assert "objective" not in text


def test_everything_is_shown_when_asked_for(maria_page: Client, runs: list[Run]) -> None:
    text = maria_page.get(address(runs, show="all")).content.decode()
    assert "objective" in text
    assert "rows" in text
    assert "risk" in text


def test_numbers_within_a_tolerance_count_as_the_same(maria_page: Client, runs: list[Run]) -> None:
    def shown(tolerance: str) -> dict[str, list[str]]:
        sections = maria_page.get(address(runs, tolerance=tolerance)).context["sections"]
        return {title: [line.name for line in found] for title, found, _total in sections}

    assert shown("0") == shown("") == {"Metrics": ["auc", "loss"], "Params": ["depth"], "Tags": [], "Data": []}
    assert shown("0.05")["Metrics"] == ["auc", "loss"], "the last run is 5.7 percent off"
    assert shown("0.06")["Metrics"] == ["loss"]
    assert shown("0.7")["Params"] == []
    answer = maria_page.get(address(runs, tolerance="much"))
    assert answer.status_code == 400
    assert "&#x27;much&#x27; is no tolerance" in answer.content.decode()
    assert [len(found) for _title, found, _total in answer.context["sections"]] == [2, 1, 0, 0]


def test_curves_of_all_runs_are_drawn_on_the_same_axes(maria_page: Client, runs: list[Run]) -> None:
    response = maria_page.get(address(runs))
    ((key, url),) = response.context["curves"]  # auc and rows have one point each
    assert key == "loss"
    series = maria_page.get(url).json()["series"]
    assert [one["name"] for one in series] == ["depth 3", "depth 5", "depth 8"]
    assert [len(one["points"]) for one in series] == [20, 20, 20]
    assert series[1]["points"][0] == [0, 5.0, 1000]
    both = maria_page.get(f"{url}&key=auc").json()["series"]
    assert [(one["key"], one["place"]) for one in both] == [(key, n) for key in ("loss", "auc") for n in range(3)]
    assert both[:3] == series


def test_all_runs_are_drawn_without_a_script_and_the_axes_are_chosen_in_the_address(
    maria_page: Client, runs: list[Run]
) -> None:
    text = maria_page.get(address(runs)).content.decode()
    assert "<figcaption>auc over depth</figcaption>" in text
    assert "<title>depth 5: 5.000, 0.8500</title>" in text
    assert "<title>depth 8: loss 0.4000</title>" in text
    text = maria_page.get(address(runs, show="all", x="auc", y="loss")).content.decode()
    assert "<figcaption>loss over auc</figcaption>" in text
    assert '<input type="hidden" name="show" value="all">' in text
    assert "<title>depth 5: 0.8500, 0.2500</title>" in text
    refused = maria_page.get(address(runs, x="objective"))
    assert refused.status_code == 400
    assert "has a number called objective" in refused.content.decode()


def test_a_run_can_be_left_out_while_two_remain(maria_page: Client, runs: list[Run]) -> None:
    columns = maria_page.get(address(runs)).context["columns"]
    assert columns[2]["without"] == f"?runs={runs[0].run_id},{runs[1].run_id}"
    assert {column["without"] for column in maria_page.get(address(runs[:2])).context["columns"]} == {None}


def test_ticked_rows_come_as_one_argument_each(maria_page: Client, runs: list[Run]) -> None:
    page = reverse("compare_runs", args=[runs[0].experiment_id])
    response = maria_page.get(page, {"runs": [run.run_id for run in runs]})
    assert len(response.context["columns"]) == 3


@pytest.mark.parametrize("count", [0, 1, 7])
def test_too_few_and_too_many_are_refused_in_words(maria_page: Client, runs: list[Run], count: int) -> None:
    wanted = ",".join([runs[0].run_id, "a" * 32, "b" * 32, "c" * 32, "d" * 32, "e" * 32, "f" * 32][:count])
    response = maria_page.get(f"{reverse('compare_runs', args=[runs[0].experiment_id])}?runs={wanted}")
    assert response.status_code == 400
    assert f"Choose 2 to 6 runs to compare, not {count}" in response.content.decode()


def test_a_run_that_is_not_there_is_named(maria_page: Client, runs: list[Run]) -> None:
    response = maria_page.get(f"{address(runs[:2])},{'a' * 32}")
    assert response.status_code == 404
    assert "a" * 32 in response.content.decode()


def test_more_runs_cost_no_more_queries(maria_page: Client, runs: list[Run]) -> None:
    counts = []
    for few in (runs[:2], runs):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            maria_page.get(address(few))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 15


def test_lines_say_what_each_has() -> None:
    (line,) = lines([{"auc": 0.5}, {"auc": 0.75}, {}])
    assert line.differs
    assert [(cell.value, cell.signed) for cell in line.cells] == [(0.5, ""), (0.75, "+0.25"), (None, "")]
    assert not lines([{"loss": float("nan")}, {"loss": float("nan")}])[0].differs
    assert lines([{"depth": "3"}, {"depth": "5"}])[0].cells[1].signed == ""
