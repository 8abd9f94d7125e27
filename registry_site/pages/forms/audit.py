"""The filter of the audit page."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from itertools import groupby

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry_site.audit.kinds import Kind, Origin
from registry_site.audit.queries import Wanted

_INPUT = {"class": "input"}
_TYPED = _INPUT | {"autocomplete": "off", "spellcheck": "false"}
_DAYS = [MinValueValidator(date(1970, 1, 2)), MaxValueValidator(date(2999, 12, 31))]


def _nouns() -> list[tuple[str, list[Kind]]]:
    return [(noun, list(kinds)) for noun, kinds in groupby(Kind, key=lambda kind: kind.partition(".")[0])]


def _kind_choices() -> Iterable[tuple[str, object]]:
    yield "", _("Everything")
    for noun, kinds in _nouns():
        alone = [(kind.value, kind.value) for kind in kinds]
        yield noun, alone if len(alone) == 1 else [(noun, f"{noun}.*"), *alone]


class _Day(forms.DateInput):
    input_type = "date"

    def __init__(self, attrs: dict[str, str]) -> None:
        super().__init__(attrs, format="%Y-%m-%d")  # what browsers understand, in every language


class AuditForm(forms.Form):
    """Who did what, to which model, from where, and when; days are those of the reader's time zone."""

    who = forms.CharField(label=_("User name"), required=False, max_length=150, widget=forms.TextInput(attrs=_TYPED))
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=_kind_choices, widget=forms.Select(attrs=_INPUT))
    model = forms.CharField(
        label=_("Registered model"),
        required=False,
        max_length=256,
        strip=False,
        widget=forms.TextInput(attrs=_TYPED),
    )
    origin = forms.ChoiceField(
        label=_("Made from"),
        required=False,
        choices=[("", _("Anywhere")), *((origin.value, origin.value) for origin in Origin)],
        widget=forms.Select(attrs=_INPUT),
    )
    since = forms.DateField(label=_("First day"), required=False, validators=_DAYS, widget=_Day(attrs=_INPUT))
    until = forms.DateField(label=_("Last day"), required=False, validators=_DAYS, widget=_Day(attrs=_INPUT))

    def wanted(self) -> Wanted:
        """What a valid form asks for, the model aside."""
        asked = self.cleaned_data
        kind, since, until = asked["kind"], asked["since"], asked["until"]
        return Wanted(
            actor_name=asked["who"],
            kinds=dict(_nouns()).get(kind) or ([kind] if kind else []),
            origin=asked["origin"],
            since=_start_of(since) if since else None,
            until=_start_of(until + timedelta(days=1)) if until else None,
        )


def _start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
