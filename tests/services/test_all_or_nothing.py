"""What promotion does, it does in one transaction: whichever of its writes fails, nothing of it is there."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection

from registry_site.accounts.actors import Actor
from registry_site.audit.models import Activity, OutboxEntry
from registry_site.promotion import checks, comments, deciding, deleting, services, setting_policies
from registry_site.promotion.aliases import set_alias_policy
from registry_site.promotion.gates import CheckState, Gate, GateType
from registry_site.promotion.models import Check, Comment, Evidence, Review, StagePolicy, TransitionRequest
from registry_site.promotion.rules import Policy, Verdict, WhenOccupied
from registry_site.registry.models import Alias, ModelVersion, RegisteredModel, Tag
from registry_site.registry.services import set_alias, set_version_tag
from registry_site.registry.stages import Stage
from tests.make import make_run, make_version

WRITES = re.compile(r"\b(?:INSERT|UPDATE|DELETE)\b")  # and what it locks
PRODUCTION = Stage.PRODUCTION
POLICY = Policy(protected=True, when_occupied=WhenOccupied.ASK)


def asked(maria: Actor, jon: Actor, admin: Actor) -> None:
    """Version 2 wants into Production, where version 1 is, and the alias that follows it."""
    run = make_run(maria)
    for _ in range(3):
        make_version(maria, "churn", run=run)
    set_alias_policy(admin, alias="champion", stage=PRODUCTION, is_mirror=True)
    services.transition(jon, name="churn", version=1, to_stage=PRODUCTION)
    setting_policies.set_policy(admin, stage=PRODUCTION, policy=POLICY)
    services.request_transition(maria, name="churn", version=2, to_stage=PRODUCTION)


def approved_but_for(gate: Gate, maria: Actor, jon: Actor, admin: Actor) -> None:
    """It has its approval, and waits for this."""
    asked(maria, jon, admin)
    setting_policies.set_policy(admin, stage=PRODUCTION, policy=Policy(protected=True, gates=(gate,)))
    deciding.approve(jon, name="churn", number=1)


def everything() -> list[Any]:
    tables = (RegisteredModel, ModelVersion, Tag, Alias, StagePolicy, TransitionRequest, Review, Evidence, Check)
    return [list(table.objects.order_by("pk").values()) for table in (*tables, Comment, Activity, OutboxEntry)]


def break_each_write(act: Callable[[], Any]) -> int:
    """Do it again and again, and let each time another of its writes fail. The number of its writes."""
    before = everything()
    place = 0
    while True:
        count = iter(range(1000))

        def break_one(execute: Callable[..., Any], sql: str, *more: Any, count: Any = count, place: int = place) -> Any:
            if WRITES.search(sql) and next(count) == place:
                raise OperationalError("the disk is full")
            return execute(sql, *more)

        try:
            with connection.execute_wrapper(break_one):
                act()
        except OperationalError:
            assert everything() == before, f"write {place} failed, and something was kept"
            place += 1
            continue
        assert everything() != before
        return place


def test_a_request_is_approved_in_the_same_transaction_as_its_stage_changes_or_neither(
    maria_actor: Actor, jon_actor: Actor, admin_actor: Actor
) -> None:
    asked(maria_actor, jon_actor, admin_actor)
    assert break_each_write(lambda: deciding.approve(jon_actor, name="churn", number=1)) > 10
    assert TransitionRequest.objects.get().state == "approved"
    assert ModelVersion.objects.get(version=2).current_stage == "Production"
    assert Alias.objects.get().model_version.version == 2


def test_what_applies_an_approved_request_does_so_in_the_same_transaction_or_not_at_all(
    maria_actor: Actor, jon_actor: Actor, admin_actor: Actor
) -> None:
    approved_but_for(Gate(GateType.CHECK, "ci/test"), maria_actor, jon_actor, admin_actor)
    said = {"name": "churn", "version": 2, "check": "ci/test", "state": CheckState.PASSED}
    assert break_each_write(lambda: checks.post_check(maria_actor, **said)) > 10
    assert ModelVersion.objects.get(version=2).current_stage == "Production"


ACTS: dict[str, Callable[[Actor, Actor, Actor], Any]] = {
    "a transition": lambda maria, jon, admin: services.transition(
        jon, name="churn", version=1, to_stage=Stage.STAGING, comment="shadow"
    ),
    "a bypass": lambda maria, jon, admin: services.transition(
        maria, name="churn", version=3, to_stage=PRODUCTION, archive_existing=True, bypass_reason="outage"
    ),
    "a request": lambda maria, jon, admin: services.request_transition(
        maria, name="churn", version=3, to_stage=PRODUCTION
    ),
    "a rollback": lambda maria, jon, admin: services.rollback(
        jon, name="churn", version=1, to_stage=Stage.NONE, comment="back"
    ),
    "a rejection": lambda maria, jon, admin: deciding.reject(jon, name="churn", number=1, comment="no"),
    "a wish for changes": lambda maria, jon, admin: deciding.review(
        jon, name="churn", number=1, verdict=Verdict.REQUEST_CHANGES, comment="more"
    ),
    "a cancellation": lambda maria, jon, admin: deciding.cancel(maria, name="churn", number=1),
    "a policy": lambda maria, jon, admin: setting_policies.set_policy(
        admin, stage=Stage.STAGING, policy=Policy(gates=(Gate(GateType.DESCRIPTION), Gate(GateType.SIGNATURE)))
    ),
    "a policy that is removed": lambda maria, jon, admin: setting_policies.remove_policy(
        maria, stage=Stage.ARCHIVED, name="churn"
    ),
    "a comment": lambda maria, jon, admin: comments.create_comment(jon, name="churn", number=1, text="Hm."),
    "a tag": lambda maria, jon, admin: set_version_tag(maria, name="churn", version=2, key="a", value="b"),
    "an alias": lambda maria, jon, admin: set_alias(maria, name="churn", alias="other", version=2),
    "a deleted version": lambda maria, jon, admin: deleting.delete_version(maria, name="churn", version=2),
}


@pytest.mark.parametrize("name", ACTS)
def test_every_change_writes_its_activity_in_the_same_transaction_or_is_not_made(
    name: str, maria_actor: Actor, jon_actor: Actor, admin_actor: Actor
) -> None:
    asked(maria_actor, jon_actor, admin_actor)
    if name == "a rollback":
        setting_policies.set_policy(admin_actor, stage=PRODUCTION, policy=Policy())
        services.transition(jon_actor, name="churn", version=1, to_stage=Stage.NONE)
        services.transition(jon_actor, name="churn", version=1, to_stage=Stage.STAGING)
    setting_policies.set_policy(maria_actor, stage=Stage.ARCHIVED, policy=Policy(), name="churn")
    lines = Activity.objects.count()
    assert break_each_write(lambda: ACTS[name](maria_actor, jon_actor, admin_actor)) > 1
    assert Activity.objects.count() > lines
