"""Folders as one file: whole, in bounded memory, and never silently short."""

import io
import os
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_site.accounts.actors import Actor
from registry_site.artifacts.archives import Archive, Format, Member, archive_of
from registry_site.artifacts.store import CHUNK, Reader
from registry_site.core.errors import InvalidParameter, NotFound, TooLarge, Unavailable
from registry_site.tracking import archives, rules, services
from registry_site.tracking.archives import members_of
from registry_site.tracking.artifact_files import Folder, folders_in_run, write_artifact
from registry_site.tracking.logged_models import create_logged_model
from registry_site.tracking.models import LoggedModel, Run
from tests.make import make_run

MEGABYTE = 1024 * 1024


class Zeros:
    """As many zeros as are asked for."""

    def read(self, size: int, /) -> bytes:
        return bytes(size)

    def close(self) -> None:
        """Holds nothing."""


def member(path: str, content: bytes) -> Member:
    return Member(path, len(content), 1_700_000_000_000, lambda: Reader(io.BytesIO(content), remaining=len(content)))


def unpacked(archive: Archive, format: Format) -> dict[str, bytes | None]:
    """The files of an archive by their paths; None for a folder."""
    data = b"".join(archive.chunks)
    assert archive.length in (None, len(data))
    if format is Format.ZIP:
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            assert opened.testzip() is None
            return {name: None if name.endswith("/") else opened.read(name) for name in opened.namelist()}
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        return {
            f"{one.name}/" if one.isdir() else one.name: None if one.isdir() else (tar.extractfile(one) or data).read()  # type: ignore[union-attr]
            for one in tar
        }


# -- the bytes ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("format", Format)
@given(
    files=st.dictionaries(
        st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="/\\"), min_size=1, max_size=60).filter(
            lambda name: name not in (".", "..")
        ),
        st.binary(max_size=2000),
        max_size=5,
    )
)
def test_what_goes_in_comes_out(format: Format, files: dict[str, bytes]) -> None:
    members = [member(f"folder/{name}", content) for name, content in files.items()]
    members.append(Member("empty/", 0, None, lambda: Reader(io.BytesIO(), remaining=0)))
    expected = {f"folder/{name}": content for name, content in files.items()} | {"empty/": None}
    assert unpacked(archive_of(members, format), format) == expected


def test_weights_are_packed_as_they_are_and_text_gets_small() -> None:
    files = {"a.txt": b"the same line\n" * 200_000, "b.bin": os.urandom(3 * MEGABYTE), "c.txt": b"x" * 3 * MEGABYTE}
    members = [member(path, content) for path, content in files.items()]
    data = b"".join(archive_of(members, Format.TAR_GZ).chunks)
    assert 3 * MEGABYTE < len(data) < 3.1 * MEGABYTE
    assert unpacked(Archive(iter([data]), None), Format.TAR_GZ) == files
    reader = zlib.decompressobj(31)
    reader.decompress(data)
    assert (reader.eof, reader.unused_data) == (True, b""), "one stream, as some readers know no more"


@pytest.mark.parametrize("format", Format)
def test_names_longer_than_old_tar_knew(format: Format) -> None:
    path = "/".join(["münchen-☃" * 9] * 4)
    assert unpacked(archive_of([member(path, b"x")], format), format) == {path: b"x"}


@pytest.mark.parametrize("format", Format)
def test_a_gigabyte_costs_a_few_chunks_of_memory(format: Format) -> None:
    large = Member("large", 1024 * MEGABYTE, None, lambda: Reader(Zeros(), remaining=1024 * MEGABYTE))
    tracemalloc.start()
    try:
        total = sum(len(chunk) for chunk in archive_of([large], format).chunks)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total > MEGABYTE
    assert peak < 8 * CHUNK


def test_the_length_of_a_zip_beyond_four_gigabytes_is_known() -> None:
    size = 5 * 1024 * MEGABYTE
    archive = archive_of(
        [Member(name, size, None, lambda: Reader(Zeros(), remaining=size)) for name in "ab"], Format.ZIP
    )
    assert archive.length is not None
    assert archive.length > 2 * size


@pytest.mark.parametrize("format", Format)
@pytest.mark.parametrize(("announced", "there"), [(10, 4), (4, 10), (4, 0)])
def test_a_file_that_is_not_as_long_as_it_was_breaks_the_archive(format: Format, announced: int, there: int) -> None:
    changed = Member("a.bin", announced, None, lambda: Reader(io.BytesIO(bytes(there)), remaining=there))
    with pytest.raises(Unavailable, match=r"^a\.bin changed while it was read; download the archive again\.$"):
        b"".join(archive_of([changed], format).chunks)


