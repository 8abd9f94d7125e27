"""What a request waits for: checks of outside systems, time, other versions. And rollbacks, aliases, comments."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from registry_site.accounts.actors import Actor, person
from registry_site.accounts.levels import Level
from registry_site.audit.kinds import Kind, Origin
from registry_site.audit.models import Activity
from registry_site.core.errors import Conflict, InvalidParameter, NotFound, PermissionDenied, PodiumError
from registry_site.promotion import (
    checks,
    comments,
    deciding,
    deleting,
    looking_ahead,
    queries,
    services,
    setting_policies,
    standing,
    upkeep,
)
from registry_site.promotion.aliases import remove_alias_policy, set_alias_policy
from registry_site.promotion.gates import CheckState, Comparison, Gate, GateState, GateType
from registry_site.promotion.models import Check, Comment, Deployment, TransitionRequest
from registry_site.promotion.rules import DeploymentState, Policy, Verdict, WhenOccupied
from registry_site.registry.models import ModelVersion, RegisteredModel
from registry_site.registry.services import delete_alias, set_alias, set_version_tag
from registry_site.registry.stages import Stage
from registry_site.tracking.recording import MetricPoint, log_batch
from tests.conftest import FrozenClock
from tests.make import make_model, make_run, make_user, make_version

STAGING, PRODUCTION, ARCHIVED = Stage.STAGING, Stage.PRODUCTION, Stage.ARCHIVED
CI_TEST = Gate(GateType.CHECK, "ci/test")


@pytest.fixture(autouse=True)
def runs(maria_actor: Actor) -> list[Any]:
    """Maria's model `churn` has three versions, of runs with an AUC of 0.8, 0.85 and 0.9."""
    made = [make_run(maria_actor, metrics={"auc": [auc]}) for auc in (0.8, 0.85, 0.9)]
    for run in made:
        make_version(maria_actor, "churn", run=run)
    return made


@pytest.fixture
def ci(db: None) -> Actor:
    """The CI server, which may edit."""
    return person(make_user("ci", level=Level.CAN_EDIT), Origin.REST)


def set_gates(admin: Actor, *gates: Gate, stage: Stage = PRODUCTION, **more: Any) -> None:
    policy = Policy(**{"protected": True, "when_occupied": WhenOccupied.ASK, "gates": gates} | more)
    setting_policies.set_policy(admin, stage=stage, policy=policy)


def ask(actor: Actor, version: int = 1, stage: Stage = PRODUCTION) -> TransitionRequest:
    return services.request_transition(actor, name="churn", version=version, to_stage=stage)


def approve(actor: Actor, number: int = 1) -> str:
    return deciding.approve(actor, name="churn", number=number).state


def check(actor: Actor, state: CheckState, version: int = 1, name: str = "ci/test", **more: Any) -> Check:
    return checks.post_check(actor, name="churn", version=version, check=name, state=state, **more)


def stages() -> list[str]:
    return list(ModelVersion.objects.order_by("version").values_list("current_stage", flat=True))


def kinds(*wanted: Kind) -> int:
    return Activity.objects.filter(kind__in=wanted).count()


def told(error: type[PodiumError], act: Any, *arguments: Any, **more: Any) -> str:
    with pytest.raises(error) as refused:
        act(*arguments, **more)
    return refused.value.message


# -- checks ------------------------------------------------------------------------------------------------------------
def test_an_approved_request_waits_for_its_check_and_is_applied_the_moment_it_passes_in_its_approvers_name(
    maria_actor: Actor, jon_actor: Actor, admin_actor: Actor, ci: Actor
) -> None:
    set_gates(admin_actor, CI_TEST)
    ask(maria_actor)
    assert approve(jon_actor) == "pending"
    check(ci, CheckState.PENDING, external_id="run-1")
    check(ci, CheckState.FAILED, external_id="run-1", summary="2 of 12 failed", link="https://ci.example/1")
    assert (TransitionRequest.objects.get().state, stages()[0]) == ("pending", "None")
    check(ci, CheckState.PASSED, external_id="run-2")
    request = TransitionRequest.objects.get()
    assert (request.state, request.decided_by_name, request.approvers) == ("approved", "jon", ["jon"])
    assert stages()[0] == "Production"
    moved = Activity.objects.get(kind=Kind.VERSION_STAGE_CHANGED)
    assert (moved.actor_name, moved.origin, moved.request_number) == ("jon", "rest", 1)
    assert Activity.objects.get(kind=Kind.REQUEST_APPROVED).data["approvers"] == ["jon"]


