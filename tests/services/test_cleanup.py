"""Artifacts of what was deleted long ago go, and nothing that somebody still needs."""

from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.core.errors import Conflict
from registry_site.promotion.deleting import delete_version
from registry_site.registry.cleanup import collect_garbage, find_orphans, refuse_removed, remove_what_is_due
from registry_site.registry.models import DeletedArtifacts, Manifest
from registry_site.registry.places import key_of
from registry_site.registry.services import create_version
from registry_site.tracking.artifact_files import write_artifact
from registry_site.tracking.logged_models import create_logged_model, delete_logged_model
from registry_site.tracking.models import LoggedModel, Run
from registry_site.tracking.services import delete_experiment, delete_run, restore_run
from tests.conftest import FrozenClock
from tests.make import make_model, make_run, make_version

pytestmark = pytest.mark.django_db


def root_of(owner: Run | LoggedModel) -> str:
    return owner.artifact_uri.removeprefix("mlflow-artifacts:/")


@pytest.fixture
def run(maria_actor: Actor) -> Run:
    run = make_run(maria_actor)
    write_artifact(maria_actor, f"{root_of(run)}/model/MLmodel", BytesIO(b"flavors"), length=7)
    return run


def files_in(artifact_root: Path) -> list[str]:
    return sorted(path.name for path in artifact_root.rglob("*") if path.is_file())


def gc(*arguments: str) -> list[str]:
    output = StringIO()
    call_command("gc", *arguments, stdout=output)
    return output.getvalue().splitlines()


# -- what is deleted ---------------------------------------------------------------------------------------------------
def test_the_artifacts_of_a_deleted_run_stay_for_a_month_and_then_go(
    run: Run, maria_actor: Actor, artifact_root: Path, frozen_clock: FrozenClock
) -> None:
    assert remove_what_is_due() == 0
    delete_run(maria_actor, run_id=run.run_id)
    assert remove_what_is_due() == 0
    frozen_clock.advance(days=29)
    assert remove_what_is_due() == 0
    assert files_in(artifact_root) == ["MLmodel"]
    frozen_clock.advance(days=1)
    assert remove_what_is_due() == 1
    assert files_in(artifact_root) == []
    assert remove_what_is_due() == 0
    assert Run.objects.filter(run_id=run.run_id).exists()


def test_those_of_a_deleted_logged_model_go_and_those_of_its_run_stay(
    run: Run, maria_actor: Actor, artifact_root: Path
) -> None:
    model = create_logged_model(maria_actor, experiment_id=run.experiment_id, source_run_id=run.run_id)
    write_artifact(maria_actor, f"{root_of(model)}/weights", BytesIO(b"x"), length=1)
    delete_logged_model(maria_actor, model_id=model.model_id)
    found = list(collect_garbage(timedelta()))
    assert [(one.owner, one.path, one.size, one.file_count) for one in found] == [
        (model.model_id, root_of(model), 1, 1)
    ]
    assert files_in(artifact_root) == ["MLmodel"]


def test_a_run_that_was_restored_in_time_keeps_them_and_counts_anew(
    run: Run, maria_actor: Actor, artifact_root: Path, frozen_clock: FrozenClock
) -> None:
    delete_run(maria_actor, run_id=run.run_id)
    remove_what_is_due()
    restore_run(maria_actor, run_id=run.run_id)
    frozen_clock.advance(days=40)
    assert remove_what_is_due() == 0
    delete_run(maria_actor, run_id=run.run_id)
    remove_what_is_due()
    frozen_clock.advance(days=29)
    assert remove_what_is_due() == 0
    assert files_in(artifact_root) == ["MLmodel"]


def test_runs_of_a_deleted_experiment_are_deleted_too(run: Run, maria_actor: Actor, artifact_root: Path) -> None:
    delete_experiment(maria_actor, experiment_id=run.experiment_id)
    assert [one.owner for one in collect_garbage(timedelta())] == [run.run_id]
    assert files_in(artifact_root) == []


def test_what_a_version_is_made_of_stays_as_long_as_the_version(
    run: Run, maria_actor: Actor, artifact_root: Path
) -> None:
    make_version(maria_actor, run=run)
    create_version(maria_actor, name="churn", source="models:/churn/1")  # of the same files
    delete_run(maria_actor, run_id=run.run_id)
    for version in (1, 2):
        [found] = collect_garbage(timedelta())
        assert found.kept_for == f"churn version {version} is made of it"
        assert files_in(artifact_root) == ["MLmodel"]
        delete_version(maria_actor, name="churn", version=version)
    assert [one.kept_for for one in collect_garbage(timedelta())] == [""]
    assert files_in(artifact_root) == []


def test_only_a_folder_that_is_the_runs_own_is_removed(run: Run, maria_actor: Actor, artifact_root: Path) -> None:
    other = make_run(maria_actor)
    Run.objects.filter(pk=other.pk).update(artifact_uri=run.artifact_uri)  # as an import may have it
    Run.objects.create(run_id="f" * 32, experiment_id=run.experiment_id, artifact_uri="mlflow-artifacts:/")
    Run.objects.filter(run_id="f" * 32).update(lifecycle_stage="deleted")
    delete_run(maria_actor, run_id=other.run_id)
    assert list(collect_garbage(timedelta())) == []
    assert files_in(artifact_root) == ["MLmodel"]


