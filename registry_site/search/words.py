"""Reads what people type into a search box: a filter if it is one, else words and `key:value` terms."""

import re
from dataclasses import dataclass

from registry_site.core.errors import InvalidParameter
from registry_site.search.parser import MAX_CLAUSES, MAX_FILTER_LENGTH, Condition, parse_filter

_COMPARISON = re.compile(r"""(?:[^\W\d][\w.]*(?:`[^`]+`|"[^"]+")?|`[^`]+`|"[^"]+")\s*(?:!=|[<>]=?|=)""")
_TERM = re.compile(r"""(?:(?P<key>[^\W\d][\w.-]*):(?=[^\s/]))?(?:"(?P<quoted>[^"]+)"|(?P<plain>\S+))""")


@dataclass(frozen=True)
class Facet:
    """A `key:value` term: stage:production, tag.team:"risk ml". The key's first word is in lower case."""

    key: str
    value: str

    @property
    def tag(self) -> str | None:
        """The tag's key if the facet asks for a tag."""
        entity, _, key = self.key.partition(".")
        return key or None if entity in ("tag", "tags") else None


@dataclass(frozen=True)
class Search:
    """What was typed: conditions of the filter language, or words and facets. All of them must be met."""

    conditions: tuple[Condition, ...] = ()
    words: tuple[str, ...] = ()
    facets: tuple[Facet, ...] = ()


def split_search(text: str | None) -> Search:
    """Reads a search box. Words may be phrases in double quotes.

    Text that starts like a comparison (`name =`, `metrics.auc >`) is meant as a filter, and raises
    InvalidParameter where it is not a right one; so does text that is too long.
    """
    text = (text or "").strip()
    if len(text) > MAX_FILTER_LENGTH:
        raise InvalidParameter(f"The search has {len(text):,} characters; at most {MAX_FILTER_LENGTH:,} are allowed.")
    try:
        return Search(conditions=parse_filter(text))
    except InvalidParameter:
        if _COMPARISON.match(text):
            raise
        return _words(text)


def _words(text: str) -> Search:
    words: list[str] = []
    facets: list[Facet] = []
    for term in _TERM.finditer(re.sub("[\0\ud800-\udfff]", " ", text)):
        value = term["quoted"] or term["plain"]
        if term["key"]:
            facets.append(Facet(_folded(term["key"]), value))
        else:
            words.append(value)
    if len(words) + len(facets) > MAX_CLAUSES:
        raise InvalidParameter(f"The search has more than {MAX_CLAUSES} words; use fewer.")
    return Search(words=tuple(words), facets=tuple(facets))


def _folded(key: str) -> str:
    entity, dot, rest = key.partition(".")
    return entity.lower() + dot + rest
