"""Addresses that MLflow and Databricks print, and the Markdown preview that several forms use."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from registry_site.pages.access import signed_in
from registry_site.pages.middleware import PageRequest


@signed_in
def databricks_run(request: PageRequest, experiment_id: int, run_id: str) -> HttpResponse:
    """Where the link that a client with a Databricks registry prints leads to."""
    return redirect("run", run_id=run_id)


@signed_in
def databricks_experiment(request: PageRequest, experiment_id: int) -> HttpResponse:
    """As `databricks_run`, for an experiment."""
    return redirect("experiment", experiment_id=experiment_id)


@require_POST
@signed_in
def markdown_preview(request: PageRequest) -> HttpResponse:
    """The text as it will look."""
    return render(request, "pages/people/_markdown_preview.html", {"text": request.POST.get("description", "")})
