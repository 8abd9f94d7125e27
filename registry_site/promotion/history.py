"""Who stood in a stage when: stays, made of history."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, Subquery

from registry_site.accounts.actors import Actor
from registry_site.audit.kinds import Kind
from registry_site.audit.models import Activity
from registry_site.audit.queries import activities_of_model
from registry_site.core.pages import Page
from registry_site.registry.models import RegisteredModel
from registry_site.registry.queries import find_model
from registry_site.registry.stages import Stage
from registry_site.search.keyset import OrderPlan, Term
from registry_site.search.paging import read_page

STAYS_PER_PAGE_AT_MOST = 200
MOVES_SEEN = 1000  # of a chart
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
    model = find_model(actor, name)
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


@dataclass(frozen=True, slots=True)
class Move:
    """A version came from one stage to another at some time; to None when it was deleted."""

    version: int
    at: datetime
    from_stage: str
    to_stage: str | None


@dataclass(frozen=True, slots=True)
class Span:
    """A version stood in a stage from when until when; it is there still if `end` is None."""

    stage: Stage
    version: int
    start: datetime
    end: datetime | None


def spans_of(moves: Sequence[Move], stages: Collection[Stage]) -> list[Span]:
    """Who stood in these stages when, in the order in which they came; `moves` are the oldest first. Pure.

    Who left and has not been seen to come stood there from the first of the moves on.
    """
    wanted = {stage.value for stage in stages}
    since: dict[tuple[int, str], datetime] = {}
    spans = []
    for move in moves:
        left = [key for key in since if key[0] == move.version and key[1] != move.to_stage]
        if not left and move.from_stage in wanted and move.from_stage != move.to_stage:
            left = [(move.version, move.from_stage)]
        spans += [Span(Stage(key[1]), move.version, since.pop(key, moves[0].at), move.at) for key in left]
        if move.to_stage in wanted:
            since.setdefault((move.version, move.to_stage), move.at)
    spans += [Span(Stage(stage), version, start, None) for (version, stage), start in since.items()]
    return sorted(spans, key=lambda span: span.start)


def spans_in(model: RegisteredModel, stages: Collection[Stage]) -> list[Span]:
    """Who stood in these stages of a model, which has been found visible, as far as its last thousand moves tell."""
    kinds = (Kind.VERSION_STAGE_CHANGED, Kind.VERSION_DELETED)
    rows = activities_of_model(model.pk, kinds=kinds).values_list("version", "at", "kind", "data")[:MOVES_SEEN]
    moves = [
        Move(
            version or 0,
            at,
            data.get("from_stage", ""),
            data.get("to_stage", "") if kind == Kind.VERSION_STAGE_CHANGED else None,
        )
        for version, at, kind, data in rows
    ]
    return spans_of(moves[::-1], stages)


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
    passes = Q(kind=Kind.STAGE_BYPASSED, data__to_stage=stage.value, at__gte=first.at - _ONE_TRANSACTION)
    told = list(of_versions.filter(Q(leaves, pk__gt=first.pk) | passes).order_by("pk"))
    departures = [each for each in told if each.kind != Kind.STAGE_BYPASSED]
    reasons = {}
    bypasses = [each for each in told if each.kind == Kind.STAGE_BYPASSED]
    for bypass in reversed(bypasses):  # each is about the next arrival of its version
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
