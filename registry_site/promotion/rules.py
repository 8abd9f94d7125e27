"""The law of promotion, as pure functions over plain values. Nothing here knows a database or a request."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from registry_site.accounts.levels import Level
from registry_site.promotion.gates import Gate, GateResult
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
    REQUEST_CHANGES = "request_changes"  # blocks until that person reviews again, or a manager dismisses it
    REJECT = "reject"  # ends the request
    COMMENT = "comment"  # changes nothing


class Action(StrEnum):
    """What somebody may do with a pending request."""

    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"


class DeploymentState(StrEnum):
    """What an outside system reports of a deployment."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ENDED = "ended"  # the version is no longer there


@dataclass(frozen=True, slots=True)
class Policy:
    """What it takes to enter a stage. Gates bind whether it is protected or not."""

    protected: bool = False
    required_approvals: int = 1
    allow_self_approval: bool = False
    when_occupied: WhenOccupied = WhenOccupied.SHARE
    dismiss_stale_approvals: bool = True
    expires_after_days: int | None = None
    gates: tuple[Gate, ...] = ()

    @property
    def is_exclusive(self) -> bool:
        """Whether the stage admits one version of a model at most."""
        return self.when_occupied is not WhenOccupied.SHARE


def default_policy(stage: Stage) -> Policy:
    """The policy of a stage for which nobody set one: Production asks about its occupant, the others share."""
    return Policy(when_occupied=WhenOccupied.ASK if stage is Stage.PRODUCTION else WhenOccupied.SHARE)


def policy_of_arrival(stage: Policy, first: Policy) -> Policy:
    """What it takes to copy a version into a stage of another model: what the stage asks for, and what the stage None
    asks for, `first`, which every new version begins in. The stricter counts, so that neither is a way round the
    other."""
    protected = [policy for policy in (stage, first) if policy.protected]
    days = [policy.expires_after_days for policy in (stage, first) if policy.expires_after_days]
    return Policy(
        protected=bool(protected),
        required_approvals=max((policy.required_approvals for policy in protected), default=stage.required_approvals),
        allow_self_approval=all(policy.allow_self_approval for policy in protected or [stage]),
        when_occupied=stage.when_occupied,
        dismiss_stale_approvals=any(policy.dismiss_stale_approvals for policy in protected or [stage]),
        expires_after_days=min(days, default=None),
        gates=stage.gates + tuple(gate for gate in first.gates if gate not in stage.gates),
    )


@dataclass(frozen=True, slots=True)
class ReviewFact:
    """One person's latest verdict.

    `is_stale`: the evidence has changed since. `may_decide`: the person still holds the level that deciding takes.
    """

    reviewer_id: int | None
    verdict: Verdict
    is_stale: bool = False
    is_dismissed: bool = False
    may_decide: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the reviews so far amount to; `missing` approvals keep a pending request pending.

    So do those who wait for changes, and gates: `blocked_by` are the people, `gates` what became of each gate.
    """

    state: RequestState
    approvals: int
    missing: int
    blocked_by: tuple[int | None, ...] = ()
    gates: tuple[GateResult, ...] = ()

    @property
    def gates_pass(self) -> bool:
        return all(result.passed for result in self.gates)


def decide(
    policy: Policy, requester_id: int | None, reviews: Iterable[ReviewFact], gates: Iterable[GateResult] = ()
) -> Outcome:
    """What becomes of a request.

    One rejection ends it. Approvals count once a person, while that person may decide, and the evidence that they saw
    is still the present one or the policy does not mind; the requester's own counts where the policy says so, or where
    the stage is not protected: there, whoever holds the level could have moved the version without asking anybody.
    With enough of them it is approved, unless somebody waits for changes, or a gate has not passed.
    """
    verdicts = [review for review in reviews if not review.is_dismissed]
    results = tuple(gates)
    own_counts = policy.allow_self_approval or not policy.protected
    approvers = {
        review.reviewer_id
        for review in verdicts
        if review.verdict is Verdict.APPROVE
        and review.may_decide
        and not (review.is_stale and policy.dismiss_stale_approvals)
        and (own_counts or review.reviewer_id != requester_id)
    }
    blocked_by = tuple(review.reviewer_id for review in verdicts if review.verdict is Verdict.REQUEST_CHANGES)
    required = policy.required_approvals if policy.protected else 1
    missing = max(0, required - len(approvers))
    if any(review.verdict is Verdict.REJECT for review in verdicts):
        state = RequestState.REJECTED
    elif missing or blocked_by or not all(result.passed for result in results):
        state = RequestState.PENDING
    else:
        state = RequestState.APPROVED
    return Outcome(state, len(approvers), missing, blocked_by, results)


def actions(policy: Policy, held: Level, needed: Level, *, is_own: bool) -> list[Action]:
    """What somebody may do with a pending request: with the level that they hold, where deciding takes `needed`."""
    found = []
    if held >= needed:
        own_counts = policy.allow_self_approval or not policy.protected
        found = [Action.APPROVE, Action.REJECT] if own_counts or not is_own else [Action.REJECT]
    if is_own or held >= Level.CAN_MANAGE:
        found.append(Action.CANCEL)
    return found


def level_to_decide(from_stage: Stage, to_stage: Stage, occupant_to: Stage | None = None) -> Level:
    """The level that a reviewer needs: that of the move asked for, and of the move of the occupant that it causes."""
    needed = level_to_move(from_stage, to_stage)
    return max(needed, level_to_move(to_stage, occupant_to)) if occupant_to else needed
