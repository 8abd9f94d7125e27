"""The filter language as text: what is read, and what is said about text that is not."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_site.core.errors import InvalidParameter
from registry_site.search.parser import Condition, Operator, Ordering, parse_filter, parse_order_by
from registry_site.search.words import Facet, Search, split_search
from tests.effort import little_effort


def only_condition(text: str) -> Condition:
    (condition,) = parse_filter(text)
    return condition


def complaint(text: str) -> str:
    with pytest.raises(InvalidParameter) as refusal:
        parse_filter(text)
    assert refusal.value.field == "filter"
    return refusal.value.message


@pytest.mark.parametrize("text", [None, "", "   ", "\n\t"])
def test_an_absent_or_blank_filter_has_no_conditions(text: str | None) -> None:
    assert parse_filter(text) == ()


@pytest.mark.parametrize(
    ("text", "entity", "key"),
    [
        ("name = 'x'", None, "name"),
        ("attribute.name = 'x'", "attribute", "name"),
        ("attributes.start_time = 'x'", "attributes", "start_time"),
        ("tags.team = 'x'", "tags", "team"),
        ("tags.mlflow.user = 'x'", "tags", "mlflow.user"),
        ("tags.`a.b c` = 'x'", "tags", "a.b c"),
        ("tags.\"a-b\" = 'x'", "tags", "a-b"),
        ("params.1st = 'x'", "params", "1st"),
        ("tags.in = 'x'", "tags", "in"),
        ("metrics.précision = 'x'", "metrics", "précision"),
        ("like_count = 'x'", None, "like_count"),
        ("run name = 'x'", None, "run name"),
        ("Run Name = 'x'", None, "Run Name"),
        ("attributes.Run Name = 'x'", "attributes", "Run Name"),
        ("`run name` = 'x'", None, "run name"),
        ("attributes.`run name` = 'x'", "attributes", "run name"),
    ],
)
def test_a_key_is_read_with_its_prefix(text: str, entity: str | None, key: str) -> None:
    assert only_condition(text) == Condition(entity, key, Operator.EQUAL, "x", column=1)


@pytest.mark.parametrize(
    ("written", "operator"),
    [
        ("=", Operator.EQUAL),
        ("!=", Operator.NOT_EQUAL),
        (">", Operator.GREATER),
        (">=", Operator.GREATER_OR_EQUAL),
        ("<", Operator.LESS),
        ("<=", Operator.LESS_OR_EQUAL),
    ],
)
@pytest.mark.parametrize("space", ["", " ", "  \n"])
def test_a_number_is_compared(written: str, operator: Operator, space: str) -> None:
    assert only_condition(f"metrics.auc{space}{written}{space}5") == Condition("metrics", "auc", operator, 5, column=1)


@pytest.mark.parametrize(
    ("written", "operator"),
    [("LIKE", Operator.LIKE), ("like", Operator.LIKE), ("ILIKE", Operator.ILIKE), ("iLike", Operator.ILIKE)],
)
def test_a_pattern_is_compared_in_any_case_of_the_keyword(written: str, operator: Operator) -> None:
    assert only_condition(f"name {written} '%a_'") == Condition(None, "name", operator, "%a_", column=1)


@pytest.mark.parametrize(
    ("text", "operator", "value"),
    [
        ("run_id IN ('a')", Operator.IN, ("a",)),
        ("run_id in('a',\"b\" , 'c')", Operator.IN, ("a", "b", "c")),
        ("run_id NOT IN ('a')", Operator.NOT_IN, ("a",)),
        ("run_id not  in ('a', 'b')", Operator.NOT_IN, ("a", "b")),
        ("run_id IS NULL", Operator.IS_NULL, None),
        ("run_id is not\nnull", Operator.IS_NOT_NULL, None),
    ],
)
def test_lists_and_presence_are_read(text: str, operator: Operator, value: tuple[str, ...] | None) -> None:
    assert only_condition(text) == Condition(None, "run_id", operator, value, column=1)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("'it''s'", "it's"),
        (r"'it\'s'", "it's"),
        ('"say ""hi"""', 'say "hi"'),
        ("'say \"hi\"'", 'say "hi"'),
        (r"'C:\models'", r"C:\models"),
        (r"'ends in \\'", "ends in \\"),
        ("''", ""),
        ("'AND'", "AND"),
        ("'two\nlines'", "two\nlines"),
        ("'🙂 Käse'", "🙂 Käse"),
    ],
)
def test_quoted_text_is_unquoted(written: str, value: str) -> None:
    assert only_condition(f"name = {written}").value == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("5", 5),
        ("-5", -5),
        ("+5", 5),
        ("0.5", 0.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-3", 0.001),
        ("-2.5E+3", -2500.0),
    ],
)
def test_a_number_keeps_its_type(written: str, value: float) -> None:
    found = only_condition(f"metrics.auc = {written}").value
    assert found == value
    assert type(found) is type(value)


def test_numbers_beyond_all_numbers_are_read() -> None:
    assert math.isnan(float(str(only_condition("metrics.loss = NaN").value)))
    assert only_condition("metrics.loss = -inf").value == -math.inf
    assert only_condition("metrics.loss < Infinity").value == math.inf
    assert only_condition("metrics.loss < 1e999").value == math.inf
    assert only_condition("metrics.loss < " + "9" * 9_000).value == math.inf


