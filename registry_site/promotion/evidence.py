"""What a reviewer judges: all that is known of a version, as one plain value with a digest.

Files are read before a transaction begins (`read_files`), because a store may be far away; the rest comes from the
database (`evidence_of`). Both are read as the system, so that the digest is the same whoever looks;
`shown_to` takes out what a person may not read.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from django.db.models import Q

from registry_site.accounts.actors import Actor, system
from registry_site.artifacts.mlmodel import Column, MLModel
from registry_site.core.errors import PodiumError
from registry_site.registry import evidence as registry_evidence
from registry_site.registry.files import mlmodel_of, requirements_of
from registry_site.registry.models import Manifest, ManifestFile, ModelVersion, Scan
from registry_site.registry.places import folder_at
from registry_site.tracking import access
from registry_site.tracking.models import Run

Content = dict[str, Any]
Files = Mapping[int, Content]  # by the keys of versions
NOT_READ: Content = {"read": False}

GIT_COMMIT = "mlflow.source.git.commit"
OF_THE_RUN = ("run", "run_tags", "datasets", "git_commit", "metrics", "params")
_NOT_EVIDENCE = ("mlflow.log-model.history",)  # grows with every model that the run logs
_MOST_FILES = 1000
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


# -- taking it ---------------------------------------------------------------------------------------------------------
def read_files(version: ModelVersion) -> Content:
    """What the files of a version say: signature, flavors, requirements, and what there is.

    `read` is False where the files lie elsewhere, or their store does not answer: nothing is known then.
    """
    artifacts = _artifacts(version)
    if artifacts is None:
        return NOT_READ
    return files_said(mlmodel_of(system(), version), requirements_of(system(), version), artifacts)


def files_said(model: MLModel | None, requirements: Sequence[str], artifacts: Content) -> Content:
    """What was read in files, as evidence keeps it: in MLmodel, in the lines of requirements.txt, and what there is."""
    return {
        "read": True,
        "signature": _signature(model),
        "flavors": {one.name: one.version or "" for one in model.flavors} if model else {},
        "python_version": (model.python_version or "") if model else "",
        "requirements": _requirements(requirements),
        "artifacts": artifacts,
    }


def evidence_of(versions: Sequence[ModelVersion], files: Files) -> list[Content]:
    """The evidence of each version, in their order, in a fixed number of queries. `files` has, by their keys, what
    `read_files` said; the manifest says what is in them."""
    found = registry_evidence.evidence_of(system(), versions)
    digested = _digested(found, files)
    return [
        content_of(one, _with_digests(files.get(one.version.pk, NOT_READ), digested.get(one.version.pk, {})))
        for one in found
    ]


def content_of(one: registry_evidence.Evidence, files: Content) -> Content:
    """What is known of one version, and said by its files, as one plain value."""
    version, run_tags = one.version, {key: tag for key, tag in one.run_tags.items() if key not in _NOT_EVIDENCE}
    return {
        "version": version.version,
        "source": version.source,
        "run_id": version.run_id,
        "model_id": version.model_id,
        "description": version.description,
        "tags": {tag.key: tag.value for tag in version.tags.all()},
        "run": one.run.run_name if one.run else "",
        "run_tags": run_tags,
        "git_commit": run_tags.get(GIT_COMMIT, ""),
        "datasets": _datasets(one.run) if one.run else [],
        "metrics": {key: _number(value) for key, value in one.metrics.items()},
        "params": dict(one.params),
        "files": files,
        "manifest": _manifest(one.manifest),
        "scan": _scan(one.scan),
    }


def text_of(content: Content) -> str:
    """The evidence as the one text that is kept, and that the digest is made of: JSON in ASCII, with sorted keys."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def digest_of(text: str) -> str:
    """The SHA-256 of the text of evidence, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Metrics as evidence keeps them, as numbers again."""
    return {key: float(value) for key, value in metrics.items()}


def shown_to(actor: Actor, contents: Sequence[Content | None]) -> list[Content | None]:
    """The evidence as the actor may see it: that of a run only with the run's experiment."""
    known = runs_shown_to(actor, {content["run_id"] for content in contents if content and content["run_id"]})
    return [
        content if content is None or not content["run_id"] or content["run_id"] in known else without_run(content)
        for content in contents
    ]


