"""Every address of this door, below `/api/v1/`."""

from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularAPIView

from registry_site.api import activities, grants, people
from registry_site.api.errors import not_found
from registry_site.api.views import View


class Schema(View, SpectacularAPIView):
    """The description of this API, in OpenAPI's format."""

    renderer_classes = SpectacularAPIView.renderer_classes  # type: ignore[assignment]  # YAML too


urlpatterns = [
    path("me", people.Profile.as_view()),
    path("tokens", people.Tokens.as_view()),
    path("tokens/<int:token_id>", people.Token.as_view()),
    path("activities", activities.History.as_view()),
    path("models/<str:name>/activities", activities.ModelHistory.as_view()),
    path("models/<str:place>/grants", grants.ModelGrants.as_view()),
    path("models/<str:place>/grants/people/<str:username>", grants.ModelGrant.as_view()),
    path("models/<str:place>/grants/groups/<path:group>", grants.ModelGrant.as_view()),
    path("experiments/<str:place>/grants", grants.ExperimentGrants.as_view()),
    path("experiments/<str:place>/grants/people/<str:username>", grants.ExperimentGrant.as_view()),
    path("experiments/<str:place>/grants/groups/<path:group>", grants.ExperimentGrant.as_view()),
    path("schema", Schema.as_view(), name="api_schema"),
    re_path(r"^(?P<path>.*)\Z", csrf_exempt(not_found)),
]
