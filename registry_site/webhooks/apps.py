from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "registry_site.webhooks"
