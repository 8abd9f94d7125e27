"""One version of a registered model: all that is needed to judge it, and changing it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.core.errors import PodiumError
from registry_site.pages.access import signed_in
from registry_site.pages.conversation import people_of
from registry_site.pages.descriptions import edit_description
from registry_site.pages.foresight import foresee
from registry_site.pages.forms.promotion import BypassForm, MoveForm
from registry_site.pages.forms.registry import AliasForm, TagForm
from registry_site.pages.integrity import files_box, scan_box, scan_status
from registry_site.pages.marks import AliasesBox, TagsBox, shown_tags
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import go, render_dialog, show_error, status_of, wants_part
from registry_site.pages.sentences import lines_of
from registry_site.pages.snippets import host_of, load_snippets
from registry_site.pages.views.requests import request_rows
from registry_site.pages.views.version_comparison import address_of
from registry_site.promotion.checks import checks_of, deployments_of, questions_of_posts
from registry_site.promotion.compared import directions_of
from registry_site.promotion.deleting import delete_version as delete
from registry_site.promotion.differences import metric_rows
from registry_site.promotion.directions import direction_question
from registry_site.promotion.looking_ahead import direct_moves, preflight
from registry_site.promotion.queries import requests_of_model, with_reviews
from registry_site.promotion.rules import DeploymentState, OccupantDecision, RequestState
from registry_site.promotion.services import transition
from registry_site.registry import services
from registry_site.registry.access import level_of, level_questions, require
from registry_site.registry.contents import contents_of
from registry_site.registry.evidence import evidence_of
from registry_site.registry.files import mlmodel_of, requirements_of
from registry_site.registry.history import newest_history_of
from registry_site.registry.manifests import kept_question
from registry_site.registry.queries import (
    find_version,
    get_version,
    lineage_of,
    lineage_question,
    newest_in_active_stages,
    newest_question,
)
from registry_site.registry.rows import attach_version_marks, marks_question
from registry_site.registry.stages import ACTIVE_STAGES, Stage, parse_stage
from registry_site.registry.version_files import lies_in_this_store
from registry_site.tracking.artifact_files import owner_questions, stored_path

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.promotion.models import Deployment
    from registry_site.registry.models import ModelVersion

LINES = 20
REQUESTS = 10
IN_PLACE = (DeploymentState.PENDING, DeploymentState.SUCCEEDED)
POSTS = 20  # checks, and deployments: the newest ones


@signed_in
def version(request: PageRequest, name: str, version: int) -> HttpResponse:
    """Stage, evidence, description, files, history."""
    return _version_page(request, name, version)


def _version_page(request: PageRequest, name: str, number: int, *, bound: Form | None = None) -> HttpResponse:
    found = _found(request.actor, name, number)
    model = found.registered_model
    standing = {stage: one for stage, one in newest_in_active_stages(found).items() if one != found}
    baseline = standing.get(Stage.PRODUCTION)
    beside = baseline or standing.get(Stage.STAGING)
    own, *other = evidence_of(request.actor, [found, *([baseline] if baseline else [])])
    asked = list(requests_of_model(request.actor, name, version=number).prefetch_related(None)[: REQUESTS + 1])
    pending = with_reviews([one for one in asked if one.state == RequestState.PENDING][:4])
    history = newest_history_of(found, limit=LINES + 1)
    moves = direct_moves(request.actor, found)
    ask_for = Stage.ARCHIVED if found.current_stage == Stage.PRODUCTION.value else Stage.PRODUCTION
    files = files_box(own.manifest)
    answers = files is None or not files.trouble  # else each further question would wait in vain
    requirements = requirements_of(request.actor, found) if answers else []
    deployments = deployments_of(request.actor, name, number)[:POSTS]
    host = host_of(request)
    people, mentioned = people_of(request.actor, history[:LINES])
    context: dict[str, Any] = {
        "version": found,
        "model": model,
        "crumbs": [(_("Models"), reverse("models")), (name, reverse("model", args=[name])), (f"v{number}", "")],
        "may_edit": level_of(request.actor, model) >= Level.CAN_EDIT,
        "may_manage": level_of(request.actor, model) >= Level.CAN_MANAGE,
        "moves": moves,
        "guarded": [stage for stage in Stage if stage not in moves and stage.value != found.current_stage],
        "ask_for": ask_for,
        "asked_already": next((one for one in pending if one.to_stage == ask_for.value and not one.is_copy), None),
        "lineage": lineage_of(request.actor, found),
        "pending": request_rows(pending),
        "requests": asked[:REQUESTS],
        "more_requests": len(asked) > REQUESTS,
        "checks": checks_of(request.actor, name, number)[:POSTS],
        "deployments": deployments,
        "deployed_to": _current(deployments),
        "evidence": own,
        "baseline": baseline,
        "beside": beside,
        "compare_url": address_of(name, [beside.version, number]) if beside else "",
        "metrics": metric_rows(
            other[0].metrics if other else {},
            own.metrics,
            directions_of(model) if other else {},
        ),
        "mlmodel": mlmodel_of(request.actor, found) if answers else None,
        "requirements": requirements,
        "requirements_text": "\n".join(requirements),
        "has_files": lies_in_this_store(found),
        "files_box": files,
        "scan_box": scan_box(own.scan),
        "contents": contents_of(own.scan) if own.scan else None,
        "scan_status": scan_status(own.scan.verdict if own.scan else ""),
        "datasets": [one.dataset for one in own.run.dataset_inputs.all()] if own.run else [],
        "commit": own.run_tags.get("mlflow.source.git.commit", ""),
        "tags_box": _tags_box(request, found, bound if isinstance(bound, TagForm) else None),
        "aliases_box": _aliases_box(request, found, bound if isinstance(bound, AliasForm) else None),
        "uri": f"models:/{name}/{number}",
        "snippets": load_snippets(host, f"models:/{name}/{number}", name=name, version=number),
        "lines": lines_of(history[:LINES], name, people),
        "mentioned": mentioned,
        "more_lines": len(history) > LINES,
    }
    return render(request, "pages/versions/version.html", context, status=status_of(bound) if bound else 200)


def _found(actor: Actor, name: str, number: int) -> "ModelVersion":
    """The version with its model, tags and aliases, and what else its page asks at once foreseen."""
    found = find_version(actor, name, number)
    model = found.registered_model
    foresee(
        actor,
        *level_questions(actor, model),
        direction_question(model),
        *questions_of_posts(found),
        lineage_question(actor, found),
        marks_question([found]),
        newest_question([model.pk]),
        kept_question(found),
        *owner_questions(stored_path(found.storage_location)),
    )
    attach_version_marks([found])
    return found


def _current(deployments: "Sequence[Deployment]") -> "list[Deployment]":
    """The newest word of each environment that has, or gets, the version."""
    newest = {one.environment: one for one in reversed(deployments)}
    return [one for one in newest.values() if one.state in IN_PLACE]


@signed_in
def edit_version(request: PageRequest, name: str, version: int) -> HttpResponse:
    """The description, edited in its place or on a page of its own."""
    found = get_version(request.actor, name, version)
    return edit_description(
        request,
        found,
        found.registered_model,
        lambda text: services.describe_version(request.actor, name=name, version=version, description=text),
        title=f"{name} v{version}",
        crumbs=[
            (_("Models"), reverse("models")),
            (name, reverse("model", args=[name])),
            (f"v{version}", reverse("version", args=[name, version])),
        ],
    )


# -- moving and deleting -----------------------------------------------------------------------------------------------
@signed_in
def transition_version(request: PageRequest, name: str, version: int) -> HttpResponse:
    """A dialog, or a page, that moves the version at once, for whoever may do that without asking. What is in the way
    is passed by in a step of its own, by whoever manages the model, with a reason."""
    found = get_version(request.actor, name, version)
    moves = direct_moves(request.actor, found)
    asked = request.POST.get("to") or request.GET.get("to", "")
    to_stage = parse_stage(asked) if asked else next(iter(moves), Stage.PRODUCTION)
    ahead = preflight(request.actor, name=name, version=version, to_stage=to_stage)
    is_bypass = bool(request.POST.get("bypass") or request.GET.get("bypass")) and ahead.may_bypass
    is_bypass = is_bypass and ahead.is_in_the_way
    form = (BypassForm if is_bypass else MoveForm)(request.POST or None, preflight=ahead)
    if request.method == "POST" and form.is_valid():
        decision, occupant_to = form.decision
        try:
            transition(
                request.actor,
                name=name,
                version=version,
                to_stage=to_stage,
                archive_existing=decision is OccupantDecision.ARCHIVE and to_stage in ACTIVE_STAGES,
                occupant_to=occupant_to,
                comment="" if is_bypass else form.cleaned_data["comment"],
                bypass_reason=form.cleaned_data["comment"] if is_bypass else "",
            )
        except PodiumError as error:
            show_error(form, error)
        else:
            said = _("Version %(version)s is in %(stage)s now.") % {"version": version, "stage": to_stage.value}
            return go(request, reverse("version", args=[name, version]), said=said)
    context = {
        "form": form,
        "version": found,
        "model": found.registered_model,
        "ahead": ahead,
        "to_stage": to_stage,
        "moves": moves,
        "is_bypass": is_bypass,
        "crumbs": [
            (_("Models"), reverse("models")),
            (name, reverse("model", args=[name])),
            (f"v{version}", reverse("version", args=[name, version])),
            (_("Move"), ""),
        ],
    }
    return render_dialog(request, "pages/versions/transition.html", context, status=status_of(form))


@signed_in
def delete_version(request: PageRequest, name: str, version: int) -> HttpResponse:
    """A dialog, or a page, that asks once more, and deletes."""
    found = get_version(request.actor, name, version)
    if request.method == "GET":
        require(request.actor, found.registered_model, Level.CAN_MANAGE)
    form = Form(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        form.is_valid()
        try:
            delete(request.actor, name=name, version=version)
        except PodiumError as error:
            show_error(form, error)
        else:
            said = _("Version %(version)s is deleted.") % {"version": version}
            return go(request, reverse("model", args=[name]), said=said)
    context = {
        "form": form,
        "version": found,
        "model": found.registered_model,
        "crumbs": [
            (_("Models"), reverse("models")),
            (name, reverse("model", args=[name])),
            (f"v{version}", reverse("version", args=[name, version])),
            (_("Delete"), ""),
        ],
    }
    return render_dialog(request, "pages/versions/delete.html", context, status=status_of(form))


# -- tags and aliases --------------------------------------------------------------------------------------------------
def _tags_box(request: PageRequest, found: "ModelVersion", form: Form | None = None) -> TagsBox:
    place = [found.registered_model.name, found.version]
    may_edit = level_of(request.actor, found.registered_model) >= Level.CAN_EDIT
    return TagsBox(
        tags=shown_tags(found.tags.all()),
        set_url=reverse("version_tags", args=place),
        delete_url=reverse("delete_version_tag", args=place),
        form=(form or TagForm(auto_id="id_tag_%s")) if may_edit else None,
    )


def _aliases_box(request: PageRequest, found: "ModelVersion", form: Form | None = None) -> AliasesBox:
    name = found.registered_model.name
    may_edit = level_of(request.actor, found.registered_model) >= Level.CAN_EDIT
    return AliasesBox(
        aliases=sorted(found.aliases.all(), key=lambda alias: alias.alias),
        set_url=reverse("model_aliases", args=[name]),
        delete_url=reverse("delete_alias", args=[name]),
        form=(form or AliasForm(auto_id="id_alias_%s")) if may_edit else None,
        name=name,
        next=reverse("version", args=[name, found.version]),
        version=found.version,
    )


@require_POST
@signed_in
def version_tags(request: PageRequest, name: str, version: int) -> HttpResponse:
    """Set a tag."""
    form = TagForm(request.POST, auto_id="id_tag_%s")
    if form.is_valid():
        try:
            services.set_version_tag(request.actor, name=name, version=version, **form.cleaned_data)
        except PodiumError as error:
            show_error(form, error)
    return _after_tags(request, name, version, form)


@require_POST
@signed_in
def delete_version_tag(request: PageRequest, name: str, version: int) -> HttpResponse:
    """Remove a tag."""
    services.delete_version_tag(request.actor, name=name, version=version, key=request.POST.get("key", ""))
    return _after_tags(request, name, version, None)


def _after_tags(request: PageRequest, name: str, version: int, form: TagForm | None) -> HttpResponse:
    failed = form if form and form.errors else None
    if wants_part(request):
        box = _tags_box(request, get_version(request.actor, name, version), failed)
        return render(request, "pages/models/_tags.html", {"box": box}, status=422 if failed else 200)
    if failed:
        return _version_page(request, name, version, bound=failed)
    return go(request, reverse("version", args=[name, version]))
