"""Several versions of a registered model side by side: what is known of each, as the actor may see it."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from registry_site.accounts.actors import Actor
from registry_site.artifacts.mlmodel import MAX_BYTES, REQUIREMENTS, MLModel, read_mlmodel
from registry_site.artifacts.paths import content_type_of
from registry_site.core.errors import InvalidParameter, PodiumError
from registry_site.promotion.differences import EvidenceDiff, difference
from registry_site.promotion.directions import higher_is_better
from registry_site.promotion.evidence import NOT_READ, Content, content_of, files_said, without_run
from registry_site.promotion.policies import policies_for
from registry_site.registry.evidence import Evidence, evidence_of
from registry_site.registry.files import MAX_REQUIREMENTS, requirement_lines
from registry_site.registry.models import Manifest, ManifestFile, ModelVersion, RegisteredModel
from registry_site.registry.places import Folder, folder_at, folder_of
from registry_site.registry.queries import versions_by_number
from registry_site.registry.stages import ACTIVE_STAGES, Stage
from registry_site.tracking.models import Run

LEAST, MOST = 2, 6
MOST_FILES = 1000  # of each version
MAX_TEXT = 64 * 1024  # bytes of a file whose lines are compared
MOST_LINES = 1500  # of such a file
LINES_SHOWN = 400  # of a difference
FILES_SEARCHED = 500  # of a run, for pictures
MAX_PICTURE = 4 * 1024 * 1024  # bytes of a picture that is shown beside others
_TEXTS = ("text/", "application/json")


@dataclass(frozen=True, slots=True)
class Compared:
    """Versions of a model in the order that was asked for; all are compared with the first one. `texts` are those that
    were read in the files of each version, by path."""

    model: RegisteredModel
    versions: Sequence[ModelVersion]
    evidence: Sequence[Evidence]
    contents: Sequence[Content]
    differences: Sequence[EvidenceDiff]
    texts: Sequence[Mapping[str, str]]

    def is_hidden(self, place: int) -> bool:
        """Whether what the run of that version logged is not for the actor to read, or gone."""
        return bool(self.contents[place].get("hidden"))


@dataclass(frozen=True, slots=True)
class TextChange:
    """The lines of a file that are otherwise in a version than in the first one: marks and texts; None where one of
    the two cannot be read as a small text."""

    version: int
    lines: Sequence[tuple[str, str]] | None
    more: int = 0


@dataclass(frozen=True, slots=True)
class Pictures:
    """A picture that several versions have under the same path, as `("run", run_id)` or `("version", number)` for each
    of them; None for a version without."""

    path: str
    owners: Sequence[tuple[str, str] | None]


def compare_versions(actor: Actor, name: str, numbers: Sequence[int]) -> Compared:
    """Two to six versions side by side, in a number of queries that does not grow with them.

    Raises InvalidParameter for too few, too many and the same one twice, NotFound for one that is not there.
    """
    check_numbers(name, numbers)
    versions = versions_by_number(actor, name, numbers)
    evidence = evidence_of(actor, versions, with_logged_models=False)
    files, texts = _read(evidence)
    contents = [_shown(one, content_of(one, files.get(one.version.pk, NOT_READ))) for one in evidence]
    model = versions[0].registered_model
    said = directions_of(model)
    return Compared(
        model=model,
        versions=versions,
        evidence=evidence,
        contents=contents,
        differences=[difference(contents[0], content, said) for content in contents[1:]],
        texts=texts,
    )


def directions_of(model: RegisteredModel) -> dict[str, bool]:
    """For each metric that the model, its gates to Staging and Production, or the site say it of, whether higher is
    better."""
    policies = policies_for((model.pk, stage) for stage in ACTIVE_STAGES)
    return higher_is_better(model, [gate for stage in ACTIVE_STAGES for gate in policies[model.pk, stage].gates])


def check_numbers(name: str, numbers: Sequence[int]) -> None:
    """Raise InvalidParameter for numbers that cannot be compared."""
    twice = next((number for number in numbers if numbers.count(number) > 1), None)
    if twice is not None:
        raise InvalidParameter(
            f"Version {twice} of {name} cannot be compared with itself. Choose {LEAST} to {MOST} different ones.",
            field="versions",
        )
    if not LEAST <= len(numbers) <= MOST:
        raise InvalidParameter(
            f"Choose {LEAST} to {MOST} versions of {name} to compare, not {len(numbers)}.", field="versions"
        )


def baseline_first(versions: Iterable[ModelVersion]) -> list[int]:
    """The numbers in the order in which they are compared where nobody has said one: what is in Production first, then
    by number."""
    ordered = sorted(versions, key=lambda one: (one.current_stage != Stage.PRODUCTION.value, one.version))
    return [one.version for one in ordered]


def _shown(one: Evidence, content: Content) -> Content:
    return without_run(content) if one.version.run_id and one.run is None else content


# -- files -------------------------------------------------------------------------------------------------------------
def _read(evidence: Sequence[Evidence]) -> tuple[dict[int, Content], list[Mapping[str, str]]]:
    """What the files of the versions say, by their keys, and the texts that were read for it. When the store does not
    answer, nothing more is asked of it."""
    listed = _listed([one.manifest for one in evidence if one.manifest is not None and one.manifest.digest])
    files: dict[int, Content] = {}
    texts: list[Mapping[str, str]] = []
    answers = True
    for one in evidence:
        folder = folder_of(one.version)
        read: dict[str, str] = {}
        texts.append(read)
        if folder is None or not answers:
            continue
        try:
            artifacts = listed.get(one.manifest.pk) if one.manifest is not None else None
            if artifacts is None:
                artifacts = {file.path: {"size": file.size} for file in islice(folder.files(), MOST_FILES)}
            for path, most in (("MLmodel", MAX_BYTES), (REQUIREMENTS, MAX_REQUIREMENTS)):
                text = folder.text(path, most) if path in artifacts else None
                if text is not None:
                    read[path] = text
        except (PodiumError, OSError):
            answers = False
            continue
        files[one.version.pk] = files_said(
            _mlmodel(read.get("MLmodel")), requirement_lines(read.get(REQUIREMENTS, "")), artifacts
        )
    return files, texts


def _listed(manifests: Sequence[Manifest]) -> dict[int, dict[str, Content]]:
    """The first files of each manifest, by its key and their paths, in one query."""
    found: dict[int, dict[str, Content]] = {manifest.pk: {} for manifest in manifests}
    if not manifests:
        return found
    most = MOST_FILES * len(manifests)
    rows = ManifestFile.objects.filter(manifest__in=manifests).order_by("path", "manifest_id")
    files = list(rows.values_list("manifest_id", "path", "size", "sha256")[: most + 1])
    last = files[-1][1] if len(files) > most else None  # perhaps not read of all of them
    for manifest, path, size, sha256 in files:
        if path != last:
            found[manifest][path] = {"size": size, "sha256": sha256}
    return found


def _mlmodel(text: str | None) -> MLModel | None:
    try:
        return read_mlmodel(text) if text is not None else None
    except InvalidParameter:
        return None


def may_differ_in_lines(path: str, size: int | None) -> bool:
    """Whether a file of this name and size is a small text."""
    return content_type_of(path).startswith(_TEXTS) and size is not None and size <= MAX_TEXT


def text_changes(compared: Compared, path: str) -> list[TextChange]:
    """How the lines of a file of the versions differ from those of the first one, for each that has it otherwise.

    Raises InvalidParameter for a file that is no small text, or the same in all of them.
    """
    changed = [
        version.version
        for version, diff in zip(compared.versions[1:], compared.differences, strict=True)
        if any(row.name == path and row.change != "same" for row in diff.artifacts)
    ]
    sizes = [said["files"].get("artifacts", {}).get(path, {}).get("size") for said in compared.contents]
    if not changed or not any(may_differ_in_lines(path, size) for size in sizes):
        raise InvalidParameter(f"{path[:200]} is no small text that differs between these versions.", field="diff")
    texts = [_text(compared, place, path) for place in range(len(compared.versions))]
    return [
        TextChange(version.version, *_changed_lines(texts[0], text))
        for version, text in zip(compared.versions[1:], texts[1:], strict=True)
        if version.version in changed
    ]


def _text(compared: Compared, place: int, path: str) -> str | None:
    """What the file says; "" where the version has none, None where it cannot be read."""
    if path in compared.texts[place]:
        return compared.texts[place][path]
    if path not in compared.contents[place]["files"].get("artifacts", {}):
        return "" if compared.contents[place]["files"]["read"] else None
    folder = folder_of(compared.versions[place])
    try:
        return folder.text(path, MAX_TEXT) if folder else None
    except (PodiumError, OSError):
        return None


def _changed_lines(old: str | None, new: str | None) -> tuple[Sequence[tuple[str, str]] | None, int]:
    if old is None or new is None:
        return None, 0
    before, after = old.splitlines(), new.splitlines()
    if max(len(before), len(after)) > MOST_LINES:
        return None, 0
    marks = {"+": "added", "-": "removed", "@": "hunk", " ": ""}
    lines = list(difflib.unified_diff(before, after, lineterm="", n=2))[2:]  # without the names of the files
    marked = [(marks[line[:1]], line if line.startswith("@") else line[1:]) for line in lines]
    return marked[:LINES_SHOWN], max(0, len(marked) - LINES_SHOWN)


# -- pictures ----------------------------------------------------------------------------------------------------------
def pictures_of(compared: Compared, *, most: int) -> list[Pictures]:
    """The pictures that at least two versions have under the same path: those of their runs, as far as the actor may
    read these, and those among their own files."""
    found: list[dict[str, tuple[str, str]]] = []
    answers = True
    for one, content in zip(compared.evidence, compared.contents, strict=True):
        artifacts = content["files"].get("artifacts", {}) if content["files"]["read"] else {}
        own = {path: said["size"] for path, said in artifacts.items()}
        pictures = {path: ("version", str(one.version.version)) for path in _pictures(own)}
        if one.run is not None and answers:
            try:
                pictures |= dict.fromkeys(_pictures(_files_of_run(one.run)), ("run", one.run.run_id))
            except (PodiumError, OSError):
                answers = False
        found.append(pictures)
    paths = sorted({path for pictures in found for path in pictures})
    shared = [path for path in paths if sum(path in pictures for pictures in found) > 1]
    return [Pictures(path, [pictures.get(path) for pictures in found]) for path in shared[:most]]


def _files_of_run(run: Run) -> dict[str, int | None]:
    folder: Folder | None = folder_at(run.artifact_uri)
    return {entry.path: entry.size for entry in islice(folder.files(), FILES_SEARCHED)} if folder else {}


def _pictures(files: Mapping[str, int | None]) -> list[str]:
    return [
        path
        for path, size in files.items()
        if content_type_of(path).startswith("image/") and size is not None and size <= MAX_PICTURE
    ]
