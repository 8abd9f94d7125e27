"""Markdown: what people need is rendered, and nothing that could act for them or against them passes."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_site.core.highlight import LANGUAGES, MAX_HIGHLIGHTED, highlight, highlight_css, language_of
from registry_site.core.markdown import MAX_RENDERED, excerpt, mark_mentions, render_markdown
from tests.effort import little_effort

HOSTILE = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<object data=javascript:alert(1)></object>",
    "<embed src=//evil.example>",
    "<form action=/models/delete method=post><button>go</button></form>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>*{display:none}</style>",
    "<p style='position:fixed;inset:0'>over all</p>",
    "<div id=csrfmiddlewaretoken name=cookie class=button>clobber</div>",
    "<a id=location name=location href=x>clobber</a>",
    "<div hx-get=/admin hx-trigger=load>x</div>",
    "<div hx-on:click='alert(1)' hx-vals='js:{a:1}' hx-swap-oob=true>x</div>",
    "<div data-hx-post=/x x-data='{}' x-init=alert(1) @click=alert(1) :class=a v-html=x>x</div>",
    "<div data-copy=x data-dialog=y>x</div>",
    "<details open ontoggle=alert(1)>x</details>",
    "<video><source onerror=alert(1)></video>",
    "<input autofocus onfocus=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<?xml-stylesheet href='javascript:alert(1)'?>",
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt:alert(1))",
    "[a](java\tscript:alert(1))",
    "[a](&#106;avascript:alert(1))",
    "[a](&Tab;javascript:alert(1))",
    "[a](javascript&colon;alert(1))",
    "[a](<java\nscript:alert(1)>)",
    "[a](\x01javascript:alert(1))",
    "[a](vbscript:msgbox(1))",
    "[a](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[a](file:///etc/passwd)",
    "[a](ftp://evil.example)",
    "[a]: javascript:alert(1)\n\n[a]",
    "<javascript:alert(1)>",
    "<data:text/html,x>",
    "![a](javascript:alert(1))",
    "![a](data:image/svg+xml;base64,PHN2Zy8+)",
    '[a](https://x.example "title\\" onmouseover=\\"alert(1)")',
    '![a" onerror="alert(1)](x.png)',
    '![a](x.png"onerror="alert\\(1\\))',
    "[a](https://x.example/`onclick=alert(1)`)",
    '```x" onmouseover="alert(1)\ncode\n```',
    "```html\n<script>alert(1)</script>\n```",
    "```python\n'</code></pre><script>alert(1)</script>'\n```",
    '```"><img src=x onerror=alert(1)>\nx\n```',
    "`<script>alert(1)</script>`",
    "javascript:alert(1)",
    'http://x.example/"onmouseover="alert(1)',
    "www.x.example/<script>alert(1)</script>",
    'a@x.example"onclick=alert(1)',
]
AROUND = [
    "{}",
    "text {} text",
    "> {}",
    "> > * {}",
    "1. {}",
    "- [x] {}",
    "| a | b |\n|---|---|\n| {} | x |",
    "# {}",
    "**{}**",
    "[{}](https://x.example)",
    "~~{}~~",
]
ALLOWED = {
    "a": {"href", "title", "rel"},
    "img": {"src", "alt", "title", "loading"},
    "input": {"type", "checked", "disabled", "aria-label"},
    "ol": {"start"},
    "pre": {"class", "tabindex"},
    "span": {"class"},
    "td": {"align"},
    "th": {"align"},
}
PLAIN = {
    *("blockquote", "br", "code", "del", "em", "hr", "li", "p", "strong", "table", "tbody", "thead", "tr", "ul"),
    *("h1", "h2", "h3", "h4", "h5", "h6"),
}


class Watch(HTMLParser):
    """Reads HTML as a browser would and notes whatever is not on the list."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ALLOWED and tag not in PLAIN:
            self.faults.append(tag)
        for name, value in attrs:
            if name not in ALLOWED.get(tag, set()):
                self.faults.append(f"{tag} {name}")
            if name == "href" and not re.match(r"(https?://|mailto:|[^:]*$|[^:]*[/?#])", value or ""):
                self.faults.append(f"{tag} {name}={value}")
            if name == "src" and re.match(r"\s*([a-z]+:|//)", value or "", re.IGNORECASE):
                self.faults.append(f"{tag} {name}={value}")

    def handle_comment(self, data: str) -> None:
        self.faults.append(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self.faults.append(f"<!{decl}>")


@pytest.mark.parametrize("around", AROUND)
def test_nothing_hostile_passes_wherever_it_stands(around: str) -> None:
    for hostile in HOSTILE:
        watch = Watch()
        html = render_markdown(around.replace("{}", hostile))
        watch.feed(html)
        watch.close()
        assert watch.faults == [], (hostile, html)


def test_the_watch_itself_sees_what_it_looks_for() -> None:
    watch = Watch()
    watch.feed("<script></script><p onclick=x></p><a href='javascript:x'></a><img src='//evil'><!-- x -->")
    assert watch.faults == ["script", "p onclick", "a href=javascript:x", "img src=//evil", "<!-- x -->"]


def test_what_people_write_is_rendered() -> None:
    html = render_markdown(
        "# Credit risk\n\nA **gradient boosting** model, ~~draft~~ *final*.\n\nAt https://x.example, jon@x.example.\n\n"
        "- [x] trained\n- [ ] reviewed\n\n| metric | value |\n|:--|--:|\n| auc | 0.91 |\n\n"
        "3. third\n\n> quoted\n\n![roc](plots/roc.png)\n"
    )
    for part in (
        "<h2>Credit risk</h2>",
        "<strong>gradient boosting</strong>",
        "<del>draft</del>",
        "<em>final</em>",
        ' href="https://x.example"',
        ' rel="nofollow noopener">https://x.example</a>',
        ' href="mailto:jon@x.example"',
        ' aria-label="done"',
        ' aria-label="to do"',
        ' type="checkbox"',
        ' checked=""',
        ' disabled=""',
        '<th align="left">metric</th>',
        '<td align="right">0.91</td>',
        '<ol start="3">',
        "<blockquote>",
        ' src="plots/roc.png"',
        ' alt="roc"',
    ):
        assert part in html


def test_fenced_code_is_coloured_by_classes_and_can_be_scrolled_by_keyboard() -> None:
    html = render_markdown('```python title="a"\ndef f(x): return x < 1\n```')
    assert html.startswith('<pre class="highlight" tabindex="0"><code><span class="k">def</span>')
    assert "&lt;" in html
    assert "style" not in html
    assert render_markdown("```brainfuck\n+<>\n```") == (
        '<pre class="highlight" tabindex="0"><code>+&lt;&gt;\n</code></pre>\n'
    )


def test_an_image_of_another_site_leaves_its_words() -> None:
    for url in ("https://evil.example/pixel.png", "//evil.example/pixel.png"):
        assert "evil" not in render_markdown(f"![pixel]({url})")
    assert 'alt="pixel"' in render_markdown("![pixel](https://evil.example/pixel.png)")


def test_a_text_that_is_too_long_is_shown_as_written() -> None:
    assert render_markdown("**a** <b>" + "x" * MAX_RENDERED).startswith("<pre>**a** &lt;b&gt;xxx")
    assert render_markdown("**a** " + "x " * 20_000).startswith("<p><strong>a</strong>")


def test_letters_that_are_none_are_replaced() -> None:
    assert render_markdown("a\udcffb\x00c") == "<p>a?b\ufffdc</p>\n"


@pytest.mark.parametrize(
    "text",
    [
        ">" * 100_000,
        "- " * 100_000 + "a",
        "*" * 100_000 + "a" + "*" * 100_000,
        "[" * 200_000,
        "![a](" * 40_000,
        "<" * 200_000,
        "`a" * 100_000,
        "|a" * 2000 + "|\n" + "|-" * 2000 + "|\n" + ("|" * 100 + "\n") * 1000,
        "www.a" * 40_000,
        "~~a " * 60_000,
        "```java\n" + "a " * 60_000,
        "```diff\n" + "a " * 30_000,
    ],
    ids=[
        "quotes",
        "lists",
        "stars",
        "brackets",
        "images",
        "tags",
        "ticks",
        "table",
        "links",
        "strikes",
        "java",
        "diff",
    ],
)
def test_a_text_made_to_be_slow_is_not(text: str) -> None:
    with little_effort():
        render_markdown(text)


def test_an_excerpt_is_the_first_words_without_marks_and_headings() -> None:
    text = "# Credit risk\n\nA **model** of [jon](https://x.example) &amp; maria.\n\n## Use\n\nOn *Mondays*."
    assert excerpt(text) == "A model of jon & maria. On Mondays."
    assert excerpt("# Credit **risk**") == "Credit risk"
    assert excerpt("") == ""
    assert excerpt("<script>alert(1)</script>") == ""
    assert excerpt("a <b>c</b>") == "a c"
    assert excerpt("a `x < y` b") == "a x < y b"


def test_an_excerpt_is_cut_at_a_word() -> None:
    assert excerpt("one two, three four", 10) == "one two…"
    assert excerpt("onetwothree", 5) == "onet…"
    assert len(excerpt("word " * 1000)) <= 160
    assert excerpt("word " * 1000).endswith("word…")


# -- code --------------------------------------------------------------------------------------------------------------


def test_every_language_colours_or_escapes() -> None:
    for language in LANGUAGES:
        html = highlight("<b a='1'> x = 1 </b>\n", language)
        assert re.sub(r"</?span[^>]*>", "", html).replace("&#39;", "'").replace("&quot;", '"') == (
            "&lt;b a='1'&gt; x = 1 &lt;/b&gt;\n"
        )


def test_long_and_unknown_source_is_only_escaped() -> None:
    assert highlight("<b>", "klingon") == "&lt;b&gt;"
    assert highlight("x = 1\n" * MAX_HIGHLIGHTED, "python").startswith("x = 1\n")


def test_a_name_tells_the_language() -> None:
    assert [
        language_of(name) for name in ("a/train.py", "MLmodel", "conda.yaml", "A.JSON", "Dockerfile", "x", "x.bin")
    ] == [
        "python",
        "yaml",
        "yaml",
        "json",
        "docker",
        "",
        "",
    ]


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_colours_of_code_can_be_read_in_both_themes() -> None:
    grounds = {"light": ["#ffffff", "#f6f7f9", "#eceff3"], "dark": ["#161b22", "#0d1117", "#1f2630"]}
    css = highlight_css()
    pairs = re.findall(
        r"[{ ]color: light-dark\((#\w{6}), (#\w{6})\);(?: background: light-dark\((#\w{6}), (#\w{6})\))?", css
    )
    assert len(pairs) > 10
    for light, dark, light_ground, dark_ground in pairs:
        for ground in [light_ground] if light_ground else grounds["light"]:
            assert contrast(light, ground) >= 4.5, (light, ground)
        for ground in [dark_ground] if dark_ground else grounds["dark"]:
            assert contrast(dark, ground) >= 4.5, (dark, ground)


def test_headings_begin_below_the_one_of_the_page() -> None:
    html = render_markdown("# Card\n\n## Use\n\n###### Note\n\n```html\n<h1>kept</h1>\n```\n")
    assert "<h2>Card</h2>" in html
    assert "<h3>Use</h3>" in html
    assert "<h6>Note</h6>" in html
    assert "<h1>" not in html
    assert "h1" in html


def test_a_heading_of_nothing_but_html_leaves_no_empty_heading() -> None:
    assert render_markdown("# <img src=x onerror=alert(1)>\n\ntext\n") == "<p>text</p>\n"


# -- mentions ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("@jon, look", '<p><span class="mention">@jon</span>, look</p>\n'),
        ("**@jon**", '<p><strong><span class="mention">@jon</span></strong></p>\n'),
        ("<@jon>", '<p>&lt;<span class="mention">@jon</span>&gt;</p>\n'),
        ("@jon.weber and @jo", "<p>@jon.weber and @jo</p>\n"),
        ("`@jon`", "<p><code>@jon</code></p>\n"),
        ("mail@jon", "<p>mail@jon</p>\n"),
    ],
)
def test_somebody_who_is_there_stands_out_and_nobody_else(text: str, marked: str) -> None:
    assert mark_mentions(render_markdown(text), {"jon"}) == marked


@pytest.mark.parametrize(
    "text",
    [
        "[@jon](https://x.example)",
        '[x](https://x.example "> @jon onmouseover=alert(1)")',
        '![a > @jon](pic.png "> @jon")',
        "```\n@jon\n```",
        "```python\nx = '@jon'\n```",
        "https://x.example/@jon",
    ],
)
def test_no_mention_is_made_inside_of_a_tag_a_link_or_code(text: str) -> None:
    html = render_markdown(text)
    assert mark_mentions(html, {"jon"}) == html


@given(st.text(alphabet="@jon <>\"'`[]()!\\&;=#*_~\n", max_size=60))
def test_marking_adds_nothing_but_its_spans(text: str) -> None:
    html = render_markdown(text)
    marked = mark_mentions(html, {"jon", "o", "n"})
    assert marked.replace('<span class="mention">', "").replace("</span>", "") == html.replace("</span>", "")
