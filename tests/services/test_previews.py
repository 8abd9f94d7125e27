"""Previews show the head of a file and never load, run or send all of it."""

import base64
import io
import json
import pickle
import subprocess
import sys
import time
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from registry_site.artifacts.local import LocalStore
from registry_site.artifacts.notebooks import Output
from registry_site.artifacts.previews import MAX_TEXT, HexLine, Kind, Preview, preview, preview_of_end
from registry_site.artifacts.tables import TableColumn
from registry_site.artifacts.trees import Node
from registry_site.core.errors import InvalidParameter, NotFound
from tests.effort import little_effort
from tests.live import ROOT


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(str(tmp_path / "artifacts"))


def shown(store: LocalStore, name: str, content: bytes | str) -> Preview:
    data = content.encode() if isinstance(content, str) else content
    store.write(f"run/{name}", io.BytesIO(data), length=len(data))
    return preview(store, f"run/{name}")


def test_a_file_that_is_not_there_has_no_preview(store: LocalStore) -> None:
    with pytest.raises(NotFound, match=r"^No artifact at run/a.txt\.$"):
        preview(store, "run/a.txt")


def test_a_folder_has_no_preview(store: LocalStore) -> None:
    shown(store, "a.txt", "x")
    with pytest.raises(InvalidParameter, match=r"^run is a folder; ask for a file in it\.$"):
        preview(store, "run")


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.json", "a.png", "a.pkl", "MLmodel", "a.ipynb"])
def test_an_empty_file_says_so(store: LocalStore, name: str) -> None:
    empty = shown(store, name, "")
    assert (empty.kind, empty.notice, empty.truncated) == (Kind.TEXT, "This file is empty.", False)


# -- text --------------------------------------------------------------------------------------------------------------


def test_a_log_is_text_without_the_colours_of_a_terminal(store: LocalStore) -> None:
    log = shown(store, "train.log", "epoch 1 <b>\x1b[32mok\x1b[0m\n")
    assert (log.kind, log.text, log.truncated) == (Kind.TEXT, "epoch 1 <b>ok\n", False)
    assert (log.entry.path, log.entry.size, log.content_type) == ("run/train.log", 23, "text/plain")


def test_a_file_without_a_telling_name_is_looked_at(store: LocalStore) -> None:
    assert shown(store, "notes", "just words").kind is Kind.TEXT
    assert shown(store, "weights", b"\x00\x01\x02").kind is Kind.BINARY
    assert shown(store, "fake.txt", b"PK\x03\x04\x00").kind is Kind.BINARY


def test_code_is_coloured_and_escaped(store: LocalStore) -> None:
    code = shown(store, "train.py", "def f(): return '<script>'\n")
    assert (code.kind, code.language) == (Kind.CODE, "python")
    assert '<span class="k">def</span>' in code.html
    assert "<script>" not in code.html
    assert shown(store, "conda.yaml", "name: env\n").language == "yaml"
    assert shown(store, "pyproject.toml", "[a]\nb = 1\n").language == "toml"


