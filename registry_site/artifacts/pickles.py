"""What a pickle would import, read from its opcodes one by one and never executed.

Memory does not grow with the file: long values are passed over, and of the memo only short texts are kept.
"""

import codecs
import pickletools
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from registry_site.artifacts.streams import Stream

Import = tuple[str, str]

UNKNOWN = "unknown"  # the name of what cannot be told without running the pickle
_LONGEST_NAME = 1000
_MOST_REMEMBERED = 1_000_000  # entries of the memo
_MOST_LETTERS = 16 * 1024 * 1024  # of texts in it
_MOST_IMPORTS = 10_000
_PAUSE = 4096  # opcodes

_TEXTS = ("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING", "SHORT_BINSTRING")
_CALLS = ("REDUCE", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD")
_EXTENSIONS = ("EXT1", "EXT2", "EXT4")
_LENGTHS = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}


class _Does(Enum):
    """What an opcode means for the names that are imported."""

    PUSHES = auto()
    PUSHES_TEXT = auto()
    CALLS = auto()
    KEEPS = auto()
    KEEPS_NEXT = auto()
    FETCHES = auto()
    IMPORTS_LINES = auto()
    IMPORTS_TEXTS = auto()
    IMPORTS_EXTENSION = auto()
    NOTHING = auto()
    STOPS = auto()


_DOES = {
    **dict.fromkeys(_TEXTS, _Does.PUSHES_TEXT),
    **dict.fromkeys(_CALLS, _Does.CALLS),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _Does.KEEPS),
    "MEMOIZE": _Does.KEEPS_NEXT,
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _Does.FETCHES),
    **dict.fromkeys(("GLOBAL", "INST"), _Does.IMPORTS_LINES),
    "STACK_GLOBAL": _Does.IMPORTS_TEXTS,
    **dict.fromkeys(_EXTENSIONS, _Does.IMPORTS_EXTENSION),
    **dict.fromkeys(("PROTO", "FRAME"), _Does.NOTHING),
    "STOP": _Does.STOPS,
}
_TAKES = {_Does.KEEPS: 1, _Does.KEEPS_NEXT: 1, _Does.IMPORTS_TEXTS: 2, _Does.CALLS: 2}  # of the stack, at least
_OPCODES = {
    ord(opcode.code): (opcode.name, _DOES.get(opcode.name, _Does.PUSHES), opcode.arg.n if opcode.arg else None)
    for opcode in pickletools.opcodes
}


class NotAPickle(Exception):
    """The bytes are no pickle, or no longer one."""


@dataclass(slots=True)
class Found:
    """What was found so far: it holds also when reading ends with an error."""

    imports: set[Import] = field(default_factory=set)
    complete: int = 0
    """Pickles that were read to their end."""
    calls: int = 0
    """Opcodes that call something."""
    unnamed: set[Import] = field(default_factory=set)
    """Imports without a name to tell, of the pickle that is being read, before anything is called."""

    def confirm(self) -> None:
        """The pickle went on to a call or to its end: it means what it imports."""
        self.imports |= self.unnamed
        self.unnamed.clear()


def read_pickles(stream: Stream, found: Found, pause: Callable[[], None]) -> None:
    """Read all pickles of the stream, one behind the other, into `found`; `pause` is called every now and then.

    Raises NotAPickle where they end and something else follows. Torch's older files have numbers there, of which one
    or two are opcodes by chance: what these import counts when it has a name, or is called.
    """
    while stream.peek(1):
        try:
            _read_pickle(stream, found, pause)
        except NotAPickle:
            if not found.complete:
                found.confirm()
            raise
        found.confirm()
        found.complete += 1


