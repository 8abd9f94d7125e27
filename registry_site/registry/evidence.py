"""What speaks for a version: the run or logged model that it was made of, with its metrics and params, and what was
found in its files."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, prefetch_related_objects

from registry_site.accounts.actors import Actor
from registry_site.core.prepared import Among, Prepared, Question, columns_of, instance_of
from registry_site.registry.access import visible
from registry_site.registry.models import Manifest, ModelVersion, Scan
from registry_site.tracking import access
from registry_site.tracking.models import LatestMetric, LoggedModel, LoggedModelMetric, Run
from registry_site.tracking.queries import runs_by_ids

METRICS_READ = 10_000


@dataclass(frozen=True, slots=True)
class Evidence:
    """A version and what was measured of it. Run and logged model may be unknown, or gone, or not for the actor to
    read."""

    version: ModelVersion
    run: Run | None
    logged_model: LoggedModel | None
    metrics: Mapping[str, float]
    params: Mapping[str, str]
    manifest: Manifest | None
    scan: Scan | None

    @property
    def run_tags(self) -> dict[str, str]:
        return {tag.key: tag.value for tag in self.run.tags.all()} if self.run else {}


def evidence_of(actor: Actor, versions: Sequence[ModelVersion], *, with_logged_models: bool = True) -> list[Evidence]:
    """The evidence of each version, in their order, in a fixed number of queries. Keys are alphabetical.

    Metrics and params are the run's; those of the logged model count where the run has none, or is unknown. Without
    `with_logged_models`, a logged model is there only where it counts.
    """
    made_by = [one.run_id for one in versions if one.run_id]
    runs = {run.run_id: run for run in runs_by_ids(actor, made_by, with_models=False)}
    wanted = [
        one.model_id for one in versions if one.model_id and (with_logged_models or not _says_all(runs.get(one.run_id)))
    ]
    logged = _logged_models(actor, wanted)
    prefetch_related_objects(
        [logged[one.model_id] for one in versions if one.model_id in logged and not _says_all(runs.get(one.run_id))],
        "metrics",
        "params",
    )
    found = inspected(versions)
    return [
        _evidence(one, runs.get(one.run_id), logged.get(one.model_id), *found.get(one.pk, (None, None)))
        for one in versions
    ]


def _logged_models(actor: Actor, model_ids: Collection[str]) -> dict[str, LoggedModel]:
    visible = LoggedModel.objects.filter(access.visible(actor, "experiment_id"), model_id__in=model_ids)
    return {one.model_id: one for one in visible} if model_ids else {}


def metrics_of(actor: Actor, versions: Iterable[ModelVersion]) -> dict[int, Mapping[str, float]]:
    """The metrics of each version by its key, as its evidence has them for the actor; in two queries, mostly in one."""
    wanted = list(versions)
    of_runs: dict[str, dict[str, float]] = {}
    runs = {one.run_id for one in wanted if one.run_id}
    latest = LatestMetric.objects.filter(access.visible(actor, "run__experiment_id"), run__run_id__in=runs)
    for row in latest.annotate(owner=F("run__run_id")) if runs else ():
        of_runs.setdefault(row.owner, {})[row.key] = row.number
    of_models: dict[str, dict[str, float]] = {}
    models = {one.model_id for one in wanted if one.model_id and one.run_id not in of_runs}
    measured = LoggedModelMetric.objects.filter(
        access.visible(actor, "logged_model__experiment_id"), logged_model__model_id__in=models
    ).order_by("pk")
    for one in measured.annotate(owner=F("logged_model__model_id")) if models else ():
        of_models.setdefault(one.owner, {})[one.key] = one.number
    return {each.pk: of_runs.get(each.run_id) or of_models.get(each.model_id, {}) for each in wanted}


@dataclass(frozen=True, slots=True)
class Measured:
    """What a metric was in a version, None where it was not measured, or the actor may not read it."""

    version: int
    stage: str
    value: float | None


def metrics_over_versions(actor: Actor, name: str, *, limit: int) -> dict[str, list[Measured]]:
    """What the metrics were in the newest versions of a model, oldest first, as far as the actor may read them, by the
    name of the metric; in three queries. Of very many metrics, the first ones by name."""
    versions = ModelVersion.objects.filter(visible(actor, "registered_model_id"), registered_model__name=name)
    rows = list(versions.order_by("-version").values_list("version", "current_stage", "run_id", "model_id")[:limit])
    of_models = LoggedModelMetric.objects.filter(
        access.visible(actor, "logged_model__experiment_id"),
        logged_model__model_id__in={model_id for *_, model_id in rows if model_id},
    ).annotate(owner=F("logged_model__model_id"))
    of_runs = LatestMetric.objects.filter(
        access.visible(actor, "run__experiment_id"), run__run_id__in={run_id for *_, run_id, _ in rows if run_id}
    ).annotate(owner=F("run__run_id"))
    found: dict[str, dict[str, float]] = {}
    for metrics in (of_models.order_by("key", "pk"), of_runs.order_by("key", "pk")):
        for one in metrics[:METRICS_READ]:
            found.setdefault(one.key, {})[one.owner] = one.number
    return {
        key: [
            Measured(version, stage, values.get(run_id, values.get(model_id)))
            for version, stage, run_id, model_id in reversed(rows)
        ]
        for key, values in sorted(found.items())
    }


def inspected(versions: Iterable[ModelVersion]) -> dict[int, tuple[Manifest | None, Scan | None]]:
    """What was found in the files of these versions, by their keys; nothing of prompts."""
    wanted = list(versions)
    if all("manifest" in one._state.fields_cache and "scan" in one._state.fields_cache for one in wanted):
        return {one.pk: _findings_of(one) for one in wanted}
    return {pk: (manifest, scan) for pk, manifest, scan in inspected_question(wanted).answer()} if wanted else {}


def inspected_question(versions: Iterable[ModelVersion]) -> Question[tuple[int, Manifest | None, Scan | None]]:
    """What `inspected` asks of versions that were read without, for `ask_together`."""
    return _INSPECTED.question(keys=sorted({version.pk for version in versions}))


def _findings(version: int, *values: Any) -> tuple[int, Manifest | None, Scan | None]:
    width = len(columns_of(Manifest))
    manifest, scan = instance_of(Manifest)(*values[:width]), instance_of(Scan)(*values[width:])
    return version, manifest if manifest.pk else None, scan if scan.pk else None


_INSPECTED = Prepared(
    lambda: ModelVersion.objects.filter(Among("pk")).values_list(
        "pk", *columns_of(Manifest, "manifest__"), *columns_of(Scan, "scan__")
    ),
    _findings,
)


def _findings_of(version: ModelVersion) -> tuple[Manifest | None, Scan | None]:
    return getattr(version, "manifest", None), getattr(version, "scan", None)


def run_names(actor: Actor, versions: Iterable[ModelVersion]) -> dict[str, str]:
    """What the runs of these versions are called, by run id; a run that is gone, or not the actor's to read, is
    missing."""
    visible = Run.objects.filter(access.visible(actor, "experiment_id"))
    wanted = {version.run_id for version in versions if version.run_id}
    return dict(visible.filter(run_id__in=wanted).values_list("run_id", "run_name")) if wanted else {}


def _says_all(run: Run | None) -> bool:
    return run is not None and bool(run.latest_metrics.all()) and bool(run.params.all())


def _evidence(
    version: ModelVersion,
    run: Run | None,
    logged_model: LoggedModel | None,
    manifest: Manifest | None,
    scan: Scan | None,
) -> Evidence:
    metrics: dict[str, float] = {}
    params: dict[str, str] = {}
    if run is not None:
        metrics = {metric.key: metric.number for metric in run.latest_metrics.all()}
        params = {param.key: param.value for param in run.params.all()}
    if logged_model is not None and not _says_all(run):
        metrics = metrics or {metric.key: metric.number for metric in logged_model.metrics.all()}
        params = params or {param.key: param.value for param in logged_model.params.all()}
    return Evidence(
        version, run, logged_model, dict(sorted(metrics.items())), dict(sorted(params.items())), manifest, scan
    )
