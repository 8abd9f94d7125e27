"""Source text in colour: Pygments' short classes, and the style sheet that gives them colours. Pure.

Classes and never inline styles, because the Content-Security-Policy allows none.
"""

from collections.abc import Iterator
from html import escape
from io import StringIO
from time import thread_time
from typing import Any

from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES

MAX_HIGHLIGHTED = 64 * 1024  # characters; more is shown without colours, so that no page waits for it
MAX_SECONDS = 0.5  # of CPU: many lexers are quadratic over lines that somebody made for that

# A closed list: some of the five hundred languages (Java, make, XML) take minutes over texts made to be slow.
_LEXERS = (
    *("bash", "c", "cpp", "css", "diff", "docker", "go", "html", "ini", "javascript", "json", "julia"),
    *("markdown", "python", "r", "rust", "sql", "toml", "typescript", "yaml"),
)
LANGUAGES = {
    **{name: name for name in _LEXERS},
    "console": "bash",
    "dockerfile": "docker",
    "js": "javascript",
    "jsonc": "json",
    "md": "markdown",
    "py": "python",
    "python3": "python",
    "sh": "bash",
    "shell": "bash",
    "ts": "typescript",
    "xml": "html",
    "yml": "yaml",
}
_EXTENSIONS = {
    **{extension: extension for extension in ["c", "css", "diff", "go", "ini", "json", "r", "sql", "toml"]},
    "bash": "bash",
    "cc": "cpp",
    "cfg": "ini",
    "cpp": "cpp",
    "dockerfile": "docker",
    "h": "c",
    "hpp": "cpp",
    "htm": "html",
    "html": "html",
    "ipynb": "json",
    "jl": "julia",
    "js": "javascript",
    "lock": "toml",
    "md": "markdown",
    "mjs": "javascript",
    "patch": "diff",
    "py": "python",
    "pyi": "python",
    "rs": "rust",
    "sh": "bash",
    "svg": "html",
    "ts": "typescript",
    "xml": "html",
    "yaml": "yaml",
    "yml": "yaml",
}
_NAMES = {"MLmodel": "yaml", "MLproject": "yaml", "Dockerfile": "docker"}
# what `highlight` may write as a class; one without a rule below keeps the colour of the text
TOKEN_CLASSES = frozenset(name for name in STANDARD_TYPES.values() if name)
_FORMATTER = HtmlFormatter(nowrap=True)

# token classes of one colour, the colour on light and on dark ground, and what else sets them apart
_RULES = (
    ("c ch cm c1 cs cpf", "#57606a", "#9aa5b1", "font-style: italic;"),
    ("cp", "#7a4b00", "#e8b44f", ""),
    ("k kc kd kn kp kr ow", "#a01c5b", "#ff9ac1", ""),
    ("kt nc nn ne nt", "#1a6b36", "#6fdd8b", ""),
    ("nf fm nd", "#6a35b0", "#cbb8ee", ""),
    ("nb bp vm", "#0a5bb5", "#6cb2ff", ""),
    ("na nv vc vg vi py", "#7a4b00", "#e8b44f", ""),
    ("no nl ni", "#0a5bb5", "#6cb2ff", ""),
    ("s sa sb sc dl s2 sh s1 sx ss", "#0b4f79", "#a5d6ff", ""),
    ("sd", "#57606a", "#9aa5b1", ""),
    ("se si sr", "#a01c5b", "#ff9ac1", ""),
    ("l ld m mb mf mh mi mo il", "#0a5bb5", "#6cb2ff", ""),
    ("err gr gt", "#b3261e", "#ff8f87", ""),
    ("gd", "#8c1d18", "#ffada6", "background: light-dark(#ffe9e7, #3b1614);"),
    ("gi", "#0f5a2c", "#7ee2a0", "background: light-dark(#e3f7e8, #12301e);"),
    ("gh gu gp", "#57606a", "#9aa5b1", "font-weight: 600;"),
    ("ge", "", "", "font-style: italic;"),
    ("gs", "", "", "font-weight: 600;"),
)


def language_of(name: str) -> str:
    """The language that a file's name promises, as `highlight` takes it; empty when it promises none."""
    plain = name.rpartition("/")[2]
    return _NAMES.get(plain) or _EXTENSIONS.get(plain.rpartition(".")[2].lower(), "")


def highlight(text: str, language: str) -> str:
    """The text as safe HTML, tokens in `<span class="k">`.

    Only escaped, without colours, when the language is unknown, the text is long, or it takes too long.
    """
    known = LANGUAGES.get(language.lower())
    if known is None or len(text) > MAX_HIGHLIGHTED:
        return escape(text)
    lexer = get_lexer_by_name(known, stripnl=False, ensurenl=False)
    coloured = StringIO()
    try:
        _FORMATTER.format(_in_time(lexer.get_tokens(text)), coloured)
    except TimeoutError:
        return escape(text)
    return coloured.getvalue()


def _in_time(tokens: Iterator[tuple[Any, str]]) -> Iterator[tuple[Any, str]]:
    deadline = thread_time() + MAX_SECONDS
    for token in tokens:
        if thread_time() > deadline:
            raise TimeoutError
        yield token


def highlight_css() -> str:
    """The style sheet of `static/css/highlight.css`, for both themes: `light-dark()` follows the page's
    color-scheme."""
    rules = []
    for classes, light, dark, more in _RULES:
        selector = ", ".join(f".{name}" for name in classes.split())
        colour = f"color: light-dark({light}, {dark});" if light else ""
        rules.append(f"    & :is({selector}) {{ {' '.join(filter(None, [colour, more]))} }}")
    return "\n".join(
        [
            "/* Colours of source text. Made from registry_site/core/highlight.py; change them there. */",
            "@layer components {",
            "  .highlight {",
            *rules,
            "  }",
            "}",
            "",
        ]
    )
