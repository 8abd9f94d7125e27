"""Moving versions: who may, what becomes of the occupant, and how a request ends. In the words of the rules."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from pytest_django import Settings

from registry_site.accounts.actors import Actor, person
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.audit.kinds import Kind, Origin
from registry_site.audit.models import Activity, OutboxEntry
from registry_site.core.errors import (
    AlreadyExists,
    Conflict,
    InvalidParameter,
    NotFound,
    NotSignedIn,
    PermissionDenied,
    PodiumError,
)
from registry_site.promotion import deciding, deleting, looking_ahead, queries, services, setting_policies, standing
from registry_site.promotion.models import Review, StagePolicy, TransitionRequest
from registry_site.promotion.policies import policies_in_force
from registry_site.promotion.queries import Role
from registry_site.promotion.rules import OccupantDecision, Policy, RequestState, WhenOccupied
from registry_site.registry.models import ModelVersion, RegisteredModel
from registry_site.registry.services import rename_model
from registry_site.registry.stages import Stage
from tests.make import grant, make_model, make_run, make_user, make_version

NONE, STAGING, PRODUCTION, ARCHIVED = Stage.NONE, Stage.STAGING, Stage.PRODUCTION, Stage.ARCHIVED
MADE = (Kind.EXPERIMENT_CREATED, Kind.MODEL_CREATED, Kind.VERSION_CREATED)
TWO_APPROVALS = Policy(protected=True, required_approvals=2, when_occupied=WhenOccupied.ASK)
MOVE_TO_PRODUCTION = {"occupant_decision": OccupantDecision.MOVE, "occupant_to": PRODUCTION}
PROTECTED = Policy(protected=True, when_occupied=WhenOccupied.ASK)


@pytest.fixture(autouse=True)
def churn(maria_actor: Actor) -> RegisteredModel:
    """Maria's model `churn`, which has three versions."""
    run = make_run(maria_actor)
    for _ in range(3):
        make_version(maria_actor, "churn", run=run)
    return RegisteredModel.objects.get(name="churn")


@pytest.fixture
def staging_actor(db: None) -> Actor:
    """Lee, who may move versions among the lower stages."""
    return person(make_user("lee", level=Level.CAN_MANAGE_STAGING_VERSIONS), Origin.REST)


@pytest.fixture
def kim_actor(db: None) -> Actor:
    return person(make_user("kim", level=Level.CAN_MANAGE_PRODUCTION_VERSIONS), Origin.REST)


def move(actor: Actor, version: int, stage: Stage, **more: Any) -> ModelVersion:
    return services.transition(actor, name="churn", version=version, to_stage=stage, **more)


def ask(actor: Actor, version: int = 1, stage: Stage = PRODUCTION, **more: Any) -> TransitionRequest:
    return services.request_transition(actor, name="churn", version=version, to_stage=stage, **more)


def stages() -> list[str]:
    return list(ModelVersion.objects.order_by("version").values_list("current_stage", flat=True))


def lines() -> QuerySet[Activity]:
    """What happened after `churn` was made."""
    return Activity.objects.exclude(kind__in=MADE).order_by("pk")


def history() -> list[str]:
    return list(lines().values_list("kind", flat=True))


def refusal(error: type[PodiumError], act: Callable[[], object]) -> str:
    """What the actor is told."""
    with pytest.raises(error) as told:
        act()
    return told.value.message


def protect(admin: Actor, policy: Policy = PROTECTED, stage: Stage = PRODUCTION) -> None:
    setting_policies.set_policy(admin, stage=stage, policy=policy)


# -- moving directly ---------------------------------------------------------------------------------------------------
def test_whoever_holds_the_level_moves_a_version_and_history_has_one_line_and_one_outbox_entry(
    jon_actor: Actor,
) -> None:
    moved = move(jon_actor, 1, PRODUCTION, comment="shadow run is fine")
    assert moved.current_stage == "Production"
    assert stages() == ["Production", "None", "None"]
    (line,) = lines()
    assert (line.kind, line.actor_name, line.version, line.comment, line.origin) == (
        Kind.VERSION_STAGE_CHANGED,
        "jon",
        1,
        "shadow run is fine",
        Origin.REST,
    )
    assert (line.data["from_stage"], line.data["to_stage"]) == ("None", "Production")
    assert OutboxEntry.objects.filter(activity=line).count() == 1


