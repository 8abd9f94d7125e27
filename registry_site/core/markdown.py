"""What people write in Markdown, as HTML that can do no harm. Pure.

Two gates, one behind the other: cmark in its safe mode passes no HTML of the author's, and nh3 lets through
only the elements and attributes that Markdown itself can make. The text is kept as written; this is for pages
alone.
"""

import re
from collections.abc import Collection
from functools import lru_cache
from html import escape, unescape
from urllib.parse import unquote

import nh3
from cmarkgfm import cmark

from registry_site.core.highlight import MAX_HIGHLIGHTED, TOKEN_CLASSES, highlight

MAX_RENDERED = 256 * 1024  # characters; a longer text is shown as it was written
MAX_CACHED = 16 * 1024  # characters; 512 such texts and their HTML stay below 50 MB
MAX_HTML = 2 * 1024 * 1024  # characters; a table of a few lines can make many more
MAX_DEPTH = 100  # elements in one another; nh3 takes half a minute over a text of nothing but `>`
EXCERPTED = 4 * 1024  # characters that an excerpt is looked for in

_EXTENSIONS = ["table", "autolink", "strikethrough", "tasklist"]
_CODE_BLOCK = re.compile(r'<pre><code class="language-([^"]*)">(.*?)</code></pre>', re.DOTALL)
_TASK = re.compile(r'<input type="checkbox" (checked="" )?disabled="" />')
_HEADING = re.compile(r"<(/?)h([1-5])>")
_WHOLE_HEADING = re.compile(r"<h([2-6])>.*?</h\1>", re.DOTALL)
_EMPTY_HEADING = re.compile(r"<h([2-6])>\s*</h\1>\n?")
_EMPTY_HEADER_CELL = re.compile(r"<th[^>]*>\s*</th>")  # heads nothing, which a screen reader would read out
_ANY_TAG = re.compile(r"<(/?)[a-z][a-z0-9]*[^>]*?(/?)>")
_OTHER_SITE = re.compile(r"\s*([a-z][a-z0-9+.-]*:|[/\\]{2})", re.IGNORECASE)

_TAG_OR_TEXT = re.compile(r'(<[^>"]*(?:"[^"]*"[^>"]*)*>)')  # a quoted attribute may hold a >
_UNMARKED = re.compile(r"</?(?:a|code|pre)[ >]")
_MENTION = re.compile(r"(?<![\w@/.+-])@(\w(?:[\w.+-]*\w)?)")  # as `promotion.mentions` reads them
_SCHEME = re.compile(r"[\x00-\x20]*([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_SCHEMES = {"http", "https", "mailto"}
_TAG_NAMES = """
    a blockquote br code del em h1 h2 h3 h4 h5 h6 hr img input li ol p pre span strong table tbody td th thead tr ul
"""
_TAGS = set(_TAG_NAMES.split())
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "input": {"checked", "aria-label"},
    "ol": {"start"},
    "pre": {"tabindex"},
}
_ATTRIBUTE_VALUES = {tag: {"align": {"left", "center", "right"}} for tag in ("td", "th")}
_FIXED_ATTRIBUTES = {"img": {"loading": "lazy"}, "input": {"type": "checkbox", "disabled": ""}}
_CLASSES = {"pre": {"highlight"}, "span": set(TOKEN_CLASSES)}


def render_markdown(text: str) -> str:
    """The text as safe HTML: GitHub's Markdown, fenced code in colour, links that search engines do not
    follow.

    Author's HTML, scripts, styles, ids and classes are gone; links lead to http, https, mailto or our own
    pages; an image of another site leaves its words only, because it would tell that site who reads. Headings
    begin at level 2: the first level is the page's own. A text over 256 KB comes back in a `<pre>`.
    """
    if len(text) > MAX_RENDERED:
        return f"<pre>{escape(text)}</pre>"
    return _render_short(text) if len(text) <= MAX_CACHED else _render(text)


