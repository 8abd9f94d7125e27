"""Who stood in a stage when: stays, made of history."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, Subquery

from registry_site.accounts.actors import Actor
from registry_site.audit.kinds import Kind
from registry_site.audit.models import Activity
from registry_site.audit.queries import activities_of_model
from registry_site.core.pages import Page
from registry_site.registry.models import RegisteredModel
from registry_site.registry.queries import get_model
from registry_site.registry.stages import Stage
from registry_site.search.keyset import OrderPlan, Term
from registry_site.search.paging import read_page

STAYS_PER_PAGE_AT_MOST = 200
_ONE_TRANSACTION = timedelta(minutes=1)  # a bypass is written down just before the move that it is about


@dataclass(frozen=True, slots=True)
class Stay:
    """A version stood in a stage from when it came until it left, or was deleted; it is there still if `left` is None.

    `bypass` is the reason why it came past what the stage asks for, None where it did not. It may return if it is still
    kept, and is elsewhere now.
    """

    version: int
    came: Activity
    left: Activity | None
    bypass: str | None
    exists: bool
    may_return: bool

    @property
    def is_rollback(self) -> bool:
        return bool(self.came.data.get("rollback"))

    def lasted(self, now: datetime) -> float:
        """How long, in milliseconds."""
        return ((self.left.at if self.left else now) - self.came.at).total_seconds() * 1000


def stays_in(
    actor: Actor, name: str, stage: Stage, *, max_results: int = 50, page_token: str | None = None
) -> Page[Stay]:
    """A page of who stood in a stage of a model, the newest first. Raises NotFound."""
    model = get_model(actor, name)
    moves = activities_of_model(model.pk, kinds=(Kind.VERSION_STAGE_CHANGED,))
    page = read_page(
        moves.filter(data__to_stage=stage.value),
        OrderPlan((Term("id", "id", descending=True, nullable=False),)),
        max_results=max_results,
        page_token=page_token,
        query=["stays", actor.user_id, name, stage.value],
        most=STAYS_PER_PAGE_AT_MOST,
    )
    return Page(_stays(model, stage, list(page.rows)), page.next_page_token)


def previous_in(model: RegisteredModel, stage: Stage) -> int | None:
    """The version that left a stage of a model last, if it is kept and elsewhere now: what a rollback brings back.
    The model has been found visible."""
    left = activities_of_model(model.pk, kinds=(Kind.VERSION_STAGE_CHANGED,)).filter(data__from_stage=stage.value)
    newest = left.order_by("-pk").values("version")[:1]
    kept = model.versions.exclude(current_stage=stage.value).filter(version=Subquery(newest))
    return kept.values_list("version", flat=True).first()


def _stays(model: RegisteredModel, stage: Stage, arrivals: list[Activity]) -> list[Stay]:
    if not arrivals:
        return []
    first = arrivals[-1]
    versions = {arrival.version for arrival in arrivals if arrival.version is not None}
    of_versions = activities_of_model(model.pk).filter(version__in=versions)
    leaves = Q(kind=Kind.VERSION_STAGE_CHANGED, data__from_stage=stage.value) | Q(kind=Kind.VERSION_DELETED)
    departures = list(of_versions.filter(leaves, pk__gt=first.pk).order_by("pk"))
    bypasses = of_versions.filter(
        kind=Kind.STAGE_BYPASSED, data__to_stage=stage.value, at__gte=first.at - _ONE_TRANSACTION
    )
    reasons = {}
    for bypass in bypasses.order_by("-pk"):  # each is about the next arrival of its version
        later = [each.pk for each in arrivals if each.version == bypass.version and each.pk > bypass.pk]
        if later:
            reasons[min(later)] = bypass.comment
    stages = dict(model.versions.filter(version__in=versions).values_list("version", "current_stage"))
    return [
        Stay(
            version=arrival.version or 0,
            came=arrival,
            left=next((each for each in departures if each.version == arrival.version and each.pk > arrival.pk), None),
            bypass=reasons.get(arrival.pk),
            exists=arrival.version in stages,
            may_return=stages.get(arrival.version or 0, stage.value) != stage.value,
        )
        for arrival in arrivals
    ]
