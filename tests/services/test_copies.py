"""Promotion by copy: a version of one registered model becomes the next version of another, by request or directly."""

import pickle
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from registry_site.accounts.actors import Actor, person
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.audit import outbox
from registry_site.audit.kinds import Kind, Origin
from registry_site.audit.models import Activity
from registry_site.audit.verify import verify
from registry_site.core import clock
from registry_site.core.errors import AlreadyExists, Conflict, InvalidParameter, NotFound, PermissionDenied, PodiumError
from registry_site.notifications.fan_out import fan_out
from registry_site.notifications.models import Following, Mail, Notification
from registry_site.promotion import comments, deciding, deleting, queries, services, setting_policies, standing, upkeep
from registry_site.promotion.aliases import set_alias_policy
from registry_site.promotion.checks import post_check
from registry_site.promotion.copying import copy_version
from registry_site.promotion.gates import CheckState, Comparison, Gate, GateType
from registry_site.promotion.models import Comment, TransitionRequest
from registry_site.promotion.rules import OccupantDecision, Policy, WhenOccupied
from registry_site.promotion.settling import present_evidence
from registry_site.registry.manifests import work_on_manifests
from registry_site.registry.models import Alias, Grant, ManifestFile, ModelVersion, RegisteredModel
from registry_site.registry.queries import lineage_of
from registry_site.registry.scans import work_on_scans
from registry_site.registry.services import create_version, rename_model, set_version_tag
from registry_site.registry.stages import Stage
from registry_site.tracking.artifact_files import write_artifact
from registry_site.tracking.models import Run
from registry_site.webhooks import databricks
from registry_site.webhooks.news import News
from tests.make import grant, make_model, make_run, make_user, make_version

pytestmark = pytest.mark.django_db

NONE, STAGING, PRODUCTION, ARCHIVED = Stage.NONE, Stage.STAGING, Stage.PRODUCTION, Stage.ARCHIVED
PROTECTED = Policy(protected=True)
CI_TEST = Gate(GateType.CHECK, "ci/test")
IRIS, PROD = "staging.iris", "prod.iris"


@pytest.fixture(autouse=True)
def run(maria_actor: Actor) -> Run:
    """Maria's `staging.iris` has a version, of a run with an AUC of 0.9 and a pickle in its folder."""
    run = make_run(maria_actor, metrics={"auc": [0.9]})
    root = run.artifact_uri.removeprefix("mlflow-artifacts:/")
    content = pickle.dumps([1.5])
    write_artifact(maria_actor, f"{root}/model/model.pkl", BytesIO(content), length=len(content))
    make_version(maria_actor, IRIS, run=run, description="Half the size.", tags={"team": "risk"})
    return run


@pytest.fixture(autouse=True)
def prod(admin_actor: Actor) -> RegisteredModel:
    """`prod.iris` is the administrator's, and has no version yet."""
    return make_model(admin_actor, PROD)


@pytest.fixture
def kim(prod: RegisteredModel) -> Actor:
    """Kim may decide about Production of `prod.iris`, and about nothing else."""
    return person(make_user("kim", level=Level.CAN_MANAGE_PRODUCTION_VERSIONS, model=prod), Origin.REST)


@pytest.fixture
def lee(prod: RegisteredModel) -> Actor:
    """Lee may edit `prod.iris`."""
    return person(make_user("lee", level=Level.CAN_EDIT, model=prod), Origin.REST)


def protect(admin: Actor, stage: Stage = NONE, policy: Policy = PROTECTED) -> None:
    setting_policies.set_policy(admin, stage=stage, policy=policy, name=PROD)


def ask(actor: Actor, to_stage: Stage = NONE, version: int = 1, **more: Any) -> TransitionRequest:
    return services.request_transition(actor, name=IRIS, version=version, to_stage=to_stage, **{"copy_to": PROD} | more)


def approve(actor: Actor, number: int = 1, **more: Any) -> TransitionRequest:
    return deciding.approve(actor, name=IRIS, number=number, **more)


def copy(actor: Actor, to_stage: Stage = NONE, version: int = 1, **more: Any) -> ModelVersion:
    return copy_version(actor, name=IRIS, version=version, copy_to=PROD, to_stage=to_stage, **more)


