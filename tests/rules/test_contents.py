"""Model cards, input examples and safetensors headers, read from strangers' files."""

import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_site.artifacts.contents import (
    MAX_HEADER,
    Example,
    Tensor,
    header_length,
    read_card,
    read_example,
    read_header,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def test_a_card_with_front_matter() -> None:
    card = read_card(
        "---\nlicense: apache-2.0\ntags: [churn, tabular]\nmodel-index: [{name: a}]\nempty:\n---\n"
        "\n# Churn\n\nWho leaves.\n"
    )
    assert card is not None
    assert card.facts == {"license": "apache-2.0", "tags": "churn, tabular", "model-index": "…"}
    assert card.text == "# Churn\n\nWho leaves."


@pytest.mark.parametrize(
    ("text", "facts", "body"),
    [
        ("# Churn", {}, "# Churn"),
        ("---\nnot closed: 1\n# Churn", {}, "---\nnot closed: 1\n# Churn"),
        ("---\r\na: b\r\n---\r\ntext", {"a": "b"}, "text"),
        ("---\njust words\n---\ntext", {}, "text"),
        ("---\na: !!python/object:os.system {}\n---\ntext", {}, "text"),
        ("---\na: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n---\ntext", {"a": "x, x", "b": "…", "c": "…"}, "text"),
        ("a\n\n---\n\nb", {}, "a\n\n---\n\nb"),
    ],
)
def test_odd_cards(text: str, facts: dict[str, str], body: str) -> None:
    card = read_card(text)
    assert card is not None
    assert (card.facts, card.text) == (facts, body)


def test_a_card_that_is_a_bomb_is_shown_without_its_front_matter() -> None:
    names = zip("abcdefgh", "bcdefghi", strict=True)
    levels = [f"{name}: &{name} [{','.join(['*' + before] * 9)}]" for before, name in names]
    card = read_card("---\na: &a [x,x,x,x,x,x,x,x,x]\n" + "\n".join(levels) + "\n---\ntext")
    assert card is not None
    assert (card.facts, card.text) == ({}, "text")


def test_no_card_in_an_empty_file() -> None:
    assert read_card("") is None
    assert read_card("---\n---\n") is None


def test_an_example_of_a_table_shows_its_first_rows() -> None:
    text = json.dumps({"columns": ["tenure", "plan"], "data": [[number, "basic"] for number in range(7)]})
    assert read_example(text) == Example(
        columns=["tenure", "plan"], rows=[[str(number), "basic"] for number in range(5)], rows_left=2
    )


def test_any_other_example_is_shown_as_it_is_and_cut_where_it_is_long() -> None:
    assert read_example('{"messages": ["hi"]}') == Example(text='{\n  "messages": [\n    "hi"\n  ]\n}')
    long = read_example(json.dumps(["x" * 10_000]))
    assert long is not None
    assert len(long.text) == 4001
    assert read_example("no json") is None
    assert read_example("[" * 100_000) is None


@given(JSON)
def test_any_json_is_an_example(value: Any) -> None:
    assert read_example(json.dumps(value)) is not None


def test_a_safetensors_header() -> None:
    header = {
        "__metadata__": {"format": "pt"},
        "weight": {"dtype": "F32", "shape": [10, 4], "data_offsets": [0, 160]},
        "bias": {"dtype": "F16", "shape": [], "data_offsets": [160, 162]},
    }
    found = read_header(json.dumps(header).encode())
    assert found is not None
    assert found.tensors == [Tensor("weight", "F32", (10, 4)), Tensor("bias", "F16", ())]
    assert (found.count, found.parameters, found.metadata) == (2, 41, {"format": "pt"})


def test_only_the_first_tensors_of_many_are_named() -> None:
    found = read_header(json.dumps({str(number): {"dtype": "I8", "shape": [2]} for number in range(1000)}).encode())
    assert found is not None
    assert (len(found.tensors), found.count, found.parameters) == (500, 1000, 2000)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no json",
        b"[]",
        b'{"a": 1}',
        b'{"a": {"shape": [-1]}}',
        b'{"a": {"shape": [true]}}',
        b'{"a":' * 50_000,
        b"\xff",
    ],
)
def test_a_header_that_makes_no_sense_is_none(content: bytes) -> None:
    assert read_header(content) is None


@pytest.mark.parametrize(
    ("start", "length"),
    [(struct.pack("<Q", 100), 100), (struct.pack("<Q", MAX_HEADER + 1), None), (b"\x05", None), (bytes(8), None)],
)
def test_a_header_is_as_long_as_it_says_within_reason(start: bytes, length: int | None) -> None:
    assert header_length(start) == length
