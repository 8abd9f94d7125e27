"""The governance desk: who is told of the registry, and what became of it, through the services. Secrets and addresses
stay out of sight: they are given on the pages, to which this leads."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html

from registry_site.accounts.actors import Actor, person
from registry_site.audit.kinds import Origin
from registry_site.core.admin import ReadOnlyAdmin
from registry_site.core.errors import PodiumError
from registry_site.webhooks import services
from registry_site.webhooks.models import Delivery, DeliveryAttempt, Webhook, WebhookStatus


def _actor(request: HttpRequest) -> Actor:
    return person(request.user, Origin.ADMIN)


def _each(request: HttpRequest, chosen: QuerySet[Any], act: Callable[[Any], str]) -> None:
    """Each by itself: one that is refused says why and stops no other."""
    for one in chosen.order_by("pk"):
        try:
            messages.success(request, f"{act(one)}: {one}")
        except PodiumError as error:
            messages.error(request, f"Not done for {one}: {error.message}")


@admin.register(Webhook)
class WebhookAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # ModelAdmin is not subscriptable at run time
    """A new one is made on its page, and so are addresses and secrets changed."""

    list_display = ("name", "status", "format", "registered_model", "host", "failures_in_a_row", "parked_at", "page")
    list_filter = ("status", "format")
    list_select_related = ("registered_model",)
    search_fields = ("name", "description", "registered_model__name")
    fields = (
        *("name", "description", "events", "status"),
        *("page", "format", "registered_model", "host", "created_by", "failures_in_a_row", "rests_until", "parked_at"),
    )
    readonly_fields = fields[4:]
    actions = ("enable_chosen", "disable_chosen", "test_chosen")

    @admin.display
    def host(self, obj: Webhook) -> str:
        return urlsplit(obj.url).netloc

    @admin.display
    def page(self, obj: Webhook) -> str:
        return format_html('<a href="{}">Address, secret, deliveries</a>', reverse("webhook", args=[obj.webhook_id]))

    def add_view(self, request: HttpRequest, *arguments: Any, **options: Any) -> HttpResponse:
        return redirect("new_webhook")

    def save_model(self, request: HttpRequest, obj: Webhook, form: "ModelForm[Any]", change: bool) -> None:
        given = {field: form.cleaned_data[field] for field in form.changed_data}
        if "status" in given:
            given["status"] = WebhookStatus(given["status"])
        if given:
            services.update_webhook(_actor(request), webhook_id=obj.webhook_id, **given)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[str], dict[str, int], set[str], Any]:
        """The webhooks by name: their deliveries go with them, whoever may edit these."""
        return [str(each) for each in objs], {"webhooks": len(objs)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Webhook) -> None:
        services.delete_webhook(_actor(request), webhook_id=obj.webhook_id)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        for webhook in queryset:
            self.delete_model(request, webhook)

    @admin.action(description="Enable the chosen webhooks", permissions=["change"])
    def enable_chosen(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        self._set_status(request, queryset, services.ACTIVE)

    @admin.action(description="Disable the chosen webhooks", permissions=["change"])
    def disable_chosen(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        self._set_status(request, queryset, services.DISABLED)

    @admin.action(description="Send a test to the chosen webhooks", permissions=["change"])
    def test_chosen(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        for webhook in queryset.order_by("pk"):
            outcome = services.try_webhook(_actor(request), webhook_id=webhook.webhook_id)
            if outcome.succeeded:
                messages.success(request, f"The test of {webhook} was taken: it was answered with {outcome.status}.")
            else:
                messages.error(request, f"The test of {webhook} failed. {outcome.error}")

    def _set_status(self, request: HttpRequest, chosen: QuerySet[Webhook], status: WebhookStatus) -> None:
        def set_it(webhook: Webhook) -> str:
            services.update_webhook(_actor(request), webhook_id=webhook.webhook_id, status=status)
            return "Enabled" if status == services.ACTIVE else "Disabled"

        _each(request, chosen, set_it)


class AttemptInline(admin.TabularInline):  # type: ignore[type-arg]  # as above
    model = DeliveryAttempt
    fields = readonly_fields = ("at", "duration_ms", "response_status", "error", "answer")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "event", "webhook", "state", "attempts", "response_status", "duration_ms", "error")
    list_filter = ("state", "event", "webhook")
    search_fields = ("delivery_id", "webhook__name", "error")
    date_hierarchy = "created_at"
    list_select_related = ("webhook",)
    inlines = (AttemptInline,)
    actions = ("send_again_chosen",)

    @admin.action(description="Send the chosen deliveries again", permissions=["view"])
    def send_again_chosen(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        def send(delivery: Delivery) -> str:
            services.send_again(_actor(request), delivery_id=delivery.delivery_id)
            return "Sent again"

        _each(request, queryset.select_related("webhook"), send)
