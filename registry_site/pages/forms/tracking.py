"""Forms about experiments and runs, and the form that registers a model."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from registry_site.registry.stages import Stage

DESCRIPTION = {"rows": 5, "placeholder": _("Markdown")}


class ExperimentForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=500, strip=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    description = forms.CharField(
        label=_("Description"), required=False, strip=False, max_length=20_000, widget=forms.Textarea(attrs=DESCRIPTION)
    )


class RunForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=8000, strip=False)
    description = forms.CharField(
        label=_("Description"), required=False, strip=False, max_length=8000, widget=forms.Textarea(attrs=DESCRIPTION)
    )


class RegisterForm(forms.Form):
    """A model's folder becomes a version. Tags come as pairs of `tag_key` and `tag_value`."""

    use_required_attribute = False  # a browser would insist on fields that the choices made hide

    EXISTING, NEW = "existing", "new"
    TARGETS = ((EXISTING, _("An existing model")), (NEW, _("A new model")))
    STAGES = (
        ("", _("No, not now")),
        (Stage.STAGING.value, _("Yes, to Staging")),
        (Stage.PRODUCTION.value, _("Yes, to Production")),
    )
    LEAST_TAG_ROWS = 1

    path = forms.ChoiceField(label=_("Model folder"), required=False)
    target = forms.ChoiceField(label=_("Register as a version of"), choices=TARGETS, widget=forms.RadioSelect)
    existing = forms.CharField(
        label=_("Registered model"),
        strip=False,
        error_messages={"required": _("Choose a registered model, or make a new one.")},
    )
    new_name = forms.CharField(
        label=_("Name of the new model"),
        strip=False,
        max_length=256,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Name the new model.")},
    )
    description = forms.CharField(
        label=_("What is new in this version?"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": _("Markdown")}),
    )
    alias = forms.CharField(
        label=_("Alias"),
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "champion", "autocomplete": "off"}),
    )
    promote_to = forms.ChoiceField(label=_("Also request promotion"), choices=STAGES, required=False)
    reason = forms.CharField(
        label=_("Reason for the reviewers"),
        strip=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("Say why it should be promoted: reviewers read this first.")},
    )

    def __init__(self, data: Any = None, *, paths: list[tuple[str, str]], suggest_url: str, **more: Any) -> None:
        super().__init__(data, **more)
        self.fields["path"].choices = paths  # type: ignore[attr-defined]  # of a ChoiceField
        self.fields["existing"].widget.attrs.update(
            {
                "data-combobox-url": f"{suggest_url}?q=",
                "placeholder": _("Type to search"),
                "autocomplete": "off",
                "autofocus": data is None,  # with errors the focus belongs to their summary
            }
        )

    def tag_pairs(self) -> list[tuple[str, str]]:
        """The tags as they were typed, at least one row, for the template."""
        pairs = self._typed_pairs()
        return pairs + [("", "")] * (self.LEAST_TAG_ROWS - len(pairs))

    def _typed_pairs(self) -> list[tuple[str, str]]:
        if not self.is_bound:
            return []
        keys, values = self.data.getlist("tag_key"), self.data.getlist("tag_value")  # type: ignore[attr-defined]
        return [(key.strip(), value) for key, value in zip(keys, values, strict=False) if key.strip() or value.strip()]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self.errors.pop("existing" if cleaned.get("target") == self.NEW else "new_name", None)
        if not cleaned.get("promote_to"):
            self.errors.pop("reason", None)
        pairs = self._typed_pairs()
        if any(not key for key, _value in pairs):
            self.add_error(None, _("A tag has a value and no key."))
        cleaned["tags"] = dict(pairs)
        return cleaned
