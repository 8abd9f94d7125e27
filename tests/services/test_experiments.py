"""Experiments: what the services promise, whoever calls them."""

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from registry_site.accounts.actors import Actor
from registry_site.audit.models import Activity
from registry_site.core.errors import AlreadyExists, InvalidParameter, NotFound, NotSignedIn
from registry_site.tracking import queries, services
from registry_site.tracking.models import Experiment
from registry_site.tracking.rules import ViewType
from tests.conftest import FrozenClock
from tests.make import make_experiment, make_run

pytestmark = pytest.mark.django_db


def test_the_default_experiment_is_there_from_the_start_and_has_the_id_0(maria_actor: Actor) -> None:
    default = queries.get_experiment(maria_actor, "0")

    assert (default.name, default.artifact_location) == ("Default", "mlflow-artifacts:/0")


def test_the_first_experiment_after_the_default_one_has_a_number_of_its_own(maria_actor: Actor) -> None:
    experiment = services.create_experiment(maria_actor, name="fraud")

    assert experiment.pk >= 1
    assert experiment.artifact_location == f"mlflow-artifacts:/{experiment.pk}"


def test_a_stranger_may_neither_read_nor_write(stranger_actor: Actor) -> None:
    with pytest.raises(NotSignedIn):
        services.create_experiment(stranger_actor, name="fraud")
    with pytest.raises(NotSignedIn):
        queries.search_experiments(stranger_actor)


def test_a_name_is_taken_even_by_a_deleted_experiment(maria_actor: Actor) -> None:
    fraud = make_experiment(maria_actor, "fraud")
    services.delete_experiment(maria_actor, experiment_id=fraud.pk)

    with pytest.raises(AlreadyExists) as refusal:
        services.create_experiment(maria_actor, name="fraud")

    assert refusal.value.message == (
        "Experiment(name=fraud) already exists. It is deleted: restore it, or choose another name."
    )


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (" ", "Invalid experiment name: ' '. It must not be empty."),
        ("x" * 501, "Invalid experiment name: it has 501 characters and may have 500."),
        ("a\nb", "Invalid experiment name: it must not hold control characters."),
    ],
)
def test_odd_names_are_refused(maria_actor: Actor, name: str, reason: str) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        services.create_experiment(maria_actor, name=name)

    assert refusal.value.message == reason


def test_names_may_have_any_script_and_500_characters(maria_actor: Actor) -> None:
    assert services.create_experiment(maria_actor, name="不正検知 fraud/2026: v1").name == "不正検知 fraud/2026: v1"
    assert len(services.create_experiment(maria_actor, name="x" * 500).name) == 500


@pytest.mark.parametrize(
    "location",
    [
        "http:///#/../../etc/",
        "file:///etc",
        "/etc",
        "etc",
        "s3://bucket/models",
        "ftp://127.0.0.1:21/",
        "mlflow-artifacts://evil.example/x",
        "mlflow-artifacts://maria:secret@localhost/x",
        "mlflow-artifacts:/../../x",
        "mlflow-artifacts:/%2e%2e/x",
        "mlflow-artifacts:/%252e%252e%252fx",
        "mlflow-artifacts:/x?y=1",
        "mlflow-artifacts:/x#y",
        "mlflow-artifacts:/x;y",
        "mlflow-artifacts:/x%3Fy",
        "mlflow-artifacts:/x\\y",
        "mlflow-artifacts:/x\ny",
        "mlflow-artifacts:x",
        "mlflow-artifacts:/a//b",
        "runs:/x",
        f"mlflow-artifacts:/{'x' * 2048}",
    ],
)
def test_a_location_outside_of_the_servers_store_is_refused(maria_actor: Actor, location: str) -> None:
    with pytest.raises(InvalidParameter, match=r"^Invalid artifact_location"):
        services.create_experiment(maria_actor, name="fraud", artifact_location=location)

    assert not Experiment.objects.filter(name="fraud").exists()


def test_a_refused_location_names_the_schemes_that_are_admitted(maria_actor: Actor) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        services.create_experiment(maria_actor, name="fraud", artifact_location="gs://bucket")

    assert refusal.value.message == (
        "Invalid artifact_location 'gs://bucket': it must start with mlflow-artifacts:/, "
        "where this server keeps artifacts."
    )


def test_nobody_can_put_an_experiment_into_the_artifacts_of_somebody_elses_run(maria_actor: Actor) -> None:
    run = make_run(maria_actor)

    with pytest.raises(InvalidParameter, match="it lies inside the artifacts of a run or logged model"):
        services.create_experiment(maria_actor, name="evil", artifact_location=f"{run.artifact_uri}/model")


def test_a_location_in_the_servers_own_store_is_kept_in_one_spelling(maria_actor: Actor) -> None:
    experiment = services.create_experiment(
        maria_actor, name="fraud", artifact_location="mlflow-artifacts:///team/fraud models/"
    )

    assert experiment.artifact_location == "mlflow-artifacts:/team/fraud models"


def test_a_location_in_the_bucket_that_is_the_store_is_admitted(maria_actor: Actor, settings: Settings) -> None:
    settings.PODIUM_ARTIFACT_ROOT = "s3://bucket/podium"

    inside = services.create_experiment(maria_actor, name="in", artifact_location="s3://bucket/podium/fraud")
    assert inside.artifact_location == "s3://bucket/podium/fraud"
    with pytest.raises(InvalidParameter):
        services.create_experiment(maria_actor, name="out", artifact_location="s3://bucket/podium-secrets/fraud")


