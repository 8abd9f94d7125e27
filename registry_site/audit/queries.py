"""Reading history. Who may read it is decided above, where the models and their levels are known."""

from django.db.models import QuerySet

from registry_site.audit.models import Activity


def activities_of_model(
    registered_model_id: int, *, version: int | None = None, request_number: int | None = None
) -> QuerySet[Activity]:
    """The history of a registered model, or of one version or request of it, newest first."""
    activities = Activity.objects.filter(registered_model_id=registered_model_id)
    if version is not None:
        activities = activities.filter(version=version)
    if request_number is not None:
        activities = activities.filter(request_number=request_number)
    return activities.order_by("-pk")