def stages(name: str = PROD) -> list[str]:
    versions = ModelVersion.objects.filter(registered_model__name=name).order_by("version")
    return list(versions.values_list("current_stage", flat=True))


def the_copy(version: int = 1) -> ModelVersion:
    return ModelVersion.objects.get(registered_model__name=PROD, version=version)


def history_of(name: str) -> list[str]:
    key = RegisteredModel.objects.get(name=name).pk
    return list(Activity.objects.filter(registered_model_id=key).order_by("pk").values_list("kind", flat=True))


def told(error: type[PodiumError], act: Callable[..., Any], *arguments: Any, **more: Any) -> str:
    with pytest.raises(error) as refused:
        act(*arguments, **more)
    return refused.value.message


# -- what becomes of a request -----------------------------------------------------------------------------------------
def test_an_approved_copy_is_the_next_version_of_the_other_model_with_all_that_the_first_one_had(
    maria_actor: Actor, kim: Actor, run: Run
) -> None:
    work_on_manifests()
    work_on_scans()
    request = ask(maria_actor, comment="Ready.")
    assert (str(request), request.target_name, request.from_stage, request.to_stage) == (
        "staging.iris#1",
        PROD,
        "None",
        "None",
    )
    request = approve(kim, comment="Go.")
    assert (request.state, request.copied_version, request.decided_by_name) == ("approved", 1, "kim")
    made, origin = the_copy(), ModelVersion.objects.get(registered_model__name=IRIS)
    assert (made.source, made.storage_location) == ("models:/staging.iris/1", origin.storage_location)
    assert (made.run_id, made.model_id, made.description) == (run.run_id, origin.model_id, "Half the size.")
    assert (made.copied_from, made.current_stage, made.user_id) == (origin, "None", "kim")
    assert dict(made.tags.values_list("key", "value")) == {"team": "risk"}
    assert origin.current_stage == "None", "it stays where it is"


def test_what_was_found_in_the_files_is_known_of_the_copy_and_they_stay_frozen(
    maria_actor: Actor, kim: Actor, run: Run
) -> None:
    work_on_manifests()
    work_on_scans()
    ask(maria_actor)
    approve(kim)
    made, origin = the_copy(), ModelVersion.objects.get(registered_model__name=IRIS)
    assert (made.manifest.state, made.manifest.digest) == ("complete", origin.manifest.digest)
    kept = [
        list(ManifestFile.objects.filter(manifest=one.manifest).values("path", "size", "sha256"))
        for one in (made, origin)
    ]
    assert kept[0] == kept[1] != []
    assert (made.scan.verdict, made.scan.scanned_at) == ("clean", origin.scan.scanned_at)
    assert work_on_manifests() + work_on_scans() == 0, "nothing is read again"
    deleting.delete_version(maria_actor, name=IRIS, version=1)
    path = run.artifact_uri.removeprefix("mlflow-artifacts:/") + "/model/model.pkl"
    with pytest.raises(Conflict, match=r"belongs to prod\.iris version 1, whose files are frozen"):
        write_artifact(maria_actor, path, BytesIO(b"x"), length=1)
    made.refresh_from_db()
    assert (made.copied_from, made.source) == (None, "models:/staging.iris/1")


def test_files_that_were_not_read_yet_are_read_for_the_copy_too(maria_actor: Actor, kim: Actor) -> None:
    ask(maria_actor)
    approve(kim)
    assert (the_copy().manifest.state, the_copy().scan.verdict) == ("pending", "")
    assert (work_on_manifests(), work_on_scans()) == (2, 2)
    assert the_copy().manifest.digest