def test_a_check_that_is_posted_again_changes_and_records_nothing(ci: Actor) -> None:
    first = check(ci, CheckState.PASSED, external_id="run-1", summary="fine")
    again = check(ci, CheckState.PASSED, external_id="run-1", summary="fine")
    assert (first.pk, Check.objects.count(), kinds(Kind.CHECK_POSTED)) == (again.pk, 1, 1)


def test_the_run_that_was_announced_last_counts_whichever_ends_last(
    maria_actor: Actor, jon_actor: Actor, admin_actor: Actor, ci: Actor
) -> None:
    set_gates(admin_actor, CI_TEST)
    check(ci, CheckState.PENDING, external_id="run-1")
    check(ci, CheckState.PASSED, external_id="run-2")
    check(ci, CheckState.FAILED, external_id="run-1")
    ask(maria_actor)
    assert approve(jon_actor) == "approved"


def test_to_post_a_check_takes_the_right_to_edit(eve_actor: Actor) -> None:
    assert "This needs CAN_EDIT on registered model 'churn'" in told(
        PermissionDenied, check, eve_actor, CheckState.PASSED
    )
    assert not Check.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "The name of a check has 1 to 250 printable characters."),
        ({"name": "a\nb"}, "The name of a check has 1 to 250 printable characters."),
        ({"link": "javascript:alert(1)"}, "A link begins with https:// and has 2000 characters at most."),
        ({"link": "https://[bad"}, "A link begins with https:// and has 2000 characters at most."),
        ({"external_id": "x" * 251}, "external_id has 250 characters at most."),
    ],
)
def test_a_check_that_is_none_is_refused(ci: Actor, wrong: dict[str, str], said: str) -> None:
    assert told(InvalidParameter, check, ci, CheckState.PASSED, **wrong) == said


def test_a_check_that_cannot_apply_a_request_is_taken_all_the_same(
    maria_actor: Actor, jon_actor: Actor, admin_actor: Actor, ci: Actor
) -> None:
    set_gates(admin_actor, CI_TEST)
    check(ci, CheckState.PASSED, version=1)
    ask(maria_actor, 1)
    approve(jon_actor)
    ask(maria_actor, 2)
    approve(jon_actor, 2)
    set_gates(admin_actor, stage=ARCHIVED, when_occupied=WhenOccupied.SHARE)  # and so the occupant can go nowhere
    check(ci, CheckState.PASSED, version=2)
    assert Check.objects.count() == 2
    assert (stages(), TransitionRequest.objects.get(number=2).state) == (["Production", "None", "None"], "pending")
    setting_policies.set_policy(admin_actor, stage=ARCHIVED, policy=Policy())
    assert upkeep.settle_due() == 1
    assert stages() == ["Archived", "Production", "None"]


def test_a_deployment_is_reported_once_and_shown(ci: Actor, maria_actor: Actor) -> None:
    said = {"name": "churn", "version": 1, "environment": "eu-west", "external_id": "d-1"}
    checks.post_deployment(ci, **said, state=DeploymentState.PENDING)
    checks.post_deployment(ci, **said, state=DeploymentState.SUCCEEDED, link="https://deploy.example/1")
    checks.post_deployment(ci, **said, state=DeploymentState.SUCCEEDED, link="https://deploy.example/1")
    (shown,) = checks.deployments_of(maria_actor, "churn", 1)
    assert (shown.environment, shown.state, shown.posted_by_name) == ("eu-west", "succeeded", "ci")
    assert (Deployment.objects.count(), kinds(Kind.DEPLOYMENT_POSTED)) == (1, 2)


