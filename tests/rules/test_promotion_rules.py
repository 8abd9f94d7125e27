"""The law of promotion, word for word: no database, no clock."""

import pytest

from registry_site.accounts.levels import Level
from registry_site.core.errors import InvalidParameter
from registry_site.promotion.comparison import Change, Row, compare
from registry_site.promotion.gates import Gate, GateType
from registry_site.promotion.rules import (
    Outcome,
    Policy,
    RequestState,
    ReviewFact,
    Verdict,
    WhenOccupied,
    decide,
    default_policy,
    level_to_decide,
    policy_of_arrival,
)
from registry_site.registry.stages import Stage, level_to_move, parse_stage

MARIA, JON, KIM = 1, 2, 3
APPROVE, REJECT = Verdict.APPROVE, Verdict.REJECT
SCAN, DESCRIBED = Gate(GateType.SCAN), Gate(GateType.DESCRIPTION)
TWO_APPROVALS = Policy(protected=True, required_approvals=2)


def outcome(policy: Policy, *reviews: tuple[int | None, Verdict], requester: int = MARIA) -> Outcome:
    return decide(policy, requester, [ReviewFact(who, verdict) for who, verdict in reviews])


# -- copies ------------------------------------------------------------------------------------------------------------
def test_of_the_stage_and_the_first_one_the_stricter_policy_binds_a_copy() -> None:
    loose, strict = Policy(when_occupied=WhenOccupied.ASK), Policy(True, 3, expires_after_days=5, gates=(SCAN,))
    own = Policy(True, 2, allow_self_approval=True, expires_after_days=9, gates=(SCAN, DESCRIBED))
    assert policy_of_arrival(loose, Policy()) == loose
    assert policy_of_arrival(loose, strict) == Policy(
        True, 3, when_occupied=WhenOccupied.ASK, expires_after_days=5, gates=(SCAN,)
    )
    assert policy_of_arrival(own, strict) == Policy(True, 3, expires_after_days=5, gates=(SCAN, DESCRIBED))
    assert policy_of_arrival(own, Policy()) == own
    lasting = Policy(True, dismiss_stale_approvals=False)
    assert not policy_of_arrival(lasting, Policy()).dismiss_stale_approvals
    assert policy_of_arrival(lasting, strict).dismiss_stale_approvals


# -- stages and levels -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("typed", "stage"),
    [
        ("production", Stage.PRODUCTION),
        ("STAGING", Stage.STAGING),
        (" Archived ", Stage.ARCHIVED),
        ("nOnE", Stage.NONE),
    ],
)
def test_a_stage_is_known_in_any_letter_case(typed: str, stage: Stage) -> None:
    assert parse_stage(typed) is stage


@pytest.mark.parametrize("typed", ["", "Prod", "Production2", "Stage.PRODUCTION"])
def test_any_other_word_is_refused_with_the_four_that_there_are(typed: str) -> None:
    with pytest.raises(InvalidParameter) as told:
        parse_stage(typed)
    assert told.value.message == (
        f"Invalid Model Version stage: {typed}. Value must be one of None, Staging, Production, Archived."
    )


@pytest.mark.parametrize("other", [Stage.NONE, Stage.STAGING, Stage.ARCHIVED])
def test_to_leave_production_takes_the_level_that_entering_it_takes(other: Stage) -> None:
    assert level_to_move(other, Stage.PRODUCTION) is Level.CAN_MANAGE_PRODUCTION_VERSIONS
    assert level_to_move(Stage.PRODUCTION, other) is Level.CAN_MANAGE_PRODUCTION_VERSIONS


def test_among_the_other_stages_the_staging_level_is_enough() -> None:
    assert level_to_move(Stage.NONE, Stage.STAGING) is Level.CAN_MANAGE_STAGING_VERSIONS
    assert level_to_move(Stage.STAGING, Stage.ARCHIVED) is Level.CAN_MANAGE_STAGING_VERSIONS


def test_an_occupant_that_goes_to_production_raises_the_level_of_the_whole_move() -> None:
    assert level_to_decide(Stage.NONE, Stage.STAGING) is Level.CAN_MANAGE_STAGING_VERSIONS
    assert level_to_decide(Stage.NONE, Stage.STAGING, Stage.ARCHIVED) is Level.CAN_MANAGE_STAGING_VERSIONS
    assert level_to_decide(Stage.NONE, Stage.STAGING, Stage.PRODUCTION) is Level.CAN_MANAGE_PRODUCTION_VERSIONS


