"""The search over everything: the one thing that was named exactly, and what the words find, in groups."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registry_site.accounts.actors import Actor
from registry_site.accounts.grants import suggest_people
from registry_site.core.errors import InvalidParameter, NotFound
from registry_site.core.markdown import excerpt
from registry_site.pages.references import Reference, Thing, read_reference
from registry_site.promotion.finding import find_requests, requests_numbered
from registry_site.promotion.queries import facets_of_models, get_request
from registry_site.registry.browsing import browse_models
from registry_site.registry.finding import find_models, find_versions
from registry_site.registry.queries import get_model, get_version, get_version_by_alias, newest_in_stage
from registry_site.registry.stages import Stage
from registry_site.search.words import Search, split_search
from registry_site.tracking.finding import find_experiments, find_runs
from registry_site.tracking.logged_models import get_logged_model
from registry_site.tracking.queries import runs_by_ids

FEW, MANY = 5, 100
LONGEST = 500  # characters; what is longer is no search


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found: where it is, what it is called, and a few words to know it by."""

    url: str
    title: str
    text: str = ""
    stage: str = ""
    when: Any = None


@dataclass(frozen=True, slots=True)
class Group:
    """Hits of one kind. `all_url` is where the rest of them are, empty where these are all."""

    key: str
    label: str
    icon: str
    hits: Sequence[Hit]
    all_url: str = ""


# -- exactly this ------------------------------------------------------------------------------------------------------
def named(actor: Actor, text: str) -> Hit | None:
    """The one thing that the text names, if there is one that the actor may read."""
    reference = read_reference(text)
    if reference is None:
        return None
    try:
        return _NAMED[reference.thing](actor, reference)
    except (NotFound, InvalidParameter):
        return None


def _model(actor: Actor, reference: Reference) -> Hit:
    name = get_model(actor, reference.name).name
    return Hit(reverse("model", args=[name]), name)


def _version(actor: Actor, reference: Reference) -> Hit | None:
    if reference.thing is Thing.ALIAS:
        found = get_version_by_alias(actor, reference.name, reference.key)
    elif reference.thing is Thing.VERSION:
        found = get_version(actor, reference.name, reference.number)
    elif (newest := newest_in_stage(actor, reference.name, Stage(reference.key))) is not None:
        found = newest
    else:
        return None
    return _hit_of_version(found)


def _request(actor: Actor, reference: Reference) -> Hit | None:
    if reference.name:
        return _hit_of_request(get_request(actor, reference.name, reference.number))
    found = requests_numbered(actor, reference.number)
    return _hit_of_request(found[0]) if len(found) == 1 else None


def _run(actor: Actor, reference: Reference) -> Hit | None:
    found = runs_by_ids(actor, [reference.key])
    if not found:
        return None
    if reference.path:
        return Hit(reverse("run_artifact", args=[reference.key, reference.path]), reference.path, str(found[0]))
    return _hit_of_run(found[0])


def _logged_model(actor: Actor, reference: Reference) -> Hit:
    found = get_logged_model(actor, model_id=reference.key)
    if reference.path:
        url = reverse("logged_model_artifact", args=[reference.key, reference.path])
        return Hit(url, reference.path, found.name)
    return Hit(reverse("logged_model", args=[found.model_id]), found.name, found.model_id)


_NAMED: dict[Thing, Callable[[Actor, Reference], Hit | None]] = {
    Thing.MODEL: _model,
    Thing.VERSION: _version,
    Thing.ALIAS: _version,
    Thing.STAGE: _version,
    Thing.REQUEST: _request,
    Thing.RUN: _run,
    Thing.LOGGED_MODEL: _logged_model,
}


# -- what the words find -----------------------------------------------------------------------------------------------
def search_everything(actor: Actor, text: str, *, only: str = "") -> list[Group]:
    """What the text finds, of every kind a few, or more of one kind. Raises InvalidParameter for a wrong filter."""
    text = text[:LONGEST]
    search = split_search(text)
    limit = MANY if only else FEW
    groups = [
        _group(kind, text, find(actor, text, search, limit + 1), limit, only)
        for kind, find in _KINDS.items()
        if only in ("", kind) and (kind == "models" or search.words)
    ]
    return [group for group in groups if group.hits]


