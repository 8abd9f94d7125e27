"""Every address of this door, below `/api/v1/`."""

from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularAPIView

from registry_site.api import activities, archives, grants, inspection, people, promotion, promotion_settings, webhooks
from registry_site.api.errors import not_found
from registry_site.api.views import View


class Schema(View, SpectacularAPIView):
    """The description of this API, in OpenAPI's format."""

    renderer_classes = SpectacularAPIView.renderer_classes  # type: ignore[assignment]  # YAML too


_MODEL = "models/<str:name>"
_REQUEST = f"{_MODEL}/requests/<int:number>"
_VERSION = f"{_MODEL}/versions/<int:version>"

urlpatterns = [
    path("me", people.Profile.as_view()),
    path("tokens", people.Tokens.as_view()),
    path("tokens/<int:token_id>", people.Token.as_view()),
    path("activities", activities.History.as_view()),
    path("models/<str:name>/archive-link", archives.ArchiveLink.as_view()),
    path("models/<str:name>/activities", activities.ModelHistory.as_view()),
    path("models/<str:place>/grants", grants.ModelGrants.as_view()),
    path("models/<str:place>/grants/people/<str:username>", grants.ModelGrant.as_view()),
    path("models/<str:place>/grants/groups/<path:group>", grants.ModelGrant.as_view()),
    path("experiments/<str:place>/grants", grants.ExperimentGrants.as_view()),
    path("experiments/<str:place>/grants/people/<str:username>", grants.ExperimentGrant.as_view()),
    path("experiments/<str:place>/grants/groups/<path:group>", grants.ExperimentGrant.as_view()),
    path("models/<str:name>/versions/<int:version>/manifest", inspection.Manifest.as_view()),
    path("models/<str:name>/versions/<int:version>/scan", inspection.Scan.as_view()),
    path("requests", promotion.Requests.as_view()),
    path(f"{_MODEL}/requests", promotion.ModelRequests.as_view()),
    path(_REQUEST, promotion.OneRequest.as_view()),
    path(f"{_REQUEST}/record", promotion.RequestRecord.as_view(), name="request_record"),
    path(f"{_REQUEST}/timeline", promotion.Timeline.as_view()),
    path(f"{_REQUEST}/reviews", promotion.Reviews.as_view()),
    path(f"{_REQUEST}/reviews/<str:reviewer>/dismiss", promotion.Dismissal.as_view()),
    path(f"{_REQUEST}/cancel", promotion.Cancellation.as_view()),
    path(f"{_REQUEST}/comments", promotion.RequestComments.as_view()),
    path(f"{_VERSION}/transition", promotion.Transition.as_view()),
    path(f"{_VERSION}/copies", promotion.Copies.as_view()),
    path(f"{_VERSION}/rollback", promotion.Rollback.as_view()),
    path(f"{_VERSION}/checks", promotion.Checks.as_view()),
    path(f"{_VERSION}/deployments", promotion.Deployments.as_view()),
    path(f"{_MODEL}/policies", promotion.ModelPolicies.as_view()),
    path(f"{_MODEL}/policies/<str:stage>", promotion.ModelStagePolicy.as_view()),
    path(f"{_MODEL}/policies/<str:stage>/dry-run", promotion.DryRun.as_view()),
    path("policies", promotion.Policies.as_view()),
    path("policies/<str:stage>", promotion.StagePolicy.as_view()),
    path(f"{_MODEL}/alias-policies", promotion_settings.ModelAliasPolicies.as_view()),
    path(f"{_MODEL}/alias-policies/<str:alias>", promotion_settings.ModelAliasPolicy.as_view()),
    path("alias-policies", promotion_settings.AliasPolicies.as_view()),
    path("alias-policies/<str:alias>", promotion_settings.AliasPolicy.as_view()),
    path(f"{_MODEL}/metric-directions", promotion_settings.ModelMetricDirections.as_view()),
    path(f"{_MODEL}/metric-directions/<path:metric>", promotion_settings.ModelMetricDirection.as_view()),
    path("metric-directions", promotion_settings.MetricDirections.as_view()),
    path("metric-directions/<path:metric>", promotion_settings.MetricDirection.as_view()),
    path("webhooks", webhooks.Webhooks.as_view()),
    path("webhooks/<str:webhook_id>", webhooks.OneWebhook.as_view()),
    path("webhooks/<str:webhook_id>/secret", webhooks.WebhookSecret.as_view()),
    path("webhooks/<str:webhook_id>/test", webhooks.WebhookTest.as_view()),
    path("webhooks/<str:webhook_id>/deliveries", webhooks.Deliveries.as_view()),
    path("deliveries/<str:delivery_id>", webhooks.OneDelivery.as_view()),
    path("deliveries/<str:delivery_id>/send-again", webhooks.SendAgain.as_view()),
    path("jobs", webhooks.Jobs.as_view()),
    path("schema", Schema.as_view(), name="api_schema"),
    re_path(r"^(?P<path>.*)\Z", csrf_exempt(not_found)),
]