def test_both_histories_tell_of_it_and_the_chains_hold(maria_actor: Actor, kim: Actor) -> None:
    ask(maria_actor, STAGING)
    approve(kim)
    assert history_of(IRIS)[-4:] == [
        Kind.REQUEST_CREATED,
        Kind.REVIEW_GIVEN,
        Kind.REQUEST_APPROVED,
        Kind.VERSION_COPIED,
    ]
    assert history_of(PROD)[-2:] == [Kind.VERSION_CREATED, Kind.VERSION_STAGE_CHANGED]
    copied = Activity.objects.get(kind=Kind.VERSION_COPIED)
    assert (copied.request_number, copied.version, copied.actor_name) == (1, 1, "kim")
    moved = Activity.objects.get(kind=Kind.VERSION_STAGE_CHANGED)
    assert (moved.data["cause"], moved.request_number) == ("request staging.iris#1", None)
    assert verify().broken is None


def test_a_copy_enters_its_stage_by_the_rules_of_the_other_model(
    maria_actor: Actor, kim: Actor, admin_actor: Actor
) -> None:
    set_alias_policy(admin_actor, alias="champion", stage=PRODUCTION, is_mirror=True, name=PROD)
    for version in (1, 2):
        ask(maria_actor, PRODUCTION)
        assert approve(kim, version).copied_version == version
    assert stages() == ["Archived", "Production"]
    assert Alias.objects.get(alias="champion").model_version == the_copy(2)
    ask(maria_actor, PRODUCTION, occupant_decision=OccupantDecision.MOVE, occupant_to=STAGING)
    approve(kim, 3)
    assert stages() == ["Archived", "Staging", "Production"]
    assert stages(IRIS) == ["None"]


def test_the_policy_the_gates_and_the_people_are_those_of_the_other_model(
    maria_actor: Actor, jon: User, admin_actor: Actor, kim: Actor, prod: RegisteredModel
) -> None:
    gate = Gate(GateType.METRIC_AGAINST_OCCUPANT, "auc", Comparison.AT_LEAST, 0.0)
    protect(admin_actor, PRODUCTION, Policy(True, 2, when_occupied=WhenOccupied.ASK, gates=(gate, CI_TEST)))
    setting_policies.set_policy(
        maria_actor, stage=PRODUCTION, policy=Policy(gates=(Gate(GateType.TAG, "no"),)), name=IRIS
    )
    ask(maria_actor, PRODUCTION)
    lou = person(make_user("lou", level=Level.CAN_MANAGE, model=RegisteredModel.objects.get(name=IRIS)), Origin.REST)
    assert told(PermissionDenied, approve, lou) == (
        "To decide staging.iris#1 one needs CAN_MANAGE_PRODUCTION_VERSIONS on prod.iris, which lou does not have."
    )
    post_check(maria_actor, name=IRIS, version=1, check="ci/test", state=CheckState.PASSED)
    assert approve(kim).state == "pending"
    found = standing.standing_of(kim, queries.get_request(kim, IRIS, 1))
    assert [result.state.value for result in found.outcome.gates] == ["passed", "passed"]
    assert (found.outcome.missing, [user.username for user in found.deciders]) == (1, ["admin", "jon", "kim"])
    assert approve(admin_actor).state == "approved"
    worse = make_run(maria_actor, metrics={"auc": [0.8]})
    make_version(maria_actor, IRIS, run=worse)
    post_check(maria_actor, name=IRIS, version=2, check="ci/test", state=CheckState.PASSED)
    ask(maria_actor, PRODUCTION, version=2)
    approve(kim, 2)
    assert approve(admin_actor, 2).state == "pending", "it is worse than what is in Production there"


def test_one_version_asked_for_in_two_models_is_measured_against_the_occupant_of_each(
    maria_actor: Actor, admin_actor: Actor
) -> None:
    gate = Gate(GateType.METRIC_AGAINST_OCCUPANT, "auc", Comparison.AT_LEAST, 0.0)
    make_model(admin_actor, "other.iris")
    worse = make_version(maria_actor, IRIS, run=make_run(maria_actor, metrics={"auc": [0.8]})).version
    for name, occupant in ((PROD, 1), ("other.iris", worse)):
        copy_version(admin_actor, name=IRIS, version=occupant, copy_to=name, to_stage=PRODUCTION)
        setting_policies.set_policy(admin_actor, stage=PRODUCTION, policy=Policy(True, gates=(gate,)), name=name)
    candidate = make_version(maria_actor, IRIS, run=make_run(maria_actor, metrics={"auc": [0.85]})).version
    for name in (PROD, "other.iris"):
        ask(maria_actor, PRODUCTION, candidate, copy_to=name)
    outcomes = queries.outcomes_of(found := list(queries.all_requests(maria_actor)))
    assert {one.target_name: outcomes[one.pk].gates_pass for one in found} == {PROD: False, "other.iris": True}