def test_deleting_an_experiment_takes_its_runs_along_and_restoring_brings_them_back(maria_actor: Actor) -> None:
    fraud = make_experiment(maria_actor, "fraud")
    run = make_run(maria_actor, experiment=fraud)

    services.delete_experiment(maria_actor, experiment_id=fraud.pk)
    assert queries.get_experiment(maria_actor, fraud.pk).lifecycle_stage == "deleted"
    assert queries.get_run(maria_actor, run.run_id).lifecycle_stage == "deleted"
    with pytest.raises(NotFound, match=rf"^No active experiment with id={fraud.pk} exists$"):
        services.delete_experiment(maria_actor, experiment_id=fraud.pk)

    services.restore_experiment(maria_actor, experiment_id=fraud.pk)
    assert queries.get_run(maria_actor, run.run_id).lifecycle_stage == "active"
    with pytest.raises(NotFound, match=rf"^No deleted experiment with id={fraud.pk} exists$"):
        services.restore_experiment(maria_actor, experiment_id=fraud.pk)


def test_history_tells_who_created_renamed_deleted_and_restored(maria_actor: Actor) -> None:
    fraud = services.create_experiment(maria_actor, name="fraud")
    services.rename_experiment(maria_actor, experiment_id=fraud.pk, new_name="fraud-2")
    services.delete_experiment(maria_actor, experiment_id=fraud.pk)
    services.restore_experiment(maria_actor, experiment_id=fraud.pk)

    told = [(one.actor_name, one.kind, one.subject) for one in Activity.objects.order_by("pk")]
    assert told == [
        ("maria", "experiment.created", "fraud"),
        ("maria", "experiment.renamed", "fraud-2"),
        ("maria", "experiment.deleted", "fraud-2"),
        ("maria", "experiment.restored", "fraud-2"),
    ]


def test_a_deleted_experiment_can_neither_be_renamed_nor_tagged(maria_actor: Actor) -> None:
    fraud = make_experiment(maria_actor, "fraud")
    services.delete_experiment(maria_actor, experiment_id=fraud.pk)
    refusal = f"^The experiment {fraud.pk} must be in the 'active' state and is deleted. Restore it first.$"

    with pytest.raises(InvalidParameter, match=refusal):
        services.rename_experiment(maria_actor, experiment_id=fraud.pk, new_name="x")
    with pytest.raises(InvalidParameter, match=refusal):
        services.set_experiment_tag(maria_actor, experiment_id=fraud.pk, key="team", value="risk")


def test_tags_are_set_replaced_and_deleted(maria_actor: Actor) -> None:
    fraud = make_experiment(maria_actor, "fraud", tags={"team": "risk"})
    services.set_experiment_tag(maria_actor, experiment_id=fraud.pk, key="team", value="ml")
    assert [(tag.key, tag.value) for tag in queries.get_experiment(maria_actor, fraud.pk).tags.all()] == [
        ("team", "ml")
    ]

    services.delete_experiment_tag(maria_actor, experiment_id=fraud.pk, key="team")
    with pytest.raises(NotFound, match=rf"^Experiment '{fraud.pk}' has no tag with key 'team'.$"):
        services.delete_experiment_tag(maria_actor, experiment_id=fraud.pk, key="team")


def test_searches_see_active_experiments_newest_first(maria_actor: Actor, frozen_clock: FrozenClock) -> None:
    for name in ("a", "b", "c"):
        make_experiment(maria_actor, name)
        frozen_clock.advance(minutes=1)
    services.delete_experiment(maria_actor, experiment_id=Experiment.objects.get(name="b").pk)

    def names(view_type: ViewType) -> list[str]:
        rows = queries.search_experiments(maria_actor, filter="name != 'Default'", view_type=view_type).rows
        return [row.name for row in rows]

    assert names(ViewType.ACTIVE_ONLY) == ["c", "a"]
    assert names(ViewType.DELETED_ONLY) == ["b"]
    assert names(ViewType.ALL) == ["c", "b", "a"]


def test_pages_follow_each_other_and_a_token_continues_only_its_own_search(maria_actor: Actor) -> None:
    for number in range(5):
        make_experiment(maria_actor, f"e{number}")
    seen: list[str] = []
    token = ""
    while True:
        page = queries.search_experiments(maria_actor, order_by=["name"], max_results=2, page_token=token)
        seen += [row.name for row in page.rows]
        token = page.next_page_token
        if not token:
            break
        last_token = token

    assert seen == ["Default", "e0", "e1", "e2", "e3", "e4"]
    with pytest.raises(InvalidParameter, match=r"^Invalid page token: it belongs to another search"):
        queries.search_experiments(maria_actor, max_results=2, page_token=last_token)


def test_the_overview_counts_active_runs_in_few_queries(
    maria_actor: Actor, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    fraud = make_experiment(maria_actor, "fraud", tags={"team": "risk"})
    make_experiment(maria_actor, "churn")
    runs = [make_run(maria_actor, experiment=fraud) for _ in range(3)]
    services.delete_run(maria_actor, run_id=runs[0].run_id)

    with django_assert_max_num_queries(3):
        page = queries.experiments_overview(maria_actor)
    counts = {one.experiment.name: one.run_count for one in page.rows}
    assert counts == {"fraud": 2, "churn": 0, "Default": 0}
    assert max(one.last_start_time or 0 for one in page.rows) == max(run.start_time for run in runs[1:])

    found = queries.experiments_overview(maria_actor, text="tag.team:risk")
    assert [one.experiment.name for one in found.rows] == ["fraud"]
    assert [one.experiment.name for one in queries.experiments_overview(maria_actor, text="CHUR").rows] == ["churn"]
