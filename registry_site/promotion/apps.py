from django.apps import AppConfig


class PromotionConfig(AppConfig):
    name = "registry_site.promotion"

    def ready(self) -> None:
        """Hear of what changes evidence, and have a say where aliases go."""
        from registry_site.promotion.aliases import guard
        from registry_site.promotion.copying import guard_arrivals
        from registry_site.promotion.settling import settle_version
        from registry_site.registry import hooks

        hooks.version_changed.append(settle_version)
        hooks.alias_moves.append(guard)
        hooks.new_versions.append(guard_arrivals)
