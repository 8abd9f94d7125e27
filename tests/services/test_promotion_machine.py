"""Promotion, driven at random by several people, by CI, by the clock and by the worker: what has to hold, always holds.

`MACHINE_STEPS=2000 MACHINE_SEEDS=20` drives it for longer.
"""

import os
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from registry_site.accounts.actors import person
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.audit.chain import START as START_OF_CHAIN
from registry_site.audit.kinds import Kind, Origin
from registry_site.audit.models import Activity, OutboxEntry
from registry_site.audit.verify import verify
from registry_site.core.errors import PodiumError
from registry_site.promotion import checks, comments, deciding, deleting, services, setting_policies, upkeep
from registry_site.promotion.aliases import remove_alias_policy, set_alias_policy
from registry_site.promotion.gates import CheckState, Comparison, Gate, GateType
from registry_site.promotion.models import Review, TransitionRequest
from registry_site.promotion.moving import gate_results
from registry_site.promotion.policies import policies_in_force
from registry_site.promotion.rules import OccupantDecision, Policy, RequestState, Verdict, WhenOccupied, level_to_decide
from registry_site.promotion.settling import outcome_of, settle
from registry_site.registry import services as registry
from registry_site.registry.access import level_of
from registry_site.registry.models import Alias, ModelVersion, RegisteredModel
from registry_site.registry.stages import Stage, level_to_move
from registry_site.tracking.recording import MetricPoint, log_batch
from tests.conftest import FrozenClock
from tests.make import grant, make_run, make_user

