"""Reads filters and order_by items: text in, conditions and orderings out. Knows no entity's fields."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lark import Lark, Token, Tree, UnexpectedCharacters, UnexpectedToken

from registry_site.core.errors import InvalidParameter

MAX_FILTER_LENGTH = 10_000
MAX_CLAUSES = 100
MAX_ORDERINGS = 10
MAX_ORDERING_LENGTH = 1_000
_LONGEST_WHOLE_NUMBER = 40  # digits; beyond them a float says as much, and Python refuses to read very long integers


class Operator(StrEnum):
    """A comparison; its value is how it is written."""

    EQUAL = "="
    NOT_EQUAL = "!="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    LIKE = "LIKE"
    ILIKE = "ILIKE"
    IN = "IN"
    NOT_IN = "NOT IN"
    IS_NULL = "IS NULL"
    IS_NOT_NULL = "IS NOT NULL"


Value = str | int | float | tuple[str, ...] | None


@dataclass(frozen=True)
class Condition:
    """One comparison of a filter, such as `tags.team = 'risk'` with the entity "tags" and the key "team".

    Without a prefix the entity is None. The value is a tuple for IN and NOT IN, None for IS NULL and IS NOT
    NULL, an int or a float (NaN and infinities included) for a bare number, and a str for quoted text.
    `column` counts from 1.
    """

    entity: str | None
    key: str
    operator: Operator
    value: Value
    column: int

    @property
    def name(self) -> str:
        return _joined(self.entity, self.key)


@dataclass(frozen=True)
class Ordering:
    """One item of an order_by list, with its entity and key as in `Condition`.

    `only` narrows the rows of a collection that count, as (column, value) pairs: a metric on one dataset. It
    is never parsed.
    """

    entity: str | None
    key: str
    descending: bool
    only: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        return _joined(self.entity, self.key)


def parse_filter(text: str | None) -> tuple[Condition, ...]:
    """The comparisons of a filter, all of which must hold; none for an absent or blank filter.

    Raises InvalidParameter that says where the filter stopped making sense and what was expected there.
    """
    if text is None or not text.strip():
        return ()
    if len(text) > MAX_FILTER_LENGTH:
        raise InvalidParameter(
            f"The filter has {len(text):,} characters; at most {MAX_FILTER_LENGTH:,} are allowed.",
            field="filter",
        )
    tree = _parse(text, "filter", lambda problem: f"Invalid clause(s) in filter string: {problem}", field="filter")
    if len(tree.children) > MAX_CLAUSES:
        raise InvalidParameter(
            f"The filter has {len(tree.children):,} clauses; at most {MAX_CLAUSES} are allowed.",
            field="filter",
        )
    return tuple(_condition(clause) for clause in tree.children if isinstance(clause, Tree))


def parse_order_by(items: Sequence[str]) -> tuple[Ordering, ...]:
    """The orderings of an order_by list, ascending where no direction is given.

    Raises InvalidParameter for an item that is not `<key> [ASC|DESC]`, for a key given twice, and for too
    many items.
    """
    if len(items) > MAX_ORDERINGS:
        raise InvalidParameter(
            f"order_by has {len(items)} items; at most {MAX_ORDERINGS} are allowed.", field="order_by"
        )
    orderings = tuple(_ordering(item) for item in items)
    seen = set()
    for ordering in orderings:
        if ordering.name in seen:
            raise InvalidParameter(f"order_by names '{ordering.name}' twice; name each key once.", field="order_by")
        seen.add(ordering.name)
    return orderings


def _ordering(item: str) -> Ordering:
    if len(item) > MAX_ORDERING_LENGTH:
        raise InvalidParameter(
            f"An order_by item has {len(item):,} characters; at most {MAX_ORDERING_LENGTH:,} are allowed.",
            field="order_by",
        )
    tree = _parse(item, "ordering", lambda problem: f"Invalid order_by clause {item!r}: {problem}", field="order_by")
    key, *direction = _tokens(tree)
    return Ordering(*_entity_and_key(key), descending=any(word.type == "DESC" for word in direction))


_lark = Lark.open(
    "grammar.lark",
    rel_to=__file__,
    parser="lalr",
    lexer="contextual",
    start=["filter", "ordering"],
    maybe_placeholders=False,
)


def _parse(text: str, start: str, complain: Callable[[str], str], field: str) -> Tree[Token]:
    # No database takes NUL in text, and lone surrogates (JSON can carry them) cannot be sent to one at all.
    unusable = re.search("[\0\ud800-\udfff]", text)
    if unusable:
        raise InvalidParameter(
            complain(f"a character that cannot be stored, at column {unusable.start() + 1}."), field=field
        )
    try:
        return _lark.parse(text, start=start)
    except UnexpectedCharacters as error:
        raise InvalidParameter(complain(_problem(text, error.pos_in_stream or 0, error.allowed)), field=field) from None
    except UnexpectedToken as error:
        at_end = error.token.type == "$END"
        position = len(text.rstrip()) if at_end else error.token.start_pos or 0
        raise InvalidParameter(
            complain(_problem(text, position, error.accepts or error.expected)), field=field
        ) from None


def _condition(clause: Tree[Token]) -> Condition:
    key, *rest = _tokens(clause)
    words = " ".join(token.upper() for token in rest if token.type not in ("STRING", "NUMBER"))
    return Condition(
        *_entity_and_key(key),
        operator=Operator(words),
        value=_value(clause.data, rest),
        column=(key.start_pos or 0) + 1,
    )


def _value(shape: str, tokens: list[Token]) -> Value:
    if shape == "nullness":
        return None
    if shape == "listed":
        return tuple(_unquoted(token) for token in tokens if token.type == "STRING")
    literal = tokens[-1]
    return _number(literal) if literal.type == "NUMBER" else _unquoted(literal)


def _tokens(tree: Tree[Token]) -> list[Token]:
    return [child for child in tree.children if isinstance(child, Token)]


def _number(literal: str) -> int | float:
    is_whole = re.fullmatch("[+-]?[0-9]+", literal) and len(literal) <= _LONGEST_WHOLE_NUMBER
    return int(literal) if is_whole else float(literal)


def _unquoted(literal: str) -> str:
    """Doubled quotes, and quotes or backslashes after a backslash, count once; other backslashes stay."""
    quote, inner = literal[0], literal[1:-1]
    return re.sub(rf"{quote}{quote}|\\(['\"\\])", lambda found: found[1] or quote, inner)


def _entity_and_key(token: str) -> tuple[str | None, str]:
    if token[0] in '`"':
        return None, str(token[1:-1])
    entity, dot, key = str(token).partition(".")
    if not dot:
        return None, entity
    return entity, key[1:-1] if key[0] in '`"' else key


def _joined(entity: str | None, key: str) -> str:
    return f"{entity}.{key}" if entity else key


# -- saying what is wrong ------------------------------------------------------------------------------------
_EXPECTED = {
    "KEY": "a key such as name or tags.team",
    "COMPARISON": "an operator (=, !=, >, >=, <, <=, LIKE, ILIKE, IN, NOT IN, IS NULL, IS NOT NULL)",
    "STRING": "text in quotes",
    "NUMBER": "a number",
    "_AND": "AND",
    "_OPEN": "(",
    "_CLOSE": ")",
    "_COMMA": "a comma",
    "NULL": "NULL",
    "ASC": "ASC",
    "DESC": "DESC",
    "$END": "the end",
}
_PART_OF_OPERATOR = {"LIKE", "ILIKE", "IN", "IS", "NOT"}  # told under COMPARISON when that is expected too
_HINTS = (
    (r"OR\b", "OR is not part of the filter language; clauses are joined by AND."),
    (r"\(", "Parentheses only hold the list of IN."),
    (r";", "A filter has no ; at its end."),
    (
        r"[-/:@ #$%&*+?~^]",
        "A key with other characters than letters, digits, _ and . stands in backticks: tags.`my-key`.",
    ),
)
_HINTS_FOR_VALUES = (
    (r"\w", "Text must stand in quotes: name = 'fraud'."),
    (r"['\"]", "The quote is never closed."),
    (r"=", "Equality is written with one =."),
    (r">", "Inequality is written !=."),
)


def _problem(text: str, position: int, expected: Iterable[str]) -> str:
    found = re.match(r"[\w.]{1,40}|\S", text[position:])
    what = f"'{found[0]}'" if found else "the end"
    names = set(expected)
    wanted = _one_of(
        [words for name, words in _EXPECTED.items() if name in names]
        or sorted(name.strip("_") for name in names & _PART_OF_OPERATOR)
    )
    return f"expected {wanted} at column {position + 1}, found {what}.{_hint(text[position:], names)}"


def _hint(rest: str, expected: set[str]) -> str:
    for pattern, hint in _HINTS_FOR_VALUES if "STRING" in expected else _HINTS:
        if re.match(pattern, rest, re.IGNORECASE):
            return " " + hint
    return ""


def _one_of(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