def test_what_a_reviewer_judges_lies_beside_the_occupant_there(
    maria_actor: Actor, kim: Actor, admin_actor: Actor
) -> None:
    copy(admin_actor, PRODUCTION)
    make_version(maria_actor, IRIS, run=make_run(maria_actor, metrics={"auc": [0.95]}))
    for to_stage in (NONE, STAGING, PRODUCTION):
        request = ask(maria_actor, to_stage, version=2)
        found = standing.evidence_of_request(kim, queries.get_request(kim, IRIS, request.number))
        assert (found.candidate["metrics"], found.occupant_version) == ({"auc": 0.95}, 1)
        assert found.occupant is not None
        assert (found.occupant["metrics"], found.occupant["source"]) == ({"auc": 0.9}, "models:/staging.iris/1")
        assert present_evidence(request)["version"] == 2


def test_ones_own_copy_is_approved_by_somebody_else_where_it_is_protected(
    kim: Actor, admin_actor: Actor, jon_actor: Actor
) -> None:
    protect(admin_actor)
    ask(kim)
    assert "kim asked for staging.iris#1 and so cannot approve it" in told(PermissionDenied, approve, kim)
    assert approve(jon_actor).state == "approved"


def test_a_stage_is_no_way_round_what_the_first_one_asks_for(
    maria_actor: Actor, kim: Actor, admin_actor: Actor, jon_actor: Actor
) -> None:
    protect(admin_actor, NONE, Policy(True, 2, gates=(Gate(GateType.TAG, "approved"),)))
    ask(kim, STAGING)
    told(PermissionDenied, approve, kim)
    assert approve(jon_actor).state == "pending"
    assert approve(admin_actor).state == "pending", "the gate of None"
    set_version_tag(maria_actor, name=IRIS, version=1, key="approved", value="yes")
    assert upkeep.settle_due() == 1
    assert stages() == ["Staging"]


