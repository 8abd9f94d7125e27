from django.apps import AppConfig


class SearchConfig(AppConfig):
    name = "registry_site.search"
