"""Who is told of a transition request."""

import pytest

from registry_site.audit.kinds import Kind
from registry_site.notifications.audience import DECISIONS, Facts, Why, audience

MARIA, JON, ANN, EVE = 1, 2, 3, 4


def test_a_new_request_is_told_to_all_who_may_decide_and_not_to_who_asked() -> None:
    told = audience(Facts(Kind.REQUEST_CREATED, actor_id=MARIA, requester_id=MARIA, decider_ids=[MARIA, JON, ANN]))
    assert told == {JON: Why.MAY_DECIDE, ANN: Why.MAY_DECIDE}


@pytest.mark.parametrize("kind", DECISIONS)
def test_the_end_of_a_request_is_told_to_who_asked(kind: Kind) -> None:
    assert audience(Facts(kind, actor_id=JON, requester_id=MARIA)) == {MARIA: Why.ASKED}


@pytest.mark.parametrize("kind", DECISIONS)
def test_nobody_is_told_of_what_they_did_themselves(kind: Kind) -> None:
    assert audience(Facts(kind, actor_id=MARIA, requester_id=MARIA)) == {}


def test_what_podium_did_itself_is_told_too() -> None:
    assert audience(Facts(Kind.REQUEST_SUPERSEDED, actor_id=None, requester_id=MARIA)) == {MARIA: Why.ASKED}


def test_a_requester_who_was_deleted_is_not_told() -> None:
    assert audience(Facts(Kind.REQUEST_REJECTED, actor_id=JON, requester_id=None)) == {}


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in (Kind.REQUEST_CREATED, *DECISIONS)])
def test_of_everything_else_nobody_is_told(kind: Kind) -> None:
    assert audience(Facts(kind, actor_id=EVE, requester_id=MARIA, decider_ids=[JON])) == {}
