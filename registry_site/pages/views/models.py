"""Registered models: finding them, one of them, and changing it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from django.forms import Form
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import MODEL_LEVELS, Level
from registry_site.artifacts.scanning import Verdict as ScanVerdict
from registry_site.core.errors import InvalidParameter, PodiumError
from registry_site.core.markdown import excerpt
from registry_site.core.pages import Page
from registry_site.notifications.queries import is_following
from registry_site.pages import columns
from registry_site.pages.access import signed_in
from registry_site.pages.exports import ACTIVITY_COLUMNS, ROWS_AT_ONCE, as_file
from registry_site.pages.facets import Terms
from registry_site.pages.forms.registry import (
    AliasForm,
    DescriptionForm,
    NewModelForm,
    RenameForm,
    TagForm,
    TypedNameForm,
)
from registry_site.pages.grants import access_context, change_grants
from registry_site.pages.integrity import scan_status
from registry_site.pages.marks import AliasesBox, TagsBox, as_facet, headline_metrics, shown_tags
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import (
    back_or,
    go,
    pager_of,
    render_dialog,
    render_page_or_part,
    show_error,
    status_of,
    wants_part,
)
from registry_site.pages.saved_filters import saved_filters
from registry_site.pages.sentences import families, lines_of
from registry_site.pages.snippets import load_snippets, log_model_snippet
from registry_site.pages.views.policies import change_settings, policies_context
from registry_site.pages.views.requests import request_rows, requests_as_file
from registry_site.pages.views.version_comparison import address_of
from registry_site.pages.views.webhooks import rows_of, webhooks_as_file
from registry_site.promotion.history import previous_in
from registry_site.promotion.queries import (
    browse_requests,
    facets_of_models,
    pending_requests,
    pending_requests_by_version,
    requests_of_model,
)
from registry_site.promotion.rules import RequestState, Verdict
from registry_site.promotion.services import delete_model
from registry_site.registry import services
from registry_site.registry.access import level_of
from registry_site.registry.evidence import Evidence, evidence_of, run_names
from registry_site.registry.grants import access_list, remove_grant, set_grant
from registry_site.registry.history import display_names, history_of
from registry_site.registry.queries import browse_models, facet_choices, get_model, versions_of_model
from registry_site.registry.queries import suggest_models as find_suggestions
from registry_site.registry.scans import verdicts
from registry_site.registry.stages import Stage
from registry_site.webhooks.queries import list_webhooks

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.promotion.models import TransitionRequest
    from registry_site.registry.models import ModelVersion, RegisteredModel, Tag

ORDERS = {
    "name": "name ASC",
    "-name": "name DESC",
    "changed": "last_updated_timestamp ASC",
    "-changed": "last_updated_timestamp DESC",
}
MODELS_PER_PAGE = 25
VERSIONS_PER_PAGE = 50
TAGS_IN_A_ROW = 4


# -- the list ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model as the list shows it."""

    model: "RegisteredModel"
    production: "ModelVersion | None"
    staging: "ModelVersion | None"
    latest: "ModelVersion | None"
    pending: "TransitionRequest | None"
    tags: list[tuple[str, str, str]]  # key, value, and the address that finds others with it
    excerpt: str
    unsafe: frozenset[int]  # keys of those versions whose scan found danger


@signed_in
def models(request: PageRequest) -> HttpResponseBase:
    """All models that one may see: searched, sorted, with what is in Production."""
    text = request.GET.get("q", "").strip()
    sort = request.GET.get("sort", "") if request.GET.get("sort") in ORDERS else "-changed"
    more_facets = facets_of_models(request.actor)
    find = partial(browse_models, request.actor, text=text, more_facets=more_facets, order_by=[ORDERS[sort]])
    if file := as_file(
        request,
        "models",
        columns.MODELS,
        lambda token: find(max_results=ROWS_AT_ONCE, page_token=token),
        partial(model_rows, request.actor),
    ):
        return file
    context: dict[str, Any] = {"q": text, "sort": sort, "facets": _facets(request, text), "rows": []}
    context["saved"] = saved_filters(request, "models")
    status = 200
    try:
        page = find(max_results=MODELS_PER_PAGE, page_token=request.GET.get("page_token"))
    except InvalidParameter as error:
        context["error"] = error.message
        status = 422 if wants_part(request) else 400
    else:
        context["rows"] = model_rows(request.actor, page.rows)
        context["pager"] = pager_of(request, page.next_page_token)
    if not text and not context["rows"]:
        context["snippet"] = log_model_snippet(_host(request), "churn-classifier")
    return render_page_or_part(request, "pages/models/list.html", "pages/models/_results.html", context, status=status)


