"""Who may do what with experiments: what each level is for, what others are told, and what goes with an experiment."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from registry_site.accounts.actors import Actor, person
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.audit.kinds import Kind, Origin
from registry_site.audit.models import Activity
from registry_site.core.errors import Conflict, InvalidParameter, NotFound, NotSignedIn, PermissionDenied, PodiumError
from registry_site.registry import files
from registry_site.registry.evidence import evidence_of, run_names
from registry_site.registry.queries import get_version
from registry_site.registry.services import create_model, create_version
from registry_site.tracking import artifact_files, grants, histories, logged_models, queries, recording, services
from registry_site.tracking.access import DEFAULT_EXPERIMENT, level_of
from registry_site.tracking.models import Experiment, ExperimentGrant, LoggedModel, Metric, Run
from registry_site.tracking.recording import MetricPoint
from tests.make import grant, grant_on_experiments, make_experiment, make_run, make_user, make_version

pytestmark = pytest.mark.django_db
POINT = MetricPoint("auc", 0.9, 1)


def refusal(error: type[PodiumError], act: Callable[[], object]) -> str:
    """What the actor is told."""
    with pytest.raises(error) as told:
        act()
    return told.value.message


def upload(actor: Actor, uri: str, content: bytes = b"hello") -> str:
    """Write a file below an artifact root; where it lies in the store."""
    path = f"{uri.removeprefix('mlflow-artifacts:/')}/MLmodel"
    artifact_files.write_artifact(actor, path, BytesIO(content), length=len(content))
    return path


def changes(run: Run) -> dict[str, Callable[[Actor], Any]]:
    """What CAN_EDIT on the experiment of a run is for."""
    model = LoggedModel.objects.get()
    of_run: dict[str, Any] = {"run_id": run.run_id}
    of_model: dict[str, Any] = {"model_id": model.model_id}
    return {
        "create a run": lambda actor: services.create_run(actor, experiment_id=run.experiment_id),
        "update a run": lambda actor: services.update_run(actor, **of_run, status="FINISHED"),
        "delete a run": lambda actor: services.delete_run(actor, **of_run),
        "restore a run": lambda actor: services.restore_run(actor, **of_run),
        "tag a run": lambda actor: services.set_run_tag(actor, **of_run, key="a", value="b"),
        "untag a run": lambda actor: services.delete_run_tag(actor, **of_run, key="team"),
        "log inputs": lambda actor: services.log_inputs(actor, **of_run, model_ids=[model.model_id]),
        "log outputs": lambda actor: services.log_outputs(actor, **of_run, models={model.model_id: 0}),
        "log a metric": lambda actor: recording.log_metric(actor, **of_run, metric=POINT),
        "log a param": lambda actor: recording.log_param(actor, **of_run, key="depth", value="3"),
        "log a batch": lambda actor: recording.log_batch(actor, **of_run, metrics=[POINT]),
        "tag the experiment": lambda actor: services.set_experiment_tag(
            actor, experiment_id=run.experiment_id, key="team", value="risk"
        ),
        "log a model": lambda actor: logged_models.create_logged_model(actor, experiment_id=run.experiment_id),
        "finish a model": lambda actor: logged_models.finalize_logged_model(
            actor, **of_model, status="LOGGED_MODEL_READY"
        ),
        "tag a model": lambda actor: logged_models.set_logged_model_tags(actor, **of_model, tags={"a": "b"}),
        "write a file": lambda actor: upload(actor, run.artifact_uri),
        "write a model's file": lambda actor: upload(actor, model.artifact_uri),
        "delete a file": lambda actor: artifact_files.delete_artifact(
            actor, f"{run.artifact_uri.removeprefix('mlflow-artifacts:/')}/MLmodel"
        ),
        "delete a model": lambda actor: logged_models.delete_logged_model(actor, **of_model),
    }


@pytest.fixture
def run(maria_actor: Actor) -> Run:
    """A run of Maria's experiment "fraud", with a logged model."""
    made = make_run(maria_actor, tags={"team": "risk"})
    logged_models.create_logged_model(maria_actor, experiment_id=made.experiment_id, name="forest")
    return made


