"""Registered models and their versions."""

from django.urls import path

from registry_site.pages import converters  # noqa: F401  registers <name:…>
from registry_site.pages.views import models, notifications, versions

urlpatterns = [
    path("models", models.models, name="models"),
    path("suggest/models", models.suggest_models, name="suggest_models"),
    path("register-model", models.new_model, name="new_model"),
    path("models/<name:name>", models.model, name="model"),
    path("models/<name:name>/requests", models.model_requests, name="model_requests"),
    path("models/<name:name>/activity", models.model_activity, name="model_activity"),
    path("models/<name:name>/access", models.model_access, name="model_access"),
    path("models/<name:name>/follow", notifications.follow, name="follow"),
    path("models/<name:name>/settings", models.model_settings, name="model_settings"),
    path("models/<name:name>/description", models.edit_model, name="edit_model"),
    path("models/<name:name>/tags", models.model_tags, name="model_tags"),
    path("models/<name:name>/tags/delete", models.delete_model_tag, name="delete_model_tag"),
    path("models/<name:name>/aliases", models.model_aliases, name="model_aliases"),
    path("models/<name:name>/aliases/delete", models.delete_alias, name="delete_alias"),
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
    path("models/<name:name>/versions/<int:version>/delete", versions.delete_version, name="delete_version"),
]