def test_below_the_level_one_is_told_where_to_ask(eve_actor: Actor) -> None:
    assert refusal(PermissionDenied, lambda: move(eve_actor, 1, PRODUCTION)) == (
        "Moving churn version 1 from None to Production needs CAN_MANAGE_PRODUCTION_VERSIONS, which eve does not have. "
        "Request the transition at http://127.0.0.1:5000/models/churn/requests/new?version=1&to=Production"
    )
    assert stages() == ["None", "None", "None"]
    assert history() == []


def test_nobody_below_the_production_level_pulls_a_version_out_of_production(
    jon_actor: Actor, staging_actor: Actor
) -> None:
    move(jon_actor, 1, PRODUCTION)
    for stage in (NONE, STAGING, ARCHIVED):
        assert "needs CAN_MANAGE_PRODUCTION_VERSIONS, which lee does not have" in refusal(
            PermissionDenied, lambda stage=stage: move(staging_actor, 1, stage)
        )
    assert stages() == ["Production", "None", "None"]


def test_the_staging_level_moves_among_the_other_stages(staging_actor: Actor) -> None:
    move(staging_actor, 1, STAGING)
    move(staging_actor, 1, ARCHIVED)
    assert stages()[0] == "Archived"


def test_the_staging_level_puts_no_occupant_into_production_on_the_side(staging_actor: Actor) -> None:
    move(staging_actor, 1, STAGING)
    told = refusal(PermissionDenied, lambda: move(staging_actor, 2, STAGING, occupant_to=PRODUCTION))
    assert "needs CAN_MANAGE_PRODUCTION_VERSIONS, which lee does not have" in told
    assert stages() == ["Staging", "None", "None"]


def test_an_occupied_production_is_refused_with_the_occupant_and_both_ways_out(jon_actor: Actor) -> None:
    move(jon_actor, 1, PRODUCTION)
    assert refusal(Conflict, lambda: move(jon_actor, 2, PRODUCTION)) == (
        "churn version 1 is in Production, which admits one version. Archive it with archive_existing_versions=true, "
        "or say which stage it moves to."
    )
    assert stages() == ["Production", "None", "None"]


def test_the_occupant_is_archived_or_moved_as_the_decision_says(jon_actor: Actor) -> None:
    move(jon_actor, 1, PRODUCTION)
    move(jon_actor, 2, PRODUCTION, archive_existing=True)
    assert stages() == ["Archived", "Production", "None"]
    move(jon_actor, 3, PRODUCTION, occupant_to=STAGING)
    assert stages() == ["Archived", "Staging", "Production"]


def test_why_the_occupant_left_is_in_its_own_line_of_history(jon_actor: Actor) -> None:
    move(jon_actor, 1, PRODUCTION)
    move(jon_actor, 2, PRODUCTION, archive_existing=True)
    left, entered = Activity.objects.order_by("-pk")[:2][::-1]
    cause = "version 2 moved to Production"
    assert (left.version, left.data["to_stage"], left.data["cause"]) == (1, "Archived", cause)
    assert (entered.version, entered.data["to_stage"], entered.data["cause"]) == (2, "Production", "")


def test_an_occupant_cannot_be_moved_to_where_it_is(jon_actor: Actor) -> None:
    move(jon_actor, 1, PRODUCTION)
    assert refusal(InvalidParameter, lambda: move(jon_actor, 2, PRODUCTION, occupant_to=PRODUCTION)) == (
        "Say which stage other than Production the occupant moves to."
    )
    assert stages() == ["Production", "None", "None"]


def test_staging_is_shared_and_archives_only_when_told(jon_actor: Actor) -> None:
    move(jon_actor, 1, STAGING)
    move(jon_actor, 2, STAGING)
    assert stages() == ["Staging", "Staging", "None"]
    move(jon_actor, 3, STAGING, archive_existing=True)
    assert stages() == ["Archived", "Archived", "Staging"]


def test_archive_existing_only_goes_with_the_active_stages(jon_actor: Actor) -> None:
    assert refusal(InvalidParameter, lambda: move(jon_actor, 1, ARCHIVED, archive_existing=True)) == (
        "archive_existing_versions only goes with Staging and Production, not with Archived."
    )


