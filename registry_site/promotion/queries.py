"""Reading requests: what waits for whom, and what would happen."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import cast

from django.db.models import BigIntegerField, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.audit.kinds import Kind, Origin
from registry_site.audit.models import Activity
from registry_site.audit.queries import activities_of_model
from registry_site.core.errors import NotFound
from registry_site.core.once import once
from registry_site.core.pages import Page
from registry_site.core.prepared import Given, Prepared
from registry_site.promotion.copying import level_to_copy
from registry_site.promotion.differences import EvidenceChange, EvidenceDiff, changes, difference
from registry_site.promotion.directions import directions_in_force, higher_is_better
from registry_site.promotion.evidence import Content, evidence_of, read_files, shown_to
from registry_site.promotion.facts import Entry, facts_of
from registry_site.promotion.gates import Gate, GateResult, GateType, evaluate
from registry_site.promotion.mirrors import AliasMove, alias_policies, moves_ahead
from registry_site.promotion.models import (
    AliasPolicy,
    Comment,
    Evidence,
    MetricDirection,
    Review,
    TransitionRequest,
)
from registry_site.promotion.moving import gate_results
from registry_site.promotion.policies import (
    PolicySource,
    policies_for,
    policies_in_force,
    policies_of_requests,
    policy_for,
    policy_of_copy,
    policy_of_request,
)
from registry_site.promotion.rules import (
    Action,
    Outcome,
    Policy,
    RequestState,
    ReviewFact,
    Verdict,
    actions,
    decide,
    level_to_decide,
)
from registry_site.promotion.settling import (
    deciders_of,
    level_of_request,
    occupant_evidence,
    present_evidence,
    review_facts,
)
from registry_site.promotion.visibility import visible, visible_comments
from registry_site.registry.access import everywhere, level_of, people_with_level, with_level
from registry_site.registry.models import ModelVersion, RegisteredModel
from registry_site.registry.queries import get_model, get_version
from registry_site.registry.stages import ACTIVE_STAGES, Stage, level_to_move
from registry_site.search.keyset import OrderPlan, Term
from registry_site.search.paging import read_page

REQUESTS_PER_PAGE_AT_MOST = 500
COUNTED_AT_MOST = 1000
_SOMEBODY = Actor(user_id=cast(int, Given("user", BigIntegerField())), name="", origin=Origin.PAGE)
VERSIONS_OF_A_DRY_RUN = 50
LARGEST_KEY = 2**63 - 1


class Role(StrEnum):
    """Whose requests a list shows."""

    WAITING = "waiting"
    MINE = "mine"
    ALL = "all"


@once
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
        | Q(model_version__current_stage=Stage.PRODUCTION.value, copy_to_name="")
        | Q(occupant_to_stage=Stage.PRODUCTION.value)
    )
    for_production = _on_target(actor, Level.CAN_MANAGE_PRODUCTION_VERSIONS)
    for_staging = _on_target(actor, Level.CAN_MANAGE_STAGING_VERSIONS)
    return (
        _visible(actor)
        .filter(
            Q(involves_production, for_production) | Q(~involves_production, for_staging),
            ~Exists(Review.objects.filter(request=OuterRef("pk"), reviewer_id=actor.user_id)),
            state=RequestState.PENDING.value,
        )
        .exclude(requester_id=actor.user_id)
        .order_by("created_at", "pk")
    )


def _on_target(actor: Actor, level: Level) -> Q:
    """The requests for a stage of a model on which the actor has this level. It is asked of each pending request, not
    of each model."""
    here = Q(with_level(actor, level, "registered_model_id"), copy_to_name="")
    return here | Q(with_level(actor, level, "copy_to_id"), copy_to__isnull=False)


def count_waiting_for(actor: Actor) -> int:
    """How many requests wait for the actor: the number in the header of every page. More than 999 count as 1,000."""
    if actor.user_id is None:
        return 0
    return len(_waiting_keys(replace(_SOMEBODY, is_admin=actor.is_admin), everywhere(actor)).read(user=actor.user_id))


@cache
def _waiting_keys(somebody: Actor, _everywhere: Level) -> Prepared[int]:
    """Whose level everywhere is the same are asked about in the same words."""
    return Prepared(lambda: waiting_for(somebody).values_list("pk")[:COUNTED_AT_MOST], int)


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
    copy_to: str | None = None,
    reviewer: str | None = None,
    with_copies: bool = False,
    max_results: int = 25,
    page_token: str | None = None,
) -> Page[TransitionRequest]:
    """A page of requests: those that wait for the actor (oldest first), the actor's own, or all (newest first).

    Of them those in a state, about the model of a name (and `with_copies` those for copies into it), for copies into
    the one of a name, and those that somebody has reviewed, if that is asked for.
    """
    requests = {Role.WAITING: waiting_for, Role.MINE: requests_by, Role.ALL: all_requests}[role](actor)
    if state is not None:
        requests = requests.filter(state=state.value)
    if name is not None and with_copies:
        model = Subquery(RegisteredModel.objects.filter(name=name).values("pk"))
        requests = requests.filter(Q(registered_model=model) | Q(copy_to=model))
    elif name is not None:
        requests = requests.filter(registered_model__name=name)
    if copy_to is not None:
        requests = requests.filter(copy_to__name=copy_to)
    if reviewer is not None:
        requests = requests.filter(Exists(Review.objects.filter(request=OuterRef("pk"), reviewer_name=reviewer)))
    return read_page(
        requests,
        OrderPlan((Term("id", "id", descending=role is not Role.WAITING, nullable=False),)),
        max_results=max_results,
        page_token=page_token,
        query=["requests", actor.user_id, role, state, name, copy_to, reviewer, with_copies],
        most=REQUESTS_PER_PAGE_AT_MOST,
    )


def outcomes_of(requests: Sequence[TransitionRequest]) -> dict[int, Outcome]:
    """What reviews and gates of each request amount to, by its key, in a fixed number of queries; the reviews have been
    prefetched. Whether reviewers still hold their level is not looked at, nor are the gates of decided requests."""
    policies = policies_of_requests(requests)
    gates = _gates_of(requests, policies)
    return {
        request.pk: decide(
            policies[request.pk],
            request.requester_id,
            _facts_of(request, request.reviews.all()),
            gates.get(request.pk, ()),
        )
        for request in requests
    }


def _gates_of(
    requests: Sequence[TransitionRequest], policies: Mapping[int, Policy]
) -> dict[int, tuple[GateResult, ...]]:
    """What becomes of the gates of those of these requests that are pending."""
    for request in requests:
        if request.model_version is not None:
            request.model_version.registered_model = request.registered_model
    asked = [
        (request, Entry(request.model_version, Stage(request.to_stage), gates, request.copy_to))
        for request in requests
        if request.state == RequestState.PENDING.value
        and request.model_version is not None
        and (gates := policies[request.pk].gates)
    ]
    entries = [entry for _, entry in asked]
    files = _files_kept([request for request, entry in asked if entry.has(GateType.SIGNATURE)])
    return {
        request.pk: evaluate(entry.gates, facts)
        for (request, entry), facts in zip(asked, facts_of(entries, files), strict=True)
    }


def _files_kept(requests: Sequence[TransitionRequest]) -> dict[int, Content]:
    """What the present evidence of these requests says of files, by the keys of their versions."""
    wanted = {(request.pk, request.evidence_digest): request.model_version_id for request in requests}
    rows = Evidence.objects.filter(request__in=requests) if requests else ()
    kept = {wanted.get((row.request_id, row.digest)): row for row in rows}
    return {key: json.loads(row.content)["files"] for key, row in kept.items() if key is not None}


def _facts_of(request: TransitionRequest, reviews: Iterable[Review]) -> list[ReviewFact]:
    return [
        ReviewFact(
            review.reviewer_id,
            Verdict(review.verdict),
            is_stale=review.evidence_digest != request.evidence_digest,
            is_dismissed=review.dismissed_at is not None,
        )
        for review in reviews
    ]


def requests_of_model(
    actor: Actor, name: str, *, state: RequestState | None = None, version: int | None = None
) -> QuerySet[TransitionRequest]:
    """The requests of a model, or of one of its versions, newest first."""
    requests = all_requests(actor, state=state).filter(registered_model__name=name)
    return requests if version is None else requests.filter(version=version)


def facets_of_models(actor: Actor) -> dict[str, Q]:
    """What models may be found by because of their requests, for `browse_models`: `has:request`, a pending one."""
    pending = TransitionRequest.objects.filter(visible(actor), state=RequestState.PENDING.value)
    return {"has:request": Q(pk__in=pending.values("registered_model"))}


def pending_requests(actor: Actor, models: Sequence[RegisteredModel]) -> dict[int, TransitionRequest]:
    """The newest pending request of each model that has one, by the model's key."""
    pending = TransitionRequest.objects.filter(
        visible(actor), registered_model__in=models, state=RequestState.PENDING.value
    ).select_related("copy_to")
    return {request.registered_model_id: request for request in pending.order_by("created_at", "pk")}


