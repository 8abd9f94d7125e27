"""What a version's files were when it was registered: written down, checked, and kept from changing."""

import errno
import hashlib
import os
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.artifacts.digests import Comparison, FileDigest, digest_of
from registry_site.artifacts.store import default_store
from registry_site.core.errors import Conflict, NotFound
from registry_site.promotion.deleting import delete_version
from registry_site.registry import jobs
from registry_site.registry.inspection import ask_for_check, files_of
from registry_site.registry.manifests import finalize_logged_model, integrity_of, look, work_on_manifests
from registry_site.registry.models import Manifest, ManifestFile, ModelVersion
from registry_site.registry.services import create_version
from registry_site.tracking.artifact_files import delete_artifact, write_artifact
from registry_site.tracking.logged_models import create_logged_model
from registry_site.tracking.models import Run
from tests.conftest import FrozenClock
from tests.make import grant_on_experiments, make_model, make_run, make_version

pytestmark = pytest.mark.django_db

FILES = {"MLmodel": b"flavors: {}", "model.pkl": b"\x80\x04.", "code/train.py": b"print()"}


def root_of(run: Run) -> str:
    return run.artifact_uri.removeprefix("mlflow-artifacts:/")


def put(actor: Actor, path: str, content: bytes = b"other") -> None:
    write_artifact(actor, path, BytesIO(content), length=len(content))


@pytest.fixture
def run(maria_actor: Actor) -> Run:
    """A run with a model in its folder `model`."""
    run = make_run(maria_actor)
    for path, content in FILES.items():
        put(maria_actor, f"{root_of(run)}/model/{path}", content)
    return run


@pytest.fixture
def version(maria_actor: Actor, run: Run) -> ModelVersion:
    return make_version(maria_actor, run=run)


@pytest.fixture
def folder(run: Run, artifact_root: Path) -> Path:
    """Where the version's files really are: behind our back, so to speak."""
    return artifact_root / root_of(run) / "model"


# -- making ------------------------------------------------------------------------------------------------------------
def test_a_new_version_gets_a_manifest_of_every_file(version: ModelVersion, maria_actor: Actor) -> None:
    before = integrity_of(version)
    assert before is not None
    assert (before.state, before.digest, before.is_intact) == (Manifest.State.PENDING, "", False)

    assert work_on_manifests() == 1
    expected = [FileDigest(path, len(body), hashlib.sha256(body).hexdigest()) for path, body in FILES.items()]
    known = integrity_of(version)
    assert known is not None
    assert (known.state, known.digest) == (Manifest.State.COMPLETE, digest_of(expected))
    assert (known.file_count, known.size, known.is_intact) == (3, sum(len(body) for body in FILES.values()), True)
    rows = files_of(maria_actor, name="churn", version=1).rows
    assert [(row.path, row.size, row.sha256) for row in rows] == [
        (file.path, file.size, file.sha256) for file in sorted(expected, key=lambda file: file.path)
    ]
    assert work_on_manifests() == 0


def test_the_files_of_a_manifest_come_in_pages_to_those_who_may_read(
    version: ModelVersion, maria_actor: Actor, eve_actor: Actor, settings: Settings
) -> None:
    work_on_manifests()
    first = files_of(maria_actor, name="churn", version=1, max_results=2)
    rest = files_of(maria_actor, name="churn", version=1, max_results=2, page_token=first.next_page_token)
    assert [row.path for row in (*first.rows, *rest.rows)] == ["MLmodel", "code/train.py", "model.pkl"]
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    with pytest.raises(NotFound):
        files_of(eve_actor, name="churn", version=1)


def test_a_logged_model_gets_one_when_it_is_ready_and_a_new_one_when_it_is_ready_again(maria_actor: Actor) -> None:
    model = create_logged_model(maria_actor, experiment_id=make_run(maria_actor).experiment_id)
    root = model.artifact_uri.removeprefix("mlflow-artifacts:/")
    for content in (b"one", b"other"):
        put(maria_actor, f"{root}/MLmodel", content)
        finalize_logged_model(maria_actor, model_id=model.model_id, status="LOGGED_MODEL_READY")
        work_on_manifests()
        manifest = Manifest.objects.get(logged_model=model)
        assert manifest.digest == digest_of([FileDigest("MLmodel", 0, hashlib.sha256(content).hexdigest())])


def test_a_model_that_failed_to_upload_gets_none(maria_actor: Actor) -> None:
    model = create_logged_model(maria_actor, experiment_id=make_run(maria_actor).experiment_id)
    finalize_logged_model(maria_actor, model_id=model.model_id, status="LOGGED_MODEL_UPLOAD_FAILED")
    assert not Manifest.objects.exists()


def test_of_files_elsewhere_it_is_said_that_they_are_elsewhere(maria_actor: Actor) -> None:
    make_model(maria_actor)
    version = create_version(maria_actor, name="churn", source="s3://somebody-elses/model")
    assert work_on_manifests() == 0
    known = integrity_of(version)
    assert known is not None
    assert (known.state, known.is_intact) == (Manifest.State.ELSEWHERE, False)


