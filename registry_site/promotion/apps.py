from django.apps import AppConfig


class PromotionConfig(AppConfig):
    name = "registry_site.promotion"
