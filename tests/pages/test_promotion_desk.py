"""The governance desk: policies with their gates, aliases that stand for a stage, what people and systems said."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.test import Client

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.audit.kinds import Kind, Origin
from registry_site.audit.models import Activity
from registry_site.promotion import deciding, services, setting_policies
from registry_site.promotion.checks import post_check, post_deployment
from registry_site.promotion.comments import create_comment
from registry_site.promotion.gates import CheckState, Comparison, Gate, GateType
from registry_site.promotion.models import (
    AliasPolicy,
    Comment,
    MetricDirection,
    PolicyGate,
    StagePolicy,
    TransitionRequest,
)
from registry_site.promotion.policies import policy_of
from registry_site.promotion.rules import DeploymentState, Policy, Verdict, WhenOccupied
from registry_site.registry.stages import Stage
from tests.make import make_model, make_version

POLICIES = "/admin/promotion/stagepolicy/"
ALIASES = "/admin/promotion/aliaspolicy/"
REQUESTS = "/admin/promotion/transitionrequest/"
AUC = Gate(GateType.METRIC, "auc", Comparison.AT_LEAST, 0.9)
EMPTY_TAG, ANY_TAG = Gate(GateType.TAG, "risk", value=""), Gate(GateType.TAG, "team")


@pytest.fixture
def desk(admin: User, page_client: Callable[[User], Client]) -> Client:
    """The administrator's browser."""
    return page_client(admin)


def form_of(*gates: Mapping[str, Any], known: int = 0, **policy: Any) -> dict[str, Any]:
    """What a browser sends of a policy for Production and its gates; the first `known` of them are there already."""
    sent = {"required_approvals": "1", "when_occupied": "ask", "protected": "on"} | policy
    sent |= {"gates-TOTAL_FORMS": str(len(gates)), "gates-INITIAL_FORMS": str(known)}
    for index, gate in enumerate(gates):
        sent |= {f"gates-{index}-{key}": value for key, value in gate.items()}
    return sent


def gates_shown(desk: Client, row: StagePolicy) -> list[Any]:
    """The forms of the gates that there are, as the page of the policy has them."""
    (formset,) = desk.get(f"{POLICIES}{row.pk}/change/").context["inline_admin_formsets"]
    return list(formset.formset.initial_forms)


def gates_now() -> list[Gate]:
    return list(policy_of(StagePolicy.objects.get()).gates)


def words_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())).replace("&#x27;", "'")


# -- gates -------------------------------------------------------------------------------------------------------------
def test_a_policy_is_set_with_its_gates_in_the_order_of_their_places(desk: Client) -> None:
    sent = form_of(
        {"place": "2", "type": "tag", "key": "risk", "is_empty": "on"},
        {"place": "1", "type": "metric", "key": "auc", "comparison": ">=", "number": "0.9"},
        {"type": "tag", "key": "team"},
        {"place": "", "type": "", "key": ""},
        stage="Production",
    )
    assert desk.post(f"{POLICIES}add/", sent).status_code == 302
    assert gates_now() == [AUC, EMPTY_TAG, ANY_TAG]
    line = Activity.objects.get(kind=Kind.POLICY_SET)
    assert (line.actor_name, line.origin) == ("admin", Origin.ADMIN)
    assert [gate["sentence"] for gate in line.data["gates"]] == [
        "auc is at least 0.9",
        "Tag risk is ",
        "Tag team is set",
    ]


def test_what_is_saved_unchanged_stays_as_it_is(desk: Client, admin_actor: Actor) -> None:
    row = setting_policies.set_policy(
        admin_actor, stage=Stage.PRODUCTION, policy=Policy(True, when_occupied=WhenOccupied.ASK, gates=(EMPTY_TAG, AUC))
    )
    shown = desk.get(f"{POLICIES}{row.pk}/change/").context["adminform"].form, *gates_shown(desk, row)
    sent = {"gates-TOTAL_FORMS": "2", "gates-INITIAL_FORMS": "2"}
    for form in shown:
        sent |= {field.html_name: field.value() for field in form if field.value() not in (None, False)}
    assert desk.post(f"{POLICIES}{row.pk}/change/", sent).status_code == 302
    assert gates_now() == [EMPTY_TAG, AUC]
    assert Activity.objects.filter(kind=Kind.POLICY_SET).count() == 2