def test_a_long_text_is_cut_between_letters(store: LocalStore) -> None:
    long = shown(store, "long.txt", "x" + "ü" * MAX_TEXT)
    assert long.truncated
    assert long.text == "x" + "ü" * (MAX_TEXT // 2 - 1)
    assert long.notice == ""


def test_a_text_of_very_many_lines_is_cut_at_either_end(store: LocalStore) -> None:
    found = shown(store, "losses.txt", "".join(f"{number}\n" for number in range(30_000)))
    assert (found.truncated, found.text.count("\n"), found.text.split("\n")[-1]) == (True, 19_999, "19999")
    end = preview_of_end(store, "run/losses.txt")
    assert (end.is_end, end.text.split("\n")[0], end.text[-6:]) == (True, "10001", "29999\n")


def test_the_end_of_a_long_text_begins_with_a_line(store: LocalStore) -> None:
    lines = [f"epoch {number} größer" for number in range(40_000)]
    text = "\n".join(lines).encode()
    store.write("run/train.log", io.BytesIO(text), length=len(text))
    end = preview_of_end(store, "run/train.log")
    assert (end.kind, end.truncated, end.is_end) == (Kind.TEXT, True, True)
    shown_lines = end.text.split("\n")
    assert shown_lines == lines[-len(shown_lines) :]
    assert MAX_TEXT - 40 < len(end.text.encode()) <= MAX_TEXT


@pytest.mark.parametrize("name", ["short.txt", "net.zip", "train.py"])
def test_what_is_shown_whole_has_no_other_end(store: LocalStore, name: str) -> None:
    whole = shown(store, name, "a\nb\n")
    assert preview_of_end(store, f"run/{name}") == whole
    one_line = "ü" * MAX_TEXT
    store.write("run/line.txt", io.BytesIO(b"x" + one_line.encode()), length=2 * MAX_TEXT + 1)
    assert preview_of_end(store, "run/line.txt").text == one_line[: MAX_TEXT // 2]


def test_encodings_are_recognised(store: LocalStore) -> None:
    assert shown(store, "a.txt", b"\xef\xbb\xbfgr\xc3\xbcn").text == "grün"
    assert shown(store, "b.txt", "grün".encode("utf-16")).text == "grün"
    assert shown(store, "c.txt", b"\xfe\xff" + "grün".encode("utf-16-be")).text == "grün"
    latin = shown(store, "d.txt", "grün".encode("latin-1"))
    assert (latin.text, latin.notice) == ("grün", "This file is not UTF-8; it was read as Latin-1.")


def test_a_huge_log_costs_no_more_than_its_head(store: LocalStore) -> None:
    store.write("run/huge.log", io.BytesIO(b"line of a log\n" * 3_000_000), length=None)
    tracemalloc.start()
    try:
        huge = preview(store, "run/huge.log")
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()
    assert huge.truncated
    assert len(huge.text) == MAX_TEXT


def test_markdown_is_rendered_and_harmless_and_its_front_matter_is_code(store: LocalStore) -> None:
    card = shown(store, "README.md", "---\nlicense: mit\n---\n# Card\n<script>alert(1)</script>\n")
    assert card.kind is Kind.MARKDOWN
    assert "<h2>Card</h2>" in card.html
    assert '<span class="nt">license</span>' in card.html
    assert "<script" not in card.html
    assert card.text.startswith("---\nlicense")


# -- tables ------------------------------------------------------------------------------------------------------------


def test_a_table_knows_its_numeric_columns(store: LocalStore) -> None:
    table = shown(store, "a.csv", 'name,auc,note\nbase,0.91,\n"deep, wide",-1e-3,<b>\nnone,nan,\n').table
    assert table is not None
    assert table.columns == (TableColumn("name", False), TableColumn("auc", True), TableColumn("note", False))
    assert table.rows == (("base", "0.91", ""), ("deep, wide", "-1e-3", "<b>"), ("none", "nan", ""))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "a;b\n1,5;2\n2,5;3\n"),
        ("a.csv", "a\tb\n1,5\t2\n2,5\t3\n"),
        ("a.tsv", "a\tb\n1,5\t2\n2,5\t3\n"),
        ("a.csv", "a|b\n1,5|2\n2,5|3\n"),
        ("a.csv", "\ufeffa;b\r\n1,5;2\r\n2,5;3\r\n"),
    ],
)
def test_the_delimiter_is_found(store: LocalStore, name: str, text: str) -> None:
    table = shown(store, name, text).table
    assert table is not None
    assert [column.name for column in table.columns] == ["a", "b"]
    assert table.rows == (("1,5", "2"), ("2,5", "3"))


def test_ragged_rows_are_filled_and_a_heading_of_numbers_is_data(store: LocalStore) -> None:
    table = shown(store, "a.csv", "a,b\n1\n1,2,3\n").table
    assert table is not None
    assert [column.name for column in table.columns] == ["a", "b", ""]
    assert table.rows == (("1", "", ""), ("1", "2", "3"))
    numbers = shown(store, "b.csv", "1,2\n3,4\n").table
    assert numbers is not None
    assert numbers.columns == (TableColumn("1", True), TableColumn("2", True))
    assert numbers.rows == (("1", "2"), ("3", "4"))


def test_a_table_of_one_column_is_a_table(store: LocalStore) -> None:
    table = shown(store, "a.csv", "score\n1\n2\n").table
    assert table is not None
    assert table.rows == (("1",), ("2",))