def test_gates_are_evaluated_again_inside_of_the_applying_transaction(
    maria_actor: Actor, jon_actor: Actor, admin_actor: Actor, runs: list[Any]
) -> None:
    set_gates(admin_actor, Gate(GateType.METRIC, "auc", Comparison.AT_LEAST, 0.8))
    ask(maria_actor)
    assert standing.standing_of(jon_actor, queries.get_request(jon_actor, "churn", 1)).outcome.gates_pass
    log_batch(maria_actor, run_id=runs[0].run_id, metrics=[MetricPoint("auc", 0.1, 99_999_999_999_999, 9)])
    assert approve(jon_actor) == "pending"
    assert stages()[0] == "None"


# -- time --------------------------------------------------------------------------------------------------------------
def test_a_run_that_logs_another_metric_is_noticed_and_the_request_applied(
    maria_actor: Actor, jon_actor: Actor, admin_actor: Actor, runs: list[Any], frozen_clock: FrozenClock
) -> None:
    gate = Gate(GateType.METRIC, "recall", Comparison.AT_LEAST, 0.5)
    set_gates(admin_actor, gate, dismiss_stale_approvals=False)
    ask(maria_actor)
    assert approve(jon_actor) == "pending"
    log_batch(maria_actor, run_id=runs[0].run_id, metrics=[MetricPoint("recall", 0.6, 1, 0)])
    assert upkeep.settle_due() == 0, "it is not time yet"
    frozen_clock.advance(minutes=2)
    assert upkeep.settle_due() == 1
    assert stages()[0] == "Production"
    assert Activity.objects.get(kind=Kind.REQUEST_EVIDENCE_CHANGED).actor_name == "podium"


def test_when_the_occupant_changes_the_comparison_is_rebased_and_relative_gates_run_again(
    maria_actor: Actor, jon_actor: Actor, admin_actor: Actor
) -> None:
    set_gates(admin_actor, Gate(GateType.METRIC_AGAINST_OCCUPANT, "auc", Comparison.AT_LEAST, 0.0), protected=False)
    services.transition(jon_actor, name="churn", version=3, to_stage=PRODUCTION)
    ask(maria_actor, 2)
    assert approve(jon_actor) == "pending", "it is worse than what is there"
    assert TransitionRequest.objects.get().occupant_version == 3
    services.transition(jon_actor, name="churn", version=3, to_stage=ARCHIVED)
    services.transition(jon_actor, name="churn", version=1, to_stage=PRODUCTION)
    assert upkeep.settle_due() == 1, "and better than what is there now"
    assert stages() == ["Archived", "Production", "Archived"]
    assert TransitionRequest.objects.get().occupant_version == 1


def test_a_pending_request_that_is_older_than_its_policy_allows_expires(
    maria_actor: Actor, jon_actor: Actor, admin_actor: Actor, frozen_clock: FrozenClock
) -> None:
    set_gates(admin_actor, expires_after_days=14)
    ask(maria_actor)
    frozen_clock.advance(days=13)
    assert upkeep.expire_due() == 0
    frozen_clock.advance(days=1)
    assert told(Conflict, approve, jon_actor) == (
        "Request churn#1 expired on 16 March 2026; ask anew. Nothing was changed."
    )
    assert upkeep.expire_due() == 1
    request = TransitionRequest.objects.get()
    assert (request.state, request.decided_by_name) == ("expired", "podium")
    assert Activity.objects.get(kind=Kind.REQUEST_EXPIRED).comment == "nobody decided it within 14 days"
    assert upkeep.expire_due() == 0
    assert ask(maria_actor).number == 2


def test_one_asks_anew_at_once_when_a_request_has_expired(
    maria_actor: Actor, admin_actor: Actor, frozen_clock: FrozenClock
) -> None:
    set_gates(admin_actor, expires_after_days=1)
    ask(maria_actor)
    frozen_clock.advance(days=1)
    assert ask(maria_actor).number == 2, "though the worker has not come round"
    first, second = TransitionRequest.objects.order_by("number")
    assert (first.state, first.decided_by_name, second.state) == ("expired", "podium", "pending")
    assert kinds(Kind.REQUEST_EXPIRED) == 1
    assert upkeep.expire_due() == 0


