"""Reviews in the words of the rules: what counts, what blocks, what goes stale, and what is dismissed."""

import pytest
from pytest_django import Settings

from registry_site.accounts.actors import Actor, person
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.audit.kinds import Kind, Origin
from registry_site.audit.models import Activity
from registry_site.core.errors import Conflict, InvalidParameter, NotFound, PermissionDenied, PodiumError
from registry_site.promotion import deciding, services, setting_policies
from registry_site.promotion.gates import Comparison, Gate, GateType
from registry_site.promotion.models import Evidence, TransitionRequest
from registry_site.promotion.rules import Policy, Verdict, WhenOccupied
from registry_site.promotion.settling import present_evidence
from registry_site.registry.models import Grant, ModelVersion
from registry_site.registry.services import delete_version_tag, describe_version, set_version_tag
from registry_site.registry.stages import Stage
from registry_site.tracking.recording import MetricPoint, log_batch
from tests.make import make_run, make_user, make_version

PRODUCTION = Stage.PRODUCTION
AUC = Gate(GateType.METRIC, "auc", Comparison.AT_LEAST, 0.9)


@pytest.fixture(autouse=True)
def run(maria_actor: Actor):
    """Maria's model `churn` has two versions of one run, with an AUC of 0.8."""
    made = make_run(maria_actor, metrics={"auc": [0.8]}, params={"depth": "3"})
    for _ in range(2):
        make_version(maria_actor, "churn", run=made)
    return made


@pytest.fixture
def kim_actor(db: None) -> Actor:
    return person(make_user("kim", level=Level.CAN_MANAGE_PRODUCTION_VERSIONS), Origin.REST)


def protect(admin: Actor, **more) -> None:
    policy = Policy(**{"protected": True, "when_occupied": WhenOccupied.ASK} | more)
    setting_policies.set_policy(admin, stage=PRODUCTION, policy=policy)


def ask(actor: Actor, version: int = 1) -> TransitionRequest:
    return services.request_transition(actor, name="churn", version=version, to_stage=PRODUCTION)


def review(actor: Actor, verdict: Verdict = Verdict.APPROVE, comment: str = "", **more) -> str:
    return deciding.review(actor, name="churn", number=1, verdict=verdict, comment=comment, **more).state


def stage(version: int = 1) -> str:
    return ModelVersion.objects.get(version=version).current_stage


def told(error: type[PodiumError], act, *arguments, **more) -> str:
    with pytest.raises(error) as refused:
        act(*arguments, **more)
    return refused.value.message


# -- wishes for changes ------------------------------------------------------------------------------------------------
def test_a_wish_for_changes_needs_a_comment(maria_actor: Actor, jon_actor: Actor) -> None:
    ask(maria_actor)
    said = told(InvalidParameter, review, jon_actor, Verdict.REQUEST_CHANGES, " ")
    assert said == "Say what should change: that needs a comment."


def test_a_wish_for_changes_blocks_until_that_person_reviews_again(
    maria_actor: Actor, jon_actor: Actor, kim_actor: Actor
) -> None:
    ask(maria_actor)
    assert review(jon_actor, Verdict.REQUEST_CHANGES, "Describe it.") == "pending"
    assert review(kim_actor) == "pending", "enough approvals, and still blocked"
    assert stage() == "None"
    assert review(jon_actor) == "approved"
    assert stage() == "Production"


def test_or_a_manager_dismisses_it_with_a_reason_and_the_approvals_that_were_there_count(
    maria_actor: Actor, jon_actor: Actor, kim_actor: Actor, eve_actor: Actor
) -> None:
    ask(eve_actor)
    review(jon_actor, Verdict.REQUEST_CHANGES, "Describe it.")
    review(kim_actor, comment="fine")
    dismissal = {"name": "churn", "number": 1, "reviewer": "jon"}
    assert "This needs CAN_MANAGE" in told(
        PermissionDenied, deciding.dismiss_review, kim_actor, **dismissal, reason="away"
    )
    assert told(InvalidParameter, deciding.dismiss_review, maria_actor, **dismissal) == (
        "Say why you dismiss somebody else's review."
    )
    request = deciding.dismiss_review(maria_actor, **dismissal, reason="Jon is away.")
    assert (request.state, request.decided_by_name, request.approvers, stage()) == (
        "approved",
        "kim",
        ["kim"],
        "Production",
    )
    shown = request.reviews.get(reviewer_name="jon")
    assert (shown.verdict, shown.dismissed_by_name, shown.dismissal_reason) == (
        "request_changes",
        "maria",
        "Jon is away.",
    ), "a dismissed verdict stays visible"


