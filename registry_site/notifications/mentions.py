"""Whom a text names. Pure."""

import re

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
_MENTION = re.compile(r"(?<![\w.@+/-])@(\w[\w.@+-]*)")
MENTIONS_AT_MOST = 50


def mentioned(text: str) -> tuple[str, ...]:
    """The user names that stand behind an @ in a Markdown text, in order, each once; those in code are none.

    What may be the end of a sentence is no part of a name, and an address of mail is no mention. Whether there are such
    people is for the caller to find out.
    """
    found = (match.rstrip(".-+@") for match in _MENTION.findall(_CODE.sub(" ", text)))
    return tuple(dict.fromkeys(found))[:MENTIONS_AT_MOST]
