"""Scans of versions: what loading one would run, found by the worker without loading it."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from functools import partial

from registry_site.artifacts.mlmodel import MAX_BYTES, MLModel, read_mlmodel
from registry_site.artifacts.scanning import SCANNER, File, Finding, Report, Severity, Verdict, scan
from registry_site.artifacts.store import Reader
from registry_site.core import clock
from registry_site.core.errors import InvalidParameter, NotFound, PodiumError
from registry_site.core.prepared import Among, Prepared, Question
from registry_site.core.writing import insert
from registry_site.registry import hooks
from registry_site.registry.contents import read_contents, storable
from registry_site.registry.jobs import Claim, ClaimLost, claimed
from registry_site.registry.models import ModelVersion, Scan
from registry_site.registry.places import Folder, folder_of

log = logging.getLogger(__name__)

AT_ONCE = 20  # scans of one round of the worker
_WORST_FIRST = [Severity.DANGER, Severity.UNREAD, Severity.NOTE]


def ask_for_scan(version: ModelVersion) -> None:
    """Note, in the caller's transaction, that a version is to be scanned; one whose files are not here cannot be."""
    here = folder_of(version) is not None
    row = Scan(model_version_id=version.pk, due_at=clock.now())
    if not here:
        row = Scan(model_version_id=version.pk, **_elsewhere(version))
    insert(row)


def carry_scan(version: ModelVersion, origin: ModelVersion) -> bool:
    """Give a copy what was found in the files of its origin, which are the same; whether there is a result to give."""
    there = Scan.objects.filter(model_version=origin).exclude(verdict="").first()
    if there is None:
        return False
    copy = Scan(model_version_id=version.pk)
    for field in ("verdict", "findings", "imports", "contents", "scanner", "scanned_at"):
        setattr(copy, field, getattr(there, field))
    insert(copy)
    return True


def work_on_scans() -> int:
    """Scan what is due. Returns how many versions were taken."""
    taken = 0
    for row, claim in claimed(Scan, AT_ONCE):
        taken += 1
        try:
            _work_on(row, claim)
        except ClaimLost:
            log.info("Scan %s was left to somebody else.", row.pk)
    return taken


def findings_of(row: Scan) -> list[Finding]:
    """What was found, the worst first."""
    return [Finding(one["path"], Severity(one["severity"]), one["message"]) for one in row.findings]


def _work_on(row: Scan, claim: Claim) -> None:
    version = row.model_version
    folder = folder_of(version)
    if folder is None:
        claim.finish(**_elsewhere(version))
        hooks.tell_inspected(version.pk)
        return
    try:
        report = scan(_files(folder), meanwhile=claim.renew)
        mlmodel = _mlmodel(folder, report)
        if mlmodel is not None:
            report.findings += _runs_code(mlmodel)
        contents = read_contents(folder, mlmodel)
    except PodiumError as error:
        log.warning("The scan of %s has to wait: %s", version, error.message)
        claim.put_off(error.message)
        return
    claim.finish(contents=contents, **_result(report))
    hooks.tell_inspected(version.pk)


def _elsewhere(version: ModelVersion) -> dict[str, object]:
    report = Report()
    report.add(version.storage_location, Severity.UNREAD, "The files are in no store of this server.")
    return _result(report)


def _result(report: Report) -> dict[str, object]:
    worst_first = sorted(report.findings, key=lambda one: (_WORST_FIRST.index(one.severity), one.path))
    return {
        "verdict": report.verdict.value,
        "findings": storable([asdict(one) for one in worst_first]),
        "imports": storable(sorted(report.imports)),
        "scanner": SCANNER,
        "scanned_at": clock.now(),
    }


def _files(folder: Folder) -> Iterator[File]:
    for entry in folder.files():
        yield File(entry.path, entry.size or 0, partial(_opened, folder, entry.path))


def _opened(folder: Folder, path: str, offset: int) -> Reader:
    return folder.open(path, offset=offset)


def _mlmodel(folder: Folder, report: Report) -> MLModel | None:
    """What the MLmodel file says; None where there is none, or, which is a finding, it is broken."""
    try:
        with folder.open("MLmodel", length=MAX_BYTES + 1) as reader:
            return read_mlmodel(reader.read().decode("utf-8", "replace"))
    except NotFound:
        return None
    except InvalidParameter as error:
        report.add("MLmodel", Severity.UNREAD, error.message)
        return None


def _runs_code(model: MLModel) -> Iterator[Finding]:
    """Code that loading the model runs, besides what is in pickles."""
    for path in model.code:
        yield Finding("MLmodel", Severity.NOTE, f"Loading the model runs Python code that lies with it, in {path}.")
    for flavor in model.flavors:
        if flavor.loader and not flavor.loader.startswith("mlflow."):
            said = f"The flavor {flavor.name} is loaded by {flavor.loader}, which is not MLflow's own."
            yield Finding("MLmodel", Severity.NOTE, said)
        elif flavor.loader == "mlflow.pyfunc.model":
            said = f"The flavor {flavor.name} is a Python class of the model's author, which runs when it is used."
            yield Finding("MLmodel", Severity.NOTE, said)


def verdicts(versions: Iterable[int]) -> dict[int, Verdict]:
    """The verdicts of these versions, by key; of those that were scanned."""
    return dict(verdict_question(versions).answer())


def verdict_question(versions: Iterable[int]) -> Question[tuple[int, Verdict]]:
    """What `verdicts` asks, for `ask_together`."""
    return _VERDICTS.question(keys=versions)


_VERDICTS = Prepared(
    lambda: (
        Scan.objects.filter(Among("model_version_id")).exclude(verdict="").values_list("model_version_id", "verdict")
    ),
    lambda key, verdict: (key, Verdict(verdict)),
)
