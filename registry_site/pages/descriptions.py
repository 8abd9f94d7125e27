"""A description, edited in its place or on a page of its own."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from registry_site.accounts.levels import Level
from registry_site.core.errors import PodiumError
from registry_site.pages.forms.registry import DescriptionForm
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import go, render_page_or_part, show_error, status_of, wants_part
from registry_site.registry.access import level_of, require

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.registry.models import ModelVersion, RegisteredModel


def edit_description(
    request: PageRequest,
    described: "RegisteredModel | ModelVersion",
    model: "RegisteredModel",
    describe: "Callable[[str], RegisteredModel | ModelVersion]",
    *,
    title: str,
    crumbs: Sequence[tuple[str, str]],
) -> HttpResponse:
    """Show the form, or have the service `describe` the model, or its version. The last of `crumbs` is the page that
    the description stands on."""
    url = crumbs[-1][1]
    form = DescriptionForm(request.POST or None, initial={"description": described.description})
    part = {"edit_url": request.path}
    if request.method == "POST" and form.is_valid():
        try:
            described = describe(form.cleaned_data["description"])
        except PodiumError as error:
            show_error(form, error)
        else:
            if not wants_part(request):
                return go(request, url, said=_("The description is saved."))
            shown = part | {"text": described.description, "may_edit": True}
            return render(request, "pages/models/_description.html", shown)
    if request.GET.get("show") and wants_part(request):
        shown = part | {"text": described.description, "may_edit": level_of(request.actor, model) >= Level.CAN_EDIT}
        return render(request, "pages/models/_description.html", shown)
    if request.method == "GET":
        require(request.actor, model, Level.CAN_EDIT)
    return render_page_or_part(
        request,
        "pages/models/edit_description.html",
        "pages/models/_description_form.html",
        {"form": form, "back": url, "crumbs": [*crumbs, (_("Description"), "")], "title": title},
        status=status_of(form),
    )
