"""Searches of one click: what is chosen, and the search that a click leads to. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from registry_site.core.errors import InvalidParameter
from registry_site.search.words import split_search

_TERM = re.compile(r'(?:[^\s"]|"[^"]*"?)+')


@dataclass(frozen=True, slots=True)
class FacetLink:
    """A link of the list: `q` is the search that it leads to, which has the term, or has it no more; `count`, where it
    is known, says how many that finds."""

    label: str
    q: str
    current: bool
    count: str = ""


class Terms:
    """The terms of a search box. A filter of the filter language is no list of terms: a facet takes its place."""

    def __init__(self, text: str) -> None:
        try:
            is_filter = bool(split_search(text).conditions)
        except InvalidParameter:
            is_filter = True
        self._terms = [] if is_filter else _TERM.findall(text)

    def toggle(self, term: str, label: str, count: str = "") -> FacetLink:
        """A link that adds the term, or takes it away where it is there."""
        there = term in self._terms
        return FacetLink(label, _joined(self._without(term) if there else [*self._terms, term]), there, count)

    def choice(self, key: str, term: str, label: str, count: str = "") -> FacetLink:
        """A link that puts the term in the place of another one with this key; where it is chosen, takes it away."""
        others = [each for each in self._terms if not each.startswith(f"{key}:")]
        there = term in self._terms
        return FacetLink(label, _joined(others if there else [*others, term]), there, count)

    def chips(self, besides: Iterable[str]) -> list[FacetLink]:
        """A link for each `key:value` that was chosen in another way, which takes it away."""
        shown = set(besides)
        chosen = [each for each in self._terms if each not in shown and split_search(each).facets]
        return [FacetLink(each.replace('"', ""), _joined(self._without(each)), True) for each in chosen]

    def _without(self, term: str) -> list[str]:
        return [each for each in self._terms if each != term]


def _joined(terms: Iterable[str]) -> str:
    return " ".join(terms)