def test_a_long_table_is_cut_after_500_rows(store: LocalStore) -> None:
    exact = shown(store, "a.csv", "a,b\n" + "1,2\n" * 500)
    longer = shown(store, "a.csv", "a,b\n" + "1,2\n" * 501)
    assert exact.table is not None
    assert longer.table is not None
    assert (len(exact.table.rows), exact.truncated) == (500, False)
    assert (len(longer.table.rows), longer.truncated) == (500, True)


def test_a_table_with_long_rows_is_cut_between_rows(store: LocalStore) -> None:
    cut = shown(store, "a.csv", "a,b\n" + ("x" * 999 + ",2\n") * 400)
    assert cut.table is not None
    assert cut.truncated
    assert len(cut.table.rows) == 261
    assert set(cut.table.rows) == {("x" * 999, "2")}


def test_of_a_wide_table_fewer_rows_are_shown(store: LocalStore) -> None:
    heading, row = ",".join(f"c{at}" for at in range(100)), ",".join(map(str, range(100)))
    found = shown(store, "wide.csv", "\n".join([heading, *[row] * 300]))
    assert found.table is not None
    assert (len(found.table.columns), len(found.table.rows), found.truncated) == (100, 200, True)


def test_a_table_of_very_many_columns_is_cut(store: LocalStore) -> None:
    wide = shown(store, "a.csv", "," * 100_000 + "\n" + "," * 100_000)
    assert wide.table is not None
    assert (len(wide.table.columns), wide.truncated) == (200, True)
    assert wide.notice == "Only the first 200 columns are shown."


def test_what_is_no_table_is_text(store: LocalStore) -> None:
    broken = shown(store, "a.csv", 'a,b\n"' + "x" * 200_000)
    assert (broken.kind, broken.notice) == (Kind.TEXT, "This file could not be read as a table.")
    assert shown(store, "b.csv", "\n\n\n").kind is Kind.TEXT
    assert shown(store, "c.csv", b"\x00\x01").kind is Kind.BINARY


# -- JSON --------------------------------------------------------------------------------------------------------------


def test_a_document_is_a_tree_with_its_numbers_as_written(store: LocalStore) -> None:
    tree = shown(store, "a.json", '{"a": [1.50, true, null], "b": {"c": "<b>"}, "d": NaN}').tree
    assert tree == Node(
        "",
        "object",
        size=3,
        children=(
            Node(
                "a",
                "array",
                size=3,
                children=(Node("0", "number", "1.50"), Node("1", "boolean", "true"), Node("2", "null", "null")),
            ),
            Node("b", "object", size=1, children=(Node("c", "string", "<b>"),)),
            Node("d", "number", "NaN"),
        ),
    )


def test_the_table_form_of_mlflow_is_a_table_too(store: LocalStore) -> None:
    document = shown(store, "input_example.json", json.dumps({"columns": ["a", "b"], "data": [[1, "x"], [2, None]]}))
    assert document.kind is Kind.JSON
    assert document.tree is not None
    assert document.table is not None
    assert document.table.columns == (TableColumn("a", True), TableColumn("b", False))
    assert document.table.rows == (("1", "x"), ("2", "null"))


def test_a_large_document_is_cut_to_a_tree_that_a_page_can_hold(store: LocalStore) -> None:
    wide = shown(store, "a.json", json.dumps(list(range(100_000))))
    assert wide.tree is not None
    assert (wide.tree.size, len(wide.tree.children), wide.truncated) == (100_000, 3000, True)
    deep = shown(store, "b.json", "[" * 500 + "]" * 500)
    assert (deep.kind, deep.truncated) == (Kind.JSON, True)


@pytest.mark.parametrize("text", ["{", "[1,]", "[" * 100_000, '{"a": ' * 100_000, "not json"])
def test_what_is_no_json_is_text_with_a_word_about_it(store: LocalStore, text: str) -> None:
    broken = shown(store, "a.json", text)
    assert broken.kind in {Kind.TEXT, Kind.CODE}
    assert broken.text == text[:MAX_TEXT]
    assert broken.notice == "This file is not valid JSON."


