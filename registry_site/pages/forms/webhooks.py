"""Forms about webhooks."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from registry_site.webhooks.formats import ALL, Format, events_of
from registry_site.webhooks.services import DESCRIPTION_LIMIT, SECRET_LIMIT

_NOT_KEPT = {"autocomplete": "off", "spellcheck": "false"}


class WebhookForm(forms.Form):
    """What can be said of a webhook of one format; `of_a_model` are those of one registered model."""

    name = forms.CharField(
        label=_("Name"),
        max_length=63,
        help_text=_("Letters, digits, dots, underscores and hyphens."),
        widget=forms.TextInput(attrs=_NOT_KEPT),
    )
    url = forms.CharField(label=_("Address"), max_length=2000, widget=forms.URLInput(attrs=_NOT_KEPT))
    description = forms.CharField(
        label=_("Description"), max_length=DESCRIPTION_LIMIT, required=False, widget=forms.TextInput(attrs=_NOT_KEPT)
    )
    all_events = forms.BooleanField(label=_("All events, those that come with a newer Podium too"), required=False)
    events = forms.MultipleChoiceField(label=_("Events"), required=False, widget=forms.CheckboxSelectMultiple)
    authorization = forms.CharField(
        label=_("Authorization header"),
        max_length=SECRET_LIMIT,
        required=False,
        help_text=_("Sent as it is, such as Bearer and a token. It is kept encrypted and not shown again."),
        widget=forms.TextInput(attrs=_NOT_KEPT),
    )

    def __init__(self, *arguments: Any, format: Format, of_a_model: bool, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.format = format
        possible = events_of(format, of_a_model=of_a_model)
        chosen = self.fields["events"]
        assert isinstance(chosen, forms.MultipleChoiceField)
        chosen.choices = [(event, event) for event in possible]
        self.fields["url"].help_text = _ADDRESSES[format]
        if format in (Format.MLFLOW, Format.DATABRICKS):
            del self.fields["all_events"]
        if format is Format.GITHUB_DISPATCH:
            del self.fields["authorization"]

    def clean(self) -> dict[str, Any]:
        """`events` are what services take: all of them are one word where the format has that word."""
        given = super().clean() or {}
        if given.pop("all_events", False):
            given["events"] = [ALL]
        elif not given.get("events") and "events" not in self.errors:
            self.add_error("events", _("Choose at least one event."))
        return given

    @property
    def groups(self) -> Sequence[tuple[str, Sequence[Any]]]:
        """The checkboxes of events, by what they are about."""
        found: dict[str, list[Any]] = {}
        for box in self["events"]:
            event = str(box.data["value"])
            noun = event.partition(".")[0] if "." in event else ""
            found.setdefault(noun, []).append(box)
        return list(found.items())


class NewWebhookForm(WebhookForm):
    """A new one, which has a secret from the start."""

    secret = forms.CharField(
        label=_("Secret"), max_length=SECRET_LIMIT, required=False, widget=forms.TextInput(attrs=_NOT_KEPT)
    )
    field_order = ("name", "url", "description", "secret", "authorization", "all_events", "events")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        secret = self.fields["secret"]
        if self.format is Format.GITHUB_DISPATCH:
            secret.label, secret.required = _("GitHub token"), True
        secret.help_text = _SECRETS[self.format]


class SecretForm(forms.Form):
    """Another token for GitHub, which makes it."""

    secret = forms.CharField(
        label=_("New GitHub token"), max_length=SECRET_LIMIT, widget=forms.TextInput(attrs=_NOT_KEPT)
    )


_ADDRESS = _("https://, at a public host; others need an administrator (PODIUM_WEBHOOK_ALLOWED_HOSTS).")
_ADDRESSES: Mapping[Format, Any] = {
    Format.STANDARD: _ADDRESS,
    Format.MLFLOW: _ADDRESS,
    Format.DATABRICKS: _("https://, such as an incoming webhook of Slack's."),
    Format.GITHUB_DISPATCH: "https://api.github.com/repos/OWNER/REPOSITORY/dispatches",
}
_SIGNS = _("It signs every delivery. Leave it empty to have one made; it is shown once.")
_SECRETS = {
    Format.STANDARD: _("whsec_ and 24 to 64 bytes in base64. Leave it empty to have one made; it is shown once."),
    Format.MLFLOW: _SIGNS,
    Format.DATABRICKS: _SIGNS,
    Format.GITHUB_DISPATCH: _("One that may write the contents of that repository."),
}
