"""Where a request stands, for whoever looks at it: the evidence as they may see it, what the reviews amount to, and
what they may do about it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, When

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.audit.kinds import Kind
from registry_site.audit.queries import activities_of_model
from registry_site.core.prepared import Question
from registry_site.promotion.differences import EvidenceChange, EvidenceDiff, changes, difference
from registry_site.promotion.directions import direction_question, higher_is_better
from registry_site.promotion.evidence import Content, evidence_of, shown_to
from registry_site.promotion.looking_ahead import occupants_in
from registry_site.promotion.mirrors import AliasMove, alias_policy_question, moves_ahead
from registry_site.promotion.models import Review, TransitionRequest
from registry_site.promotion.moving import gate_results
from registry_site.promotion.policies import policies_of_requests, policy_of_request
from registry_site.promotion.rules import Action, Outcome, Policy, RequestState, ReviewFact, Verdict, actions, decide
from registry_site.promotion.settling import (
    deciders_of,
    evidence_kept,
    facts_of_reviews,
    level_of_request,
    occupant_evidence,
    present_evidence,
)
from registry_site.registry.access import level_of, level_questions
from registry_site.registry.models import ModelVersion
from registry_site.registry.rows import marks_question
from registry_site.registry.stages import ACTIVE_STAGES, Stage

DECIDERS_SHOWN = 50


def questions_of_request(actor: Actor, request: TransitionRequest) -> list[Question[Any]]:
    """What `standing_of` and `evidence_of_request` ask of the model whose stage is entered, for `ask_together`."""
    return [
        *level_questions(actor, request.target),
        alias_policy_question(request.target),
        direction_question(request.target),
        *([marks_question([request.model_version])] if request.model_version else []),
    ]


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
    kept = evidence_kept(request.pk, request.evidence_digest)[:1] if request.evidence_digest else []
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
class Standing:
    """Where a request stands, and what the actor may do about it."""

    policy: Policy
    outcome: Outcome
    reviews: "Sequence[GivenReview]"
    occupants: Sequence[ModelVersion]
    aliases: Sequence[AliasMove]
    deciders: Sequence[User]
    """Who may decide it, while it is pending: the first 50 by name, and every reviewer who may."""
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
    deciders = _deciders(request, reviews) if is_pending else []
    if version is not None:
        version.registered_model = request.registered_model
        facts = facts_of_reviews(request, reviews, {user.pk for user in deciders})
        results = gate_results(version, to_stage, policy, _files_of(request), request.copy_to) if policy.gates else ()
    else:
        facts, results = facts_of_reviews(request, reviews), ()
    return Standing(
        policy=policy,
        outcome=decide(policy, request.requester_id, facts, results),
        reviews=[
            GivenReview(review, fact, counts=_counts(policy, request, fact))
            for review, fact in zip(reviews, facts, strict=True)
        ],
        occupants=[
            one
            for one in occupants_in(model, to_stage, policy, is_copy=request.is_copy)
            if request.is_copy or one.version != request.version
        ],
        aliases=moves_ahead(version, to_stage, request.copy_to) if version is not None else (),
        deciders=deciders,
        may_decide=Action.REJECT in may,
        may_approve=Action.APPROVE in may,
        may_cancel=Action.CANCEL in may,
        may_manage=held >= Level.CAN_MANAGE,
    )


def _deciders(request: TransitionRequest, reviews: Iterable[Review]) -> list[User]:
    """Who may decide a request, by name: the first 50 of them, before others those who have reviewed it."""
    reviewers = {review.reviewer_id for review in reviews if review.reviewer_id is not None}
    others_last = [Case(When(pk__in=reviewers, then=0), default=1)] if reviewers else []
    found = deciders_of(request).order_by(*others_last, "username")[: max(DECIDERS_SHOWN, len(reviewers))]
    return sorted(found, key=lambda user: user.username)


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