def _group(kind: str, text: str, hits: list[Hit], limit: int, only: str) -> Group:
    label, icon, view, field = _labels()[kind]
    if len(hits) <= limit or only:
        return Group(kind, label, icon, hits[:limit])
    where = {"q": text, "in": kind} if view == "search" else {field: text}
    return Group(kind, label, icon, hits[:limit], f"{reverse(view)}?{urlencode(where)}")


def _labels() -> dict[str, tuple[str, str, str, str]]:
    """What each kind is called, its icon, and the list that shows all of it: its name, and the field for the text."""
    return {
        "models": (_("Models"), "model", "models", "q"),
        "versions": (_("Versions"), "tag", "search", "q"),
        "requests": (_("Requests"), "review", "search", "q"),
        "runs": (_("Runs"), "run", "search", "q"),
        "experiments": (_("Experiments"), "experiment", "experiments", "q"),
        "people": (_("People"), "users", "people", "q"),
    }


def _models(actor: Actor, text: str, search: Search, limit: int) -> list[Hit]:
    if search.facets or search.conditions:
        rows = browse_models(actor, text=text, more_facets=facets_of_models(actor), max_results=limit).rows
        return [Hit(reverse("model", args=[one.name]), one.name, excerpt(one.description, 80)) for one in rows]
    return [
        Hit(
            reverse("model", args=[one.name]),
            one.name,
            ngettext("%(count)s version", "%(count)s versions", one.last_version) % {"count": one.last_version}
            if one.in_production is None  # type: ignore[attr-defined]  # attached by the query
            else _("v%(version)s is in Production") % {"version": one.in_production},  # type: ignore[attr-defined]
        )
        for one in find_models(actor, search.words, limit=limit)
    ]


def _versions(actor: Actor, text: str, search: Search, limit: int) -> list[Hit]:
    return [_hit_of_version(one) for one in find_versions(actor, search.words, limit=limit)]


def _hit_of_version(version: Any) -> Hit:
    name = version.registered_model.name
    url = reverse("version", args=[name, version.version])
    title, text = f"{name} v{version.version}", excerpt(version.description, 80)
    return Hit(url, title, text, version.current_stage, version.creation_timestamp)


def _requests(actor: Actor, text: str, search: Search, limit: int) -> list[Hit]:
    return [_hit_of_request(one) for one in find_requests(actor, search.words, limit=limit)]


def _hit_of_request(request: Any) -> Hit:
    name = request.registered_model.name
    asked = _("v%(version)s to %(stage)s, %(state)s") % {
        "version": request.version,
        "stage": request.to_stage,
        "state": request.state,
    }
    return Hit(
        reverse("request", args=[name, request.number]), f"{name}#{request.number}", asked, "", request.created_at
    )


def _runs(actor: Actor, text: str, search: Search, limit: int) -> list[Hit]:
    return [_hit_of_run(one) for one in find_runs(actor, search.words, limit=limit)]


def _hit_of_run(run: Any) -> Hit:
    return Hit(reverse("run", args=[run.run_id]), str(run), run.experiment.name, "", run.start_time or None)


def _experiments(actor: Actor, text: str, search: Search, limit: int) -> list[Hit]:
    found = find_experiments(actor, search.words, limit=limit)
    return [Hit(reverse("experiment", args=[one.pk]), one.name, when=one.last_update_time) for one in found]


def _people(actor: Actor, text: str, search: Search, limit: int) -> list[Hit]:
    """Only administrators have pages of people."""
    found = suggest_people(actor, " ".join(search.words), limit=limit) if actor.is_admin else []
    return [Hit(reverse("person", args=[one.username]), one.username, one.display_name) for one in found]


_KINDS: dict[str, Callable[[Actor, str, Search, int], list[Hit]]] = {
    "models": _models,
    "versions": _versions,
    "requests": _requests,
    "runs": _runs,
    "experiments": _experiments,
    "people": _people,
}
