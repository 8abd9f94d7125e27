"""Reading history. Who may read it is decided above, where the models and their levels are known."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from registry_site.audit.kinds import Kind
from registry_site.audit.models import Activity


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which activities: of whom, of which kinds, from where, of which registered models, when (from, and before).

    What is empty or None is no condition.
    """

    actor_name: str = ""
    kinds: Collection[str] = ()
    origin: str = ""
    models: Collection[int] | None = None
    since: datetime | None = None
    until: datetime | None = None


def activities(wanted: Wanted) -> QuerySet[Activity]:
    """Of all of history what is wanted, newest first."""
    conditions = Q()
    if wanted.actor_name:
        conditions &= Q(actor_name=wanted.actor_name)
    if wanted.kinds:
        conditions &= Q(kind__in=wanted.kinds)
    if wanted.origin:
        conditions &= Q(origin=wanted.origin)
    if wanted.models is not None:
        conditions &= Q(chain__in=wanted.models)
    if wanted.since is not None:
        conditions &= Q(at__gte=wanted.since)
    if wanted.until is not None:
        conditions &= Q(at__lt=wanted.until)
    return Activity.objects.filter(conditions).order_by("-pk")


def activities_of_model(
    registered_model_id: int,
    *,
    version: int | None = None,
    request_number: int | None = None,
    kinds: Collection[str] = (),
) -> QuerySet[Activity]:
    """The history of a registered model, or of one version or request of it, newest first."""
    if version is None:
        found = Activity.objects.filter(chain=registered_model_id)
    else:
        found = Activity.objects.filter(registered_model_id=registered_model_id, version=version)
    if request_number is not None:
        found = found.filter(request_number=request_number)
    if kinds:
        found = found.filter(kind__in=kinds)
    return found.order_by("-pk")


def models_once_called(name: str) -> QuerySet[Activity, int | None]:
    """The keys of registered models that had this name when they were deleted, or before they were renamed."""
    deleted = Q(kind=Kind.MODEL_DELETED, subject=f"model {name}")
    renamed = Q(kind=Kind.MODEL_RENAMED, data__before=name)
    return Activity.objects.filter(deleted | renamed).values_list("registered_model_id", flat=True)
