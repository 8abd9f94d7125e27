"""Every door, in one place."""

from django.contrib import admin
from django.urls import include, path

from registry_site.api.documentation import Documentation

handler400 = "registry_site.handlers.bad_request"
handler403 = "registry_site.handlers.forbidden"
handler404 = "registry_site.handlers.not_found"
handler500 = "registry_site.handlers.server_error"

urlpatterns = [
    path("api/v1/", include("registry_site.api.urls")),
    path("api-docs", Documentation.as_view(), name="api_documentation"),
    path("", include("registry_site.mlflow_api.urls")),
    path("admin/", admin.site.urls),
    path("", include("registry_site.pages.urls")),
]
