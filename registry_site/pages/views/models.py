"""Registered models: finding them, and making one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registry_site.accounts.actors import Actor
from registry_site.artifacts.scanning import Verdict as ScanVerdict
from registry_site.core.errors import InvalidParameter, PodiumError
from registry_site.core.markdown import excerpt
from registry_site.pages import columns
from registry_site.pages.access import signed_in
from registry_site.pages.exports import ROWS_AT_ONCE, as_file
from registry_site.pages.facets import Terms
from registry_site.pages.forms.registry import NewModelForm
from registry_site.pages.marks import as_facet, shown_tags
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import (
    go,
    pager_of,
    render_dialog,
    render_page_or_part,
    show_error,
    status_of,
    wants_part,
)
from registry_site.pages.saved_filters import saved_filters
from registry_site.pages.snippets import host_of, log_model_snippet
from registry_site.promotion.queries import facets_of_models, pending_requests
from registry_site.registry import services
from registry_site.registry.browsing import browse_models, facet_choices
from registry_site.registry.browsing import suggest_models as find_suggestions
from registry_site.registry.scans import verdicts
from registry_site.registry.stages import Stage
from registry_site.search.words import split_search

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.promotion.models import TransitionRequest
    from registry_site.registry.models import ModelVersion, RegisteredModel

ORDERS = {
    "name": "name ASC",
    "-name": "name DESC",
    "changed": "last_updated_timestamp ASC",
    "-changed": "last_updated_timestamp DESC",
}
MODELS_PER_PAGE = 25
TAGS_IN_A_ROW = 4


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

    @property
    def standing(self) -> "tuple[tuple[str, ModelVersion | None], ...]":
        """What is in the stages that models are promoted to."""
        return (Stage.PRODUCTION.value, self.production), (Stage.STAGING.value, self.staging)


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
    context: dict[str, Any] = {"q": text, "sort": sort, "facets": _facets(request, text, more_facets), "rows": []}
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
        context["snippet"] = log_model_snippet(host_of(request), "churn-classifier")
    return render_page_or_part(request, "pages/models/list.html", "pages/models/_results.html", context, status=status)


def model_rows(actor: Actor, models: "Sequence[RegisteredModel]") -> list[ModelRow]:
    """The rows of these models, in two queries more."""
    pending = pending_requests(actor, models)
    latest = [version.pk for model in models for version in model.latest_versions]  # type: ignore[attr-defined]
    unsafe = frozenset(key for key, verdict in verdicts(latest).items() if verdict is ScanVerdict.UNSAFE)
    address = reverse("models")
    return [_row(model, pending.get(model.pk), unsafe, address) for model in models]


def _row(
    model: "RegisteredModel", pending: "TransitionRequest | None", unsafe: frozenset[int], address: str
) -> ModelRow:
    latest: list[ModelVersion] = model.latest_versions  # type: ignore[attr-defined]  # attached by the query
    in_stage = {version.current_stage: version for version in latest}
    return ModelRow(
        model=model,
        production=in_stage.get(Stage.PRODUCTION.value),
        staging=in_stage.get(Stage.STAGING.value),
        latest=latest[0] if latest else None,
        pending=pending,
        tags=[
            (tag.key, tag.value, f"{address}?{urlencode({'q': as_facet(tag.key, tag.value)})}")
            for tag in shown_tags(model.tags.all())[:TAGS_IN_A_ROW]
        ],
        excerpt=excerpt(model.description, 120),
        unsafe=unsafe,
    )


def _facets(request: PageRequest, text: str, more_facets: Mapping[str, Any]) -> dict[str, Any]:
    """Searches of one click: each adds to what was typed, or takes it out again. Where nothing was, they say how many
    models they find."""
    terms = Terms(text)
    toggles = {
        "stage:production": _("In Production"),
        "stage:staging": _("In Staging"),
        "has:request": _("Open request"),
        "has:finding": _("Scan finding"),
        "owner:me": _("Mine"),
    }
    counted = [facet for term in toggles for facet in split_search(term).facets]
    choices = facet_choices(request.actor, counted=() if text else counted, more_facets=more_facets)

    def count(key: str, value: str) -> str:
        return f"{choices.counts.get((key, value), 0):,}" if choices.counts else ""

    owners = [
        terms.choice("owner", f"owner:{name}", display or name, count("owner", name))
        for name, display in choices.owners
    ]
    owners.append(terms.choice("no", "no:owner", _("Nobody"), count("no", "owner")))
    teams = [terms.choice("tag.team", as_facet("team", team), team, count("tag.team", team)) for team in choices.teams]
    return {
        "toggles": [terms.toggle(term, label, count(*term.split(":"))) for term, label in toggles.items()],
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