def test_moving_to_where_the_version_is_changes_nothing_records_nothing_and_succeeds(
    jon_actor: Actor, eve_actor: Actor
) -> None:
    move(jon_actor, 1, PRODUCTION)
    before = ModelVersion.objects.get(version=1).last_updated_timestamp
    assert move(eve_actor, 1, PRODUCTION).current_stage == "Production"
    assert ModelVersion.objects.get(version=1).last_updated_timestamp == before
    assert history() == [Kind.VERSION_STAGE_CHANGED]


def test_into_a_protected_stage_even_a_manager_needs_a_request(maria_actor: Actor, admin_actor: Actor) -> None:
    protect(admin_actor)
    for actor in (maria_actor, admin_actor):
        assert refusal(PermissionDenied, lambda actor=actor: move(actor, 1, PRODUCTION)) == (
            "Production is protected: moving churn version 1 from None to Production needs an approved request. "
            "Request the transition at http://127.0.0.1:5000/models/churn/requests/new?version=1&to=Production"
        )


def test_no_occupant_is_moved_into_a_protected_stage_on_the_side(jon_actor: Actor, admin_actor: Actor) -> None:
    move(jon_actor, 1, PRODUCTION)
    protect(admin_actor, Policy(protected=True), STAGING)
    assert refusal(PermissionDenied, lambda: move(jon_actor, 2, PRODUCTION, occupant_to=STAGING)) == (
        "Staging is protected: the occupant cannot be moved there on the side."
    )
    assert stages() == ["Production", "None", "None"], "nothing is half-done"


def test_a_policy_that_archives_asks_nobody(jon_actor: Actor, admin_actor: Actor) -> None:
    protect(admin_actor, Policy(when_occupied=WhenOccupied.ARCHIVE))
    move(jon_actor, 1, PRODUCTION)
    move(jon_actor, 2, PRODUCTION)
    assert stages() == ["Archived", "Production", "None"]


def test_the_database_itself_refuses_a_second_occupant(jon_actor: Actor) -> None:
    move(jon_actor, 1, PRODUCTION)
    second = ModelVersion.objects.get(version=2)
    second.current_stage, second.is_sole_occupant = "Production", True
    with pytest.raises(IntegrityError), transaction.atomic():
        second.save()


def test_unknown_versions_and_models_and_strangers(jon_actor: Actor, stranger_actor: Actor) -> None:
    assert refusal(NotFound, lambda: move(jon_actor, 9, STAGING)) == ("Model Version (name=churn, version=9) not found")
    with pytest.raises(NotSignedIn):
        move(stranger_actor, 1, STAGING)


# -- asking ------------------------------------------------------------------------------------------------------------
def test_whoever_reads_the_model_may_ask_and_nothing_moves_yet(eve_actor: Actor) -> None:
    request = ask(eve_actor, comment="Half the size.")
    assert (str(request), request.state, request.from_stage, request.to_stage) == (
        "churn#1",
        "pending",
        "None",
        "Production",
    )
    assert stages() == ["None", "None", "None"]
    (line,) = lines()
    assert (line.kind, line.request_number, line.version, line.comment) == (
        Kind.REQUEST_CREATED,
        1,
        1,
        "Half the size.",
    )


def test_somebody_who_may_not_see_the_model_is_told_that_there_is_none(eve_actor: Actor, settings: Settings) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    assert refusal(NotFound, lambda: ask(eve_actor)) == "Model Version (name=churn, version=1) not found"
    assert refusal(NotFound, lambda: ask(eve_actor, version=9)) == "Model Version (name=churn, version=9) not found"


def test_numbers_are_the_models_own_and_never_come_back(maria_actor: Actor, jon_actor: Actor) -> None:
    make_version(maria_actor, "fraud")
    assert [ask(maria_actor, version).number for version in (1, 2)] == [1, 2]
    assert services.request_transition(maria_actor, name="fraud", version=1, to_stage=STAGING).number == 1
    deciding.cancel(maria_actor, name="churn", number=2)
    assert ask(maria_actor, 2).number == 3


