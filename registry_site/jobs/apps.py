from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "registry_site.jobs"
