"""Forms about registered models and their versions."""

from django import forms
from django.utils.translation import gettext_lazy as _

from registry_site.registry.names import DESCRIPTION_LIMIT, MODEL_NAME_LIMIT, TAG_KEY_LIMIT, TAG_VALUE_LIMIT


class NewModelForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=MODEL_NAME_LIMIT,
        help_text=_("What the model does, such as churn-classifier. Anything but / and : is possible."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
    )
    description = forms.CharField(
        label=_("Description"),
        required=False,
        max_length=DESCRIPTION_LIMIT,
        help_text=_("Markdown: what it predicts, for whom, and where its limits are."),
        widget=forms.Textarea(attrs={"rows": 6}),
    )


class DescriptionForm(forms.Form):
    description = forms.CharField(
        label=_("Description"),
        required=False,
        strip=False,
        max_length=DESCRIPTION_LIMIT,
        help_text=_("Markdown: headings, lists, tables, code and links."),
        widget=forms.Textarea(attrs={"rows": 14, "class": "input-mono"}),
    )


class TagForm(forms.Form):
    key = forms.CharField(
        label=_("Key"), max_length=TAG_KEY_LIMIT, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    value = forms.CharField(
        label=_("Value"),
        required=False,
        max_length=TAG_VALUE_LIMIT,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class AliasForm(forms.Form):
    alias = forms.CharField(label=_("Alias"), max_length=256, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    version = forms.IntegerField(label=_("Version"), min_value=1, max_value=2**63 - 1)

    def clean_alias(self) -> str:
        """As people write it, `@champion`, or as it is kept."""
        alias: str = self.cleaned_data["alias"]
        return alias.removeprefix("@")


class RenameForm(forms.Form):
    new_name = forms.CharField(
        label=_("New name"),
        max_length=MODEL_NAME_LIMIT,
        help_text=_("Versions, aliases, requests and history move along. Code that loads the old name stops working."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class TypedNameForm(forms.Form):
    """A deed that cannot be undone is done by typing the name of what it is done to."""

    typed = forms.CharField(
        label=_("Type the name to confirm"), strip=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, *args: object, name: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.name = name

    def clean_typed(self) -> str:
        typed: str = self.cleaned_data["typed"]
        if typed != self.name:
            raise forms.ValidationError(_("This is not the name: %(name)s."), params={"name": self.name})
        return typed
