"""The words that templates are written in: pills, chips, moments, numbers, snippets, fields.

Every tag answers escaped HTML for text that nobody vouches for.
"""

import math
import zlib
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.template.context import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from registry_site.core.highlight import highlight
from registry_site.core.markdown import mark_mentions, render_markdown
from registry_site.pages.formats import as_datetime, duration_ms, filesize_short, number, relative
from registry_site.pages.looks import VERDICTS, Look, look_of_stage, look_of_status

register = template.Library()
register.filter(duration_ms)
register.filter(filesize_short)
register.filter(number)

NOTHING = mark_safe('<span class="muted">–</span>')
AVATAR_COLOURS = 6


# Icons, pills, chips


@register.simple_tag
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    """The symbol `name` of the sprite. Without a `label` it is decoration and hidden from screen readers."""
    if not label:
        return _decoration(name, css, icons_url())
    return _svg(name, css, icons_url(), format_html('role="img" aria-label="{}"', label))


@lru_cache(maxsize=512)
def _decoration(name: str, css: str, url: str) -> SafeString:
    """A long list has hundreds of the same one."""
    return _svg(name, css, url, mark_safe('aria-hidden="true"'))


def _svg(name: str, css: str, url: str, speech: SafeString) -> SafeString:
    return format_html(
        '<svg class="icon{}" {}><use href="{}#{}"></use></svg>', f" {css}" if css else "", speech, url, name
    )


@cache
def icons_url() -> str:
    """The sprite's address, which stays while the process lives."""
    return static("img/icons.svg")


@register.simple_tag
def stage_pill(stage: object, label: str = "", url: str = "", large: bool = False) -> SafeString:
    """A stage with its icon and word; a `label` such as "v4" takes the place of the word, still spoken."""
    return _pill(look_of_stage(stage), label=label, url=url, large=large)


@register.simple_tag
def version_pill(name: str, version: Any) -> SafeString:
    """A version of the model `name` in the colours of its stage, and the way to it."""
    url = reverse("version", args=[name, version.version])
    return stage_pill(version.current_stage, label=f"v{version.version}", url=url)


@register.simple_tag
def status_pill(status: object, label: str = "", url: str = "", large: bool = False) -> SafeString:
    """The state of a run, request, gate, check, delivery or version; an unknown one by its own word."""
    return _pill(look_of_status(status), label=label, url=url, large=large)


def _pill(look: Look, *, label: str, url: str, large: bool) -> SafeString:
    return _pill_of(look.colour, look.icon, str(look.word), label, url, large)


@lru_cache(maxsize=1024)
def _pill_of(colour: str, symbol: str, word: str, label: str, url: str, large: bool) -> SafeString:
    words = format_html('<span class="visually-hidden">{} </span>{}', word, label) if label else word
    css = f"pill pill-{colour}" + (" pill-large" if large else "")
    title = word if label else ""
    if url:
        return format_html('<a class="{}" href="{}" title="{}">{}{}</a>', css, url, title, icon(symbol), words)
    return format_html('<span class="{}" title="{}">{}{}</span>', css, title, icon(symbol), words)


@register.simple_tag
def alias_chip(alias: str, url: str = "") -> SafeString:
    if url:
        return format_html('<a class="chip chip-alias" href="{}"><span>@{}</span></a>', url, alias)
    return format_html('<span class="chip chip-alias"><span>@{}</span></span>', alias)


@register.simple_tag
def tag_chip(key: str, value: str = "", url: str = "") -> SafeString:
    """A tag as `key value`; long texts are cut by the style sheet and whole in the title."""
    inside = format_html('<span class="chip-key">{}</span>', key)
    if value:
        inside += format_html("<span>{}</span>", value)
    whole = f"{key}: {value}" if value else key
    if url:
        return format_html('<a class="chip" href="{}" title="{}">{}</a>', url, whole, inside)
    return format_html('<span class="chip" title="{}">{}</span>', whole, inside)


@register.simple_tag
def person(name: str | None, display: str = "") -> SafeString:
    """A name with its initial in the person's colour; somebody unknown is a dash."""
    if not name:
        return NOTHING
    shown = display or name
    colour = zlib.crc32(name.encode()) % AVATAR_COLOURS
    return format_html(
        '<span class="person" title="{}"><span class="avatar avatar-{}" aria-hidden="true">{}</span>{}</span>',
        name,
        colour,
        shown[:1],
        shown,
    )


# Times, sizes, numbers


