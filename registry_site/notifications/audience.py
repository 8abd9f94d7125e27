"""Who is told of what, and why. Pure: facts in, people out. Nobody is told of what they did themselves."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from registry_site.audit.kinds import Kind


class Why(StrEnum):
    """Why somebody is told. Of several reasons the first of this order counts."""

    ASKED = "asked"
    TOOK_PART = "took part"
    MAY_DECIDE = "may decide"
    WAITS = "waits"
    MENTIONED = "mentioned"
    MANAGES = "manages"
    FOLLOWS = "follows"


class Way(StrEnum):
    """How a mail comes, beside the notification on the site."""

    AT_ONCE = "at once"
    DAILY = "daily"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is to know about an activity of a registered model; people are user ids.

    `is_of_request` says whether it is a step of a transition request, `is_open` whether that still waits, `has_failed`
    whether a check says so, `is_up_to_requester` whether it waits for changes, or for gates alone. The participants
    have reviewed or commented on the request; the reviews of those affected no longer count, by this activity. The
    undecided may decide, have given no verdict on what there is now, and one of theirs is missing.
    """

    kind: Kind
    actor_id: int | None = None
    is_of_request: bool = False
    is_open: bool = True
    has_failed: bool = False
    is_up_to_requester: bool = False
    requester_id: int | None = None
    participant_ids: Collection[int] = ()
    affected_ids: Collection[int] = ()
    decider_ids: Collection[int] = ()
    undecided_ids: Collection[int] = ()
    mentioned_ids: Collection[int] = ()
    manager_ids: Collection[int] = ()
    follower_ids: Collection[int] = ()


DECISIONS = (
    Kind.REQUEST_APPROVED,
    Kind.REQUEST_REJECTED,
    Kind.REQUEST_CANCELLED,
    Kind.REQUEST_SUPERSEDED,
    Kind.REQUEST_EXPIRED,
)
ONLY_WHILE_OPEN = (  # afterwards its end says all, but to those who are asked to look at what was written
    Kind.CHECK_POSTED,
    Kind.REQUEST_CREATED,
    Kind.REQUEST_EVIDENCE_CHANGED,
    Kind.REQUEST_REMINDED,
    Kind.REVIEW_GIVEN,
)
TAKES_REVIEWS_AWAY = (Kind.REQUEST_EVIDENCE_CHANGED, Kind.REVIEW_DISMISSED)
TOLD: dict[Kind, tuple[Why, ...]] = {
    Kind.CHECK_POSTED: (Why.ASKED,),
    Kind.COMMENT_CREATED: (Why.ASKED, Why.TOOK_PART, Why.MENTIONED, Why.FOLLOWS),
    Kind.COMMENT_UPDATED: (Why.MENTIONED,),
    Kind.REQUEST_CREATED: (Why.MAY_DECIDE, Why.MENTIONED, Why.FOLLOWS),
    Kind.REQUEST_APPROVED: (Why.ASKED, Why.FOLLOWS),  # with the words of its last review, which mentions people itself
    Kind.REQUEST_REJECTED: (Why.ASKED, Why.FOLLOWS),
    Kind.REQUEST_CANCELLED: (Why.ASKED, Why.MENTIONED, Why.FOLLOWS),
    Kind.REQUEST_SUPERSEDED: (Why.ASKED, Why.FOLLOWS),
    Kind.REQUEST_EXPIRED: (Why.ASKED, Why.FOLLOWS),
    Kind.REQUEST_EVIDENCE_CHANGED: (Why.ASKED, Why.TOOK_PART),
    Kind.REQUEST_REMINDED: (Why.ASKED, Why.WAITS),
    Kind.REVIEW_DISMISSED: (Why.TOOK_PART,),
    Kind.REVIEW_GIVEN: (Why.ASKED, Why.MENTIONED),
    Kind.STAGE_BYPASSED: (Why.MANAGES, Why.FOLLOWS),
    Kind.MODEL_RENAMED: (Why.FOLLOWS,),
    Kind.VERSION_CREATED: (Why.FOLLOWS,),
    Kind.VERSION_DELETED: (Why.FOLLOWS,),
    Kind.VERSION_STAGE_CHANGED: (Why.FOLLOWS,),
}


def audience(facts: Facts) -> dict[int, Why]:
    """The people to tell, each with the reason."""
    reasons = TOLD.get(facts.kind, ())
    if facts.kind in ONLY_WHILE_OPEN and not facts.is_open:
        reasons = tuple(why for why in reasons if why is Why.MENTIONED)
    if facts.kind is Kind.VERSION_STAGE_CHANGED and facts.is_of_request:
        return {}  # the approval says it
    if facts.kind is Kind.CHECK_POSTED and not facts.has_failed:
        return {}  # a request that waits for it goes on by itself
    if facts.kind in TAKES_REVIEWS_AWAY and not facts.affected_ids:
        return {}
    requester = () if facts.requester_id is None else (facts.requester_id,)
    is_asked = facts.kind is not Kind.REQUEST_REMINDED or facts.is_up_to_requester
    people: dict[Why, Collection[int]] = {
        Why.ASKED: requester if is_asked else (),
        Why.TOOK_PART: facts.affected_ids if facts.kind in TAKES_REVIEWS_AWAY else facts.participant_ids,
        Why.MAY_DECIDE: [person for person in facts.decider_ids if person != facts.requester_id],
        Why.WAITS: [person for person in facts.undecided_ids if person != facts.requester_id],
        Why.MENTIONED: facts.mentioned_ids,
        Why.MANAGES: facts.manager_ids,
        Why.FOLLOWS: facts.follower_ids,
    }
    told: dict[int, Why] = {}
    for why in Why:
        if why in reasons:
            for person in people[why]:
                told.setdefault(person, why)
    return {person: why for person, why in told.items() if person != facts.actor_id}


def usual_way(why: Why) -> Way:
    """How somebody is told who has not chosen: at once of what is meant for them, daily of what they look on at."""
    return Way.DAILY if why is Why.FOLLOWS else Way.AT_ONCE
