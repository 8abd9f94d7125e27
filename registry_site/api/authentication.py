"""Who calls: by the Authorization header, or by the session of the browser that shows the documentation."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from registry_site.accounts.actors import Actor, person
from registry_site.accounts.authentication import actor_from_header
from registry_site.audit.kinds import Origin


class HeaderOrSession(BaseAuthentication):
    """A token or password, as clients of MLflow send it; without one, the session, with its token against forgery."""

    def authenticate(self, request: Request) -> tuple[Actor, None]:
        """The actor; a stranger without credentials. Raises NotSignedIn for wrong ones."""
        meta, user = request.META, request._request.user
        header = meta.get("HTTP_AUTHORIZATION")
        if header or not user.is_authenticated:
            return actor_from_header(header, origin=Origin.REST, remote_address=meta.get("REMOTE_ADDR", "")), None
        SessionAuthentication().enforce_csrf(request)
        return person(user, Origin.REST), None

    def authenticate_header(self, request: Request) -> str:
        return 'Basic realm="Podium"'


class HeaderScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # untyped there
    """What the documentation says of it."""

    target_class = HeaderOrSession
    name = ["token", "password"]

    def get_security_definition(self, auto_schema: object) -> list[dict[str, str]]:
        return [{"type": "http", "scheme": "bearer"}, {"type": "http", "scheme": "basic"}]