@register.simple_tag
def moment(value: datetime | int | None, exact: bool = False) -> SafeString:
    """A time as people say it, whole in its title or, when `exact`, in sight; an int is epoch ms."""
    when = as_datetime(value)
    if when is None:
        return NOTHING
    local = timezone.localtime(when)
    whole = f"{local:%Y-%m-%d %H:%M:%S %Z}"
    if exact:
        return format_html('<time datetime="{}">{}</time>', when.isoformat(), whole)
    shown = relative(when, timezone.now()) or f"{local:%Y-%m-%d}"
    return format_html(
        '<time class="moment" datetime="{}" title="{}">{}</time>',
        when.isoformat(),
        whole,
        shown,
    )


@register.simple_tag
def num(value: float | None) -> SafeString:
    """A number in four digits with every digit in its title."""
    if value is None:
        return NOTHING
    return mark_safe(f'<span class="num" title="{value!r}">{number(value)}</span>')  # digits have nothing to escape


@register.simple_tag
def delta(difference: float | None, verdict: str = "differs") -> SafeString:
    """A signed difference with arrow and word; `verdict` is better, worse, same or differs."""
    look = VERDICTS[str(verdict)]
    if difference is None:
        return NOTHING
    sign = "+" if difference > 0 else ""
    arrow = look.icon if look.icon == "equal" or not difference else "arrow-up" if difference > 0 else "arrow-down"
    return format_html(
        '<span class="delta delta-{}" title="{}">{}{}{} {}</span>',
        look.colour,
        repr(difference),
        icon(arrow),
        sign,
        f"{difference:.3g}".replace("-", "−", 1),
        look.word,
    )