# -- the levels --------------------------------------------------------------------------------------------------------
def test_who_makes_an_experiment_manages_it(maria_actor: Actor) -> None:
    experiment = services.create_experiment(maria_actor, name="fraud")
    assert level_of(maria_actor, experiment.pk) is Level.CAN_MANAGE
    services.rename_experiment(maria_actor, experiment_id=experiment.pk, new_name="card fraud")
    services.delete_experiment(maria_actor, experiment_id=experiment.pk)
    services.restore_experiment(maria_actor, experiment_id=experiment.pk)
    assert level_of(maria_actor, experiment.pk) is Level.CAN_MANAGE


def test_readers_change_nothing_and_are_told_whom_to_ask(run: Run, eve_actor: Actor) -> None:
    assert queries.get_run(eve_actor, run.run_id) == run
    for what, act in changes(run).items():
        assert refusal(PermissionDenied, lambda act=act: act(eve_actor)) == (
            "This needs CAN_EDIT on experiment 'fraud', and eve has CAN_READ. "
            "Ask maria or an administrator for a grant."
        ), what


def test_editors_do_all_that_is_done_in_an_experiment(run: Run, eve: User, eve_actor: Actor) -> None:
    grant_on_experiments(eve, Level.CAN_EDIT, run.experiment)
    for act in changes(run).values():
        act(eve_actor)
    found = queries.get_run(eve_actor, run.run_id)
    assert found.status == "FINISHED"
    assert {tag.key for tag in found.tags.all()} >= {"a"}
    assert [(param.key, param.value) for param in found.params.all()] == [("depth", "3")]


@pytest.mark.parametrize("act", [services.delete_experiment, services.restore_experiment])
def test_editors_do_not_manage_the_experiment(
    act: Callable[..., None], run: Run, eve: User, eve_actor: Actor, maria_actor: Actor
) -> None:
    grant_on_experiments(eve, Level.CAN_EDIT, run.experiment)
    told = (
        "This needs CAN_MANAGE on experiment 'fraud', and eve has CAN_EDIT. Ask maria or an administrator for a grant."
    )
    assert refusal(PermissionDenied, lambda: act(eve_actor, experiment_id=run.experiment_id)) == told
    rename = lambda: services.rename_experiment(eve_actor, experiment_id=run.experiment_id, new_name="mine")  # noqa: E731
    assert refusal(PermissionDenied, rename) == told
    share = lambda: grants.set_grant(  # noqa: E731
        eve_actor, experiment_id=run.experiment_id, username="eve", level=Level.CAN_MANAGE
    )
    assert refusal(PermissionDenied, share) == told
    assert list(Experiment.objects.filter(pk=run.experiment_id).values_list("name", "lifecycle_stage")) == [
        ("fraud", "active")
    ]


def test_whom_to_ask_are_at_most_three_managers_and_never_the_deactivated(
    run: Run, eve_actor: Actor, maria: User
) -> None:
    for name in ("ann", "bob", "carl", "dora"):
        grant_on_experiments(make_user(name), Level.CAN_MANAGE, run.experiment)
    User.objects.filter(username="ann").update(is_active=False)
    told = refusal(PermissionDenied, lambda: services.delete_run(eve_actor, run_id=run.run_id))
    assert told.endswith("Ask bob, carl, dora or an administrator for a grant.")
    ExperimentGrant.objects.all().delete()
    told = refusal(PermissionDenied, lambda: services.delete_run(eve_actor, run_id=run.run_id))
    assert told.endswith("Ask an administrator for a grant.")


def test_the_greatest_of_all_grants_counts(run: Run, eve: User, eve_actor: Actor, settings: Settings) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    experiment = run.experiment
    assert level_of(eve_actor, experiment.pk) is Level.NONE
    readers, editors = Group.objects.create(name="readers"), Group.objects.create(name="editors")
    eve.groups.add(readers, editors)
    ExperimentGrant.objects.create(group=readers, level=Level.CAN_READ)
    assert level_of(eve_actor, experiment.pk) is Level.CAN_READ
    ExperimentGrant.objects.create(group=editors, experiment=experiment, level=Level.CAN_EDIT)
    assert level_of(eve_actor, experiment.pk) is Level.CAN_EDIT
    grant_on_experiments(eve, Level.CAN_MANAGE)
    assert level_of(eve_actor, experiment.pk) is Level.CAN_MANAGE
    eve.groups.clear()
    grant_on_experiments(eve, Level.CAN_READ)
    assert level_of(eve_actor, experiment.pk) is Level.CAN_READ


