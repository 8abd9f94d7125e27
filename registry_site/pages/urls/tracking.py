"""Experiments, runs, logged models and their files."""

from django.urls import path

from registry_site.pages.views import archives, comparison, experiments, logged_models, register, run_artifacts, runs

urlpatterns = [
    path("experiments", experiments.experiments, name="experiments"),
    path("experiments/new", experiments.new_experiment, name="new_experiment"),
    path("experiments/<int:experiment_id>", experiments.experiment, name="experiment"),
    path("experiments/<int:experiment_id>/compare", comparison.compare_runs, name="compare_runs"),
    path("experiments/<int:experiment_id>/compare.json", comparison.compare_runs_data, name="compare_runs_data"),
    path("experiments/<int:experiment_id>/access", experiments.experiment_access, name="experiment_access"),
    path("experiments/<int:experiment_id>/edit", experiments.edit_experiment, name="edit_experiment"),
    path("experiments/<int:experiment_id>/delete", experiments.delete_experiment, name="delete_experiment"),
    path("experiments/<int:experiment_id>/restore", experiments.restore_experiment, name="restore_experiment"),
    path("runs/<str:run_id>", runs.run, name="run"),
    path("runs/<str:run_id>/edit", runs.edit_run, name="edit_run"),
    path("runs/<str:run_id>/delete", runs.delete_run, name="delete_run"),
    path("runs/<str:run_id>/restore", runs.restore_run, name="restore_run"),
    path("runs/<str:run_id>/metrics", runs.run_metrics, name="run_metrics"),
    path("runs/<str:run_id>/metrics.json", runs.run_metric_data, name="run_metric_data"),
    path("runs/<str:run_id>/artifacts", run_artifacts.run_artifacts, name="run_artifacts"),
    path("runs/<str:run_id>/artifacts/<path:path>", run_artifacts.run_artifact, name="run_artifact"),
    path("runs/<str:run_id>/files/<path:path>", run_artifacts.run_file, name="run_file"),
    path("runs/<str:run_id>/archive.zip", archives.run_archive, name="run_archive"),
    path("runs/<str:run_id>/register", register.register_model, name="register_model"),
    path("logged-models/<str:model_id>", logged_models.logged_model, name="logged_model"),
    path(
        "logged-models/<str:model_id>/artifacts/<path:path>",
        logged_models.logged_model_artifact,
        name="logged_model_artifact",
    ),
    path("logged-models/<str:model_id>/files/<path:path>", logged_models.logged_model_file, name="logged_model_file"),
    path("logged-models/<str:model_id>/archive.zip", archives.logged_model_archive, name="logged_model_archive"),
    path("shown/<str:signature>/runs/<str:run_id>/<path:path>", run_artifacts.run_frame, name="run_frame"),
    path(
        "shown/<str:signature>/logged-models/<str:model_id>/<path:path>",
        logged_models.logged_model_frame,
        name="logged_model_frame",
    ),
    path("logged-models/<str:model_id>/register", register.register_logged_model, name="register_logged_model"),
]
