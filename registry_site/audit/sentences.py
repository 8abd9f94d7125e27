"""Activities as sentences: what one line of history says."""

from collections.abc import Callable
from html import unescape
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.html import format_html, strip_tags
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registry_site.audit.kinds import Kind

if TYPE_CHECKING:
    from registry_site.audit.models import Activity


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


def sentence_of(activity: "Activity", model_name: str) -> SafeString:
    """What somebody did, without who, as HTML. Links lead to what the registered model is called now; without a name,
    as of a model that is no more, nothing in it is a link."""
    return _SENTENCES.get(activity.kind, _anything)(activity, model_name)


def plain_sentence_of(activity: "Activity") -> str:
    """The same as plain text."""
    return unescape(strip_tags(sentence_of(activity, "")))


def _anything(activity: "Activity", name: str) -> SafeString:
    return format_html("{}", f"{activity.kind} {activity.subject}")


def _says(sentence: Callable[[], str]) -> Sentence:
    """A sentence with holes: {version}, {request}, {place}, {tag}, {alias}, {before}, {after}, {old}, {new}, {stage},
    {holder}, {metric}."""

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
            metric=_strong(data.get("metric", "")),
        )

    return written


def _sets(first: Sentence, again: Sentence) -> Sentence:
    """Another sentence where something took the place of what was there before."""
    return lambda activity, name: (again if activity.data.get("before") else first)(activity, name)


def _moved(activity: "Activity", name: str) -> SafeString:
    moved = _says(
        (lambda: _("rolled back: moved {version} from {old} to {new}"))
        if activity.data.get("rollback")
        else (lambda: _("moved {version} from {old} to {new}"))
    )(activity, name)
    cause = str(activity.data.get("cause", ""))
    if activity.request_number:
        return format_html(_("{moved} by request {request}"), moved=moved, request=_request(activity, name))
    return format_html(_("{moved}, because {cause}"), moved=moved, cause=cause) if cause else moved


def _reviewed(activity: "Activity", name: str) -> SafeString:
    sentences: dict[object, Sentence] = {
        "approve": _says(lambda: _("approved request {request}")),
        "reject": _says(lambda: _("rejected request {request}")),
        "request_changes": _says(lambda: _("asked for changes in request {request}")),
        "comment": _says(lambda: _("commented on request {request}")),
    }
    return sentences.get(activity.data.get("verdict"), _says(lambda: _("reviewed request {request}")))(activity, name)


def _asked(activity: "Activity", name: str) -> SafeString:
    if activity.data.get("rollback"):
        return _says(lambda: _("asked in {request} to roll {new} back to {version}"))(activity, name)
    if "copy_to_id" in activity.data:
        return _says(lambda: _("asked in {request} to copy {version} into {new} of another model"))(activity, name)
    return _says(lambda: _("asked in {request} to move {version} from {old} to {new}"))(activity, name)


def _bypassed(activity: "Activity", name: str) -> SafeString:
    move = _says(lambda: _("bypassed the policy and moved {version} from {old} to {new}"))
    copy = _says(lambda: _("bypassed the policy with {version}, a copy that came into {new}"))
    return (copy if activity.data.get("is_copy") else move)(activity, name)


def _copied(activity: "Activity", name: str) -> SafeString:
    copied = _says(lambda: _("copied {version} into {new} of another model"))(activity, name)
    if activity.request_number is None:
        return copied
    return format_html(_("{moved} by request {request}"), moved=copied, request=_request(activity, name))


def _checked(activity: "Activity", name: str) -> SafeString:
    sentences: dict[object, Callable[[], str]] = {
        "passed": lambda: _("reported that check {check} has passed on {version}"),
        "failed": lambda: _("reported that check {check} has failed on {version}"),
    }
    sentence = sentences.get(
        activity.data.get("state"), lambda: _("reported that check {check} is running on {version}")
    )
    return format_html(
        sentence(), check=_elsewhere(activity, name, activity.data.get("check", "")), version=_version(activity, name)
    )


def _deployed(activity: "Activity", name: str) -> SafeString:
    sentences: dict[object, Callable[[], str]] = {
        "succeeded": lambda: _("reported that {version} is deployed to {environment}"),
        "failed": lambda: _("reported that deploying {version} to {environment} has failed"),
        "ended": lambda: _("reported that {version} is no longer in {environment}"),
    }
    sentence = sentences.get(
        activity.data.get("state"), lambda: _("reported that {version} is being deployed to {environment}")
    )
    return format_html(
        sentence(),
        environment=_elsewhere(activity, name, activity.data.get("environment", "")),
        version=_version(activity, name),
    )


def _elsewhere(activity: "Activity", name: str, words: object) -> SafeString:
    """What an outside system calls something, linked to where it shows it; only ever to http or https."""
    link = str(activity.data.get("link", ""))
    if not name or not link.startswith(("https://", "http://")):
        return _strong(words)
    return format_html('<a href="{}" rel="nofollow noopener">{}</a>', link, words)