def model_rows(actor: Actor, models: "Sequence[RegisteredModel]") -> list[ModelRow]:
    """The rows of these models, in two queries more."""
    pending = pending_requests(actor, models)
    latest = [version.pk for model in models for version in model.latest_versions]  # type: ignore[attr-defined]
    unsafe = frozenset(key for key, verdict in verdicts(latest).items() if verdict is ScanVerdict.UNSAFE)
    return [_row(model, pending.get(model.pk), unsafe) for model in models]


def _row(model: "RegisteredModel", pending: "TransitionRequest | None", unsafe: frozenset[int]) -> ModelRow:
    latest: list[ModelVersion] = model.latest_versions  # type: ignore[attr-defined]  # attached by the query
    in_stage = {version.current_stage: version for version in latest}
    return ModelRow(
        model=model,
        production=in_stage.get(Stage.PRODUCTION.value),
        staging=in_stage.get(Stage.STAGING.value),
        latest=latest[0] if latest else None,
        pending=pending,
        tags=[
            (tag.key, tag.value, f"{reverse('models')}?{urlencode({'q': as_facet(tag.key, tag.value)})}")
            for tag in shown_tags(model.tags.all())[:TAGS_IN_A_ROW]
        ],
        excerpt=excerpt(model.description, 120),
        unsafe=unsafe,
    )


def _facets(request: PageRequest, text: str) -> dict[str, Any]:
    """Searches of one click: each adds to what was typed, or takes it out again."""
    terms = Terms(text)
    toggles = {
        "stage:production": _("In Production"),
        "stage:staging": _("In Staging"),
        "has:request": _("Open request"),
        "has:finding": _("Scan finding"),
        "owner:me": _("Mine"),
    }
    choices = facet_choices(request.actor)
    owners = [terms.choice("owner", f"owner:{name}", display or name) for name, display in choices.owners]
    owners.append(terms.choice("no", "no:owner", _("Nobody")))
    teams = [terms.choice("tag.team", as_facet("team", team), team) for team in choices.teams]
    return {
        "toggles": [terms.toggle(term, label) for term, label in toggles.items()],
        "menus": [(label, links) for label, links in ((_("Owner"), owners), (_("Team"), teams)) if links],
        "chips": terms.chips(besides=toggles),
    }


@signed_in
def suggest_models(request: PageRequest) -> HttpResponse:
    """Names for type-ahead."""
    found = find_suggestions(request.actor, request.GET.get("q", ""))
    items = [
        {
            "value": model.name,
            "label": model.name,
            "hint": ngettext("%(count)s version", "%(count)s versions", model.last_version)
            % {"count": model.last_version},
        }
        for model in found
    ]
    return JsonResponse({"items": items})


@signed_in
def new_model(request: PageRequest) -> HttpResponse:
    """A dialog, or a page, that registers a model without versions."""
    form = NewModelForm(request.POST or None, initial={"name": request.GET.get("name", "")})
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_model(request.actor, **form.cleaned_data)
        except PodiumError as error:
            show_error(form, error)
        else:
            url = reverse("model", args=[made.name])
            return go(request, url, said=_("%(name)s is registered.") % {"name": made.name})
    context = {"form": form, "crumbs": [(_("Models"), reverse("models")), (_("New model"), "")]}
    return render_dialog(request, "pages/models/new.html", context, status=status_of(form))


# -- one model ---------------------------------------------------------------------------------------------------------
@signed_in
def model(request: PageRequest, name: str) -> HttpResponseBase:
    """What is in Production, what comes next, all versions, and what the model is. As a file, its versions."""

    def read(token: str | None) -> "Page[ModelVersion]":
        get_model(request.actor, name)  # one that is not there has no file, not even an empty one
        return versions_of_model(request.actor, name, max_results=ROWS_AT_ONCE, page_token=token)

    file = as_file(request, "versions", columns.VERSIONS, read, partial(version_rows, request))
    return file or _model_page(request, name)


