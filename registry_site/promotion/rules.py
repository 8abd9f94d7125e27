"""The law of promotion, as pure functions over plain values. Nothing here knows a database or a request."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from registry_site.accounts.levels import Level
from registry_site.registry.stages import Stage, level_to_move


class WhenOccupied(StrEnum):
    """What a stage does when a version moves in and another one is there."""

    ASK = "ask"  # one at most; whoever moves in decides about the occupant
    ARCHIVE = "archive"  # one at most; the occupant is archived without asking
    SHARE = "share"  # any number


class OccupantDecision(StrEnum):
    """What becomes of the version that stands in the stage."""

    ARCHIVE = "archive"
    MOVE = "move"
    KEEP = "keep"


class RequestState(StrEnum):
    """Only a pending request can change."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


class Verdict(StrEnum):
    """What a reviewer says."""

    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Policy:
    """What it takes to enter a stage."""

    protected: bool = False
    required_approvals: int = 1
    allow_self_approval: bool = False
    when_occupied: WhenOccupied = WhenOccupied.SHARE

    @property
    def is_exclusive(self) -> bool:
        """Whether the stage admits one version of a model at most."""
        return self.when_occupied is not WhenOccupied.SHARE


def default_policy(stage: Stage) -> Policy:
    """The policy of a stage for which nobody set one: Production asks about its occupant, the others share."""
    return Policy(when_occupied=WhenOccupied.ASK if stage is Stage.PRODUCTION else WhenOccupied.SHARE)


@dataclass(frozen=True, slots=True)
class ReviewFact:
    """One person's latest verdict."""

    reviewer_id: int | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the reviews so far amount to; `missing` approvals keep a pending request pending."""

    state: RequestState
    approvals: int
    missing: int


def decide(policy: Policy, requester_id: int | None, reviews: Iterable[ReviewFact]) -> Outcome:
    """What becomes of a request.

    One rejection ends it. Approvals count once a person; the requester's own counts where the policy says so, or where
    the stage is not protected: there, whoever holds the level could have moved the version without asking anybody.
    """
    verdicts = list(reviews)
    own_counts = policy.allow_self_approval or not policy.protected
    approvers = {
        review.reviewer_id
        for review in verdicts
        if review.verdict is Verdict.APPROVE and (own_counts or review.reviewer_id != requester_id)
    }
    required = policy.required_approvals if policy.protected else 1
    missing = max(0, required - len(approvers))
    if any(review.verdict is Verdict.REJECT for review in verdicts):
        return Outcome(RequestState.REJECTED, len(approvers), missing)
    state = RequestState.PENDING if missing else RequestState.APPROVED
    return Outcome(state, len(approvers), missing)


def level_to_decide(from_stage: Stage, to_stage: Stage, occupant_to: Stage | None = None) -> Level:
    """The level that a reviewer needs: that of the move asked for, and of the move of the occupant that it causes."""
    needed = level_to_move(from_stage, to_stage)
    return max(needed, level_to_move(to_stage, occupant_to)) if occupant_to else needed
