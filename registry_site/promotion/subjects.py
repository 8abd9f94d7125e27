"""How history names what promotion deals with."""

from registry_site.audit.record import Subject
from registry_site.promotion.models import TransitionRequest


def of_request(request: TransitionRequest) -> Subject:
    return Subject(
        f"request {request.registered_model.name}#{request.number}",
        registered_model_id=request.registered_model_id,
        version=request.version,
        request_number=request.number,
    )
