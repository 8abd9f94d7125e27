from django.contrib.admin.apps import AdminConfig


class GovernanceConfig(AdminConfig):
    """Django's admin, as our governance desk."""

    default_site = "registry_site.core.admin.GovernanceSite"
