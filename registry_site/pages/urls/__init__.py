"""The pages, by what they show."""

from registry_site.pages.urls import audit, people, promotion, registry, styleguide, tracking, webhooks

urlpatterns = [
    *people.urlpatterns,
    *registry.urlpatterns,
    *promotion.urlpatterns,
    *tracking.urlpatterns,
    *audit.urlpatterns,
    *webhooks.urlpatterns,
    *styleguide.urlpatterns,
]
