"""Experiments: all of them, and the runs of one."""

from functools import partial
from typing import Any

from django.contrib import messages
from django.db.models import prefetch_related_objects
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from registry_site.accounts.levels import EXPERIMENT_LEVELS, Level
from registry_site.core.errors import InvalidParameter, PodiumError
from registry_site.core.markdown import excerpt
from registry_site.pages import columns
from registry_site.pages.access import signed_in
from registry_site.pages.exports import ROWS_AT_ONCE, as_file
from registry_site.pages.foresight import foresee
from registry_site.pages.forms.tracking import ExperimentForm
from registry_site.pages.grants import access_context, change_grants
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import pager_of, render_page, status_of
from registry_site.pages.run_table import NOTE_TAG, OWN_TAGS, chosen_columns, columns_of, filter_of, order_by, rows_of
from registry_site.pages.saved_filters import saved_filters
from registry_site.pages.snippets import host_of
from registry_site.registry.queries import versions_of_runs
from registry_site.tracking import grants, queries, services
from registry_site.tracking.access import level_of, level_questions, require
from registry_site.tracking.locking import experiment_not_found
from registry_site.tracking.rules import ViewType

EXPERIMENTS_PER_PAGE = 50
RUNS_PER_PAGE = 50
RUNS_AT_ONCE = 100  # in a file: each may have many metrics and params
_SORTS = {
    "name": "name ASC",
    "-name": "name DESC",
    "creation_time": "creation_time ASC",
    "-creation_time": "creation_time DESC",
    "last_update_time": "last_update_time ASC",
    "-last_update_time": "last_update_time DESC",
}


# -- all of them -------------------------------------------------------------------------------------------------------
@signed_in
def experiments(request: PageRequest) -> HttpResponseBase:
    """The experiments that match what was typed, newest first unless a column's link says otherwise."""
    text, sort, token = request.GET.get("q", ""), request.GET.get("sort", ""), request.GET.get("page_token")
    view_type = _view_type(request)
    _tidy(request, drop_columns=True)
    problem = ""
    order = [_SORTS[sort]] if sort in _SORTS else []
    find = partial(queries.experiments_overview, request.actor, text=text, order_by=order, view_type=view_type)
    if file := as_file(
        request,
        "experiments",
        columns.EXPERIMENTS,
        lambda token: find(max_results=ROWS_AT_ONCE, page_token=token),
        lambda rows: map(_experiment_row, rows),
    ):
        return file
    try:
        page = find(max_results=EXPERIMENTS_PER_PAGE, page_token=token)
    except InvalidParameter as error:
        problem, rows, next_token = error.message, [], ""
    else:
        prefetch_related_objects([summary.experiment for summary in page.rows], "created_by")
        rows, next_token = [_experiment_row(summary) for summary in page.rows], page.next_page_token
    context = {
        "q": text,
        "sort": sort or "-creation_time",
        "problem": problem,
        "rows": rows,
        "deleted": view_type is ViewType.DELETED_ONLY,
        "pager": pager_of(request, next_token),
        "code": snippet_of(request, "my-first-experiment"),
    }
    return _with_problem(request, "pages/experiments/experiments.html", "pages/experiments/_experiments.html", context)


def _experiment_row(summary: queries.ExperimentSummary) -> dict[str, Any]:
    tags = summary.experiment.tags.all()
    note = next((tag.value for tag in tags if tag.key == NOTE_TAG), "")
    return {
        "experiment": summary.experiment,
        "run_count": summary.run_count,
        "last_start_time": summary.last_start_time,
        "excerpt": excerpt(note, 120) if note else "",
        "tags": [tag for tag in tags if not tag.key.startswith(OWN_TAGS)],
    }


@signed_in
def new_experiment(request: PageRequest) -> HttpResponse:
    """A name and what it is about: as a page or in the dialog."""
    form = ExperimentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        note = form.cleaned_data["description"]
        try:
            experiment = services.create_experiment(
                request.actor, name=form.cleaned_data["name"], tags={NOTE_TAG: note} if note else {}
            )
        except PodiumError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, _("Experiment “%(name)s” is made.") % {"name": experiment.name})
            return _go_to(request, reverse("experiment", args=[experiment.pk]))
    back = reverse("experiments")
    crumbs = [(_("Experiments"), back), (_("New experiment"), "")]
    return _form_page(request, form, crumbs, heading=_("New experiment"), submit=_("Make experiment"), back=back)