def test_an_administrators_token_without_the_scope_has_what_its_person_was_granted(
    run: Run, admin: User, settings: Settings
) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    held_back = Actor(user_id=admin.pk, name="admin", origin=Origin.REST, is_held_back=True)
    assert level_of(person(admin, Origin.REST), run.experiment_id) is Level.CAN_MANAGE
    assert level_of(held_back, run.experiment_id) is Level.NONE


def test_everybody_who_is_signed_in_logs_to_the_default_experiment_and_nobody_else_does(
    eve_actor: Actor, stranger_actor: Actor, settings: Settings
) -> None:
    for default in ("CAN_READ", "NONE"):
        settings.PODIUM_DEFAULT_LEVEL = default
        run = services.create_run(eve_actor, experiment_id=0)
        recording.log_metric(eve_actor, run_id=run.run_id, metric=POINT)
        assert run.run_id in [one.run_id for one in queries.search_runs(eve_actor, experiment_ids=[0]).rows]
    assert [one.name for one in queries.search_experiments(eve_actor).rows] == ["Default"]
    assert refusal(
        PermissionDenied, lambda: services.rename_experiment(eve_actor, experiment_id=0, new_name="mine")
    ) == ("This needs CAN_MANAGE on experiment 'Default', and eve has CAN_EDIT. Ask an administrator for a grant.")
    assert level_of(stranger_actor, DEFAULT_EXPERIMENT) is Level.NONE
    refusal(NotSignedIn, lambda: queries.get_experiment(stranger_actor, 0))


# -- as if it were not there -------------------------------------------------------------------------------------------
def reads(run: Run) -> dict[str, Callable[[Actor, str], Any]]:
    """Ways to ask for what is in the experiment of a run; the text stands in the place of each id."""
    model = LoggedModel.objects.get()
    root, model_root = (uri.removeprefix("mlflow-artifacts:/") for uri in (run.artifact_uri, model.artifact_uri))
    return {
        "run": lambda actor, none: queries.get_run(actor, none or run.run_id),
        "metrics to plot": lambda actor, none: histories.metric_series(actor, none or run.run_id, ["auc"]),
        "files of the run": lambda actor, none: artifact_files.run_artifacts(actor, none or run.run_id),
        "file of the run": lambda actor, none: artifact_files.resolve_run_artifact(actor, none or run.run_id, "a"),
        "logged model": lambda actor, none: logged_models.get_logged_model(actor, model_id=none or model.model_id),
        "files of the model": lambda actor, none: artifact_files.logged_model_artifacts(actor, none or model.model_id),
        "path in the store": lambda actor, none: files.resolve_artifact(
            actor, f"{root}/a".replace(run.run_id, none or run.run_id)
        ),
        "path of the model": lambda actor, none: files.resolve_artifact(
            actor, f"{model_root}/a".replace(model.model_id, none or model.model_id)
        ),
        **{
            what: lambda actor, none, act=act: act(actor) if not none else services.delete_run(actor, run_id=none)
            for what, act in changes(run).items()
            if "run" in what and what != "create a run"
        },
    }


def test_what_one_may_not_read_is_not_there_in_the_same_words(run: Run, eve_actor: Actor, settings: Settings) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    known = {run.run_id, LoggedModel.objects.get().model_id}
    for what, ask in reads(run).items():
        hidden = refusal(NotFound, lambda ask=ask: ask(eve_actor, ""))
        none = "m-" + "0" * 32 if "model" in what else "0" * 32
        unknown = refusal(NotFound, lambda ask=ask, none=none: ask(eve_actor, none))
        assert unknown in {hidden.replace(each, none) for each in known}, what
    number = str(run.experiment_id)
    for ask in (
        lambda key: queries.get_experiment(eve_actor, key),
        lambda key: grants.access_list(eve_actor, key),
        lambda key: services.create_run(eve_actor, experiment_id=key),
        lambda key: services.set_experiment_tag(eve_actor, experiment_id=key, key="a", value="b"),
        lambda key: services.rename_experiment(eve_actor, experiment_id=key, new_name="mine"),
        lambda key: services.delete_experiment(eve_actor, experiment_id=key),
        lambda key: services.restore_experiment(eve_actor, experiment_id=key),
    ):
        hidden = refusal(NotFound, lambda ask=ask: ask(number))
        assert hidden.replace(number, "4711") == refusal(NotFound, lambda ask=ask: ask("4711"))


