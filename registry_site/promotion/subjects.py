"""How history names what promotion deals with."""

from typing import Any

from registry_site.audit.record import Subject
from registry_site.promotion.models import TransitionRequest


def of_request(request: TransitionRequest) -> Subject:
    return Subject(
        f"request {request.registered_model.name}#{request.number}",
        registered_model_id=request.registered_model_id,
        version=request.version,
        request_number=request.number,
    )


def what_is_copied(request: TransitionRequest) -> dict[str, Any]:
    """What history says of a request for a copy: the key of the other model, and not its name, which not all may know
    who read this model's history."""
    return {"copy_to_id": request.copy_to_id} if request.is_copy else {}