def _visible(actor: Actor) -> QuerySet[TransitionRequest]:
    return (
        TransitionRequest.objects.filter(visible(actor))
        .select_related("registered_model", "model_version", "requester", "copy_to")
        .prefetch_related(Prefetch("reviews", Review.objects.select_related("reviewer")))
    )


# -- evidence and history ----------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class RequestEvidence:
    """What a reviewer judges, as the actor may see it: the candidate, what it is compared with, and the difference."""

    digest: str
    candidate: Content
    occupant_version: int | None
    occupant: Content | None
    diff: EvidenceDiff
    pinned_at: datetime | None = None
    """None of a request from before evidence was kept: then it is what is known now."""
    changes: Sequence[EvidenceChange] = ()
    """What has become otherwise since the request was made; not that a digest has arrived, or a clean scan."""


def evidence_of_request(actor: Actor, request: TransitionRequest) -> RequestEvidence:
    """The evidence that was looked at last; of a decided request, when it was decided. The request has been found
    visible."""
    kept = list(Evidence.objects.filter(request=request).order_by("pk")[:1]) if request.evidence_digest else []
    if kept:
        first: Content | None = json.loads(kept[0].content)
        present = present_evidence(request)
        beside, number = occupant_evidence(request), request.occupant_version
    else:
        present, beside = _known_now(request)
        first, number = present, beside["version"] if beside else None
    first, candidate, occupant = shown_to(actor, [first, present, beside])
    return RequestEvidence(
        digest=request.evidence_digest,
        candidate=candidate or {},
        occupant_version=number,
        occupant=occupant,
        diff=difference(occupant, candidate or {}, higher_is_better(request.target, policy_of_request(request).gates)),
        pinned_at=kept[0].taken_at if kept else None,
        changes=[each for each in changes(first or {}, candidate or {}) if not each.is_confirmation],
    )