# -- one of them -------------------------------------------------------------------------------------------------------
@signed_in
def experiment(request: PageRequest, experiment_id: int) -> HttpResponseBase:
    """The runs of an experiment that meet the filter, with the metrics and params chosen as columns."""
    found = queries.get_experiment(request.actor, experiment_id)
    text, sort, token = request.GET.get("filter", ""), request.GET.get("sort", ""), request.GET.get("page_token")
    view_type = _view_type(request)
    keys = queries.distinct_keys(request.actor, experiment_id)
    possible = columns_of(keys.metrics, keys.params)
    chosen = chosen_columns(request.GET.getlist("cols") if "cols" in request.GET else None, possible)
    _tidy(request, drop_columns=chosen == chosen_columns(None, possible))
    rows, next_token, problem = [], "", ""
    find = partial(
        queries.search_runs,
        request.actor,
        experiment_ids=[experiment_id],
        view_type=view_type,
        order_by=order_by(sort),
    )
    told = chosen if "cols" in request.GET else possible  # a file has room for all of them
    if file := as_file(
        request,
        "runs",
        columns.of_runs(told),
        lambda token: find(filter=filter_of(text), max_results=RUNS_AT_ONCE, page_token=token),
        lambda runs: rows_of(runs, told, versions_of_runs(request.actor, [run.run_id for run in runs])),
    ):
        return file
    try:
        page = find(filter=filter_of(text), max_results=RUNS_PER_PAGE, page_token=token)
    except InvalidParameter as error:
        problem = error.message
    else:
        versions = versions_of_runs(request.actor, [run.run_id for run in page.rows])
        rows, next_token = rows_of(page.rows, chosen, versions), page.next_page_token
    context = _frame(request, found, "experiment") | {
        "note": _note_of(found),
        "filter": text,
        "sort": sort or "-start_time",
        "problem": problem,
        "rows": rows,
        "has_versions": any(row.versions for row in rows),
        "has_tags": any(row.tags for row in rows),
        "has_data": any(row.run.dataset_inputs.all() for row in rows),
        "columns": chosen,
        "choices": _choices(possible, chosen),
        "deleted": view_type is ViewType.DELETED_ONLY,
        "pager": pager_of(request, next_token),
        "saved": saved_filters(request, f"experiments/{experiment_id}"),
        "code": snippet_of(request, found.name),
    }
    return _with_problem(request, "pages/experiments/experiment.html", "pages/experiments/_runs.html", context)


def _frame(request: PageRequest, found: Any, tab: str) -> dict[str, Any]:
    """What every page of an experiment shares: its name, its tabs, and what the actor may do."""
    foresee(request.actor, *level_questions(request.actor, found.pk))
    level = level_of(request.actor, found.pk)
    tabs = [("experiment", _("Runs")), ("experiment_access", _("Access"))]
    return {
        "crumbs": [(_("Experiments"), reverse("experiments")), (found.name, "")],
        "experiment": found,
        "tabs": [
            {"label": label, "url": reverse(view, args=[found.pk]), "current": view == tab} for view, label in tabs
        ],
        "tags": [tag for tag in found.tags.all() if not tag.key.startswith(OWN_TAGS)],
        "may_edit": level >= Level.CAN_EDIT,
        "may_manage": level >= Level.CAN_MANAGE,
    }


def _note_of(found: Any) -> str:
    return next((tag.value for tag in found.tags.all() if tag.key == NOTE_TAG), "")


@signed_in
def experiment_access(request: PageRequest, experiment_id: int) -> HttpResponse:
    """Who may do what with the experiment; whoever manages it gives levels and takes them back."""
    found = queries.get_experiment(request.actor, experiment_id)
    form, answer = change_grants(
        request,
        reverse("experiment_access", args=[experiment_id]),
        EXPERIMENT_LEVELS,
        give=partial(grants.set_grant, request.actor, experiment_id=experiment_id),
        take=partial(grants.remove_grant, request.actor, experiment_id=experiment_id),
    )
    if answer is not None:
        return answer
    shown = access_context(grants.access_list(request.actor, experiment_id), form, EXPERIMENT_LEVELS)
    context = _frame(request, found, "experiment_access") | shown
    return render(request, "pages/experiments/access.html", context, status=status_of(form))


def _tidy(request: PageRequest, *, drop_columns: bool) -> None:
    """Take out of the query what says nothing, so that links and the address stay short: empty fields, and the columns
    that would be shown anyway."""
    query = request.GET.copy()
    for name, values in request.GET.lists():
        if (name == "cols" and drop_columns) or (name != "cols" and not any(values)):
            del query[name]
    request.GET = query  # type: ignore[assignment]  # a copy that is not changed any more