def test_a_waiting_request_is_reminded_of_once_a_day(maria_actor: Actor, frozen_clock: FrozenClock) -> None:
    ask(maria_actor)
    assert upkeep.remind_due() == 0
    frozen_clock.advance(days=1)
    assert [upkeep.remind_due(), upkeep.remind_due()] == [1, 0]
    frozen_clock.advance(days=1)
    assert upkeep.remind_due() == 1
    assert [line.data["days"] for line in Activity.objects.filter(kind=Kind.REQUEST_REMINDED).order_by("pk")] == [1, 2]
    deciding.cancel(maria_actor, name="churn", number=1)
    frozen_clock.advance(days=1)
    assert upkeep.remind_due() == 0


# -- looking ahead -----------------------------------------------------------------------------------------------------
def test_a_dry_run_tells_which_of_the_present_versions_would_pass(maria_actor: Actor, eve_actor: Actor) -> None:
    gates = [Gate(GateType.METRIC, "auc", Comparison.AT_LEAST, 0.85), CI_TEST]
    found = looking_ahead.dry_run(maria_actor, name="churn", stage=PRODUCTION, gates=gates[:1])
    assert [(one.version.version, one.passes) for one in found] == [(3, True), (2, True), (1, False)]
    waiting = looking_ahead.dry_run(eve_actor, name="churn", stage=PRODUCTION, gates=gates)
    assert {one.results[1].state for one in waiting} == {GateState.PENDING}
    assert looking_ahead.dry_run(eve_actor, name="churn", stage=PRODUCTION)[0].passes, "no gates, nothing in the way"


def test_a_dry_run_costs_as_much_for_many_as_for_one(maria_actor: Actor, runs: list[Any]) -> None:
    gates = [
        Gate(GateType.METRIC_AGAINST_OCCUPANT, "auc", Comparison.AT_LEAST, 0.0),
        Gate(GateType.TAG, "team"),
        Gate(GateType.STAGE, "Staging"),
        CI_TEST,
    ]

    def count() -> int:
        with CaptureQueriesContext(connection) as seen:
            looking_ahead.dry_run(maria_actor, name="churn", stage=PRODUCTION, gates=gates)
        return len(seen)

    few = count()
    for run in runs * 5:
        make_version(maria_actor, "churn", run=run)
    assert count() == few


def test_looking_ahead_shows_the_gates(maria_actor: Actor, admin_actor: Actor) -> None:
    set_gates(admin_actor, CI_TEST)
    set_alias_policy(admin_actor, alias="champion", stage=PRODUCTION, is_mirror=True)
    ahead = looking_ahead.preflight(maria_actor, name="churn", version=1, to_stage=PRODUCTION)
    assert [result.state for result in ahead.gates] == [GateState.PENDING]
    assert [(move.alias, move.arrives) for move in ahead.aliases] == [("champion", True)]


# -- rolling back ------------------------------------------------------------------------------------------------------
def test_a_rollback_brings_an_earlier_occupant_back_and_archives_the_present_one(jon_actor: Actor) -> None:
    for version in (1, 2):
        services.transition(jon_actor, name="churn", version=version, to_stage=PRODUCTION, archive_existing=version > 1)
    done = services.rollback(jon_actor, name="churn", version=1, comment="v2 is slow")
    assert (done.request, stages()) == (None, ["Production", "Archived", "None"])
    line = Activity.objects.filter(version=1, kind=Kind.VERSION_STAGE_CHANGED).latest("pk")
    assert (line.data["rollback"], line.comment) == (True, "v2 is slow")


def test_where_an_approval_is_required_a_rollback_is_one_request(
    maria_actor: Actor, jon_actor: Actor, admin_actor: Actor, eve_actor: Actor
) -> None:
    for version in (1, 2):
        services.transition(jon_actor, name="churn", version=version, to_stage=PRODUCTION, archive_existing=version > 1)
    assert services.rollback(eve_actor, name="churn", version=1).request is not None, "she may only ask"
    deciding.cancel(eve_actor, name="churn", number=1)
    set_gates(admin_actor)
    asked = services.rollback(maria_actor, name="churn", version=1).request
    assert asked is not None
    assert (asked.is_rollback, asked.occupant_decision, stages()[0]) == (True, "archive", "Archived")
    assert approve(jon_actor, 2) == "approved"
    assert stages() == ["Production", "Archived", "None"]
    assert Activity.objects.filter(version=1, kind=Kind.VERSION_STAGE_CHANGED).latest("pk").data["rollback"]
    assert Activity.objects.filter(kind=Kind.REQUEST_CREATED).latest("pk").data["rollback"]