def test_a_number_of_a_million_digits_costs_nothing(store: LocalStore) -> None:
    with little_effort():
        number = shown(store, "a.json", "9" * 1_000_000)
        assert number.tree is not None
        assert (number.tree.type, len(number.tree.value)) == ("number", 20_001)


def test_a_document_beyond_four_megabytes_is_text(store: LocalStore) -> None:
    large = shown(store, "a.json", "[" + "1," * 2_100_000 + "1]")
    assert (large.kind, large.truncated) == (Kind.TEXT, True)
    assert large.notice == "This document is too large to be shown as a tree."


# -- models and notebooks ----------------------------------------------------------------------------------------------


def test_an_mlmodel_is_a_card_with_its_source(store: LocalStore) -> None:
    card = shown(store, "MLmodel", "flavors:\n  sklearn:\n    sklearn_version: 1.7.2\n")
    assert card.kind is Kind.MLMODEL
    assert card.model is not None
    assert card.model.flavors[0].version == "1.7.2"
    assert '<span class="nt">flavors</span>' in card.html


def test_a_broken_mlmodel_is_source_with_a_word_about_it(store: LocalStore) -> None:
    broken = shown(store, "MLmodel", "flavors: !!js/function 'f'\n")
    assert (broken.kind, broken.model) == (Kind.CODE, None)
    assert broken.notice == "The MLmodel file is not valid YAML: a tag asks for an object."


PICTURE = base64.b64encode(b"\x89PNG").decode()
NOTEBOOK = {
    "nbformat": 4,
    "metadata": {"language_info": {"name": "python"}},
    "cells": [
        {"cell_type": "markdown", "source": ["# Title\n", "<script>alert(1)</script>"]},
        {
            "cell_type": "code",
            "execution_count": 3,
            "source": "x = '<b>'",
            "outputs": [
                {"output_type": "stream", "text": ["a\n", "\x1b[31mred\x1b[0m"]},
                {
                    "output_type": "display_data",
                    "data": {"image/png": PICTURE, "text/plain": "<Figure>", "text/html": "<script>x</script>"},
                },
                {"output_type": "execute_result", "data": {"text/html": "<b>", "text/plain": ["1", "2"]}},
                {"output_type": "display_data", "data": {"image/png": '"><script>', "text/plain": "bad"}},
                {
                    "output_type": "error",
                    "ename": "ValueError",
                    "evalue": "no",
                    "traceback": ["\x1b[0;31mline 1", "line 2"],
                },
                {"output_type": "display_data", "data": {"text/html": "<script>x</script>"}},
            ],
        },
        {"cell_type": "raw", "source": "<i>"},
    ],
}


def test_a_notebook_is_a_list_of_harmless_cells(store: LocalStore) -> None:
    notebook = shown(store, "a.ipynb", json.dumps(NOTEBOOK))
    title, code, raw = notebook.cells
    assert (notebook.kind, notebook.truncated) == (Kind.NOTEBOOK, False)
    assert (title.type, title.html) == ("markdown", "<h2>Title</h2>\n\n")
    assert (code.type, code.number) == ("code", 3)
    assert "&lt;b&gt;" in code.html
    assert code.outputs == (
        Output("text", "a\nred"),
        Output("image", "<Figure>", f"data:image/png;base64,{PICTURE}"),
        Output("text", "12"),
        Output("image", "bad", ""),
        Output("error", "line 1\nline 2"),
    )
    assert (raw.type, raw.html) == ("raw", "&lt;i&gt;")


def test_a_notebook_of_very_many_cells_is_cut(store: LocalStore) -> None:
    many = {"cells": [{"cell_type": "code", "source": "x = 1", "outputs": []}] * 301}
    notebook = shown(store, "a.ipynb", json.dumps(many))
    assert (len(notebook.cells), notebook.truncated) == (300, True)


@pytest.mark.parametrize("text", ["{}", "[]", "{", '{"cells": 1}', '{"worksheets": []}', "[" * 100_000])
def test_what_is_no_notebook_is_text_with_a_word_about_it(store: LocalStore, text: str) -> None:
    broken = shown(store, "a.ipynb", text)
    assert broken.kind in {Kind.TEXT, Kind.CODE}
    assert broken.notice == "This file is not a notebook of nbformat 4."


