"""Reading history, as far as the actor may see it: that of a registered model with the model, all of it as an
administrator."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from django.db.models import QuerySet

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.audit.kinds import Kind
from registry_site.audit.models import Activity
from registry_site.audit.queries import Wanted, activities, activities_of_model, models_once_called
from registry_site.core.pages import Page
from registry_site.registry.access import visible_models
from registry_site.registry.models import ModelVersion, RegisteredModel
from registry_site.registry.queries import find_model
from registry_site.registry.stages import Stage
from registry_site.search.keyset import OrderPlan, Term
from registry_site.search.paging import read_page

PER_PAGE_AT_MOST = 500
_NEWEST_FIRST = OrderPlan((Term("id", "id", descending=True, nullable=False),))


@dataclass(frozen=True, slots=True)
class Move:
    """A version that changed its stage, and what its model is called now."""

    model_name: str
    activity: Activity


def history_of(
    actor: Actor,
    name: str,
    *,
    version: int | None = None,
    request_number: int | None = None,
    kinds: Collection[str] = (),
    max_results: int = 50,
    page_token: str | None = None,
) -> Page[Activity]:
    """A page of what happened to a model, or to one version or request of it, newest first; of some kinds, if given.

    Raises NotFound also where the actor may not see the model.
    """
    return read_page(
        activities_of_model(find_model(actor, name).pk, version=version, request_number=request_number, kinds=kinds),
        _NEWEST_FIRST,
        max_results=max_results,
        page_token=page_token,
        query=["history", actor.user_id, name, version, request_number, sorted(kinds)],
        most=PER_PAGE_AT_MOST,
    )


def newest_history_of(version: ModelVersion, *, limit: int) -> list[Activity]:
    """The last that happened to a version, which has been found visible, newest first."""
    found = activities_of_model(version.registered_model_id, version=version.version)
    return list(found.order_by("-pk")[:limit])


def all_history(
    actor: Actor, wanted: Wanted, *, model: str = "", max_results: int = 50, page_token: str | None = None
) -> Page[Activity]:
    """A page of all that happened, newest first, or of what is wanted of it; for administrators.

    `model` is the name of a registered model, also one that it had earlier, and also of one that is deleted.
    """
    return read_page(
        _all_history(actor, wanted, model),
        _NEWEST_FIRST,
        max_results=max_results,
        page_token=page_token,
        query=["all history", actor.user_id, wanted, model],
        most=PER_PAGE_AT_MOST,
    )


def export_history(actor: Actor, wanted: Wanted, *, model: str = "") -> Iterator[list[Activity]]:
    """All that `all_history` pages through, some hundreds at a time; for administrators.

    Whoever reads slowly keeps no database busy.
    """
    found = _all_history(actor, wanted, model)

    def portions() -> Iterator[list[Activity]]:
        rest = found
        while portion := list(rest[:PER_PAGE_AT_MOST]):
            yield portion
            rest = found.filter(pk__lt=portion[-1].pk)

    return portions()


def _all_history(actor: Actor, wanted: Wanted, model: str) -> QuerySet[Activity]:
    actor.require_admin()
    if model:
        present = RegisteredModel.objects.filter(name=model).values_list("pk", flat=True)
        keys = {*present, *(key for key in models_once_called(model) if key is not None)}
        wanted = replace(wanted, models=sorted(keys))
    return activities(wanted)


def model_names(found: Iterable[Activity]) -> dict[int, str]:
    """What the registered models of these activities are called now, by their keys, in one query; none of one that was
    deleted."""
    keys = {activity.registered_model_id for activity in found if activity.registered_model_id is not None}
    return dict(RegisteredModel.objects.filter(pk__in=keys).values_list("pk", "name"))


def recent_moves(actor: Actor, to_stage: Stage, *, limit: int = 10) -> list[Move]:
    """The last moves into a stage, of all the models that the actor may see, newest first."""
    moves = list(
        Activity.objects.filter(
            kind=Kind.VERSION_STAGE_CHANGED,
            data__to_stage=to_stage.value,
            registered_model_id__in=visible_models(actor).values("pk"),
        ).order_by("-pk")[:limit]
    )
    names = RegisteredModel.objects.in_bulk([move.registered_model_id for move in moves if move.registered_model_id])
    return [Move(names[move.registered_model_id].name, move) for move in moves if move.registered_model_id in names]


def display_names(found: Iterable[Activity]) -> dict[str, str]:
    """What the people of these activities want to be called, by user name, in one query."""
    names = {activity.actor_name for activity in found}
    people = User.objects.filter(username__in=names).exclude(display_name="")
    return dict(people.values_list("username", "display_name"))