# -- waiting -----------------------------------------------------------------------------------------------------------
def test_a_copy_that_waits_for_a_check_is_made_right_after_the_check_has_come(
    maria_actor: Actor,
    kim: Actor,
    admin_actor: Actor,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    protect(admin_actor, STAGING, Policy(True, gates=(CI_TEST,)))
    ask(maria_actor, STAGING)
    assert approve(kim).state == "pending"
    with django_capture_on_commit_callbacks(execute=True):
        post_check(maria_actor, name=IRIS, version=1, check="ci/test", state=CheckState.PASSED)
        assert stages() == [], "not in that transaction, which has locked one model alone"
    assert stages() == ["Staging"]
    assert Activity.objects.get(kind=Kind.VERSION_COPIED).actor_name == "kim"
    assert TransitionRequest.objects.get().approvers == ["kim"]


def test_the_worker_makes_it_if_nobody_else_did(maria_actor: Actor, kim: Actor, admin_actor: Actor) -> None:
    protect(admin_actor, STAGING, Policy(True, gates=(CI_TEST,)))
    ask(maria_actor, STAGING)
    approve(kim)
    post_check(maria_actor, name=IRIS, version=1, check="ci/test", state=CheckState.PASSED)
    assert (upkeep.settle_due(), upkeep.settle_due()) == (1, 0)
    assert stages() == ["Staging"]


def test_a_change_of_the_version_makes_approvals_stale_here_too(
    maria_actor: Actor, kim: Actor, admin_actor: Actor
) -> None:
    protect(admin_actor, NONE, Policy(True, 2))
    ask(maria_actor)
    approve(kim)
    set_version_tag(maria_actor, name=IRIS, version=1, key="team", value="fraud")
    line = Activity.objects.get(kind=Kind.REQUEST_EVIDENCE_CHANGED)
    assert (line.actor_name, line.data["stale"]) == ("maria", ["kim"])
    assert approve(admin_actor).state == "pending"


def test_moving_the_version_in_its_own_model_ends_no_request_for_a_copy(maria_actor: Actor, jon_actor: Actor) -> None:
    ask(maria_actor, STAGING)
    services.request_transition(maria_actor, name=IRIS, version=1, to_stage=STAGING)
    services.transition(jon_actor, name=IRIS, version=1, to_stage=STAGING)
    assert [one.state for one in TransitionRequest.objects.order_by("number")] == ["pending", "superseded"]


def test_a_copy_that_came_another_way_ends_the_request(maria_actor: Actor, kim: Actor) -> None:
    ask(maria_actor, STAGING)
    ask(maria_actor, PRODUCTION)
    copy(kim, STAGING)
    assert [one.state for one in TransitionRequest.objects.order_by("number")] == ["superseded", "pending"]


def test_a_request_ends_with_its_version_and_with_the_other_model(
    maria_actor: Actor, admin_actor: Actor, eve_actor: Actor
) -> None:
    make_version(maria_actor, IRIS)
    ask(maria_actor)
    ask(maria_actor, version=2)
    deleting.delete_version(maria_actor, name=IRIS, version=1)
    deleting.delete_model(admin_actor, name=PROD)
    first, second = TransitionRequest.objects.order_by("number")
    assert (first.state, second.state) == ("superseded", "superseded")
    assert second.decision_comment == "the model that it was to be copied into was deleted"
    second.refresh_from_db()
    assert (second.copy_to, second.target_name, str(second)) == (None, PROD, "staging.iris#2")
    assert "prod.iris" not in str(list(Activity.objects.filter(request_number=2).values("subject", "comment", "data")))


def test_a_request_follows_both_models_when_they_are_renamed(
    maria_actor: Actor, admin_actor: Actor, kim: Actor
) -> None:
    ask(maria_actor)
    rename_model(admin_actor, name=PROD, new_name="live.iris")
    rename_model(maria_actor, name=IRIS, new_name="iris")
    request = deciding.approve(kim, name="iris", number=1)
    assert (request.target_name, stages("live.iris")) == ("live.iris", ["None"])
    assert ModelVersion.objects.get(registered_model__name="live.iris").source == "models:/iris/1"


def test_a_request_for_a_copy_expires_is_reminded_of_and_cancelled_like_any_other(
    maria_actor: Actor, admin_actor: Actor, frozen_clock: Any
) -> None:
    protect(admin_actor, NONE, Policy(True, expires_after_days=2))
    ask(maria_actor)
    frozen_clock.advance(days=1)
    assert upkeep.remind_due() == 1
    frozen_clock.advance(days=1)
    assert upkeep.expire_due() == 1
    ask(maria_actor)
    deciding.cancel(maria_actor, name=IRIS, number=2)
    assert [one.state for one in TransitionRequest.objects.order_by("number")] == ["expired", "cancelled"]


# -- what is refused ---------------------------------------------------------------------------------------------------
def test_at_most_one_pending_request_per_version_stage_and_model(maria_actor: Actor, admin_actor: Actor) -> None:
    make_model(admin_actor, "other")
    ask(maria_actor)
    assert told(AlreadyExists, ask, maria_actor) == (
        "Request staging.iris#1 by maria already asks to copy version 1 into None of prod.iris: see "
        "http://127.0.0.1:5000/models/staging.iris/requests/1"
    )
    for number, more in enumerate(({"copy_to": "other"}, {"to_stage": STAGING}), 2):
        assert ask(maria_actor, **more).number == number
    assert services.request_transition(maria_actor, name=IRIS, version=1, to_stage=STAGING).number == 4
    with pytest.raises(IntegrityError), transaction.atomic():
        TransitionRequest.objects.filter(number=3).update(to_stage="None")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"to_stage": ARCHIVED}, "A copy comes into None, Staging or Production."),
        ({"copy_to": IRIS}, "A version of staging.iris is copied into another model; in its own it moves to a stage."),
        ({"copy_to": "greeting"}, "Prompts are not copied into other models, nor models into prompts."),
        (
            {"to_stage": PRODUCTION, "occupant_decision": OccupantDecision.KEEP},
            "Production admits one version: say whether its occupant is archived or moved.",
        ),
    ],
)
def test_a_copy_that_makes_no_sense_is_refused(more: dict[str, Any], said: str, maria_actor: Actor) -> None:
    make_model(maria_actor, "greeting", tags={"mlflow.prompt.is_prompt": "true"})
    assert told(InvalidParameter, ask, maria_actor, **more) == said
    assert not TransitionRequest.objects.exists()


