"""What must be decided once is decided once, whoever comes at the same moment: real threads, real connections."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import pytest
from django.db import connection

from registry_site.accounts.actors import Actor, person
from registry_site.accounts.levels import Level
from registry_site.audit.kinds import Kind, Origin
from registry_site.audit.models import Activity, OutboxEntry
from registry_site.audit.verify import verify
from registry_site.core.errors import AlreadyExists, Conflict, NotFound, PodiumError
from registry_site.promotion.deciding import approve, reject
from registry_site.promotion.deleting import delete_model, delete_version
from registry_site.promotion.models import Review, TransitionRequest
from registry_site.promotion.rules import RequestState
from registry_site.promotion.services import request_transition, transition
from registry_site.registry.models import ModelVersion, RegisteredModel
from registry_site.registry.services import create_model, create_version, set_version_tag
from registry_site.registry.stages import Stage
from tests.make import make_model, make_run, make_user, make_version

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 5
RACERS = 8
Result = TypeVar("Result")


def at_once(acts: Sequence[Callable[[], Result]]) -> list[Result | PodiumError]:
    """Do all of them at the same moment, each in a thread with a connection of its own; what each returned or was told.

    Whatever is not one of Podium's own errors ends the test: "database is locked" is no answer.
    """
    start = threading.Barrier(len(acts), timeout=30)

    def act(do: Callable[[], Result]) -> Result | PodiumError:
        try:
            start.wait()
            return do()
        except PodiumError as told:
            return told
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as racers:
        return list(racers.map(act, acts))


def reviewers(count: int) -> list[Actor]:
    return [
        person(make_user(f"reviewer{number}", level=Level.CAN_MANAGE_PRODUCTION_VERSIONS), Origin.REST)
        for number in range(count)
    ]


def occupants(name: str) -> list[int]:
    return list(
        ModelVersion.objects.filter(registered_model__name=name, current_stage=Stage.PRODUCTION).values_list(
            "version", flat=True
        )
    )


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_one_approves_and_one_rejects_at_the_same_moment_and_one_of_them_is_told(
    round_: int, maria_actor: Actor
) -> None:
    jon, kim = reviewers(2)
    make_version(maria_actor, "churn")
    number = request_transition(maria_actor, name="churn", version=1, to_stage=Stage.PRODUCTION).number

    outcomes = at_once(
        [
            lambda: approve(jon, name="churn", number=number, comment="good"),
            lambda: reject(kim, name="churn", number=number, comment="not yet"),
        ]
    )

    (told,) = [outcome for outcome in outcomes if isinstance(outcome, PodiumError)]
    assert isinstance(told, Conflict)
    request = TransitionRequest.objects.get(number=number)
    was_approved = isinstance(outcomes[1], Conflict)
    state = RequestState.APPROVED if was_approved else RequestState.REJECTED
    assert request.state == state
    assert state.value in told.message
    assert occupants("churn") == ([1] if was_approved else [])
    assert Review.objects.count() == 1
    verdicts = Activity.objects.filter(kind__in=[Kind.REQUEST_APPROVED, Kind.REQUEST_REJECTED])
    assert [verdict.actor_name for verdict in verdicts] == [(jon if was_approved else kim).name]
    assert OutboxEntry.objects.filter(activity=verdicts[0]).count() == 1
    assert Activity.objects.filter(kind=Kind.VERSION_STAGE_CHANGED).count() == was_approved


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_eight_versions_race_for_production_and_one_gets_in(round_: int, maria_actor: Actor, jon_actor: Actor) -> None:
    run = make_run(maria_actor)
    for _ in range(RACERS):
        make_version(maria_actor, "churn", run=run)

    outcomes = at_once(
        [
            lambda version=version: transition(jon_actor, name="churn", version=version, to_stage=Stage.PRODUCTION)
            for version in range(1, RACERS + 1)
        ]
    )

    (winner,) = [outcome for outcome in outcomes if isinstance(outcome, ModelVersion)]
    assert occupants("churn") == [winner.version]
    told = [outcome for outcome in outcomes if isinstance(outcome, PodiumError)]
    assert {type(error) for error in told} == {Conflict}
    assert {error.message for error in told} == {
        f"churn version {winner.version} is in Production, which admits one version. "
        "Archive it with archive_existing_versions=true, or say which stage it moves to."
    }
    assert Activity.objects.filter(kind=Kind.VERSION_STAGE_CHANGED).count() == 1


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_eight_requests_are_approved_at_once_and_the_last_one_stands_in_production(
    round_: int, maria_actor: Actor
) -> None:
    deciders = reviewers(RACERS)
    run = make_run(maria_actor)
    numbers = []
    for _ in range(RACERS):
        version = make_version(maria_actor, "churn", run=run).version
        numbers.append(request_transition(maria_actor, name="churn", version=version, to_stage=Stage.PRODUCTION).number)

    outcomes = at_once(
        [
            lambda decider=decider, number=number: approve(decider, name="churn", number=number)
            for decider, number in zip(deciders, numbers, strict=True)
        ]
    )

    assert [type(outcome) for outcome in outcomes] == [TransitionRequest] * RACERS
    moves = Activity.objects.filter(kind=Kind.VERSION_STAGE_CHANGED).order_by("pk")
    entered = [move.version for move in moves if move.data["to_stage"] == Stage.PRODUCTION]
    assert sorted(entered) == list(range(1, RACERS + 1))
    assert occupants("churn") == [entered[-1]]
    left = [move.version for move in moves if move.data["to_stage"] == Stage.ARCHIVED]
    assert left == entered[:-1], "each one is archived by the one that comes after it"


def test_eight_requests_for_the_same_move_leave_one(maria_actor: Actor) -> None:
    make_version(maria_actor, "churn")

    outcomes = at_once(
        [
            lambda: request_transition(maria_actor, name="churn", version=1, to_stage=Stage.STAGING)
            for _ in range(RACERS)
        ]
    )

    (made,) = [outcome for outcome in outcomes if isinstance(outcome, TransitionRequest)]
    told = [outcome for outcome in outcomes if isinstance(outcome, PodiumError)]
    assert {type(error) for error in told} == {AlreadyExists}
    assert made.number == 1
    assert TransitionRequest.objects.count() == 1


def test_two_approvals_are_needed_and_the_second_one_moves_the_version_once(maria_actor: Actor) -> None:
    policy = {"protected": True, "required_approvals": 2, "when_occupied": "ask"}
    make_version(maria_actor, "churn")
    RegisteredModel.objects.get().stage_policies.create(stage=Stage.PRODUCTION, **policy)
    number = request_transition(maria_actor, name="churn", version=1, to_stage=Stage.PRODUCTION).number
    jon, kim = reviewers(2)

    at_once([lambda: approve(jon, name="churn", number=number), lambda: approve(kim, name="churn", number=number)])

    assert TransitionRequest.objects.get().state == RequestState.APPROVED
    assert occupants("churn") == [1]
    assert Activity.objects.filter(kind=Kind.VERSION_STAGE_CHANGED).count() == 1


def test_versions_made_at_once_are_numbered_without_gaps_or_doubles(maria_actor: Actor) -> None:
    run = make_run(maria_actor)
    create_model(maria_actor, name="churn")

    made = at_once(
        [lambda: create_version(maria_actor, name="churn", source=f"runs:/{run.run_id}/model") for _ in range(RACERS)]
    )

    assert sorted(version.version for version in made if isinstance(version, ModelVersion)) == list(
        range(1, RACERS + 1)
    )


def test_a_model_made_by_eight_at_once_is_made_once(maria_actor: Actor) -> None:
    outcomes = at_once([lambda: create_model(maria_actor, name="churn") for _ in range(RACERS)])

    assert sum(isinstance(outcome, RegisteredModel) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, AlreadyExists) for outcome in outcomes) == RACERS - 1
    assert RegisteredModel.objects.get().grants.count() == 1


# -- copies ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("round_", range(ROUNDS))
def test_many_approvals_of_one_copy_make_one_version(round_: int, maria_actor: Actor) -> None:
    people = reviewers(RACERS)
    make_model(maria_actor, "live.churn")
    make_version(maria_actor, "churn")
    request_transition(maria_actor, name="churn", version=1, to_stage=Stage.PRODUCTION, copy_to="live.churn")

    outcomes = at_once([partial(approve, one, name="churn", number=1) for one in people])

    losers = [outcome for outcome in outcomes if isinstance(outcome, PodiumError)]
    assert len(losers) == RACERS - 1
    assert all("already approved" in told.message for told in losers)
    assert occupants("live.churn") == [1]
    assert ModelVersion.objects.filter(registered_model__name="live.churn").count() == 1
    assert Activity.objects.filter(kind=Kind.VERSION_COPIED).count() == 1


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_copies_in_both_directions_and_deletes_wait_for_each_other_and_not_for_ever(
    round_: int, maria_actor: Actor
) -> None:
    """Whoever locks two models locks them in one order, whichever is the source."""
    jon, kim, lou = reviewers(3)
    for name in ("a", "b"):
        make_version(maria_actor, name)
        make_version(maria_actor, name)
    there, back = (
        request_transition(maria_actor, name=source, version=1, to_stage=Stage.STAGING, copy_to=target)
        for source, target in (("a", "b"), ("b", "a"))
    )
    request_transition(maria_actor, name="a", version=2, to_stage=Stage.STAGING, copy_to="b")

    outcomes = at_once(
        [
            lambda: approve(jon, name="a", number=there.number),
            lambda: approve(kim, name="b", number=back.number),
            lambda: approve(lou, name="a", number=2),
            lambda: set_version_tag(maria_actor, name="a", version=1, key="team", value="risk"),
            lambda: delete_model(maria_actor, name="b"),
            lambda: delete_version(maria_actor, name="a", version=2),
        ]
    )

    gone = not RegisteredModel.objects.filter(name="b").exists()
    for outcome in outcomes:
        assert not isinstance(outcome, PodiumError) or isinstance(outcome, AlreadyExists | Conflict | NotFound)
    assert not TransitionRequest.objects.filter(state=RequestState.PENDING, copy_to__isnull=True).exclude(
        copy_to_name=""
    )
    if gone:
        assert not TransitionRequest.objects.filter(registered_model__name="a", state=RequestState.PENDING).exists()
    copied = Activity.objects.filter(kind=Kind.VERSION_COPIED).count()
    approved = Activity.objects.filter(kind=Kind.REQUEST_APPROVED).count()
    assert copied == approved
    assert verify().broken is None
