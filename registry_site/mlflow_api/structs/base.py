"""What all messages of the protocol are made of.

Their fields are given by name only. msgspec wants `kw_only=True` said again by every subclass that declares a required
field after an optional one, its own or an inherited one.
"""

import math
from typing import Annotated, dataclass_transform

import msgspec

Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""What the database can hold. Declare every number of a request with this and not with `int`."""

Double = float | bool
"""A number that was measured: true is 1, as clients of MLflow may send it."""


@dataclass_transform(kw_only_default=True)
class Arguments(msgspec.Struct, kw_only=True):
    """The arguments of one endpoint. A field without a default is required, and "" or [] do not fill it.

    A field with a default is optional; null and absent mean the default. Lists are declared `list[…] = []`.
    """


@dataclass_transform(kw_only_default=True)
class Message(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An answer, or a part of one. A field with a default is left out when it is unset or an empty list.

    What clients count on (a status, a step, a false) is declared without a default, and so always sent.
    """


class Tag(Message):
    """A key and a value: tags of everything, and params."""

    key: str
    value: str


class TagArgument(Arguments):
    """A tag that is sent; without a value it has the value ""."""

    key: str
    value: str = ""


def number(value: float) -> float | str:
    """A double as JSON can hold it: not-a-number becomes the text "NaN"."""
    return "NaN" if math.isnan(value) else value