def _known_now(request: TransitionRequest) -> tuple[Content, Content | None]:
    """What the database knows of the version of a request without evidence, and of the one beside it."""
    if request.model_version is None:
        return {}, None
    beside = request.registered_model.versions.filter(current_stage=request.to_stage).order_by("-version")
    baseline = baseline_for(request, list(beside.exclude(version=request.version)[:1]))
    candidate, *others = evidence_of([request.model_version, baseline] if baseline else [request.model_version], {})
    return candidate, others[0] if others else None


def timeline_of(
    actor: Actor, name: str, number: int, *, max_results: int = 100, page_token: str | None = None
) -> Page[Activity]:
    """A page of the history of a request, newest first: what was done to it, and what happened to its version while it
    was pending. Raises NotFound."""
    request = get_request(actor, name, number)
    of_version = Q(version=request.version, kind__in=_MEANWHILE, at__gte=request.created_at)
    if request.decided_at is not None:
        of_version &= Q(at__lte=request.decided_at)
    return read_page(
        activities_of_model(request.registered_model_id).filter(Q(request_number=number) | of_version),
        OrderPlan((Term("id", "id", descending=True, nullable=False),)),
        max_results=max_results,
        page_token=page_token,
        query=["timeline", actor.user_id, name, number],
        most=REQUESTS_PER_PAGE_AT_MOST,
    )