def test_one_may_dismiss_ones_own_review_and_there_has_to_be_one(maria_actor: Actor, jon_actor, admin_actor) -> None:
    protect(admin_actor, required_approvals=2)
    ask(maria_actor)
    review(jon_actor)
    deciding.dismiss_review(jon_actor, name="churn", number=1, reviewer="jon")
    assert TransitionRequest.objects.get().reviews.get().dismissed_at is not None
    said = told(NotFound, deciding.dismiss_review, maria_actor, name="churn", number=1, reviewer="jon", reason="x")
    assert said == "There is no review of churn#1 by jon to dismiss."
    review(jon_actor)
    assert TransitionRequest.objects.get().reviews.get().dismissed_at is None, "reviewing again counts again"


def test_a_comment_changes_nothing(maria_actor: Actor, jon_actor: Actor, kim_actor: Actor, admin_actor: Actor) -> None:
    protect(admin_actor, required_approvals=2)
    ask(maria_actor)
    review(jon_actor)
    assert review(jon_actor, Verdict.COMMENT, "Nice plots.") == "pending"
    assert TransitionRequest.objects.get().reviews.get().verdict == "approve", "the verdict stands"
    assert review(kim_actor) == "approved"


def test_a_comment_hides_no_verdict_that_was_dismissed(maria_actor: Actor, jon_actor: Actor) -> None:
    ask(maria_actor)
    review(jon_actor, Verdict.REQUEST_CHANGES, "Describe it.")
    deciding.dismiss_review(maria_actor, name="churn", number=1, reviewer="jon", reason="It is described.")
    review(jon_actor, Verdict.COMMENT, "So it is.")
    shown = TransitionRequest.objects.get().reviews.get()
    assert (shown.verdict, shown.dismissal_reason) == ("request_changes", "It is described.")


def test_a_dismissal_applies_no_approval_that_has_gone_stale_meanwhile(
    maria_actor: Actor, jon_actor: Actor, kim_actor: Actor, admin_actor: Actor, run
) -> None:
    protect(admin_actor)
    ask(maria_actor)
    review(kim_actor, Verdict.REQUEST_CHANGES, "Describe it.")
    review(jon_actor)
    log_batch(maria_actor, run_id=run.run_id, metrics=[MetricPoint("auc", 0.1, 99_999_999_999_999, 9)])
    dismissed = deciding.dismiss_review(maria_actor, name="churn", number=1, reviewer="kim", reason="away")
    assert (dismissed.state, stage()) == ("pending", "None")
    assert Activity.objects.get(kind=Kind.REQUEST_EVIDENCE_CHANGED).data["stale"] == ["jon"]


def test_a_review_is_dismissed_though_the_request_cannot_be_applied(
    maria_actor: Actor, jon_actor: Actor, kim_actor: Actor, admin_actor: Actor
) -> None:
    services.transition(jon_actor, name="churn", version=2, to_stage=PRODUCTION)
    ask(maria_actor)
    review(kim_actor, Verdict.REQUEST_CHANGES, "Describe it.")
    review(jon_actor)
    setting_policies.set_policy(
        admin_actor, stage=Stage.ARCHIVED, policy=Policy(protected=True)
    )  # the occupant can go nowhere
    dismissed = deciding.dismiss_review(maria_actor, name="churn", number=1, reviewer="kim", reason="away")
    assert (dismissed.state, dismissed.approvers) == ("pending", [])
    assert (stage(1), stage(2)) == ("None", "Production")
    assert TransitionRequest.objects.get().reviews.get(reviewer_name="kim").dismissal_reason == "away"


# -- who counts --------------------------------------------------------------------------------------------------------
def test_an_approval_counts_only_as_long_as_its_reviewer_holds_the_level(
    maria_actor: Actor, jon: User, jon_actor: Actor, kim_actor: Actor, admin_actor: Actor
) -> None:
    protect(admin_actor, required_approvals=2)
    ask(maria_actor)
    review(jon_actor)
    Grant.objects.filter(user=jon).delete()
    assert review(kim_actor) == "pending"
    assert stage() == "None"


def test_one_person_counts_once_whichever_way_the_approval_came_in(
    maria_actor: Actor, jon: User, admin_actor: Actor
) -> None:
    protect(admin_actor, required_approvals=2)
    ask(maria_actor)
    for origin in (Origin.PAGE, Origin.REST, Origin.ADMIN):
        assert review(person(jon, origin)) == "pending"
    assert TransitionRequest.objects.get().reviews.count() == 1


