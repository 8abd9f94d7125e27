"""What is drawn of things that are compared, and what can be chosen."""

import pytest

from registry_site.core.errors import InvalidParameter
from registry_site.pages.plots_beside import Thing, plots_of

SMALL = Thing("small", 0, {"auc": 0.8, "train_loss": 0.3, "rows": 10.0}, {"depth": "3", "kind": "gbm", "seed": "1"})
LARGE = Thing("large", 1, {"auc": 0.9, "train_loss": 0.2, "rows": 10.0}, {"depth": "8", "kind": "rf", "seed": "1"})
OTHER = Thing("other", 2, {"auc": 0.7}, {"kind": "gbm"})


def test_what_differs_is_drawn_params_before_metrics() -> None:
    plots = plots_of([SMALL, LARGE, OTHER])
    assert plots is not None
    assert plots.lines is not None
    assert [axis.name for axis in plots.lines.axes] == ["depth", "kind", "seed", "auc", "rows", "train_loss"]
    assert (plots.x, plots.y) == ("depth", "auc")
    assert plots.points is not None
    assert [(mark.label, mark.css) for mark in plots.points.marks] == [("small", "series-1"), ("large", "series-2")]
    assert (plots.metrics, plots.params) == (["auc", "rows", "train_loss"], ["depth", "seed"])


def test_axes_are_chosen_by_name() -> None:
    plots = plots_of([SMALL, LARGE, OTHER], x="train_loss", y="depth")
    assert plots is not None
    assert plots.points is not None
    assert plots.points.marks[0].said == "small: 0.3000, 3.000"
    for name in ("kind", "nothing", "auc (param)"):
        with pytest.raises(InvalidParameter, match="has a number called"):
            plots_of([SMALL, LARGE], x=name)


def test_a_param_is_told_from_a_metric_of_the_same_name() -> None:
    one, other = (Thing(name, 0, {"lr": value}, {"lr": str(value * 2)}) for name, value in (("a", 1.0), ("b", 2.0)))
    plots = plots_of([one, other])
    assert plots is not None
    assert (plots.metrics, plots.params) == (["lr"], ["lr (param)"])
    assert (plots.x, plots.y) == ("lr (param)", "lr")


def test_with_nothing_to_choose_from_nothing_is_drawn() -> None:
    assert plots_of([]) is None
    assert plots_of([Thing("a", 0, {}, {"depth": "1"}), Thing("b", 1, {}, {"depth": "2"})]) is None
    assert plots_of([Thing("a", 0, {"auc": 1.0}, {}), Thing("b", 1, {"auc": 0.9}, {})]) is None
