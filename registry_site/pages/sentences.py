"""Activities as sentences: what one line of a timeline says, and how it looks."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from registry_site.audit.kinds import Kind

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.audit.models import Activity


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a timeline: `who`, called `display`, did `text` (with links) at `when`, and perhaps wrote `body`."""

    icon: str
    kind: str
    who: str
    display: str
    text: SafeString
    when: datetime
    body: str = ""


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
        text=_SENTENCES.get(activity.kind, _anything)(activity, model_name),
        when=activity.at,
        body="" if _repeats_a_review(activity) else activity.comment,
    )


def _look(activity: "Activity") -> tuple[str, str]:
    if activity.kind == Kind.VERSION_STAGE_CHANGED:
        stage = str(activity.data.get("to_stage", "None")).lower()
        colours = {"production": "success", "staging": "warning"}
        return f"stage-{stage}", colours.get(stage, "neutral")
    if activity.kind == Kind.REVIEW_GIVEN:
        looks = {"approve": ("check", "success"), "reject": ("rejected", "danger")}
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
    Kind.REQUEST_EXPIRED: ("clock", "neutral"),
    Kind.REQUEST_REJECTED: ("rejected", "danger"),
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
    Kind.WEBHOOK_UPDATED: ("link", "neutral"),
}


# -- what the sentences are made of ------------------------------------------------------------------------------------
def _version(activity: "Activity", name: str) -> SafeString:
    words = _("version %(number)s") % {"number": activity.version}
    if not name or activity.version is None or activity.kind == Kind.VERSION_DELETED:
        return format_html("{}", words)
    return format_html('<a href="{}">{}</a>', reverse("version", args=[name, activity.version]), words)


def _request(activity: "Activity", name: str) -> SafeString:
    if activity.request_number is None:
        return SafeString("")
    if not name:
        return format_html("#{}", activity.request_number)
    url = reverse("request", args=[name, activity.request_number])
    return format_html('<a href="{}">#{}</a>', url, activity.request_number)


def _place(activity: "Activity", name: str) -> SafeString:
    """What was commented on."""
    if activity.request_number is not None:
        return format_html(_("request {}"), _request(activity, name))
    return format_html("{}", _("the model")) if activity.version is None else _version(activity, name)


def _tag(activity: "Activity") -> SafeString:
    key, value = activity.data.get("key", ""), activity.data.get("after", "")
    return format_html(
        '<span class="chip"><span class="chip-key">{}</span>{}</span>',
        key,
        format_html("<span>{}</span>", value) if value else "",
    )


def _alias(activity: "Activity") -> SafeString:
    return format_html('<span class="chip chip-alias"><span>@{}</span></span>', activity.data.get("alias", ""))


def _strong(value: object) -> SafeString:
    return format_html('<span class="strong">{}</span>', value)


# -- the sentences -----------------------------------------------------------------------------------------------------
Sentence = Callable[["Activity", str], SafeString]


def _anything(activity: "Activity", name: str) -> SafeString:
    return format_html("{}", f"{activity.kind} {activity.subject}")


def _says(sentence: Callable[[], str]) -> Sentence:
    """A sentence with holes: {version}, {request}, {place}, {tag}, {alias}, {before}, {after}, {old}, {new}, {stage},
    {holder}."""

    def written(activity: "Activity", name: str) -> SafeString:
        data = activity.data
        return format_html(
            sentence(),
            version=_version(activity, name),
            request=_request(activity, name),
            place=_place(activity, name),
            tag=_tag(activity),
            alias=_alias(activity),
            before=_strong(data.get("before") or ""),
            after=_strong(data.get("after") or ""),
            old=_strong(data.get("from_stage", "")),
            new=_strong(data.get("to_stage", "")),
            stage=_strong(data.get("stage", "")),
            holder=_strong(data.get("username") or data.get("group") or ""),
        )

    return written


def _sets(first: Sentence, again: Sentence) -> Sentence:
    """Another sentence where something took the place of what was there before."""
    return lambda activity, name: (again if activity.data.get("before") else first)(activity, name)


def _moved(activity: "Activity", name: str) -> SafeString:
    moved = _says(lambda: _("moved {version} from {old} to {new}"))(activity, name)
    cause = str(activity.data.get("cause", ""))
    if activity.request_number:
        return format_html(_("{moved} by request {request}"), moved=moved, request=_request(activity, name))
    return format_html(_("{moved}, because {cause}"), moved=moved, cause=cause) if cause else moved


def _reviewed(activity: "Activity", name: str) -> SafeString:
    sentences: dict[object, Sentence] = {
        "approve": _says(lambda: _("approved request {request}")),
        "reject": _says(lambda: _("rejected request {request}")),
    }
    return sentences.get(activity.data.get("verdict"), _says(lambda: _("reviewed request {request}")))(activity, name)


def _made_admin(activity: "Activity", name: str) -> SafeString:
    is_admin = bool(activity.data.get("after"))
    return format_html("{}", _("made an administrator") if is_admin else _("took the administrator's rights"))