def _model_page(request: PageRequest, name: str, *, bound: Form | None = None) -> HttpResponse:
    found = get_model(request.actor, name)
    page = versions_of_model(
        request.actor, name, max_results=VERSIONS_PER_PAGE, page_token=request.GET.get("page_token")
    )
    latest: list[ModelVersion] = found.latest_versions  # type: ignore[attr-defined]  # attached by the query
    production = next((one for one in latest if one.current_stage == Stage.PRODUCTION.value), None)
    pending = requests_of_model(request.actor, name, state=RequestState.PENDING).first()
    candidate = _next_version(latest, production, pending)
    evidence = {
        one.version.pk: one for one in evidence_of(request.actor, [one for one in (production, candidate) if one])
    }
    context = model_frame(request, found, "overview") | {
        "production": _standing_version(request, found, production, evidence),
        "candidate": _standing_version(request, found, candidate, evidence),
        "candidate_compare_url": address_of(name, [production.version, candidate.version])
        if production and candidate
        else "",
        "pending": pending,
        "roll_back_to": previous_in(found, Stage.PRODUCTION) if production else None,
        "versions": version_rows(request, page.rows),
        "pager": pager_of(request, page.next_page_token),
        "latest": latest[0] if latest else None,
        "tags_box": _tags_box(request, found, bound if isinstance(bound, TagForm) else None),
        "aliases_box": _aliases_box(request, found, bound if isinstance(bound, AliasForm) else None),
        "snippets": load_snippets(_host(request), _best_uri(found, latest, production), name=name),
        "first_version": log_model_snippet(_host(request), name),
    }
    return render(request, "pages/models/model.html", context, status=status_of(bound) if bound else 200)


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version as the model's page lists it."""

    version: "ModelVersion"
    aliases: list[str]
    tags: "list[Tag]"
    run_name: str
    run_url: str
    pending: "TransitionRequest | None"
    scan: str


def version_rows(request: PageRequest, versions: "Sequence[ModelVersion]") -> list[VersionRow]:
    """The rows of these versions, in three queries more."""
    found = verdicts([one.pk for one in versions])
    names = run_names(request.actor, versions)
    pending = pending_requests_by_version(request.actor, versions)
    return [
        VersionRow(
            version=one,
            aliases=sorted(alias.alias for alias in one.aliases.all()),
            tags=shown_tags(one.tags.all())[:TAGS_IN_A_ROW],
            run_name=names.get(one.run_id) or one.run_id[:8],
            run_url=reverse("run", args=[one.run_id]) if one.run_id in names else "",
            pending=pending.get(one.pk),
            scan=scan_status(found.get(one.pk)),
        )
        for one in versions
    ]


def _next_version(
    latest: "list[ModelVersion]", production: "ModelVersion | None", pending: "TransitionRequest | None"
) -> "ModelVersion | None":
    """The version to talk about: what a request asks for, else the one in Staging, else one newer than Production."""
    if pending is not None and pending.model_version != production:
        return pending.model_version
    staging = next((one for one in latest if one.current_stage == Stage.STAGING.value), None)
    if staging is not None:
        return staging
    newest = latest[0] if latest else None
    is_newer = newest is not None and (production is None or newest.version > production.version)
    return newest if is_newer else None


def _standing_version(
    request: PageRequest,
    found: "RegisteredModel",
    version: "ModelVersion | None",
    evidence: dict[int, Evidence],
) -> dict[str, Any] | None:
    if version is None:
        return None
    metrics = evidence[version.pk].metrics if version.pk in evidence else {}
    decided = requests_of_model(request.actor, found.name, state=RequestState.APPROVED, version=version.version)
    approved = decided.filter(to_stage=version.current_stage).first()
    reviews = approved.reviews.all() if approved else []
    return {
        "version": version,
        "aliases": [alias.alias for alias in found.aliases.all() if alias.model_version.version == version.version],
        "metrics": headline_metrics(metrics),
        "approved": approved,
        "approvers": [
            str(review.reviewer or review.reviewer_name) for review in reviews if review.verdict == Verdict.APPROVE
        ],
    }


def _best_uri(found: "RegisteredModel", latest: "list[ModelVersion]", production: "ModelVersion | None") -> str:
    if production is not None:
        return f"models:/{found.name}/{Stage.PRODUCTION.value}"
    alias = found.aliases.all()[0].alias if found.aliases.all() else None
    if alias:
        return f"models:/{found.name}@{alias}"
    return f"models:/{found.name}/{latest[0].version if latest else 1}"


