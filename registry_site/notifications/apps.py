from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "registry_site.notifications"