# -- policies ----------------------------------------------------------------------------------------------------------
def test_without_a_policy_production_asks_about_its_occupant_and_the_others_share() -> None:
    assert default_policy(Stage.PRODUCTION) == Policy(when_occupied=WhenOccupied.ASK)
    for stage in (Stage.NONE, Stage.STAGING, Stage.ARCHIVED):
        assert default_policy(stage) == Policy(when_occupied=WhenOccupied.SHARE)


def test_a_stage_that_asks_or_archives_admits_one_version_and_a_shared_one_any_number() -> None:
    assert Policy(when_occupied=WhenOccupied.ASK).is_exclusive
    assert Policy(when_occupied=WhenOccupied.ARCHIVE).is_exclusive
    assert not Policy(when_occupied=WhenOccupied.SHARE).is_exclusive


# -- decisions ---------------------------------------------------------------------------------------------------------
def test_without_reviews_a_request_is_pending() -> None:
    assert outcome(Policy()) == Outcome(RequestState.PENDING, approvals=0, missing=1)


def test_one_approval_is_enough_where_the_stage_is_not_protected() -> None:
    assert outcome(Policy(), (JON, APPROVE)) == Outcome(RequestState.APPROVED, approvals=1, missing=0)


def test_there_the_number_that_a_policy_asks_for_does_not_count() -> None:
    assert outcome(Policy(required_approvals=3), (JON, APPROVE)).state is RequestState.APPROVED


def test_a_protected_stage_waits_for_as_many_as_the_policy_asks_for() -> None:
    assert outcome(TWO_APPROVALS, (JON, APPROVE)) == Outcome(RequestState.PENDING, approvals=1, missing=1)
    assert outcome(TWO_APPROVALS, (JON, APPROVE), (KIM, APPROVE)) == Outcome(RequestState.APPROVED, 2, 0)


def test_one_person_counts_once_whatever_door_the_approvals_came_through() -> None:
    assert outcome(TWO_APPROVALS, (JON, APPROVE), (JON, APPROVE)) == Outcome(RequestState.PENDING, 1, 1)


def test_ones_own_approval_never_counts_in_a_protected_stage() -> None:
    assert outcome(Policy(protected=True), (MARIA, APPROVE)) == Outcome(RequestState.PENDING, 0, 1)
    assert outcome(TWO_APPROVALS, (MARIA, APPROVE), (JON, APPROVE)) == Outcome(RequestState.PENDING, 1, 1)


def test_unless_its_policy_allows_that() -> None:
    policy = Policy(protected=True, allow_self_approval=True)
    assert outcome(policy, (MARIA, APPROVE)).state is RequestState.APPROVED


def test_where_nothing_is_protected_ones_own_approval_counts_as_one_could_have_moved_the_version_anyway() -> None:
    assert outcome(Policy(), (MARIA, APPROVE)).state is RequestState.APPROVED


def test_one_rejection_ends_a_request_whatever_others_say() -> None:
    assert outcome(TWO_APPROVALS, (JON, APPROVE), (KIM, APPROVE), (4, REJECT)).state is RequestState.REJECTED


# -- side by side ------------------------------------------------------------------------------------------------------
def test_metrics_are_compared_by_name_with_a_signed_difference_and_no_judgement() -> None:
    rows = compare({"auc": 0.912, "loss": 0.3, "old": 1.0}, {"auc": 0.929, "loss": 0.3, "new": 2.0})
    assert [(row.name, row.change) for row in rows] == [
        ("auc", Change.CHANGED),
        ("loss", Change.SAME),
        ("new", Change.ADDED),
        ("old", Change.REMOVED),
    ]
    assert [row.signed for row in rows] == ["+0.017", "+0", "", ""]
    assert compare({"latency": 16.63}, {"latency": 16.38})[0].signed == "−0.25"


def test_two_that_are_no_number_are_the_same_and_one_has_no_difference() -> None:
    nan = float("nan")
    assert compare({"loss": nan}, {"loss": nan})[0].change is Change.SAME
    (row,) = compare({"loss": 1.0}, {"loss": nan})
    assert (row.change, row.delta, row.signed) == (Change.CHANGED, None, "")


def test_params_are_texts_and_have_no_difference() -> None:
    assert compare({"depth": "3"}, {"depth": "4"}) == [Row("depth", "3", "4", Change.CHANGED)]
    assert compare({"depth": "3"}, {"depth": "3"}) == [Row("depth", "3", "3", Change.SAME)]
