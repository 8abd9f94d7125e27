"""Who is told of what. Pure: facts in, people out. Nobody is told of what they did themselves."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from registry_site.audit.kinds import Kind


class Why(StrEnum):
    """Why somebody is told."""

    MAY_DECIDE = "may decide"
    ASKED = "asked"


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is to know about an activity of a transition request; people are user ids."""

    kind: Kind
    actor_id: int | None
    requester_id: int | None
    decider_ids: Iterable[int] = ()


DECISIONS = (Kind.REQUEST_APPROVED, Kind.REQUEST_REJECTED, Kind.REQUEST_CANCELLED, Kind.REQUEST_SUPERSEDED)
TOLD = (Kind.REQUEST_CREATED, *DECISIONS)


def audience(facts: Facts) -> dict[int, Why]:
    """The people to tell, each with the reason: of a new request those who may decide it, of its end who asked."""
    if facts.kind is Kind.REQUEST_CREATED:
        people = {person: Why.MAY_DECIDE for person in facts.decider_ids if person != facts.requester_id}
    elif facts.kind in DECISIONS and facts.requester_id is not None:
        people = {facts.requester_id: Why.ASKED}
    else:
        people = {}
    return {person: why for person, why in people.items() if person != facts.actor_id}
