"""What pages are made of, each part in each of its states, for whoever works on them."""

import re
from datetime import timedelta
from functools import cache

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registry_site.core import clock
from registry_site.pages.access import signed_in
from registry_site.pages.drawings import Point, line_over
from registry_site.pages.looks import STAGES, STATUSES, VERDICTS
from registry_site.pages.middleware import PageRequest
from registry_site.pages.snippets import load_snippets
from registry_site.promotion.comparison import compare

TOKENS = (
    ("surface", "canvas", "sunken", "hover", "line", "line-soft", "control"),
    ("text", "text-muted", "accent", "accent-strong", "success", "warning", "danger"),
    ("added", "added-text", "removed", "removed-text"),
    ("none", "none-text", "none-line", "staging", "staging-text", "staging-line"),
    ("production", "production-text", "production-line", "archived", "archived-text", "archived-line"),
    ("pending", "pending-text", "pending-line", "rejected", "rejected-text", "rejected-line"),
    ("series-1", "series-2", "series-3", "series-4", "series-5", "series-6"),
)
SPACES = ("s1", "s2", "s3", "s4", "s5", "s6", "s7")
TEXT = (
    "Better on *every* slice but one, and half the size.\n\n- `auc` 0.91, was 0.90\n- shadowed for **seven days**\n\n"
    "> Ticket RISK-1423"
)


class SampleForm(forms.Form):
    """One field of each kind."""

    name = forms.CharField(label=gettext_lazy("Name"), help_text=gettext_lazy("Up to 256 characters, no / and no :"))
    reason = forms.CharField(label=gettext_lazy("Reason"), widget=forms.Textarea(attrs={"rows": 3}), required=False)
    stage = forms.ChoiceField(
        label=gettext_lazy("Stage"), choices=[("Staging", "Staging"), ("Production", "Production")]
    )
    verdict = forms.ChoiceField(
        label=gettext_lazy("Your verdict"),
        choices=[("approve", gettext_lazy("Approve")), ("reject", gettext_lazy("Reject"))],
        widget=forms.RadioSelect,
        initial="approve",
    )
    tell = forms.BooleanField(label=gettext_lazy("Tell me when it is decided"), required=False)


@signed_in
def styleguide(request: PageRequest) -> HttpResponse:
    """Colours, type, and every component; the real templates and tags, with samples in them."""
    request.actor.require_admin()
    now = clock.now()
    wrong = SampleForm({"name": "", "stage": "Production", "verdict": "approve"}, auto_id="wrong_%s")
    wrong.is_valid()
    context = {
        "tokens": TOKENS,
        "spaces": SPACES,
        "icons": icon_names(),
        "stages": [look.word for look in STAGES.values()],
        "statuses": list(STATUSES),
        "verdicts": list(VERDICTS),
        "form": SampleForm(auto_id="sample_%s"),
        "wrong": wrong,
        "snippets": load_snippets("https://podium.example.org", "models:/churn/Production", name="churn"),
        "text": TEXT,
        "moments": [now - timedelta(minutes=each) for each in (0, 12, 200, 5000, 90_000)],
        "numbers": [0.9123456, 12, 1e-9, float("nan"), None],
        "values": [0.2, 0.5, 0.45, 0.7, 0.72, 0.9],
        "drawing": line_over([Point(f"v{n}", 0.8 + n / 50, f"v{n}: {0.8 + n / 50:.2f}") for n in range(1, 6)]),
        "series": [{"name": "loss", "points": [[step, 1 / (step + 1), step * 1000] for step in range(24)]}],
        "rows": compare({"auc": 0.9, "loss": 0.31, "depth": 6.0}, {"auc": 0.912, "loss": 0.31, "leaves": 31.0}),
        "diff_lines": [("same", "numpy==2.3"), ("removed", "scikit-learn==1.8.0"), ("added", "scikit-learn==1.9.1")],
        "conditions": [
            {"state": "pass", "title": _("Gates"), "detail": _("3 of 3 pass")},
            {
                "state": "wait",
                "title": _("Approvals"),
                "detail": _("1 of 2"),
                "reasons": [_("Ada or Jon may approve.")],
            },
            {"state": "warn", "title": _("Signature"), "detail": _("widening")},
            {
                "state": "fail",
                "title": _("Scan"),
                "detail": _("unsafe"),
                "reasons": [_("model.pkl imports os.system.")],
            },
        ],
        "history": [
            {"kind": "info", "icon": "review", "who": "maria", "text": _("asked for Production"), "body": TEXT},
            {"kind": "success", "icon": "check", "who": "jon", "text": _("approved"), "struck": True},
            {"kind": "danger", "icon": "rejected", "who": "ada", "text": _("rejected")},
        ],
        "tabs": [
            {"label": _("Overview"), "url": "#tabs", "current": True},
            {"label": _("Requests"), "url": "#tabs", "count": 3},
        ],
        "sections": SECTIONS,
        "now": now,
    }
    return render(request, "pages/styleguide/styleguide.html", context)


SECTIONS = (
    ("colours", gettext_lazy("Colours")),
    ("type", gettext_lazy("Type and space")),
    ("states", gettext_lazy("Stages and states")),
    ("words", gettext_lazy("People, times, numbers")),
    ("actions", gettext_lazy("Actions")),
    ("forms", gettext_lazy("Forms")),
    ("tables", gettext_lazy("Tables and differences")),
    ("decisions", gettext_lazy("Conditions and history")),
    ("messages", gettext_lazy("Messages")),
    ("code", gettext_lazy("Code and text")),
    ("plots", gettext_lazy("Plots")),
    ("icons", gettext_lazy("Icons")),
)


@cache
def icon_names() -> list[str]:
    """The symbols of the sprite, alphabetical."""
    sprite = settings.BASE_DIR / "static" / "img" / "icons.svg"
    return sorted(re.findall(r'<symbol[^>]* id="([^"]+)"', sprite.read_text()))