def test_a_name_that_is_taken_tells_strangers_to_the_experiment_no_more(
    maria_actor: Actor, eve_actor: Actor, settings: Settings
) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    services.delete_experiment(maria_actor, experiment_id=make_experiment(maria_actor).pk)
    create = lambda actor: refusal(PodiumError, lambda: services.create_experiment(actor, name="fraud"))  # noqa: E731
    assert create(eve_actor) == "Experiment(name=fraud) already exists."
    assert create(maria_actor).endswith("It is deleted: restore it, or choose another name.")


# -- across experiments ------------------------------------------------------------------------------------------------
@pytest.fixture
def foreign(maria_actor: Actor, run: Run, settings: Settings) -> LoggedModel:
    """Maria's logged model, where nobody reads what was not granted."""
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    model = LoggedModel.objects.get()
    upload(maria_actor, model.artifact_uri)
    upload(maria_actor, run.artifact_uri)
    return model


def test_a_run_names_only_logged_models_that_its_author_may_read(
    foreign: LoggedModel, eve: User, eve_actor: Actor
) -> None:
    own = make_run(eve_actor, experiment=make_experiment(eve_actor, "eve's"))
    link = lambda: services.log_outputs(eve_actor, run_id=own.run_id, models={foreign.model_id: 0})  # noqa: E731
    read = lambda: services.log_inputs(eve_actor, run_id=own.run_id, model_ids=[foreign.model_id])  # noqa: E731
    for act in (link, read):
        assert refusal(NotFound, act) == f"Logged model with ID '{foreign.model_id}' not found."
    grant_on_experiments(eve, Level.CAN_READ, foreign.experiment)
    link()
    read()


def test_a_linked_model_is_no_way_round_the_experiment_that_it_is_in(
    foreign: LoggedModel, eve: User, eve_actor: Actor, maria_actor: Actor
) -> None:
    shared = make_run(maria_actor, experiment=make_experiment(maria_actor, "shared"))
    services.log_outputs(maria_actor, run_id=shared.run_id, models={foreign.model_id: 0})
    grant_on_experiments(eve, Level.CAN_READ, shared.experiment)
    assert artifact_files.run_artifacts(eve_actor, shared.run_id).files == ()
    assert queries.get_run(eve_actor, shared.run_id).run_models.all() == []
    assert queries.search_runs(eve_actor, experiment_ids=[shared.experiment_id]).rows[0].run_models.all() == []
    refusal(
        NotFound,
        lambda: artifact_files.stat_stored(
            artifact_files.resolve_run_artifact(eve_actor, shared.run_id, "forest/MLmodel")
        ),
    )
    assert [one.path for one in artifact_files.run_artifacts(maria_actor, shared.run_id).files] == ["forest"]


def test_to_measure_a_foreign_model_or_add_to_a_foreign_run_needs_to_edit_its_experiment(
    foreign: LoggedModel, run: Run, eve: User, eve_actor: Actor
) -> None:
    own = make_run(eve_actor, experiment=make_experiment(eve_actor, "eve's"))
    measure = lambda: recording.log_metric(  # noqa: E731
        eve_actor, run_id=own.run_id, metric=MetricPoint("auc", 1.0, 1, model_id=foreign.model_id)
    )
    add = lambda: logged_models.create_logged_model(  # noqa: E731
        eve_actor, experiment_id=own.experiment_id, name="model", source_run_id=run.run_id
    )
    assert refusal(NotFound, measure) == f"Logged model with ID '{foreign.model_id}' not found."
    assert refusal(NotFound, add) == f"Run with id={run.run_id} not found"
    grant_on_experiments(eve, Level.CAN_READ, foreign.experiment)
    for act in (measure, add):
        assert refusal(PermissionDenied, act).startswith("This needs CAN_EDIT on experiment 'fraud', and eve has")
    assert not Metric.objects.filter(run=own).exists()
    grant_on_experiments(eve, Level.CAN_EDIT, foreign.experiment)
    measure()
    add()


