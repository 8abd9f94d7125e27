from importlib import import_module

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

from registry_site.artifacts.checks import check_stores


class WorkerConfig(AppConfig):
    name = "registry_site.worker"

    def ready(self) -> None:
        """Where there is a broker, tell it of new work; else the sweep finds it, and Celery is not even imported."""
        checks.register(check_stores)
        if settings.CELERY_BROKER_URL:
            import_module("registry_site.worker.nudging").install()
