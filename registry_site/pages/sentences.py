"""Activities as lines of a timeline: what each says, and how it looks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from registry_site.audit.kinds import Kind
from registry_site.audit.sentences import sentence_of

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.audit.models import Activity


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a timeline: `who`, called `display`, did `text` (with links) at `when`, and perhaps wrote `body`.

    What counts no longer is struck through; `note` says why, or what else there is to say.
    """

    icon: str
    kind: str
    who: str
    display: str
    text: SafeString
    when: datetime
    body: str = ""
    note: str = ""
    is_struck: bool = False
    anchor: str = ""
    edit_url: str = ""
    delete_url: str = ""


def lines_of(activities: "Iterable[Activity]", model_name: str, people: Mapping[str, str]) -> list[Line]:
    """The lines of a model's history, in the order given. Links lead to what the model is called now.

    `people` has display names by user name. That a request was approved or rejected as a whole goes without saying: the
    review beside it says so.
    """
    return [
        line_of(activity, model_name, people.get(activity.actor_name, ""))
        for activity in activities
        if activity.kind not in _GO_WITHOUT_SAYING
    ]


def line_of(activity: "Activity", model_name: str, display: str) -> Line:
    """The line of one activity. Without a name, as of a model that is no more, nothing in it is a link."""
    icon, colour = _look(activity)
    return Line(
        icon=icon,
        kind=colour,
        who=activity.actor_name,
        display=display,
        text=sentence_of(activity, model_name),
        when=activity.at,
        body="" if _repeats_a_review(activity) else activity.comment,
    )


def _look(activity: "Activity") -> tuple[str, str]:
    if activity.kind == Kind.VERSION_STAGE_CHANGED:
        stage = str(activity.data.get("to_stage", "None")).lower()
        colours = {"production": "success", "staging": "warning"}
        icon = "rollback" if activity.data.get("rollback") else f"stage-{stage}"
        return icon, colours.get(stage, "neutral")
    if activity.kind == Kind.REQUEST_CREATED and activity.data.get("rollback"):
        return "rollback", "info"
    if activity.kind == Kind.CHECK_POSTED:
        states = {"passed": ("check-circle", "success"), "failed": ("cross", "danger")}
        return states.get(str(activity.data.get("state")), ("check-circle", "neutral"))
    if activity.kind == Kind.REVIEW_GIVEN:
        looks = {
            "approve": ("check", "success"),
            "reject": ("rejected", "danger"),
            "request_changes": ("edit", "warning"),
            "comment": ("comment", "neutral"),
        }
        return looks.get(str(activity.data.get("verdict")), ("review", "neutral"))
    return _LOOKS.get(activity.kind, ("clock", "neutral"))


def _repeats_a_review(activity: "Activity") -> bool:
    return activity.kind == Kind.VERSION_STAGE_CHANGED and activity.request_number is not None


def families() -> dict[str, tuple[str, tuple[Kind, ...]]]:
    """What a model's history can be narrowed to: for each word of an address what it is called, and the kinds."""
    return {
        "stages": (_("Stages"), (Kind.VERSION_STAGE_CHANGED, Kind.STAGE_BYPASSED)),
        "requests": (_("Requests and reviews"), _kinds("request", "review")),
        "comments": (_("Comments"), _kinds("comment")),
        "versions": (_("Versions"), (Kind.VERSION_CREATED, Kind.VERSION_DESCRIBED, Kind.VERSION_DELETED)),
        "marks": (
            _("Tags and aliases"),
            (
                Kind.MODEL_TAG_SET,
                Kind.MODEL_TAG_DELETED,
                Kind.VERSION_TAG_SET,
                Kind.VERSION_TAG_DELETED,
                *_kinds("alias"),
            ),
        ),
        "checks": (_("Checks and deployments"), _kinds("check", "deployment")),
        "access": (_("Access and policies"), _kinds("grant", "policy")),
    }


def _kinds(*nouns: str) -> tuple[Kind, ...]:
    return tuple(kind for kind in Kind if kind.partition(".")[0] in nouns)


