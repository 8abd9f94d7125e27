"""Requests, policies and gates in plain values, as this door shows them. Pure: rows in, JSON out."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from registry_site.promotion.comparison import Row
from registry_site.promotion.differences import EvidenceDiff
from registry_site.promotion.gates import GateResult
from registry_site.promotion.policies import PolicySource, plain, plain_gate
from registry_site.promotion.rules import Outcome, Policy
from registry_site.registry.stages import Stage

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.promotion.looking_ahead import DryRun
    from registry_site.promotion.models import (
        AliasPolicy,
        Check,
        Deployment,
        MetricDirection,
        Review,
        TransitionRequest,
    )
    from registry_site.promotion.standing import RequestEvidence, Standing
    from registry_site.registry.models import ModelVersion


def time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def request_row(request: "TransitionRequest") -> dict[str, Any]:
    """A request, without what belongs to it."""
    return {
        "model": request.registered_model.name,
        "number": request.number,
        "version": request.version,
        "from_stage": request.from_stage,
        "to_stage": request.to_stage,
        "copy_to": request.target_name if request.is_copy else None,
        "copied_version": request.copied_version,
        "state": request.state,
        "requester": request.requester_name,
        "comment": request.comment,
        "occupant_decision": request.occupant_decision,
        "occupant_to_stage": request.occupant_to_stage,
        "is_rollback": request.is_rollback,
        "created_at": time(request.created_at),
        "expires_at": time(request.expires_at),
        "decided_at": time(request.decided_at),
        "decided_by": request.decided_by_name,
        "decision_comment": request.decision_comment,
        "approvers": request.approvers,
        "evidence_digest": request.evidence_digest,
    }


def version(row: "ModelVersion") -> dict[str, Any]:
    """Which version, and where it stands."""
    return {"model": row.registered_model.name, "version": row.version, "stage": row.current_stage}


def review(given: "Review", present_digest: str) -> dict[str, Any]:
    """One person's verdict, and whether it still is about the present evidence."""
    return {
        "reviewer": given.reviewer_name,
        "verdict": given.verdict,
        "comment": given.comment,
        "created_at": time(given.created_at),
        "evidence_digest": given.evidence_digest,
        "is_stale": given.evidence_digest != present_digest,
        "dismissed_at": time(given.dismissed_at),
        "dismissed_by": given.dismissed_by_name,
        "dismissal_reason": given.dismissal_reason,
    }


def full_request(request: "TransitionRequest", standing: "Standing", found: "RequestEvidence") -> dict[str, Any]:
    """A request with its reviews, where it stands, its gates and its evidence."""
    return request_row(request) | {
        "reviews": [review(given, request.evidence_digest) for given in request.reviews.all()],
        "standing": outcome(standing.outcome)
        | {
            "may_approve": standing.may_approve,
            "may_reject": standing.may_decide,
            "may_cancel": standing.may_cancel,
        },
        "policy": plain(standing.policy),
        "evidence": found.candidate,
        "occupant_version": found.occupant_version,
        "occupant_evidence": found.occupant,
        "diff": diff(found.diff),
    }


def outcome(found: Outcome) -> dict[str, Any]:
    """What reviews and gates amount to."""
    return {
        "approvals": found.approvals,
        "missing_approvals": found.missing,
        "is_blocked": bool(found.blocked_by),
        "gates": gate_results(found.gates),
    }


def gate_results(results: Iterable[GateResult]) -> list[dict[str, Any]]:
    return [
        plain_gate(result.gate)
        | {"state": result.state.value, "reason": result.reason, "seen": result.value, "link": result.link}
        for result in results
    ]


def diff(found: EvidenceDiff) -> dict[str, Any]:
    """The candidate beside the occupant: of each table what is not the same."""
    tables: Mapping[str, Iterable[Row]] = {
        "params": found.params,
        "tags": found.tags,
        "run_tags": found.run_tags,
        "datasets": found.datasets,
        "requirements": found.requirements,
        "flavors": found.flavors,
        "artifacts": found.artifacts,
        "others": found.others,
    }
    return {
        "metrics": [_row(metric.row) | {"direction": metric.direction.value} for metric in found.metrics],
        "signature": {
            "verdict": found.signature.verdict.value if found.signature.verdict else None,
            "columns": [
                {
                    "part": column.part,
                    "name": column.name,
                    "old": column.old,
                    "new": column.new,
                    "verdict": column.verdict.value,
                }
                for column in found.signature.columns
            ],
        },
    } | {name: [_row(row) for row in rows if row.change != "same"] for name, rows in tables.items()}


def _row(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "old": _number(row.old),
        "new": _number(row.new),
        "change": row.change.value,
        "delta": row.delta,
    }


def _number(value: float | str | None) -> float | str | None:
    """JSON knows no NaN and no infinities."""
    is_odd = isinstance(value, float) and (value != value or value in (float("inf"), float("-inf")))
    return str(value) if is_odd else value


def policy(stage: Stage, found: Policy, source: PolicySource) -> dict[str, Any]:
    """The policy of a stage, and whose it is."""
    return {"stage": stage.value, "source": source.value} | plain(found)


def alias_policy(row: "AliasPolicy") -> dict[str, Any]:
    """An alias that stands for a stage, and who says so."""
    return {"alias": row.alias, "stage": row.stage, "is_mirror": row.is_mirror, "source": _source(row)}


def metric_direction(row: "MetricDirection") -> dict[str, Any]:
    """Which way a metric is better, and who says so."""
    return {"metric": row.metric, "higher_is_better": row.higher_is_better, "source": _source(row)}


def _source(row: "AliasPolicy | MetricDirection") -> str:
    source = PolicySource.SITE if row.registered_model_id is None else PolicySource.MODEL
    return source.value


def dry_run(found: "Iterable[DryRun]") -> list[dict[str, Any]]:
    return [
        {
            "version": one.version.version,
            "stage": one.version.current_stage,
            "passes": one.passes,
            "gates": gate_results(one.results),
        }
        for one in found
    ]


def check(row: "Check") -> dict[str, Any]:
    """A result of an outside system's check."""
    return {"check": row.name, "summary": row.summary} | _posted(row)


def deployment(row: "Deployment") -> dict[str, Any]:
    """A deployment as an outside system reported it."""
    return {"environment": row.environment, "description": row.description} | _posted(row)


def _posted(row: "Check | Deployment") -> dict[str, Any]:
    return {
        "state": row.state,
        "external_id": row.external_id,
        "link": row.link,
        "posted_by": row.posted_by_name,
        "created_at": time(row.created_at),
        "updated_at": time(row.updated_at),
    }