def test_nothing_is_rolled_back_to_what_never_stood_there(jon_actor: Actor) -> None:
    services.transition(jon_actor, name="churn", version=1, to_stage=PRODUCTION)
    assert told(InvalidParameter, services.rollback, jon_actor, name="churn", version=2) == (
        "churn version 2 has never been in Production, so nothing can be rolled back to it."
    )
    assert told(InvalidParameter, services.rollback, jon_actor, name="churn", version=1) == (
        "churn version 1 is in Production now."
    )


def test_gates_bind_a_rollback_too(jon_actor: Actor, admin_actor: Actor) -> None:
    for version in (1, 2):
        services.transition(jon_actor, name="churn", version=version, to_stage=PRODUCTION, archive_existing=version > 1)
    set_gates(admin_actor, CI_TEST, protected=False)
    assert "Check ci/test has passed" in told(Conflict, services.rollback, jon_actor, name="churn", version=1)
    assert stages() == ["Archived", "Production", "None"]


# -- aliases -----------------------------------------------------------------------------------------------------------
def champion() -> int | None:
    found = RegisteredModel.objects.get(name="churn").aliases.filter(alias="champion").first()
    return found.model_version.version if found else None


def test_a_protected_alias_is_set_only_by_those_who_may_approve_for_its_stage(
    ci: Actor, jon_actor: Actor, admin_actor: Actor
) -> None:
    set_alias_policy(admin_actor, alias="champion", stage=PRODUCTION)
    assert told(PermissionDenied, set_alias, ci, name="churn", alias="champion", version=1) == (
        "Alias 'champion' stands for Production: to change it needs CAN_MANAGE_PRODUCTION_VERSIONS, which ci does not "
        "have. Request the transition at http://127.0.0.1:5000/models/churn/requests/new?version=1&to=Production"
    )
    set_alias(jon_actor, name="churn", alias="champion", version=1)
    assert "to change it needs CAN_MANAGE_PRODUCTION_VERSIONS" in told(
        PermissionDenied, delete_alias, ci, name="churn", alias="champion"
    )
    set_alias(ci, name="churn", alias="challenger", version=2)
    assert champion() == 1
    remove_alias_policy(admin_actor, alias="champion")
    set_alias(ci, name="churn", alias="champion", version=2)
    assert champion() == 2


def test_the_gates_of_its_stage_bind_an_alias_and_it_is_no_way_round_an_approval(
    jon_actor: Actor, maria_actor: Actor, admin_actor: Actor
) -> None:
    set_alias_policy(admin_actor, alias="champion", stage=PRODUCTION)
    set_gates(admin_actor, CI_TEST, protected=False)
    assert "does not pass its gates: Check ci/test has passed" in told(
        Conflict, set_alias, jon_actor, name="churn", alias="champion", version=1
    )
    set_gates(admin_actor)
    assert "which is protected, and churn version 1 is not in it" in told(
        PermissionDenied, set_alias, jon_actor, name="churn", alias="champion", version=1
    )
    ask(maria_actor)
    approve(jon_actor)
    set_alias(jon_actor, name="churn", alias="champion", version=1)
    assert champion() == 1
    setting_policies.set_policy(admin_actor, stage=ARCHIVED, policy=Policy())


def test_a_version_that_holds_a_protected_alias_is_not_deleted(maria_actor: Actor, admin_actor: Actor) -> None:
    set_alias(maria_actor, name="churn", alias="champion", version=1)
    set_gates(admin_actor)
    set_alias_policy(admin_actor, alias="champion", stage=PRODUCTION)
    assert told(Conflict, deleting.delete_version, maria_actor, name="churn", version=1) == (
        "churn version 1 is called @champion, which stands for Production and is protected. Point the alias at another "
        "version first."
    )


