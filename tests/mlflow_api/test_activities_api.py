"""What happened to a model version, as clients of Databricks' registry read it."""

from typing import Any

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.core import clock
from registry_site.promotion.deciding import approve, cancel, reject
from registry_site.promotion.services import request_transition, transition
from registry_site.registry.services import set_model_tag
from registry_site.registry.stages import Stage
from tests.conftest import FrozenClock
from tests.doors import Api
from tests.make import make_version
from tests.mlflow_api.flows import error_of


def told(api: Api, **query: Any) -> list[dict[str, Any]]:
    answer = api.get("activities/list", {"name": "churn", **query})
    assert answer.status_code == 200, answer.content
    return answer.json().get("activities", [])


def test_what_happened_is_told_in_databricks_words_newest_first(
    api: Api, maria_actor: Actor, jon_actor: Actor, frozen_clock: FrozenClock
) -> None:
    make_version(maria_actor)
    set_model_tag(maria_actor, name="churn", key="team", value="risk")
    transition(jon_actor, name="churn", version=1, to_stage=Stage.STAGING, comment="try it")
    request_transition(maria_actor, name="churn", version=1, to_stage=Stage.PRODUCTION, comment="better")
    reject(jon_actor, name="churn", number=1, comment="not yet")
    at = clock.to_ms(frozen_clock.moment)
    newest, *_ = activities = told(api, version="1")
    assert newest == {
        "id": newest["id"],
        "activity_type": "REJECTED_REQUEST",
        "user_id": "jon",
        "creation_timestamp": at,
        "last_updated_timestamp": at,
        "to_stage": "Production",
        "comment": "not yet",
    }
    assert [(one["activity_type"], one.get("from_stage"), one["to_stage"], one["comment"]) for one in activities] == [
        ("REJECTED_REQUEST", None, "Production", "not yet"),
        ("REQUESTED_TRANSITION", "Staging", "Production", "better"),
        ("APPLIED_TRANSITION", "None", "Staging", "try it"),
    ]


def test_side_effects_are_the_systems(api: Api, maria_actor: Actor, jon_actor: Actor) -> None:
    for _ in range(2):
        make_version(maria_actor)
    transition(jon_actor, name="churn", version=1, to_stage=Stage.PRODUCTION)
    for version, stage in ((2, Stage.PRODUCTION), (1, Stage.STAGING)):
        request_transition(maria_actor, name="churn", version=version, to_stage=stage)
    transition(jon_actor, name="churn", version=1, to_stage=Stage.STAGING)
    approve(jon_actor, name="churn", number=1, comment="go")
    request_transition(maria_actor, name="churn", version=1, to_stage=Stage.ARCHIVED)
    cancel(maria_actor, name="churn", number=3)
    of_one = [(one["activity_type"], one.get("system_comment")) for one in told(api, version=1)]
    assert of_one == [
        ("CANCELLED_REQUEST", None),
        ("REQUESTED_TRANSITION", None),
        ("CANCELLED_REQUEST", "version 1 is in Staging now"),
        ("APPLIED_TRANSITION", None),
        ("REQUESTED_TRANSITION", None),
        ("APPLIED_TRANSITION", None),
    ]
    moved, approved, _ = told(api, version=2)
    assert (moved["activity_type"], moved["system_comment"]) == ("SYSTEM_TRANSITION", "request #1")
    assert (approved["activity_type"], approved["comment"]) == ("APPROVED_REQUEST", "go")


def test_pages_of_activities_follow_each_other(api: Api, maria_actor: Actor) -> None:
    for version in (1, 2, 3):
        make_version(maria_actor)
        request_transition(maria_actor, name="churn", version=version, to_stage=Stage.STAGING)
    whole = [one["id"] for one in told(api)]
    first = api.get("activities/list", {"name": "churn", "max_results": 2}).json()
    request_transition(maria_actor, name="churn", version=1, to_stage=Stage.PRODUCTION)
    rest = api.get(
        "activities/list", {"name": "churn", "max_results": 2, "page_token": first["next_page_token"]}
    ).json()
    assert [one["id"] for one in (*first["activities"], *rest["activities"])] == whole
    assert "next_page_token" not in rest
    assert told(api, version=7) == [], "a version that is not there has no history"


def test_whoever_may_not_see_the_model_does_not_see_what_happened_to_it(
    api: Api, maria_actor: Actor, eve: User, settings: Any
) -> None:
    make_version(maria_actor)
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    assert error_of(api.as_(eve).get("activities/list", {"name": "churn"}))[:2] == (404, "RESOURCE_DOES_NOT_EXIST")