STEPS = int(os.environ.get("MACHINE_STEPS", "160"))
SEEDS = int(os.environ.get("MACHINE_SEEDS", "1"))
AT_A_TIME = min(250, STEPS // 4)  # steps until everything starts anew
START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LEVELS = {
    "maria": Level.CAN_MANAGE,
    "jon": Level.CAN_MANAGE_PRODUCTION_VERSIONS,
    "kim": Level.CAN_MANAGE_PRODUCTION_VERSIONS,
    "lee": Level.CAN_MANAGE_STAGING_VERSIONS,
    "ci": Level.CAN_EDIT,
    "eve": Level.CAN_READ,
}
MOST_VERSIONS = 5
AGAINST_OCCUPANT = Gate(GateType.METRIC_AGAINST_OCCUPANT, "auc", Comparison.AT_LEAST, -0.05)
GATES = (
    Gate(GateType.METRIC, "auc", Comparison.AT_LEAST, 0.5),
    AGAINST_OCCUPANT,
    Gate(GateType.TAG, "risk", value="low"),
    Gate(GateType.DESCRIPTION),
    Gate(GateType.STAGE, "Staging"),
    Gate(GateType.CHECK, "ci/test"),
)

Method = TypeVar("Method", bound=Callable[..., None])
POSSIBLE: list[tuple[str, dict[str, st.SearchStrategy[Any]]]] = []
people = st.sampled_from([*LEVELS, "admin"])
deciders = st.sampled_from(["maria", "jon", "kim", "lee", "admin"])
stages = st.sampled_from(Stage)
targets = st.sampled_from([Stage.PRODUCTION, Stage.PRODUCTION, Stage.STAGING, Stage.ARCHIVED, Stage.NONE])
places = st.integers(0, 7)  # which of the versions or requests that there are
policies = st.builds(
    Policy,
    protected=st.booleans(),
    required_approvals=st.integers(1, 2),
    allow_self_approval=st.booleans(),
    when_occupied=st.sampled_from(WhenOccupied),
    dismiss_stale_approvals=st.booleans(),
    expires_after_days=st.sampled_from([None, None, 1, 3]),
    gates=st.lists(st.sampled_from(GATES), max_size=2, unique=True).map(tuple),
)


def step(weight: int = 1, **arguments: st.SearchStrategy[Any]) -> Callable[[Method], Method]:
    """What may happen next: so often, with such arguments."""

    def remember(method: Method) -> Method:
        POSSIBLE.extend([(method.__name__, arguments)] * weight)
        return method

    return remember


class Promotion(RuleBasedStateMachine):
    """One registered model under several names in turn, and what people do to it."""

    clock: FrozenClock
    steps = done = approved = 0

    @rule(data=st.data())
    def something_happens(self, data: st.DataObject) -> None:
        # One rule, since Hypothesis leaves some rules out of every run, and without the others these do nothing.
        name, arguments = data.draw(st.sampled_from(POSSIBLE))
        getattr(self, name)(**{key: data.draw(strategy, label=key) for key, strategy in arguments.items()})

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.savepoint()
        self.clock.moment = START
        self.people = {name: person(make_user(name, level=level), Origin.REST) for name, level in LEVELS.items()}
        self.people["admin"] = person(make_user("admin", is_admin=True), Origin.REST)
        self.name = "churn"
        self.runs = [make_run(self.people["maria"], metrics={"auc": [auc]}) for auc in (0.4, 0.6, 0.8)]
        self.start_anew()

    def start_anew(self) -> None:
        self.model = registry.create_model(self.people["maria"], name=self.name)
        self.keys: dict[int, int] = {}
        self.ended: dict[int, tuple[Any, ...]] = {}
        self.stages: dict[int, str] = {}
        self.occupants: dict[Stage, set[int]] = {stage: set() for stage in Stage}
        self.moves: Counter[tuple[int | None, int, str]] = Counter()
        self.kinds: Counter[tuple[int | None, str]] = Counter()
        self.seen, self.end = 0, START_OF_CHAIN
        for run in self.runs[:2]:
            self.make_version(run)

    def teardown(self) -> None:
        self.all_of_history_holds()
        transaction.savepoint_rollback(self.savepoint)

    # -- what they are told, and what there is -------------------------------------------------------------------------
    def act(self, who: str, do: Callable[..., Any], **arguments: Any) -> bool:
        """Whether somebody could do it. Who could not is told why, and has changed nothing."""
        type(self).steps += 1
        self.clock.advance(seconds=1)
        before = self.everything()
        try:
            do(self.people[who], **arguments)
        except PodiumError as error:
            told = error.message
        else:
            type(self).done += 1
            return True
        assert told
        assert self.everything() == before, f"refused, and yet something has changed: {told}"
        return False

    @staticmethod
    def last_line() -> int:
        return Activity.objects.order_by("-pk").values_list("pk", flat=True).first() or 0

    def everything(self) -> tuple[Any, ...]:
        return (
            self.last_line(),
            list(ModelVersion.objects.order_by("pk").values_list("pk", "current_stage", "description")),
            list(TransitionRequest.objects.order_by("pk").values_list("pk", "state", "evidence_digest")),
            list(Review.objects.order_by("pk").values_list("pk", "verdict", "evidence_digest", "dismissed_at")),
            list(Alias.objects.order_by("pk").values_list("alias", "model_version")),
        )

    def version(self, place: int) -> int:
        """The number of one of the last versions, be it there or deleted."""
        last: int = RegisteredModel.objects.values_list("last_version", flat=True).get(pk=self.model.pk)
        return max(1, last - place % MOST_VERSIONS)

    def request(self, place: int) -> TransitionRequest | None:
        """One of the requests: a pending one as long as there are any, and once in a while a decided one."""
        found = list(self.model.transition_requests.order_by("state", "-pk"))
        pending = [one for one in found if one.state == RequestState.PENDING]
        wanted = pending if pending and place else found
        return wanted[place % len(wanted)] if wanted else None

    def make_version(self, run: Any) -> None:
        source = f"runs:/{run.run_id}/model"
        registry.create_version(self.people["maria"], name=self.name, source=source, run_id=run.run_id)

    # -- what people do ------------------------------------------------------------------------------------------------
    @step(2, place=st.integers(0, 2))
    def register(self, place: int) -> None:
        if self.model.versions.count() < MOST_VERSIONS:
            self.make_version(self.runs[place])
        else:
            oldest = self.model.versions.order_by("version")[place]
            self.act("maria", deleting.delete_version, name=self.name, version=oldest.version)

    @step(4, who=people, place=places, stage=targets, others=st.lists(deciders, max_size=3))
    def promote(self, who: str, place: int, stage: Stage, others: list[str]) -> None:
        arguments = {"name": self.name, "version": self.version(place), "to_stage": stage}
        if self.act(who, services.request_transition, **arguments):
            number = self.model.transition_requests.latest("number").number
            for other in others:
                self.act(other, deciding.approve, name=self.name, number=number)

    @step(4, who=people, place=places, stage=targets, decision=st.none() | st.sampled_from(OccupantDecision), to=stages)
    def ask(self, who: str, place: int, stage: Stage, decision: OccupantDecision | None, to: Stage) -> None:
        self.act(
            who,
            services.request_transition,
            name=self.name,
            version=self.version(place),
            to_stage=stage,
            occupant_decision=decision,
            occupant_to=to if decision is OccupantDecision.MOVE else None,
        )

    @step(
        6,
        who=people,
        place=places,
        verdict=st.sampled_from([Verdict.APPROVE, *Verdict]),
        has_words=st.booleans(),
        saw=st.sampled_from(["", "present", "first"]),
        archive=st.sampled_from([None, None, True, False]),
    )
    def review(self, who: str, place: int, verdict: Verdict, has_words: bool, saw: str, archive: bool | None) -> None:
        self.give(who, place, verdict, "because" if has_words else "", saw, archive)

    @step(6, who=deciders, place=places)
    def approve(self, who: str, place: int) -> None:
        self.give(who, place, Verdict.APPROVE, "", "", None)

    def give(self, who: str, place: int, verdict: Verdict, comment: str, saw: str, archive: bool | None) -> None:
        request = self.request(place)
        if request is None:
            return
        first = request.evidence.order_by("pk").values_list("digest", flat=True).first() or ""
        self.act(
            who,
            deciding.review,
            name=self.name,
            number=request.number,
            verdict=verdict,
            comment=comment,
            evidence_digest={"": "", "present": request.evidence_digest, "first": first}[saw],
            archive_existing=archive,
        )

    @step(2, who=people, place=places, reviewer=deciders, reason=st.sampled_from(["", "away"]))
    def dismiss(self, who: str, place: int, reviewer: str, reason: str) -> None:
        if request := self.request(place):
            arguments = {"name": self.name, "number": request.number, "reviewer": reviewer, "reason": reason}
            self.act(who, deciding.dismiss_review, **arguments)

    @step(who=people, place=places, comment=st.sampled_from(["", "no"]))
    def cancel(self, who: str, place: int, comment: str) -> None:
        if place % 3 == 0 and (request := self.request(place)):  # else too few would live
            self.act(who, deciding.cancel, name=self.name, number=request.number, comment=comment)

    @step(
        3,
        who=people,
        place=places,
        stage=targets,
        archive=st.booleans(),
        to=st.none() | stages,
        reason=st.sampled_from(["", "", "outage"]),
    )
    def move(self, who: str, place: int, stage: Stage, archive: bool, to: Stage | None, reason: str) -> None:
        self.act(
            who,
            services.transition,
            name=self.name,
            version=self.version(place),
            to_stage=stage,
            archive_existing=archive,
            occupant_to=to,
            bypass_reason=reason,
        )

    @step(who=people, place=places, stage=targets)
    def roll_back(self, who: str, place: int, stage: Stage) -> None:
        self.act(who, services.rollback, name=self.name, version=self.version(place), to_stage=stage)

    @step(3, who=st.sampled_from(["maria", "admin", "jon"]), stage=targets, policy=policies, is_site=st.booleans())
    def set_policy(self, who: str, stage: Stage, policy: Policy, is_site: bool) -> None:
        self.act(who, setting_policies.set_policy, stage=stage, policy=policy, name=None if is_site else self.name)

    @step(who=st.sampled_from(["maria", "lee"]), stage=targets)
    def remove_policy(self, who: str, stage: Stage) -> None:
        self.act(who, setting_policies.remove_policy, stage=stage, name=self.name)

    @step(3, who=st.sampled_from(["ci", "ci", "eve"]), place=places, state=st.sampled_from(CheckState), run=places)
    def check(self, who: str, place: int, state: CheckState, run: int) -> None:
        arguments = {"name": self.name, "version": self.version(place), "check": "ci/test", "state": state}
        self.act(who, checks.post_check, **arguments, external_id=str(run))

    @step(3, who=people, place=places, value=st.sampled_from(["low", "low", "high"]))
    def tag(self, who: str, place: int, value: str) -> None:
        arguments = {"name": self.name, "version": self.version(place), "key": "risk", "value": value}
        self.act(who, registry.set_version_tag, **arguments)

    @step(who=people, place=places)
    def untag(self, who: str, place: int) -> None:
        self.act(who, registry.delete_version_tag, name=self.name, version=self.version(place), key="risk")

    @step(2, who=people, place=places, text=st.sampled_from(["", "Half the size."]))
    def describe(self, who: str, place: int, text: str) -> None:
        self.act(who, registry.describe_version, name=self.name, version=self.version(place), description=text)

    @step(place=st.integers(0, 2), auc=st.sampled_from([0.3, 0.55, 0.9]))
    def train_on(self, place: int, auc: float) -> None:
        point = MetricPoint("auc", auc, int(self.clock.moment.timestamp() * 1000) + 10**12, 0)
        log_batch(self.people["maria"], run_id=self.runs[place].run_id, metrics=[point])

    @step(who=people, place=places, on_request=st.booleans())
    def comment(self, who: str, place: int, on_request: bool) -> None:
        request = self.request(place) if on_request else None
        where = {"number": request.number} if request else {"version": self.version(place)}
        self.act(who, comments.create_comment, name=self.name, text="Hm, @jon?", **where)

    @step(who=people, place=places)
    def delete_version(self, who: str, place: int) -> None:
        self.act(who, deleting.delete_version, name=self.name, version=self.version(place))

    @step(who=people, sure=st.integers(0, 9))
    def delete_model(self, who: str, sure: int) -> None:
        if sure == 0 and self.act(who, deleting.delete_model, name=self.name):
            self.start_anew()

    @step(who=people, name=st.sampled_from(["churn", "leavers", "customers who leave"]))
    def rename(self, who: str, name: str) -> None:
        if self.act(who, registry.rename_model, name=self.name, new_name=name):
            self.name = name

    @step(who=people, place=places)
    def point(self, who: str, place: int) -> None:
        self.act(who, registry.set_alias, name=self.name, alias="champion", version=self.version(place))

    @step(who=people)
    def unpoint(self, who: str) -> None:
        self.act(who, registry.delete_alias, name=self.name, alias="champion")

    @step(who=st.sampled_from(["maria", "admin"]), stage=targets, is_mirror=st.booleans(), is_gone=st.booleans())
    def protect_alias(self, who: str, stage: Stage, is_mirror: bool, is_gone: bool) -> None:
        if is_gone:
            self.act(who, remove_alias_policy, alias="champion", name=self.name)
        else:
            self.act(who, set_alias_policy, alias="champion", stage=stage, is_mirror=is_mirror, name=self.name)

    @step(who=st.sampled_from(["jon", "kim", "lee"]), level=st.sampled_from(Level))
    def give_level(self, who: str, level: Level) -> None:
        grant(User.objects.get(username=who), level)

    # -- what time does ------------------------------------------------------------------------------------------------
    @step(3, days=st.sampled_from([0, 0, 0, 1, 2]))
    def work(self, days: int) -> None:
        """The worker comes round; afterwards nothing waits that could be done."""
        self.clock.advance(days=days, minutes=2)
        upkeep.expire_due()
        upkeep.remind_due()
        upkeep.settle_due()
        self.clock.advance(minutes=2)
        upkeep.settle_due()
        self.clock.advance(minutes=2)
        upkeep.settle_due()
        for request in self.pending():
            if outcome_of(request, self.policies_now()[Stage(request.to_stage)]).state is RequestState.APPROVED:
                sid = transaction.savepoint()
                with pytest.raises(PodiumError):  # its occupant can go nowhere
                    settle(self.people["admin"], request)
                transaction.savepoint_rollback(sid)

    # -- what always holds ---------------------------------------------------------------------------------------------
    def pending(self) -> list[TransitionRequest]:
        rows = self.model.transition_requests.filter(state=RequestState.PENDING.value)
        return list(rows.select_related("registered_model", "model_version").order_by("pk"))

    def policies_now(self) -> dict[Stage, Policy]:
        return {stage: policy for stage, (policy, _) in policies_in_force(self.model).items()}

    @invariant()
    def the_rules_hold(self) -> None:
        """Look at all of it, and at what is new in history."""
        self.policies = self.policies_now()
        self.versions = {one.version: one for one in self.model.versions.all()}
        requests = list(self.model.transition_requests.select_related("registered_model", "model_version"))
        new = list(Activity.objects.filter(pk__gt=self.seen, registered_model_id=self.model.pk).order_by("pk"))
        self.seen = new[-1].pk if new else self.seen
        for line in new:
            assert line.previous_hash == self.end, "history forks"
            self.end = line.hash
            if line.kind == Kind.VERSION_STAGE_CHANGED and line.version is not None:
                self.stages[line.version] = line.data["to_stage"]
                self.moves[line.request_number, line.version, line.data["to_stage"]] += 1
            self.kinds[line.request_number, line.kind] += 1
        self.an_exclusive_stage_has_one_occupant()
        self.a_version_is_where_history_says()
        self.a_request_is_approved_exactly_if_its_version_was_moved_by_it(requests)
        self.what_is_pending_is_about_a_version_that_is_there_and_elsewhere(requests)
        self.what_is_decided_stays_as_it_is(requests, new)
        self.versions_moved_as_the_rules_allow(requests, new)

    def an_exclusive_stage_has_one_occupant(self) -> None:
        standing: dict[Stage, set[int]] = {stage: set() for stage in Stage}
        for version in self.versions.values():
            standing[Stage(version.current_stage)].add(version.version)
        alone = [version.current_stage for version in self.versions.values() if version.is_sole_occupant]
        assert len(alone) == len(set(alone))
        for stage, policy in self.policies.items():
            if policy.is_exclusive and len(standing[stage]) > 1:
                assert standing[stage] <= self.occupants[stage], f"somebody came into {stage} beside the others"
        self.occupants = standing

    def a_version_is_where_history_says(self) -> None:
        for version in self.versions.values():
            assert self.keys.setdefault(version.version, version.pk) == version.pk, "a number was given again"
            assert version.current_stage == self.stages.get(version.version, "None")

    def a_request_is_approved_exactly_if_its_version_was_moved_by_it(self, requests: list[TransitionRequest]) -> None:
        for request in requests:
            approved = request.state == RequestState.APPROVED
            assert self.moves[request.number, request.version, request.to_stage] == approved, request
            assert self.kinds[request.number, Kind.REQUEST_APPROVED] == approved, request

    def what_is_pending_is_about_a_version_that_is_there_and_elsewhere(self, requests: list[TransitionRequest]) -> None:
        pending = [request for request in requests if request.state == RequestState.PENDING]
        for request in pending:
            assert request.model_version is not None, request
            assert request.model_version.current_stage != request.to_stage, request
        moves = [(request.version, request.to_stage) for request in pending]
        assert len(moves) == len(set(moves)), "one for each move"

    def what_is_decided_stays_as_it_is(self, requests: list[TransitionRequest], new: list[Activity]) -> None:
        last = RegisteredModel.objects.values_list("last_request_number", flat=True).get(pk=self.model.pk)
        assert sorted(request.number for request in requests) == list(range(1, last + 1)), "each number once"
        for request in requests:
            if request.state == RequestState.PENDING:
                assert request.number not in self.ended
                continue
            now = (request.state, request.decided_at, request.decided_by_name, request.approvers)
            if request.number not in self.ended and request.state == RequestState.APPROVED:
                self.approvals_are_counted_once(request, new)
            assert self.ended.setdefault(request.number, now) == now

    def approvals_are_counted_once(self, request: TransitionRequest, new: list[Activity]) -> None:
        """A request that has just been approved, counted again, from the rows alone."""
        type(self).approved += 1
        policy = self.policies[Stage(request.to_stage)]
        moved = next(
            line
            for line in new
            if (line.kind, line.request_number, line.version)
            == (Kind.VERSION_STAGE_CHANGED, request.number, request.version)
        )
        occupant_to = Stage(request.occupant_to_stage) if request.occupant_to_stage else None
        needed = level_to_decide(Stage(moved.data["from_stage"]), Stage(request.to_stage), occupant_to)
        given = [one for one in request.reviews.all() if one.dismissed_at is None]
        names = {
            one.reviewer_name
            for one in given
            if one.verdict == Verdict.APPROVE
            and level_of(self.people[one.reviewer_name], self.model) >= needed
            and (one.evidence_digest == request.evidence_digest or not policy.dismiss_stale_approvals)
            and (one.reviewer_id != request.requester_id or policy.allow_self_approval or not policy.protected)
        }
        assert sorted(request.approvers) == sorted(names)
        assert len(names) >= (policy.required_approvals if policy.protected else 1)
        assert not {one.verdict for one in given} & {Verdict.REJECT.value, Verdict.REQUEST_CHANGES.value}

    def versions_moved_as_the_rules_allow(self, requests: list[TransitionRequest], new: list[Activity]) -> None:
        bypassed = {line.version for line in new if line.kind == Kind.STAGE_BYPASSED}
        approved = {(one.number, one.version) for one in requests if one.state == RequestState.APPROVED}
        for line in new:
            if line.kind != Kind.VERSION_STAGE_CHANGED or line.version is None:
                continue
            from_stage, to_stage = Stage(line.data["from_stage"]), Stage(line.data["to_stage"])
            assert from_stage is not to_stage, "a version was moved to where it was"
            actor = self.people[line.actor_name]
            assert level_of(actor, self.model) >= level_to_move(from_stage, to_stage), line.actor_name
            policy = self.policies[to_stage]
            if line.version in bypassed:
                continue
            assert not policy.protected or (line.request_number, line.version) in approved
            if line.version in self.versions:
                results = gate_results(self.versions[line.version], to_stage, policy, None)
                assert [one for one in results if not one.passed and one.gate != AGAINST_OCCUPANT] == [], line

    def all_of_history_holds(self) -> None:
        found = verify()
        assert found.broken is None, found.broken
        assert OutboxEntry.objects.count() == found.activities


@pytest.mark.django_db
@pytest.mark.parametrize("number", range(SEEDS))
def test_whatever_people_do_the_rules_of_promotion_hold(number: int, frozen_clock: FrozenClock) -> None:
    class Machine(Promotion):
        clock = frozen_clock

    run_state_machine_as_test(
        seed(number)(Machine),
        settings=settings(
            max_examples=STEPS // AT_A_TIME,
            stateful_step_count=AT_A_TIME,
            database=None,
            phases=(Phase.generate, Phase.shrink) if SEEDS == 1 else (Phase.generate,),
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert Machine.done > Machine.steps / 10, "nearly all of it was refused, and nothing much was tried"
    assert Machine.approved > Machine.steps / 100, "hardly anything was approved"
