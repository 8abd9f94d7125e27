"""What it takes to enter a stage, of one model or of the site: read, tried on the present versions, and set."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from registry_site.accounts.levels import Level
from registry_site.core.errors import InvalidParameter, NotFound, PodiumError
from registry_site.pages.access import signed_in
from registry_site.pages.forms.policies import AliasPolicyForm, DirectionForm, GateForm, PolicyForm, gate_rows
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import go, render_page_or_part, show_error, status_of
from registry_site.promotion import aliases, setting_policies
from registry_site.promotion.directions import remove_metric_direction, set_metric_direction
from registry_site.promotion.gates import Gate, shortfall
from registry_site.promotion.looking_ahead import VERSIONS_OF_A_DRY_RUN, DryRun, dry_run
from registry_site.promotion.policies import PolicySource
from registry_site.promotion.queries import alias_policies_shown, metric_directions_shown, policies_shown
from registry_site.promotion.rules import Policy
from registry_site.registry.access import require
from registry_site.registry.browsing import browse_models
from registry_site.registry.queries import get_model
from registry_site.registry.stages import Stage, parse_stage

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.registry.models import ModelVersion

SHOWN = (Stage.PRODUCTION, Stage.STAGING, Stage.ARCHIVED, Stage.NONE)  # those that people care for first
ALIAS_IDS, DIRECTION_IDS = "id_alias_%s", "id_direction_%s"


# -- all of them -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class PolicyRow:
    """The policy of a stage, whose it is, and where it is changed."""

    stage: Stage
    policy: Policy
    source: PolicySource
    url: str


def policies_context(request: PageRequest, name: str | None) -> dict[str, Any]:
    """What `pages/policies/_policies.html` needs: of one model, or of the site."""
    found = policies_shown(request.actor, name)
    return {
        "policies": [
            PolicyRow(
                stage,
                *found[stage],
                reverse("model_policy", args=[name, stage.value]) if name else reverse("policy", args=[stage.value]),
            )
            for stage in SHOWN
        ],
        "stand_ins": alias_policies_shown(request.actor, name),
        "directions": metric_directions_shown(request.actor, name),
    }


@signed_in
def site_policies(request: PageRequest) -> HttpResponse:
    """The policies that hold for every model that has none of its own, for administrators."""
    request.actor.require_admin()
    alias_form, direction_form, answer = change_settings(request, None, reverse("policies"))
    if answer is not None:
        return answer
    context = policies_context(request, None) | {
        "alias_form": alias_form,
        "direction_form": direction_form,
        "may_manage": True,
    }
    status = max(status_of(form) for form in (alias_form, direction_form))
    return render(request, "pages/policies/site.html", context, status=status)


def change_settings(
    request: PageRequest, name: str | None, back: str
) -> tuple[AliasPolicyForm, DirectionForm, HttpResponse | None]:
    """What was sent about the aliases and metrics of a model, or of the site. The forms are there to be shown, with
    errors if they have any; the answer leads back to the page, and is None where it has to be shown."""
    deed = request.POST.get("deed", "")
    alias_form = AliasPolicyForm(request.POST if deed == "stand" else None, auto_id=ALIAS_IDS)
    direction_form = DirectionForm(request.POST if deed == "direct" else None, auto_id=DIRECTION_IDS)
    answer = None
    if deed in ("stand", "unstand"):
        answer = _change_alias_policy(request, alias_form, name, back)
    elif deed == "undirect":
        metric = request.POST.get("metric", "")
        remove_metric_direction(request.actor, name=name, metric=metric)
        answer = go(request, back, said=_("Nothing is said of %(metric)s any more.") % {"metric": metric})
    elif direction_form.is_bound and direction_form.is_valid():
        said = direction_form.cleaned_data
        try:
            set_metric_direction(
                request.actor, name=name, metric=said["metric"], higher_is_better=said["better"] == "higher"
            )
        except InvalidParameter as error:
            show_error(direction_form, error)
        else:
            answer = go(request, back, said=_("It is kept which way %(metric)s is better.") % said)
    return alias_form, direction_form, answer


def _change_alias_policy(
    request: PageRequest, form: AliasPolicyForm, name: str | None, back: str
) -> HttpResponse | None:
    if request.POST.get("deed") == "unstand":
        alias = request.POST.get("alias", "")
        aliases.remove_alias_policy(request.actor, alias=alias, name=name)
        return go(request, back, said=_("@%(alias)s is an alias like any other now.") % {"alias": alias})
    if not form.is_valid():
        return None
    said = form.cleaned_data
    try:
        aliases.set_alias_policy(
            request.actor, alias=said["alias"], stage=Stage(said["stage"]), is_mirror=said["is_mirror"], name=name
        )
    except InvalidParameter as error:
        show_error(form, error)
        return None
    return go(request, back, said=_("@%(alias)s stands for %(stage)s now.") % said)


# -- one of them -------------------------------------------------------------------------------------------------------
@signed_in
def model_policy(request: PageRequest, name: str, stage: str) -> HttpResponse:
    """The editor of a model's policy for a stage, for whoever manages the model."""
    model = get_model(request.actor, name)
    require(request.actor, model, Level.CAN_MANAGE)
    wanted = parse_stage(stage)
    back = reverse("model_settings", args=[name])
    if request.POST.get("deed") == "remove":
        setting_policies.remove_policy(request.actor, stage=wanted, name=name)
        return go(request, back, said=_("The site's policy for %(stage)s holds again.") % {"stage": wanted.value})
    crumbs = [(_("Models"), reverse("models")), (name, reverse("model", args=[name])), (_("Settings"), back)]
    return _editor(request, wanted, name, back, crumbs)


