"""The native API: requests, reviews, policies with gates, checks, deployments, rollbacks."""

import json
from typing import Any

import pytest
from django.http import HttpResponse

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.audit.kinds import Kind
from registry_site.audit.models import Activity
from registry_site.promotion.models import TransitionRequest
from registry_site.promotion.rules import Policy
from registry_site.promotion.setting_policies import set_policy
from registry_site.registry.models import ModelVersion
from registry_site.registry.stages import Stage
from tests.api.test_people_api import problem
from tests.doors import Api
from tests.make import make_model, make_run, make_user, make_version

CHURN = "/api/v1/models/churn"
POLICY = f"{CHURN}/policies/Production"
AUC = {"type": "metric", "key": "auc", "comparison": ">=", "number": 0.85}
CI_TEST = {"type": "check", "key": "ci/test"}


@pytest.fixture(autouse=True)
def churn(maria_actor: Actor) -> None:
    """Maria's model `churn` has two versions, with an AUC of 0.8 and of 0.9."""
    for auc in (0.8, 0.9):
        make_version(maria_actor, "churn", run=make_run(maria_actor, metrics={"auc": [auc]}))


def put(api: Api, path: str, body: Any) -> HttpResponse:
    return api.raw("PUT", path, json.dumps(body))


def ask(api: Api, version: int = 2, **more: Any) -> dict[str, Any]:
    answer = api.post(f"{CHURN}/requests", {"version": version, "to_stage": "Production"} | more)
    assert answer.status_code == 201, answer.content
    made: dict[str, Any] = answer.json()
    return made


def stages() -> list[str]:
    return list(ModelVersion.objects.order_by("version").values_list("current_stage", flat=True))


def test_the_story_of_ci(api: Api, jon: User) -> None:
    """An approved request waits for its check, fails, passes, and is applied; then it is deployed."""
    ci = api.as_(make_user("ci", level=Level.CAN_EDIT))
    assert put(api, POLICY, {"protected": True, "when_occupied": "ask", "gates": [CI_TEST]}).status_code == 200
    ask(api, comment="Half the size.")
    approved = api.as_(jon).post(f"{CHURN}/requests/1/reviews", {"verdict": "approve", "comment": "go"}).json()
    assert approved["state"] == "pending"
    checks, result = f"{CHURN}/versions/2/checks", {"check": "ci/test", "external_id": "1"}
    for _retry in range(2):
        assert ci.post(checks, result | {"state": "failed", "summary": "2 of 12 failed"}).status_code == 200
    assert TransitionRequest.objects.get().state == "pending"
    assert ci.post(checks, result | {"state": "passed", "external_id": "2"}).status_code == 200
    shown = api.get(f"{CHURN}/requests/1").json()
    assert (shown["state"], shown["decided_by"], shown["approvers"]) == ("approved", "jon", ["jon"])
    assert stages() == ["None", "Production"]
    deployment = {"environment": "eu-west", "state": "succeeded", "external_id": "d1", "link": "https://d.example/1"}
    for _retry in range(2):
        assert ci.post(f"{CHURN}/versions/2/deployments", deployment).status_code == 200
    (reported,) = api.get(f"{CHURN}/versions/2/deployments").json()["deployments"]
    assert (reported["environment"], reported["state"], reported["posted_by"]) == ("eu-west", "succeeded", "ci")
    assert [one["state"] for one in api.get(checks).json()["checks"]] == ["passed", "failed"]


def test_one_request_with_evidence_difference_gates_and_what_one_may_do(api: Api, jon: User) -> None:
    api.as_(jon).post(f"{CHURN}/versions/1/transition", {"to_stage": "Production"})
    put(api, POLICY, {"when_occupied": "ask", "gates": [AUC]})
    ask(api)
    shown = api.as_(jon).get(f"{CHURN}/requests/1").json()
    assert shown["evidence"]["metrics"] == {"auc": 0.9}
    assert (shown["occupant_version"], shown["occupant_evidence"]["metrics"]) == (1, {"auc": 0.8})
    (metric,) = shown["diff"]["metrics"]
    assert (metric["name"], metric["old"], metric["new"], metric["direction"]) == ("auc", 0.8, 0.9, "better")
    (gate,) = shown["standing"]["gates"]
    assert (gate["sentence"], gate["state"], gate["seen"]) == ("auc is at least 0.85", "passed", "0.9")
    assert (shown["standing"]["may_approve"], shown["standing"]["missing_approvals"]) == (True, 1)
    assert not api.as_(make_user("kim")).get(f"{CHURN}/requests/1").json()["standing"]["may_approve"]


