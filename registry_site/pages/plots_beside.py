"""The plots of things that are compared: a line for each over many axes, and one value beside another. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from registry_site.core.errors import InvalidParameter
from registry_site.pages.drawings import MOST_AXES, Drawing, as_number, parallel, scatter
from registry_site.pages.marks import headline_metrics
from registry_site.pages.side_by_side import Value, lines

PARAMS_ON_AXES = 4


@dataclass(frozen=True, slots=True)
class Thing:
    """A run or version: its name, what it was given, and what it was measured at. Its place is that of its colour."""

    name: str
    place: int
    metrics: Mapping[str, float]
    params: Mapping[str, str]

    @property
    def css(self) -> str:
        return f"series-{self.place % 6 + 1}"


@dataclass(frozen=True, slots=True)
class Plots:
    """Both drawings, None where there is nothing to draw, and what can be chosen for the second."""

    things: Sequence[Thing]
    lines: Drawing | None
    points: Drawing | None
    x: str
    y: str
    metrics: Sequence[str]
    params: Sequence[str]


def plots_of(things: Sequence[Thing], *, x: str = "", y: str = "") -> Plots | None:
    """What to draw of these; `x` and `y` are names of metrics and params, chosen here where they are empty.

    None where there is nothing to choose from. Raises InvalidParameter for a name that none of them has.
    """
    metrics = sorted({key for thing in things for key in thing.metrics})
    params = {key: _called(key, metrics) for key in sorted({key for thing in things for key in thing.params})}
    values: list[dict[str, Value]] = [
        {**thing.metrics, **{params[key]: value for key, value in thing.params.items()}} for thing in things
    ]
    numeric = [name for name in params.values() if sum(as_number(each.get(name)) is not None for each in values) > 1]
    if not metrics or len(metrics) + len(numeric) < 2:
        return None
    for field, name in (("x", x), ("y", y)):
        if name and name not in {*metrics, *numeric}:
            raise InvalidParameter(
                _("None of them has a number called %(name)s: choose a metric, or a param that is a number.")
                % {"name": name[:100]},
                field=field,
            )
    differing = {line.name for line in lines(values) if line.differs}
    measured = [name for name, _value in headline_metrics(dict.fromkeys(metrics, 0.0), most=len(metrics))]
    y = y or next((name for name in measured if name in differing), measured[0])
    x = x or next((name for name in [*numeric, *measured] if name in differing and name != y), measured[-1])
    axes = [name for name in params.values() if name in differing][:PARAMS_ON_AXES]
    axes += [name for name in measured if name in differing][: MOST_AXES - len(axes)]
    drawn = [(thing.name, each, thing.css) for thing, each in zip(things, values, strict=True)]
    return Plots(
        things=things,
        lines=parallel(drawn, axes),
        points=scatter([(name, each.get(x), each.get(y), css) for name, each, css in drawn]),
        x=x,
        y=y,
        metrics=metrics,
        params=numeric,
    )


def _called(param: str, metrics: Sequence[str]) -> str:
    """A param's name, told from a metric of the same one."""
    return f"{param} (param)" if param in metrics else param
