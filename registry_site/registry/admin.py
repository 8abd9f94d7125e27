"""The governance desk: registered models to look up, and grants to give, which go through the services."""

from typing import Any

from django.contrib import admin

from registry_site.accounts.grants_admin import GrantAdmin
from registry_site.core.admin import ReadOnlyAdmin
from registry_site.registry.grants import remove_grant, set_grant
from registry_site.registry.models import Alias, Grant, ModelVersion, RegisteredModel, Tag


@admin.register(RegisteredModel)
class RegisteredModelAdmin(ReadOnlyAdmin):
    list_display = ("name", "owner", "last_version", "is_prompt")
    list_filter = ("is_prompt",)
    list_select_related = ("owner",)
    search_fields = ("name", "owner__username")


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    list_display = ("registered_model", "version", "current_stage", "stage_changed_at", "user_id", "source")
    list_display_links = ("registered_model", "version")
    list_filter = ("current_stage", "is_sole_occupant")
    list_select_related = ("registered_model",)
    search_fields = ("registered_model__name", "run_id", "model_id", "user_id")
    show_full_result_count = False


@admin.register(Tag)
class TagAdmin(ReadOnlyAdmin):
    list_display = ("key", "value", "registered_model", "model_version")
    list_filter = (("model_version", admin.EmptyFieldListFilter),)
    list_select_related = ("registered_model", "model_version__registered_model")
    search_fields = ("key", "value", "registered_model__name", "model_version__registered_model__name")
    show_full_result_count = False


@admin.register(Alias)
class AliasAdmin(ReadOnlyAdmin):
    list_display = ("alias", "registered_model", "model_version")
    list_filter = ("model_version__current_stage",)
    list_select_related = ("registered_model", "model_version__registered_model")
    search_fields = ("alias", "registered_model__name")


@admin.register(Grant)
class ModelGrantAdmin(GrantAdmin):
    place = "registered_model"
    set_grant = staticmethod(set_grant)
    remove_grant = staticmethod(remove_grant)
    list_display = ("registered_model", "user", "group", "level")
    list_filter = ("level", ("registered_model", admin.EmptyFieldListFilter))
    list_select_related = ("registered_model", "user", "group")
    search_fields = ("registered_model__name", "user__username", "group__name")
    autocomplete_fields = ("registered_model", "user", "group")

    def named(self, grant: Grant) -> dict[str, Any]:
        return {"name": grant.registered_model.name if grant.registered_model else None}
