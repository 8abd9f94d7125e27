"""Requests, and what the worker finds in the files: digests and scans in evidence and at gates."""

import hashlib
import os
import pickle
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry_site.accounts.actors import Actor
from registry_site.audit.kinds import Kind
from registry_site.audit.models import Activity
from registry_site.core.errors import Conflict
from registry_site.promotion import deciding, looking_ahead, queries, services, setting_policies, standing
from registry_site.promotion.gates import Gate, GateType
from registry_site.promotion.models import TransitionRequest
from registry_site.promotion.rules import Policy
from registry_site.promotion.settling import present_evidence
from registry_site.registry.inspection import ask_for_check, scan_again
from registry_site.registry.manifests import work_on_manifests
from registry_site.registry.models import Manifest, ModelVersion, Scan
from registry_site.registry.scans import work_on_scans
from registry_site.registry.services import create_version
from registry_site.registry.stages import Stage
from registry_site.tracking.artifact_files import write_artifact
from registry_site.tracking.models import Run
from tests.make import make_model, make_run, make_version

HONEST = pickle.dumps([1.5])


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("echo owned",)


def version_of(actor: Actor, files: Mapping[str, bytes]) -> ModelVersion:
    run = make_run(actor)
    root = run.artifact_uri.removeprefix("mlflow-artifacts:/")
    for path, content in files.items():
        write_artifact(actor, f"{root}/model/{path}", BytesIO(content), length=len(content))
    return make_version(actor, run=run)


def folder_of(version: ModelVersion, artifact_root: Path) -> Path:
    return artifact_root / version.storage_location.removeprefix("mlflow-artifacts:/")


@pytest.fixture
def honest(maria_actor: Actor) -> ModelVersion:
    """Version 1 of `churn`: an honest pickle."""
    return version_of(maria_actor, {"model.pkl": HONEST})


def inspect() -> None:
    work_on_manifests()
    work_on_scans()


def gates(admin: Actor, *types: GateType) -> None:
    asks = Policy(protected=True, gates=tuple(Gate(one) for one in types))
    setting_policies.set_policy(admin, stage=Stage.STAGING, policy=asks)


def ask(actor: Actor, version: int = 1) -> TransitionRequest:
    return services.request_transition(actor, name="churn", version=version, to_stage=Stage.STAGING)


def approve(actor: Actor, number: int = 1, **more: Any) -> str:
    return deciding.approve(actor, name="churn", number=number, **more).state


def stage(version: int = 1) -> str:
    return ModelVersion.objects.get(version=version).current_stage


def changes_told() -> list[list[str]]:
    lines = Activity.objects.filter(kind=Kind.REQUEST_EVIDENCE_CHANGED).order_by("pk")
    return [line.data["changes"] for line in lines]


def reasons(actor: Actor, number: int = 1) -> list[str]:
    found = standing.standing_of(actor, queries.get_request(actor, "churn", number))
    return [result.reason for result in found.outcome.gates]


# -- evidence ----------------------------------------------------------------------------------------------------------
def test_evidence_has_the_digest_of_every_file_and_what_the_scan_found(
    honest: ModelVersion, maria_actor: Actor
) -> None:
    inspect()
    content = present_evidence(ask(maria_actor))
    sha256 = hashlib.sha256(HONEST).hexdigest()
    assert content["files"]["artifacts"] == {"model.pkl": {"size": len(HONEST), "sha256": sha256}}
    assert content["manifest"] == {"state": "complete", "digest": Manifest.objects.get().digest}
    assert content["scan"] == {"verdict": "clean", "findings": []}


def test_files_that_differ_are_told_apart_by_their_digest_even_where_they_are_of_one_size(
    maria_actor: Actor, jon_actor: Actor
) -> None:
    version_of(maria_actor, {"model.pkl": pickle.dumps(b"one"), "old.txt": b"x", "same.txt": b"same"})
    version_of(maria_actor, {"model.pkl": pickle.dumps(b"two"), "new.txt": b"y", "same.txt": b"same"})
    work_on_manifests()
    services.transition(jon_actor, name="churn", version=1, to_stage=Stage.STAGING)
    ask(maria_actor, 2)
    found = standing.evidence_of_request(maria_actor, queries.get_request(maria_actor, "churn", 1))
    assert [(row.name, row.change.value) for row in found.diff.artifacts] == [
        ("model.pkl", "changed"),
        ("new.txt", "added"),
        ("old.txt", "removed"),
        ("same.txt", "same"),
    ]


def test_an_approval_given_before_the_files_were_digested_counts_when_they_are(
    honest: ModelVersion, maria_actor: Actor, jon_actor: Actor, admin_actor: Actor
) -> None:
    gates(admin_actor, GateType.DIGEST)
    ask(maria_actor)
    assert (approve(jon_actor), reasons(jon_actor)) == ("pending", ["Its files have not been digested yet."])
    work_on_manifests()
    request = TransitionRequest.objects.get()
    assert (request.state, request.decided_by_name, stage()) == ("approved", "jon", "Staging")
    approved = Activity.objects.get(kind=Kind.REQUEST_APPROVED)
    assert (approved.actor_name, approved.data["evidence"]) == ("jon", request.evidence_digest)
    assert present_evidence(request)["manifest"]["digest"]
    assert changes_told() == [], "nothing has changed, it is only known better"


def test_whoever_looked_before_the_files_were_digested_and_scanned_may_decide_afterwards(
    honest: ModelVersion, maria_actor: Actor, jon_actor: Actor, admin_actor: Actor
) -> None:
    gates(admin_actor)
    seen = ask(maria_actor).evidence_digest
    inspect()
    assert TransitionRequest.objects.get().evidence_digest != seen
    assert approve(jon_actor, evidence_digest=seen) == "approved"


