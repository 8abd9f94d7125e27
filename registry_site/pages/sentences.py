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
        _line_of(activity, model_name, people.get(activity.actor_name, ""))
        for activity in activities
        if activity.kind not in _GO_WITHOUT_SAYING
    ]


def _line_of(activity: "Activity", model_name: str, display: str) -> Line:
    kind = Kind(activity.kind)
    icon, colour = _look(activity, kind)
    return Line(
        icon=icon,
        kind=colour,
        who=activity.actor_name,
        display=display,
        text=_SENTENCES.get(kind, _anything)(activity, model_name),
        when=activity.at,
        body="" if _repeats_a_review(activity, kind) else activity.comment,
    )


def _look(activity: "Activity", kind: Kind) -> tuple[str, str]:
    if kind is Kind.VERSION_STAGE_CHANGED:
        stage = str(activity.data.get("to_stage", "None")).lower()
        colours = {"production": "success", "staging": "warning"}
        return f"stage-{stage}", colours.get(stage, "neutral")
    if kind is Kind.REVIEW_GIVEN:
        return ("check", "success") if activity.data.get("verdict") == "approve" else ("rejected", "danger")
    return _LOOKS.get(kind, ("clock", "neutral"))


def _repeats_a_review(activity: "Activity", kind: Kind) -> bool:
    return kind is Kind.VERSION_STAGE_CHANGED and activity.request_number is not None


_GO_WITHOUT_SAYING = {Kind.REQUEST_APPROVED, Kind.REQUEST_REJECTED}
_LOOKS = {
    Kind.ALIAS_DELETED: ("alias", "neutral"),
    Kind.ALIAS_SET: ("alias", "info"),
    Kind.GRANT_REMOVED: ("key", "neutral"),
    Kind.GRANT_SET: ("key", "neutral"),
    Kind.MODEL_CREATED: ("model", "info"),
    Kind.MODEL_DELETED: ("trash", "danger"),
    Kind.MODEL_DESCRIBED: ("edit", "neutral"),
    Kind.MODEL_RENAMED: ("edit", "neutral"),
    Kind.MODEL_TAG_DELETED: ("tag", "neutral"),
    Kind.MODEL_TAG_SET: ("tag", "neutral"),
    Kind.POLICY_SET: ("shield", "warning"),
    Kind.REQUEST_CANCELLED: ("minus", "neutral"),
    Kind.REQUEST_CREATED: ("review", "info"),
    Kind.REQUEST_SUPERSEDED: ("arrow-right", "neutral"),
    Kind.VERSION_CREATED: ("plus", "info"),
    Kind.VERSION_DELETED: ("trash", "danger"),
    Kind.VERSION_DESCRIBED: ("edit", "neutral"),
    Kind.VERSION_TAG_DELETED: ("tag", "neutral"),
    Kind.VERSION_TAG_SET: ("tag", "neutral"),
}


# -- what the sentences are made of ------------------------------------------------------------------------------------
def _version(activity: "Activity", name: str) -> SafeString:
    words = _("version %(number)s") % {"number": activity.version}
    if activity.version is None or activity.kind == Kind.VERSION_DELETED:
        return format_html("{}", words)
    return format_html('<a href="{}">{}</a>', reverse("version", args=[name, activity.version]), words)


def _request(activity: "Activity", name: str) -> SafeString:
    if activity.request_number is None:
        return SafeString("")
    url = reverse("request", args=[name, activity.request_number])
    return format_html('<a href="{}">#{}</a>', url, activity.request_number)


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
def _anything(activity: "Activity", name: str) -> SafeString:
    return format_html("{}", f"{activity.kind} {activity.subject}")


def _says(sentence: Callable[[], str]) -> Callable[["Activity", str], SafeString]:
    """A sentence with holes: {version}, {request}, {tag}, {alias}, {before}, {after}, {old}, {new}, {stage}."""

    def written(activity: "Activity", name: str) -> SafeString:
        data = activity.data
        return format_html(
            sentence(),
            version=_version(activity, name),
            request=_request(activity, name),
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


def _moved(activity: "Activity", name: str) -> SafeString:
    moved = _says(lambda: _("moved {version} from {old} to {new}"))(activity, name)
    cause = str(activity.data.get("cause", ""))
    if activity.request_number:
        return format_html(_("{moved} by request {request}"), moved=moved, request=_request(activity, name))
    return format_html(_("{moved}, because {cause}"), moved=moved, cause=cause) if cause else moved


def _reviewed(activity: "Activity", name: str) -> SafeString:
    if activity.data.get("verdict") == "approve":
        return _says(lambda: _("approved request {request}"))(activity, name)
    return _says(lambda: _("rejected request {request}"))(activity, name)


_SENTENCES: dict[Kind, Callable[["Activity", str], SafeString]] = {
    Kind.ALIAS_DELETED: _says(lambda: _("removed {alias}, which pointed at version {before}")),
    Kind.ALIAS_SET: _says(lambda: _("pointed {alias} at {version}")),
    Kind.GRANT_REMOVED: _says(lambda: _("took {before} from {holder}")),
    Kind.GRANT_SET: _says(lambda: _("gave {after} to {holder}")),
    Kind.MODEL_CREATED: _says(lambda: _("registered the model")),
    Kind.MODEL_DESCRIBED: _says(lambda: _("changed the description of the model")),
    Kind.MODEL_RENAMED: _says(lambda: _("renamed the model from {before} to {after}")),
    Kind.MODEL_TAG_DELETED: _says(lambda: _("removed the tag {tag}")),
    Kind.MODEL_TAG_SET: _says(lambda: _("set the tag {tag}")),
    Kind.POLICY_SET: _says(lambda: _("set the policy for {stage}")),
    Kind.REQUEST_CANCELLED: _says(lambda: _("cancelled request {request}")),
    Kind.REQUEST_CREATED: _says(lambda: _("asked in {request} to move {version} from {old} to {new}")),
    Kind.REQUEST_SUPERSEDED: _says(lambda: _("made request {request} pointless")),
    Kind.REVIEW_GIVEN: _reviewed,
    Kind.VERSION_CREATED: _says(lambda: _("registered {version}")),
    Kind.VERSION_DELETED: _says(lambda: _("deleted {version}")),
    Kind.VERSION_DESCRIBED: _says(lambda: _("changed the description of {version}")),
    Kind.VERSION_STAGE_CHANGED: _moved,
    Kind.VERSION_TAG_DELETED: _says(lambda: _("removed the tag {tag} of {version}")),
    Kind.VERSION_TAG_SET: _says(lambda: _("set the tag {tag} of {version}")),
}
