"""The governance desk: who is told of the registry, and what became of it. Secrets and addresses stay out of sight."""

from django.contrib import admin

from registry_site.core.admin import ReadOnlyAdmin
from registry_site.webhooks.models import Delivery, Webhook


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin):
    list_display = ("name", "status", "events", "created_by")
    list_filter = ("status",)
    search_fields = ("name", "description")
    exclude = ("encrypted_secret", "url")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "event", "webhook", "state", "attempts", "response_status", "duration_ms", "error")
    list_filter = ("state", "event", "webhook")
    search_fields = ("delivery_id", "webhook__name", "error")
    date_hierarchy = "created_at"
    list_select_related = ("webhook",)
