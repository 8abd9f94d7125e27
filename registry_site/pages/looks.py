"""What a state looks like: its colour, its icon, its word.

It is decided here and nowhere else, so a stage looks the same on every page.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy


class Look(NamedTuple):
    """How a state is shown: the pill's colour class, its icon, its word."""

    colour: str
    icon: str
    word: Any


STAGES: Mapping[str, Look] = {
    "none": Look("none", "stage-none", gettext_lazy("None")),
    "staging": Look("staging", "stage-staging", gettext_lazy("Staging")),
    "production": Look("production", "stage-production", gettext_lazy("Production")),
    "archived": Look("archived", "stage-archived", gettext_lazy("Archived")),
}

STATUSES: Mapping[str, Look] = {
    # runs
    "finished": Look("production", "check", gettext_lazy("Finished")),
    "running": Look("pending", "run", gettext_lazy("Running")),
    "failed": Look("rejected", "rejected", gettext_lazy("Failed")),
    "killed": Look("archived", "stop", gettext_lazy("Killed")),
    "scheduled": Look("none", "clock", gettext_lazy("Scheduled")),
    # requests
    "draft": Look("none", "edit", gettext_lazy("Draft")),
    "pending": Look("pending", "pending", gettext_lazy("Pending")),
    "open": Look("pending", "pending", gettext_lazy("Open")),
    "changes_requested": Look("staging", "edit", gettext_lazy("Changes requested")),
    "approved": Look("production", "check", gettext_lazy("Approved")),
    "applied": Look("production", "check", gettext_lazy("Applied")),
    "rejected": Look("rejected", "rejected", gettext_lazy("Rejected")),
    "cancelled": Look("none", "minus", gettext_lazy("Cancelled")),
    "expired": Look("archived", "clock", gettext_lazy("Expired")),
    "superseded": Look("archived", "arrow-right", gettext_lazy("Superseded")),
    "rolled_back": Look("archived", "rollback", gettext_lazy("Rolled back")),
    # gates, checks and deliveries
    "pass": Look("production", "check", gettext_lazy("Pass")),
    "passed": Look("production", "check", gettext_lazy("Passed")),
    "success": Look("production", "check", gettext_lazy("Success")),
    "fail": Look("rejected", "rejected", gettext_lazy("Fails")),
    "failure": Look("rejected", "rejected", gettext_lazy("Failure")),
    "error": Look("rejected", "warning", gettext_lazy("Error")),
    "missing": Look("staging", "warning", gettext_lazy("Missing")),
    "warning": Look("staging", "warning", gettext_lazy("Warning")),
    "skipped": Look("none", "minus", gettext_lazy("Skipped")),
    "delivered": Look("production", "check", gettext_lazy("Delivered")),
    "sent": Look("production", "check", gettext_lazy("Sent")),
    "queued": Look("pending", "pending", gettext_lazy("Queued")),
    # the files of versions, and what loading them would run
    "files_intact": Look("production", "check", gettext_lazy("As registered")),
    "files_changed": Look("rejected", "warning", gettext_lazy("Not as registered")),
    "files_missing": Look("rejected", "warning", gettext_lazy("Artifact missing")),
    "files_unreachable": Look("pending", "warning", gettext_lazy("Cannot be reached")),
    "files_elsewhere": Look("none", "external", gettext_lazy("Elsewhere")),
    "files_pending": Look("pending", "pending", gettext_lazy("Being read")),
    "scan_clean": Look("production", "shield", gettext_lazy("Clean")),
    "scan_incomplete": Look("staging", "eye", gettext_lazy("Not all read")),
    "scan_unsafe": Look("rejected", "warning", gettext_lazy("Unsafe")),
    # what a change of the signature means for whoever calls the model
    "signature_same": Look("none", "equal", gettext_lazy("Same")),
    "signature_compatible": Look("production", "check", gettext_lazy("Compatible")),
    "signature_widening": Look("staging", "plus", gettext_lazy("Widening")),
    "signature_breaking": Look("rejected", "warning", gettext_lazy("Breaking")),
    # where versions are
    "deployment_pending": Look("pending", "pending", gettext_lazy("Under way")),
    "deployment_succeeded": Look("production", "check", gettext_lazy("Deployed")),
    "deployment_failed": Look("rejected", "rejected", gettext_lazy("Failed")),
    "deployment_ended": Look("none", "minus", gettext_lazy("Ended")),
    # versions while they are made
    "ready": Look("production", "check", gettext_lazy("Ready")),
    "pending_registration": Look("pending", "pending", gettext_lazy("Registering")),
    "failed_registration": Look("rejected", "rejected", gettext_lazy("Registration failed")),
    # deliveries and their webhooks
    "succeeded": Look("production", "check", gettext_lazy("Delivered")),
    "retrying": Look("staging", "refresh", gettext_lazy("Retrying")),
    "given_up": Look("rejected", "rejected", gettext_lazy("Given up")),
    "disabled": Look("none", "stop", gettext_lazy("Disabled")),
    "test_mode": Look("none", "info", gettext_lazy("Tests only")),
    "failing": Look("staging", "warning", gettext_lazy("Failing")),
    "parked": Look("rejected", "stop", gettext_lazy("Parked")),
    # accounts, tokens, hooks
    "active": Look("production", "check", gettext_lazy("Active")),
    "invited": Look("pending", "mail", gettext_lazy("Invited")),
    "deactivated": Look("none", "minus", gettext_lazy("Deactivated")),
    "inactive": Look("none", "minus", gettext_lazy("Inactive")),
    "deleted": Look("rejected", "trash", gettext_lazy("Deleted")),
    "revoked": Look("rejected", "rejected", gettext_lazy("Revoked")),
}

VERDICTS: Mapping[str, Look] = {
    "better": Look("better", "arrow-up", gettext_lazy("better")),
    "worse": Look("worse", "arrow-down", gettext_lazy("worse")),
    "same": Look("same", "equal", gettext_lazy("same")),
    "differs": Look("differs", "arrow-right", gettext_lazy("differs")),
}


def look_of_stage(stage: object) -> Look:
    """How a stage is shown, whatever its spelling; none counts as the stage None, an unknown one is its own word."""
    return STAGES.get(_plain(stage) or "none") or _unknown(stage)


def look_of_status(status: object) -> Look:
    """How the state of a run, request, gate, check, delivery or version is shown; an unknown one is its own word."""
    return STATUSES.get(_plain(status)) or _unknown(status)


def _unknown(state: object) -> Look:
    return Look("none", "info", str(getattr(state, "value", state)))


def _plain(state: object) -> str:
    """`Stage.PRODUCTION`, "Production" and "PRODUCTION" are one key; blanks count as underscores."""
    value = state.value if isinstance(state, Enum) else state
    return str(value or "").strip().lower().replace(" ", "_")