@pytest.mark.parametrize(
    "cell",
    [
        1,
        None,
        {},
        {"cell_type": 1, "source": {"a": 1}},
        {"cell_type": "code", "source": [1, None], "outputs": {"a": 1}, "execution_count": "x"},
        {"cell_type": "code", "source": "x", "outputs": [1, {}, {"output_type": "error", "traceback": 1}]},
    ],
)
def test_a_strange_cell_spoils_nothing(store: LocalStore, cell: object) -> None:
    assert len(shown(store, "a.ipynb", json.dumps({"cells": [cell]})).cells) == 1


# -- what the browser shows by itself, and what nobody shows -----------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "content_type"),
    [
        ("a.png", Kind.IMAGE, "image/png"),
        ("a.JPG", Kind.IMAGE, "image/jpeg"),
        ("a.svg", Kind.SVG, "image/svg+xml"),
        ("a.pdf", Kind.PDF, "application/pdf"),
        ("a.html", Kind.HTML, "text/html"),
        ("a.wav", Kind.AUDIO, "audio/x-wav"),
        ("a.mp4", Kind.VIDEO, "video/mp4"),
    ],
)
def test_what_a_browser_shows_by_itself_is_not_read(
    store: LocalStore, name: str, kind: Kind, content_type: str
) -> None:
    by_itself = shown(store, name, "<script>alert(1)</script>")
    assert (by_itself.kind, by_itself.content_type) == (kind, content_type)
    assert (by_itself.text, by_itself.html) == ("", "")


def test_an_enormous_image_and_notebook_are_only_to_download(store: LocalStore) -> None:
    for name, size in (("a.png", 33 * 1024 * 1024), ("a.ipynb", 5 * 1024 * 1024)):
        (store.root / "run").mkdir(exist_ok=True)
        with (store.root / "run" / name).open("wb") as file:
            file.truncate(size)
        large = preview(store, f"run/{name}")
        assert (large.kind, large.truncated) == (Kind.TOO_LARGE, True)
        assert large.notice == "This file is too large to show; download it."


def test_bytes_are_shown_by_their_head(store: LocalStore) -> None:
    binary = shown(store, "model.bin", bytes(range(256)) * 2)
    assert (binary.kind, binary.truncated, len(binary.hex)) == (Kind.BINARY, True, 16)
    assert binary.hex[4] == HexLine("00000040", "40 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f", "@ABCDEFGHIJKLMNO")
    assert binary.hex[0].ascii == "." * 16
    short = shown(store, "b.bin", b"\x00ab")
    assert (short.hex, short.truncated) == ((HexLine("00000000", "00 61 62", ".ab"),), False)


class Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("import pathlib; pathlib.Path('sprung').touch()",))


@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "model.pt", "model"])
def test_a_pickle_is_only_bytes(store: LocalStore, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown(store, name, pickle.dumps(Trap())).kind is Kind.BINARY
    assert not (tmp_path / "sprung").exists()


# -- YAML --------------------------------------------------------------------------------------------------------------


def test_yaml_is_a_tree_with_its_source(store: LocalStore) -> None:
    text = "name: env # of the model\ndeps: [python=3.11, 1.50, yes, ~]\nnested:\n  - {a: '1', <b>: &x 2}\n  - *x\n"
    document = shown(store, "conda.yaml", text)
    assert (document.kind, document.text, document.truncated) == (Kind.YAML, text, False)
    assert document.tree == Node(
        "",
        "object",
        size=3,
        children=(
            Node("name", "string", "env"),
            Node(
                "deps",
                "array",
                size=4,
                children=(
                    Node("0", "string", "python=3.11"),
                    Node("1", "number", "1.50"),
                    Node("2", "boolean", "yes"),
                    Node("3", "null", "~"),
                ),
            ),
            Node(
                "nested",
                "array",
                size=2,
                children=(
                    Node("0", "object", size=2, children=(Node("a", "string", "1"), Node("<b>", "number", "2"))),
                    Node("1", "alias", "*x"),
                ),
            ),
        ),
    )


def test_several_documents_are_a_list(store: LocalStore) -> None:
    tree = shown(store, "k8s.yml", "a: 1\n---\n- b\n").tree
    assert tree is not None
    assert (tree.type, tree.size, [node.type for node in tree.children]) == ("array", 2, ["object", "array"])


def test_tags_are_shown_and_nothing_is_made_of_them(store: LocalStore) -> None:
    tree = shown(store, "a.yaml", "a: !!python/object/apply:os.system ['x']\nb: !Ref bucket\n? [1, 2]\n: c\n").tree
    assert tree is not None
    assert [(node.key, node.type, node.value) for node in tree.children] == [
        ("a", "array", ""),
        ("b", "string", "!Ref bucket"),
        ("[…]", "string", "c"),
    ]


BILLION_LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{key}: &{key} [{', '.join([f'*{before}'] * 9)}]\n" for before, key in zip("abcdefghi", "bcdefghij", strict=True)
)
MERGES = "a: &a {x: 1, y: 2}\n" + "".join(
    f"{key}: &{key} {{<<: [{', '.join([f'*{before}'] * 20)}]}}\n"
    for before, key in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [BILLION_LAUGHS, MERGES, "a: &a [*a]\n", "- x\n" * 60_000, "x: " + "[" * 900 + "]" * 900, "? " * 90 + "x: y\n"],
    ids=["aliases", "merges", "itself", "long", "deep", "keys"],
)
def test_yaml_made_to_be_large_costs_little(store: LocalStore, text: str) -> None:
    with little_effort():
        document = shown(store, "bomb.yaml", text)
        assert document.kind in {Kind.YAML, Kind.CODE, Kind.TEXT}


