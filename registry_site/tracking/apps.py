from django.apps import AppConfig


class TrackingConfig(AppConfig):
    name = "registry_site.tracking"
