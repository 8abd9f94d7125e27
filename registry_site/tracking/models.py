"""Experiments, runs and what was logged to them, in MLflow's words.

Moments are milliseconds since the epoch, as the protocol has them: clients send them, filter by them and read them back
exactly. Text that clients may give at any length is cut by `tracking.rules` before it comes here.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from registry_site.accounts.levels import EXPERIMENT_LEVELS
from registry_site.accounts.models import AbstractGrant, one_grant_each


class LifecycleStage(models.TextChoices):
    ACTIVE = "active"
    DELETED = "deleted"


class RunStatus(models.TextChoices):
    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


class LoggedModelStatus(models.TextChoices):
    PENDING = "LOGGED_MODEL_PENDING"
    READY = "LOGGED_MODEL_READY"
    UPLOAD_FAILED = "LOGGED_MODEL_UPLOAD_FAILED"


class Experiment(models.Model):
    """A named set of runs. Its `pk` is the experiment id; 0 is "Default" and exists from the start."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=500, unique=True)
    artifact_location = models.CharField(max_length=2048)
    lifecycle_stage = models.CharField(
        max_length=10, choices=LifecycleStage.choices, default=LifecycleStage.ACTIVE, db_index=True
    )
    creation_time = models.BigIntegerField(db_index=True)
    last_update_time = models.BigIntegerField(db_index=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return self.name


class ExperimentGrant(AbstractGrant):
    """A level for one user or one group, on one experiment or (without one) on all."""

    experiment = models.ForeignKey(Experiment, null=True, blank=True, on_delete=models.CASCADE, related_name="grants")
    level = models.PositiveSmallIntegerField(choices=[(level.value, level.name) for level in EXPERIMENT_LEVELS])

    class Meta(AbstractGrant.Meta):
        constraints = [
            *AbstractGrant.Meta.constraints,
            *one_grant_each("experiment", on_one="one_grant_per_experiment", on_all="one_grant_on_experiments"),
            models.CheckConstraint(
                condition=Q(level__in=[level.value for level in EXPERIMENT_LEVELS]), name="level_is_one_for_experiments"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_level_display()} on {self.experiment or 'all experiments'} for {self.user or self.group}"


class ExperimentTag(models.Model):
    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="tags")
    key = models.CharField(max_length=250)
    value = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["experiment", "key"], name="one_value_per_experiment_tag")]

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


class Run(models.Model):
    """One execution. `user_id` is the name that the client gave, `created_by` who really sent it."""

    run_id = models.CharField(max_length=32, unique=True)
    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="runs")
    run_name = models.CharField(max_length=8000, blank=True)
    user_id = models.CharField(max_length=256, blank=True)
    status = models.CharField(max_length=10, choices=RunStatus.choices, default=RunStatus.RUNNING)
    start_time = models.BigIntegerField(default=0)
    end_time = models.BigIntegerField(null=True, blank=True)
    artifact_uri = models.CharField(max_length=2200)
    lifecycle_stage = models.CharField(max_length=10, choices=LifecycleStage.choices, default=LifecycleStage.ACTIVE)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["experiment", "lifecycle_stage", "-start_time", "run_id"], name="runs_newest_first"),
        ]

    def __str__(self) -> str:
        return self.run_name or self.run_id


class RunTag(models.Model):
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="tags")
    key = models.CharField(max_length=250)
    value = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "key"], name="one_value_per_run_tag")]
        indexes = [models.Index(fields=["key", "run"], name="run_tag_by_key")]

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


class Param(models.Model):
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="params")
    key = models.CharField(max_length=250)
    value = models.CharField(max_length=6000)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "key"], name="one_value_per_param")]

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


class MetricBase(models.Model):
    """A measured value. A value that is not a number is stored as 0 with `is_nan`, as SQLite keeps no NaN."""

    key = models.CharField(max_length=250)
    value = models.FloatField()
    is_nan = models.BooleanField(default=False)
    timestamp = models.BigIntegerField()
    step = models.BigIntegerField(default=0)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.key}={self.number} at step {self.step}"

    @property
    def number(self) -> float:
        """The value as it was measured."""
        return float("nan") if self.is_nan else self.value