def without_run(content: Content) -> Content:
    """The evidence as somebody sees it who may not read the run."""
    return {key: value for key, value in content.items() if key not in OF_THE_RUN} | {"hidden": True}


def runs_shown_to(actor: Actor, run_ids: set[str]) -> set[str]:
    """Those of these runs that the actor may read: for whoever reads everything, also those that are gone."""
    if access.reads_everything(actor):
        return run_ids
    visible = Run.objects.filter(access.visible(actor, "experiment_id"), run_id__in=run_ids)
    return set(visible.values_list("run_id", flat=True)) if run_ids else set()


def _number(value: float) -> float | str:
    """JSON knows no NaN and no infinities."""
    return value if math.isfinite(value) else str(value)


def _datasets(run: Run) -> list[dict[str, str]]:
    used = [(one.dataset.name, one.dataset.digest, one.context) for one in run.dataset_inputs.all()]
    return [{"name": name, "digest": digest, "context": context} for name, digest, context in sorted(used)]


def _signature(model: MLModel | None) -> dict[str, list[dict[str, Any]]] | None:
    if model is None or model.signature is None:
        return None
    parts = {"inputs": model.signature.inputs, "outputs": model.signature.outputs, "params": model.signature.params}
    return {name: [_column(column) for column in columns] for name, columns in parts.items()}


def _column(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.type,
        "required": column.required,
        "shape": list(column.shape) if column.shape is not None else None,
        "default": column.default,
    }


def _requirements(lines: Sequence[str]) -> dict[str, str]:
    """What is asked for of each package, by its name in lower case."""
    found = {}
    for line in lines:
        name = _REQUIREMENT.match(line)
        if name:
            found[name[0].lower().replace("_", "-")] = line[name.end() :].strip()
    return found


def _artifacts(version: ModelVersion) -> dict[str, dict[str, Any]] | None:
    """The files of a version, by their path below it, with their size in bytes; None where nobody can look."""
    folder = folder_at(version.storage_location)
    if folder is None:
        return None
    try:
        files = list(islice(folder.files(), _MOST_FILES))
    except (PodiumError, OSError):
        return None
    return {entry.path: {"size": entry.size} for entry in files}


# -- what was found in the files ---------------------------------------------------------------------------------------
def _digested(
    found: Sequence[registry_evidence.Evidence], files: Files
) -> dict[int, dict[tuple[str, int | None], str]]:
    """The SHA-256 of each file that is there, by the version's key, its path and its size; as the manifests say."""
    listed = Q()
    owners = {}
    for one in found:
        paths = list(files.get(one.version.pk, NOT_READ).get("artifacts", ()))
        if paths and one.manifest is not None and one.manifest.digest:
            owners[one.manifest.pk] = one.version.pk
            listed |= Q(manifest=one.manifest, path__in=paths)
    digests: dict[int, dict[tuple[str, int | None], str]] = {}
    if owners:
        rows = ManifestFile.objects.filter(listed).values_list("manifest_id", "path", "size", "sha256")
        for manifest, path, size, sha256 in rows:
            digests.setdefault(owners[manifest], {})[path, size] = sha256
    return digests


def _with_digests(files: Content, digests: Mapping[tuple[str, int | None], str]) -> Content:
    """A file that is not as long as its manifest says has no digest: nobody has read it."""
    if not files["read"]:
        return files
    artifacts = {}
    for path, said in files["artifacts"].items():
        sha256 = digests.get((path, said["size"]))
        artifacts[path] = {"size": said["size"]} | ({"sha256": sha256} if sha256 else {})
    return files | {"artifacts": artifacts}


def _manifest(manifest: Manifest | None) -> Content | None:
    """That nothing was found changed is not said, nor when: who looks again and finds the same changes no evidence."""
    if manifest is None:
        return None
    said: Content = {"state": manifest.state, "digest": manifest.digest}
    return said if manifest.is_intact is not False else said | {"differences": manifest.differences}


def _scan(scan: Scan | None) -> Content | None:
    return {"verdict": scan.verdict, "findings": scan.findings} if scan is not None else None