@register.simple_tag
def sparkline(values: Sequence[float | None], label: str = "") -> SafeString:
    """A line of at least two numbers, 96 by 24, empty for fewer; None, NaN and infinities are gaps."""
    points = [(place, value) for place, value in enumerate(values) if value is not None and math.isfinite(value)]
    if len(points) < 2:
        return mark_safe("")
    low, high = min(value for _, value in points), max(value for _, value in points)
    width, top, height = 92 / (len(values) - 1), 3, 18
    placed = [
        (
            2 + place * width,
            top + height * (1 - (value - low) / (high - low)) if high > low else top + height / 2,
        )
        for place, value in points
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
    spoken = label or gettext("from %(first)s to %(last)s") % {
        "first": number(points[0][1]),
        "last": number(points[-1][1]),
    }
    return format_html(
        '<svg class="sparkline" viewBox="0 0 96 24" role="img" aria-label="{}"><polyline points="{}"/>'
        '<circle cx="{}" cy="{}" r="2"/></svg>',
        spoken,
        line,
        f"{placed[-1][0]:.1f}",
        f"{placed[-1][1]:.1f}",
    )


# Text, code, copying


@register.simple_tag
def markdown(text: str | None, small: bool = False, mentioned: Collection[str] = ()) -> SafeString:
    """User Markdown, sanitised, in a box where htmx attributes do nothing; `@name` of those `mentioned` stands out."""
    html = mark_mentions(render_markdown(text or ""), mentioned)
    if not html.strip():
        return mark_safe("")
    css = "prose prose-small" if small else "prose"
    return format_html('<div class="{}" hx-disable>{}</div>', css, mark_safe(html))


@register.simple_tag
def copy_button(text: str, label: str = "") -> SafeString:
    """A button that puts `text` on the clipboard. `label` names what is copied and is spoken, not shown."""
    spoken = gettext("Copy %(what)s") % {"what": label} if label else gettext("Copy")
    return format_html(
        '<button type="button" class="btn-icon copy js-only" data-copy="{}" aria-label="{}" title="{}">{}</button>',
        text,
        spoken,
        spoken,
        icon("copy"),
    )


@register.simple_tag
def copyable(text: str, label: str = "") -> SafeString:
    """An id, digest or URI in monospace with its copy button."""
    button = copy_button(text, label)
    return format_html('<span class="copyable"><code title="{}">{}</code>{}</span>', text, text, button)


@register.simple_tag
def snippet(code: str, language: str = "python", title: str = "") -> SafeString:
    """Highlighted code with a heading and a copy button. An unknown `language` is plain text."""
    code = code.strip("\n")
    return format_html(
        '<div class="snippet" data-title="{0}"><div class="snippet-head"><span>{0}</span>{1}</div>'
        '<pre class="highlight" tabindex="0"><code>{2}</code></pre></div>',
        title or language,
        copy_button(code, gettext("code")),
        highlighted(code, language),
    )


@register.simple_tag
def highlighted(code: str, language: str = "text") -> SafeString:
    """Code as escaped spans, for a `<pre class="highlight">` of the page's own."""
    return mark_safe(highlight(code, language))


# Forms and navigation


@register.simple_tag
def field(bound: BoundField, label: str = "") -> SafeString:
    """A form field with its label, help and errors, tied together for screen readers."""
    help_id, error_id = f"{bound.auto_id}-help", f"{bound.auto_id}-error"
    described = " ".join(name for name, there in ((error_id, bound.errors), (help_id, bound.help_text)) if there)
    widget = bound.field.widget
    is_group = isinstance(widget, RadioSelect | CheckboxSelectMultiple)
    attrs: dict[str, str | bool] = {"aria-describedby": described} if described else {}
    if bound.errors:
        attrs["aria-invalid"] = "true"
    if not (is_group or isinstance(widget, CheckboxInput)):
        attrs["class"] = f"input {widget.attrs.get('class', '')}".strip()
    name = label or bound.label
    optional = (
        "" if bound.field.required or is_group else format_html(' <span class="muted">{}</span>', gettext("(optional)"))
    )
    help_text = format_html('<p class="field-help" id="{}">{}</p>', help_id, bound.help_text) if bound.help_text else ""
    errors = format_html_join(" ", "{}", ((error,) for error in bound.errors))
    error = format_html('<p class="field-error" id="{}">{}{}</p>', error_id, icon("warning"), errors) if errors else ""
    control = bound.as_widget(attrs=attrs)
    if is_group:
        return format_html(
            '<fieldset class="field"><legend class="field-label">{}</legend>'
            '<div class="options">{}</div>{}{}</fieldset>',
            name,
            control,
            help_text,
            error,
        )
    if isinstance(widget, CheckboxInput):
        return format_html(
            '<div class="field field-check">{}<label for="{}">{}</label>{}{}</div>',
            control,
            bound.id_for_label,
            name,
            help_text,
            error,
        )
    return format_html(
        '<div class="field"><label for="{}">{}{}</label>{}{}{}</div>',
        bound.id_for_label,
        name,
        optional,
        control,
        help_text,
        error,
    )


@register.simple_tag(takes_context=True)
def sort_header(context: Context, label: str, key: str, current: str, css: str = "") -> SafeString:
    """A heading that sorts by `key` from the first page on; `current` is the order in force."""
    query = context["request"].GET.copy()
    query.pop("page_token", None)
    query["sort"] = f"-{key}" if current == key else key
    order = {key: "ascending", f"-{key}": "descending"}.get(current, "")
    mark = icon("chevron-up" if order == "ascending" else "chevron-down") if order else ""
    return format_html(
        '<th scope="col" class="{}"{}><a href="?{}">{}{}</a></th>',
        css,
        format_html(' aria-sort="{}"', order) if order else "",
        query.urlencode(),
        label,
        mark,
    )


@register.simple_block_tag(takes_context=True)
def titles(context: Context, content: str) -> SafeString:
    """The page's title for the window, and for whoever shows a link to it. Strangers learn of no page what it is about,
    nor do programs that look at links without signing in."""
    actor = context.get("actor")
    title = mark_safe(f"{content} · Podium")  # rendered, so escaped where it is somebody's text
    shown = title if actor is not None and actor.is_signed_in else "Podium"
    return format_html(
        '<title>{}</title>\n  <meta property="og:title" content="{}">\n  <meta property="og:type" content="website">\n'
        '  <meta property="og:site_name" content="Podium">\n  <meta property="og:description" content="{}">',
        title,
        shown,
        gettext("Machine-learning models, their versions, and how they are promoted."),
    )


@register.simple_tag(takes_context=True)
def as_files(context: Context) -> SafeString:
    """Links to the list of this page as files: all that matches, from the first row on."""
    query = context.request.GET.copy()  # type: ignore[attr-defined]  # which a part that is included `only` has too
    query.pop("page_token", None)
    links = []
    for form, label in (("csv", "CSV"), ("json", "JSON")):
        query["format"] = form
        download = mark_safe(" download") if form == "csv" else ""
        links.append(format_html('<a href="?{}" hx-boost="false"{}>{}</a>', query.urlencode(), download, label))
    said = gettext("All that matches, as a file")
    return format_html(
        '<span class="as-files no-print" role="group" aria-label="{}" title="{}">{}{} · {}</span>',
        said,
        said,
        icon("download"),
        *links,
    )


@register.simple_tag(takes_context=True)
def nav_link(context: Context, name: str, label: str, also: str = "", count: int | None = None) -> SafeString:
    """A link of the top bar; it is the current one on every page below its path or below `also`."""
    url = reverse(name)
    path = context["request"].path if "request" in context else ""
    here = path.startswith(url) or bool(also and path.startswith(also))
    badge = format_html(' <span class="count count-accent">{}</span>', count) if count else ""
    return format_html(
        '<a href="{}"{}>{}{}</a>',
        url,
        mark_safe(' aria-current="page"') if here else "",
        label,
        badge,
    )