def test_a_review_of_old_evidence_is_refused(api: Api, jon: User) -> None:
    seen = ask(api)["evidence_digest"]
    api.post("/api/2.0/mlflow/model-versions/set-tag", {"name": "churn", "version": "2", "key": "a", "value": "b"})
    answer = api.as_(jon).post(f"{CHURN}/requests/1/reviews", {"verdict": "approve", "evidence_digest": seen})
    assert problem(answer) == (409, "RESOURCE_CONFLICT", "evidence_digest")
    assert answer.json()["message"] == (
        "The evidence of churn#1 has changed: tag a is new. Look at it again, then decide."
    )


def test_requests_are_found_by_state_model_reviewer_and_role(api: Api, jon: User) -> None:
    ask(api, 1)
    ask(api, 2)
    reviews = f"{CHURN}/requests/1/reviews"
    assert api.as_(jon).post(reviews, {"verdict": "request_changes", "comment": "Say more."}).status_code == 200

    def numbers(by: Api, **wanted: str) -> list[int]:
        return [one["number"] for one in by.get("/api/v1/requests", wanted).json()["requests"]]

    assert numbers(api) == [2, 1]
    assert numbers(api, role="mine", state="pending", model="churn") == [2, 1]
    assert numbers(api, reviewer="jon") == [1]
    assert numbers(api.as_(jon), role="waiting") == [2]
    assert numbers(api, state="approved") == []


def test_a_review_is_dismissed_and_a_request_cancelled(api: Api, jon: User) -> None:
    ask(api)
    api.as_(jon).post(f"{CHURN}/requests/1/reviews", {"verdict": "request_changes", "comment": "Say more."})
    dismiss = f"{CHURN}/requests/1/reviews/jon/dismiss"
    assert problem(api.post(dismiss, {}))[:2] == (400, "INVALID_PARAMETER_VALUE")
    assert api.post(dismiss, {"reason": "Jon is away."}).json()["state"] == "pending"
    (given,) = api.get(f"{CHURN}/requests/1").json()["reviews"]
    assert (given["dismissed_by"], given["dismissal_reason"]) == ("maria", "Jon is away.")
    assert api.post(f"{CHURN}/requests/1/cancel", {}).json()["state"] == "cancelled"


def test_the_whole_record_is_one_file(api: Api, jon: User) -> None:
    ask(api)
    api.post(f"{CHURN}/requests/1/comments", {"comment": "Who looks?"})
    api.as_(jon).post(f"{CHURN}/requests/1/reviews", {"verdict": "reject", "comment": "Recall fell."})
    answer = api.get(f"{CHURN}/requests/1/record")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="request-1.json"'
    record = answer.json()
    assert [line["kind"] for line in record["history"]] == [
        "request.created",
        "comment.created",
        "review.given",
        "request.rejected",
    ]
    assert (record["comments"][0]["text"], record["evidence"]["metrics"]) == ("Who looks?", {"auc": 0.9})
    timeline = api.get(f"{CHURN}/requests/1/timeline", {"max_results": 1}).json()
    assert timeline["activities"][0]["kind"] == "request.rejected"
    assert timeline["next_page_token"]


