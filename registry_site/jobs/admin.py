"""The governance desk: who works in the background."""

from django.contrib import admin

from registry_site.core.admin import ReadOnlyAdmin
from registry_site.jobs.models import Worker


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    list_display = ("name", "started_at", "seen_at")