def test_versions_are_made_only_of_what_one_may_read(
    foreign: LoggedModel, run: Run, eve: User, eve_actor: Actor, maria_actor: Actor
) -> None:
    make_version(maria_actor, "churn", run=run)
    create_model(eve_actor, name="mine")
    sources: dict[str, dict[str, str]] = {
        f"runs:/{run.run_id}/model": {},
        f"models:/{foreign.model_id}": {},
        "models:/churn/1": {},
        "models:/churn/latest": {},
        f"{run.artifact_uri}/model": {},
        f"{foreign.artifact_uri}": {},
        "s3://bucket/model": {"run_id": run.run_id},
        "s3://bucket/other": {"model_id": foreign.model_id},
    }

    def register(source: str) -> None:
        create_version(eve_actor, name="mine", source=source, **sources[source])

    for source in sources:
        told = refusal(PodiumError, lambda source=source: register(source))
        assert "needs" not in told, "it is as if it were not there"
    create_version(eve_actor, name="mine", source="s3://bucket/model", run_id="0" * 32)  # of another server
    grant_on_experiments(eve, Level.CAN_READ, foreign.experiment)
    for source in sources:
        if source.startswith("models:/churn"):
            refusal(InvalidParameter, lambda source=source: register(source))
        else:
            register(source)
    grant(eve, Level.CAN_READ)
    register("models:/churn/1")


def test_a_reader_who_registers_a_model_may_note_it_as_clients_do(
    foreign: LoggedModel, eve: User, eve_actor: Actor, maria_actor: Actor
) -> None:
    grant_on_experiments(eve, Level.CAN_READ, foreign.experiment)
    create_model(eve_actor, name="mine")
    create_version(eve_actor, name="mine", source=f"models:/{foreign.model_id}")
    noted = foreign.tags.get(key=logged_models.VERSIONS_TAG).value
    logged_models.set_logged_model_tags(eve_actor, model_id=foreign.model_id, tags={logged_models.VERSIONS_TAG: "[]"})
    assert foreign.tags.get(key=logged_models.VERSIONS_TAG).value == noted == '[{"name": "mine", "version": 1}]'
    both = {logged_models.VERSIONS_TAG: "[]", "team": "x"}
    refusal(
        PermissionDenied,
        lambda: logged_models.set_logged_model_tags(eve_actor, model_id=foreign.model_id, tags=both),
    )


# -- what registering publishes ----------------------------------------------------------------------------------------
def test_the_files_of_a_version_can_be_read_with_the_registered_model(
    foreign: LoggedModel, run: Run, eve: User, eve_actor: Actor, maria_actor: Actor
) -> None:
    folders = [f"{run.artifact_uri}/model", foreign.artifact_uri]
    for folder in folders:
        upload(maria_actor, folder)
    make_version(maria_actor, "churn", run=run)
    create_version(maria_actor, name="churn", source=f"models:/{foreign.model_id}")
    paths = [folder.removeprefix("mlflow-artifacts:/") for folder in folders]
    for path in paths:
        assert files.list_artifacts(eve_actor, path) == ()
        refusal(NotFound, lambda path=path: files.resolve_artifact(eve_actor, f"{path}/MLmodel"))
    grant(eve, Level.CAN_READ)
    for path in paths:
        assert [one.name for one in files.list_artifacts(eve_actor, path)] == ["MLmodel"]
        assert files.resolve_artifact(eve_actor, f"{path}/MLmodel") == f"{path}/MLmodel"
    beside = f"{run.artifact_uri}/MLmodel".removeprefix("mlflow-artifacts:/")
    refusal(NotFound, lambda: files.resolve_artifact(eve_actor, beside))
    refusal(NotFound, lambda: files.resolve_artifact(eve_actor, f"{paths[0]}-2/MLmodel"))
    refusal(NotFound, lambda: artifact_files.write_artifact(eve_actor, f"{paths[0]}/b", BytesIO(b""), length=0))