_MEANWHILE = (
    Kind.VERSION_DESCRIBED,
    Kind.VERSION_TAG_SET,
    Kind.VERSION_TAG_DELETED,
    Kind.CHECK_POSTED,
    Kind.VERSION_DELETED,
    Kind.STAGE_BYPASSED,
    Kind.VERSION_STAGE_CHANGED,
)


def get_comment(actor: Actor, name: str, number: int, comment_id: int) -> Comment:
    """A comment on a request. Raises NotFound."""
    comments = visible_comments(actor).filter(registered_model__name=name, request__number=number)
    found = comments.filter(pk=min(comment_id, LARGEST_KEY)).first()
    if found is None:
        raise NotFound(f"There is no comment '{comment_id}' on {name}#{number}.", field="id")
    return found


def comments_told(actor: Actor, found: Iterable[Activity]) -> dict[str, Comment]:
    """The comments that these activities tell of, as they are now, by what `comment_id` says; in one query. One that
    was deleted is missing."""
    ids = {str(activity.data["comment_id"]) for activity in found if activity.kind == Kind.COMMENT_CREATED}
    comments = visible_comments(actor).filter(pk__in=ids).select_related("author")
    return {str(one.pk): one for one in comments} if ids else {}


# -- looking ahead -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class DryRun:
    """What would become of a version at these gates."""

    version: ModelVersion
    results: tuple[GateResult, ...]

    @property
    def passes(self) -> bool:
        return all(result.passed for result in self.results)


def dry_run(actor: Actor, *, name: str, stage: Stage, gates: Sequence[Gate] | None = None) -> list[DryRun]:
    """Which of the present versions would pass: the newest 50, newest first. Without gates, at those that there are.

    Raises NotFound.
    """
    model = get_model(actor, name)
    if gates is None:
        gates = policy_for(model, stage).gates
    versions = list(model.versions.order_by("-version")[:VERSIONS_OF_A_DRY_RUN])
    for version in versions:
        version.registered_model = model
    looks_at_files = any(gate.type is GateType.SIGNATURE for gate in gates)
    files = {version.pk: read_files(version) for version in versions} if looks_at_files else {}
    facts = facts_of([Entry(version, stage, gates) for version in versions], files)
    return [DryRun(version, evaluate(gates, fact)) for version, fact in zip(versions, facts, strict=True)]


def policies_shown(actor: Actor, name: str | None = None) -> dict[Stage, tuple[Policy, PolicySource]]:
    """The policy of each stage that holds for a model, or without a name for the site, and whose it is. Raises
    NotFound."""
    actor.require_signed_in()
    return policies_in_force(get_model(actor, name) if name is not None else None)


def alias_policies_shown(actor: Actor, name: str | None = None) -> list[AliasPolicy]:
    """The aliases that stand for a stage in a model, or without a name in all, by alias. Raises NotFound."""
    actor.require_signed_in()
    found = alias_policies(get_model(actor, name) if name is not None else None)
    return [row for _, row in sorted(found.items())]


def metric_directions_shown(actor: Actor, name: str | None = None) -> list[MetricDirection]:
    """What is said of a model's metrics, or without a name of those of all, by metric. Raises NotFound."""
    actor.require_signed_in()
    return directions_in_force(get_model(actor, name) if name is not None else None)


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
    """The newest pending request of each version that has one, for a stage or for a copy, by the version's key."""
    pending = _visible(actor).filter(model_version__in=versions, state=RequestState.PENDING.value)
    return {request.model_version_id: request for request in pending.order_by("pk") if request.model_version_id}