def test_what_is_not_there_is_not_copied_nor_copied_into(maria_actor: Actor) -> None:
    assert "Registered Model with name=nowhere not found" in told(NotFound, ask, maria_actor, copy_to="nowhere")
    assert "version=9" in told(NotFound, ask, maria_actor, version=9)


# -- who may see it ----------------------------------------------------------------------------------------------------
@pytest.fixture
def closed(settings: Settings, maria: User, prod: RegisteredModel) -> None:
    """A site on which nobody reads what they were not granted; Maria reads `prod.iris`."""
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    grant(maria, Level.CAN_READ, prod)


def test_who_may_not_read_the_other_model_never_learns_its_name(
    closed: None, maria_actor: Actor, eve: User, eve_actor: Actor, kim: Actor, admin_actor: Actor
) -> None:
    iris = RegisteredModel.objects.get(name=IRIS)
    grant(eve, Level.CAN_MANAGE, iris)
    ask(maria_actor, STAGING)
    comments.create_comment(maria_actor, name=IRIS, number=1, text="Into prod.iris, please.")
    assert approve(admin_actor).state == "approved"
    ask(maria_actor, PRODUCTION)
    assert told(NotFound, queries.get_request, eve_actor, IRIS, 1) == "There is no request staging.iris#1."
    assert list(queries.all_requests(eve_actor)) == []
    assert list(queries.requests_of_model(eve_actor, IRIS)) == []
    assert queries.browse_requests(eve_actor).rows == []
    assert queries.pending_requests(eve_actor, [iris]) == {}
    assert queries.pending_requests_by_version(eve_actor, list(iris.versions.all())) == {}
    assert comments.comments_of(eve_actor, IRIS, version=1) == []
    assert comments.comments_of(eve_actor, IRIS, number=1) == []
    for act in (deciding.approve, deciding.cancel):
        assert told(NotFound, act, eve_actor, name=IRIS, number=2) == "There is no request staging.iris#2."
    told(NotFound, comments.create_comment, eve_actor, name=IRIS, number=2, text="Where to?")
    told(NotFound, queries.get_comment, eve_actor, IRIS, 1, Comment.objects.get().pk)
    assert "name=prod.iris not found" in told(NotFound, ask, eve_actor, NONE)
    assert lineage_of(eve_actor, iris.versions.get()).copies == []
    assert [str(one) for one in lineage_of(maria_actor, iris.versions.get()).copies] == ["prod.iris version 1"]
    lines = Activity.objects.filter(registered_model_id=iris.pk).exclude(kind=Kind.COMMENT_CREATED)
    assert "prod.iris" not in str(list(lines.values("subject", "comment", "data")))


def test_who_decides_has_to_see_where_it_comes_from(
    closed: None, maria_actor: Actor, kim: Actor, admin_actor: Actor
) -> None:
    protect(admin_actor, NONE, Policy(True, 2))
    ask(maria_actor)
    assert told(NotFound, approve, kim) == "There is no request staging.iris#1."
    user = User.objects.get(username="kim")
    grant(user, Level.CAN_READ, RegisteredModel.objects.get(name=IRIS))
    assert [str(one) for one in queries.waiting_for(kim)] == ["staging.iris#1"]
    assert approve(kim).state == "pending"
    Grant.objects.filter(user=user, registered_model__name=IRIS).delete()
    assert approve(admin_actor).state == "pending", "Kim cannot see it any more"


