"""Refusals at every door of promotion: a 4xx that says what is so and where to go, and nothing has changed."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.audit.kinds import Kind
from registry_site.audit.models import Activity
from registry_site.core import clock
from registry_site.promotion import deciding, services, setting_policies
from registry_site.promotion.gates import Gate, GateType
from registry_site.promotion.models import Review, TransitionRequest
from registry_site.promotion.rules import Policy, WhenOccupied
from registry_site.registry.models import ModelVersion
from registry_site.registry.stages import Stage
from tests.doors import Api
from tests.make import make_run, make_version

MLFLOW = "/api/2.0/mlflow"
CHURN = "/api/v1/models/churn"
MOVE = {"name": "churn", "version": "3", "stage": "Production", "archive_existing_versions": True}
OPEN = {"name": "churn", "version": "2", "stage": "Production"}
APPROVE = OPEN | {"archive_existing_versions": True}

REFUSALS: list[tuple[str, str, str, Mapping[str, Any], int, str]] = [
    # who, how, where, what: the status, and words of the message
    ("jon", "POST", f"{MLFLOW}/model-versions/transition-stage", MOVE, 403, "/models/churn/requests/new?version=3"),
    ("jon", "POST", f"{MLFLOW}/databricks/model-versions/transition-stage", MOVE, 403, "needs an approved request"),
    ("eve", "POST", f"{MLFLOW}/model-versions/transition-stage", MOVE, 403, "needs CAN_MANAGE_PRODUCTION_VERSIONS"),
    (
        "jon",
        "POST",
        f"{MLFLOW}/model-versions/transition-stage",
        {"name": "churn", "version": "3", "stage": "Staging", "archive_existing_versions": False},
        409,
        "churn version 4 is in Staging, which admits one version. Archive it with archive_existing_versions=true, or",
    ),
    (
        "jon",
        "POST",
        f"{MLFLOW}/model-versions/transition-stage",
        {"name": "churn", "version": "3", "stage": "Archived"},
        409,
        "does not pass the gates of Archived: Tag risk is set",
    ),
    ("maria", "POST", f"{MLFLOW}/transition-requests/create", OPEN, 400, "/models/churn/requests/1"),
    ("maria", "POST", f"{MLFLOW}/transition-requests/create", OPEN | {"version": "1"}, 400, "is already in Production"),
    ("maria", "POST", f"{MLFLOW}/transition-requests/approve", APPROVE, 403, "somebody else has to"),
    (
        "jon",
        "POST",
        f"{MLFLOW}/transition-requests/approve",
        APPROVE | {"archive_existing_versions": False},
        409,
        "Approve it with archive_existing_versions=true",
    ),
    ("eve", "POST", f"{MLFLOW}/transition-requests/approve", APPROVE, 403, "one needs CAN_MANAGE_PRODUCTION_VERSIONS"),
    ("jon", "POST", f"{MLFLOW}/transition-requests/reject", OPEN, 400, "a rejection needs a comment"),
    ("jon", "POST", f"{MLFLOW}/transition-requests/reject", OPEN | {"version": "3"}, 404, "There is no open request"),
    ("eve", "DELETE", f"{MLFLOW}/transition-requests/delete", OPEN | {"creator": "maria"}, 403, "needs CAN_MANAGE"),
    ("maria", "DELETE", f"{MLFLOW}/model-versions/delete", {"name": "churn", "version": "1"}, 409, "Archive it first."),
    ("maria", "DELETE", f"{MLFLOW}/registered-models/delete", {"name": "churn"}, 409, "Archive it first."),
    ("maria", "POST", f"{CHURN}/requests", {"version": 2, "to_stage": "Production"}, 400, "/models/churn/requests/1"),
    (
        "maria",
        "POST",
        f"{CHURN}/requests",
        {"version": 3, "to_stage": "Production", "occupant_decision": "keep"},
        400,
        "say whether its occupant is archived or moved",
    ),
    ("jon", "POST", f"{CHURN}/requests/1/reviews", {"verdict": "request_changes"}, 400, "Say what should change"),
    (
        "jon",
        "POST",
        f"{CHURN}/requests/1/reviews",
        {"verdict": "approve", "evidence_digest": "0" * 64},
        409,
        "Look at it again, then decide.",
    ),
    ("jon", "POST", f"{CHURN}/requests/2/reviews", {"verdict": "approve"}, 409, "is already cancelled by maria"),
    ("maria", "POST", f"{CHURN}/requests/2/cancel", {}, 409, "is already cancelled by maria"),
    ("maria", "POST", f"{CHURN}/requests/9/cancel", {}, 404, "There is no request churn#9."),
    ("jon", "POST", f"{CHURN}/requests/1/cancel", {"comment": "no"}, 403, "needs CAN_MANAGE"),
    ("maria", "POST", f"{CHURN}/requests/1/reviews/jon/dismiss", {"reason": "x"}, 404, "no review of churn#1 by jon"),
    (
        "jon",
        "POST",
        f"{CHURN}/versions/3/transition",
        {"to_stage": "Production", "bypass_reason": "outage"},
        403,
        "needs CAN_MANAGE",
    ),
    ("jon", "POST", f"{CHURN}/versions/3/rollback", {}, 400, "has never been in Production"),
    ("jon", "PUT", f"{CHURN}/policies/Production", {"protected": False}, 403, "needs CAN_MANAGE"),
    ("eve", "POST", f"{CHURN}/versions/1/checks", {"check": "ci/test", "state": "passed"}, 403, "needs CAN_EDIT"),
]


@pytest.fixture(autouse=True)
def churn(maria_actor: Actor, jon_actor: Actor, admin_actor: Actor) -> None:
    """Of Maria's model `churn` version 1 is in Production, which is protected, and 4 in Staging, which admits one. She
    wants version 2 in Production, and no longer version 3."""
    run = make_run(maria_actor)
    for _ in range(4):
        make_version(maria_actor, "churn", run=run)
    services.transition(jon_actor, name="churn", version=1, to_stage=Stage.PRODUCTION)
    services.transition(jon_actor, name="churn", version=4, to_stage=Stage.STAGING)
    asks = WhenOccupied.ASK
    setting_policies.set_policy(admin_actor, stage=Stage.PRODUCTION, policy=Policy(protected=True, when_occupied=asks))
    setting_policies.set_policy(admin_actor, stage=Stage.STAGING, policy=Policy(when_occupied=asks))
    setting_policies.set_policy(admin_actor, stage=Stage.ARCHIVED, policy=Policy(gates=(Gate(GateType.TAG, "risk"),)))
    for version in (2, 3):
        services.request_transition(maria_actor, name="churn", version=version, to_stage=Stage.PRODUCTION)
    deciding.cancel(maria_actor, name="churn", number=2)


def everything() -> list[Any]:
    tables = (ModelVersion, TransitionRequest, Review, Activity)
    return [list(table.objects.order_by("pk").values()) for table in tables]


@pytest.mark.parametrize(
    ("who", "method", "path", "body", "status", "words"),
    REFUSALS,
    ids=[f"{who} {path.removeprefix(CHURN).removeprefix(MLFLOW)} {status}" for who, _, path, _, status, _ in REFUSALS],
)
def test_a_refusal_is_never_answered_with_a_5xx_or_invalid_state(
    who: str,
    method: str,
    path: str,
    body: Mapping[str, Any],
    status: int,
    words: str,
    api: Api,
    jon: User,
    eve: User,
) -> None:
    client = {"maria": api, "jon": api.as_(jon), "eve": api.as_(eve)}[who]
    before = everything()
    answer = client.raw(method, path, json.dumps(body))
    assert answer.status_code == status, answer.content
    said = answer.json()
    assert words in said["message"]
    assert said.get("error_code", said.get("code")) != "INVALID_STATE"
    assert everything() == before, "nothing has changed, and history has no line of it"


@pytest.mark.parametrize("call", ["model-versions/transition-stage", "databricks/model-versions/transition-stage"])
def test_protection_and_gates_are_never_bypassed_by_the_mlflow_call(call: str, api: Api, admin: User) -> None:
    for stage in ("Production", "Archived"):
        move = MOVE | {"stage": stage, "bypass_reason": "outage", "comment": "outage"}
        move["archive_existing_versions"] = stage == "Production"
        assert api.as_(admin).post(call, move).status_code in (403, 409)
    assert not Activity.objects.filter(kind=Kind.STAGE_BYPASSED).exists()
    assert ModelVersion.objects.get(version=3).current_stage == "None"


def test_source_run_and_logged_model_of_a_version_never_change_after_its_creation(api: Api) -> None:
    kept = ("source", "storage_location", "run_id", "model_id", "creation_timestamp", "user_id")
    before = ModelVersion.objects.values(*kept).get(version=3)
    other = {"source": "s3://other/model", "run_id": "0" * 32, "model_id": "m-1", "user_id": "eve"}
    for method, path, more in (
        ("PATCH", "model-versions/update", {"description": "Better."}),
        ("POST", "model-versions/transition-stage", {"stage": "Staging", "archive_existing_versions": "true"}),
        ("POST", "model-versions/set-tag", {"key": "source", "value": "s3://other/model"}),
        ("POST", "registered-models/rename", {"new_name": "leavers"}),
    ):
        api.raw(method, f"{MLFLOW}/{path}", json.dumps({"name": "churn", "version": "3"} | other | more))
    assert ModelVersion.objects.values(*kept).get(version=3) == before
    found = ModelVersion.objects.select_related("registered_model").get(version=3)
    assert (found.description, found.registered_model.name) == ("Better.", "leavers")


def test_the_database_itself_admits_at_most_one_pending_request_for_a_version_and_stage(maria: User) -> None:
    row = TransitionRequest.objects.get(number=1)
    row.pk, row.number = None, 3
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


def test_the_database_itself_admits_at_most_one_review_of_a_person(jon: User) -> None:
    request = TransitionRequest.objects.get(number=1)
    given = {"request": request, "reviewer": jon, "reviewer_name": "jon", "verdict": "approve"}
    Review.objects.create(**given, created_at=clock.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        Review.objects.create(**given, created_at=clock.now())
