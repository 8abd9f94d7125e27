"""What stands in tables of runs hundreds of times: all of a kind in one row is made by one call."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator

from registry_site.pages.run_table import Column
from registry_site.pages.templatetags.ui import NOTHING, num, stage_pill, tag_chip

if TYPE_CHECKING:
    from registry_site.registry.queries import VersionOfRun

register = template.Library()

PARAM_SHOWN, PARAM_IN_TITLE = 120, 500  # characters
CHIPS = 3  # in a cell
_EMPTY = SafeString("")


@register.filter
@lru_cache(maxsize=4096)  # a page of runs has 50 of them, and asks for the newest ones again and again
def address_of_run(run_id: str) -> str:
    """The address of the page of a run."""
    return reverse("run", args=[run_id])


@register.simple_tag
def run_cells(cells: Iterable[tuple[Column, Any]]) -> SafeString:
    """The cells of metrics, which are numbers, and of params, which are texts; None where the run has logged none."""
    return _joined(_cell(column, value) for column, value in cells)


def _cell(column: Column, value: Any) -> SafeString:
    opening = _opening(column, value is None)
    if value is None:
        return opening + NOTHING + _END
    if column.is_metric:
        return opening + num(value) + _END
    title, shown = _cut(value, PARAM_IN_TITLE), _cut(value, PARAM_SHOWN)
    return opening + format_html('<span class="param" title="{}">{}</span></td>', title, shown)


_END = mark_safe("</td>")  # has no value in it


@lru_cache(maxsize=512)
def _opening(column: Column, is_empty: bool) -> SafeString:
    css = " ".join(["number"] * column.is_metric + ["hide-small"] * is_empty)
    return format_html('<td data-label="{}" class="{}">', column.key, css)


@register.simple_tag
def version_chip(version: Any) -> SafeString:
    """A version that was made of a run, with its model and stage, and the way to it."""
    return _version_chip(version.registered_model.name, version.version, version.current_stage)


@lru_cache(maxsize=4096)  # a page of runs has 150 of them
def _version_chip(name: str, number: int, stage: str) -> SafeString:
    pill = stage_pill(stage, label=f"v{number}")
    return format_html(
        '<a class="version-link" href="{}" title="{} v{}"><span>{}</span>{}</a>',
        *(reverse("version", args=[name, number]), name, number, name, pill),
    )


@register.simple_tag
def version_chips(versions: "Sequence[VersionOfRun]") -> SafeString:
    """The first three versions that were made of a run, and how many more there are."""
    return _first_ones(
        "cluster cluster-tight", versions, lambda one: _version_chip(one.name, one.version, one.current_stage)
    )


@register.simple_tag
def run_tags(tags: Sequence[Any]) -> SafeString:
    """The first three tags of a run, and how many more there are."""
    return _first_ones("run-tags", tags, lambda tag: tag_chip(tag.key, tag.value))


def _first_ones(css: str, ones: Sequence[Any], chip: Callable[[Any], SafeString]) -> SafeString:
    if not ones:
        return _EMPTY
    more = format_html('<span class="meta">+{}</span>', len(ones) - CHIPS) if len(ones) > CHIPS else _EMPTY
    return format_html('<span class="{}">{}{}</span>', css, _joined(map(chip, ones[:CHIPS])), more)


def _joined(parts: Iterable[SafeString]) -> SafeString:
    return mark_safe("".join(parts))  # what is safe stays so


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else Truncator(text).chars(most)