# -- evidence ----------------------------------------------------------------------------------------------------------
def test_what_a_reviewer_judges_is_pinned_when_the_request_is_made(maria_actor: Actor) -> None:
    set_version_tag(maria_actor, name="churn", version=1, key="team", value="risk")
    request = ask(maria_actor)
    content = present_evidence(request)
    assert (content["metrics"], content["params"], content["tags"]) == (
        {"auc": 0.8},
        {"depth": "3"},
        {"team": "risk"},
    )
    assert Activity.objects.get(kind=Kind.REQUEST_CREATED).data["evidence"] == request.evidence_digest


def test_approvals_go_stale_when_a_tag_changes_and_the_timeline_says_so(
    maria_actor: Actor, jon_actor: Actor, kim_actor: Actor, admin_actor: Actor
) -> None:
    protect(admin_actor, required_approvals=2)
    ask(maria_actor)
    review(jon_actor)
    set_version_tag(maria_actor, name="churn", version=1, key="team", value="risk")
    line = Activity.objects.get(kind=Kind.REQUEST_EVIDENCE_CHANGED)
    assert (line.actor_name, line.request_number) == ("maria", 1)
    assert (line.data["changes"], line.data["stale"]) == (["tag team is new"], ["jon"])
    assert review(kim_actor) == "pending", "Jon's approval no longer counts"
    assert review(jon_actor) == "approved"


def test_unless_the_policy_keeps_them(maria_actor: Actor, jon_actor: Actor, kim_actor, admin_actor) -> None:
    protect(admin_actor, required_approvals=2, dismiss_stale_approvals=False)
    ask(maria_actor)
    review(jon_actor)
    describe_version(maria_actor, name="churn", version=1, description="Better.")
    assert review(kim_actor) == "approved"


def test_an_approval_that_has_gone_stale_is_never_applied_when_a_metric_comes_later(
    maria_actor: Actor, jon_actor: Actor, kim_actor: Actor, admin_actor: Actor, run
) -> None:
    protect(admin_actor, required_approvals=2)
    ask(maria_actor)
    review(jon_actor)
    log_batch(maria_actor, run_id=run.run_id, metrics=[MetricPoint("auc", 0.1, 99_999_999_999_999, 9)])
    assert review(kim_actor) == "pending"
    line = Activity.objects.get(kind=Kind.REQUEST_EVIDENCE_CHANGED)
    assert (line.actor_name, line.data["changes"]) == ("podium", ["the metrics of its run changed"])


def test_a_review_of_evidence_that_is_no_longer_the_present_one_is_refused_and_shows_what_changed(
    maria_actor: Actor, jon_actor: Actor
) -> None:
    seen = ask(maria_actor).evidence_digest
    set_version_tag(maria_actor, name="churn", version=1, key="team", value="risk")
    assert told(Conflict, review, jon_actor, evidence_digest=seen) == (
        "The evidence of churn#1 has changed: tag team is new. Look at it again, then decide."
    )
    assert not TransitionRequest.objects.get().reviews.exists()
    assert told(Conflict, review, jon_actor, evidence_digest="0" * 64).startswith("The evidence of churn#1 has changed")
    assert review(jon_actor, evidence_digest=TransitionRequest.objects.get().evidence_digest) == "approved"


def test_who_may_not_read_the_run_is_told_of_its_changes_without_names_and_numbers(
    maria_actor: Actor, jon_actor: Actor, kim_actor: Actor, run, settings: Settings
) -> None:
    seen = ask(maria_actor).evidence_digest
    log_batch(maria_actor, run_id=run.run_id, metrics=[MetricPoint("auc", 0.1, 99_999_999_999_999, 9)])
    assert "metric auc was 0.8 and is 0.1" in told(Conflict, review, jon_actor, evidence_digest=seen)
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    assert told(Conflict, review, kim_actor, evidence_digest=seen) == (
        "The evidence of churn#1 has changed: the metrics of its run changed. Look at it again, then decide."
    )


def test_what_each_reviewer_saw_is_kept(maria_actor: Actor, jon_actor: Actor, admin_actor: Actor) -> None:
    protect(admin_actor, required_approvals=2)
    ask(maria_actor)
    review(jon_actor)
    set_version_tag(maria_actor, name="churn", version=1, key="team", value="risk")
    given = TransitionRequest.objects.get().reviews.get()
    assert Evidence.objects.filter(digest=given.evidence_digest).exists()
    assert Evidence.objects.count() == 2


def test_what_changes_and_changes_back_is_what_it_was(
    maria_actor: Actor, jon_actor: Actor, kim_actor: Actor, admin_actor: Actor
) -> None:
    protect(admin_actor, required_approvals=2)
    ask(maria_actor)
    review(jon_actor)
    set_version_tag(maria_actor, name="churn", version=1, key="team", value="risk")
    delete_version_tag(maria_actor, name="churn", version=1, key="team")
    assert review(kim_actor) == "approved"


