"""Registered models and their versions."""

from django.urls import path

from registry_site.pages import converters  # noqa: F401  registers <name:…>, <archive:…>
from registry_site.pages.views import (
    archives,
    inspection,
    model,
    model_tabs,
    models,
    notifications,
    version_comparison,
    version_files,
    versions,
)

urlpatterns = [
    path("models", models.models, name="models"),
    path("suggest/models", models.suggest_models, name="suggest_models"),
    path("register-model", models.new_model, name="new_model"),
    path("models/<name:name>", model.model, name="model"),
    path("models/<name:name>/requests", model_tabs.model_requests, name="model_requests"),
    path("models/<name:name>/activity", model_tabs.model_activity, name="model_activity"),
    path("models/<name:name>/access", model_tabs.model_access, name="model_access"),
    path("models/<name:name>/follow", notifications.follow, name="follow"),
    path("models/<name:name>/webhooks", model_tabs.model_webhooks, name="model_webhooks"),
    path("models/<name:name>/settings", model_tabs.model_settings, name="model_settings"),
    path("models/<name:name>/description", model.edit_model, name="edit_model"),
    path("models/<name:name>/tags", model.model_tags, name="model_tags"),
    path("models/<name:name>/tags/delete", model.delete_model_tag, name="delete_model_tag"),
    path("models/<name:name>/aliases", model.model_aliases, name="model_aliases"),
    path("models/<name:name>/aliases/delete", model.delete_alias, name="delete_alias"),
    path("models/<name:name>/compare", version_comparison.choose_versions, name="choose_versions"),
    path("models/<name:name>/compare/<str:versions>", version_comparison.compare_versions, name="compare_versions"),
    path(
        "models/<name:name>/compare/<str:versions>/curve",
        version_comparison.compare_versions_data,
        name="compare_versions_data",
    ),
    path("models/<name:name>/versions/<int:version>", versions.version, name="version"),
    path("models/<name:name>/versions/<int:version>/description", versions.edit_version, name="edit_version"),
    path("models/<name:name>/versions/<int:version>/tags", versions.version_tags, name="version_tags"),
    path(
        "models/<name:name>/versions/<int:version>/tags/delete",
        versions.delete_version_tag,
        name="delete_version_tag",
    ),
    path(
        "models/<name:name>/versions/<int:version>/transition",
        versions.transition_version,
        name="transition_version",
    ),
    path("models/<name:name>/versions/<int:version>/manifest", inspection.manifest, name="version_manifest"),
    path("models/<name:name>/versions/<int:version>/check", inspection.check_version, name="check_version"),
    path("models/<name:name>/versions/<int:version>/scan", inspection.scan_version, name="scan_version"),
    path("models/<name:name>/versions/<int:version>/delete", versions.delete_version, name="delete_version"),
    path(
        "models/<name:name>/versions/<int:version>/artifacts", version_files.version_artifacts, name="version_artifacts"
    ),
    path(
        "models/<name:name>/versions/<int:version>/artifacts/<path:path>",
        version_files.version_artifact,
        name="version_artifact",
    ),
    path(
        "models/<name:name>/versions/<int:version>/files/<path:path>", version_files.version_file, name="version_file"
    ),
    path(
        "shown/<str:signature>/models/<name:name>/<int:version>/<path:path>",
        version_files.version_frame,
        name="version_frame",
    ),
    path(
        "models/<name:name>/versions/<int:version>/archive-link",
        archives.version_archive_link,
        name="version_archive_link",
    ),
    path(
        "models/<name:name>/<str:called>/archive.<archive:extension>", archives.version_archive, name="version_archive"
    ),
]