_SENTENCES: dict[str, Sentence] = {
    Kind.ALIAS_DELETED: _says(lambda: _("removed {alias}, which pointed at version {before}")),
    Kind.ALIAS_SET: _sets(
        _says(lambda: _("pointed {alias} at {version}")),
        _says(lambda: _("pointed {alias} at {version}, away from version {before}")),
    ),
    Kind.CHECK_POSTED: _says(lambda: _("posted a check on {version}")),
    Kind.COMMENT_CREATED: _says(lambda: _("commented on {place}")),
    Kind.COMMENT_DELETED: _says(lambda: _("deleted a comment on {place}")),
    Kind.COMMENT_UPDATED: _says(lambda: _("changed a comment on {place}")),
    Kind.DEPLOYMENT_POSTED: _says(lambda: _("reported a deployment of {version}")),
    Kind.EXPERIMENT_CREATED: _says(lambda: _("created the experiment")),
    Kind.EXPERIMENT_DELETED: _says(lambda: _("deleted the experiment")),
    Kind.EXPERIMENT_RENAMED: _says(lambda: _("renamed the experiment from {before} to {after}")),
    Kind.EXPERIMENT_RESTORED: _says(lambda: _("restored the experiment")),
    Kind.GRANT_REMOVED: _says(lambda: _("took {before} from {holder}")),
    Kind.GRANT_SET: _sets(
        _says(lambda: _("gave {after} to {holder}")),
        _says(lambda: _("gave {after} to {holder} in place of {before}")),
    ),
    Kind.GROUP_CREATED: _says(lambda: _("created the group")),
    Kind.GROUP_DELETED: _says(lambda: _("deleted the group")),
    Kind.GROUP_MEMBERS_SET: _says(lambda: _("set who is in the group")),
    Kind.MODEL_CREATED: _says(lambda: _("registered the model")),
    Kind.MODEL_DELETED: _says(lambda: _("deleted the model")),
    Kind.MODEL_DESCRIBED: _says(lambda: _("changed the description of the model")),
    Kind.MODEL_RENAMED: _says(lambda: _("renamed the model from {before} to {after}")),
    Kind.MODEL_TAG_DELETED: _says(lambda: _("removed the tag {tag}, which was {before}")),
    Kind.MODEL_TAG_SET: _sets(
        _says(lambda: _("set the tag {tag}")), _says(lambda: _("set the tag {tag}, which was {before}"))
    ),
    Kind.PASSWORD_CHANGED: _says(lambda: _("changed the password")),
    Kind.POLICY_REMOVED: _says(lambda: _("removed the policy for {stage}")),
    Kind.POLICY_SET: _says(lambda: _("set the policy for {stage}")),
    Kind.REQUEST_APPROVED: _says(lambda: _("completed the approval of request {request}")),
    Kind.REQUEST_CANCELLED: _says(lambda: _("cancelled request {request}")),
    Kind.REQUEST_CREATED: _says(lambda: _("asked in {request} to move {version} from {old} to {new}")),
    Kind.REQUEST_EXPIRED: _says(lambda: _("closed request {request}, which had expired")),
    Kind.REQUEST_REJECTED: _says(lambda: _("ended request {request} with a rejection")),
    Kind.REQUEST_SUPERSEDED: _says(lambda: _("made request {request} pointless")),
    Kind.REVIEW_DISMISSED: _says(lambda: _("dismissed a review of request {request}")),
    Kind.REVIEW_GIVEN: _reviewed,
    Kind.RUN_DELETED: _says(lambda: _("deleted the run")),
    Kind.RUN_RESTORED: _says(lambda: _("restored the run")),
    Kind.STAGE_BYPASSED: _says(lambda: _("bypassed the policy and moved {version} from {old} to {new}")),
    Kind.TOKEN_CREATED: _says(lambda: _("made the token")),
    Kind.TOKEN_REVOKED: _says(lambda: _("revoked the token")),
    Kind.USER_ADMIN_SET: _made_admin,
    Kind.USER_CREATED: _says(lambda: _("created the account")),
    Kind.USER_DEACTIVATED: _says(lambda: _("deactivated the account")),
    Kind.USER_DELETED: _says(lambda: _("deleted the account")),
    Kind.USER_INVITED: _says(lambda: _("invited the person")),
    Kind.USER_REACTIVATED: _says(lambda: _("reactivated the account")),
    Kind.USER_SIGNED_IN: _says(lambda: _("signed in")),
    Kind.USER_UPDATED: _says(lambda: _("changed the account")),
    Kind.VERSION_CREATED: _says(lambda: _("registered {version}")),
    Kind.VERSION_DELETED: _says(lambda: _("deleted {version}")),
    Kind.VERSION_DESCRIBED: _says(lambda: _("changed the description of {version}")),
    Kind.VERSION_STAGE_CHANGED: _moved,
    Kind.VERSION_TAG_DELETED: _says(lambda: _("removed the tag {tag} of {version}, which was {before}")),
    Kind.VERSION_TAG_SET: _sets(
        _says(lambda: _("set the tag {tag} of {version}")),
        _says(lambda: _("set the tag {tag} of {version}, which was {before}")),
    ),
    Kind.WEBHOOK_CREATED: _says(lambda: _("created the webhook")),
    Kind.WEBHOOK_DELETED: _says(lambda: _("deleted the webhook")),
    Kind.WEBHOOK_UPDATED: _says(lambda: _("changed the webhook")),
}