# -- gates -------------------------------------------------------------------------------------------------------------
def test_approvals_that_come_while_a_gate_fails_are_kept_and_applied_the_moment_a_tag_is_set(
    maria_actor: Actor, jon_actor: Actor, admin_actor: Actor
) -> None:
    protect(admin_actor, gates=(Gate(GateType.TAG, "risk", value="low"),))
    ask(maria_actor)
    assert review(jon_actor, comment="go") == "pending"
    set_version_tag(maria_actor, name="churn", version=1, key="risk", value="high")
    assert stage() == "None"
    assert review(jon_actor, comment="go") == "pending", "he has seen that the risk is high"
    set_version_tag(maria_actor, name="churn", version=1, key="risk", value="low")
    assert stage() == "Production"
    request = TransitionRequest.objects.get()
    assert (request.state, request.decided_by_name, request.approvers) == ("approved", "jon", ["jon"])
    moved = Activity.objects.get(kind=Kind.VERSION_STAGE_CHANGED)
    assert (moved.actor_name, moved.request_number) == ("jon", 1)


def test_gates_bind_on_the_direct_way_too_protected_or_not(maria_actor: Actor, jon_actor: Actor, admin_actor) -> None:
    policy = Policy(when_occupied=WhenOccupied.ASK, gates=(AUC,))
    setting_policies.set_policy(admin_actor, stage=PRODUCTION, policy=policy)
    said = told(Conflict, services.transition, jon_actor, name="churn", version=1, to_stage=PRODUCTION)
    assert said == (
        "churn version 1 does not pass the gates of Production: auc is at least 0.9 (auc is 0.8, against 0.9). "
        "Make it pass them, or see http://127.0.0.1:5000/models/churn/requests/new?version=1&to=Production"
    )
    assert stage() == "None"
    assert not Activity.objects.filter(kind=Kind.VERSION_STAGE_CHANGED).exists()


def test_gates_bind_an_occupant_that_is_moved_on_the_side(maria_actor: Actor, jon_actor: Actor, admin_actor) -> None:
    services.transition(jon_actor, name="churn", version=1, to_stage=PRODUCTION)
    setting_policies.set_policy(admin_actor, stage=Stage.STAGING, policy=Policy(gates=(AUC,)))
    said = told(
        Conflict,
        services.transition,
        jon_actor,
        name="churn",
        version=2,
        to_stage=PRODUCTION,
        occupant_to=Stage.STAGING,
    )
    assert said.startswith("The occupant, version 1, does not pass the gates of Staging: auc is at least 0.9")
    assert (stage(1), stage(2)) == ("Production", "None")


# -- bypass ------------------------------------------------------------------------------------------------------------
def test_who_manages_the_model_may_bypass_with_a_reason_and_history_has_a_line_of_its_own(
    maria_actor: Actor, jon_actor: Actor, admin_actor: Actor
) -> None:
    protect(admin_actor, gates=(AUC,))
    move = {"name": "churn", "version": 1, "to_stage": PRODUCTION}
    assert "To bypass what Production asks for needs CAN_MANAGE." in told(
        PermissionDenied, services.transition, jon_actor, **move, bypass_reason="outage"
    )
    told(PermissionDenied, services.transition, maria_actor, **move, bypass_reason="  ")
    services.transition(maria_actor, **move, bypass_reason="outage")
    line = Activity.objects.get(kind=Kind.STAGE_BYPASSED)
    assert (line.actor_name, line.comment, line.data["bypassed"]) == (
        "maria",
        "outage",
        ["Production is protected", "auc is at least 0.9"],
    )
    assert stage() == "Production"


def test_where_nothing_is_in_the_way_nothing_is_bypassed(maria_actor: Actor) -> None:
    services.transition(maria_actor, name="churn", version=1, to_stage=PRODUCTION, bypass_reason="just in case")
    assert not Activity.objects.filter(kind=Kind.STAGE_BYPASSED).exists()


def test_a_policy_with_gates_is_set_as_a_whole_and_refused_as_a_whole(admin_actor: Actor) -> None:
    protect(admin_actor, gates=(AUC, Gate(GateType.DESCRIPTION)))
    protect(admin_actor, gates=(AUC,))
    (line,) = Activity.objects.filter(kind=Kind.POLICY_SET).order_by("-pk")[:1]
    assert [gate["sentence"] for gate in line.data["gates"]] == ["auc is at least 0.9"]
    told(InvalidParameter, protect, admin_actor, expires_after_days=0)
    told(InvalidParameter, protect, admin_actor, gates=(AUC,) * 51)