@pytest.mark.parametrize("text", ["a: [", "a: b: c", "\t- x", "[" * 10_000])
def test_what_is_no_yaml_is_source_with_a_word_about_it(store: LocalStore, text: str) -> None:
    broken = shown(store, "a.yaml", text)
    assert (broken.text, broken.notice) == (text, "This file is not valid YAML.")


def test_yaml_of_one_word_or_of_comments_is_source(store: LocalStore) -> None:
    for text in ("just words\n", "# nothing\n"):
        assert shown(store, "a.yaml", text).kind is Kind.CODE


def test_geojson_is_text(store: LocalStore) -> None:
    assert shown(store, "area.geojson", '{"type": "Point", "coordinates": [0, 0]}').kind is Kind.TEXT


# -- Parquet and zip ---------------------------------------------------------------------------------------------------


def parquet_file(columns: dict[str, object], **options: object) -> bytes:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    written = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), written, **options)
    return written.getvalue()


def test_the_first_rows_of_a_parquet_file(store: LocalStore) -> None:
    columns = {"id": [1, 2], "name": ["<b>", None], "when": [[1], []], "a.b": [0.5, float("nan")], "raw": [b"ab", b""]}
    found = shown(store, "data.parquet", parquet_file(columns))
    assert found.kind is Kind.PARQUET
    assert found.table is not None
    assert [(column.name, column.type, column.numeric) for column in found.table.columns] == [
        ("id", "int64", True),
        ("name", "string", False),
        ("when", "list<element: int64>", False),
        ("a.b", "double", True),
        ("raw", "binary", False),
    ]
    assert found.table.rows == (("1", "<b>", "[1]", "0.5", "6162"), ("2", "", "[]", "nan", ""))
    assert found.table.row_count == 2


def test_a_large_parquet_file_is_read_by_its_head(store: LocalStore) -> None:
    large = parquet_file({f"c{number}": [number] * 100_000 for number in range(210)}, use_dictionary=False)
    started = time.monotonic()
    found = shown(store, "large.parquet", large)
    assert found.table is not None
    assert (len(found.table.columns), len(found.table.rows), found.table.row_count) == (200, 100, 100_000)
    assert found.notice == "Only the first 200 of 210 columns are shown."
    assert time.monotonic() - started < 20, "a process of its own, which converts no more than it shows"


def test_a_parquet_file_made_to_be_large_is_refused_and_costs_this_process_nothing(store: LocalStore) -> None:
    bomb = parquet_file({"a": ["\0" * 300_000_000]}, compression="zstd")
    assert len(bomb) < 100_000
    found = shown(store, "bomb.parquet", bomb)
    assert (found.kind, found.table) == (Kind.TOO_LARGE, None)
    assert found.notice == ("This file could not be read as Parquet, or takes more memory or time than a preview may.")


