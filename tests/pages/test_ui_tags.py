"""What the words of the templates answer, character for character where a reader sees it."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django import forms
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone

from registry_site.core.highlight import highlight_css
from registry_site.pages import formats, looks
from registry_site.pages.templatetags import ui

ROOT = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
EVIL = '"><script>alert(1)</script>'


def rendered(source: str, **context: object) -> str:
    return Template("{% load ui %}" + source).render(Context(context)).strip()


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


@pytest.mark.parametrize(
    ("stage", "icon", "word"),
    [
        ("None", "stage-none", "None"),
        (None, "stage-none", "None"),
        ("Staging", "stage-staging", "Staging"),
        ("PRODUCTION", "stage-production", "Production"),
        ("archived", "stage-archived", "Archived"),
    ],
)
def test_every_stage_has_its_own_icon_and_its_word(stage: str | None, icon: str, word: str) -> None:
    pill = ui.stage_pill(stage)
    assert f"#{icon}" in pill
    assert words(pill) == word


def test_a_stage_with_a_label_still_says_its_word_to_a_screen_reader() -> None:
    pill = ui.stage_pill("Production", label="v4", url="/models/churn/versions/4")
    assert '<span class="visually-hidden">Production </span>v4' in pill
    assert 'href="/models/churn/versions/4"' in pill


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("FINISHED", "Finished"),
        ("KILLED", "Killed"),
        ("changes requested", "Changes requested"),
        ("expired", "Expired"),
    ],
)
def test_a_status_is_read_in_any_case(status: str, word: str) -> None:
    assert words(ui.status_pill(status)) == word


def test_an_unknown_status_is_shown_by_its_own_word_and_escaped() -> None:
    assert words(ui.status_pill("melting")) == "melting"
    assert "<script>" not in ui.status_pill(EVIL)


def test_every_look_has_an_icon_in_the_sprite() -> None:
    every = [*looks.STAGES.values(), *looks.STATUSES.values(), *looks.VERDICTS.values()]
    assert {look.icon for look in every} <= sprite()


def test_every_icon_that_a_template_or_script_names_is_in_the_sprite() -> None:
    templates = [page.read_text() for page in (ROOT / "templates").rglob("*.html")]
    scripts = [script.read_text() for script in (ROOT / "static/js").glob("*.js")]
    named = {name for text in templates for name in re.findall(r'{% icon "([^"]+)"', text)}
    named |= {name for text in scripts for name in re.findall(r'\bicon\("([^"]+)"\)', text)}
    assert "logo" in named
    assert named <= sprite()


def sprite() -> set[str]:
    return set(re.findall(r'<symbol id="([^"]+)"', (ROOT / "static/img/icons.svg").read_text()))


@pytest.mark.parametrize(
    ("before", "shown"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=2, minutes=59), "2 h ago"),
        (timedelta(days=29), "29 d ago"),
        (timedelta(days=-5), "in 5 d"),
        (timedelta(days=31), ""),
    ],
)
def test_a_time_is_said_as_people_say_it_for_thirty_days(before: timedelta, shown: str) -> None:
    assert formats.relative(NOON - before, NOON) == shown


def test_a_moment_beyond_thirty_days_is_a_date_with_the_whole_time_in_the_readers_zone() -> None:
    with timezone.override("Europe/Berlin"):
        html = ui.moment(datetime(2020, 1, 31, 23, 30, tzinfo=UTC))
    assert words(html) == "2020-02-01"
    assert 'title="2020-02-01 00:30:00 CET"' in html
    assert 'datetime="2020-01-31T23:30:00+00:00"' in html


def test_a_moment_takes_milliseconds_and_survives_what_is_no_time() -> None:
    assert 'title="2020-01-01 00:00:00 UTC"' in ui.moment(1_577_836_800_000)
    assert words(ui.moment(None)) == "–"
    assert words(ui.moment(10**18)) == "–"
    assert words(ui.moment(1_577_836_800_000, exact=True)) == "2020-01-01 00:00:00 UTC"


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (None, "–"),
        (850, "850 ms"),
        (8312, "8.3 s"),
        (59_960, "1 min"),
        (125_000, "2 min 5 s"),
        (11_040_000, "3 h 4 min"),
        (183_600_000, "2 d 3 h"),
    ],
)
def test_a_duration_has_at_most_two_units(milliseconds: int | None, shown: str) -> None:
    assert formats.duration_ms(milliseconds) == shown


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (None, "–"),
        (0, "0 B"),
        (999, "999 B"),
        (1100, "1.1 kB"),
        (173_000, "173 kB"),
        (999_600, "1.0 MB"),
        (9_249_490, "9.2 MB"),
    ],
)
def test_a_size_has_two_figures_or_more(size: int | None, shown: str) -> None:
    assert formats.filesize_short(size) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (7, "7"),
        (123456, "123456"),
        (0.92899999, "0.9290"),
        (16.634, "16.63"),
        (-0.25, "−0.2500"),
        (0.0, "0"),
        (0.00001234, "1.234e-05"),
        (-2e-9, "−2.000e-09"),
        (123456.7, "123457"),
        (1e12, "1.000e+12"),
        (float("nan"), "NaN"),
        (float("inf"), "infinity"),
        (float("-inf"), "−infinity"),
        (-1.7976931348623157e308, "−infinity"),
    ],
)
def test_a_number_has_four_significant_digits(value: float | None, shown: str) -> None:
    assert formats.number(value) == shown


def test_a_number_keeps_every_digit_in_its_title() -> None:
    assert ui.num(0.9289999961853027) == '<span class="num" title="0.9289999961853027">0.9290</span>'


def test_a_difference_has_sign_arrow_and_word() -> None:
    better = ui.delta(-0.25, "better")
    assert words(better) == "−0.25 better"
    assert "#arrow-down" in better  # where the number went; the word says what that means
    assert words(ui.delta(0.017, "worse")) == "+0.017 worse"
    assert "#arrow-up" in ui.delta(0.017, "worse")
    assert "#equal" in ui.delta(0.0001, "same")
    assert words(ui.delta(None)) == "–"


def test_a_sparkline_leaves_out_gaps_and_speaks_its_ends() -> None:
    line = ui.sparkline([1.0, None, float("nan"), 3.0])
    assert 'aria-label="from 1.000 to 3.000"' in line
    assert 'points="2.0,21.0 94.0,3.0"' in line
    assert ui.sparkline([1.0, None]) == ""
    assert 'points="2.0,12.0 94.0,12.0"' in ui.sparkline([5, 5])


@pytest.mark.parametrize(
    "html",
    [
        ui.alias_chip(EVIL, EVIL),
        ui.tag_chip(EVIL, EVIL, EVIL),
        ui.person(EVIL, EVIL),
        ui.copy_button(EVIL, EVIL),
        ui.copyable(EVIL, EVIL),
        ui.snippet(EVIL, EVIL, EVIL),
        ui.snippet(EVIL, "python", EVIL),
        ui.icon(EVIL, EVIL, EVIL),
        ui.stage_pill(EVIL, EVIL, EVIL),
        ui.markdown(EVIL),
    ],
)
def test_no_tag_lets_markup_through(html: str) -> None:
    assert "<script" not in html
    assert '""' not in html.replace('title=""', "")


def test_markdown_stands_in_a_box_where_htmx_does_nothing() -> None:
    html = rendered("{% markdown text %}", text="Shadow ran **7 days**.")
    assert html.startswith('<div class="prose" hx-disable>')
    assert "<strong>7 days</strong>" in html
    assert ui.markdown(None) == ""


def test_a_snippet_is_coloured_and_its_copy_button_holds_the_plain_code() -> None:
    html = ui.snippet('print("hi")\n', "python", "Load it")
    assert 'data-copy="print(&quot;hi&quot;)"' in html
    assert '<pre class="highlight" tabindex="0"><code><span' in html
    assert "<span>Load it</span>" in html


class Registration(forms.Form):
    model = forms.CharField(label="Model", help_text="An existing model or a new name.")
    note = forms.CharField(required=False, widget=forms.Textarea(attrs={"class": "input-mono"}))
    verdict = forms.ChoiceField(choices=[("approve", "Approve")], widget=forms.RadioSelect)
    archive = forms.BooleanField(required=False)


def test_a_wrong_field_points_to_its_error_and_its_help() -> None:
    html = ui.field(Registration({})["model"])
    assert '<label for="id_model">Model</label>' in html
    assert 'aria-describedby="id_model-error id_model-help"' in html
    assert 'aria-invalid="true"' in html
    assert '<p class="field-error" id="id_model-error">' in html
    assert words(html) == "Model An existing model or a new name. This field is required."


def test_a_field_keeps_the_classes_of_its_widget_and_says_when_it_is_optional() -> None:
    html = ui.field(Registration()["note"])
    assert 'class="input input-mono"' in html
    assert words(html) == "Note (optional)"


def test_radios_are_a_group_with_a_legend_and_a_checkbox_stands_before_its_label() -> None:
    form = Registration()
    assert '<legend class="field-label">Verdict</legend>' in ui.field(form["verdict"])
    checkbox = ui.field(form["archive"])
    assert checkbox.index("<input") < checkbox.index("<label")


def test_the_error_summary_links_to_each_wrong_field() -> None:
    html = rendered('{% include "components/error_summary.html" %}', form=Registration({}))
    assert '<a href="#id_model">Model: This field is required.</a>' in html
    assert 'role="alert"' in html


def test_a_sort_header_turns_round_keeps_the_filter_and_starts_at_the_first_page() -> None:
    request = RequestFactory().get("/models", {"q": "stage:production", "page_token": "abc", "sort": "name"})
    header = rendered('{% sort_header "Name" "name" "name" %}{% sort_header "Owner" "owner" "name" %}', request=request)
    assert 'aria-sort="ascending"' in header
    assert 'href="?q=stage%3Aproduction&amp;sort=-name"' in header
    assert 'href="?q=stage%3Aproduction&amp;sort=owner"' in header
    assert header.count("aria-sort") == 1


def test_a_pager_has_links_only_where_there_are_pages() -> None:
    html = rendered('{% include "components/pager.html" with info="25 of 312 models" older="?page_token=x" only %}')
    assert words(html) == "25 of 312 models Newer Older"
    assert '<a class="btn" rel="next" href="?page_token=x">' in html
    assert '<span class="btn" aria-disabled="true">' in html


def test_htmx_runs_no_code_from_attributes_and_asks_no_other_server() -> None:
    found = re.search(r"name=\"htmx-config\" content='([^']+)'", (ROOT / "templates/base.html").read_text())
    assert found
    config = json.loads(found.group(1))
    assert config["allowEval"] is False
    assert config["selfRequestsOnly"] is True
    assert config["includeIndicatorStyles"] is False


def test_no_template_has_inline_style_or_script() -> None:
    for page in (ROOT / "templates").rglob("*.html"):
        if "mail" in page.parts:
            continue
        text = page.read_text()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text), page
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), page


def test_the_style_sheet_of_code_is_the_one_that_the_highlighter_makes() -> None:
    assert (ROOT / "static/css/highlight.css").read_text() == highlight_css()
