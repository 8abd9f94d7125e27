"""The native API: the files of versions, and what loading them would run."""

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.registry.manifests import work_on_manifests
from registry_site.registry.models import Manifest
from registry_site.registry.scans import work_on_scans
from registry_site.registry.services import create_version
from tests.api.test_people_api import problem
from tests.doors import Api
from tests.make import make_model
from tests.pages.registry_flows import MLMODEL, version_with_run

MANIFEST, SCAN = "/api/v1/models/churn/versions/1/manifest", "/api/v1/models/churn/versions/1/scan"


def test_the_manifest_of_a_version_in_pages(api: Api, maria_actor: Actor) -> None:
    version_with_run(maria_actor, files={"MLmodel": MLMODEL, "a.txt": "a", "b.txt": "b"})
    waiting = api.get(MANIFEST).json()
    assert (waiting["state"], waiting["digest"], waiting["is_intact"], waiting["files"]) == ("pending", "", False, [])
    work_on_manifests()
    first = api.get(MANIFEST, {"max_results": 2}).json()
    digest = Manifest.objects.get().digest
    assert (first["state"], first["digest"], first["is_intact"]) == ("complete", f"sha256:{digest}", True)
    assert (first["file_count"], first["differences"]) == (3, None)
    assert [one["path"] for one in first["files"]] == ["MLmodel", "a.txt"]
    assert first["files"][1] == {
        "path": "a.txt",
        "size": 1,
        "sha256": "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
    }
    rest = api.get(MANIFEST, {"max_results": 2, "page_token": first["next_page_token"]}).json()
    assert ([one["path"] for one in rest["files"]], rest["next_page_token"]) == (["b.txt"], "")


def test_a_check_is_asked_for_and_tells_what_it_found(api: Api, maria_actor: Actor) -> None:
    version_with_run(maria_actor, files={"MLmodel": MLMODEL})
    work_on_manifests()
    assert api.post(MANIFEST).status_code == 202
    work_on_manifests()
    assert api.get(MANIFEST).json()["differences"] == {"missing": [], "changed": [], "added": []}


def test_the_scan_of_a_version_and_another_one(api: Api, maria_actor: Actor, eve: User) -> None:
    version_with_run(maria_actor, files={"MLmodel": MLMODEL, "model.safetensors": "x"})
    before = api.get(SCAN).json()
    assert (before["verdict"], before["is_due"], before["scanned_at"]) == ("", True, None)
    work_on_scans()
    found = api.get(SCAN).json()
    assert (found["verdict"], found["is_due"]) == ("clean", False)
    assert [(one["path"], one["severity"]) for one in found["findings"]] == [("model.safetensors", "note")]
    assert api.as_(eve).post(SCAN).status_code == 403
    assert api.post(SCAN).status_code == 202
    assert api.get(SCAN).json()["is_due"]


def test_what_is_not_there_is_told(api: Api, maria_actor: Actor) -> None:
    assert problem(api.get(MANIFEST)) == (404, "RESOURCE_DOES_NOT_EXIST", "version")
    make_model(maria_actor, "churn", tags={"mlflow.prompt.is_prompt": "true"})
    create_version(maria_actor, name="churn", source="dummy-source", tags={"mlflow.prompt.is_prompt": "true"})
    for path in (MANIFEST, SCAN):
        assert problem(api.get(path)) == (404, "RESOURCE_DOES_NOT_EXIST", "version")
        assert api.get(path).json()["message"] == "churn version 1 is a prompt and has no files."
