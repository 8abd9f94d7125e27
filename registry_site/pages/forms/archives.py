"""Forms about archives."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from registry_site.artifacts.archives import Format


class ArchiveLinkForm(forms.Form):
    """`called` offers the version's number, and the stage and aliases by which it is found now."""

    called = forms.ChoiceField(
        label=_("Which version"),
        help_text=_("A stage or alias is looked up at every download: who moves it changes what is downloaded."),
    )
    format = forms.ChoiceField(label=_("Format"), choices=[(Format.TAR_GZ.value, "tar.gz"), (Format.ZIP.value, "zip")])
    hours = forms.TypedChoiceField(
        label=_("Works for"),
        coerce=int,
        choices=[(1, _("1 hour")), (24, _("1 day")), (24 * 7, _("7 days"))],
    )

    def __init__(self, *arguments: Any, called: Iterable[tuple[str, str]], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["called"].choices = list(called)  # type: ignore[attr-defined]  # a choice field
