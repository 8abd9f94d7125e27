from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "registry_site.pages"
