"""Forms about who may do what."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from registry_site.accounts.levels import Level

LEVELS = {
    Level.CAN_READ: _("CAN_READ: see it"),
    Level.CAN_EDIT: _("CAN_EDIT: change what is in it"),
    Level.CAN_MANAGE_STAGING_VERSIONS: _("CAN_MANAGE_STAGING_VERSIONS: decide about Staging"),
    Level.CAN_MANAGE_PRODUCTION_VERSIONS: _("CAN_MANAGE_PRODUCTION_VERSIONS: decide about Production"),
    Level.CAN_MANAGE: _("CAN_MANAGE: all of it"),
}


class HolderForm(forms.Form):
    """A person or a group."""

    username = forms.CharField(label=_("Person"), required=False, max_length=150)
    group = forms.CharField(label=_("or group"), required=False, max_length=150)

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for name, view, hint in (
            ("username", "suggest_people", _("Type to search")),
            ("group", "suggest_groups", _("Type to search")),
        ):
            self.fields[name].widget.attrs.update(
                {"data-combobox-url": f"{reverse(view)}?q=", "placeholder": hint, "autocomplete": "off"}
            )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if bool(cleaned.get("username")) == bool(cleaned.get("group")):
            self.add_error("username", _("Name one person, or one group."))
        return cleaned


class GrantForm(HolderForm):
    """A level for a person or a group."""

    level = forms.ChoiceField(label=_("Level"), initial=Level.CAN_READ.name)

    def __init__(self, *args: Any, levels: Sequence[Level], **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["level"].choices = [(level.name, LEVELS[level]) for level in levels]  # type: ignore[attr-defined]  # of a ChoiceField

    def clean_level(self) -> Level:
        return Level[self.cleaned_data["level"]]
