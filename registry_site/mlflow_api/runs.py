"""Endpoints of runs and of what they log."""

import msgspec

from registry_site.accounts.actors import Actor
from registry_site.mlflow_api import shapes_tracking as shapes
from registry_site.mlflow_api.endpoint import Endpoint
from registry_site.mlflow_api.structs import runs as structs
from registry_site.tracking import queries, recording, services
from registry_site.tracking.recording import MetricPoint
from registry_site.tracking.services import DatasetUse


class CreateRun(Endpoint[structs.CreateRunArguments]):
    """A new run."""

    path = "runs/create"
    methods = ("POST",)
    request_type = structs.CreateRunArguments

    def call(self, actor: Actor, request: structs.CreateRunArguments) -> structs.RunAnswer:
        run = services.create_run(
            actor,
            experiment_id=request.experiment_id,
            user_id=request.user_id,
            run_name=request.run_name,
            start_time=request.start_time,
            tags=shapes.by_key(request.tags),
        )
        return structs.RunAnswer(run=shapes.new_run(run))


class GetRun(Endpoint[structs.RunArguments]):
    """A run with all that it logged, deleted or not."""

    path = "runs/get"
    methods = ("GET",)
    request_type = structs.RunArguments

    def call(self, actor: Actor, request: structs.RunArguments) -> structs.RunAnswer:
        return structs.RunAnswer(run=shapes.run(queries.get_run(actor, request.run)))


class UpdateRun(Endpoint[structs.UpdateRunArguments]):
    """Changes status, end or name."""

    path = "runs/update"
    methods = ("POST",)
    request_type = structs.UpdateRunArguments

    def call(self, actor: Actor, request: structs.UpdateRunArguments) -> structs.RunInfoAnswer:
        run = services.update_run(
            actor,
            run_id=request.run,
            status=shapes.run_status(request.status),
            end_time=request.end_time,
            run_name=request.run_name,
        )
        return structs.RunInfoAnswer(run_info=shapes.run_info(run))


class DeleteRun(Endpoint[structs.RunArguments]):
    """Marks a run as deleted."""

    path = "runs/delete"
    methods = ("POST",)
    request_type = structs.RunArguments

    def call(self, actor: Actor, request: structs.RunArguments) -> None:
        services.delete_run(actor, run_id=request.run)


class RestoreRun(Endpoint[structs.RunArguments]):
    """Makes a deleted run active again."""

    path = "runs/restore"
    methods = ("POST",)
    request_type = structs.RunArguments

    def call(self, actor: Actor, request: structs.RunArguments) -> None:
        services.restore_run(actor, run_id=request.run)


class SearchRuns(Endpoint[structs.SearchRunsArguments]):
    """A page of the runs that meet a filter."""

    path = "runs/search"
    methods = ("POST",)
    reads = True
    request_type = structs.SearchRunsArguments

    def call(self, actor: Actor, request: structs.SearchRunsArguments) -> structs.RunsAnswer:
        page = queries.search_runs(
            actor,
            experiment_ids=request.experiment_ids,
            filter=request.filter,
            view_type=shapes.view_type(request.run_view_type),
            order_by=request.order_by,
            max_results=request.max_results,
            page_token=request.page_token,
        )
        return structs.RunsAnswer(runs=[shapes.run(row) for row in page.rows], next_page_token=page.next_page_token)


class LogMetric(Endpoint[structs.LogMetricArguments]):
    """Adds a point to a metric."""

    path = "runs/log-metric"
    methods = ("POST",)
    request_type = structs.LogMetricArguments

    def call(self, actor: Actor, request: structs.LogMetricArguments) -> None:
        recording.log_metric(actor, run_id=request.run, metric=_point(request))


class LogParam(Endpoint[structs.LogParamArguments]):
    """Writes a param, once."""

    path = "runs/log-parameter"
    methods = ("POST",)
    request_type = structs.LogParamArguments

    def call(self, actor: Actor, request: structs.LogParamArguments) -> None:
        recording.log_param(actor, run_id=request.run, key=request.key, value=request.value)


class SetRunTag(Endpoint[structs.SetRunTagArguments]):
    """Sets or replaces a tag."""

    path = "runs/set-tag"
    methods = ("POST",)
    request_type = structs.SetRunTagArguments

    def call(self, actor: Actor, request: structs.SetRunTagArguments) -> None:
        services.set_run_tag(actor, run_id=request.run, key=request.key, value=request.value)


class DeleteRunTag(Endpoint[structs.DeleteRunTagArguments]):
    """Removes a tag."""

    path = "runs/delete-tag"
    methods = ("POST",)
    request_type = structs.DeleteRunTagArguments

    def call(self, actor: Actor, request: structs.DeleteRunTagArguments) -> None:
        services.delete_run_tag(actor, run_id=request.run, key=request.key)


class LogBatch(Endpoint[structs.LogBatchArguments]):
    """Writes many metrics, params and tags at once."""

    path = "runs/log-batch"
    methods = ("POST",)
    request_type = structs.LogBatchArguments

    def call(self, actor: Actor, request: structs.LogBatchArguments) -> None:
        recording.log_batch(
            actor,
            run_id=request.run,
            metrics=[_point(metric) for metric in request.metrics],
            params=[(param.key, param.value) for param in request.params],
            tags=[(tag.key, tag.value) for tag in request.tags],
        )


class LogInputs(Endpoint[structs.LogInputsArguments]):
    """Notes the datasets and logged models that a run read."""

    path = "runs/log-inputs"
    methods = ("POST",)
    request_type = structs.LogInputsArguments

    def call(self, actor: Actor, request: structs.LogInputsArguments) -> None:
        services.log_inputs(
            actor,
            run_id=request.run,
            datasets=[
                DatasetUse(msgspec.structs.asdict(use.dataset), shapes.by_key(use.tags)) for use in request.datasets
            ],
            model_ids=[model.model_id for model in request.models],
        )


class LogOutputs(Endpoint[structs.LogOutputsArguments]):
    """Notes the logged models that a run made."""

    path = "runs/outputs"
    methods = ("POST",)
    request_type = structs.LogOutputsArguments

    def call(self, actor: Actor, request: structs.LogOutputsArguments) -> None:
        services.log_outputs(actor, run_id=request.run, models={model.model_id: model.step for model in request.models})


class LogModel(Endpoint[structs.LogModelArguments]):
    """Notes a model that an MLflow 2 client logged."""

    path = "runs/log-model"
    methods = ("POST",)
    request_type = structs.LogModelArguments

    def call(self, actor: Actor, request: structs.LogModelArguments) -> None:
        services.log_run_model(actor, run_id=request.run, model_json=request.model_json)


def _point(metric: structs.LogMetricArguments | structs.MetricArgument) -> MetricPoint:
    return MetricPoint(
        metric.key,
        float(metric.value),
        metric.timestamp,
        metric.step,
        metric.model_id,
        metric.dataset_name,
        metric.dataset_digest,
    )


ENDPOINTS = (
    CreateRun,
    GetRun,
    UpdateRun,
    DeleteRun,
    RestoreRun,
    SearchRuns,
    LogMetric,
    LogParam,
    SetRunTag,
    DeleteRunTag,
    LogBatch,
    LogInputs,
    LogOutputs,
    LogModel,
)