def mark_mentions(html: str, names: Collection[str]) -> str:
    """The HTML that `render_markdown` made, with each `@name` of these names in a span of the class `mention`; not in
    code, nor in the words of a link."""
    if not names:
        return html
    inside = 0
    parts = []
    for part in _TAG_OR_TEXT.split(html):
        if _UNMARKED.match(part):
            inside += -1 if part.startswith("</") else 1
        elif not inside and not part.startswith("<"):
            part = _MENTION.sub(lambda found: _marked(found, names), part)
        parts.append(part)
    return "".join(parts)


def _marked(found: re.Match[str], names: Collection[str]) -> str:
    return f'<span class="mention">{found[0]}</span>' if found[1] in names else found[0]


def sanitize_html(html: str) -> str:
    """HTML from a stranger with nothing left of it but what Markdown could have made, as `render_markdown` says. What
    would take long to clean is shown as it was written."""
    if len(html) > MAX_HTML or _depth(html) > MAX_DEPTH:
        return _as_written(html)
    return _EMPTY_HEADER_CELL.sub("<td></td>", _clean(html))


def excerpt(text: str, length: int = 160) -> str:
    """The first words of the text below its headings, else of those, without marks: at most `length` characters, cut at
    a word with `…`. Not HTML."""
    html = render_markdown(text[:EXCERPTED])
    words = _words(_WHOLE_HEADING.sub(" ", html)) or _words(html)
    if len(words) <= length:
        return words
    cut = words[: length - 1]
    return (cut[: cut.rindex(" ")] if " " in cut else cut).rstrip(" ,;:.") + "…"


def _words(html: str) -> str:
    return " ".join(unescape(nh3.clean(html, tags=set())).split())


def _render(text: str) -> str:
    whole = text.encode("utf-8", "replace").decode()  # cmark takes no lone surrogates
    html: str = cmark.markdown_to_html_with_extensions(whole, 0, extensions=_EXTENSIONS)
    if len(html) > MAX_HTML or _depth(html) > MAX_DEPTH:
        return _as_written(whole)
    clean = _clean(_HEADING.sub(_one_level_down, _TASK.sub(_name_task, _colour(html))))
    return _EMPTY_HEADING.sub("", clean)  # of one that held nothing but the author's HTML


def _clean(html: str) -> str:
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_safe_address,
        tag_attribute_values=_ATTRIBUTE_VALUES,
        set_tag_attribute_values=_FIXED_ATTRIBUTES,
        allowed_classes=_CLASSES,
        url_schemes=_SCHEMES,
        link_rel="nofollow noopener",
    )


_render_short = lru_cache(maxsize=512)(_render)


def _as_written(text: str) -> str:
    return f"<pre>{escape(text)}</pre>"


def _depth(html: str) -> int:
    depth = deepest = 0
    for tag in _ANY_TAG.finditer(html):
        if tag[1]:
            depth -= 1
        elif not tag[2]:
            depth += 1
            deepest = max(deepest, depth)
    return deepest


def _colour(html: str) -> str:
    budget = MAX_HIGHLIGHTED

    def block(found: re.Match[str]) -> str:
        nonlocal budget
        code = unescape(found[2])
        budget -= len(code)
        inner = highlight(code, unescape(found[1])) if budget > 0 else found[2]
        # a keyboard can only scroll what it can reach
        return f'<pre class="highlight" tabindex="0"><code>{inner}</code></pre>'

    return _CODE_BLOCK.sub(block, html)


def _one_level_down(found: re.Match[str]) -> str:
    return f"<{found[1]}h{int(found[2]) + 1}>"


def _name_task(found: re.Match[str]) -> str:
    checked = found[1] or ""
    return f'<input {checked}aria-label="{"done" if checked else "to do"}">'


def _safe_address(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "src" and _OTHER_SITE.match(value):
        return None
    # nh3 has looked at the scheme as it stands; this one shows itself when somebody decodes the address
    hidden = _SCHEME.match(unquote(value)) if attribute == "href" else None
    return None if hidden and hidden[1].lower() not in _SCHEMES else value