_GO_WITHOUT_SAYING = {Kind.REQUEST_APPROVED, Kind.REQUEST_REJECTED}
_LOOKS: dict[str, tuple[str, str]] = {
    Kind.ALIAS_DELETED: ("alias", "neutral"),
    Kind.ALIAS_SET: ("alias", "info"),
    Kind.CHECK_POSTED: ("check-circle", "neutral"),
    Kind.COMMENT_CREATED: ("comment", "neutral"),
    Kind.COMMENT_DELETED: ("comment", "neutral"),
    Kind.COMMENT_UPDATED: ("comment", "neutral"),
    Kind.DEPLOYMENT_POSTED: ("upload", "neutral"),
    Kind.EXPERIMENT_CREATED: ("experiment", "info"),
    Kind.EXPERIMENT_DELETED: ("trash", "danger"),
    Kind.EXPERIMENT_RENAMED: ("edit", "neutral"),
    Kind.EXPERIMENT_RESTORED: ("experiment", "neutral"),
    Kind.GRANT_REMOVED: ("key", "neutral"),
    Kind.GRANT_SET: ("key", "neutral"),
    Kind.GROUP_CREATED: ("users", "info"),
    Kind.GROUP_DELETED: ("trash", "danger"),
    Kind.GROUP_MEMBERS_SET: ("users", "neutral"),
    Kind.MODEL_CREATED: ("model", "info"),
    Kind.MODEL_DELETED: ("trash", "danger"),
    Kind.MODEL_DESCRIBED: ("edit", "neutral"),
    Kind.MODEL_RENAMED: ("edit", "neutral"),
    Kind.MODEL_TAG_DELETED: ("tag", "neutral"),
    Kind.MODEL_TAG_SET: ("tag", "neutral"),
    Kind.PASSWORD_CHANGED: ("lock", "neutral"),
    Kind.POLICY_REMOVED: ("shield", "warning"),
    Kind.POLICY_SET: ("shield", "warning"),
    Kind.REQUEST_APPROVED: ("check", "success"),
    Kind.REQUEST_CANCELLED: ("minus", "neutral"),
    Kind.REQUEST_CREATED: ("review", "info"),
    Kind.REQUEST_EVIDENCE_CHANGED: ("edit", "warning"),
    Kind.REQUEST_EXPIRED: ("clock", "neutral"),
    Kind.REQUEST_REJECTED: ("rejected", "danger"),
    Kind.REQUEST_REMINDED: ("clock", "neutral"),
    Kind.REQUEST_SUPERSEDED: ("arrow-right", "neutral"),
    Kind.REVIEW_DISMISSED: ("cross", "warning"),
    Kind.RUN_DELETED: ("trash", "danger"),
    Kind.RUN_RESTORED: ("run", "neutral"),
    Kind.STAGE_BYPASSED: ("warning", "danger"),
    Kind.TOKEN_CREATED: ("key", "info"),
    Kind.TOKEN_REVOKED: ("key", "neutral"),
    Kind.USER_ADMIN_SET: ("shield", "warning"),
    Kind.USER_CREATED: ("user", "info"),
    Kind.USER_DEACTIVATED: ("user", "danger"),
    Kind.USER_DELETED: ("trash", "danger"),
    Kind.USER_INVITED: ("mail", "info"),
    Kind.USER_REACTIVATED: ("user", "neutral"),
    Kind.USER_SIGNED_IN: ("user", "neutral"),
    Kind.USER_UPDATED: ("edit", "neutral"),
    Kind.VERSION_CREATED: ("plus", "info"),
    Kind.VERSION_DELETED: ("trash", "danger"),
    Kind.VERSION_DESCRIBED: ("edit", "neutral"),
    Kind.VERSION_TAG_DELETED: ("tag", "neutral"),
    Kind.VERSION_TAG_SET: ("tag", "neutral"),
    Kind.WEBHOOK_CREATED: ("link", "info"),
    Kind.WEBHOOK_DELETED: ("trash", "danger"),
    Kind.WEBHOOK_PARKED: ("warning", "warning"),
    Kind.WEBHOOK_SENT_AGAIN: ("refresh", "neutral"),
    Kind.WEBHOOK_UPDATED: ("link", "neutral"),
}