def test_a_version_without_any_file_is_not_intact(maria_actor: Actor) -> None:
    version = make_version(maria_actor)
    work_on_manifests()
    known = integrity_of(version)
    assert known is not None
    assert (known.state, known.file_count, known.is_intact) == (Manifest.State.COMPLETE, 0, False)


def test_a_prompt_has_no_files(maria_actor: Actor) -> None:
    make_model(maria_actor, "greeting", tags={"mlflow.prompt.is_prompt": "true"})
    version = create_version(
        maria_actor, name="greeting", source="dummy-source", tags={"mlflow.prompt.is_prompt": "true"}
    )
    assert integrity_of(version) is None


def test_what_a_killed_worker_held_is_done_by_the_next(version: ModelVersion, frozen_clock: FrozenClock) -> None:
    Manifest.objects.update(due_at=frozen_clock.moment)
    claimed = jobs.claimed(Manifest, 1)
    next(claimed)  # and dies
    assert work_on_manifests() == 0, "the claim holds"
    frozen_clock.advance(seconds=jobs.LEASE.total_seconds() + 1)
    assert work_on_manifests() == 1
    assert Manifest.objects.get().state == Manifest.State.COMPLETE


def test_whoever_lost_a_claim_writes_nothing(version: ModelVersion, frozen_clock: FrozenClock) -> None:
    Manifest.objects.update(due_at=frozen_clock.moment)
    _, slow = next(jobs.claimed(Manifest, 1))
    frozen_clock.advance(seconds=jobs.LEASE.total_seconds() + 1)
    next(jobs.claimed(Manifest, 1))
    with pytest.raises(jobs.ClaimLost):
        slow.finish(digest="0" * 64)


def test_a_version_that_is_deleted_while_its_files_are_read_is_left_alone(
    version: ModelVersion, maria_actor: Actor
) -> None:
    rows = jobs.claimed(Manifest, 1)
    _, claim = next(rows)
    delete_version(maria_actor, name="churn", version=1)
    with pytest.raises(jobs.ClaimLost):
        claim.finish()
    assert not ManifestFile.objects.exists()


