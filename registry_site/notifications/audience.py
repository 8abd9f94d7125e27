"""Who is told of what, and why. Pure: facts in, people out. Nobody is told of what they did themselves."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from registry_site.audit.kinds import Kind


class Why(StrEnum):
    """Why somebody is told. Of several reasons the first of this order counts."""

    ASKED = "asked"
    MAY_DECIDE = "may decide"
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

    `is_of_request` says whether it is a step of a transition request, `is_open` whether that still waits.
    """

    kind: Kind
    actor_id: int | None = None
    is_of_request: bool = False
    is_open: bool = True
    requester_id: int | None = None
    decider_ids: Collection[int] = ()
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
ONLY_WHILE_OPEN = (Kind.REQUEST_CREATED, Kind.REVIEW_GIVEN)  # afterwards its end says all
TOLD: dict[Kind, tuple[Why, ...]] = {
    Kind.COMMENT_CREATED: (Why.ASKED, Why.MENTIONED, Why.FOLLOWS),
    Kind.REQUEST_CREATED: (Why.MAY_DECIDE, Why.MENTIONED, Why.FOLLOWS),
    **dict.fromkeys(DECISIONS, (Why.ASKED, Why.MENTIONED, Why.FOLLOWS)),
    Kind.REVIEW_GIVEN: (Why.ASKED, Why.MENTIONED),
    Kind.STAGE_BYPASSED: (Why.MANAGES, Why.FOLLOWS),
    Kind.MODEL_RENAMED: (Why.FOLLOWS,),
    Kind.VERSION_CREATED: (Why.FOLLOWS,),
    Kind.VERSION_DELETED: (Why.FOLLOWS,),
    Kind.VERSION_STAGE_CHANGED: (Why.FOLLOWS,),
}


def audience(facts: Facts) -> dict[int, Why]:
    """The people to tell, each with the reason."""
    if facts.kind in ONLY_WHILE_OPEN and not facts.is_open:
        return {}
    if facts.kind is Kind.VERSION_STAGE_CHANGED and facts.is_of_request:
        return {}  # the approval says it
    people: dict[Why, Collection[int]] = {
        Why.ASKED: () if facts.requester_id is None else (facts.requester_id,),
        Why.MAY_DECIDE: [person for person in facts.decider_ids if person != facts.requester_id],
        Why.MENTIONED: facts.mentioned_ids,
        Why.MANAGES: facts.manager_ids,
        Why.FOLLOWS: facts.follower_ids,
    }
    told: dict[int, Why] = {}
    for why in Why:
        if why in TOLD.get(facts.kind, ()):
            for person in people[why]:
                told.setdefault(person, why)
    return {person: why for person, why in told.items() if person != facts.actor_id}


def usual_way(why: Why) -> Way:
    """How somebody is told who has not chosen: at once of what is meant for them, daily of what they look on at."""
    return Way.DAILY if why is Why.FOLLOWS else Way.AT_ONCE
