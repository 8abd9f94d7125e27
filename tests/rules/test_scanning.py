"""Scanning model files: what would run when they are loaded is found, and honest models pass."""

import bz2
import gzip
import io
import lzma
import os
import pickle
import pickletools
import struct
import subprocess
import sys
import tracemalloc
import types
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_site.artifacts import scanning
from registry_site.artifacts.scanning import File, Report, Severity, Verdict, scan
from tests.effort import little_effort


class Evil:
    """Runs a command when it is loaded."""

    def __reduce__(self) -> Any:
        return os.system, ("echo owned",)


class Subtle:
    """Hides the name of what it runs."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def scanned(files: Mapping[str, bytes], **options: Any) -> Report:
    def opener(content: bytes) -> Callable[[int], io.BytesIO]:
        return lambda offset: io.BytesIO(content[offset:])

    return scan([File(path, len(content), opener(content)) for path, content in files.items()], **options)


def zipped(files: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return target.getvalue()


def severities(report: Report) -> set[Severity]:
    return {finding.severity for finding in report.findings}


EVIL = pickle.dumps(Evil())
GROWING = b"\x80\x04]" + b"N0" * 1_000_000  # a pickle that does nothing for a long time
HONEST = pickle.dumps(OrderedDict(depth=3, weights=[0.5] * 100))


# -- evil --------------------------------------------------------------------------------------------------------------
def named(part: object) -> str:
    """What a test is called after: bytes are not, as archives are others at every second."""
    return part if isinstance(part, str) else "bytes"


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "weights", "notes.txt", "data.bin"])
def test_a_plain_evil_pickle_is_found_by_whatever_name(protocol: int, name: str) -> None:
    report = scanned({"MLmodel": b"flavors: {}", name: pickle.dumps(Evil(), protocol)})
    assert report.verdict is Verdict.UNSAFE
    assert [finding.path for finding in report.findings] == [name]
    assert report.findings[0].message == "It imports posix.system, which can run anything."


@pytest.mark.parametrize(
    "call",
    [
        (eval, "1"),
        (exec, "1"),
        (__import__, "os"),
        (getattr, "", "upper"),
        (pickle.loads, EVIL),
        (subprocess.Popen, "true"),
        (os.popen, "true"),
    ],
    ids=lambda call: call[0].__name__,
)
def test_other_ways_to_run_something_are_found(call: tuple[Any, ...]) -> None:
    assert scanned({"model.pkl": pickle.dumps(Subtle(*call))}).verdict is Verdict.UNSAFE


@pytest.mark.parametrize(
    "opcodes",
    [
        b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93\x8c\x02id\x85R.",
        b"\x80\x04\x8c\x02os\x940\x8c\x06system\x940h\x00h\x01\x93\x8c\x02id\x85R.",  # by way of the memo
        b"\x80\x04S'o\\x73'\nS'system'\n\x93\x8c\x02id\x85R.",  # spelled otherwise
        b"\x80\x04\x8c\x04json\x8c\x09os.system\x93\x8c\x02id\x85R.",  # an attribute of something harmless
        b"\x80\x04\x8c\x04json\x8c\x11loads.__globals__\x93.",
        b"\x80\x04\x8c\x02os\x8c\x03a.b\x8c\x06system\x87\x93.",  # not two texts
        b"\x80\x02ccommands\ngetoutput\n.",  # Python 2's names
        b"\x80\x02ccPickle\nloads\n.",
        b"\x80\x02ctypes\nFunctionType\n.",
        b"(S'id'\nios\nsystem\n.",  # INST
        b"cposix\nsystem\n(S'id'\ntR",  # without an end, which comes too late
        b"\x80\x04\x82\x01.",  # by an extension code
        b"\x80\x04N.\x80\x04cos\nsystem\n.",  # a second pickle
        b"\x80\x04N.\x8c\x02os\x8c\x06systemN0\x93\x8c\x02id\x85R\xff",  # one that does not end, with a name told late
        b"\x80\x04\x8c\x02os\x94q\x05q\x05\x8c\x04json\x94\x8c\x06system\x94h\x00h\x02\x93.",  # memo numbers mixed up
        b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x06system\x93.",
    ],
    ids=named,
)
def test_opcodes_made_by_hand_do_not_hide_it(opcodes: bytes) -> None:
    assert scanned({"model.pkl": opcodes}).verdict is Verdict.UNSAFE


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.zip", zipped({"a/model.pkl": EVIL})),
        ("model.pt", zipped({"archive/data.pkl": EVIL, "archive/data/0": bytes(400)}, zipfile.ZIP_STORED)),
        ("model.pth", zipped({"archive/anything": pickle.dumps(Evil(), 0)})),
        ("weights", zipped({"model.pkl": EVIL})),
        ("outer.zip", zipped({"inner.pt": zipped({"archive/data.pkl": EVIL})})),
        ("outer.zip", zipped({"a.zip": zipped({"b.zip": zipped({"c.pkl.gz": gzip.compress(EVIL)})})})),
        ("model.pkl.gz", gzip.compress(EVIL)),
        ("model.pkl.bz2", bz2.compress(EVIL * 3)),
        ("model.pkl.xz", lzma.compress(EVIL)),
        ("model.joblib", zlib.compress(EVIL)),
        ("zip.gz", gzip.compress(zipped({"model.pkl": EVIL}))),
        ("before.zip", EVIL + zipped({"readme.txt": b"hello"})),
        ("arrays.npz", zipped({"a.npy": b"\x93NUMPY\x01\x00\x14\x00{'descr': '|O', ...\n" + EVIL})),
    ],
    ids=named,
)
def test_it_is_found_in_archives_and_compressed_files_however_nested(name: str, content: bytes) -> None:
    report = scanned({name: content})
    assert report.verdict is Verdict.UNSAFE
    assert report.findings[0].path.startswith(name)


def test_it_is_found_behind_values_that_are_longer_than_memory_should_be() -> None:
    report = scanned({"model.pkl": pickle.dumps([b"x" * 5_000_000, "ä" * 1_000_000, Evil()])})
    assert report.verdict is Verdict.UNSAFE


def test_it_is_found_behind_an_array_that_joblib_put_between_the_opcodes() -> None:
    broken = b"\x80\x04]\x94(\x8c\x01a" + b"\xff\x00" * 500 + b"\x8c\x05posix\x94\x8c\x06system\x94\x93\x8c\x02id\x85R."
    assert scanned({"model.joblib": broken}).verdict is Verdict.UNSAFE


def test_an_archive_whose_directory_lies_is_read_as_loaders_read_it() -> None:
    content = zipped({"archive/data.pkl": EVIL}, zipfile.ZIP_STORED)
    renamed = content.replace(b"archive/data.pkl", b"archive/data.txt", 1)  # only in front of the file
    assert scanned({"model.pt": renamed}).verdict is Verdict.UNSAFE


def test_functions_as_code_are_told_as_such() -> None:
    opcodes = b"\x80\x04\x8c\x17cloudpickle.cloudpickle\x8c\x0e_make_function\x93."
    report = scanned({"python_model.pkl": opcodes})
    assert report.verdict is Verdict.UNSAFE
    assert "holds functions as code (cloudpickle.cloudpickle._make_function)" in report.findings[0].message


# -- honest ------------------------------------------------------------------------------------------------------------
def in_module(name: str, module: str, state: Any) -> Any:
    """An object whose class lies in a library that is not installed here."""
    made = types.ModuleType(module)
    kind = type(name, (), {"__module__": module})
    setattr(made, name, kind)
    sys.modules[module] = made
    thing = kind()
    thing.__dict__.update(state)
    return thing


@pytest.fixture
def models() -> Any:
    """What xgboost and the like leave in a pickle: their classes, and the model itself as bytes."""
    before = set(sys.modules)
    sys.modules["xgboost"] = types.ModuleType("xgboost")
    booster = in_module("Booster", "xgboost.core", {"handle": bytearray(100_000)})
    state = {"_Booster": booster, "n_estimators": 10, "missing": None}
    yield {"model": in_module("XGBClassifier", "xgboost.sklearn", state)}
    for module in set(sys.modules) - before:
        del sys.modules[module]


@pytest.mark.parametrize("protocol", range(6))
def test_an_honest_pickle_is_clean_and_says_what_it_imports(models: Any, protocol: int) -> None:
    report = scanned({"model.pkl": pickle.dumps(models, protocol)})
    assert (report.verdict, report.findings, report.pickles) == (Verdict.CLEAN, [], 1)
    assert {"xgboost.core.Booster", "xgboost.sklearn.XGBClassifier"} <= report.imports


OLD_TORCH = b"".join(pickle.dumps(each, 2) for each in (119547037146038801333356, 1001, {}, {}))
NUMBERS = [  # that stand behind the pickles of such a file, and are opcodes by chance
    *(bytes([first]) + b"\x00\x00\x00" + b"\xff" * 99 for first in b"\x80\x82\x83\x84\x93Rbo\x81\x92\x94q"),
    b"\x82\x93" * 9 + b"\xff",
    b"\x80\x02\x82R\xff",
]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.pkl", HONEST),
        ("model.pt", zipped({"archive/data.pkl": HONEST, "archive/data/0": Random(7).randbytes(4000)})),
        *(("old.pt", OLD_TORCH + numbers) for numbers in NUMBERS),
        ("a.npy", b"\x93NUMPY\x01\x00\x14\x00{'descr': '<f8', ..\n" + bytes(80)),
        ("code.py", b"import os\nimport sys\nos.system('ls')\n"),
        ("code.py", b"import subprocess\nsystem\n"),
        ("clean.txt", b"clean up first\nthen call\nsystem\n."),
        ("cat.txt", b"code\nsystem\nand more"),
        ("x.txt", b"x^2 + y^2"),
        ("empty.pkl", b""),
        ("model.json", b'{"learner": []}'),
        ("random.bin", b"\xff" + Random(7).randbytes(1000)),
    ],
    ids=named,
)
def test_what_is_honest_is_clean(name: str, content: bytes) -> None:
    report = scanned({name: content})
    assert report.verdict is Verdict.CLEAN, report.findings


def test_formats_without_code_are_noted() -> None:
    report = scanned({"model.safetensors": bytes(16), "net.onnx": bytes(16)})
    assert report.verdict is Verdict.CLEAN
    assert [(finding.path, finding.severity) for finding in report.findings] == [
        ("model.safetensors", Severity.NOTE),
        ("net.onnx", Severity.NOTE),
    ]
    assert scanned({"evil.safetensors": EVIL}).verdict is Verdict.UNSAFE


# -- what cannot be looked at ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("model.pkl", HONEST[:-20], "cannot be followed to its end"),
        ("model.pkl.lz4", b"\x04\x22\x4d\x18" + bytes(50), "compressed by lz4"),
        ("model.pkl.gz", gzip.compress(HONEST)[:-50], "compressed, and broken"),
        ("model.7z", b"7z\xbc\xaf\x27\x1c" + bytes(50), "compressed by 7z"),
        ("model.tar", b"model.pkl".ljust(257, b"\0") + b"ustar" + bytes(300), "tar archive"),
        ("model.zip", zipped({"a": b"b"})[:40] + zipped({"a": b"b"})[50:], "cannot be read"),
    ],
    ids=named,
)
def test_what_cannot_be_looked_at_is_said_and_is_not_clean(name: str, content: bytes, said: str) -> None:
    report = scanned({name: content})
    assert report.verdict is Verdict.INCOMPLETE
    assert said in " ".join(finding.message for finding in report.findings)


def test_an_encrypted_archive_is_said_to_be_one() -> None:
    content = bytearray(zipped({"model.pkl": HONEST}))
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    assert "It is encrypted." in [finding.message for finding in scanned({"model.zip": bytes(content)}).findings]


# -- bombs -------------------------------------------------------------------------------------------------------------
def test_archives_that_grow_without_end_are_left_and_what_follows_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "MOST_UNPACKED", 1_000_000)
    for inside in ({"model.pkl": GROWING}, {"more.zip": zipped({"zeros": os.urandom(2_000_000)})}):
        report = scanned({"bomb.zip": zipped(inside), "z.pkl": EVIL})
        assert report.verdict is Verdict.INCOMPLETE
        assert "archives grew to more than" in report.findings[0].message


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, zlib.compress])
def test_compressed_files_that_grow_without_end_are_left(
    monkeypatch: pytest.MonkeyPatch, compress: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr(scanning, "MOST_UNPACKED", 200_000)
    bomb = compress(GROWING)
    tracemalloc.start()
    report = scanned({"model.pkl": bomb})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert report.verdict is Verdict.INCOMPLETE
    assert peak < 10_000_000


def test_archives_in_archives_end_at_a_depth() -> None:
    content = EVIL
    for _ in range(scanning.MOST_DEPTH + 1):
        content = zipped({"again.zip": content})
    report = scanned({"model.zip": content})
    assert (report.verdict, severities(report)) == (Verdict.INCOMPLETE, {Severity.UNREAD})


def test_an_archive_with_a_huge_directory_is_not_opened() -> None:
    content = zipped({f"{number:06}" + "x" * 200: b"" for number in range(20_000)}, zipfile.ZIP_STORED)
    assert scanned({"model.zip": content}).verdict is Verdict.INCOMPLETE


def test_too_many_files_in_archives_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "MOST_MEMBERS", 10)
    assert scanned({"model.zip": zipped({str(number): b"" for number in range(11)})}).verdict is Verdict.INCOMPLETE


def test_a_pickle_without_end_takes_bounded_time() -> None:
    with little_effort():
        report = scanned({"model.pkl": b"\x80\x04" + b"N0" * 3_000_000}, seconds=0.3)
    assert "The scan was stopped here after 0.3 seconds" in report.findings[0].message


def test_a_pickle_that_remembers_too_much_is_left() -> None:
    report = scanned({"model.pkl": b"\x80\x04" + b"N\x940" * 1_100_000})
    assert report.verdict is Verdict.INCOMPLETE
    assert "keeps more than 1,000,000 values in mind" in report.findings[0].message


def test_a_claimed_length_costs_nothing() -> None:
    tracemalloc.start()
    report = scanned({"model.pkl": b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"x"})
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()
    assert report.verdict is Verdict.INCOMPLETE


@given(st.binary(max_size=300))
def test_any_bytes_are_scanned_without_an_error(content: bytes) -> None:
    report = scanned({"model.pkl": b"\x80\x04" + content, "model": content, "model.zip": b"PK\x03\x04" + content})
    assert report.verdict in Verdict


@given(st.recursive(st.none() | st.binary() | st.text() | st.integers(), st.lists), st.integers(0, 5))
def test_what_pickle_writes_of_plain_values_is_clean(value: Any, protocol: int) -> None:
    content = pickle.dumps(value, protocol)
    report = scanned({"model.pkl": content})
    assert (report.verdict, report.pickles) == (Verdict.CLEAN, 1), list(pickletools.genops(content))