def test_a_store_that_does_not_answer_is_asked_again_later_and_later(
    version: ModelVersion, frozen_clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    Manifest.objects.update(due_at=frozen_clock.moment)
    with monkeypatch.context() as broken:

        def no_answer(*arguments: object, **options: object) -> None:
            raise OSError(errno.EIO, "Input/output error")

        broken.setattr(os, "scandir", no_answer)
        for wait in (5, 10, 20):
            assert work_on_manifests() == 1
            waiting = Manifest.objects.get()
            assert waiting.due_at == frozen_clock.moment + timedelta(seconds=wait)
            assert waiting.error == "The artifact store does not work now (Input/output error); try again later."
            frozen_clock.advance(seconds=wait)
    work_on_manifests()
    assert (Manifest.objects.get().state, Manifest.objects.get().error) == (Manifest.State.COMPLETE, "")


# -- checking ----------------------------------------------------------------------------------------------------------
def tamper(folder: Path) -> None:
    (folder / "MLmodel").unlink()
    (folder / "model.pkl").write_bytes(b"\x80\x05.")  # as long as before
    (folder / "evil.py").write_bytes(b"boo")


TAMPERED = Comparison(missing=("MLmodel",), changed=("model.pkl",), added=("evil.py",))


def test_a_check_names_what_is_missing_changed_and_added(
    version: ModelVersion, folder: Path, maria_actor: Actor
) -> None:
    work_on_manifests()
    tamper(folder)
    ask_for_check(maria_actor, name="churn", version=1)
    assert work_on_manifests() == 1
    known = integrity_of(version)
    assert known is not None
    assert (known.comparison, known.is_intact) == (TAMPERED, False)
    assert known.checked_at is not None


def test_a_look_finds_without_reading_what_is_gone_or_of_another_size(version: ModelVersion, folder: Path) -> None:
    manifest = version.manifest
    assert look(manifest) is None, "there is nothing to hold it against"
    work_on_manifests()
    manifest.refresh_from_db()
    assert look(manifest) == Comparison()
    tamper(folder)
    assert look(manifest) == Comparison(missing=("MLmodel",), added=("evil.py",))


def test_verify_artifacts_names_what_is_not_as_it_was(
    version: ModelVersion, folder: Path, maria_actor: Actor, capsys: pytest.CaptureFixture[str]
) -> None:
    make_version(maria_actor, "other", run=make_run(maria_actor))
    work_on_manifests()
    call_command("verify_artifacts", "churn", "1")
    assert capsys.readouterr().out == "1 version read: every file is as it was registered.\n"

    tamper(folder)
    with pytest.raises(CommandError, match="1 of 2 versions are not what was registered"):
        call_command("verify_artifacts")
    assert capsys.readouterr().out.splitlines() == [
        "churn version 1: missing: MLmodel",
        "churn version 1: changed: model.pkl",
        "churn version 1: added: evil.py",
    ]
    known = integrity_of(version)
    assert known is not None
    assert not known.is_intact


def test_verify_artifacts_says_so_when_there_is_no_such_version(db: None) -> None:
    with pytest.raises(CommandError, match="no version with files of churn 7"):
        call_command("verify_artifacts", "churn", "7")


# -- freezing ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["model/MLmodel", "model/new.txt", "model/code/train.py", "model/code"])
def test_files_of_a_version_are_neither_written_nor_deleted(
    version: ModelVersion, run: Run, maria_actor: Actor, folder: Path, path: str
) -> None:
    for change in (put, delete_artifact):
        with pytest.raises(Conflict, match=r"belongs to churn version 1.*new version, or delete the version first"):
            change(maria_actor, f"{root_of(run)}/{path}")
    assert (folder / "MLmodel").read_bytes() == FILES["MLmodel"]


def test_nor_is_the_folder_around_them_deleted(maria_actor: Actor, artifact_root: Path) -> None:
    run = make_run(maria_actor)
    put(maria_actor, f"{root_of(run)}/models/a_b/MLmodel")
    make_model(maria_actor)
    create_version(maria_actor, name="churn", source=f"runs:/{run.run_id}/models/a_b")
    with pytest.raises(Conflict):
        delete_artifact(maria_actor, f"{root_of(run)}/models")
    for open_path in ("models/axb/MLmodel", "models/A_B/MLmodel", "models/a_b2/MLmodel", "model"):
        put(maria_actor, f"{root_of(run)}/{open_path}")
        delete_artifact(maria_actor, f"{root_of(run)}/{open_path}")


def test_what_lies_beside_them_changes_as_before(version: ModelVersion, run: Run, maria_actor: Actor) -> None:
    plot = f"{root_of(run)}/plots/roc.png"
    put(maria_actor, plot, b"one")
    put(maria_actor, plot, b"another")
    assert default_store().stat(plot).size == len(b"another")
    delete_artifact(maria_actor, f"{root_of(run)}/plots")
    assert not default_store().list(f"{root_of(run)}/plots").entries


def test_the_version_is_not_named_to_those_who_may_not_see_it(
    version: ModelVersion, run: Run, eve: User, eve_actor: Actor, settings: Settings
) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    grant_on_experiments(eve, Level.CAN_EDIT)
    with pytest.raises(Conflict, match="belongs to a registered model's version") as refused:
        put(eve_actor, f"{root_of(run)}/model/MLmodel")
    assert "churn" not in str(refused.value)


def test_when_the_version_is_deleted_they_are_free_again(version: ModelVersion, run: Run, maria_actor: Actor) -> None:
    delete_version(maria_actor, name="churn", version=1)
    put(maria_actor, f"{root_of(run)}/model/MLmodel", b"something else")
    assert default_store().stat(f"{root_of(run)}/model/MLmodel").size == len(b"something else")


def test_files_of_a_logged_model_freeze_when_it_is_registered_and_not_before(maria_actor: Actor) -> None:
    model = create_logged_model(maria_actor, experiment_id=make_run(maria_actor).experiment_id)
    path = model.artifact_uri.removeprefix("mlflow-artifacts:/") + "/MLmodel"
    put(maria_actor, path)
    finalize_logged_model(maria_actor, model_id=model.model_id, status="LOGGED_MODEL_READY")
    put(maria_actor, path)
    make_model(maria_actor)
    create_version(maria_actor, name="churn", source=f"models:/{model.model_id}")
    with pytest.raises(Conflict):
        put(maria_actor, path)


@pytest.mark.parametrize("fills", [False, True], ids=["read", "readinto"])
def test_an_upload_that_began_before_the_files_were_frozen_is_refused_at_its_end(
    run: Run, maria_actor: Actor, folder: Path, fills: bool
) -> None:
    class RegisteredMeanwhile:
        def __init__(self, content: bytes) -> None:
            self.content = BytesIO(content)

        def read(self, size: int, /) -> bytes:
            chunk = self.content.read(size)
            if not chunk:
                make_version(maria_actor, run=run)
            return chunk

    class Filling(RegisteredMeanwhile):
        def readinto(self, buffer: memoryview, /) -> int:
            chunk = self.read(len(buffer))
            buffer[: len(chunk)] = chunk
            return len(chunk)

    upload = (Filling if fills else RegisteredMeanwhile)(b"late")
    with pytest.raises(Conflict):
        write_artifact(maria_actor, f"{root_of(run)}/model/MLmodel", upload, length=4)
    assert (folder / "MLmodel").read_bytes() == FILES["MLmodel"]
