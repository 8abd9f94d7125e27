"""The governance desk: registered models to look up, and grants to give, which go through the services."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from registry_site.accounts.actors import person
from registry_site.accounts.levels import Level
from registry_site.audit.kinds import Origin
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
class GrantAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # ModelAdmin is not subscriptable at run time
    """Whom a grant is for, and on what, stays; its level changes."""

    list_display = ("registered_model", "user", "group", "level")
    list_display_links = ("level",)
    list_filter = ("level", ("registered_model", admin.EmptyFieldListFilter))
    list_select_related = ("registered_model", "user", "group")
    search_fields = ("registered_model__name", "user__username", "group__name")
    autocomplete_fields = ("registered_model", "user", "group")

    def get_readonly_fields(self, request: HttpRequest, obj: Grant | None = None) -> tuple[str, ...]:
        return ("registered_model", "user", "group") if obj else ()

    def save_model(self, request: HttpRequest, obj: Grant, form: "ModelForm[Any]", change: bool) -> None:
        actor = person(request.user, Origin.ADMIN)
        obj.pk = set_grant(actor, level=Level(obj.level), **_place_and_holder(obj)).pk

    def delete_model(self, request: HttpRequest, obj: Grant) -> None:
        remove_grant(person(request.user, Origin.ADMIN), **_place_and_holder(obj))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Grant]) -> None:
        for grant in queryset:
            self.delete_model(request, grant)


def _place_and_holder(grant: Grant) -> dict[str, Any]:
    return {
        "name": grant.registered_model.name if grant.registered_model else None,
        "username": grant.user.username if grant.user else "",
        "group": grant.group.name if grant.group else "",
    }
