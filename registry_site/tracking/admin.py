"""Tracking in the admin: to look things up, and grants to give. Changes are the services' work, which keep names, tags
and latest points in step."""

from typing import Any

from django.contrib import admin

from registry_site.accounts.grants_admin import GrantAdmin
from registry_site.core.admin import ReadOnlyAdmin
from registry_site.tracking.grants import remove_grant, set_grant
from registry_site.tracking.models import (
    Dataset,
    DatasetInput,
    Experiment,
    ExperimentGrant,
    ExperimentTag,
    LatestMetric,
    LoggedModel,
    LoggedModelMetric,
    LoggedModelParam,
    LoggedModelTag,
    Metric,
    Param,
    Run,
    RunModel,
    RunTag,
)


class LargeTableAdmin(ReadOnlyAdmin):
    """A table of millions of rows, which are not counted."""

    show_full_result_count = False
    ordering = ("-pk",)
    list_per_page = 50


@admin.register(Experiment)
class ExperimentAdmin(ReadOnlyAdmin):
    list_display = ("id", "name", "lifecycle_stage", "artifact_location", "created_by")
    list_filter = ("lifecycle_stage",)
    list_select_related = ("created_by",)
    search_fields = ("name", "=id")
    ordering = ("-pk",)


@admin.register(ExperimentGrant)
class ExperimentGrantAdmin(GrantAdmin):
    place = "experiment"
    set_grant = staticmethod(set_grant)
    remove_grant = staticmethod(remove_grant)
    list_display = ("experiment", "user", "group", "level")
    list_filter = ("level", ("experiment", admin.EmptyFieldListFilter))
    list_select_related = ("experiment", "user", "group")
    search_fields = ("experiment__name", "user__username", "group__name")
    autocomplete_fields = ("experiment", "user", "group")

    def named(self, grant: ExperimentGrant) -> dict[str, Any]:
        return {"experiment_id": grant.experiment_id}


@admin.register(Run)
class RunAdmin(LargeTableAdmin):
    list_display = ("run_id", "run_name", "experiment", "user_id", "status", "lifecycle_stage")
    list_filter = ("status", "lifecycle_stage")
    list_select_related = ("experiment",)
    search_fields = ("=run_id", "run_name", "=user_id")


@admin.register(LoggedModel)
class LoggedModelAdmin(LargeTableAdmin):
    list_display = ("model_id", "name", "experiment", "source_run", "status", "lifecycle_stage")
    list_filter = ("status", "lifecycle_stage")
    list_select_related = ("experiment", "source_run")
    search_fields = ("=model_id", "name")


@admin.register(Dataset)
class DatasetAdmin(LargeTableAdmin):
    list_display = ("name", "digest", "source_type", "experiment")
    list_filter = ("source_type",)
    list_select_related = ("experiment",)
    search_fields = ("name", "=digest")


@admin.register(DatasetInput)
class DatasetInputAdmin(LargeTableAdmin):
    list_display = ("run", "dataset", "context")
    list_select_related = ("run", "dataset")
    search_fields = ("=run__run_id", "dataset__name")


@admin.register(RunModel)
class RunModelAdmin(LargeTableAdmin):
    list_display = ("run", "logged_model", "is_output", "step")
    list_filter = ("is_output",)
    list_select_related = ("run", "logged_model")
    search_fields = ("=run__run_id", "=logged_model__model_id")


@admin.register(ExperimentTag)
class ExperimentTagAdmin(LargeTableAdmin):
    list_display = ("experiment", "key", "value")
    list_select_related = ("experiment",)
    search_fields = ("=key", "experiment__name")


@admin.register(RunTag, Param)
class RunValueAdmin(LargeTableAdmin):
    list_display = ("run", "key", "value")
    list_select_related = ("run",)
    search_fields = ("=run__run_id", "=key")


@admin.register(Metric, LatestMetric)
class MetricAdmin(LargeTableAdmin):
    list_display = ("run", "key", "number", "step", "timestamp")
    list_select_related = ("run",)
    search_fields = ("=run__run_id", "=key")


@admin.register(LoggedModelTag, LoggedModelParam)
class LoggedModelValueAdmin(LargeTableAdmin):
    list_display = ("logged_model", "key", "value")
    list_select_related = ("logged_model",)
    search_fields = ("=logged_model__model_id", "=key")


@admin.register(LoggedModelMetric)
class LoggedModelMetricAdmin(LargeTableAdmin):
    list_display = ("logged_model", "run", "key", "number", "step", "dataset_name")
    list_select_related = ("logged_model", "run")
    search_fields = ("=logged_model__model_id", "=run__run_id", "=key")