def test_a_scan_that_finds_something_unsafe_is_a_change_and_stales_approvals(
    maria_actor: Actor, jon_actor: Actor, admin_actor: Actor
) -> None:
    version_of(maria_actor, {"model.pkl": pickle.dumps(Evil())})
    gates(admin_actor, GateType.SCAN)
    seen = ask(maria_actor).evidence_digest
    assert (approve(jon_actor), reasons(jon_actor)) == ("pending", ["Its files have not been scanned yet."])
    work_on_scans()
    line = Activity.objects.get(kind=Kind.REQUEST_EVIDENCE_CHANGED)
    finding = "model.pkl: It imports posix.system, which can run anything"
    assert (line.actor_name, line.data["changes"]) == ("podium", [f"the scan is unsafe ({finding})"])
    assert line.data["stale"] == ["jon"]
    assert reasons(jon_actor) == [f"Something unsafe was found in its files: {finding}."]
    with pytest.raises(Conflict, match="The evidence of churn#1 has changed: the scan is unsafe"):
        approve(jon_actor, evidence_digest=seen)
    assert (approve(jon_actor), stage()) == ("pending", "None")


def test_a_clean_scan_applies_the_request_that_only_waited_for_it(
    honest: ModelVersion, maria_actor: Actor, jon_actor: Actor, admin_actor: Actor
) -> None:
    gates(admin_actor, GateType.SCAN)
    ask(maria_actor)
    assert approve(jon_actor) == "pending"
    work_on_scans()
    assert (TransitionRequest.objects.get().state, stage(), changes_told()) == ("approved", "Staging", [])


def test_to_scan_again_and_find_the_same_changes_nothing(
    honest: ModelVersion, maria_actor: Actor, jon_actor: Actor
) -> None:
    work_on_scans()
    before = ask(maria_actor).evidence_digest
    scan_again(maria_actor, name="churn", version=1)
    assert work_on_scans() == 1
    assert TransitionRequest.objects.get().evidence_digest == before


def test_files_that_are_found_changed_stale_approvals_and_fail_the_gate(
    honest: ModelVersion, maria_actor: Actor, jon_actor: Actor, admin_actor: Actor, artifact_root: Path
) -> None:
    gates(admin_actor, GateType.DIGEST, GateType.DESCRIPTION)
    work_on_manifests()
    ask(maria_actor)
    approve(jon_actor)
    (folder_of(honest, artifact_root) / "model.pkl").write_bytes(bytes(len(HONEST)))
    ask_for_check(jon_actor, name="churn", version=1)
    work_on_manifests()
    line = Activity.objects.get(kind=Kind.REQUEST_EVIDENCE_CHANGED)
    assert (line.data["changes"], line.data["stale"]) == (["the state of the files is model.pkl changed"], ["jon"])
    assert reasons(jon_actor)[0] == "They have changed since the version was registered."


def test_the_command_that_finds_files_changed_tells_requests_too(
    honest: ModelVersion, maria_actor: Actor, artifact_root: Path
) -> None:
    work_on_manifests()
    ask(maria_actor)
    (folder_of(honest, artifact_root) / "evil.py").write_bytes(b"boo")
    with pytest.raises(CommandError):
        call_command("verify_artifacts")
    assert changes_told() == [["the state of the files is evil.py added"]]


def test_a_request_from_before_digests_were_evidence_stays_as_approved_as_it_was(
    honest: ModelVersion, maria_actor: Actor, jon_actor: Actor, admin_actor: Actor
) -> None:
    gates(admin_actor, GateType.DESCRIPTION)
    request = ask(maria_actor)
    approve(jon_actor)
    row = request.evidence.get()
    row.content = row.content.replace('"manifest"', '"was unknown"').replace('"scan"', '"was unknown too"')
    row.save()
    inspect()
    assert changes_told() == []
    assert {given.evidence_digest for given in request.reviews.all()} == {
        TransitionRequest.objects.get().evidence_digest
    }


# -- gates -------------------------------------------------------------------------------------------------------------
def test_files_elsewhere_and_no_files_at_all_pass_no_gate(maria_actor: Actor) -> None:
    make_model(maria_actor)
    create_version(maria_actor, name="churn", source="s3://somebody-elses/model")
    make_version(maria_actor)
    inspect()
    asked = [Gate(GateType.DIGEST), Gate(GateType.SCAN)]
    none, elsewhere = looking_ahead.dry_run(maria_actor, name="churn", stage=Stage.STAGING, gates=asked)
    assert [(one.state.value, one.reason) for one in elsewhere.results] == [
        ("failed", "They lie where this server cannot read them, so nobody can tell."),
        (
            "failed",
            "Not all of its files could be looked at: s3://somebody-elses/model: "
            "The files are in no store of this server.",
        ),
    ]
    assert [(one.state.value, one.reason) for one in none.results] == [
        ("failed", "There were none."),
        ("passed", "Nothing unsafe was found."),
    ]


def test_scans_and_digests_of_many_versions_cost_as_much_as_those_of_one(
    honest: ModelVersion, maria_actor: Actor
) -> None:
    run = Run.objects.get()

    def count() -> int:
        asked = [Gate(GateType.DIGEST), Gate(GateType.SCAN)]
        with CaptureQueriesContext(connection) as seen:
            looking_ahead.dry_run(maria_actor, name="churn", stage=Stage.STAGING, gates=asked)
        return len(seen)

    few = count()
    for _ in range(5):
        make_version(maria_actor, run=run)
    inspect()
    assert Scan.objects.exclude(verdict="").count() == 6
    assert count() == few