def test_no_version_is_made_of_what_is_gone(run: Run, maria_actor: Actor) -> None:
    make_model(maria_actor)
    delete_run(maria_actor, run_id=run.run_id)
    list(collect_garbage(timedelta()))
    with pytest.raises(Conflict, match=f"The artifacts of {run.run_id} were removed on .* because it was deleted"):
        make_version(maria_actor, run=run)
    restore_run(maria_actor, run_id=run.run_id)
    list(collect_garbage(timedelta()))
    refuse_removed(run.artifact_uri)


def test_a_removal_that_was_cut_off_is_finished(run: Run, maria_actor: Actor, artifact_root: Path) -> None:
    delete_run(maria_actor, run_id=run.run_id)
    removal = collect_garbage(timedelta())
    root = artifact_root / root_of(run)
    hidden = root.with_name("hidden")
    root.rename(hidden)  # the store deletes nothing now
    next(removal)
    hidden.rename(root)
    DeletedArtifacts.objects.update(removed_at=None)  # as if it had died before it noted that it was done
    assert [one.owner for one in collect_garbage(timedelta())] == [run.run_id]
    assert files_in(artifact_root) == []


def test_negative_days_keep_everything(run: Run, maria_actor: Actor, settings: Settings) -> None:
    settings.PODIUM_KEEP_DELETED_DAYS = -1
    delete_run(maria_actor, run_id=run.run_id)
    assert remove_what_is_due() == 0
    assert not DeletedArtifacts.objects.exists()
    with pytest.raises(CommandError, match="stay for ever"):
        gc()


def test_the_command_says_what_would_go_and_then_removes_it(run: Run, maria_actor: Actor, artifact_root: Path) -> None:
    kept = make_run(maria_actor)
    make_version(maria_actor, run=kept)
    for one in (run, kept):
        delete_run(maria_actor, run_id=one.run_id)
    assert gc("--dry-run") == ["Artifacts of 0 deleted runs and logged models would be removed: 0\xa0bytes."]
    told = gc("--dry-run", "--days", "0")
    assert f"would go: {root_of(run)}: 1 file, 7\xa0bytes" in told
    assert f"stays: {root_of(kept)}: churn version 1 is made of it" in told
    assert files_in(artifact_root) == ["MLmodel"]
    assert not DeletedArtifacts.objects.exists(), "a dry run writes nothing"
    told = gc("--days", "0")
    assert f"removed: {root_of(run)}: 1 file, 7\xa0bytes" in told
    assert told[-1] == "Artifacts of 1 deleted runs and logged models removed: 7\xa0bytes."
    assert files_in(artifact_root) == []


# -- orphans -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def orphans(run: Run, maria_actor: Actor, artifact_root: Path) -> list[str]:
    """Files of nobody, beside those of a run and of a logged model."""
    model = create_logged_model(maria_actor, experiment_id=run.experiment_id)
    write_artifact(maria_actor, f"{root_of(model)}/weights", BytesIO(b"x"), length=1)
    here, nobody = run.experiment_id, "0" * 32
    paths = [f"{here}/{nobody}", f"{here}/models/m-{nobody}", "notes.txt", f"7/{run.run_id}"]
    for path in paths:
        place = artifact_root / path
        if not place.suffix:
            place = place / "artifacts" / "lost.bin"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"lost")
    return paths


def test_files_of_nobody_are_found(orphans: list[str]) -> None:
    found = list(find_orphans())
    assert sorted(one.path for one in found) == sorted(orphans)
    assert {(one.size, one.file_count) for one in found} == {(4, 1)}
    told = gc("--orphans")
    assert f"orphan: {orphans[0]}: 1 file, 4\xa0bytes (stays: it changed lately)" in told
    assert told[-1] == "4 orphans found."


def test_only_old_ones_that_no_version_was_made_of_are_removed(
    orphans: list[str], run: Run, maria_actor: Actor, artifact_root: Path
) -> None:
    assert {one.kept_for for one in find_orphans(remove=True)} == {"it changed lately"}
    made = make_version(maria_actor, run=run)
    place = f"mlflow-artifacts:/{orphans[0]}/artifacts"
    type(made).objects.filter(pk=made.pk).update(storage_location=place)
    Manifest.objects.filter(model_version=made).update(place=place, place_key=key_of(place))
    removed = {one.path: one.kept_for for one in find_orphans(remove=True, older_than=timedelta(seconds=-60))}
    assert removed == dict.fromkeys(orphans, "") | {orphans[0]: "churn version 1 is made of it"}
    assert files_in(artifact_root) == ["MLmodel", "lost.bin", "weights"]
    assert [one.path for one in find_orphans()] == [orphans[0]]
