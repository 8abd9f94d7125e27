"""Who is told of what, and why."""

import pytest

from registry_site.audit.kinds import Kind
from registry_site.notifications.audience import DECISIONS, TOLD, Facts, Way, Why, audience, usual_way
from registry_site.promotion.mentions import mentions

MARIA, JON, ANN, EVE = 1, 2, 3, 4


def test_a_new_request_is_told_to_all_who_may_decide_and_not_to_who_asked() -> None:
    told = audience(Facts(Kind.REQUEST_CREATED, actor_id=MARIA, requester_id=MARIA, decider_ids=[MARIA, JON, ANN]))
    assert told == {JON: Why.MAY_DECIDE, ANN: Why.MAY_DECIDE}


@pytest.mark.parametrize("kind", DECISIONS)
def test_the_end_of_a_request_is_told_to_who_asked_and_who_follows(kind: Kind) -> None:
    told = audience(Facts(kind, actor_id=JON, requester_id=MARIA, follower_ids=[ANN, MARIA, JON]))
    assert told == {MARIA: Why.ASKED, ANN: Why.FOLLOWS}


@pytest.mark.parametrize("kind", TOLD)
def test_nobody_is_told_of_what_they_did_themselves(kind: Kind) -> None:
    facts = Facts(
        kind,
        actor_id=MARIA,
        has_failed=True,
        is_up_to_requester=True,
        requester_id=MARIA,
        participant_ids=[MARIA],
        affected_ids=[MARIA],
        undecided_ids=[MARIA],
        decider_ids=[MARIA],
        mentioned_ids=[MARIA],
        manager_ids=[MARIA],
        follower_ids=[MARIA],
    )
    assert audience(facts) == {}


def test_what_podium_did_itself_is_told_too() -> None:
    assert audience(Facts(Kind.REQUEST_SUPERSEDED, actor_id=None, requester_id=MARIA)) == {MARIA: Why.ASKED}


def test_a_requester_who_was_deleted_is_not_told() -> None:
    assert audience(Facts(Kind.REQUEST_REJECTED, actor_id=JON, requester_id=None)) == {}


@pytest.mark.parametrize("kind", [Kind.REQUEST_CREATED, Kind.REVIEW_GIVEN])
def test_what_was_decided_meanwhile_is_told_by_its_end_alone(kind: Kind) -> None:
    facts = Facts(kind, JON, is_open=False, requester_id=MARIA, decider_ids=[ANN], follower_ids=[EVE])
    assert audience(facts) == {}


@pytest.mark.parametrize("kind", [Kind.REQUEST_CREATED, Kind.REVIEW_GIVEN])
def test_but_whoever_was_asked_to_look_is_told_all_the_same(kind: Kind) -> None:
    facts = Facts(kind, JON, is_open=False, requester_id=MARIA, decider_ids=[ANN], mentioned_ids=[EVE])
    assert audience(facts) == {EVE: Why.MENTIONED}


def test_a_request_that_waits_is_told_to_those_whose_verdict_is_missing() -> None:
    facts = Facts(Kind.REQUEST_REMINDED, requester_id=MARIA, undecided_ids=[MARIA, JON, ANN])
    assert audience(facts) == {JON: Why.WAITS, ANN: Why.WAITS}


def test_and_to_who_asked_where_something_is_left_for_them_to_do() -> None:
    facts = Facts(Kind.REQUEST_REMINDED, requester_id=MARIA, undecided_ids=[JON], is_up_to_requester=True)
    assert audience(facts) == {MARIA: Why.ASKED, JON: Why.WAITS}


@pytest.mark.parametrize("kind", [Kind.REQUEST_REMINDED, Kind.REQUEST_EVIDENCE_CHANGED, Kind.CHECK_POSTED])
def test_of_what_only_a_waiting_request_is_about_nobody_is_told_afterwards(kind: Kind) -> None:
    facts = Facts(
        kind,
        is_open=False,
        has_failed=True,
        is_up_to_requester=True,
        requester_id=MARIA,
        affected_ids=[JON],
        undecided_ids=[ANN],
    )
    assert audience(facts) == {}