def test_what_was_measured_stays_with_the_experiment(
    foreign: LoggedModel, run: Run, eve: User, eve_actor: Actor, maria_actor: Actor
) -> None:
    version = make_version(maria_actor, "churn", run=run)
    second = create_version(maria_actor, name="churn", source=f"models:/{foreign.model_id}")
    grant(eve, Level.CAN_READ)
    shown = [get_version(eve_actor, "churn", one.version) for one in (version, second)]
    assert [(one.run, one.logged_model) for one in evidence_of(eve_actor, shown)] == [(None, None)] * 2
    assert run_names(eve_actor, shown) == {}
    assert [(one.run, one.logged_model) for one in evidence_of(maria_actor, shown)] == [(run, None), (None, foreign)]


# -- giving levels -----------------------------------------------------------------------------------------------------
def test_a_manager_gives_levels_and_takes_them_back_and_history_keeps_it(
    run: Run, maria_actor: Actor, eve: User, eve_actor: Actor
) -> None:
    key = run.experiment_id
    grants.set_grant(maria_actor, experiment_id=key, username="eve", level=Level.CAN_EDIT)
    assert level_of(eve_actor, key) is Level.CAN_EDIT
    grants.set_grant(maria_actor, experiment_id=key, username="eve", level=Level.CAN_MANAGE)
    grants.set_grant(maria_actor, experiment_id=key, username="eve", level=Level.CAN_MANAGE)
    grants.remove_grant(maria_actor, experiment_id=key, username="eve")
    grants.remove_grant(maria_actor, experiment_id=key, username="eve")
    assert level_of(eve_actor, key) is Level.CAN_READ
    lines = Activity.objects.filter(kind__in=[Kind.GRANT_SET, Kind.GRANT_REMOVED]).order_by("pk")
    assert [(line.kind, line.subject, line.data.get("before"), line.data.get("after")) for line in lines] == [
        (Kind.GRANT_SET, "experiment fraud", None, "CAN_EDIT"),
        (Kind.GRANT_SET, "experiment fraud", "CAN_EDIT", "CAN_MANAGE"),
        (Kind.GRANT_REMOVED, "experiment fraud", "CAN_MANAGE", None),
    ]
    assert {line.data["experiment_id"] for line in lines} == {key}


def test_levels_on_all_experiments_are_the_administrators_to_give(
    run: Run, maria_actor: Actor, admin_actor: Actor, eve: User, eve_actor: Actor
) -> None:
    give = lambda actor: grants.set_grant(actor, experiment_id=None, username="eve", level=Level.CAN_EDIT)  # noqa: E731
    assert refusal(PermissionDenied, lambda: give(maria_actor)) == "Only administrators may do this."
    give(admin_actor)
    assert level_of(eve_actor, run.experiment_id) is Level.CAN_EDIT
    grants.remove_grant(admin_actor, experiment_id=None, username="eve")
    assert level_of(eve_actor, run.experiment_id) is Level.CAN_READ


@pytest.mark.parametrize(
    ("given", "error", "told"),
    [
        ({"username": "nobody"}, NotFound, "User 'nobody' does not exist."),
        ({"group": "nobody"}, NotFound, "Group 'nobody' does not exist."),
        ({}, InvalidParameter, "A grant is for one person or for one group."),
        ({"username": "eve", "group": "risk"}, InvalidParameter, "A grant is for one person or for one group."),
        (
            {"username": "eve", "level": Level.NONE},
            InvalidParameter,
            "NONE is no level to give: remove the grant instead.",
        ),
        (
            {"username": "eve", "level": Level.CAN_MANAGE_STAGING_VERSIONS},
            InvalidParameter,
            "CAN_MANAGE_STAGING_VERSIONS is no level here: it is one of CAN_READ, CAN_EDIT, CAN_MANAGE.",
        ),
    ],
)
def test_what_cannot_be_given(
    given: dict[str, Any], error: type[PodiumError], told: str, run: Run, maria_actor: Actor, eve: User
) -> None:
    Group.objects.create(name="risk")
    wanted = {"level": Level.CAN_READ} | given
    assert refusal(error, lambda: grants.set_grant(maria_actor, experiment_id=run.experiment_id, **wanted)) == told
    assert ExperimentGrant.objects.count() == 1


