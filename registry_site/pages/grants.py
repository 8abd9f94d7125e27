"""The Access tab, which registered models and experiments share: who may do what, and where that comes from."""

from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _

from registry_site.accounts.access import AccessList
from registry_site.accounts.levels import Level
from registry_site.core.errors import Conflict, InvalidParameter, NotFound, PodiumError
from registry_site.pages.forms.access import GrantForm, HolderForm
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import go, show_error

Service = Callable[..., object]


def change_grants(
    request: PageRequest, url: str, levels: Sequence[Level], *, give: Service, take: Service
) -> tuple[HolderForm, HttpResponse | None]:
    """What was sent to the tab, done by these two services. The form is there to be shown, with errors if it has any;
    the answer leads back to the tab, and is None where the tab has to be shown."""
    deed = request.POST.get("deed", "")
    form: HolderForm
    if deed == "take":
        form, act = HolderForm(request.POST), take
    else:
        form, act = GrantForm(request.POST if deed == "give" else None, levels=levels), give
    if not (form.is_bound and form.is_valid()):
        return form, None
    holder = form.cleaned_data["username"] or form.cleaned_data["group"]
    try:
        act(**form.cleaned_data)
    except (Conflict, InvalidParameter, NotFound) as error:
        return _with(error, form), None
    if deed == "take":
        return form, go(request, url, said=_("The level is taken from %(holder)s.") % {"holder": holder})
    said = {"holder": holder, "level": form.cleaned_data["level"].name}
    return form, go(request, url, said=_("%(holder)s has %(level)s now.") % said)


def _with(error: PodiumError, form: HolderForm) -> HolderForm:
    show_error(form, error)
    return form


def access_context(access: AccessList, form: HolderForm, levels: Sequence[Level]) -> dict[str, Any]:
    """What the tab's template needs."""
    return {
        "access": access,
        "may_grant": access.own is Level.CAN_MANAGE,
        "form": form if isinstance(form, GrantForm) else GrantForm(levels=levels),
        "refused": form,
        "levels": [level.name for level in levels],
    }