@signed_in
def site_policy(request: PageRequest, stage: str) -> HttpResponse:
    """The editor of the site's policy for a stage, for administrators."""
    request.actor.require_admin()
    return _editor(request, parse_stage(stage), None, reverse("policies"), [(_("Policies"), reverse("policies"))])


def _editor(
    request: PageRequest, stage: Stage, name: str | None, back: str, crumbs: list[tuple[str, str]]
) -> HttpResponse:
    present, source = policies_shown(request.actor, name)[stage]
    deed, _separator, place = request.POST.get("deed", "").partition(":")
    on = name or _model_to_try(request)
    tried, notice, is_refused = None, "", False
    if request.method != "POST":
        form = PolicyForm(initial=PolicyForm.initial_of(present))
        gates = _gate_forms([GateForm.initial_of(gate) for gate in present.gates])
    elif deed in ("add", "up", "down", "drop"):
        form = PolicyForm(initial=_as_written(request))
        gates = _gate_forms(_rearranged(gate_rows(request.POST), deed, place))
    else:
        form = PolicyForm(request.POST)
        gates = [GateForm(request.POST, prefix=f"gate-{number}") for number in range(len(gate_rows(request.POST)))]
        is_valid = all([form.is_valid(), *(gate.is_valid() for gate in gates)])
        is_refused = not is_valid
        if is_valid:
            wanted = form.policy(gate.cleaned_data["gate"] for gate in gates)
            is_new = bool(wanted.gates) and wanted.gates != present.gates
            if deed == "save" and not (is_new and on and request.POST.get("tried") != _mark(wanted.gates, on)):
                try:
                    setting_policies.set_policy(request.actor, stage=stage, policy=wanted, name=name)
                except PodiumError as error:
                    show_error(form, error)
                    is_refused = True
                else:
                    return go(request, back, said=_("The policy for %(stage)s is saved.") % {"stage": stage.value})
            elif on:
                try:
                    tried = _tried(request, on, stage, wanted.gates)
                except NotFound as error:
                    notice = _("%(what)s Name another model to try it on, or none.") % {"what": error.message}
                else:
                    notice = (
                        _("See below what these gates say of the present versions, then save.")
                        if deed == "save"
                        else ""
                    )
    context = {
        "form": form,
        "gates": gates,
        "stage": stage,
        "model_name": name,
        "source": source,
        "tried": tried,
        "on": on,
        "notice": notice,
        "is_refused": is_refused,
        "is_new_row": deed == "add",
        "back": back,
        "here": request.path,
        "crumbs": [*crumbs, (stage.value, "")],
    }
    page, part = "pages/policies/editor.html", "pages/policies/_editor.html"
    return render_page_or_part(request, page, part, context, status=422 if is_refused else 200)


def _as_written(request: PageRequest) -> dict[str, str]:
    return {field: request.POST.get(field, "") for field in PolicyForm.base_fields}


def _gate_forms(rows: Sequence[dict[str, Any]]) -> list[GateForm]:
    return [GateForm(initial=row, prefix=f"gate-{number}") for number, row in enumerate(rows)]


def _rearranged(rows: list[dict[str, str]], deed: str, place: str) -> list[dict[str, str]]:
    """The rows with one more, one fewer, or two of them exchanged; as they are where there is no such place."""
    if deed == "add":
        return [*rows, {}][: setting_policies.MOST_GATES]
    number = int(place) if place.isascii() and place.isdecimal() and len(place) < 5 else len(rows)
    if number >= len(rows):
        return rows
    if deed == "drop":
        return rows[:number] + rows[number + 1 :]
    other = number + (1 if deed == "down" else -1)
    if 0 <= other < len(rows):
        rows[number], rows[other] = rows[other], rows[number]
    return rows


def _model_to_try(request: PageRequest) -> str:
    """The model that the site's gates are tried on: the one that was named, else the one that changed last."""
    if "on" in request.POST:
        return request.POST["on"].strip()
    newest = browse_models(request.actor, order_by=["last_updated_timestamp DESC"], max_results=1).rows
    return newest[0].name if newest else ""


@dataclass(frozen=True, slots=True)
class Tried:
    """What gates say of the present versions of a model."""

    mark: str
    rows: "list[tuple[ModelVersion, DryRun, str]]"

    @property
    def passing(self) -> int:
        return sum(found.passes for _version, found, _missed in self.rows)

    @property
    def is_cut(self) -> bool:
        return len(self.rows) == VERSIONS_OF_A_DRY_RUN


def _tried(request: PageRequest, on: str, stage: Stage, gates: Sequence[Gate]) -> Tried:
    found = dry_run(request.actor, name=on, stage=stage, gates=gates)
    return Tried(_mark(gates, on), [(one.version, one, shortfall(one.results)) for one in found])


def _mark(gates: Sequence[Gate], on: str) -> str:
    """What tells that exactly these gates were tried."""
    return hashlib.sha256(repr((on, tuple(gates))).encode()).hexdigest()[:32]