def test_the_database_knows_no_other_level_on_an_experiment(run: Run, eve: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ExperimentGrant.objects.create(user=eve, experiment=run.experiment, level=Level.CAN_MANAGE_STAGING_VERSIONS)


def test_the_last_manager_neither_leaves_nor_steps_down(
    run: Run, maria: User, maria_actor: Actor, eve: User, admin_actor: Actor
) -> None:
    key = run.experiment_id
    told = (
        "After this nobody would have CAN_MANAGE on experiment fraud. Give it to somebody else first, or ask an "
        "administrator."
    )
    leave = lambda: grants.remove_grant(maria_actor, experiment_id=key, username="maria")  # noqa: E731
    step_down = lambda: grants.set_grant(  # noqa: E731
        maria_actor, experiment_id=key, username="maria", level=Level.CAN_EDIT
    )
    for act in (leave, step_down):
        assert refusal(Conflict, act) == told
        assert level_of(maria_actor, key) is Level.CAN_MANAGE
    team = Group.objects.create(name="risk")
    team.user_set.add(eve)
    User.objects.filter(pk=eve.pk).update(is_active=False)
    grants.set_grant(maria_actor, experiment_id=key, group="risk", level=Level.CAN_MANAGE)
    refusal(Conflict, leave)  # nobody in the group is let in
    User.objects.filter(pk=eve.pk).update(is_active=True)
    leave()
    assert level_of(maria_actor, key) is Level.CAN_READ
    grants.remove_grant(admin_actor, experiment_id=key, group="risk")
    assert not ExperimentGrant.objects.exists()


# -- what it costs -----------------------------------------------------------------------------------------------------
def statements(act: Callable[[], object]) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        act()
    return len([each for each in captured.captured_queries if "SAVEPOINT" not in each["sql"]])


def test_the_level_is_asked_in_the_statement_that_looks_the_run_up(
    run: Run, maria_actor: Actor, admin_actor: Actor, settings: Settings
) -> None:
    for act in (
        lambda actor: recording.log_metric(actor, run_id=run.run_id, metric=POINT),
        lambda actor: recording.log_batch(actor, run_id=run.run_id, metrics=[POINT]),
        lambda actor: queries.get_run(actor, run.run_id),
        lambda actor: services.create_run(actor, experiment_id=run.experiment_id),
        lambda actor: services.set_run_tag(actor, run_id=run.run_id, key="a", value="b"),
        lambda actor: histories.metric_history(actor, run_id=run.run_id, key="auc"),
    ):
        settings.PODIUM_DEFAULT_LEVEL = "NONE"
        assert statements(lambda act=act: act(maria_actor)) == statements(lambda act=act: act(admin_actor))
    search = lambda: queries.search_runs(maria_actor, experiment_ids=[run.experiment_id])  # noqa: E731
    asked = statements(search)
    settings.PODIUM_DEFAULT_LEVEL = "CAN_READ"
    assert statements(search) == asked - 1, "where everybody reads, nobody is asked"


# -- what was there before ---------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_who_made_experiments_or_logged_to_them_before_there_were_levels_goes_on(
    maria: User, eve: User, system_actor: Actor
) -> None:
    made = Experiment.objects.create(
        name="fraud", artifact_location="mlflow-artifacts:/1", creation_time=1, last_update_time=1, created_by=maria
    )
    nobodys = make_experiment(system_actor, "imported")
    default, _ = Experiment.objects.get_or_create(
        pk=0, defaults={"name": "Default", "creation_time": 1, "last_update_time": 1}
    )
    ids = iter("abcdef")
    for experiment, user in ((made, eve), (made, eve), (made, maria), (nobodys, eve), (nobodys, None)):
        Run.objects.create(run_id=next(ids) * 32, experiment=experiment, artifact_uri="", created_by=user)
    Run.objects.create(run_id="0" * 32, experiment=default, artifact_uri="", created_by=eve)
    try:
        call_command("migrate", "tracking", "0002", verbosity=0)
        assert "tracking_experimentgrant" not in connection.introspection.table_names()
    finally:
        call_command("migrate", verbosity=0)
    held = ExperimentGrant.objects.order_by("experiment__name", "user__username")
    assert list(held.values_list("experiment__name", "user__username", "level")) == [
        ("fraud", "eve", Level.CAN_EDIT),
        ("fraud", "maria", Level.CAN_MANAGE),
        ("imported", "eve", Level.CAN_EDIT),
    ]