def baseline_for(request: TransitionRequest, occupants: Sequence[ModelVersion]) -> ModelVersion | None:
    """The version that the request's candidate is measured against.

    Of a pending request the newest occupant of its stage, else the one in Production; of an approved one the version
    that it replaced; of one for a copy what its evidence is compared with. None where the target is neither Staging nor
    Production, and where there is nothing to compare.
    """
    if request.is_copy:
        if request.copy_to is None or request.occupant_version is None:
            return None
        return request.copy_to.versions.filter(version=request.occupant_version).first()
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
    gates: tuple[GateResult, ...]
    aliases: Sequence[AliasMove]
    may_bypass: bool
    home: RegisteredModel | None = None
    """The model that it would be copied into, if it is another one."""

    @property
    def gates_pass(self) -> bool:
        return all(result.passed for result in self.gates)

    @property
    def gates_passed(self) -> int:
        return sum(result.passed for result in self.gates)

    @property
    def is_in_the_way(self) -> bool:
        """Whether a direct move needs a bypass, whoever makes it."""
        return self.policy.protected or not self.gates_pass


def preflight(actor: Actor, *, name: str, version: int, to_stage: Stage, copy_to: str = "") -> Preflight:
    """Look ahead: occupants, who may decide, whether the actor could move the version without asking; or copy it into
    the model `copy_to`, which makes that model's stage and policy count. Raises NotFound."""
    found = get_version(actor, name, version)
    model = found.registered_model
    if copy_to:
        return _preflight_of_copy(actor, found, to_stage, get_model(actor, copy_to))
    policy = policy_for(model, to_stage)
    needed = level_to_move(Stage(found.current_stage), to_stage)
    held = level_of(actor, model)
    return Preflight(
        version=found,
        to_stage=to_stage,
        policy=policy,
        occupants=list(model.versions.filter(current_stage=to_stage.value).exclude(pk=found.pk).order_by("-version")),
        deciders=list(people_with_level(model, needed)[:50]),
        may_move_directly=not policy.protected and held >= needed,
        pending=found.transition_requests.filter(
            to_stage=to_stage.value, copy_to_name="", state=RequestState.PENDING.value
        ).first(),
        gates=gate_results(found, to_stage, policy, None),
        aliases=moves_ahead(found, to_stage),
        may_bypass=held >= Level.CAN_MANAGE,
    )


def _preflight_of_copy(actor: Actor, found: ModelVersion, to_stage: Stage, home: RegisteredModel) -> Preflight:
    policy = policy_of_copy(home, to_stage)
    held = level_of(actor, home)
    readers = people_with_level(found.registered_model, Level.CAN_READ)
    deciders = people_with_level(home, level_to_decide(Stage.NONE, to_stage)).filter(pk__in=readers.values("pk"))
    return Preflight(
        version=found,
        to_stage=to_stage,
        policy=policy,
        occupants=_occupants(home, to_stage, policy, is_copy=True),
        deciders=list(deciders[:50]),
        may_move_directly=not policy.protected and held >= level_to_copy(to_stage),
        pending=found.transition_requests.filter(
            to_stage=to_stage.value, copy_to=home, state=RequestState.PENDING.value
        ).first(),
        gates=gate_results(found, to_stage, policy, None, home),
        aliases=moves_ahead(found, to_stage, home),
        may_bypass=held >= Level.CAN_MANAGE,
        home=home,
    )


