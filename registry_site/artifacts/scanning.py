"""What loading a file would run, found without loading it.

Every file is looked at for pickles, whatever it is called: as it is, compressed, in numpy's format, and in zip archives
(`.pt`, `.npz` and many others are such), archives in archives too. What a pickle imports is judged by picklescan's
lists and some names of our own. Nothing is unpickled or imported, no archive is unpacked but for one inside another,
which becomes a temporary file; time, depth, and the bytes that archives grow to are bounded, and what was not looked at
for that is said.
"""

import bz2
import io
import logging
import lzma
import re
import tempfile
import time
import zipfile
import zlib
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.metadata import version
from itertools import chain
from typing import IO, Any, Protocol

from picklescan.relaxed_zipfile import RelaxedZipFile
from picklescan.scanner import SafetyLevel, scan_pickle_bytes

from registry_site.artifacts.pickles import UNKNOWN, Found, Import, NotAPickle, read_pickles, search_imports
from registry_site.artifacts.streams import BLOCK, SeekableFile, Stream

SCANNER = f"picklescan {version('picklescan')}"
MOST_SECONDS = 600.0  # of one scan
MOST_UNPACKED = 16 * 1024**3  # bytes that archives and compressed files of one scan may grow to
MOST_MEMBERS = 100_000  # files in the archives of one scan
MOST_NESTED = 512 * 1024**2  # bytes of an archive inside another
MOST_DEPTH = 5
MOST_NAMED = 200  # imports and findings that are kept of one scan

logging.getLogger("picklescan").setLevel(logging.CRITICAL)  # what it would log is in the result


class Severity(StrEnum):
    """How bad a finding is. DANGER: loading could run anything. UNREAD: it could not be looked at. NOTE: worth
    knowing."""

    DANGER = "danger"
    UNREAD = "unread"
    NOTE = "note"