def _choices(possible: list[Any], chosen: list[Any]) -> list[tuple[str, list[tuple[Any, bool]]]]:
    everything = list(dict.fromkeys([*possible, *chosen]))
    return [
        (label, [(column, column in chosen) for column in everything if column.entity == entity])
        for label, entity in ((_("Metrics"), "metrics"), (_("Parameters"), "params"))
    ]


@signed_in
def edit_experiment(request: PageRequest, experiment_id: int) -> HttpResponse:
    """Another name, another description."""
    found = queries.get_experiment(request.actor, experiment_id)
    if request.method == "GET":
        require(request.actor, found.pk, Level.CAN_EDIT, hidden=experiment_not_found(experiment_id))
    form = ExperimentForm(request.POST or None, initial={"name": found.name, "description": _note_of(found)})
    if level_of(request.actor, found.pk) < Level.CAN_MANAGE:
        form.fields["name"].widget.attrs["readonly"] = True
        form.fields["name"].help_text = _("Another name needs CAN_MANAGE on the experiment.")
    here = reverse("experiment", args=[experiment_id])
    if request.method == "POST" and form.is_valid():
        try:
            if (name := form.cleaned_data["name"]) != found.name:
                services.rename_experiment(request.actor, experiment_id=experiment_id, new_name=name)
            services.set_experiment_tag(
                request.actor, experiment_id=experiment_id, key=NOTE_TAG, value=form.cleaned_data["description"]
            )
        except PodiumError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, _("The experiment is saved."))
            return _go_to(request, here)
    crumbs = [(_("Experiments"), reverse("experiments")), (found.name, here), (_("Edit"), "")]
    return _form_page(request, form, crumbs, heading=_("Edit experiment"), submit=_("Save"), back=here)


@require_POST
@signed_in
def delete_experiment(request: PageRequest, experiment_id: int) -> HttpResponse:
    """Mark it and its runs as deleted; the message says the way back."""
    services.delete_experiment(request.actor, experiment_id=experiment_id)
    messages.success(request, _("The experiment and its runs are deleted. They can be restored from its page."))
    return redirect("experiment", experiment_id=experiment_id)


@require_POST
@signed_in
def restore_experiment(request: PageRequest, experiment_id: int) -> HttpResponse:
    """Bring it and all its runs back."""
    services.restore_experiment(request.actor, experiment_id=experiment_id)
    messages.success(request, _("The experiment and its runs are back."))
    return redirect("experiment", experiment_id=experiment_id)


# -- what they share ---------------------------------------------------------------------------------------------------
def snippet_of(request: PageRequest, name: str) -> str:
    """Python that logs a first run to this server."""
    host = host_of(request)
    tokens = request.build_absolute_uri(reverse("tokens"))
    return (
        f"# export MLFLOW_TRACKING_TOKEN=…   made at {tokens}\n"
        "import mlflow\n\n"
        f"mlflow.set_tracking_uri({host!r})\n"
        f"mlflow.set_experiment({name!r})\n\n"
        "with mlflow.start_run():\n"
        '    mlflow.log_param("learning_rate", 0.1)\n'
        '    mlflow.log_metric("accuracy", 0.93)\n'
    )


def _view_type(request: PageRequest) -> ViewType:
    return ViewType.DELETED_ONLY if request.GET.get("view") == "deleted" else ViewType.ACTIVE_ONLY


def _with_problem(request: PageRequest, page: str, part: str, context: dict[str, Any]) -> HttpResponse:
    """The list. A filter that is wrong leaves what is in sight as it was, and says so beside the box."""
    response = render_page(request, page, context, parts={"results": part}, status=422 if context["problem"] else 200)
    response.headers["HX-Push-Url"] = f"{request.path}?{request.GET.urlencode()}".removesuffix("?")
    if context["problem"]:
        response.headers["HX-Reswap"] = "none"  # what is marked out of band, the problem itself, is swapped still
        response.headers["HX-Push-Url"] = "false"
    return response


def _form_page(
    request: PageRequest, form: Any, crumbs: list[tuple[str, str]], *, heading: str, submit: str, back: str
) -> HttpResponse:
    context = {
        "base": "components/dialog.html" if request.htmx else "base.html",
        "crumbs": crumbs,
        "form": form,
        "form_heading": heading,
        "submit": submit,
        "back": back,
    }
    return render(request, "pages/experiments/form.html", context, status=422 if form.errors else 200)


def _go_to(request: PageRequest, url: str) -> HttpResponse:
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)
