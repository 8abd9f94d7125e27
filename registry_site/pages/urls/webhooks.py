"""Webhooks and their deliveries, and background work as a whole."""

from django.urls import path

from registry_site.pages.views import jobs, webhooks

urlpatterns = [
    path("govern/jobs", jobs.jobs, name="jobs"),
    path("webhooks", webhooks.webhooks, name="webhooks"),
    path("webhooks/new", webhooks.new_webhook, name="new_webhook"),
    path("webhooks/deliveries/<str:delivery_id>", webhooks.delivery, name="delivery"),
    path("webhooks/<str:webhook_id>", webhooks.webhook, name="webhook"),
    path("webhooks/<str:webhook_id>/edit", webhooks.edit_webhook, name="edit_webhook"),
]
