"""Manifests: one digest over a folder, which others can recompute, and what is not as it says."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_site.artifacts import digests
from registry_site.artifacts.digests import Comparison, FileDigest, compare, digest_of, read_digest

FILES = st.dictionaries(st.text(min_size=1), st.tuples(st.integers(0, 9), st.sampled_from("abc")), max_size=6).map(
    lambda files: [FileDigest(path, size, letter * 64) for path, (size, letter) in files.items()]
)


def written(folder: Path, files: dict[str, bytes]) -> list[FileDigest]:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return [FileDigest(path, len(content), hashlib.sha256(content).hexdigest()) for path, content in files.items()]


def test_anybody_can_recompute_a_digest_with_the_line_in_the_description(tmp_path: Path) -> None:
    files = written(tmp_path, {"MLmodel": b"flavors", "model.pkl": b"", "a b/ä.txt": b"x", "a-b/Z": b"y", "a.b": b"z"})
    line = next(each.strip() for each in str(digests.__doc__).splitlines() if each.strip().startswith("find"))

    shell = shutil.which("bash")
    assert shell is not None
    done = subprocess.run([shell, "-c", line], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == digest_of(files)


@given(FILES)
def test_the_order_in_which_files_are_found_does_not_matter(files: list[FileDigest]) -> None:
    assert digest_of(files) == digest_of(reversed(files))
    assert compare(files, reversed(files)).holds


@given(FILES, FILES)
def test_two_folders_have_one_digest_just_when_they_hold_the_same(
    one: list[FileDigest], other: list[FileDigest]
) -> None:
    if {(file.path, file.sha256) for file in one} != {(file.path, file.sha256) for file in other}:
        assert digest_of(one) != digest_of(other)
        assert not compare(one, other).holds


def test_what_is_missing_changed_and_added_is_named() -> None:
    manifest = [FileDigest("a", 1, "0" * 64), FileDigest("b", 1, "1" * 64), FileDigest("c", 1, "2" * 64)]
    found = [FileDigest("b", 1, "3" * 64), FileDigest("c", 1, "2" * 64), FileDigest("d", 1, "4" * 64)]
    assert compare(manifest, found) == Comparison(missing=("a",), changed=("b",), added=("d",))


def test_files_that_were_only_listed_are_compared_by_size() -> None:
    manifest = [FileDigest("a", 1, "0" * 64), FileDigest("b", 1, "1" * 64)]
    assert compare(manifest, [FileDigest("a", 1), FileDigest("b", 2)]) == Comparison(changed=("b",))
    with pytest.raises(ValueError, match="a was not read"):
        digest_of([FileDigest("a", 1)])


def test_a_file_is_read_in_pieces() -> None:
    pieces, pauses = [b"he", b"llo", b""], []
    found = read_digest("greeting", lambda size: pieces.pop(0), lambda: pauses.append(1))
    assert found == FileDigest("greeting", 5, hashlib.sha256(b"hello").hexdigest())
    assert len(pauses) == 2