def test_a_mirror_follows_its_stage(jon_actor: Actor, admin_actor: Actor) -> None:
    set_alias_policy(admin_actor, alias="champion", stage=PRODUCTION, is_mirror=True)
    services.transition(jon_actor, name="churn", version=1, to_stage=PRODUCTION)
    assert champion() == 1
    services.transition(jon_actor, name="churn", version=2, to_stage=PRODUCTION, archive_existing=True)
    assert champion() == 2
    services.transition(jon_actor, name="churn", version=2, to_stage=ARCHIVED)
    assert champion() is None


def test_to_set_a_mirror_moves_the_version_and_never_round_an_approval(
    ci: Actor, jon_actor: Actor, maria_actor: Actor, admin_actor: Actor
) -> None:
    set_alias_policy(admin_actor, alias="champion", stage=PRODUCTION, is_mirror=True)
    told(PermissionDenied, set_alias, ci, name="churn", alias="champion", version=1)
    for version in (1, 2):
        set_alias(jon_actor, name="churn", alias="champion", version=version)
    assert (stages(), champion()) == (["Archived", "Production", "None"], 2)
    assert "follows Production by itself" in told(Conflict, delete_alias, jon_actor, name="churn", alias="champion")
    set_gates(admin_actor)
    assert "Production is protected" in told(
        PermissionDenied, set_alias, maria_actor, name="churn", alias="champion", version=3
    )
    assert (stages(), champion()) == (["Archived", "Production", "None"], 2)


def test_what_is_said_of_an_alias_in_one_model_comes_before_the_sites(
    maria_actor: Actor, ci: Actor, admin_actor
) -> None:
    set_alias_policy(admin_actor, alias="champion", stage=PRODUCTION)
    set_alias_policy(maria_actor, alias="champion", stage=ARCHIVED, name="churn")
    told(PermissionDenied, set_alias_policy, maria_actor, alias="champion", stage=ARCHIVED)
    told(InvalidParameter, set_alias_policy, maria_actor, alias="champion", stage=Stage.NONE, name="churn")
    told(NotFound, remove_alias_policy, maria_actor, alias="other", name="churn")
    assert "stands for Archived" in told(PermissionDenied, set_alias, ci, name="churn", alias="champion", version=1)


# -- policies ----------------------------------------------------------------------------------------------------------
def test_a_models_own_policy_is_removed_and_the_sites_holds_again(
    maria_actor: Actor, jon_actor: Actor, admin_actor: Actor
) -> None:
    set_gates(admin_actor)
    setting_policies.set_policy(maria_actor, stage=PRODUCTION, policy=Policy(), name="churn")
    setting_policies.remove_policy(maria_actor, stage=PRODUCTION, name="churn")
    told(PermissionDenied, services.transition, jon_actor, name="churn", version=1, to_stage=PRODUCTION)
    assert told(NotFound, setting_policies.remove_policy, maria_actor, stage=PRODUCTION, name="churn") == (
        "churn has no policy of its own for Production."
    )
    assert kinds(Kind.POLICY_REMOVED) == 1


# -- comments and the timeline -----------------------------------------------------------------------------------------
def test_whoever_reads_a_model_comments_on_its_versions_and_requests(
    eve_actor: Actor, maria_actor: Actor, jon_actor: Actor
) -> None:
    ask(maria_actor)
    comments.create_comment(eve_actor, name="churn", version=1, text="How large is it, @maria?")
    comments.create_comment(maria_actor, name="churn", number=1, text="Two megabytes.")
    assert [one.author_name for one in comments.comments_of(jon_actor, "churn", version=1)] == ["eve", "maria"]
    assert [one.text for one in comments.comments_of(jon_actor, "churn", number=1)] == ["Two megabytes."]
    first, second = Activity.objects.filter(kind=Kind.COMMENT_CREATED).order_by("pk")
    assert (first.data["mentions"], first.request_number, second.request_number) == (["maria"], None, 1)