def test_gates_are_changed_added_and_taken_away_through_the_service(
    desk: Client, admin_actor: Actor, maria_actor: Actor
) -> None:
    make_model(maria_actor)
    row = setting_policies.set_policy(
        maria_actor, stage=Stage.STAGING, policy=Policy(gates=(ANY_TAG, AUC)), name="churn"
    )
    team, auc = PolicyGate.objects.order_by("position")
    sent = form_of(
        {"id": team.pk, "policy": row.pk, "place": "1", "type": "tag", "key": "team", "DELETE": "on"},
        {
            "id": auc.pk,
            "policy": row.pk,
            "place": "2",
            "type": "metric",
            "key": "auc",
            "comparison": ">",
            "number": "1",
        },
        {"policy": row.pk, "type": "scan"},
        known=2,
    )
    assert desk.post(f"{POLICIES}{row.pk}/change/", sent).status_code == 302
    assert gates_now() == [Gate(GateType.METRIC, "auc", Comparison.MORE_THAN, 1.0), Gate(GateType.SCAN)]
    assert [gate.position for gate in PolicyGate.objects.order_by("position")] == [1, 2]
    row.refresh_from_db()
    assert (row.registered_model.name, row.stage, row.protected) == ("churn", "Staging", True)


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ({"type": "metric", "key": "auc"}, "Say how auc is compared: &gt;=, &gt;, &lt;= or &lt;."),
        ({"type": "scan", "key": "auc"}, "A gate of the type 'scan' takes no name."),
        ({"type": "description", "is_empty": "on"}, "Only a tag has a value"),
        ({"type": "stage", "key": "Live"}, "Invalid Model Version stage: Live."),
    ],
)
def test_a_gate_that_makes_no_sense_is_refused_in_the_form_and_nothing_is_set(
    desk: Client, gate: dict[str, str], said: str
) -> None:
    answer = desk.post(f"{POLICIES}add/", form_of(gate, stage="Production"))
    assert answer.status_code == 200
    assert said in words_of(answer)
    assert not StagePolicy.objects.exists()
    assert not Activity.objects.filter(kind=Kind.POLICY_SET).exists()


def test_days_that_the_service_would_refuse_are_refused_in_the_form(desk: Client) -> None:
    answer = desk.post(f"{POLICIES}add/", form_of(stage="Production", expires_after_days="9999"))
    assert "Ensure this value is less than or equal to 3650." in words_of(answer)
    assert not StagePolicy.objects.exists()


