"""What the endpoints of this door have in common."""

from typing import Any, TypeVar

from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from registry_site.accounts.actors import Actor
from registry_site.api.authentication import HeaderOrSession
from registry_site.api.errors import problem

Given = TypeVar("Given", bound=serializers.BaseSerializer[Any])


class ProblemSerializer(serializers.Serializer[Any]):
    """A refusal."""

    code = serializers.CharField(help_text="in MLflow's words, such as `RESOURCE_DOES_NOT_EXIST`")
    message = serializers.CharField(help_text="a sentence that names the thing and the way out")
    field = serializers.CharField(required=False, help_text="the parameter at fault")


class View(APIView):
    """An address of this door. Services are called in the name of `actor`; what they raise becomes a problem."""

    authentication_classes = (HeaderOrSession,)
    permission_classes = ()
    parser_classes = (JSONParser,)
    renderer_classes = (JSONRenderer,)

    @property
    def actor(self) -> Actor:
        """Who calls."""
        return self.request.user  # type: ignore[return-value]  # HeaderOrSession says so

    def initial(self, request: Request, *arguments: Any, **parts: Any) -> None:
        """Raises NotSignedIn for a stranger, and PermissionDenied for a token that may not write what the method
        writes, before anything of the request is looked at."""
        super().initial(request, *arguments, **parts)
        if request.method in SAFE_METHODS:
            self.actor.require_signed_in()
        else:
            self.actor.require_write()

    def get_exception_handler(self) -> Any:
        return problem

    def given(self, serializer: type[Given], data: Any) -> dict[str, Any]:
        """The arguments, checked by the serializer."""
        checked = serializer(data=data)
        checked.is_valid(raise_exception=True)
        found: dict[str, Any] = checked.validated_data
        return found


class PageArguments(serializers.Serializer[Any]):
    """Which page of a list."""

    max_results = serializers.IntegerField(min_value=1, max_value=500, default=50)
    page_token = serializers.CharField(default="", allow_blank=True)
