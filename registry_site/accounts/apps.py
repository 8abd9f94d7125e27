from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "registry_site.accounts"
