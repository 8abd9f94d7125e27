"""The page that shows this API and lets people try it, in the name of their session."""

from typing import Any

from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.request import Request

from registry_site.api.authentication import HeaderOrSession


class Documentation(SpectacularSwaggerSplitView):
    """For everybody who is signed in. Strangers are shown where to do that, as on every page."""

    url_name = "api_schema"
    title = "Podium's API"
    template_name = "api/documentation.html"
    authentication_classes = (HeaderOrSession,)
    permission_classes = ()

    def initial(self, request: Request, *arguments: Any, **parts: Any) -> None:
        """Raises NotSignedIn for a stranger."""
        super().initial(request, *arguments, **parts)
        request.user.require_signed_in()  # type: ignore[union-attr]  # an actor, as HeaderOrSession says
