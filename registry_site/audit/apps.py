from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "registry_site.audit"