@pytest.mark.parametrize("format", Format)
def test_a_file_that_ends_early_breaks_the_archive(format: Format) -> None:
    cut = Member("a.bin", 10, None, lambda: Reader(io.BytesIO(bytes(4)), remaining=10))
    with pytest.raises(Unavailable):
        b"".join(archive_of([cut], format).chunks)


# -- from the store ----------------------------------------------------------------------------------------------------
@pytest.fixture
def run(maria_actor: Actor) -> Run:
    return make_run(maria_actor)


def put(actor: Actor, owner: Run | LoggedModel, path: str, content: bytes = b"x") -> None:
    root = rules.storage_path(owner.artifact_uri, "")
    write_artifact(actor, f"{root}/{path}", io.BytesIO(content), length=len(content))


def packed(actor: Actor, run: Run, path: str = "", format: Format = Format.ZIP) -> dict[str, bytes | None]:
    members = members_of(folders_in_run(actor, run.run_id, path), called=path or "the run")
    return unpacked(archive_of(members, format), format)


@pytest.mark.django_db
@pytest.mark.parametrize("format", Format)
def test_a_folder_is_packed_with_its_empty_folders(
    maria_actor: Actor, run: Run, artifact_root: Path, format: Format
) -> None:
    put(maria_actor, run, "plots/val/π ☃.txt", b"pi")
    put(maria_actor, run, "plots/a.txt", b"")
    put(maria_actor, run, "other.txt")
    root = artifact_root / str(rules.storage_path(run.artifact_uri, ""))
    (root / "plots" / "none" / "at all").mkdir(parents=True)
    assert packed(maria_actor, run, "plots", format) == {
        "a.txt": b"",
        "none/at all/": None,
        "val/π ☃.txt": b"pi",
    }


@pytest.mark.django_db
def test_a_run_is_packed_with_the_models_that_it_made(maria_actor: Actor, run: Run) -> None:
    put(maria_actor, run, "notes.txt", b"notes")
    model = create_logged_model(maria_actor, experiment_id=run.experiment_id, name="scorer", source_run_id=run.run_id)
    services.log_outputs(maria_actor, run_id=run.run_id, models={model.model_id: 0})
    put(maria_actor, model, "MLmodel", b"flavors: {}")
    put(maria_actor, run, "scorer/extra.txt", b"extra")
    assert packed(maria_actor, run) == {
        "notes.txt": b"notes",
        "scorer/MLmodel": b"flavors: {}",
        "scorer/extra.txt": b"extra",
    }
    assert packed(maria_actor, run, "scorer") == {"MLmodel": b"flavors: {}", "extra.txt": b"extra"}


@pytest.mark.django_db
def test_files_and_nothing_are_no_folder(maria_actor: Actor, run: Run) -> None:
    put(maria_actor, run, "a.txt")
    with pytest.raises(InvalidParameter, match=r"^a\.txt is a file; download it as it is\.$"):
        packed(maria_actor, run, "a.txt")
    with pytest.raises(NotFound, match=r"^There are no files in plots\.$"):
        packed(maria_actor, run, "plots")


@pytest.mark.django_db
def test_a_file_that_vanishes_in_the_middle_breaks_the_archive(
    maria_actor: Actor, run: Run, artifact_root: Path
) -> None:
    put(maria_actor, run, "a.txt", b"first")
    put(maria_actor, run, "b.txt", b"second")
    members = members_of(folders_in_run(maria_actor, run.run_id), called="the run")
    chunks: Iterator[bytes] = archive_of(members, Format.ZIP).chunks
    assert b"a.txt" in next(chunks)
    (artifact_root / str(rules.storage_path(run.artifact_uri, "")) / "b.txt").unlink()
    with pytest.raises(NotFound):
        b"".join(chunks)


def test_a_folder_of_too_many_files_is_refused(maria_actor: Actor, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBERS", 2)
    for name in "abc":
        put(maria_actor, run, name)
    with pytest.raises(TooLarge, match=r"^the run has more than 2 files, too many for one archive; "):
        packed(maria_actor, run)


def test_a_name_that_would_unpack_elsewhere_is_refused(artifact_root: Path) -> None:
    (artifact_root / "run").mkdir(parents=True)
    (artifact_root / "run" / "%2e%2e").write_bytes(b"x")
    with pytest.raises(InvalidParameter, match=r"'\.' and '\.\.' are not allowed in it"):
        members_of([Folder("", "run")], called="the run")
