"""Forms about oneself, and about other people."""

import zoneinfo
from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from registry_site.accounts.scopes import Scope


class SignInForm(forms.Form):
    username = forms.CharField(label=_("User name"), widget=forms.TextInput(attrs={"autocomplete": "username"}))
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    next = forms.CharField(required=False, widget=forms.HiddenInput)


class ProfileForm(forms.Form):
    display_name = forms.CharField(label=_("Display name"), max_length=150, required=False)
    email = forms.EmailField(
        label=_("E-mail"),
        required=False,
        help_text=_("Where requests that wait for you, and verdicts on yours, go to."),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=[(name, name) for name in sorted(zoneinfo.available_timezones())]
    )


class NewPasswordForm(forms.Form):
    new = forms.CharField(
        label=_("New password"),
        strip=False,
        max_length=1000,
        help_text=_("12 characters at least."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("New password, again"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    def clean_again(self) -> str:
        again: str = self.cleaned_data["again"]
        if "new" in self.cleaned_data and again != self.cleaned_data["new"]:
            raise forms.ValidationError(_("The two new passwords are not the same."))
        return again


class PasswordForm(NewPasswordForm):
    current = forms.CharField(
        label=_("Present password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ("current", "new", "again")


class InvitationForm(NewPasswordForm):
    display_name = forms.CharField(label=_("Your name"), max_length=150, help_text=_("As your colleagues know you."))
    field_order = ("display_name", "new", "again")


class ForgottenForm(forms.Form):
    asked = forms.CharField(
        label=_("User name or e-mail"), max_length=254, widget=forms.TextInput(attrs={"autocomplete": "username"})
    )


class TokenForm(forms.Form):
    LIFETIMES = (
        ("7", _("7 days")),
        ("30", _("30 days")),
        ("90", _("90 days")),
        ("365", _("One year")),
        ("", _("Never")),
    )
    SCOPES = (
        (Scope.READ.word, _("read: look, search and download, and change nothing")),
        (Scope.WRITE.word, _("write: all that people do, such as train, register and review")),
        (Scope.ADMIN.word, _("admin: what administrators do, too")),
    )

    name = forms.CharField(
        label=_("What is it for?"), max_length=100, widget=forms.TextInput(attrs={"placeholder": _("training cluster")})
    )
    scope = forms.ChoiceField(label=_("Scope"), choices=SCOPES, initial=Scope.WRITE.word)
    days = forms.ChoiceField(label=_("Expires after"), choices=LIFETIMES, initial="90", required=False)

    def __init__(self, *arguments: Any, is_admin: bool, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if not is_admin:
            scope = self.fields["scope"]
            assert isinstance(scope, forms.ChoiceField)
            scope.choices = self.SCOPES[:-1]


# -- other people ------------------------------------------------------------------------------------------------------
class GroupsForm(forms.Form):
    groups = forms.MultipleChoiceField(
        label=_("Groups"), required=False, widget=forms.CheckboxSelectMultiple, choices=()
    )

    def __init__(self, *arguments: Any, groups: Iterable[str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        chosen = self.fields["groups"]
        assert isinstance(chosen, forms.MultipleChoiceField)
        chosen.choices = [(name, name) for name in groups]
        if not chosen.choices:
            del self.fields["groups"]


class InviteForm(GroupsForm):
    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        help_text=_("Letters, digits and @ . + - _; it stays."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    email = forms.EmailField(label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    is_admin = forms.BooleanField(label=_("Administrator"), required=False)
    field_order = ("username", "email", "is_admin", "groups")


class PersonForm(forms.Form):
    display_name = forms.CharField(label=_("Display name"), max_length=150, required=False)
    email = forms.EmailField(label=_("E-mail"), max_length=254, required=False)


class GroupForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=150,
        help_text=_("Single sign-on puts people into the group that the provider calls the same."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class MemberForm(forms.Form):
    username = forms.CharField(
        label=_("User name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
