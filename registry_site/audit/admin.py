"""The governance desk: history, and what of it nobody was told of yet."""

from django.contrib import admin

from registry_site.audit.models import Activity, OutboxEntry
from registry_site.core.admin import ReadOnlyAdmin


@admin.register(Activity)
class ActivityAdmin(ReadOnlyAdmin):
    list_display = ("at", "actor_name", "kind", "subject", "version", "request_number", "origin", "digest")
    list_filter = ("kind", "origin", "at")
    search_fields = ("actor_name", "subject", "comment")
    date_hierarchy = "at"

    @admin.display(description="hash")
    def digest(self, activity: Activity) -> str:
        return activity.hash[:12]


@admin.register(OutboxEntry)
class OutboxEntryAdmin(ReadOnlyAdmin):
    list_display = ("activity", "due_at", "attempts")
    list_filter = ("due_at",)
    search_fields = ("activity__subject", "activity__actor_name")
    list_select_related = ("activity",)