def model_frame(request: PageRequest, found: "RegisteredModel", tab: str) -> dict[str, Any]:
    """What every page of a model shares: its name, its tabs, and what the actor may do."""
    level = level_of(request.actor, found)
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
        "is_following": is_following(request.actor, name),
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
    context = model_frame(request, found, "activity") | {
        "lines": lines_of(page.rows, name, display_names(page.rows)),
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
    page = find(max_results=VERSIONS_PER_PAGE, page_token=request.GET.get("page_token"))
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


@signed_in
def edit_model(request: PageRequest, name: str) -> HttpResponse:
    """The description, edited in its place or on a page of its own."""
    found = get_model(request.actor, name)
    form = DescriptionForm(request.POST or None, initial={"description": found.description})
    url = reverse("model", args=[name])
    if request.method == "POST" and form.is_valid():
        try:
            found = services.describe_model(request.actor, name=name, description=form.cleaned_data["description"])
        except PodiumError as error:
            show_error(form, error)
        else:
            if not wants_part(request):
                return go(request, url, said=_("The description is saved."))
            context = {"text": found.description, "may_edit": True, "edit_url": request.path}
            return render(request, "pages/models/_description.html", context)
    if request.GET.get("show") and wants_part(request):
        may_edit = level_of(request.actor, found) >= Level.CAN_EDIT
        context = {"text": found.description, "may_edit": may_edit, "edit_url": request.path}
        return render(request, "pages/models/_description.html", context)
    context = {
        "form": form,
        "back": url,
        "crumbs": [(_("Models"), reverse("models")), (name, url), (_("Description"), "")],
        "title": name,
    }
    return render_page_or_part(
        request,
        "pages/models/edit_description.html",
        "pages/models/_description_form.html",
        context,
        status=status_of(form),
    )


# -- tags and aliases --------------------------------------------------------------------------------------------------
def _tags_box(request: PageRequest, found: "RegisteredModel", form: Form | None = None) -> TagsBox:
    may_edit = level_of(request.actor, found) >= Level.CAN_EDIT
    return TagsBox(
        tags=shown_tags(found.tags.all()),
        set_url=reverse("model_tags", args=[found.name]),
        delete_url=reverse("delete_model_tag", args=[found.name]),
        form=(form or TagForm(auto_id="id_tag_%s")) if may_edit else None,
    )


def _aliases_box(request: PageRequest, found: "RegisteredModel", form: Form | None = None) -> AliasesBox:
    may_edit = level_of(request.actor, found) >= Level.CAN_EDIT
    return AliasesBox(
        aliases=sorted(found.aliases.all(), key=lambda alias: alias.alias),
        set_url=reverse("model_aliases", args=[found.name]),
        delete_url=reverse("delete_alias", args=[found.name]),
        form=(form or AliasForm(auto_id="id_alias_%s", initial={"version": found.last_version or None}))
        if may_edit
        else None,
        name=found.name,
        next=reverse("model", args=[found.name]),
    )


@require_POST
@signed_in
def model_tags(request: PageRequest, name: str) -> HttpResponse:
    """Set a tag."""
    form = TagForm(request.POST, auto_id="id_tag_%s")
    if form.is_valid():
        try:
            services.set_model_tag(request.actor, name=name, **form.cleaned_data)
        except PodiumError as error:
            show_error(form, error)
    return _after_tags(request, name, form)


@require_POST
@signed_in
def delete_model_tag(request: PageRequest, name: str) -> HttpResponse:
    """Remove a tag."""
    services.delete_model_tag(request.actor, name=name, key=request.POST.get("key", ""))
    return _after_tags(request, name, None)


def _after_tags(request: PageRequest, name: str, form: TagForm | None) -> HttpResponse:
    failed = form if form and form.errors else None
    if wants_part(request):
        box = _tags_box(request, get_model(request.actor, name), failed)
        return render(request, "pages/models/_tags.html", {"box": box}, status=422 if failed else 200)
    if failed:
        return _model_page(request, name, bound=failed)
    return go(request, reverse("model", args=[name]))


@require_POST
@signed_in
def model_aliases(request: PageRequest, name: str) -> HttpResponse:
    """Point an alias at a version; back to the page that the form was on."""
    form = AliasForm(request.POST, auto_id="id_alias_%s")
    if form.is_valid():
        alias, version = form.cleaned_data["alias"], form.cleaned_data["version"]
        try:
            services.set_alias(request.actor, name=name, alias=alias, version=version)
        except PodiumError as error:
            show_error(form, error)
        else:
            said = _("@%(alias)s points at version %(version)s now.") % {"alias": alias, "version": version}
            return go(request, back_or(request, reverse("model", args=[name])), said=said)
    if wants_part(request):
        box = _aliases_box(request, get_model(request.actor, name), form)
        return render(request, "pages/models/_aliases.html", {"box": box}, status=422)
    return _model_page(request, name, bound=form)


@require_POST
@signed_in
def delete_alias(request: PageRequest, name: str) -> HttpResponse:
    """Remove an alias; back to the page that the form was on."""
    alias = request.POST.get("alias", "")
    services.delete_alias(request.actor, name=name, alias=alias)
    said = _("@%(alias)s is removed.") % {"alias": alias}
    return go(request, back_or(request, reverse("model", args=[name])), said=said)


def _host(request: PageRequest) -> str:
    return request.build_absolute_uri("/").rstrip("/")
