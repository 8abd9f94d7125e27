from importlib import import_module

from django.apps import AppConfig


class RegistryConfig(AppConfig):
    name = "registry_site.registry"

    def ready(self) -> None:
        """Files of versions are frozen, through whichever door they are written."""
        files = import_module("registry_site.tracking.artifact_files")
        files.add_guard(import_module("registry_site.registry.freezing").refuse_frozen)