def _evidence_changed(activity: "Activity", name: str) -> SafeString:
    said = [str(one) for one in activity.data.get("changes", ())]
    more = len(said) - 3
    words = "; ".join(said[:3]) + (_(" and %(number)s more") % {"number": more} if more > 0 else "")
    sentence = _says(lambda: _("found the evidence of request {request} changed"))(activity, name)
    return format_html("{}: {}", sentence, words) if words else sentence


def _of_policy(of_stage: Sentence, of_alias: Sentence) -> Sentence:
    return lambda activity, name: (of_alias if "alias" in activity.data else of_stage)(activity, name)


def _direction_set(activity: "Activity", name: str) -> SafeString:
    more = _says(lambda: _("said that more of the metric {metric} is better"))
    less = _says(lambda: _("said that less of the metric {metric} is better"))
    return (more if activity.data.get("higher_is_better") else less)(activity, name)


def _dismissed(activity: "Activity", name: str) -> SafeString:
    reviewer = activity.data.get("reviewer")
    if not reviewer:
        return _says(lambda: _("dismissed a review of request {request}"))(activity, name)
    sentence = _("dismissed the review of request {request} by {reviewer}")
    return format_html(sentence, reviewer=_strong(reviewer), request=_request(activity, name))


def _reminded(activity: "Activity", name: str) -> SafeString:
    days = activity.data.get("days") or 0
    sentence = ngettext(
        "reminded of request {request}, which has waited for a day",
        "reminded of request {request}, which has waited for {days} days",
        days,
    )
    return format_html(sentence, request=_request(activity, name), days=days)


def _made_admin(activity: "Activity", name: str) -> SafeString:
    is_admin = bool(activity.data.get("after"))
    return format_html("{}", _("made an administrator") if is_admin else _("took the administrator's rights"))


_SENTENCES: dict[str, Sentence] = {
    Kind.ALIAS_DELETED: _says(lambda: _("removed {alias}, which pointed at version {before}")),
    Kind.ALIAS_SET: _sets(
        _says(lambda: _("pointed {alias} at {version}")),
        _says(lambda: _("pointed {alias} at {version}, away from version {before}")),
    ),
    Kind.CHECK_POSTED: _checked,
    Kind.COMMENT_CREATED: _says(lambda: _("commented on {place}")),
    Kind.COMMENT_DELETED: _says(lambda: _("deleted a comment on {place}")),
    Kind.COMMENT_UPDATED: _says(lambda: _("changed a comment on {place}")),
    Kind.DEPLOYMENT_POSTED: _deployed,
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
    Kind.METRIC_DIRECTION_REMOVED: _says(lambda: _("said no longer which way the metric {metric} is better")),
    Kind.METRIC_DIRECTION_SET: _direction_set,
    Kind.MODEL_CREATED: _says(lambda: _("registered the model")),
    Kind.MODEL_DELETED: _says(lambda: _("deleted the model")),
    Kind.MODEL_DESCRIBED: _says(lambda: _("changed the description of the model")),
    Kind.MODEL_RENAMED: _says(lambda: _("renamed the model from {before} to {after}")),
    Kind.MODEL_TAG_DELETED: _says(lambda: _("removed the tag {tag}, which was {before}")),
    Kind.MODEL_TAG_SET: _sets(
        _says(lambda: _("set the tag {tag}")), _says(lambda: _("set the tag {tag}, which was {before}"))
    ),
    Kind.PASSWORD_CHANGED: _says(lambda: _("changed the password")),
    Kind.POLICY_REMOVED: _of_policy(
        _says(lambda: _("removed the policy for {stage}")), _says(lambda: _("let {alias} stand for {stage} no longer"))
    ),
    Kind.POLICY_SET: _of_policy(
        _says(lambda: _("set the policy for {stage}")), _says(lambda: _("let {alias} stand for {stage}"))
    ),
    Kind.REQUEST_APPROVED: _says(lambda: _("completed the approval of request {request}")),
    Kind.REQUEST_CANCELLED: _says(lambda: _("cancelled request {request}")),
    Kind.REQUEST_CREATED: _asked,
    Kind.REQUEST_EVIDENCE_CHANGED: _evidence_changed,
    Kind.REQUEST_EXPIRED: _says(lambda: _("closed request {request}, which had expired")),
    Kind.REQUEST_REJECTED: _says(lambda: _("ended request {request} with a rejection")),
    Kind.REQUEST_REMINDED: _reminded,
    Kind.REQUEST_SUPERSEDED: _says(lambda: _("made request {request} pointless")),
    Kind.REVIEW_DISMISSED: _dismissed,
    Kind.REVIEW_GIVEN: _reviewed,
    Kind.RUN_DELETED: _says(lambda: _("deleted the run")),
    Kind.RUN_RESTORED: _says(lambda: _("restored the run")),
    Kind.STAGE_BYPASSED: _bypassed,
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
    Kind.VERSION_COPIED: _copied,
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
    Kind.WEBHOOK_PARKED: _says(lambda: _("disabled the webhook, which had only failed for days")),
    Kind.WEBHOOK_SENT_AGAIN: _says(lambda: _("sent a delivery of the webhook again")),
    Kind.WEBHOOK_UPDATED: _says(lambda: _("changed the webhook")),
}
