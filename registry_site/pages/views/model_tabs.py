"""The other tabs of a registered model, and the frame that they share with its overview."""

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from registry_site.accounts.levels import MODEL_LEVELS, Level
from registry_site.core.errors import PodiumError
from registry_site.core.prepared import Question
from registry_site.notifications.queries import following_questions, is_following
from registry_site.pages.access import signed_in
from registry_site.pages.conversation import people_of
from registry_site.pages.exports import ACTIVITY_COLUMNS, ROWS_AT_ONCE, as_file
from registry_site.pages.foresight import foresee
from registry_site.pages.forms.registry import RenameForm, TypedNameForm
from registry_site.pages.grants import access_context, change_grants
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import go, pager_of, show_error, status_of
from registry_site.pages.sentences import families, lines_of
from registry_site.pages.views.policies import change_settings, policies_context
from registry_site.pages.views.requests import request_rows, requests_as_file
from registry_site.pages.views.webhooks import rows_of, webhooks_as_file
from registry_site.promotion.deleting import delete_model
from registry_site.promotion.queries import browse_requests
from registry_site.promotion.rules import RequestState
from registry_site.registry import services
from registry_site.registry.access import level_of, level_questions
from registry_site.registry.grants import access_list, remove_grant, set_grant
from registry_site.registry.history import history_of
from registry_site.registry.queries import get_model
from registry_site.webhooks.queries import list_webhooks

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.registry.models import RegisteredModel

WEBHOOKS_PER_PAGE = 50


def model_frame(request: PageRequest, found: "RegisteredModel", tab: str, *foreseen: Question[Any]) -> dict[str, Any]:
    """What every page of a model shares: its name, its tabs, and what the actor may do. `foreseen` is what the page
    will ask besides."""
    actor = request.actor
    foresee(actor, *level_questions(actor, found), *following_questions(actor, found.name), *foreseen)
    level = level_of(actor, found)
    name = found.name
    tabs = [
        ("overview", _("Overview"), reverse("model", args=[name])),
        ("requests", _("Requests"), reverse("model_requests", args=[name])),
        ("timeline", _("Stage history"), reverse("model_timeline", args=[name])),
        ("activity", _("Activity"), reverse("model_activity", args=[name])),
        ("access", _("Access"), reverse("model_access", args=[name])),
        ("settings", _("Settings"), reverse("model_settings", args=[name])),
    ]
    if level >= Level.CAN_MANAGE:
        tabs.insert(-1, ("webhooks", _("Webhooks"), reverse("model_webhooks", args=[name])))
    return {
        "model": found,
        "tabs": [{"label": label, "url": url, "current": key == tab} for key, label, url in tabs],
        "crumbs": [(_("Models"), reverse("models")), (name, "")],
        "is_following": is_following(actor, name),
        "may_edit": level >= Level.CAN_EDIT,
        "may_manage": level >= Level.CAN_MANAGE,
    }


@signed_in
def model_requests(request: PageRequest, name: str) -> HttpResponseBase:
    """Every request about the model, copies into it too, or those in one state."""
    found = get_model(request.actor, name)
    wanted = request.GET.get("state", "")
    state = RequestState(wanted) if wanted in list(RequestState) else None
    find = partial(browse_requests, request.actor, name=name, with_copies=True, state=state)
    if file := requests_as_file(request, find):
        return file
    page = find(page_token=request.GET.get("page_token"))
    context = model_frame(request, found, "requests") | {
        "rows": request_rows(page.rows),
        "pager": pager_of(request, page.next_page_token),
        "state": state,
        "states": list(RequestState),
    }
    return render(request, "pages/models/requests.html", context)


@signed_in
def model_activity(request: PageRequest, name: str) -> HttpResponseBase:
    """The history of the model, newest first: all of it, that of one version, or what is of one family of kinds."""
    found = get_model(request.actor, name)
    choices = families()
    family = request.GET.get("kind", "") if request.GET.get("kind") in choices else ""
    number = request.GET.get("version", "")
    version = int(number) if number.isdecimal() and len(number) < 19 else None
    find = partial(history_of, request.actor, name, version=version, kinds=choices[family][1] if family else ())
    if file := as_file(
        request, "activity", ACTIVITY_COLUMNS, lambda token: find(max_results=ROWS_AT_ONCE, page_token=token)
    ):
        return file
    page = find(page_token=request.GET.get("page_token"))
    people, mentioned = people_of(request.actor, page.rows)
    context = model_frame(request, found, "activity") | {
        "lines": lines_of(page.rows, name, people),
        "mentioned": mentioned,
        "pager": pager_of(request, page.next_page_token),
        "families": [(key, label) for key, (label, _kinds) in choices.items()],
        "family": family,
        "version": version,
    }
    return render(request, "pages/models/activity.html", context)


@signed_in
def model_access(request: PageRequest, name: str) -> HttpResponse:
    """Who may do what with the model; whoever manages it gives levels and takes them back."""
    found = get_model(request.actor, name)
    form, answer = change_grants(
        request,
        reverse("model_access", args=[name]),
        MODEL_LEVELS,
        give=partial(set_grant, request.actor, name=name),
        take=partial(remove_grant, request.actor, name=name),
    )
    if answer is not None:
        return answer
    shown = access_context(access_list(request.actor, name), form, MODEL_LEVELS)
    return render(
        request, "pages/models/access.html", model_frame(request, found, "access") | shown, status=status_of(form)
    )


@signed_in
def model_webhooks(request: PageRequest, name: str) -> HttpResponseBase:
    """Who else is told of the model, for whoever manages it."""
    found = get_model(request.actor, name)
    find = partial(list_webhooks, request.actor, name=name)
    if file := webhooks_as_file(request, find):
        return file
    page = find(max_results=WEBHOOKS_PER_PAGE, page_token=request.GET.get("page_token"))
    context = model_frame(request, found, "webhooks") | {
        "rows": rows_of(page.rows),
        "pager": pager_of(request, page.next_page_token),
        "quoted_name": quote(name, safe=""),
    }
    return render(request, "pages/models/webhooks.html", context)


@signed_in
def model_settings(request: PageRequest, name: str) -> HttpResponse:
    """What it takes to enter its stages; another name for the model, or its end."""
    found = get_model(request.actor, name)
    deed = request.POST.get("deed", "")
    alias_form, direction_form, answer = change_settings(request, name, reverse("model_settings", args=[name]))
    if answer is not None:
        return answer
    rename = RenameForm(request.POST if deed == "rename" else None, initial={"new_name": name})
    delete = TypedNameForm(request.POST if deed == "delete" else None, name=name)
    try:
        if rename.is_bound and rename.is_valid():
            renamed = services.rename_model(request.actor, name=name, new_name=rename.cleaned_data["new_name"])
            url = reverse("model_settings", args=[renamed.name])
            return go(request, url, said=_("The model is called %(name)s now.") % {"name": renamed.name})
        if delete.is_bound and delete.is_valid():
            delete_model(request.actor, name=name)
            return go(request, reverse("models"), said=_("%(name)s is deleted.") % {"name": name})
    except PodiumError as error:
        show_error(rename if rename.is_bound else delete, error)
    context = model_frame(request, found, "settings") | policies_context(request, name)
    context |= {
        "rename_form": rename,
        "delete_form": delete,
        "alias_form": alias_form,
        "direction_form": direction_form,
    }
    status = max(status_of(form) for form in (rename, delete, alias_form, direction_form))
    return render(request, "pages/models/settings.html", context, status=status)