def test_clauses_are_joined_by_and_and_know_their_columns() -> None:
    conditions = parse_filter("name LIKE 'a%' AND tags.team = 'risk' and metrics.auc > 0.9")
    assert [(condition.name, condition.column) for condition in conditions] == [
        ("name", 1),
        ("tags.team", 20),
        ("metrics.auc", 43),
    ]


def test_a_hundred_clauses_are_read_and_one_more_is_refused() -> None:
    assert len(parse_filter(" AND ".join(["a = 1"] * 100))) == 100
    assert complaint(" AND ".join(["a = 1"] * 101)) == "The filter has 101 clauses; at most 100 are allowed."


def test_a_filter_of_ten_thousand_characters_is_read_and_a_longer_one_is_refused() -> None:
    assert only_condition("name = '" + "x" * 9_991 + "'").key == "name"
    assert complaint("name = '" + "x" * 9_992 + "'") == "The filter has 10,001 characters; at most 10,000 are allowed."


_ANY_OPERATOR = "an operator (=, !=, >, >=, <, <=, LIKE, ILIKE, IN, NOT IN, IS NULL, IS NOT NULL)"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name", f"expected {_ANY_OPERATOR} at column 5, found the end."),
        ("name =", "expected text in quotes or a number at column 7, found the end."),
        (
            "name = fraud",
            "expected text in quotes or a number at column 8, found 'fraud'. "
            "Text must stand in quotes: name = 'fraud'.",
        ),
        (
            "name = 'fraud",
            "expected text in quotes or a number at column 8, found '''. The quote is never closed.",
        ),
        (
            "name = 'a' OR name = 'b'",
            "expected AND or the end at column 12, found 'OR'. "
            "OR is not part of the filter language; clauses are joined by AND.",
        ),
        (
            "(name = 'a')",
            "expected a key such as name or tags.team at column 1, found '('. Parentheses only hold the list of IN.",
        ),
        ("name = 'a';", "expected AND at column 11, found ';'. A filter has no ; at its end."),
        ("name = 'a' AND", "expected a key such as name or tags.team at column 15, found the end."),
        ("name = 'a' name = 'b'", "expected AND or the end at column 12, found 'name'."),
        (
            "name == 'a'",
            "expected text in quotes or a number at column 7, found '='. Equality is written with one =.",
        ),
        (
            "name <> 'a'",
            "expected text in quotes or a number at column 7, found '>'. Inequality is written !=.",
        ),
        (
            "tags.a-b = 'x'",
            f"expected {_ANY_OPERATOR} at column 7, found '-'. "
            "A key with other characters than letters, digits, _ and . stands in backticks: tags.`my-key`.",
        ),
        ("run_id IN ()", "expected text in quotes at column 12, found ')'."),
        (
            "run_id IN (1)",
            "expected text in quotes at column 12, found '1'. Text must stand in quotes: name = 'fraud'.",
        ),
        ("run_id IN ('a'", "expected ) or a comma at column 15, found the end."),
        ("run_id IN 'a'", "expected ( at column 11, found '''."),
        ("run_id NOT LIKE 'a'", "expected IN at column 12, found 'LIKE'."),
        ("run_id IS 'a'", "expected NULL at column 11, found '''."),
        (
            "name LIKE 5",
            "expected text in quotes at column 11, found '5'. Text must stand in quotes: name = 'fraud'.",
        ),
        ("name = 'a\0'", "a character that cannot be stored, at column 10."),
        ("name = '\ud800'", "a character that cannot be stored, at column 9."),
    ],
)
def test_a_wrong_filter_is_answered_with_the_place_and_what_was_expected(text: str, problem: str) -> None:
    assert complaint(text) == f"Invalid clause(s) in filter string: {problem}"


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000,
        "'" * 9_999,
        "`" * 9_999,
        "name = '" + "\\'" * 4_995,
        "a." * 5_000,
        "name" + " " * 9_990 + "x",
        "a = 1 AND " * 999,
        "a IN (" + "'a'," * 2_000,
        "1e" * 5_000,
        "x = " + "9" * 9_000 + "x",
    ],
)
def test_hostile_text_is_answered_at_once(text: str) -> None:
    with little_effort(), pytest.raises(InvalidParameter):
        parse_filter(text)


_fragments = st.sampled_from(
    [
        "name",
        "tags.`a b`",
        "metrics.auc",
        "=",
        "!=",
        "LIKE",
        "NOT",
        "IN",
        "IS",
        "NULL",
        "AND",
        "OR",
        "(",
        ")",
        ",",
        ";",
        "'text'",
        '"text"',
        "'",
        '"',
        "`",
        "1",
        "-2.5e3",
        "NaN",
        " ",
        "\\",
        "\x00",
        "�",
        "run name",
        "DESC",
    ]
)
_texts = st.one_of(
    st.text(max_size=200), st.lists(_fragments, max_size=30).map(" ".join), st.lists(_fragments).map("".join)
)


