"""Who is meant by an @ in a text. Pure."""

import re

_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_TICKS = re.compile(r"`+")
_CODE = re.compile(r"`[^`]*`")
_MENTION = re.compile(r"(?<![\w@/.+-])@(\w(?:[\w.+-]*\w)?)")
_MOST = 50  # of one text: more are no conversation


def mentions(text: str) -> list[str]:
    """The user names that follow an @ in this Markdown, each once, in the order of the text; none from code, and none
    that are part of an address."""
    prose = []
    fence = ""
    for line in text.splitlines():
        opens = _FENCE.match(line)
        if opens and fence in ("", opens[1]):
            fence = "" if fence else opens[1]
        elif not fence:
            prose.append(line)
    found = _MENTION.findall(_CODE.sub(" ", _TICKS.sub("`", "\n".join(prose))))
    return list(dict.fromkeys(found))[:_MOST]