def test_policies_of_a_model_the_site_and_nobody(api: Api, admin: User) -> None:
    gates = [AUC, {"type": "tag", "key": "risk", "value": "low"}, {"type": "signature"}]
    put(api.as_(admin), "/api/v1/policies/Staging", {"required_approvals": 2})
    put(api, POLICY, {"protected": True, "when_occupied": "ask", "expires_after_days": 14, "gates": gates})
    found = {one["stage"]: one for one in api.get(f"{CHURN}/policies").json()["policies"]}
    assert {stage: one["source"] for stage, one in found.items()} == {
        "None": "default",
        "Staging": "site",
        "Production": "model",
        "Archived": "default",
    }
    assert [gate["sentence"] for gate in found["Production"]["gates"]] == [
        "auc is at least 0.85",
        "Tag risk is low",
        "It has a signature",
    ]
    assert (found["Production"]["expires_after_days"], found["Staging"]["required_approvals"]) == (14, 2)
    assert api.get("/api/v1/policies/production").json()["source"] == "default"
    assert api.delete(POLICY).json()["source"] == "default"
    assert problem(api.delete(POLICY))[:2] == (404, "RESOURCE_DOES_NOT_EXIST")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"gates": [{"type": "metric", "key": "auc"}]}, "Say how auc is compared: >=, >, <= or <."),
        ({"gates": [{"type": "magic"}]}, "Parameter 'gates.0.type': \"magic\" is not a valid choice."),
        ({"required_approvals": 0}, "Parameter 'required_approvals': Ensure this value is greater than or equal to 1."),
        ({"gates": [{"type": "description"}] * 51}, "A policy has 50 gates at most."),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(api: Api, wrong: dict[str, Any], said: str) -> None:
    answer = put(api, POLICY, wrong)
    assert (answer.status_code, answer.json()["message"]) == (400, said)
    assert api.get(POLICY).json()["source"] == "default"


def test_aliases_that_stand_for_a_stage_are_listed_set_and_removed(api: Api, admin: User, jon: User) -> None:
    own, of_all = f"{CHURN}/alias-policies", "/api/v1/alias-policies"
    put(api.as_(admin), f"{of_all}/champion", {"stage": "Production", "is_mirror": True})
    put(api.as_(admin), f"{of_all}/next", {"stage": "Staging"})
    assert put(api, f"{own}/next", {"stage": "Production"}).json() == {
        "alias": "next",
        "stage": "Production",
        "is_mirror": False,
        "source": "model",
    }
    listed = api.get(own).json()["aliases"]
    assert [(one["alias"], one["stage"], one["is_mirror"], one["source"]) for one in listed] == [
        ("champion", "Production", True, "site"),
        ("next", "Production", False, "model"),
    ]
    assert [one["stage"] for one in api.get(of_all).json()["aliases"]] == ["Production", "Staging"]
    assert api.delete(f"{own}/next").status_code == 204
    assert [one["source"] for one in api.get(own).json()["aliases"]] == ["site", "site"]
    assert problem(api.delete(f"{own}/next"))[:2] == (404, "RESOURCE_DOES_NOT_EXIST")
    assert problem(put(api, f"{own}/next", {"stage": "None"}))[:2] == (400, "INVALID_PARAMETER_VALUE")
    assert put(api, f"{own}/v1", {"stage": "Staging"}).json()["message"] == "Version alias name 'v1' is reserved."
    assert problem(put(api.as_(jon), f"{own}/next", {"stage": "Staging"}))[:2] == (403, "PERMISSION_DENIED")
    assert problem(put(api, f"{of_all}/champion", {"stage": "Staging"}))[:2] == (403, "PERMISSION_DENIED")


def test_which_way_a_metric_is_better_is_said_and_a_comparison_shows_it(api: Api, admin: User, jon: User) -> None:
    own, of_all = f"{CHURN}/metric-directions", "/api/v1/metric-directions"
    ask(api, 1)
    api.as_(jon).post(f"{CHURN}/requests/1/reviews", {"verdict": "approve"})
    ask(api, 2)

    def shown() -> str:
        found = api.get(f"{CHURN}/requests/2").json()["diff"]["metrics"]
        return next(one["direction"] for one in found if one["name"] == "auc")

    assert shown() == "unknown"
    put(api.as_(admin), f"{of_all}/auc", {"higher_is_better": True})
    assert shown() == "better"
    assert put(api, f"{own}/auc", {"higher_is_better": False}).json()["source"] == "model"
    assert shown() == "worse"
    put(api, f"{own}/val/loss", {"higher_is_better": False})
    listed = api.get(own).json()["metrics"]
    assert [(one["metric"], one["higher_is_better"]) for one in listed] == [("auc", False), ("val/loss", False)]
    assert [api.delete(f"{own}/{metric}").status_code for metric in ("auc", "val/loss", "auc")] == [204, 204, 404]
    assert shown() == "better"
    assert problem(put(api, f"{own}/auc", {}))[:2] == (400, "INVALID_PARAMETER_VALUE")
    assert problem(put(api.as_(jon), f"{own}/auc", {"higher_is_better": True}))[:2] == (403, "PERMISSION_DENIED")
    assert problem(api.delete(f"{of_all}/auc"))[:2] == (403, "PERMISSION_DENIED")


