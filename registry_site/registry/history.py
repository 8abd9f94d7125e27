"""Reading the history of registered models, as far as the actor may see them."""

from collections.abc import Iterable
from dataclasses import dataclass

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.audit.kinds import Kind
from registry_site.audit.models import Activity
from registry_site.audit.queries import activities_of_model
from registry_site.core.errors import NotFound
from registry_site.core.pages import Page
from registry_site.registry.access import visible_models
from registry_site.registry.models import RegisteredModel
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
    max_results: int = 50,
    page_token: str | None = None,
) -> Page[Activity]:
    """A page of what happened to a model, or to one version or request of it, newest first.

    Raises NotFound also where the actor may not see the model.
    """
    key = visible_models(actor).filter(name=name).values_list("pk", flat=True).first()
    if key is None:
        raise NotFound(f"Registered Model with name={name} not found", field="name")
    return read_page(
        activities_of_model(key, version=version, request_number=request_number),
        _NEWEST_FIRST,
        max_results=max_results,
        page_token=page_token,
        query=["history", actor.user_id, name, version, request_number],
        most=PER_PAGE_AT_MOST,
    )


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


def display_names(activities: Iterable[Activity]) -> dict[str, str]:
    """What the people of these activities want to be called, by user name, in one query."""
    names = {activity.actor_name for activity in activities}
    people = User.objects.filter(username__in=names).exclude(display_name="")
    return dict(people.values_list("username", "display_name"))