def test_at_most_one_request_is_pending_for_a_version_and_stage_and_the_second_points_to_it(
    maria_actor: Actor, eve_actor: Actor
) -> None:
    ask(eve_actor)
    assert refusal(AlreadyExists, lambda: ask(maria_actor)) == (
        "Request churn#1 by eve already asks to move version 1 to Production: see "
        "http://127.0.0.1:5000/models/churn/requests/1"
    )
    assert ask(maria_actor, stage=STAGING).number == 2, "another stage is another question"
    assert ask(maria_actor, version=2).number == 3, "and so is another version"


def test_nobody_asks_for_the_stage_that_the_version_is_in(maria_actor: Actor, jon_actor: Actor) -> None:
    move(jon_actor, 1, PRODUCTION)
    assert refusal(InvalidParameter, lambda: ask(maria_actor)) == "churn version 1 is already in Production."


def test_a_stage_for_one_needs_a_decision_about_its_occupant(maria_actor: Actor) -> None:
    assert refusal(InvalidParameter, lambda: ask(maria_actor, occupant_decision=OccupantDecision.KEEP)) == (
        "Production admits one version: say whether its occupant is archived or moved."
    )
    assert refusal(InvalidParameter, lambda: ask(maria_actor, occupant_decision=OccupantDecision.MOVE)) == (
        "Say which stage other than Production the occupant moves to."
    )


def test_an_occupant_that_would_go_to_a_protected_stage_is_refused_when_one_asks_and_not_when_one_approves(
    maria_actor: Actor, admin_actor: Actor
) -> None:
    protect(admin_actor, Policy(protected=True), STAGING)
    told = refusal(
        InvalidParameter,
        lambda: ask(maria_actor, occupant_decision=OccupantDecision.MOVE, occupant_to=STAGING),
    )
    assert told == "Staging is protected: the occupant cannot be moved there on the side. Choose another stage."


def test_without_a_decision_the_occupant_is_archived_where_there_is_room_for_one_and_stays_elsewhere(
    maria_actor: Actor,
) -> None:
    assert ask(maria_actor).occupant_decision == "archive"
    assert ask(maria_actor, stage=STAGING).occupant_decision == "keep"


def test_a_comment_has_a_limit(maria_actor: Actor) -> None:
    assert refusal(InvalidParameter, lambda: ask(maria_actor, comment="x" * 65_536)) == (
        "A comment has 65535 characters at most."
    )


# -- deciding ----------------------------------------------------------------------------------------------------------
def test_an_approval_moves_the_version_in_the_same_act_and_archives_the_occupant(
    maria_actor: Actor, jon_actor: Actor
) -> None:
    move(jon_actor, 1, PRODUCTION)
    ask(maria_actor, 2)
    before = lines().count()
    request = deciding.approve(jon_actor, name="churn", number=1, comment="go")
    assert (request.state, request.decided_by_name, request.decision_comment) == ("approved", "jon", "go")
    assert stages() == ["Archived", "Production", "None"]
    assert history()[before:] == [
        Kind.REVIEW_GIVEN,
        Kind.REQUEST_APPROVED,
        Kind.VERSION_STAGE_CHANGED,
        Kind.VERSION_STAGE_CHANGED,
    ]
    assert {line.request_number for line in lines()[before:]} == {1}, "all of it is the request's history"
    assert OutboxEntry.objects.count() >= 4


def test_the_occupant_goes_where_the_request_said(maria_actor: Actor, jon_actor: Actor) -> None:
    move(jon_actor, 1, PRODUCTION)
    ask(maria_actor, 2, occupant_decision=OccupantDecision.MOVE, occupant_to=STAGING)
    deciding.approve(jon_actor, name="churn", number=1)
    assert stages() == ["Staging", "Production", "None"]


@pytest.mark.parametrize("says", [None, False])
def test_an_occupant_is_never_archived_where_the_request_leaves_it_and_the_stage_has_come_to_ask(
    says: bool | None, maria_actor: Actor, jon_actor: Actor, admin_actor: Actor
) -> None:
    move(jon_actor, 1, STAGING)
    ask(maria_actor, 2, STAGING)
    protect(admin_actor, Policy(when_occupied=WhenOccupied.ASK), STAGING)
    told = refusal(Conflict, lambda: deciding.approve(jon_actor, name="churn", number=1, archive_existing=says))
    assert told == (
        "churn version 1 is in Staging, which admits one version by now, and churn#1 leaves it there. Cancel the "
        "request, and ask anew with a word about the occupant."
    )
    assert (stages(), Review.objects.count()) == (["Staging", "None", "None"], 0)
    deciding.approve(jon_actor, name="churn", number=1, archive_existing=True)
    assert stages() == ["Archived", "Staging", "None"]