@pytest.mark.parametrize("content", [b"x", b"PAR1" + b"x" * 100 + b"PAR1", b"PAR1" + b"\xff" * 8])
def test_what_is_no_parquet_is_only_to_download(store: LocalStore, content: bytes) -> None:
    pytest.importorskip("pyarrow")
    found = shown(store, "a.parquet", content)
    assert (found.kind, found.table) == (Kind.TOO_LARGE, None)
    assert found.notice.startswith("This file could not be read as Parquet")


def test_the_server_process_never_imports_pyarrow() -> None:
    code = "import registry_site.artifacts.previews, sys; sys.exit('pyarrow' in sys.modules)"
    variables = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": ""}
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=variables, check=False).returncode == 0


def zip_file(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 3, 2, 12, 0, 0)), content, compression)
    return written.getvalue()


@pytest.mark.parametrize("name", ["a.zip", "weights.npz", "net.keras"])
def test_a_zip_is_its_table_of_contents(store: LocalStore, name: str) -> None:
    found = shown(store, name, zip_file({"../<b>.txt": b"x" * 1000, "π.bin": b""}))
    assert found.kind is Kind.ZIP
    assert found.table is not None
    assert [(row[0], row[1], row[3]) for row in found.table.rows] == [
        ("../<b>.txt", "1000", "2026-03-02 12:00"),
        ("π.bin", "0", "2026-03-02 12:00"),
    ]


def test_a_zip_bomb_is_listed_and_not_unpacked(store: LocalStore) -> None:
    bomb = zip_file({"zeros": b"\0" * 50_000_000})
    tracemalloc.start()
    try:
        found = shown(store, "bomb.zip", bomb)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.table is not None
    assert found.table.rows[0][1] == "50000000"
    assert peak < 10_000_000


def test_a_zip_of_very_many_entries_is_cut_or_only_to_download(store: LocalStore) -> None:
    many = shown(store, "many.zip", zip_file({f"{number}": b"" for number in range(600)}))
    assert many.table is not None
    assert (len(many.table.rows), many.table.row_count) == (500, 600)
    more = shown(store, "more.zip", zip_file({f"{number}{'x' * 200}": b"" for number in range(20_000)}))
    assert (more.kind, more.table) == (Kind.TOO_LARGE, None)
    assert shown(store, "none.zip", b"not a zip").kind is Kind.TOO_LARGE


# -- what notebooks print ----------------------------------------------------------------------------------------------


def printed(store: LocalStore, **data: object) -> tuple[Output, ...]:
    cell = {"cell_type": "code", "source": "x", "outputs": [{"output_type": "display_data", "data": data}]}
    return shown(store, "a.ipynb", json.dumps({"cells": [cell]})).cells[0].outputs


def test_a_table_in_a_notebook_is_a_table_without_scripts(store: LocalStore) -> None:
    cell = '<td style="x">1<script>x</script></td>'
    html = f'<style>td {{color: red}}</style><table onclick="x" class="d"><tr>{cell}</tr></table>'
    (output,) = printed(store, **{"text/html": html, "text/plain": "   a\n0  1"})
    assert output.type == "html"
    assert "<td>1</td>" in output.html
    for part in ("script", "onclick", "style", "class"):
        assert part not in output.html


def test_other_html_in_a_notebook_is_its_text(store: LocalStore) -> None:
    assert printed(store, **{"text/html": "<div>widget</div>", "text/plain": "Widget()"}) == (
        Output("text", "Widget()"),
    )


def test_a_drawing_in_a_notebook_is_an_image_in_which_nothing_runs(store: LocalStore) -> None:
    drawing = "<svg onload='alert(1)'/>"
    (output,) = printed(store, **{"image/svg+xml": drawing, "text/plain": "<Figure>"})
    encoded = base64.b64encode(drawing.encode()).decode()
    assert output == Output("image", "<Figure>", f"data:image/svg+xml;base64,{encoded}")


def test_markdown_that_a_notebook_prints_is_rendered(store: LocalStore) -> None:
    (output,) = printed(store, **{"text/markdown": ["**bold** <script>x</script>"]})
    assert (output.type, "<strong>bold</strong>" in output.html, "script" in output.html) == ("html", True, False)