def test_only_those_who_may_see_a_copy_are_told_of_it(
    closed: None, maria_actor: Actor, eve: User, kim: Actor, admin_actor: Actor
) -> None:
    iris = RegisteredModel.objects.get(name=IRIS)
    grant(eve, Level.CAN_MANAGE, iris)
    grant(User.objects.get(username="kim"), Level.CAN_READ, iris)
    Following.objects.create(user=eve, registered_model=iris)
    Mail.objects.all().delete()
    ask(maria_actor, PRODUCTION, comment="@eve, @kim: ready?")
    while outbox.relay(fan_out):
        pass
    told_of = Notification.objects.filter(activity__kind=Kind.REQUEST_CREATED).order_by("recipient__username")
    assert list(told_of.values_list("recipient__username", "why")) == [("admin", "may decide"), ("kim", "may decide")]
    mail = Mail.objects.get(recipient__username="kim")
    assert mail.subject == "Maria Lopez asks to copy staging.iris version 1 into prod.iris"
    assert "Maria Lopez asks to copy staging.iris version 1 into Production of prod.iris." in mail.text


def test_mails_while_it_waits_say_what_is_asked(maria_actor: Actor, kim: Actor, frozen_clock: Any) -> None:
    ask(maria_actor, PRODUCTION)
    frozen_clock.advance(days=1)
    assert upkeep.remind_due() == 1
    while outbox.relay(fan_out):
        pass
    mail = Mail.objects.get(recipient__username="kim", subject__startswith="Still waits")
    assert mail.subject == "Still waits for you: staging.iris version 1 into prod.iris"
    assert "to copy staging.iris version 1 into Production of prod.iris has waited for a day." in mail.text
    assert "move" not in mail.text


def test_of_the_end_with_the_other_model_only_whoever_asked_is_told(
    closed: None, maria_actor: Actor, eve: User, admin_actor: Actor
) -> None:
    iris = RegisteredModel.objects.get(name=IRIS)
    grant(eve, Level.CAN_MANAGE, iris)
    Following.objects.create(user=eve, registered_model=iris)
    ask(maria_actor, PRODUCTION)
    deleting.delete_model(admin_actor, name=PROD)
    while outbox.relay(fan_out):
        pass
    told_of = Notification.objects.filter(activity__kind=Kind.REQUEST_SUPERSEDED)
    assert [one.recipient.username for one in told_of] == ["maria"]


def test_a_webhook_of_databricks_hears_of_the_new_version_and_not_of_the_request() -> None:
    def events(kind: Kind, **data: Any) -> tuple[str, ...]:
        news = News(kind, clock.now(), "https://podium.example", model=IRIS, version=1, data=data)
        return tuple(databricks.events_of(news))

    assert events(Kind.REQUEST_CREATED, to_stage="Staging", copy_to_id=7) == ()
    assert "TRANSITION_REQUEST_CREATED" in events(Kind.REQUEST_CREATED, to_stage="Staging")


def test_a_copy_waits_for_those_who_decide_about_the_other_model(maria_actor: Actor, kim: Actor, lee: Actor) -> None:
    lou = person(make_user("lou", level=Level.CAN_MANAGE, model=RegisteredModel.objects.get(name=IRIS)), Origin.REST)
    ask(maria_actor, PRODUCTION)
    ask(maria_actor)
    assert [one.number for one in queries.waiting_for(kim)] == [1, 2]
    assert list(queries.waiting_for(lou)) == list(queries.waiting_for(lee)) == []


# -- directly ----------------------------------------------------------------------------------------------------------
def test_whoever_may_make_versions_there_copies_without_asking(lee: Actor, kim: Actor, eve_actor: Actor) -> None:
    assert (copy(lee).version, copy(kim, PRODUCTION).version, stages()) == (1, 2, ["None", "Production"])
    assert told(PermissionDenied, copy, lee, STAGING) == (
        "Copying staging.iris version 1 into Staging of prod.iris needs CAN_MANAGE_STAGING_VERSIONS on prod.iris, "
        "which lee does not have. Request the copy at "
        "http://127.0.0.1:5000/models/staging.iris/requests/new?version=1&to=Staging&copy_to=prod.iris"
    )
    assert "needs CAN_EDIT on prod.iris" in told(PermissionDenied, copy, eve_actor)
    assert "prod.iris version 2 is in Production, which admits one version." in told(Conflict, copy, kim, PRODUCTION)
    copy(kim, PRODUCTION, archive_existing=True)
    assert stages() == ["None", "Archived", "Production"]


