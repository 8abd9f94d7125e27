"""Keyset pages: a page token is the sort key of the last row, signed and bound to the query that it continues."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from django.core import signing

from registry_site.core.errors import InvalidParameter

_SALT = "podium.page"

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows and the token of the page after them; the token is empty on the last page."""

    rows: Sequence[Row]
    next_page_token: str = ""


def _digest(query: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(query, order="sorted")).hexdigest()[:16]


def encode_token(key: Sequence[Any], query: Any) -> str:
    """The token that continues `query` (any JSON value that tells queries apart) after the row with this sort key."""
    return signing.dumps([_digest(query), list(key)], salt=_SALT, compress=True)


def decode_token(token: str | None, query: Any) -> list[Any] | None:
    """The sort key in a token, or None for no token.

    Raises InvalidParameter for a token that was not made here, or was made for another query.
    """
    if not token:
        return None
    try:
        digest, key = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        raise InvalidParameter("Invalid page token: start again without page_token.", field="page_token") from None
    if digest != _digest(query):
        raise InvalidParameter(
            "Invalid page token: it belongs to another search. Repeat the search with the same arguments.",
            field="page_token",
        )
    return list(key)