def _read_pickle(stream: Stream, found: Found, pause: Callable[[], None]) -> None:
    memo: dict[int, str | None] = {}
    letters = 0
    last: deque[str | None] = deque(maxlen=2)  # the texts that were pushed last; None is another value
    steps = 0
    while True:
        steps += 1
        if steps % _PAUSE == 0:
            pause()
        code = stream.byte()
        if code not in _OPCODES:
            raise NotAPickle("it ends in the middle" if code < 0 else "something else follows")
        name, does, length = _OPCODES[code]
        if does is _Does.IMPORTS_LINES:
            _note(found, _text(_line(stream) or b" "), _text(_line(stream) or b" "))
            found.calls += name == "INST"
            last.append(None)
            continue
        argument = None if length is None else _argument(stream, length)
        if len(last) < _TAKES.get(does, 0):
            raise NotAPickle("it takes what is not there")
        match does:
            case _Does.PUSHES:
                last.append(None)
            case _Does.PUSHES_TEXT:
                last.append(_decoded(name, argument))
            case _Does.KEEPS | _Does.KEEPS_NEXT:
                kept = last[-1]
                letters += len(kept or "")
                # As pickle numbers them, or another name than ours could be fetched.
                key = len(memo) if does is _Does.KEEPS_NEXT else _key(name, argument)
                memo[key] = kept if letters < _MOST_LETTERS else None
                if len(memo) > _MOST_REMEMBERED:
                    raise NotAPickle(f"it keeps more than {_MOST_REMEMBERED:,} values in mind")
            case _Does.FETCHES:
                last.append(memo.get(_key(name, argument)))
            case _Does.IMPORTS_TEXTS:
                module, attribute = last
                _note(found, module or UNKNOWN, attribute or UNKNOWN)
                last.append(None)
            case _Does.IMPORTS_EXTENSION:
                _note(found, UNKNOWN, "extension")
                last.append(None)
            case _Does.CALLS:
                found.calls += 1
                found.confirm()
                last.append(None)
            case _Does.STOPS:
                return


def _note(found: Found, module: str, name: str) -> None:
    if re.search(r"[\s\x00-\x1f]", module + name):
        raise NotAPickle("it imports what is no name")
    (found.unnamed if UNKNOWN in (module, name) else found.imports).add((module, name))
    if len(found.imports) > _MOST_IMPORTS:
        raise NotAPickle(f"it imports more than {_MOST_IMPORTS} names")


def _argument(stream: Stream, kind: int) -> bytes | None:
    """The bytes of an opcode's argument, whose length is given, or one of pickletools' ways to say it; None of what is
    too long for a name."""
    if kind >= 0:
        return _exactly(stream, kind)
    if kind == pickletools.UP_TO_NEWLINE:
        return _line(stream)
    length = int.from_bytes(_exactly(stream, _LENGTHS[kind]), "little")
    if length <= _LONGEST_NAME:
        return _exactly(stream, length)
    if stream.skip(length) < length:
        raise NotAPickle("it ends in the middle")
    return None


def _line(stream: Stream) -> bytes | None:
    try:
        return stream.line(_LONGEST_NAME)
    except EOFError:
        raise NotAPickle("a line of it does not end") from None


def _exactly(stream: Stream, size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise NotAPickle("it ends in the middle")
    return content


def _key(opcode: str, argument: bytes | None) -> int:
    content = argument or b""
    if opcode in ("PUT", "GET"):
        try:
            return int(content)
        except ValueError:
            raise NotAPickle("a place in the memo is no number") from None
    return int.from_bytes(content, "little")


def _decoded(opcode: str, argument: bytes | None) -> str | None:
    if argument is None:
        return None
    try:
        if opcode == "UNICODE":
            return argument.decode("raw-unicode-escape")
        if opcode == "STRING":
            return _text(codecs.escape_decode(argument.strip()[1:-1])[0])
    except ValueError:
        return None
    return _text(argument)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")[:_LONGEST_NAME]


# -- without following the opcodes -------------------------------------------------------------------------------------
_WORD = rb"[A-Za-z_][\w.]{0,200}"
_KEPT = rb"(?:\x94|q.|r.{4})?"
_LOOKS_LIKE_IMPORT = re.compile(
    rb"[ci](" + _WORD + rb")\n(" + _WORD + rb")\n"
    rb"|\x8c.(" + _WORD + rb")" + _KEPT + rb"\x8c.(" + _WORD + rb")" + _KEPT + rb"\x93"
    rb"|X.{4}(" + _WORD + rb")" + _KEPT + rb"X.{4}(" + _WORD + rb")" + _KEPT + rb"\x93",
    re.DOTALL,
)
_OVERLAP = 1024
_BLOCK = 1024 * 1024


def search_imports(stream: Stream, pause: Callable[[], None]) -> set[Import]:
    """Whatever in the rest of the stream looks as an import does in a pickle: for what follows where opcodes end."""
    imports: set[Import] = set()
    before = b""
    while block := stream.read(_BLOCK):
        pause()
        block = before + block
        for match in _LOOKS_LIKE_IMPORT.finditer(block):
            module, name = (part for part in match.groups() if part is not None)
            if len(imports) < _MOST_IMPORTS:
                imports.add((_text(module), _text(name)))
        before = block[-_OVERLAP:]
    return imports