def _occupants(model: RegisteredModel, stage: Stage, policy: Policy, *, is_copy: bool) -> list[ModelVersion]:
    """The versions in a stage that one comes into, newest first. Those in None stay there when a copy arrives, unless
    somebody has made even that a stage for one."""
    if is_copy and stage is Stage.NONE and not policy.is_exclusive:
        return []
    return list(model.versions.filter(current_stage=stage.value).order_by("-version"))


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a request stands, and what the actor may do about it."""

    policy: Policy
    outcome: Outcome
    reviews: "Sequence[GivenReview]"
    occupants: Sequence[ModelVersion]
    aliases: Sequence[AliasMove]
    deciders: Sequence[User]
    may_decide: bool
    may_approve: bool
    may_cancel: bool
    may_manage: bool


@dataclass(frozen=True, slots=True)
class GivenReview:
    """A person's verdict, and whether it (still) counts."""

    review: Review
    fact: ReviewFact
    counts: bool


def standing_of(actor: Actor, request: TransitionRequest) -> Standing:
    """The state of the reviews, the occupants that approval would move, and the actor's possibilities."""
    model = request.target
    to_stage = Stage(request.to_stage)
    policy = policy_of_request(request)
    needed = level_of_request(request)
    held = level_of(actor, model)
    is_pending = request.state == RequestState.PENDING.value
    is_own = actor.user_id is not None and actor.user_id == request.requester_id
    may = actions(policy, held, needed, is_own=is_own) if is_pending else []
    version = request.model_version if is_pending else None
    reviews = sorted(request.reviews.all(), key=lambda review: (review.created_at, review.pk))
    if version is not None:
        version.registered_model = request.registered_model
        facts = review_facts(request, reviews)
        results = gate_results(version, to_stage, policy, _files_of(request), request.copy_to) if policy.gates else ()
    else:
        facts, results = _facts_of(request, reviews), ()
    return Standing(
        policy=policy,
        outcome=decide(policy, request.requester_id, facts, results),
        reviews=[
            GivenReview(review, fact, counts=_counts(policy, request, fact))
            for review, fact in zip(reviews, facts, strict=True)
        ],
        occupants=[
            one
            for one in _occupants(model, to_stage, policy, is_copy=request.is_copy)
            if request.is_copy or one.version != request.version
        ],
        aliases=moves_ahead(version, to_stage, request.copy_to) if version is not None else (),
        deciders=list(deciders_of(request)[:50]),
        may_decide=Action.REJECT in may,
        may_approve=Action.APPROVE in may,
        may_cancel=Action.CANCEL in may,
        may_manage=held >= Level.CAN_MANAGE,
    )


def _files_of(request: TransitionRequest) -> Content | None:
    files: Content | None = present_evidence(request).get("files")
    return files


def _counts(policy: Policy, request: TransitionRequest, fact: ReviewFact) -> bool:
    if fact.verdict is Verdict.APPROVE:
        return decide(policy, request.requester_id, [fact]).approvals > 0
    return not fact.is_dismissed


def actions_of(actor: Actor, requests: Sequence[TransitionRequest]) -> dict[int, list[Action]]:
    """What the actor may do with each of these pending requests for stages of one model, by its key."""
    policies = policies_of_requests(requests)
    held = level_of(actor, requests[0].target) if requests else Level.NONE
    return {
        request.pk: actions(
            policies[request.pk],
            held,
            level_of_request(request),
            is_own=actor.user_id is not None and actor.user_id == request.requester_id,
        )
        for request in requests
    }


def open_requests(actor: Actor, name: str, version: int) -> list[TransitionRequest]:
    """The pending requests that a version move to a stage of its model, oldest first. Raises NotFound where there is no
    such version to see."""
    found = get_version(actor, name, version)
    pending = _visible(actor).filter(model_version=found, copy_to_name="", state=RequestState.PENDING.value)
    return list(pending.order_by("pk"))


def open_request(actor: Actor, name: str, version: int, to_stage: Stage, *, by: str = "") -> TransitionRequest:
    """The pending request of a version for a stage, or that of this requester. Raises NotFound."""
    for request in open_requests(actor, name, version):
        if request.to_stage == to_stage.value and by in ("", request.requester_name):
            return request
    of = f" by {by}" if by else ""
    raise NotFound(f"There is no open request{of} to move {name} version {version} to {to_stage.value}.")