def test_reviewing_is_refused_below_the_level(maria_actor: Actor, eve_actor: Actor, staging_actor: Actor) -> None:
    ask(maria_actor)
    for actor in (eve_actor, staging_actor):
        told = f"To decide churn#1 one needs CAN_MANAGE_PRODUCTION_VERSIONS, which {actor.name} does not have."
        for act in (deciding.approve, deciding.reject):
            said = refusal(PermissionDenied, lambda a=actor, act=act: act(a, name="churn", number=1, comment="x"))
            assert said == told
    assert Review.objects.count() == 0


def test_a_request_that_moves_the_occupant_to_production_needs_the_production_level(
    maria_actor: Actor, staging_actor: Actor
) -> None:
    move(staging_actor, 1, STAGING)
    ask(maria_actor, 2, STAGING, occupant_decision=OccupantDecision.MOVE, occupant_to=PRODUCTION)
    assert "one needs CAN_MANAGE_PRODUCTION_VERSIONS" in refusal(
        PermissionDenied, lambda: deciding.approve(staging_actor, name="churn", number=1)
    )


def test_a_rejection_needs_a_comment_and_ends_the_request(maria_actor: Actor, jon_actor: Actor) -> None:
    ask(maria_actor)
    assert refusal(InvalidParameter, lambda: deciding.reject(jon_actor, name="churn", number=1, comment=" ")) == (
        "Say why: a rejection needs a comment."
    )
    request = deciding.reject(jon_actor, name="churn", number=1, comment="Recall fell.")
    assert (request.state, request.decision_comment) == ("rejected", "Recall fell.")
    assert stages() == ["None", "None", "None"]


@pytest.mark.parametrize("end", ["approve", "reject", "cancel"])
def test_a_decided_request_never_changes_again(end: str, maria_actor: Actor, jon_actor: Actor) -> None:
    ask(maria_actor)
    actor = maria_actor if end == "cancel" else jon_actor
    decided = getattr(deciding, end)(actor, name="churn", number=1, comment="so be it")
    lines = history()
    for act, who in ((deciding.approve, jon_actor), (deciding.reject, jon_actor), (deciding.cancel, maria_actor)):
        assert refusal(Conflict, lambda act=act, who=who: act(who, name="churn", number=1, comment="again")) == (
            f"Request churn#1 is already {decided.state} by {actor.name}; nothing was changed."
        )
    assert history() == lines


def test_a_protected_stage_waits_for_the_second_person(
    maria_actor: Actor, jon_actor: Actor, kim_actor: Actor, admin_actor: Actor
) -> None:
    protect(admin_actor, TWO_APPROVALS)
    ask(maria_actor)
    assert deciding.approve(jon_actor, name="churn", number=1).state == "pending"
    assert deciding.approve(jon_actor, name="churn", number=1).state == "pending", "one person counts once"
    assert stages() == ["None", "None", "None"]
    assert deciding.approve(kim_actor, name="churn", number=1).state == "approved"
    assert stages() == ["Production", "None", "None"]


def test_whoever_asked_cannot_approve_in_a_protected_stage(maria_actor: Actor, admin_actor: Actor) -> None:
    protect(admin_actor)
    ask(maria_actor)
    assert refusal(PermissionDenied, lambda: deciding.approve(maria_actor, name="churn", number=1)) == (
        "maria asked for churn#1 and so cannot approve it: somebody else has to."
    )


def test_unless_the_policy_allows_it(maria_actor: Actor, admin_actor: Actor) -> None:
    protect(admin_actor, Policy(protected=True, allow_self_approval=True, when_occupied=WhenOccupied.ASK))
    ask(maria_actor)
    assert deciding.approve(maria_actor, name="churn", number=1).state == "approved"


