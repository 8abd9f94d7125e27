"""What gates look at, read for many versions at once: only what these gates ask for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Window
from django.db.models.functions import RowNumber

from registry_site.accounts.actors import system
from registry_site.audit.kinds import Kind
from registry_site.audit.models import Activity
from registry_site.core.prepared import Among, Prepared, Question
from registry_site.core.together import ask_together
from registry_site.promotion.evidence import Content
from registry_site.promotion.gates import CheckFact, CheckState, Facts, FilesState, Gate, GateType, ScanState
from registry_site.promotion.models import Check
from registry_site.registry.evidence import inspected, inspected_question, metrics_of
from registry_site.registry.models import Manifest, ModelVersion, RegisteredModel, Scan
from registry_site.registry.queries import newest_in_stages, newest_question
from registry_site.registry.rows import marks_question, tags_of
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
    ask_together(*facts_questions(entries))
    against = [entry for entry in entries if entry.has(GateType.METRIC_AGAINST_OCCUPANT)]
    standing = _standing(against)
    occupants = {
        (entry.version.pk, entry.place): next(
            (other for other in standing.get(entry.place, ()) if other.pk != entry.version.pk), None
        )
        for entry in against
    }
    metrics = _metrics([*_with(entries, *_METRICS), *(other for other in occupants.values() if other is not None)])
    tags = tags_of(_with(entries, GateType.TAG))
    stages = _stages(_with(entries, GateType.STAGE))
    checks = _checks(_with(entries, GateType.CHECK))
    inspections = inspected(_with(entries, *_INSPECTIONS))
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


def facts_questions(entries: Sequence[Entry]) -> list[Question[Any]]:
    """What `facts_of` asks, for `ask_together`; but what was measured."""
    entered = {entry.place[0] for entry in entries if entry.has(GateType.METRIC_AGAINST_OCCUPANT)}
    asked: list[Question[Any]] = [newest_question(entered)] if entered else []
    for question, types in (
        (marks_question, (GateType.TAG,)),
        (_stages_question, (GateType.STAGE,)),
        (_checks_question, (GateType.CHECK,)),
        (inspected_question, _INSPECTIONS),
    ):
        if versions := _with(entries, *types):
            asked.append(question(versions))
    return asked


def _with(entries: Sequence[Entry], *types: GateType) -> list[ModelVersion]:
    """The versions that gates of these types look at."""
    return [entry.version for entry in entries if entry.has(*types)]


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
    """The newest version in each stage of each model; where one that is to enter is there already, the two newest."""
    if not entries:
        return {}
    if not any(entry.version.current_stage == entry.stage.value for entry in entries):
        return {
            (one.registered_model_id, one.current_stage): [one]
            for one in newest_in_stages({entry.place[0] for entry in entries})
        }
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
    return {key: dict(found) for key, found in metrics_of(system(), versions).items()}


def _stages_question(versions: Sequence[ModelVersion]) -> Question[tuple[int, int, set[str]]]:
    models, numbers = {one.registered_model_id for one in versions}, {one.version for one in versions}
    return _MOVES.question(models=sorted(models), numbers=sorted(numbers))


def _stages(versions: Sequence[ModelVersion]) -> dict[tuple[int, int], set[str]]:
    """Where each version, by its model and number, has ever been moved to or from."""
    found: dict[tuple[int, int], set[str]] = {}
    for model, number, stages in _stages_question(versions).answer() if versions else ():
        found.setdefault((model, number), set()).update(stages)
    return found


_MOVES = Prepared(
    lambda: Activity.objects.filter(
        Among("registered_model_id", "models"), Among("version", "numbers"), kind=Kind.VERSION_STAGE_CHANGED
    ).values_list("registered_model_id", "version", "data"),
    lambda model, number, data: (model, number, {data["from_stage"], data["to_stage"]}),
)


def _checks_question(versions: Sequence[ModelVersion]) -> Question[tuple[int, str, CheckFact]]:
    return _NEWEST_CHECKS.question(keys=sorted({one.pk for one in versions}))


def _checks(versions: Sequence[ModelVersion]) -> dict[int, dict[str, CheckFact]]:
    """The newest result of each check: the newest run of it that was announced, whichever ended last."""
    found: dict[int, dict[str, CheckFact]] = {}
    for version, name, fact in _checks_question(versions).answer() if versions else ():
        found.setdefault(version, {})[name] = fact
    return found


def _check_fact(version: int, name: str, state: str, summary: str, link: str) -> tuple[int, str, CheckFact]:
    return version, name, CheckFact(CheckState(state), summary, link)


_NEWEST_CHECKS = Prepared(
    lambda: (
        Check.objects.filter(Among("model_version_id"))
        .annotate(place=Window(RowNumber(), partition_by=["model_version", "name"], order_by="-pk"))
        .filter(place=1)
        .values_list("model_version_id", "name", "state", "summary", "link")
    ),
    _check_fact,
)
