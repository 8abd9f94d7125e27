"""Which mails somebody wants."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registry_site.notifications.audience import Way, Why

_WAYS = [
    (Way.AT_ONCE.value, gettext_lazy("At once")),
    (Way.DAILY.value, gettext_lazy("Once a day")),
    (Way.NEVER.value, gettext_lazy("Never")),
]


def reasons() -> dict[Why, str]:
    """Why somebody is told, in words."""
    return {
        Why.ASKED: _("You asked"),
        Why.TOOK_PART: _("You took part"),
        Why.MAY_DECIDE: _("You may decide"),
        Why.WAITS: _("It waits for you"),
        Why.MENTIONED: _("You are mentioned"),
        Why.MANAGES: _("You manage it"),
        Why.FOLLOWS: _("You follow the model"),
    }


class MailsForm(forms.Form):
    """A choice for each reason, as it is chosen now."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, chosen: Mapping[Why, Way]) -> None:
        super().__init__(data)
        helps = {
            Why.ASKED: _("Verdicts, comments and failed checks on requests of yours."),
            Why.TOOK_PART: _("Comments on requests that you reviewed, and reviews of yours that no longer count."),
            Why.MAY_DECIDE: _("Requests that wait for a review that you may give."),
            Why.WAITS: _("A reminder, once a day, of each request that still waits for your review."),
            Why.MENTIONED: _("Somebody writes @ and your user name."),
            Why.MANAGES: _(
                "A policy of a model that you manage was bypassed. A webhook that is disabled is always mailed."
            ),
            Why.FOLLOWS: _("New versions, moves, requests and comments of models that you follow."),
        }
        for why, label in reasons().items():
            self.fields[_field(why)] = forms.ChoiceField(
                label=label, choices=_WAYS, initial=chosen[why].value, help_text=helps[why]
            )

    def ways(self) -> dict[Why, Way]:
        """What was chosen."""
        return {why: Way(self.cleaned_data[_field(why)]) for why in Why}


def _field(why: Why) -> str:
    return why.value.replace(" ", "_")