def test_the_requester_may_cancel_and_a_manager_only_with_a_reason(
    eve_actor: Actor, maria_actor: Actor, jon_actor: Actor
) -> None:
    ask(eve_actor)
    ask(eve_actor, 2)
    assert deciding.cancel(eve_actor, name="churn", number=1).state == "cancelled"
    with pytest.raises(PermissionDenied):
        deciding.cancel(jon_actor, name="churn", number=2, comment="no")
    assert refusal(InvalidParameter, lambda: deciding.cancel(maria_actor, name="churn", number=2)) == (
        "Say why you cancel somebody else's request."
    )
    assert deciding.cancel(maria_actor, name="churn", number=2, comment="superseded by v3").state == "cancelled"


def test_a_version_that_gets_there_another_way_supersedes_its_request(maria_actor: Actor, jon_actor: Actor) -> None:
    ask(maria_actor)
    ask(maria_actor, stage=STAGING)
    move(jon_actor, 1, PRODUCTION)
    first, second = TransitionRequest.objects.order_by("number")
    assert (first.state, first.decision_comment) == ("superseded", "version 1 is in Production now")
    assert second.state == "pending"


def test_a_deleted_version_supersedes_its_requests_and_they_stay_readable(maria_actor: Actor) -> None:
    ask(maria_actor)
    deleting.delete_version(maria_actor, name="churn", version=1)
    request = queries.get_request(maria_actor, "churn", 1)
    assert (request.state, request.version, request.model_version) == ("superseded", 1, None)


def test_an_unknown_request_is_not_found(jon_actor: Actor) -> None:
    assert refusal(NotFound, lambda: deciding.approve(jon_actor, name="churn", number=7)) == (
        "There is no request churn#7."
    )


def test_a_renamed_model_takes_its_requests_along(maria_actor: Actor, jon_actor: Actor) -> None:
    ask(maria_actor)
    rename_model(maria_actor, name="churn", new_name="churn-2")
    assert deciding.approve(jon_actor, name="churn-2", number=1).state == "approved"


# -- deleting ----------------------------------------------------------------------------------------------------------
def test_a_version_in_a_protected_stage_is_archived_before_it_is_deleted(
    maria_actor: Actor, jon_actor: Actor, admin_actor: Actor
) -> None:
    move(jon_actor, 1, PRODUCTION)
    protect(admin_actor)
    told = "churn version 1 is in Production, which is protected. Archive it first."
    assert refusal(Conflict, lambda: deleting.delete_version(maria_actor, name="churn", version=1)) == told
    assert refusal(Conflict, lambda: deleting.delete_model(maria_actor, name="churn")) == told
    move(jon_actor, 1, ARCHIVED)
    deleting.delete_version(maria_actor, name="churn", version=1)
    assert list(ModelVersion.objects.order_by("version").values_list("version", flat=True)) == [2, 3]


def test_that_goes_for_every_protected_stage(maria_actor: Actor, admin_actor: Actor) -> None:
    protect(admin_actor, Policy(protected=True), NONE)
    told = "churn version 3 is in None, which is protected. Archive it first."
    assert refusal(Conflict, lambda: deleting.delete_version(maria_actor, name="churn", version=3)) == told
    assert refusal(Conflict, lambda: deleting.delete_model(maria_actor, name="churn")) == told


def test_deleting_needs_to_manage_the_model(jon_actor: Actor) -> None:
    assert "This needs CAN_MANAGE on registered model 'churn'" in refusal(
        PermissionDenied, lambda: deleting.delete_version(jon_actor, name="churn", version=1)
    )
    with pytest.raises(PermissionDenied):
        deleting.delete_model(jon_actor, name="churn")


def test_the_number_of_a_deleted_version_is_never_given_again(maria_actor: Actor) -> None:
    deleting.delete_version(maria_actor, name="churn", version=3)
    assert make_version(maria_actor, "churn").version == 4


def test_history_outlives_the_model(maria_actor: Actor) -> None:
    deleting.delete_model(maria_actor, name="churn")
    (line,) = Activity.objects.filter(kind=Kind.MODEL_DELETED)
    assert (line.subject, line.data["versions"]) == ("model churn", 3)