def test_evidence_that_changes_is_told_to_those_whose_approval_it_takes_away_and_to_who_asked() -> None:
    facts = Facts(Kind.REQUEST_EVIDENCE_CHANGED, requester_id=MARIA, participant_ids=[JON, EVE], affected_ids=[JON])
    assert audience(facts) == {MARIA: Why.ASKED, JON: Why.TOOK_PART}
    assert audience(Facts(Kind.REQUEST_EVIDENCE_CHANGED, requester_id=MARIA, participant_ids=[JON])) == {}


@pytest.mark.parametrize("is_open", [True, False])
def test_a_review_that_is_dismissed_is_told_to_its_reviewer_whatever_became_of_the_request(is_open: bool) -> None:
    facts = Facts(
        Kind.REVIEW_DISMISSED, ANN, is_open=is_open, requester_id=MARIA, participant_ids=[JON, EVE], affected_ids=[JON]
    )
    assert audience(facts) == {JON: Why.TOOK_PART}


def test_a_check_is_told_to_who_asked_when_it_fails_and_not_otherwise() -> None:
    assert audience(Facts(Kind.CHECK_POSTED, JON, requester_id=MARIA, has_failed=True)) == {MARIA: Why.ASKED}
    assert audience(Facts(Kind.CHECK_POSTED, JON, requester_id=MARIA)) == {}


def test_a_comment_is_told_to_all_who_took_part() -> None:
    facts = Facts(Kind.COMMENT_CREATED, MARIA, requester_id=MARIA, participant_ids=[MARIA, JON], follower_ids=[JON])
    assert audience(facts) == {JON: Why.TOOK_PART}


def test_a_comment_that_is_changed_is_told_to_those_whom_it_mentions_now() -> None:
    facts = Facts(Kind.COMMENT_UPDATED, MARIA, requester_id=ANN, participant_ids=[JON], mentioned_ids=[EVE])
    assert audience(facts) == {EVE: Why.MENTIONED}


def test_a_bypass_is_told_to_managers() -> None:
    told = audience(Facts(Kind.STAGE_BYPASSED, actor_id=EVE, manager_ids=[MARIA, EVE], follower_ids=[JON, MARIA]))
    assert told == {MARIA: Why.MANAGES, JON: Why.FOLLOWS}


def test_of_several_reasons_the_weightiest_counts() -> None:
    everybody = {"decider_ids": [JON], "mentioned_ids": [JON, ANN], "follower_ids": [JON, ANN, EVE]}
    told = audience(Facts(Kind.REQUEST_CREATED, actor_id=MARIA, requester_id=MARIA, **everybody))
    assert told == {JON: Why.MAY_DECIDE, ANN: Why.MENTIONED, EVE: Why.FOLLOWS}


def test_a_move_by_a_request_is_told_with_its_approval() -> None:
    moved = {"actor_id": JON, "follower_ids": [EVE]}
    assert audience(Facts(Kind.VERSION_STAGE_CHANGED, **moved)) == {EVE: Why.FOLLOWS}
    assert audience(Facts(Kind.VERSION_STAGE_CHANGED, is_of_request=True, **moved)) == {}


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in TOLD])
def test_of_everything_else_nobody_is_told(kind: Kind) -> None:
    facts = Facts(kind, EVE, requester_id=MARIA, decider_ids=[JON], mentioned_ids=[ANN], follower_ids=[JON])
    assert audience(facts) == {}


def test_what_is_meant_for_somebody_is_mailed_at_once_and_the_rest_once_a_day() -> None:
    assert {why: usual_way(why) for why in Why} == dict.fromkeys(Why, Way.AT_ONCE) | {Why.FOLLOWS: Way.DAILY}


# -- mentions ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@jon please look", ("jon",)),
        ("ask @jon, (@ann) or **@eve**.", ("jon", "ann", "eve")),
        ("@jon.weber. And @jon.weber again", ("jon.weber",)),
        ("@ana-maria+ci_1!", ("ana-maria+ci_1",)),
        ("write to jon@example.org or x/@jon or @@jon", ()),
        ("`@jon` and\n```\n@ann\n```\nbut @eve", ("eve",)),
        ("``` @jon never closed", ()),
        ("an @ alone, @. and @-", ()),
        ("@jürgen", ("jürgen",)),
        ("", ()),
    ],
)
def test_people_are_mentioned_by_an_at_sign(text: str, names: tuple[str, ...]) -> None:
    assert tuple(mentions(text)) == names


def test_a_text_mentions_no_crowd() -> None:
    assert len(mentions(" ".join(f"@p{number}" for number in range(1000)))) == 50