class Metric(MetricBase):
    """One point of a run's history."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="metrics")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "key", "timestamp", "step", "value", "is_nan"], name="no_metric_point_twice"
            )
        ]


class LatestMetric(MetricBase):
    """The point of a run's metric with the greatest (step, timestamp, value): what lists show and searches compare."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="latest_metrics")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "key"], name="one_latest_metric")]
        indexes = [models.Index(fields=["key", "value"], name="latest_metric_by_value")]


class Dataset(models.Model):
    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="datasets")
    name = models.CharField(max_length=500)
    digest = models.CharField(max_length=36)
    source_type = models.CharField(max_length=36, blank=True)
    source = models.TextField(blank=True)
    schema = models.TextField(blank=True)
    profile = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["experiment", "name", "digest"], name="one_dataset_per_digest")]

    def __str__(self) -> str:
        return f"{self.name} ({self.digest})"


class DatasetInput(models.Model):
    """A dataset that a run read. `context` is the tag `mlflow.data.context`, kept apart for searches."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="dataset_inputs")
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="inputs")
    context = models.CharField(max_length=500, blank=True)
    tags = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "dataset"], name="one_input_per_dataset")]

    def __str__(self) -> str:
        return f"{self.dataset} for {self.run}"


class LoggedModel(models.Model):
    """A model that MLflow 3 logged: it has files, parameters and metrics of its own, and perhaps a run it came from."""

    model_id = models.CharField(max_length=34, unique=True)
    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="logged_models")
    name = models.CharField(max_length=500)
    model_type = models.CharField(max_length=500, blank=True)
    source_run = models.ForeignKey(Run, null=True, blank=True, on_delete=models.SET_NULL, related_name="logged_models")
    artifact_uri = models.CharField(max_length=2200)
    status = models.CharField(max_length=30, choices=LoggedModelStatus.choices, default=LoggedModelStatus.PENDING)
    status_message = models.TextField(blank=True)
    creation_timestamp = models.BigIntegerField()
    last_updated_timestamp = models.BigIntegerField()
    lifecycle_stage = models.CharField(max_length=10, choices=LifecycleStage.choices, default=LifecycleStage.ACTIVE)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["experiment", "-creation_timestamp", "model_id"], name="logged_models_newest")]

    def __str__(self) -> str:
        return f"{self.name} ({self.model_id})"


class LoggedModelTag(models.Model):
    logged_model = models.ForeignKey(LoggedModel, on_delete=models.CASCADE, related_name="tags")
    key = models.CharField(max_length=250)
    value = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["logged_model", "key"], name="one_value_per_logged_model_tag")]

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


class LoggedModelParam(models.Model):
    logged_model = models.ForeignKey(LoggedModel, on_delete=models.CASCADE, related_name="params")
    key = models.CharField(max_length=250)
    value = models.CharField(max_length=6000)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["logged_model", "key"], name="one_value_per_logged_model_param")]

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


class LoggedModelMetric(MetricBase):
    """A metric that a run measured of a logged model, perhaps on a dataset."""

    logged_model = models.ForeignKey(LoggedModel, on_delete=models.CASCADE, related_name="metrics")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="logged_model_metrics")
    dataset_name = models.CharField(max_length=500, blank=True)
    dataset_digest = models.CharField(max_length=36, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["logged_model", "run", "key", "timestamp", "step", "dataset_name", "dataset_digest"],
                name="one_logged_model_metric",
            )
        ]


class RunModel(models.Model):
    """A logged model that a run read (input) or made (output)."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="run_models")
    logged_model = models.ForeignKey(LoggedModel, on_delete=models.CASCADE, related_name="run_models")
    is_output = models.BooleanField()
    step = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "logged_model", "is_output"], name="one_line_per_run_and_model")
        ]

    def __str__(self) -> str:
        return f"{self.logged_model} {'from' if self.is_output else 'into'} {self.run}"