@given(_texts)
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        conditions = parse_filter(text)
    except InvalidParameter as refusal:
        assert refusal.message.startswith("Invalid clause(s) in filter string: ")
        refusal.message.encode()
    else:
        assert all(condition.key and 1 <= condition.column <= len(text) for condition in conditions)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300))
def test_any_text_can_be_quoted(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace("'", "''")
    assert only_condition(f"tags.note = '{quoted}'").value == text


# -- order_by ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("item", "ordering"),
    [
        ("name", Ordering(None, "name", descending=False)),
        ("name ASC", Ordering(None, "name", descending=False)),
        ("name desc", Ordering(None, "name", descending=True)),
        ("metrics.`a b` DESC", Ordering("metrics", "a b", descending=True)),
        ("attributes.start_time", Ordering("attributes", "start_time", descending=False)),
        ("Run Name DESC", Ordering(None, "Run Name", descending=True)),
        (' "name" ', Ordering(None, "name", descending=False)),
    ],
)
def test_an_ordering_is_read(item: str, ordering: Ordering) -> None:
    assert parse_order_by([item]) == (ordering,)


@pytest.mark.parametrize(
    ("items", "problem"),
    [
        (
            ["name upwards"],
            "Invalid order_by clause 'name upwards': expected ASC, DESC or the end at column 6, found 'upwards'.",
        ),
        (
            ["name, version"],
            "Invalid order_by clause 'name, version': expected ASC, DESC or the end at column 5, found ','.",
        ),
        (
            [""],
            "Invalid order_by clause '': expected a key such as name or tags.team at column 1, found the end.",
        ),
        (
            ["name DESC DESC"],
            "Invalid order_by clause 'name DESC DESC': expected the end at column 11, found 'DESC'.",
        ),
        (["name", "name DESC"], "order_by names 'name' twice; name each key once."),
        (
            ["\ud800"],
            "Invalid order_by clause '\\ud800': a character that cannot be stored, at column 1.",
        ),
        (["a" * 1_001], "An order_by item has 1,001 characters; at most 1,000 are allowed."),
        ([f"k{number}" for number in range(11)], "order_by has 11 items; at most 10 are allowed."),
    ],
)
def test_a_wrong_ordering_is_answered_in_words(items: list[str], problem: str) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        parse_order_by(items)
    assert refusal.value.message == problem


# -- the search box ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("typed", "search"),
    [
        (None, Search()),
        ("  ", Search()),
        ("fraud", Search(words=("fraud",))),
        ("credit risk", Search(words=("credit", "risk"))),
        ('"credit risk" v2', Search(words=("credit risk", "v2"))),
        ("model like bert", Search(words=("model", "like", "bert"))),
        ("O'Brien", Search(words=("O'Brien",))),
        ("fraud stage:production", Search(words=("fraud",), facets=(Facet("stage", "production"),))),
        ("tag.team:risk-ml", Search(facets=(Facet("tag.team", "risk-ml"),))),
        ('Tag.Team:"risk ml"', Search(facets=(Facet("tag.Team", "risk ml"),))),
        ("https://example.org", Search(words=("https://example.org",))),
        ("stage:", Search(words=("stage:",))),
        ("a\0b", Search(words=("a", "b"))),
        ("name LIKE '%bert%'", Search(conditions=(Condition(None, "name", Operator.LIKE, "%bert%", 1),))),
        ("tags.team IS NULL", Search(conditions=(Condition("tags", "team", Operator.IS_NULL, None, 1),))),
    ],
)
def test_what_is_typed_is_a_filter_or_words(typed: str | None, search: Search) -> None:
    assert split_search(typed) == search


@pytest.mark.parametrize(
    "typed", ["name = fraud", "metrics.auc >", "tags.`a b`= x", "name=", "name = 'a' OR name = 'b'"]
)
def test_a_half_typed_filter_is_told_what_it_lacks(typed: str) -> None:
    with pytest.raises(InvalidParameter, match=r"^Invalid clause\(s\) in filter string: "):
        split_search(typed)


def test_a_facet_of_a_tag_knows_the_tag() -> None:
    assert Facet("tag.team", "risk").tag == "team"
    assert Facet("tags.mlflow.user", "maria").tag == "mlflow.user"
    assert Facet("stage", "production").tag is None


@given(_texts)
def test_any_text_may_be_typed_into_the_search_box(text: str) -> None:
    try:
        search = split_search(text)
    except InvalidParameter as refusal:
        assert refusal.message.startswith(
            ("Invalid clause(s) in filter string: ", "The search has more than 100 words")
        )
    else:
        "".join(search.words).encode()


def test_a_long_search_is_refused_and_a_hostile_one_answered_at_once() -> None:
    with pytest.raises(InvalidParameter, match=r"^The search has 10,001 characters; at most 10,000 are allowed\.$"):
        split_search("a" * 10_001)
    with pytest.raises(InvalidParameter, match=r"^The search has more than 100 words; use fewer\.$"):
        split_search("a " * 101)
    with little_effort():
        split_search("a" * 10_000)
        split_search("a:" * 5_000)
        split_search('"' * 10_000)
