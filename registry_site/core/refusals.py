"""How a refusal is answered over HTTP: the status and the code, which are the same at every REST door. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from registry_site.core import errors


class Refusal(NamedTuple):
    """An HTTP status, a code in MLflow's words, and headers."""

    status: int
    code: str
    headers: dict[str, str] = {}


_REFUSALS: Mapping[type[errors.PodiumError], Refusal] = {
    errors.InvalidParameter: Refusal(400, "INVALID_PARAMETER_VALUE"),
    errors.AlreadyExists: Refusal(400, "RESOURCE_ALREADY_EXISTS"),
    errors.NotSignedIn: Refusal(401, "UNAUTHENTICATED", {"WWW-Authenticate": 'Basic realm="Podium"'}),
    errors.PermissionDenied: Refusal(403, "PERMISSION_DENIED"),
    errors.NotFound: Refusal(404, "RESOURCE_DOES_NOT_EXIST"),
    errors.Conflict: Refusal(409, "RESOURCE_CONFLICT"),
    errors.TooLarge: Refusal(413, "INVALID_PARAMETER_VALUE"),
    errors.TooManyAttempts: Refusal(429, "REQUEST_LIMIT_EXCEEDED", {"Retry-After": "30"}),
    errors.NotSupported: Refusal(501, "NOT_IMPLEMENTED"),
    errors.Unavailable: Refusal(503, "TEMPORARILY_UNAVAILABLE", {"Retry-After": "5"}),
    errors.StorageFull: Refusal(507, "RESOURCE_EXHAUSTED"),
}
CODES_BY_STATUS = {refusal.status: refusal.code for refusal in _REFUSALS.values()}


def refusal_of(error: errors.PodiumError) -> Refusal:
    """How this error is answered."""
    return next(_REFUSALS[kind] for kind in type(error).__mro__ if kind in _REFUSALS)
