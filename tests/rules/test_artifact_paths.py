"""Artifact paths: every spelling of an escape is refused, every harmless name is a name."""

from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_site.artifacts.paths import (
    basename,
    content_disposition,
    content_type_of,
    join,
    parent,
    validate_artifact_path,
)
from registry_site.core.errors import InvalidParameter

HARMLESS = [
    "model.pkl",
    "0/8d3f/artifacts/model/MLmodel",
    "hash#.txt",
    "q?.txt",
    "semi;colon.txt",
    "percent%20.txt",
    "100%.txt",
    "plus+amp&.txt",
    "quote'.txt",
    'double".txt',
    "a blank/and another .txt",
    "größe/数据/данные.csv",
    "12:30:05.log",
    "metrics:loss.txt",
    "...",
    "..hidden",
    "trailing..",
    "a/.hidden",
    "dash-/~tilde",
    "[brackets]{braces}.txt",
    "x" * 255,
    "profile.json",
]
ESCAPES = [
    "..",
    ".",
    "../etc/passwd",
    "a/../../b",
    "a/..",
    "./a",
    "a/./b",
    "%2e%2e/a",
    "%2e%2e%2fetc%2fpasswd",
    "..%2fa",
    "a/%2e%2e",
    "%252e%252e%252fa",
    "%25252e%25252e/a",
    "%2e",
    "/etc/passwd",
    "//etc/passwd",
    "%2fetc%2fpasswd",
    "%252fetc",
    "\\etc",
    "..\\..\\etc",
    "a%5cb",
    "..%5c..%5cetc",
    "%255c",
    "C:\\Windows",
    "C:/Windows",
    "file:///etc/passwd",
    "file:/etc/passwd",
    "file:passwd",
    "FILE:./etc",
    "file%3a//etc",
    "http://127.0.0.1/x",
    "s3://bucket/key",
    "dbfs:/a",
    "runs:/a",
    "a\x00b",
    "a%00b",
    "a%2500b",
    "a\nb",
    "a\r\nX-Header: 1",
    "a%0d%0ab",
    "a\x7fb",
    "a\x85b",
    "a\u2028b",
]
EMPTY_PARTS = ["", "/", "a/", "a//b", "a/b//"]


@pytest.mark.parametrize("path", HARMLESS)
def test_a_harmless_name_is_accepted_unchanged(path: str) -> None:
    assert validate_artifact_path(path) == path


@pytest.mark.parametrize("path", ESCAPES + EMPTY_PARTS)
def test_an_escape_is_refused_and_not_cleaned(path: str) -> None:
    with pytest.raises(InvalidParameter, match=r"^Invalid path ") as refusal:
        validate_artifact_path(path)
    assert refusal.value.field == "path"


def test_the_refusal_says_what_is_wrong() -> None:
    with pytest.raises(InvalidParameter) as refusal:
        validate_artifact_path("a/%2e%2e/b")
    assert refusal.value.message == "Invalid path 'a/%2e%2e/b': '.' and '..' are not allowed in it."
    with pytest.raises(InvalidParameter) as refusal:
        validate_artifact_path("über\nall")
    assert refusal.value.message == r"Invalid path '\xfcber\nall': it contains a control character."


def test_parts_end_at_255_bytes_and_paths_at_1000() -> None:
    assert validate_artifact_path("ü" * 127 + "x")
    with pytest.raises(InvalidParameter, match="a part of it is longer than 255 bytes"):
        validate_artifact_path("ü" * 128)
    assert validate_artifact_path("/".join(["x" * 99] * 10))
    with pytest.raises(InvalidParameter, match="it is longer than 1000 bytes"):
        validate_artifact_path("/".join(["x" * 99] * 10) + "/x")


def test_a_path_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="it is not valid Unicode"):
        validate_artifact_path("a\udcff")


def test_a_path_encoded_over_and_over_is_refused() -> None:
    path = "%"
    for _ in range(12):
        path = quote(path)
    with pytest.raises(InvalidParameter, match="it is percent-encoded over and over"):
        validate_artifact_path(path)


@given(st.text(st.sampled_from("./\\%2ef5c0:aF\x00 "), max_size=24), st.integers(0, 3))
def test_whatever_is_accepted_stays_below_its_root_however_often_it_is_decoded(text: str, times: int) -> None:
    try:
        path = validate_artifact_path(text)
    except InvalidParameter:
        return
    for _ in range(times):
        path = unquote(path)
    assert not path.startswith("/")
    assert ".." not in path.split("/")
    assert "\\" not in path
    assert "\x00" not in path


def test_paths_are_joined_and_taken_apart() -> None:
    assert join("", "a", "", "b/c") == "a/b/c"
    assert join("") == ""
    assert (parent("a/b/c"), basename("a/b/c")) == ("a/b", "c")
    assert (parent("a"), basename("a")) == ("", "a")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("model/MLmodel", "text/plain"),
        ("conda.yaml", "text/plain"),
        ("a.JSON", "application/json"),
        ("a.csv", "text/csv"),
        ("a.md", "text/markdown"),
        ("plot.png", "image/png"),
        ("plot.svg", "image/svg+xml"),
        ("page.html", "text/html"),
        ("a:b.html", "text/html"),
        ("a.tar.gz", "application/gzip"),
        ("a.Z", "application/octet-stream"),
        ("model.pkl", "application/octet-stream"),
        ("nothing", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_the_media_type_follows_the_name(name: str, expected: str) -> None:
    assert content_type_of(name) == expected


def test_a_file_is_saved_under_its_own_name_in_any_script() -> None:
    assert content_disposition("roc curve.png") == 'attachment; filename="roc curve.png"'
    assert content_disposition("plot.png", inline=True) == 'inline; filename="plot.png"'
    assert (
        content_disposition("größe.csv") == "attachment; filename=\"gr__e.csv\"; filename*=UTF-8''gr%C3%B6%C3%9Fe.csv"
    )
    assert (
        content_disposition('a"\r\nX: y%20.txt')
        == "attachment; filename=\"a___X: y_20.txt\"; filename*=UTF-8''a%22%0D%0AX%3A%20y%2520.txt"
    )
    assert content_disposition("a\udcff") == "attachment; filename=\"a_\"; filename*=UTF-8''a%3F"
