"""The history of a request as a conversation: what counts no longer is struck through, and one's own words can be
changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext as _

from registry_site.accounts.actors import Actor
from registry_site.accounts.queries import known_people
from registry_site.audit.kinds import Kind
from registry_site.pages.sentences import Line, line_of
from registry_site.promotion.comments import may_be_deleted
from registry_site.promotion.mentions import mentions
from registry_site.promotion.rules import Verdict

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.audit.models import Activity
    from registry_site.promotion.models import Comment, TransitionRequest
    from registry_site.promotion.standing import GivenReview

_ROUNDED = timedelta(milliseconds=1)  # history keeps no more of a time
_GO_WITHOUT_SAYING = (Kind.REQUEST_APPROVED, Kind.REQUEST_REJECTED, Kind.COMMENT_UPDATED)


def people_of(
    actor: Actor, activities: "Sequence[Activity]", more_texts: Iterable[str] = ()
) -> tuple[dict[str, str], set[str]]:
    """The display names, by user name, of the people of these activities, and the user names that somebody has of those
    mentioned in what was said there and in these texts, in one query."""
    mentioned = {name for text in (*(each.comment for each in activities), *more_texts) for name in mentions(text)}
    known = known_people(actor, mentioned | {each.actor_name for each in activities})
    return {name: shown for name, shown in known.items() if shown}, mentioned & known.keys()


def conversation(
    actor: Actor,
    request: "TransitionRequest",
    activities: "Iterable[Activity]",
    *,
    reviews: "Iterable[GivenReview]",
    comments: "Mapping[str, Comment]",
    people: Mapping[str, str],
) -> list[Line]:
    """The lines of these activities of a request, in their order.

    `comments` are those that are still there, by their ids; `people` has display names by user name.
    """
    given = {each.review.reviewer_name: each for each in reviews}
    lines = []
    for activity in activities:
        if activity.kind in _GO_WITHOUT_SAYING:
            continue
        line = line_of(activity, request.registered_model.name, people.get(activity.actor_name, ""))
        if activity.kind == Kind.REQUEST_CREATED:
            line = replace(line, body="")  # the reason stands above
        elif activity.kind == Kind.REVIEW_GIVEN:
            line = _review(line, activity, given.get(activity.actor_name))
        elif activity.kind == Kind.COMMENT_CREATED:
            line = _comment(line, actor, request, comments.get(str(activity.data.get("comment_id"))))
        elif activity.kind == Kind.STAGE_BYPASSED:
            line = replace(line, note=_("Passed by: %(what)s.") % {"what": "; ".join(activity.data["bypassed"])})
        elif activity.kind == Kind.REQUEST_EVIDENCE_CHANGED and activity.data.get("stale"):
            who = ", ".join(people.get(name, name) for name in activity.data["stale"])
            line = replace(line, note=_("Approvals that no longer count: %(who)s.") % {"who": who})
        lines.append(line)
    return lines


def _review(line: Line, activity: "Activity", given: "GivenReview | None") -> Line:
    """A verdict that was given anew, dismissed, or that is about other evidence, is struck through, and says why."""
    verdict = activity.data.get("verdict")
    if verdict == Verdict.COMMENT or given is None:
        return line
    if given.review.created_at - activity.at > _ROUNDED or verdict != given.review.verdict:
        return replace(line, is_struck=True, note=_("There is a later review by the same person."))
    return replace(line, is_struck=not given.counts, note=why_not(given))


def why_not(given: "GivenReview") -> str:
    """Why a review counts no longer, or no more than it does; empty where it simply counts."""
    review, fact = given.review, given.fact
    if fact.is_dismissed:
        said = {"who": review.dismissed_by_name, "reason": review.dismissal_reason}
        if review.dismissal_reason.strip():
            return _("Dismissed by %(who)s: %(reason)s") % said
        return _("Dismissed by %(who)s.") % said
    if fact.verdict is not Verdict.APPROVE:
        return ""
    if fact.is_stale:
        return _("It was given before the evidence changed.")
    if not fact.may_decide:
        return _("%(who)s may no longer decide this.") % {"who": review.reviewer_name}
    return "" if given.counts else _("The requester's own approval does not count here.")


def _comment(line: Line, actor: Actor, request: "TransitionRequest", comment: "Comment | None") -> Line:
    if comment is None:
        return replace(line, body="", note=_("It was deleted later."))
    place = [request.registered_model.name, request.number, comment.pk]
    is_own = actor.user_id is not None and actor.user_id == comment.author_id
    return replace(
        line,
        body=comment.text,
        anchor=f"comment-{comment.pk}",
        note=_("Changed later.") if comment.updated_at > comment.created_at else "",
        edit_url=reverse("edit_comment", args=place) if is_own else "",
        delete_url=reverse("delete_comment", args=place) if may_be_deleted(comment, actor) else "",
    )
