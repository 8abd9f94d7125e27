"""Reading requests: what waits for whom, and what would happen."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Exists, OuterRef, Q, QuerySet

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.audit.kinds import Kind
from registry_site.audit.queries import activities_of_model
from registry_site.core.errors import NotFound
from registry_site.core.pages import Page
from registry_site.promotion.models import Review, TransitionRequest
from registry_site.promotion.policies import policies_for, policy_for
from registry_site.promotion.rules import Outcome, Policy, RequestState, ReviewFact, Verdict, decide
from registry_site.promotion.services import level_of_request
from registry_site.registry.access import level_of, models_with_level, people_with_level, visible_models
from registry_site.registry.models import ModelVersion, RegisteredModel
from registry_site.registry.queries import get_version
from registry_site.registry.stages import ACTIVE_STAGES, Stage, level_to_move
from registry_site.search.keyset import OrderPlan, Term
from registry_site.search.paging import read_page

REQUESTS_PER_PAGE_AT_MOST = 500


class Role(StrEnum):
    """Whose requests a list shows."""

    WAITING = "waiting"
    MINE = "mine"
    ALL = "all"


def get_request(actor: Actor, name: str, number: int) -> TransitionRequest:
    """The request with its model, version, requester and reviews. Raises NotFound also where one may not see it."""
    found = _visible(actor).filter(registered_model__name=name, number=number).first()
    if found is None:
        raise NotFound(f"There is no request {name}#{number}.")
    return found


def waiting_for(actor: Actor) -> QuerySet[TransitionRequest]:
    """Pending requests of others that the actor may decide and has not reviewed yet, oldest first."""
    involves_production = (
        Q(to_stage=Stage.PRODUCTION.value)
        | Q(model_version__current_stage=Stage.PRODUCTION.value)
        | Q(occupant_to_stage=Stage.PRODUCTION.value)
    )
    for_production = models_with_level(actor, Level.CAN_MANAGE_PRODUCTION_VERSIONS)
    for_staging = models_with_level(actor, Level.CAN_MANAGE_STAGING_VERSIONS)
    return (
        _visible(actor)
        .filter(
            Q(involves_production, registered_model__in=for_production)
            | Q(~involves_production, registered_model__in=for_staging),
            ~Exists(Review.objects.filter(request=OuterRef("pk"), reviewer_id=actor.user_id)),
            state=RequestState.PENDING.value,
        )
        .exclude(requester_id=actor.user_id)
        .order_by("created_at", "pk")
    )


def count_waiting_for(actor: Actor) -> int:
    """How many requests wait for the actor: the number in the header of every page."""
    return waiting_for(actor).count() if actor.user_id is not None else 0


def requests_by(actor: Actor) -> QuerySet[TransitionRequest]:
    """The actor's own requests, newest first."""
    return _visible(actor).filter(requester_id=actor.user_id).order_by("-created_at", "-pk")


def all_requests(actor: Actor, *, state: RequestState | None = None) -> QuerySet[TransitionRequest]:
    """Every request that the actor may see, newest first."""
    requests = _visible(actor).order_by("-created_at", "-pk")
    return requests.filter(state=state.value) if state else requests


def browse_requests(
    actor: Actor,
    *,
    role: Role = Role.ALL,
    state: RequestState | None = None,
    name: str | None = None,
    max_results: int = 25,
    page_token: str | None = None,
) -> Page[TransitionRequest]:
    """A page of requests: those that wait for the actor (oldest first), the actor's own, or all (newest first)."""
    requests = {Role.WAITING: waiting_for, Role.MINE: requests_by, Role.ALL: all_requests}[role](actor)
    if state is not None:
        requests = requests.filter(state=state.value)
    if name is not None:
        requests = requests.filter(registered_model__name=name)
    return read_page(
        requests,
        OrderPlan((Term("id", "id", descending=role is not Role.WAITING, nullable=False),)),
        max_results=max_results,
        page_token=page_token,
        query=["requests", actor.user_id, role, state, name],
        most=REQUESTS_PER_PAGE_AT_MOST,
    )


def outcomes_of(requests: Sequence[TransitionRequest]) -> dict[int, Outcome]:
    """What the reviews of each request amount to, by its key, in one query; the reviews have been prefetched."""
    policies = policies_for((request.registered_model_id, Stage(request.to_stage)) for request in requests)
    return {
        request.pk: _outcome(policies[request.registered_model_id, Stage(request.to_stage)], request)
        for request in requests
    }


def _outcome(policy: Policy, request: TransitionRequest) -> Outcome:
    facts = [ReviewFact(review.reviewer_id, Verdict(review.verdict)) for review in request.reviews.all()]
    return decide(policy, request.requester_id, facts)