def test_to_say_the_same_of_a_metric_again_is_no_news(api: Api) -> None:
    for _ in range(2):
        put(api, f"{CHURN}/metric-directions/auc", {"higher_is_better": True})
    assert Activity.objects.filter(kind=Kind.METRIC_DIRECTION_SET).count() == 1


def test_gates_are_tried_before_they_are_set(api: Api) -> None:
    found = api.post(f"{POLICY}/dry-run", {"gates": [AUC]}).json()["versions"]
    assert [(one["version"], one["passes"], one["gates"][0]["seen"]) for one in found] == [
        (2, True, "0.9"),
        (1, False, "0.8"),
    ]
    assert all(one["passes"] for one in api.post(f"{POLICY}/dry-run", {}).json()["versions"])


# -- copies ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def live(admin_actor: Actor) -> None:
    """The administrator's `live.churn` has no version, and takes them by approved copies alone."""
    make_model(admin_actor, "live.churn")
    set_policy(admin_actor, stage=Stage.NONE, policy=Policy(protected=True), name="live.churn")


def test_a_version_is_copied_into_another_model_by_request(live: None, api: Api, jon: User) -> None:
    asked = api.post(f"{CHURN}/requests", {"version": 2, "copy_to": "live.churn", "comment": "go"})
    assert (asked.status_code, asked.json()["to_stage"], asked.json()["copy_to"]) == (201, "None", "live.churn")
    listed = api.get("/api/v1/requests", {"copy_to": "live.churn"}).json()["requests"]
    assert [(one["model"], one["number"]) for one in listed] == [("churn", 1)]
    assert api.get("/api/v1/requests", {"copy_to": "churn"}).json()["requests"] == []
    review, verdict = f"{CHURN}/requests/1/reviews", {"verdict": "approve"}
    assert problem(api.as_(make_user("kim")).post(review, verdict)) == (403, "PERMISSION_DENIED", "")
    done = api.as_(jon).post(review, verdict).json()
    assert (done["state"], done["copy_to"], done["copied_version"]) == ("approved", "live.churn", 1)
    copies = api.get(f"{CHURN}/versions/2/copies").json()
    assert copies == {"copied_from": None, "copies": [{"model": "live.churn", "version": 1, "stage": "None"}]}
    there = api.get("/api/v1/models/live.churn/versions/1/copies").json()
    assert there == {"copied_from": {"model": "churn", "version": 2, "stage": "None"}, "copies": []}
    found = api.get("/api/2.0/mlflow/model-versions/get", {"name": "live.churn", "version": "1"}).json()
    assert found["model_version"]["source"] == "models:/churn/2"
    kinds = [line["kind"] for line in api.get(f"{CHURN}/requests/1/timeline").json()["activities"]]
    assert kinds == ["version.copied", "request.approved", "review.given", "request.created"]


def test_a_request_for_a_copy_says_where_it_comes_to_and_a_move_says_a_stage(live: None, api: Api) -> None:
    assert problem(api.post(f"{CHURN}/requests", {"version": 2})) == (400, "INVALID_PARAMETER_VALUE", "to_stage")
    nowhere = api.post(f"{CHURN}/requests", {"version": 2, "copy_to": "nowhere"})
    assert problem(nowhere) == (404, "RESOURCE_DOES_NOT_EXIST", "copy_to")
    archived = {"version": 2, "copy_to": "live.churn", "to_stage": "Archived"}
    assert problem(api.post(f"{CHURN}/requests", archived)) == (400, "INVALID_PARAMETER_VALUE", "to_stage")


