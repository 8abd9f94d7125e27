"""What gates look at, read for many versions at once: only what these gates ask for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Window
from django.db.models.functions import RowNumber

from registry_site.audit.kinds import Kind
from registry_site.audit.models import Activity
from registry_site.promotion.evidence import Content
from registry_site.promotion.gates import CheckFact, CheckState, Facts, FilesState, Gate, GateType, ScanState
from registry_site.promotion.models import Check
from registry_site.registry.evidence import inspected, metrics_of
from registry_site.registry.models import Manifest, ModelVersion, RegisteredModel, Scan, Tag
from registry_site.registry.stages import Stage

_METRICS = (GateType.METRIC, GateType.METRIC_AGAINST_OCCUPANT)
_INSPECTIONS = (GateType.SCAN, GateType.DIGEST)


@dataclass(frozen=True, slots=True)
class Entry:
    """A version that is to enter a stage, and the gates there. `home` is the model whose stage it is, if the version is
    to be copied into another one."""

    version: ModelVersion
    stage: Stage
    gates: Sequence[Gate]
    home: RegisteredModel | None = None

    @property
    def place(self) -> tuple[int, str]:
        """The model and the stage that are entered."""
        return self.home.pk if self.home else self.version.registered_model_id, self.stage.value

    def has(self, *types: GateType) -> bool:
        return any(gate.type in types for gate in self.gates)


def facts_of(entries: Sequence[Entry], files: Mapping[int, Content]) -> list[Facts]:
    """The facts about each version, of whatever models, in their order, in a fixed number of queries.

    `files` has, by the keys of versions, what `evidence.read_files` said of them.
    """
    against = [entry for entry in entries if entry.has(GateType.METRIC_AGAINST_OCCUPANT)]
    standing = _standing(against)
    occupants = {
        (entry.version.pk, entry.place): next(
            (other for other in standing.get(entry.place, ()) if other.pk != entry.version.pk), None
        )
        for entry in against
    }
    measured = [entry.version for entry in entries if entry.has(*_METRICS)]
    metrics = _metrics([*measured, *(other for other in occupants.values() if other is not None)])
    tags = _tags([entry.version for entry in entries if entry.has(GateType.TAG)])
    stages = _stages([entry.version for entry in entries if entry.has(GateType.STAGE)])
    checks = _checks([entry for entry in entries if entry.has(GateType.CHECK)])
    inspections = inspected([entry.version for entry in entries if entry.has(*_INSPECTIONS)])
    found = []
    for entry in entries:
        one = entry.version
        manifest, scan = inspections.get(one.pk, (None, None))
        occupant = occupants.get((one.pk, entry.place))
        said = files.get(one.pk, {})
        found.append(
            Facts(
                metrics=metrics.get(one.pk, {}),
                occupant=occupant.version if occupant else None,
                occupant_metrics=metrics.get(occupant.pk, {}) if occupant else {},
                tags=tags.get(one.pk, {}),
                description=one.description,
                has_signature=said.get("signature") is not None if said.get("read") else None,
                stages=stages.get((one.registered_model_id, one.version), set()) | {one.current_stage},
                checks=checks.get(one.pk, {}),
                scan=ScanState(scan.verdict) if scan and scan.verdict else None,
                finding=_worst(scan),
                files=_state_of_files(manifest),
                is_prompt=one.registered_model.is_prompt,
            )
        )
    return found


def _worst(scan: Scan | None) -> str:
    worst = scan.findings[0] if scan and scan.findings else None  # they are kept in this order
    return f"{worst['path']}: {worst['message']}" if worst else ""


def _state_of_files(manifest: Manifest | None) -> FilesState | None:
    if manifest is None or manifest.state == Manifest.State.PENDING:
        return None
    if manifest.state == Manifest.State.ELSEWHERE:
        return FilesState.ELSEWHERE
    if not manifest.file_count:
        return FilesState.MISSING
    return FilesState.CHANGED if manifest.is_intact is False else FilesState.UNCHANGED


def _standing(entries: Sequence[Entry]) -> dict[tuple[int, str], list[ModelVersion]]:
    """The two newest versions in each stage of each model: one of them may be the one that is to enter."""
    if not entries:
        return {}
    place = Window(RowNumber(), partition_by=["registered_model_id", "current_stage"], order_by="-version")
    versions = ModelVersion.objects.filter(
        registered_model__in={entry.place[0] for entry in entries},
        current_stage__in={entry.stage.value for entry in entries},
    ).annotate(place=place)
    found: dict[tuple[int, str], list[ModelVersion]] = {}
    for version in versions.filter(place__lte=2).order_by("-version"):
        found.setdefault((version.registered_model_id, version.current_stage), []).append(version)
    return found


def _metrics(versions: Sequence[ModelVersion]) -> dict[int, dict[str, float]]:
    return {key: dict(found) for key, found in metrics_of(versions).items()}


def _tags(versions: Sequence[ModelVersion]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    rows = Tag.objects.filter(model_version__in=versions).values_list("model_version_id", "key", "value")
    for owner, key, value in rows if versions else ():
        if owner is not None:
            found.setdefault(owner, {})[key] = value
    return found


def _stages(versions: Sequence[ModelVersion]) -> dict[tuple[int, int], set[str]]:
    """Where each version, by its model and number, has ever been moved to or from."""
    found: dict[tuple[int, int], set[str]] = {}
    moves = Activity.objects.filter(
        registered_model_id__in={one.registered_model_id for one in versions},
        version__in={one.version for one in versions},
        kind=Kind.VERSION_STAGE_CHANGED,
    ).values_list("registered_model_id", "version", "data")
    for model, number, data in moves if versions else ():
        if model is not None and number is not None:
            found.setdefault((model, number), set()).update({data["from_stage"], data["to_stage"]})
    return found


def _checks(entries: Sequence[Entry]) -> dict[int, dict[str, CheckFact]]:
    """The newest result of each check: the newest run of it that was announced, whichever ended last."""
    names = {gate.key for entry in entries for gate in entry.gates if gate.type is GateType.CHECK}
    found: dict[int, dict[str, CheckFact]] = {}
    rows = Check.objects.filter(model_version__in=[entry.version for entry in entries], name__in=names).order_by("pk")
    for row in rows if entries else ():
        found.setdefault(row.model_version_id, {})[row.name] = CheckFact(CheckState(row.state), row.summary, row.link)
    return found
