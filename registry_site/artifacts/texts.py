"""Bytes as text, and text as HTML."""

import codecs
import re

from django.utils.safestring import SafeString, mark_safe

from registry_site.core.highlight import highlight
from registry_site.core.markdown import render_markdown

_NO_TEXT = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")  # a text may hold tabs, bells, form feeds and colours
_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")  # colours and cursor moves
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def decode(head: bytes, *, cut: bool) -> tuple[str, str] | None:
    """The text and a notice about its encoding; None when the bytes are no text. A cut may have split a
    letter."""
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return head[len(bom) :].decode(encoding, "replace"), ""
    if _NO_TEXT.search(head):
        return None
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(head, final=not cut), ""
    except UnicodeDecodeError:
        return head.decode("latin-1"), "This file is not UTF-8; it was read as Latin-1."


def without_colours(text: str) -> str:
    """The text without what tells a terminal to colour it, or to move its cursor."""
    return _TERMINAL.sub("", text)


def coloured(text: str, language: str) -> SafeString:
    """Code, escaped, with its words marked."""
    return mark_safe(highlight(text, language))  # escaped by Pygments


def rendered(text: str) -> SafeString:
    """Markdown as HTML."""
    return mark_safe(render_markdown(text))  # sanitized