# -- policies ----------------------------------------------------------------------------------------------------------
def test_a_models_own_policy_comes_before_the_sites(maria_actor: Actor, admin_actor: Actor, jon_actor: Actor) -> None:
    protect(admin_actor)
    setting_policies.set_policy(
        maria_actor, stage=PRODUCTION, policy=Policy(when_occupied=WhenOccupied.ASK), name="churn"
    )
    move(jon_actor, 1, PRODUCTION)
    assert stages()[0] == "Production"


def test_the_sites_policies_are_the_administrators_and_a_models_its_managers(
    maria_actor: Actor, jon_actor: Actor
) -> None:
    assert refusal(PermissionDenied, lambda: protect(maria_actor)) == "Only administrators may do this."
    with pytest.raises(PermissionDenied):
        setting_policies.set_policy(jon_actor, stage=PRODUCTION, policy=PROTECTED, name="churn")


def test_a_policy_asks_for_one_approval_at_least(admin_actor: Actor) -> None:
    assert refusal(InvalidParameter, lambda: protect(admin_actor, Policy(required_approvals=0))) == (
        "A protected stage needs one approval at least."
    )


@pytest.mark.parametrize("stage", [NONE, ARCHIVED])
def test_where_versions_begin_and_end_there_is_room_for_any_number(
    stage: Stage, admin_actor: Actor, maria_actor: Actor, jon_actor: Actor
) -> None:
    told = f"{stage} is shared by any number of versions"
    for when_occupied in (WhenOccupied.ASK, WhenOccupied.ARCHIVE):
        policy = Policy(when_occupied=when_occupied)
        assert refusal(InvalidParameter, lambda policy=policy: protect(admin_actor, policy, stage)) == (
            f"{told}: they begin in None and end in Archived."
        )
        StagePolicy.objects.all().delete()
        StagePolicy.objects.create(stage=stage, when_occupied=when_occupied)  # as it could be set once
        assert not policies_in_force(None)[stage][0].is_exclusive
    move(jon_actor, 1, STAGING)
    for decision in ({"occupant_decision": OccupantDecision.ARCHIVE}, MOVE_TO_PRODUCTION):
        assert told in refusal(InvalidParameter, lambda more=decision: ask(maria_actor, 1, stage, **more))
    assert told in refusal(InvalidParameter, lambda: move(jon_actor, 1, stage, occupant_to=PRODUCTION))
    assert history() == [Kind.VERSION_STAGE_CHANGED]


def test_nothing_makes_room_for_what_is_rolled_back_to_none(jon_actor: Actor, eve_actor: Actor) -> None:
    move(jon_actor, 1, STAGING)
    move(jon_actor, 1, NONE)
    move(jon_actor, 1, ARCHIVED)
    asked = services.rollback(eve_actor, name="churn", version=1, to_stage=NONE).request
    assert asked is not None
    assert asked.occupant_decision == "keep"
    services.rollback(jon_actor, name="churn", version=1, to_stage=NONE)
    assert stages() == ["None", "None", "None"]


def test_setting_a_policy_is_history(admin_actor: Actor) -> None:
    protect(admin_actor, TWO_APPROVALS)
    (line,) = lines()
    assert (line.kind, line.data["stage"], line.data["required_approvals"]) == (Kind.POLICY_SET, "Production", 2)


# -- reading -----------------------------------------------------------------------------------------------------------
def numbers(requests: object) -> list[int]:
    return [request.number for request in requests]


def test_a_request_waits_for_those_who_may_decide_and_have_not_reviewed_it(
    maria_actor: Actor, jon_actor: Actor, staging_actor: Actor, eve_actor: Actor, admin_actor: Actor, kim_actor: Actor
) -> None:
    protect(admin_actor, TWO_APPROVALS)
    ask(eve_actor, 1)
    ask(eve_actor, 2, STAGING)
    assert numbers(queries.waiting_for(jon_actor)) == [1, 2]
    assert numbers(queries.waiting_for(staging_actor)) == [2]
    assert numbers(queries.waiting_for(eve_actor)) == [], "one's own request does not wait for oneself"
    deciding.approve(jon_actor, name="churn", number=1)
    assert numbers(queries.waiting_for(jon_actor)) == [2]
    assert queries.count_waiting_for(kim_actor) == 2


