"""The governance desk: mails, to see what was sent and why something was not."""

from django.contrib import admin

from registry_site.core.admin import ReadOnlyAdmin
from registry_site.notifications.models import Mail


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    list_display = ("subject", "address", "state", "attempts", "created_at", "due_at", "sent_at")
    list_filter = ("state", "created_at")
    search_fields = ("subject", "address", "recipient__username", "thread")
    list_select_related = ("recipient",)
    date_hierarchy = "created_at"