def requests_of_model(
    actor: Actor, name: str, *, state: RequestState | None = None, version: int | None = None
) -> QuerySet[TransitionRequest]:
    """The requests of a model, or of one of its versions, newest first."""
    requests = all_requests(actor, state=state).filter(registered_model__name=name)
    return requests if version is None else requests.filter(version=version)


def pending_requests(models: Sequence[RegisteredModel]) -> dict[int, TransitionRequest]:
    """The newest pending request of each model that has one, by the model's key. The models have been found visible."""
    pending = TransitionRequest.objects.filter(registered_model__in=models, state=RequestState.PENDING.value)
    return {request.registered_model_id: request for request in pending.order_by("created_at", "pk")}


def _visible(actor: Actor) -> QuerySet[TransitionRequest]:
    return (
        TransitionRequest.objects.filter(registered_model__in=visible_models(actor))
        .select_related("registered_model", "model_version", "requester")
        .prefetch_related("reviews__reviewer")
    )


def direct_moves(actor: Actor, version: ModelVersion) -> list[Stage]:
    """The stages that the actor may move this version to without asking anybody."""
    model, from_stage = version.registered_model, Stage(version.current_stage)
    others = [stage for stage in Stage if stage is not from_stage]
    held = level_of(actor, model)
    policies = policies_for((model.pk, stage) for stage in others)
    return [
        stage
        for stage in others
        if held >= level_to_move(from_stage, stage) and not policies[model.pk, stage].protected
    ]


def pending_requests_by_version(actor: Actor, versions: Sequence[ModelVersion]) -> dict[int, TransitionRequest]:
    """The newest pending request of each version that has one, by the version's key."""
    pending = _visible(actor).filter(model_version__in=versions, state=RequestState.PENDING.value)
    return {request.model_version_id: request for request in pending.order_by("pk") if request.model_version_id}


def baseline_for(request: TransitionRequest, occupants: Sequence[ModelVersion]) -> ModelVersion | None:
    """The version that the request's candidate is measured against.

    Of a pending request the newest occupant of its stage, else the one in Production; of an approved one the version
    that it replaced. None where the target is neither Staging nor Production, and where there is nothing to compare.
    """
    versions = request.registered_model.versions.exclude(version=request.version).order_by("-version")
    if Stage(request.to_stage) not in ACTIVE_STAGES:
        return None
    if request.state == RequestState.PENDING.value:
        return next(iter(occupants), None) or versions.filter(current_stage=Stage.PRODUCTION.value).first()
    replaced = activities_of_model(request.registered_model_id, request_number=request.number).filter(
        kind=Kind.VERSION_STAGE_CHANGED, data__from_stage=request.to_stage
    )
    return versions.filter(version__in=replaced.values("version")).first()


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a move would take and do, before anybody asks for it."""

    version: ModelVersion
    to_stage: Stage
    policy: Policy
    occupants: Sequence[ModelVersion]
    deciders: Sequence[User]
    may_move_directly: bool
    pending: TransitionRequest | None


def preflight(actor: Actor, *, name: str, version: int, to_stage: Stage) -> Preflight:
    """Look ahead: occupants, who may decide, whether the actor could move the version without asking."""
    found = get_version(actor, name, version)
    model = found.registered_model
    policy = policy_for(model, to_stage)
    needed = level_to_move(Stage(found.current_stage), to_stage)
    return Preflight(
        version=found,
        to_stage=to_stage,
        policy=policy,
        occupants=list(model.versions.filter(current_stage=to_stage.value).exclude(pk=found.pk).order_by("-version")),
        deciders=list(people_with_level(model, needed)[:50]),
        may_move_directly=not policy.protected and level_of(actor, model) >= needed,
        pending=found.transition_requests.filter(to_stage=to_stage.value, state=RequestState.PENDING.value).first(),
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a request stands, and what the actor may do about it."""

    policy: Policy
    outcome: Outcome
    occupants: Sequence[ModelVersion]
    deciders: Sequence[User]
    may_decide: bool
    may_approve: bool
    may_cancel: bool


def standing_of(actor: Actor, request: TransitionRequest) -> Standing:
    """The state of the reviews, the occupants that approval would move, and the actor's possibilities."""
    model = request.registered_model
    to_stage = Stage(request.to_stage)
    policy = policy_for(model, to_stage)
    needed = level_of_request(request)
    held = level_of(actor, model)
    is_pending = request.state == RequestState.PENDING.value
    is_own = actor.user_id is not None and actor.user_id == request.requester_id
    may_decide = is_pending and held >= needed
    return Standing(
        policy=policy,
        outcome=_outcome(policy, request),
        occupants=list(
            model.versions.filter(current_stage=to_stage.value).exclude(version=request.version).order_by("-version")
        ),
        deciders=list(people_with_level(model, needed)[:50]),
        may_decide=may_decide,
        may_approve=may_decide and not (is_own and policy.protected and not policy.allow_self_approval),
        may_cancel=is_pending and (is_own or held >= Level.CAN_MANAGE),
    )
