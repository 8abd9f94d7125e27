from django.apps import AppConfig


class MlflowApiConfig(AppConfig):
    name = "registry_site.mlflow_api"