def test_a_copy_that_begins_in_none_moves_nothing_out_of_there(lee: Actor, maria_actor: Actor) -> None:
    copy(lee)
    said = "None is shared by any number of versions: none of them makes room for another."
    assert told(InvalidParameter, copy, lee, archive_existing=True) == said
    assert told(InvalidParameter, ask, maria_actor, occupant_decision=OccupantDecision.ARCHIVE) == said
    assert stages() == ["None"]


def test_gates_bind_a_direct_copy(kim: Actor, admin_actor: Actor) -> None:
    protect(admin_actor, STAGING, Policy(gates=(CI_TEST,)))
    assert told(Conflict, copy, kim, STAGING) == (
        "staging.iris version 1 does not pass the gates of Staging of prod.iris: Check ci/test has passed (ci/test has "
        "not reported yet)."
    )
    assert stages() == []


@pytest.mark.parametrize("stage", [NONE, STAGING])
def test_into_a_protected_stage_nobody_copies_directly_but_with_a_bypass(
    stage: Stage, admin_actor: Actor, kim: Actor
) -> None:
    protect(admin_actor, stage)
    for actor in (kim, admin_actor):
        assert "needs an approved request: that is protected." in told(PermissionDenied, copy, actor, STAGING)
    assert "needs CAN_MANAGE on it" in told(PermissionDenied, copy, kim, STAGING, bypass_reason="outage")
    copy(admin_actor, STAGING, bypass_reason="outage")
    line = Activity.objects.get(kind=Kind.STAGE_BYPASSED)
    assert (line.comment, line.data["bypassed"]) == ("outage", ["Staging of prod.iris is protected"])
    assert line.registered_model_id == RegisteredModel.objects.get(name=PROD).pk
    assert stages() == ["Staging"]


# -- models that take versions in no other way -------------------------------------------------------------------------
def test_a_model_that_protects_the_first_stage_takes_new_versions_by_an_approved_copy_alone(
    maria_actor: Actor, admin_actor: Actor, kim: Actor, run: Run
) -> None:
    protect(admin_actor)
    said = told(PermissionDenied, create_version, admin_actor, name=PROD, source="models:/staging.iris/1")
    assert said == (
        "New versions come into prod.iris by an approved copy alone. Request the copy at "
        "http://127.0.0.1:5000/models/staging.iris/requests/new?version=1&to=None&copy_to=prod.iris"
    )
    said = told(PermissionDenied, create_version, admin_actor, name=PROD, source=f"runs:/{run.run_id}/model")
    assert said == (
        "New versions come into prod.iris by an approved copy alone. Register the model under another name, and ask "
        "there that the version be copied: POST http://127.0.0.1:5000/api/v1/models/NAME/requests with "
        "copy_to=prod.iris."
    )
    ask(maria_actor)
    assert approve(kim).state == "approved"
    assert stages() == ["None"]
    said = told(PermissionDenied, create_version, admin_actor, name=PROD, source="models:/prod.iris/1")
    assert "Register the model under another name" in said


def test_where_the_site_protects_the_first_stage_versions_are_registered_and_not_copied_past_it(
    maria_actor: Actor, admin_actor: Actor, run: Run
) -> None:
    setting_policies.set_policy(admin_actor, stage=NONE, policy=PROTECTED)
    assert make_version(maria_actor, "new", run=run).version == 1
    assert "by an approved copy alone" in told(
        PermissionDenied, create_version, admin_actor, name=PROD, source="models:/staging.iris/1"
    )
    assert create_version(maria_actor, name="new", source="models:/new/1").version == 2


def test_a_client_s_copy_keeps_lineage_and_findings_where_it_may_be_made(lee: Actor) -> None:
    work_on_manifests()
    made = create_version(lee, name=PROD, source="models:/staging.iris/1")
    assert made.copied_from == ModelVersion.objects.get(registered_model__name=IRIS)
    assert made.manifest.digest == made.copied_from.manifest.digest