# -- aliases -----------------------------------------------------------------------------------------------------------
def test_an_alias_that_stands_for_a_stage_is_said_changed_and_taken_back_there(
    desk: Client, maria_actor: Actor
) -> None:
    model = make_model(maria_actor)
    sent = {"registered_model": model.pk, "alias": "champion", "stage": "Production", "is_mirror": "on"}
    assert desk.post(f"{ALIASES}add/", sent).status_code == 302
    row = AliasPolicy.objects.get()
    assert (row.registered_model, row.alias, row.stage, row.is_mirror) == (model, "champion", "Production", True)
    assert desk.post(f"{ALIASES}{row.pk}/change/", {"stage": "Staging"}).status_code == 302
    row.refresh_from_db()
    assert (row.alias, row.stage, row.is_mirror) == ("champion", "Staging", False)
    assert desk.post(f"{ALIASES}{row.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not AliasPolicy.objects.exists()
    kinds = Activity.objects.filter(kind__in=[Kind.POLICY_SET, Kind.POLICY_REMOVED]).order_by("pk")
    assert list(kinds.values_list("kind", "origin")) == [
        (Kind.POLICY_SET, Origin.ADMIN),
        (Kind.POLICY_SET, Origin.ADMIN),
        (Kind.POLICY_REMOVED, Origin.ADMIN),
    ]


def test_an_alias_that_is_none_and_the_stage_that_all_begin_in_are_refused(desk: Client) -> None:
    answer = desk.post(f"{ALIASES}add/", {"alias": "v1", "stage": "None"})
    assert answer.status_code == 200
    assert "Select a valid choice. None is not one of the available choices." in words_of(answer)
    assert "v1" in words_of(answer)
    assert not AliasPolicy.objects.exists()


# -- metrics -----------------------------------------------------------------------------------------------------------
def test_which_way_a_metric_is_better_is_said_there(desk: Client, maria_actor: Actor) -> None:
    model = make_model(maria_actor)
    place = "/admin/promotion/metricdirection/"
    answer = desk.post(f"{place}add/", {"metric": "a;b", "higher_is_better": "on"})
    assert "Invalid metric name 'a;b'" in words_of(answer)
    assert not MetricDirection.objects.exists()
    assert desk.post(f"{place}add/", {"registered_model": model.pk, "metric": "val/loss"}).status_code == 302
    row = MetricDirection.objects.get()
    assert (row.registered_model, row.metric, row.higher_is_better) == (model, "val/loss", False)
    assert desk.post(f"{place}{row.pk}/change/", {"higher_is_better": "on"}).status_code == 302
    row.refresh_from_db()
    assert (row.metric, row.higher_is_better) == ("val/loss", True)
    assert desk.post(f"{place}{row.pk}/delete/", {"post": "yes"}).status_code == 302
    kinds = Activity.objects.filter(kind__startswith="metric_direction.").order_by("pk")
    assert [line.kind.partition(".")[2] for line in kinds] == ["set", "set", "removed"]


# -- requests ----------------------------------------------------------------------------------------------------------
def chosen(action: str, comment: str = "") -> dict[str, Any]:
    keys = list(TransitionRequest.objects.values_list("pk", flat=True))
    return {"action": action, "_selected_action": keys, "comment": comment}


def test_an_approval_that_does_not_suffice_counts_and_says_what_is_missing(
    desk: Client, maria_actor: Actor, jon_actor: Actor, admin_actor: Actor
) -> None:
    make_version(maria_actor)
    gates = (Gate(GateType.CHECK, "ci/test"), Gate(GateType.DESCRIPTION))
    policy = Policy(True, required_approvals=2, when_occupied=WhenOccupied.ASK, gates=gates)
    setting_policies.set_policy(admin_actor, stage=Stage.PRODUCTION, policy=policy)
    services.request_transition(maria_actor, name="churn", version=1, to_stage=Stage.PRODUCTION)
    deciding.review(jon_actor, name="churn", number=1, verdict=Verdict.REQUEST_CHANGES, comment="Describe it.")
    told = words_of(desk.post(REQUESTS, chosen("approve_chosen", "Good."), follow=True))
    assert (
        "Your approval of churn#1 counts. It waits for 1 more approval; the changes that jon asked for; a gate: Check "
        "ci/test has passed (ci/test has not reported yet); a gate: It has a description (The version has no "
        "description)." in told
    )
    review = TransitionRequest.objects.get().reviews.get(reviewer_name="admin")
    assert (review.verdict, review.comment) == ("approve", "Good.")
    told = words_of(desk.post(REQUESTS, chosen("reject_chosen", "Not this year."), follow=True))
    assert "Request churn#1 is rejected." in told
    assert TransitionRequest.objects.get().decision_comment == "Not this year."


def test_a_request_shows_its_reviews_and_comments(desk: Client, maria_actor: Actor, jon_actor: Actor) -> None:
    make_version(maria_actor)
    services.request_transition(maria_actor, name="churn", version=1, to_stage=Stage.STAGING)
    deciding.review(jon_actor, name="churn", number=1, verdict=Verdict.REQUEST_CHANGES, comment="Describe it.")
    create_comment(maria_actor, name="churn", number=1, text="I shall.")
    shown = words_of(desk.get(f"{REQUESTS}{TransitionRequest.objects.get().pk}/change/"))
    assert "Describe it." in shown
    assert "I shall." in shown


# -- what people and systems said --------------------------------------------------------------------------------------
@pytest.fixture
def said(maria_actor: Actor) -> None:
    make_version(maria_actor)
    create_comment(maria_actor, name="churn", version=1, text="Ready, I think.")
    post_check(maria_actor, name="churn", version=1, check="ci/test", state=CheckState.PASSED, summary="12 passed")
    to = {"environment": "eu-west", "description": "two pods"}
    post_deployment(maria_actor, name="churn", version=1, state=DeploymentState.SUCCEEDED, **to)


@pytest.mark.parametrize(
    ("place", "words"),
    [("comment", "Ready, I think."), ("check", "12 passed"), ("deployment", "two pods")],
)
def test_comments_checks_and_deployments_are_looked_up_and_not_edited(
    said: None, desk: Client, place: str, words: str
) -> None:
    listed = desk.get(f"/admin/promotion/{place}/?q=churn")
    assert words in words_of(listed)
    (key,) = set(re.findall(rf"/admin/promotion/{place}/(\d+)/change/", listed.content.decode()))
    assert words in words_of(desk.get(f"/admin/promotion/{place}/{key}/change/"))
    assert desk.post(f"/admin/promotion/{place}/{key}/change/", {"text": "x"}).status_code == 403
    for way in ("add/", f"{key}/delete/"):
        assert desk.post(f"/admin/promotion/{place}/{way}", {"post": "yes"}).status_code == 403


def test_a_comment_is_taken_away_and_history_keeps_what_it_said(said: None, desk: Client) -> None:
    keys = list(Comment.objects.values_list("pk", flat=True))
    told = desk.post("/admin/promotion/comment/", {"action": "take_away", "_selected_action": keys}, follow=True)
    assert "The comment by maria on churn version 1 is gone." in words_of(told)
    assert not Comment.objects.exists()
    line = Activity.objects.get(kind=Kind.COMMENT_DELETED)
    assert (line.data["before"], line.actor_name, line.origin) == ("Ready, I think.", "admin", Origin.ADMIN)
