"""The audit log."""

from django.urls import path

from registry_site.pages.views import audit

urlpatterns = [
    path("audit", audit.audit, name="audit"),
    path("audit.csv", audit.audit_csv, name="audit_csv"),
    path("audit.jsonl", audit.audit_json_lines, name="audit_json_lines"),
]