def test_a_version_is_copied_directly_by_those_who_may(live: None, api: Api, jon: User, admin: User) -> None:
    place = f"{CHURN}/versions/2/copies"
    refused = api.as_(jon).post(place, {"copy_to": "live.churn"})
    assert problem(refused)[:2] == (403, "PERMISSION_DENIED")
    assert "models/churn/requests/new?version=2&to=None&copy_to=live.churn" in refused.json()["message"]
    made = api.as_(admin).post(place, {"copy_to": "live.churn", "bypass_reason": "outage"})
    assert (made.status_code, made.json()) == (201, {"model": "live.churn", "version": 1, "stage": "None"})
    put(api.as_(admin), "/api/v1/models/live.churn/policies/None", {})
    staged = api.as_(jon).post(place, {"copy_to": "live.churn", "to_stage": "Production"})
    assert staged.json() == {"model": "live.churn", "version": 2, "stage": "Production"}
    again = {"copy_to": "live.churn", "to_stage": "Production"}
    assert problem(api.as_(jon).post(place, again))[:2] == (409, "RESOURCE_CONFLICT")
    assert api.as_(jon).post(place, again | {"occupant_to_stage": "Staging"}).json()["version"] == 3


def test_mlflow_s_own_copy_is_refused_with_the_way_to_ask(live: None, api: Api, admin: User) -> None:
    body = {"name": "live.churn", "source": "models:/churn/2"}
    refused = api.as_(admin).post("/api/2.0/mlflow/model-versions/create", body)
    assert (refused.status_code, refused.json()["error_code"]) == (403, "PERMISSION_DENIED")
    assert "requests/new?version=2&to=None&copy_to=live.churn" in refused.json()["message"]


def test_databricks_lists_no_requests_for_copies_and_approves_none_by_mistake(live: None, api: Api, jon: User) -> None:
    for body in ({"to_stage": "Staging", "copy_to": "live.churn"}, {"to_stage": "Staging"}):
        assert api.post(f"{CHURN}/requests", {"version": 2} | body).status_code == 201
    place = {"name": "churn", "version": "2"}
    listed = api.get("/api/2.0/mlflow/transition-requests/list", place).json()["requests"]
    assert [one["to_stage"] for one in listed] == ["Staging"]
    approval = place | {"stage": "Staging", "archive_existing_versions": False}
    assert api.as_(jon).post("/api/2.0/mlflow/transition-requests/approve", approval).status_code == 200
    assert [one.state for one in TransitionRequest.objects.order_by("number")] == ["pending", "approved"]
    told = api.get("/api/2.0/mlflow/activities/list", {"name": "churn"}).json()["activities"]
    assert [one["activity_type"] for one in told] == [
        "SYSTEM_TRANSITION",
        "APPROVED_REQUEST",
        "REQUESTED_TRANSITION",
    ]


def test_a_bypass_and_a_rollback(api: Api, jon: User) -> None:
    put(api, POLICY, {"protected": True, "when_occupied": "ask"})
    move = {"to_stage": "Production", "archive_existing": True}
    assert problem(api.post(f"{CHURN}/versions/1/transition", move))[:2] == (403, "PERMISSION_DENIED")
    for version in (1, 2):
        moved = api.post(f"{CHURN}/versions/{version}/transition", move | {"bypass_reason": "outage"})
        assert moved.json()["stage"] == "Production"
    done = api.post(f"{CHURN}/versions/1/rollback", {"comment": "slow"}).json()
    assert (done["stage"], done["request"]["is_rollback"]) == ("Archived", True)
    api.delete(POLICY)
    api.post(f"{CHURN}/requests/1/cancel", {})
    done = api.as_(jon).post(f"{CHURN}/versions/1/rollback", {}).json()
    assert (done["stage"], done["request"], stages()) == ("Production", None, ["Production", "Archived"])