class Verdict(StrEnum):
    """What a scan amounts to: the worst of its findings, where notes are none."""

    CLEAN = "clean"
    INCOMPLETE = "incomplete"
    UNSAFE = "unsafe"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a file; one in an archive is `archive.zip:path/in/it`."""

    path: str
    severity: Severity
    message: str


@dataclass(slots=True)
class Report:
    """What came of a scan. `imports` are `module.name` of all that pickles import, in order."""

    findings: list[Finding] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    pickles: int = 0

    @property
    def verdict(self) -> Verdict:
        severities = {finding.severity for finding in self.findings}
        if Severity.DANGER in severities:
            return Verdict.UNSAFE
        return Verdict.INCOMPLETE if Severity.UNREAD in severities else Verdict.CLEAN

    def add(self, path: str, severity: Severity, message: str) -> None:
        """Note a finding; once, and of notes and unread files not more than some hundreds."""
        finding = Finding(path, severity, message)
        room = len(self.findings) < MOST_NAMED or severity is Severity.DANGER
        if finding not in self.findings[-MOST_NAMED:] and room:
            self.findings.append(finding)


class Opened(Protocol):
    """The bytes of a file from an offset on."""

    def read(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class File:
    """A file to be scanned: `size` in bytes, and its bytes from any offset on."""

    path: str
    size: int
    open_at: Callable[[int], Opened]


def scan(
    files: Iterable[File], *, meanwhile: Callable[[], None] = lambda: None, seconds: float = MOST_SECONDS
) -> Report:
    """Look at every file. What `open_at` raises is raised; `meanwhile` is called now and then."""
    report = Report()
    limits = _Limits(meanwhile, seconds)
    for file in files:
        try:
            _scan_file(file, report, limits)
        except _Enough as enough:
            report.add(file.path, Severity.UNREAD, f"{enough}; nothing after it was looked at.")
            break
    return report


class _Enough(Exception):
    """A limit of the whole scan is reached."""


class _Limits:
    def __init__(self, meanwhile: Callable[[], None], seconds: float) -> None:
        self._meanwhile = meanwhile
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self._unpacked = 0
        self._members = 0

    def pause(self) -> None:
        self._meanwhile()
        if time.monotonic() > self._until:
            raise _Enough(f"The scan was stopped here after {self._seconds:g} seconds")

    def unpack(self, size: int) -> None:
        self._unpacked += size
        if self._unpacked > MOST_UNPACKED:
            raise _Enough(f"The scan was stopped here: archives grew to more than {MOST_UNPACKED >> 30} GB")
        self.pause()

    def member(self) -> None:
        self._members += 1
        if self._members > MOST_MEMBERS:
            raise _Enough(f"The scan was stopped here: archives hold more than {MOST_MEMBERS} files")


def _scan_file(file: File, report: Report, limits: _Limits) -> None:
    limits.pause()
    lower = file.path.lower()
    if lower.endswith(".safetensors"):
        report.add(file.path, Severity.NOTE, "safetensors: nothing but numbers, there is nothing in it to run.")
    elif lower.endswith(".onnx"):
        message = "ONNX: a graph of operators; it runs no Python, unless it names operators of a library of its own."
        report.add(file.path, Severity.NOTE, message)
    with _closing(SeekableFile(file.size, file.open_at)) as whole:  # type: ignore[arg-type]  # read and close will do
        _scan_seekable(file.path, whole, report, limits, depth=0)


class _closing:
    def __init__(self, file: Any) -> None:
        self._file = file

    def __enter__(self) -> Any:
        return self._file

    def __exit__(self, *failure: object) -> None:
        self._file.close()


def _scan_seekable(path: str, file: Any, report: Report, limits: _Limits, depth: int) -> None:
    if _is_zip(file):
        _scan_zip(path, file, report, limits, depth)
        file.seek(0)
        if file.read(4) == _ZIP:
            return  # else something stands before the archive
    file.seek(0)

    def pass_over(size: int) -> int:
        before = file.tell()
        end = file.seek(0, io.SEEK_END)
        file.seek(min(before + size, end))
        return int(min(size, max(end - before, 0)))

    _scan_stream(path, Stream(file.read, pass_over), report, limits, depth)


# -- one stream of bytes -----------------------------------------------------------------------------------------------
_CALLED_PICKLE = re.compile(r"\.(pkl|pickle|joblib|p|dill|cloudpickle)(\.\w+)?\Z", re.IGNORECASE)
_PROTOCOLS = 5  # the highest that there is
_ZIP = b"PK\x03\x04"
_NUMPY = b"\x93NUMPY"
_UNPACKERS: tuple[tuple[bytes, Callable[[], Any]], ...] = (
    (b"\x1f\x8b", lambda: zlib.decompressobj(31)),
    *((b"BZh%d1AY&" % level, bz2.BZ2Decompressor) for level in range(1, 10)),
    (b"\xfd7zXZ\x00", lzma.LZMADecompressor),
    *((b"\x78" + level, zlib.decompressobj) for level in (b"\x01", b"\x5e", b"\x9c", b"\xda")),
)
_WEAKLY_MARKED = type(zlib.decompressobj())  # by two bytes that other files begin with too
_CLOSED = {  # formats that pickles may lie in and that are not opened here
    b"\x04\x22\x4d\x18": "lz4",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!": "rar",
}


def _scan_stream(path: str, stream: Stream, report: Report, limits: _Limits, depth: int) -> None:
    head = stream.peek(8)
    for magic, unpacker in _UNPACKERS:
        if head.startswith(magic):
            _scan_compressed(path, stream, unpacker(), report, limits, depth)
            return
    for magic, name in _CLOSED.items():
        if head.startswith(magic):
            report.add(path, Severity.UNREAD, f"It is compressed by {name}, which is not looked into.")
            return
    if stream.peek(262)[257:] == b"ustar":
        report.add(path, Severity.UNREAD, "It is a tar archive, which is not looked into.")
    if head.startswith(_NUMPY) and not _numpy_holds_objects(stream):
        return
    _scan_pickles(path, stream, report, limits)


def _numpy_holds_objects(stream: Stream) -> bool:
    """Whether an array of Python objects follows, which is a pickle. Reads the header."""
    version = stream.read(8)[6:7]
    length = int.from_bytes(stream.read(2 if version == b"\x01" else 4), "little")
    return re.search(rb"'[|=<>]?O", stream.read(min(length, 1024 * 1024))) is not None


def _scan_pickles(path: str, stream: Stream, report: Report, limits: _Limits) -> None:
    head = stream.peek(2)
    starts_so = len(head) == 2 and head[0] == 0x80 and head[1] <= _PROTOCOLS
    found = Found()
    try:
        read_pickles(stream, found, limits.pause)
    except NotAPickle as end:
        is_called_so = _CALLED_PICKLE.search(path) is not None
        # Other bytes are opcodes too, for a while: what they seem to import counts when it has a name that matters.
        named = found.calls and any(_danger(each) for each in found.imports if UNKNOWN not in each)
        if not (starts_so or found.complete or named or (is_called_so and found.imports)):
            found.imports.clear()
            return
        rest = {each for each in search_imports(stream, limits.pause) if _danger(each)}
        if not found.complete or rest:
            message = f"It is a pickle that cannot be followed to its end ({end}), as joblib's with arrays are."
            report.add(path, Severity.UNREAD, message)
        found.imports |= rest
    finally:
        report.pickles += found.complete
        _judge(path, found.imports, report)


# -- archives ----------------------------------------------------------------------------------------------------------
# Whatever an archive makes Python's libraries raise; a RuntimeError is one with a password.
_BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, RuntimeError)


def _is_zip(file: Any) -> bool:
    try:
        return zipfile.is_zipfile(file)
    except OSError:
        return False


def _scan_zip(path: str, file: IO[bytes], report: Report, limits: _Limits, depth: int) -> None:
    if depth >= MOST_DEPTH:
        report.add(path, Severity.UNREAD, f"Archives lie in archives, more than {MOST_DEPTH} deep.")
        return
    try:
        archive = RelaxedZipFile(file)
    except _BROKEN as broken:
        report.add(path, Severity.UNREAD, f"The archive cannot be read ({broken}).")
        return
    with archive:
        for member in archive.infolist():
            limits.member()
            if member.is_dir() and not member.file_size:
                continue
            inner = f"{path}:{member.filename}"
            try:
                _scan_member(inner, archive, member, report, limits, depth + 1)
            except _BROKEN as broken:
                report.add(inner, Severity.UNREAD, f"It cannot be read ({broken}).")


def _scan_member(
    path: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo, report: Report, limits: _Limits, depth: int
) -> None:
    if member.flag_bits & 1:
        report.add(path, Severity.UNREAD, "It is encrypted.")
        return
    with archive.open(member) as content:
        head = content.read(4)
        if head == _ZIP:
            _scan_nested(path, chain([head], _blocks(content.read)), report, limits, depth)
        else:
            unpacked = _Counted(head, content.read, limits)
            _scan_stream(path, Stream(unpacked.read), report, limits, depth)


def _scan_nested(path: str, blocks: Iterable[bytes], report: Report, limits: _Limits, depth: int) -> None:
    with tempfile.TemporaryFile() as file:
        for block in blocks:
            limits.unpack(len(block))
            file.write(block)
            if file.tell() > MOST_NESTED:
                report.add(path, Severity.UNREAD, f"An archive inside an archive has over {MOST_NESTED >> 20} MB.")
                return
        size = file.tell()

        def open_at(offset: int) -> Opened:
            file.seek(offset)
            return io.BytesIO() if offset >= size else _Borrowed(file)

        with _closing(SeekableFile(size, open_at)) as whole:  # type: ignore[arg-type]
            _scan_seekable(path, whole, report, limits, depth)


class _Borrowed:
    """A file that stays open when its reader is closed."""

    def __init__(self, file: IO[bytes]) -> None:
        self.read = file.read

    def close(self) -> None:
        """Whoever lent it closes it."""


class _Counted:
    """What an archive grows to, counted."""

    def __init__(self, head: bytes, read: Callable[[int], bytes], limits: _Limits) -> None:
        self._head, self._read, self._limits = head, read, limits

    def read(self, size: int) -> bytes:
        block, self._head = self._head or self._read(min(size, 1024 * 1024)), b""
        self._limits.unpack(len(block))
        return block


def _blocks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while block := read(1024 * 1024):
        yield block


def _scan_compressed(path: str, stream: Stream, unpacker: Any, report: Report, limits: _Limits, depth: int) -> None:
    if depth >= MOST_DEPTH:
        report.add(path, Severity.UNREAD, f"It is compressed more than {MOST_DEPTH} times over.")
        return
    inside = Stream(_Unpacked(stream, unpacker, limits).read)
    try:
        if inside.peek(4) == _ZIP:
            _scan_nested(path, _blocks(inside.read), report, limits, depth + 1)
        else:
            _scan_stream(path, inside, report, limits, depth + 1)
    except _BROKEN:
        if isinstance(unpacker, _WEAKLY_MARKED) and not _CALLED_PICKLE.search(path):
            return  # it only began as such a file does
        report.add(path, Severity.UNREAD, "It is compressed, and broken.")


class _Unpacked:
    """What a compressed stream holds, never more than a block of it at a time."""

    def __init__(self, stream: Stream, unpacker: Any, limits: _Limits) -> None:
        self._stream, self._unpacker, self._limits = stream, unpacker, limits
        self._waiting = b""

    def read(self, size: int) -> bytes:
        most = min(max(size, 1), 1024 * 1024)
        while not self._unpacker.eof:
            if isinstance(self._unpacker, bz2.BZ2Decompressor | lzma.LZMADecompressor):
                needs_input = self._unpacker.needs_input
                given = self._stream.read(BLOCK) if needs_input else b""
                block = self._unpacker.decompress(given, most)
            else:
                needs_input = not self._waiting
                given = self._waiting or self._stream.read(BLOCK)
                block = self._unpacker.decompress(given, most)
                self._waiting = self._unpacker.unconsumed_tail
            if needs_input and not given and not block:
                raise EOFError
            if block:
                self._limits.unpack(len(block))
                return bytes(block)
        return b""


# -- judging -----------------------------------------------------------------------------------------------------------
_OUR_MODULES = {  # what picklescan's lists leave open: each runs, loads or imports what it is given
    "_thread", "cPickle", "concurrent", "dill", "importlib", "marshal", "multiprocessing", "threading", "torch.hub",
    "urllib2", "zipimport",
}  # fmt: skip
_OUR_NAMES = {
    "builtins": {"__import__", "setattr", "delattr", "globals", "vars", "input"},
    "joblib": {"load"},
    "joblib.numpy_pickle": {"load"},
    "keras.models": {"load_model"},
    "numpy": {"load"},
    "pandas": {"read_pickle", "eval"},
    "pandas.io.pickle": {"read_pickle"},
    "site": {"execsitecustomize", "addsitedir"},
    "torch": {"load"},
    "types": {"FunctionType", "ModuleType"},
}
_ANYWHERE = {  # functions that go by these names wherever they are imported from
    "Popen", "__import__", "check_call", "check_output", "eval", "exec", "execfile", "exec_command", "exec_module",
    "getoutput", "getstatusoutput", "import_module", "load_module", "popen", "run_module", "run_path", "runcode",
    "spawn", "system",
}  # fmt: skip
_MAKES_FUNCTIONS = "cloudpickle"


def _judge(path: str, imports: Iterable[Import], report: Report) -> None:
    for module, name in sorted(imports):
        if len(report.imports) < MOST_NAMED:
            report.imports.add(f"{module}.{name}")
        if UNKNOWN in (module, name):
            report.add(path, Severity.DANGER, "It imports something by a name that is made when it is loaded.")
        elif _danger((module, name)):
            if module.partition(".")[0] == _MAKES_FUNCTIONS:
                said = f"It holds functions as code ({module}.{name}): they run when the model is used."
            else:
                said = f"It imports {module}.{name}, which can run anything."
            report.add(path, Severity.DANGER, said)


def _danger(imported: Import) -> bool:
    """Whether this import can be made to run anything."""
    module, name = imported
    if UNKNOWN in (module, name):
        return True
    spellings = {(module, name), NAME_MAPPING.get((module, name), (module, name))}
    spellings |= {(IMPORT_MAPPING.get(one, one), other) for one, other in list(spellings)}
    parts = name.split(".")
    if len(parts) > 1:  # attributes of what is imported: each may be a module of its own
        if any(part.startswith("__") for part in parts):
            return True
        spellings |= {(module, parts[0])}
        spellings |= {(".".join(parts[:at]), ".".join(parts[at:])) for at in range(1, len(parts))}
        spellings |= {(".".join(parts[start:at]), parts[at]) for at in range(1, len(parts)) for start in range(at)}
    return any(_listed(one, other) for one, other in spellings)


def _listed(module: str, name: str) -> bool:
    if name.rpartition(".")[2] in _ANYWHERE or name in _OUR_NAMES.get(module, ()):
        return True
    parents = module.split(".")
    if any(".".join(parents[: at + 1]) in _OUR_MODULES for at in range(len(parents))):
        return True
    # picklescan judges pickles: it is given one that imports just this name.
    judged = scan_pickle_bytes(io.BytesIO(f"c{module}\n{name}\n.".encode()), "import")
    return any(one.safety is SafetyLevel.Dangerous for one in judged.globals)
