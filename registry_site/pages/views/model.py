"""A registered model: its overview, description, tags and aliases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django.forms import Form
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from registry_site.accounts.levels import Level
from registry_site.core.errors import PodiumError
from registry_site.core.pages import Page
from registry_site.pages import columns
from registry_site.pages.access import signed_in
from registry_site.pages.descriptions import edit_description
from registry_site.pages.exports import ROWS_AT_ONCE, as_file
from registry_site.pages.forms.registry import AliasForm, TagForm
from registry_site.pages.integrity import scan_status
from registry_site.pages.marks import AliasesBox, TagsBox, headline_metrics, shown_tags
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import back_or, go, pager_of, show_error, status_of, wants_part
from registry_site.pages.snippets import host_of, load_snippets, log_model_snippet
from registry_site.pages.views.model_tabs import model_frame
from registry_site.pages.views.models import TAGS_IN_A_ROW
from registry_site.pages.views.version_comparison import address_of
from registry_site.promotion.history import previous_in
from registry_site.promotion.queries import approvals_of, pending_requests_by_version, requests_of_model
from registry_site.promotion.rules import RequestState, Verdict
from registry_site.registry import services
from registry_site.registry.access import level_of
from registry_site.registry.evidence import metrics_of, run_names
from registry_site.registry.queries import get_model, versions_of_model
from registry_site.registry.scans import verdict_question, verdicts
from registry_site.registry.stages import Stage

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.promotion.models import TransitionRequest
    from registry_site.registry.models import ModelVersion, RegisteredModel, Tag

VERSIONS_PER_PAGE = 50


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
    pending = requests_of_model(request.actor, name, state=RequestState.PENDING).prefetch_related(None).first()
    candidate = _next_version(latest, production, pending)
    shown = [one for one in (production, candidate) if one]
    metrics = metrics_of(request.actor, shown)
    approved = {one.version: one for one in approvals_of(request.actor, shown)}
    context = model_frame(request, found, "overview", verdict_question([one.pk for one in page.rows])) | {
        "production": _standing_version(found, production, metrics, approved),
        "candidate": _standing_version(found, candidate, metrics, approved),
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
        "snippets": load_snippets(host_of(request), _best_uri(found, latest, production), name=name),
        "first_version": log_model_snippet(host_of(request), name),
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
    """The rows of these versions, in three queries."""
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
    found: "RegisteredModel",
    version: "ModelVersion | None",
    metrics: "Mapping[int, Mapping[str, float]]",
    approvals: "Mapping[int, TransitionRequest]",
) -> dict[str, Any] | None:
    if version is None:
        return None
    approved = approvals.get(version.version)
    reviews = approved.reviews.all() if approved else []
    return {
        "version": version,
        "aliases": [alias.alias for alias in found.aliases.all() if alias.model_version.version == version.version],
        "metrics": headline_metrics(metrics[version.pk]),
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


@signed_in
def edit_model(request: PageRequest, name: str) -> HttpResponse:
    """The description, edited in its place or on a page of its own."""
    found = get_model(request.actor, name)
    return edit_description(
        request,
        found,
        found,
        lambda text: services.describe_model(request.actor, name=name, description=text),
        title=name,
        crumbs=[(_("Models"), reverse("models")), (name, reverse("model", args=[name]))],
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
