"""Messages about histories of metrics."""

from typing import Any

from registry_site.mlflow_api.structs.base import Arguments, Int64, Message
from registry_site.mlflow_api.structs.runs import RunArguments


class MetricsAnswer(Message):
    """A page of points."""

    metrics: list[Any] = []
    next_page_token: str = ""


class HistoryArguments(RunArguments, kw_only=True):
    """Which history, and which page of it; all of it without max_results."""

    metric_key: str
    max_results: Int64 | None = None
    page_token: str = ""


class BulkHistoryArguments(Arguments):
    """One metric in several runs."""

    run_id: list[str]
    metric_key: str
    max_results: Int64 = 25_000


class BulkIntervalArguments(Arguments):
    """A sample of one metric in several runs."""

    run_ids: list[str]
    metric_key: str
    start_step: Int64 | None = None
    end_step: Int64 | None = None
    max_results: Int64 = 2500