def test_only_who_wrote_a_comment_changes_it_and_administrators_may_delete_it(
    eve_actor: Actor, maria_actor: Actor, admin_actor: Actor
) -> None:
    made = comments.create_comment(eve_actor, name="churn", version=1, text="Hm.")
    key = {"comment_id": str(made.pk)}
    for actor in (maria_actor, admin_actor):
        assert told(PermissionDenied, comments.update_comment, actor, **key, text="Ah.") == (
            "Only eve, who wrote it, may change this comment."
        )
    assert comments.update_comment(eve_actor, **key, text="Ah.").text == "Ah."
    comments.update_comment(eve_actor, **key, text="Ah.")
    told(PermissionDenied, comments.delete_comment, maria_actor, **key)
    comments.delete_comment(admin_actor, **key)
    assert not Comment.objects.exists()
    assert kinds(Kind.COMMENT_UPDATED) == 1
    assert Activity.objects.get(kind=Kind.COMMENT_DELETED).data["before"] == "Ah."


@pytest.mark.parametrize("key", ["", "0", "-1", "x", "1" * 30, "²"])
def test_a_comment_that_is_not_there(key: str, maria_actor: Actor) -> None:
    assert told(NotFound, comments.delete_comment, maria_actor, comment_id=key).startswith("There is no comment")


def test_a_comment_has_words_and_not_too_many(maria_actor: Actor, eve_actor: Actor, settings: Settings) -> None:
    for text in ("", " \n", "x" * 65_536):
        told(InvalidParameter, comments.create_comment, maria_actor, name="churn", version=1, text=text)
    told(NotFound, comments.create_comment, maria_actor, name="churn", version=9, text="x")
    told(NotFound, comments.create_comment, maria_actor, name="churn", number=9, text="x")
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    told(NotFound, comments.create_comment, eve_actor, name="churn", version=1, text="x")
    assert not Comment.objects.exists()


def test_only_those_who_may_read_the_model_are_meant(maria_actor: Actor, jon_actor: Actor, settings: Settings) -> None:
    make_user("kim")
    model = make_model(maria_actor, "churn")
    assert [user.username for user in comments.mentioned_in(model, "@jon @kim @nobody")] == ["jon", "kim"]
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    assert [user.username for user in comments.mentioned_in(model, "@jon @kim")] == ["jon"]


def test_a_timeline_tells_what_was_done_to_a_request_and_what_happened_meanwhile(
    maria_actor: Actor, jon_actor: Actor, ci: Actor
) -> None:
    set_version_tag(maria_actor, name="churn", version=1, key="a", value="before")
    ask(maria_actor)
    set_version_tag(maria_actor, name="churn", version=2, key="a", value="of another version")
    set_version_tag(maria_actor, name="churn", version=1, key="a", value="b")
    check(ci, CheckState.PASSED)
    deciding.review(jon_actor, name="churn", number=1, verdict=Verdict.COMMENT, comment="Looking.")
    approve(jon_actor)
    shown = [line.kind for line in queries.timeline_of(maria_actor, "churn", 1).rows][::-1]
    assert shown == [
        Kind.REQUEST_CREATED,
        Kind.VERSION_TAG_SET,
        Kind.REQUEST_EVIDENCE_CHANGED,
        Kind.CHECK_POSTED,
        Kind.REVIEW_GIVEN,
        Kind.REVIEW_GIVEN,
        Kind.REQUEST_APPROVED,
        Kind.VERSION_STAGE_CHANGED,
    ]


def test_evidence_of_a_run_is_shown_with_its_experiment_alone(maria_actor: Actor, settings: Settings) -> None:
    ask(maria_actor)
    seen = standing.evidence_of_request(maria_actor, queries.get_request(maria_actor, "churn", 1))
    assert seen.candidate["metrics"] == {"auc": 0.8}
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    kim = person(make_user("kim", level=Level.CAN_READ), Origin.REST)
    hidden = standing.evidence_of_request(kim, queries.get_request(kim, "churn", 1))
    assert "metrics" not in hidden.candidate
    assert hidden.candidate["hidden"]
    assert hidden.digest == seen.digest
