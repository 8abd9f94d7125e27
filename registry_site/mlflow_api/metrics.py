"""Endpoints of histories of metrics."""

from registry_site.accounts.actors import Actor
from registry_site.mlflow_api import shapes_tracking as shapes
from registry_site.mlflow_api.endpoint import Endpoint
from registry_site.mlflow_api.structs import metrics as structs
from registry_site.tracking import histories


class GetHistory(Endpoint[structs.HistoryArguments]):
    """The points of a run's metric."""

    path = "metrics/get-history"
    methods = ("GET",)
    request_type = structs.HistoryArguments

    def call(self, actor: Actor, request: structs.HistoryArguments) -> structs.MetricsAnswer:
        page = histories.metric_history(
            actor,
            run_id=request.run,
            key=request.metric_key,
            max_results=request.max_results,
            page_token=request.page_token,
        )
        return structs.MetricsAnswer(metrics=shapes.points(page.rows), next_page_token=page.next_page_token)


class GetBulkHistory(Endpoint[structs.BulkHistoryArguments]):
    """The points of one metric in several runs."""

    path = "metrics/get-history-bulk"
    methods = ("GET",)
    request_type = structs.BulkHistoryArguments

    def call(self, actor: Actor, request: structs.BulkHistoryArguments) -> structs.MetricsAnswer:
        points = histories.metric_history_of_runs(
            actor, run_ids=request.run_id, key=request.metric_key, max_results=request.max_results
        )
        return structs.MetricsAnswer(metrics=shapes.points_of_runs(points))


class GetBulkInterval(Endpoint[structs.BulkIntervalArguments]):
    """An even sample of one metric in several runs."""

    path = "metrics/get-history-bulk-interval"
    methods = ("GET",)
    request_type = structs.BulkIntervalArguments

    def call(self, actor: Actor, request: structs.BulkIntervalArguments) -> structs.MetricsAnswer:
        points = histories.metric_history_sample(
            actor,
            run_ids=request.run_ids,
            key=request.metric_key,
            start_step=request.start_step,
            end_step=request.end_step,
            max_results=request.max_results,
        )
        return structs.MetricsAnswer(metrics=shapes.points_of_runs(points))


ENDPOINTS = (GetHistory, GetBulkHistory, GetBulkInterval)