def test_to_leave_production_waits_for_the_production_level(jon_actor: Actor, staging_actor: Actor) -> None:
    move(jon_actor, 1, PRODUCTION)
    ask(jon_actor, 1, ARCHIVED)
    assert numbers(queries.waiting_for(staging_actor)) == []


def test_lists_of_requests_are_paged_by_role_and_state(maria_actor: Actor, eve_actor: Actor) -> None:
    for version in (1, 2, 3):
        ask(eve_actor, version)
    deciding.cancel(eve_actor, name="churn", number=2)
    first = queries.browse_requests(maria_actor, role=Role.WAITING, max_results=1)
    rest = queries.browse_requests(maria_actor, role=Role.WAITING, max_results=1, page_token=first.next_page_token)
    assert (numbers(first.rows), numbers(rest.rows), rest.next_page_token) == ([1], [3], "")
    assert numbers(queries.browse_requests(eve_actor, role=Role.MINE).rows) == [3, 2, 1]
    assert numbers(queries.browse_requests(maria_actor, state=RequestState.CANCELLED).rows) == [2]
    assert numbers(queries.browse_requests(maria_actor, name="fraud").rows) == []


def test_a_request_about_a_model_that_one_may_not_see_is_not_there(
    maria_actor: Actor, eve_actor: Actor, settings: Settings
) -> None:
    ask(maria_actor)
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    assert refusal(NotFound, lambda: queries.get_request(eve_actor, "churn", 1)) == "There is no request churn#1."
    assert numbers(queries.all_requests(eve_actor)) == []


def test_looking_ahead_tells_the_occupant_and_who_may_decide(
    maria_actor: Actor, jon_actor: Actor, eve_actor: Actor
) -> None:
    move(jon_actor, 1, PRODUCTION)
    ahead = looking_ahead.preflight(eve_actor, name="churn", version=2, to_stage=PRODUCTION)
    assert [one.version for one in ahead.occupants] == [1]
    assert [user.username for user in ahead.deciders] == ["jon", "maria"]
    assert (ahead.may_move_directly, ahead.pending) == (False, None)
    assert looking_ahead.preflight(jon_actor, name="churn", version=2, to_stage=PRODUCTION).may_move_directly


def test_the_stages_that_one_may_move_a_version_to_at_once(
    maria_actor: Actor, staging_actor: Actor, eve_actor: Actor, admin_actor: Actor
) -> None:
    version = ModelVersion.objects.select_related("registered_model").get(version=1)
    assert looking_ahead.direct_moves(maria_actor, version) == [STAGING, PRODUCTION, ARCHIVED]
    assert looking_ahead.direct_moves(staging_actor, version) == [STAGING, ARCHIVED]
    assert looking_ahead.direct_moves(eve_actor, version) == []
    protect(admin_actor)
    assert looking_ahead.direct_moves(maria_actor, version) == [STAGING, ARCHIVED]


def test_what_a_candidate_is_measured_against(maria_actor: Actor, jon_actor: Actor) -> None:
    def baseline(number: int) -> int | None:
        request = queries.get_request(maria_actor, "churn", number)
        found = standing.baseline_for(request, standing.standing_of(maria_actor, request).occupants)
        return found.version if found else None

    ask(maria_actor, 2)
    assert baseline(1) is None, "there is nothing yet"
    move(jon_actor, 1, PRODUCTION)
    assert baseline(1) == 1
    ask(maria_actor, 3, STAGING)
    assert baseline(2) == 1, "into an empty Staging, what is in Production"
    ask(maria_actor, 3, ARCHIVED)
    assert baseline(3) is None, "on the way out nothing is compared"
    deciding.approve(jon_actor, name="churn", number=1)
    assert baseline(1) == 1, "afterwards, the version that it replaced"


def test_a_grant_on_one_model_is_enough_to_decide_there(
    maria_actor: Actor, eve: User, eve_actor: Actor, churn: RegisteredModel
) -> None:
    grant(eve, Level.CAN_MANAGE_PRODUCTION_VERSIONS, churn)
    make_model(maria_actor, "fraud")
    make_version(maria_actor, "fraud")
    ask(maria_actor)
    services.request_transition(maria_actor, name="fraud", version=1, to_stage=PRODUCTION)
    assert [str(request) for request in queries.waiting_for(eve_actor)] == ["churn#1"]
