"""Webhooks in every format, their deliveries, and background work as a whole."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from registry_site.api.views import PageArguments, ProblemSerializer, View
from registry_site.jobs.queries import read_jobs
from registry_site.webhooks import queries, services
from registry_site.webhooks.formats import Format

PROBLEMS = {400: ProblemSerializer, 401: ProblemSerializer, 403: ProblemSerializer, 404: ProblemSerializer}
STATUSES = ("ACTIVE", "DISABLED", "TEST_MODE")


# -- what is sent back -------------------------------------------------------------------------------------------------
class WebhookSerializer(serializers.Serializer[Any]):
    """A webhook, without what is secret of it."""

    id = serializers.CharField(source="webhook_id")
    name = serializers.CharField()
    url = serializers.CharField()
    description = serializers.CharField()
    format = serializers.CharField()
    model = serializers.CharField(
        source="registered_model.name", default=None, allow_null=True, help_text="null for the whole registry"
    )
    events = serializers.ListField(child=serializers.CharField())
    status = serializers.CharField()
    is_signed = serializers.BooleanField(source="encrypted_secret")
    failures_in_a_row = serializers.IntegerField()
    parked_at = serializers.DateTimeField(
        allow_null=True, help_text="when it was disabled, because it had only failed for days"
    )


class WebhooksSerializer(serializers.Serializer[Any]):
    """A page of webhooks, newest first."""

    webhooks = WebhookSerializer(many=True)
    next_page_token = serializers.CharField(help_text="empty on the last page")


class SecretSerializer(serializers.Serializer[Any]):
    """A secret; this is the only time that it is seen."""

    secret = serializers.CharField(help_text="empty where it is a token that somebody else made")


class MadeWebhookSerializer(SecretSerializer):
    """A new webhook, and its secret."""

    webhook = WebhookSerializer()


class OutcomeSerializer(serializers.Serializer[Any]):
    """What came of one attempt."""

    succeeded = serializers.BooleanField()
    response_status = serializers.IntegerField(allow_null=True, source="status", help_text="null without an answer")
    duration_ms = serializers.IntegerField()
    error = serializers.CharField()
    answer = serializers.CharField(source="text", help_text="from hosts that an administrator allows by name only")


class DeliverySerializer(serializers.Serializer[Any]):
    """A delivery; `id` is what the receiver sees at every attempt."""

    id = serializers.CharField(source="delivery_id")
    event = serializers.CharField()
    state = serializers.CharField(help_text="pending, succeeded or failed")
    created_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(help_text="of the next attempt, while it is pending")
    attempts = serializers.IntegerField()
    attempted_at = serializers.DateTimeField(allow_null=True)
    duration_ms = serializers.IntegerField(allow_null=True)
    response_status = serializers.IntegerField(allow_null=True)
    error = serializers.CharField()


class DeliveriesSerializer(serializers.Serializer[Any]):
    """A page of deliveries, newest first."""

    deliveries = DeliverySerializer(many=True)
    next_page_token = serializers.CharField(help_text="empty on the last page")


class AttemptSerializer(serializers.Serializer[Any]):
    """One attempt of a delivery."""

    at = serializers.DateTimeField()
    duration_ms = serializers.IntegerField()
    response_status = serializers.IntegerField(allow_null=True)
    error = serializers.CharField()
    answer = serializers.CharField()


class WholeDeliverySerializer(DeliverySerializer):
    """A delivery with what is sent and every attempt, the newest first."""

    webhook_id = serializers.CharField(source="webhook.webhook_id")
    body = serializers.CharField()
    tries = serializers.SerializerMethodField()

    @extend_schema_field(AttemptSerializer(many=True))
    def get_tries(self, delivery: Any) -> list[dict[str, Any]]:
        return list(AttemptSerializer(queries.attempts_of(delivery), many=True).data)


class QueueSerializer(serializers.Serializer[Any]):
    """Rows that wait to be worked on."""

    name = serializers.CharField()
    due = serializers.IntegerField()
    oldest = serializers.DateTimeField(allow_null=True, help_text="since when the oldest of these is due")
    later = serializers.IntegerField(help_text="tried again later")
    failed = serializers.IntegerField(help_text="given up within 7 days")


class WorkerSerializer(serializers.Serializer[Any]):
    """A process that works in the background."""

    name = serializers.CharField()
    started_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField()


class JobsSerializer(serializers.Serializer[Any]):
    """The state of background work."""

    queues = QueueSerializer(many=True)
    workers = WorkerSerializer(many=True, source="alive")


# -- what is sent ------------------------------------------------------------------------------------------------------
class WebhookChangeSerializer(serializers.Serializer[Any]):
    """What changes of a webhook; what is absent stays."""

    name = serializers.CharField(required=False)
    url = serializers.CharField(required=False)
    description = serializers.CharField(required=False, allow_blank=True)
    events = serializers.ListField(child=serializers.CharField(), required=False, help_text="`*` is all of them")
    status = serializers.ChoiceField(choices=STATUSES, required=False)
    authorization = serializers.CharField(
        required=False, allow_blank=True, help_text="the value of an Authorization header"
    )


class NewWebhookSerializer(WebhookChangeSerializer):
    """A new webhook."""

    name = serializers.CharField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField(), help_text="`*` is all of them")
    format = serializers.ChoiceField(choices=[format.value for format in Format], default=Format.STANDARD.value)
    model = serializers.CharField(default=None, allow_null=True, help_text="null for the whole registry")
    secret = serializers.CharField(default="", allow_blank=True, help_text="empty: one is made")


class NewSecretSerializer(serializers.Serializer[Any]):
    """Another secret."""

    secret = serializers.CharField(default="", allow_blank=True, help_text="empty: one is made")


class EventSerializer(serializers.Serializer[Any]):
    """Which event to try."""

    event = serializers.CharField(default="", allow_blank=True, help_text="by default the webhook's first")


class WebhooksArguments(PageArguments):
    """Which webhooks."""

    model = serializers.CharField(default=None, help_text="a registered model")


class DeliveriesArguments(PageArguments):
    """Which deliveries."""

    state = serializers.ChoiceField(choices=list(queries.DELIVERY_STATES), default="")


# -- webhooks ----------------------------------------------------------------------------------------------------------
class Webhooks(View):
    """The webhooks that one manages."""

    @extend_schema(
        operation_id="webhooks", parameters=[WebhooksArguments], responses={200: WebhooksSerializer, **PROBLEMS}
    )
    def get(self, request: Request) -> Response:
        """All of them, or those of one registered model, newest first."""
        wanted = self.given(WebhooksArguments, request.query_params)
        page = queries.list_webhooks(
            self.actor, name=wanted["model"], max_results=wanted["max_results"], page_token=wanted["page_token"]
        )
        return Response(WebhooksSerializer({"webhooks": page.rows, "next_page_token": page.next_page_token}).data)

    @extend_schema(
        operation_id="create_webhook", request=NewWebhookSerializer, responses={201: MadeWebhookSerializer, **PROBLEMS}
    )
    def post(self, request: Request) -> Response:
        """Make one: for a model that one manages, or as an administrator for the whole registry."""
        wanted = _with_status(self.given(NewWebhookSerializer, request.data))
        wanted["format"] = Format(wanted["format"])
        wanted["secret"] = wanted["secret"] or services.new_secret(wanted["format"])
        made = services.create_webhook(self.actor, **wanted)
        answer = MadeWebhookSerializer({"webhook": made, "secret": wanted["secret"]}).data
        return Response(answer, status=status.HTTP_201_CREATED)


class OneWebhook(View):
    """One webhook."""

    @extend_schema(operation_id="webhook", responses={200: WebhookSerializer, **PROBLEMS})
    def get(self, request: Request, webhook_id: str) -> Response:
        """What it is."""
        return Response(WebhookSerializer(queries.get_webhook(self.actor, webhook_id)).data)

    @extend_schema(
        operation_id="update_webhook", request=WebhookChangeSerializer, responses={200: WebhookSerializer, **PROBLEMS}
    )
    def patch(self, request: Request, webhook_id: str) -> Response:
        """Change what is named of it. Format and model stay."""
        wanted = _with_status(self.given(WebhookChangeSerializer, request.data))
        return Response(WebhookSerializer(services.update_webhook(self.actor, webhook_id=webhook_id, **wanted)).data)

    @extend_schema(operation_id="delete_webhook", responses={204: None, **PROBLEMS})
    def delete(self, request: Request, webhook_id: str) -> Response:
        """Remove it with its deliveries."""
        services.delete_webhook(self.actor, webhook_id=webhook_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class WebhookSecret(View):
    """The secret of a webhook."""

    @extend_schema(
        operation_id="rotate_webhook_secret",
        request=NewSecretSerializer,
        responses={200: SecretSerializer, **PROBLEMS},
    )
    def post(self, request: Request, webhook_id: str) -> Response:
        """Give it another one. In the standard format the one before signs, too, for 24 hours."""
        wanted = self.given(NewSecretSerializer, request.data)
        secret = services.rotate_secret(self.actor, webhook_id=webhook_id, secret=wanted["secret"])
        return Response({"secret": secret})


class WebhookTest(View):
    """Trying a webhook out."""

    @extend_schema(operation_id="test_webhook", request=EventSerializer, responses={200: OutcomeSerializer, **PROBLEMS})
    def post(self, request: Request, webhook_id: str) -> Response:
        """Send an example of an event, and say what came of it. A disabled one can be tried, too."""
        event = self.given(EventSerializer, request.data)["event"] or None
        return Response(OutcomeSerializer(services.try_webhook(self.actor, webhook_id=webhook_id, event=event)).data)


# -- deliveries --------------------------------------------------------------------------------------------------------
class Deliveries(View):
    """The deliveries of a webhook."""

    @extend_schema(
        operation_id="deliveries", parameters=[DeliveriesArguments], responses={200: DeliveriesSerializer, **PROBLEMS}
    )
    def get(self, request: Request, webhook_id: str) -> Response:
        """All of them, or those in one state, newest first."""
        wanted = self.given(DeliveriesArguments, request.query_params)
        page = queries.browse_deliveries(
            self.actor,
            webhook_id,
            state=queries.DELIVERY_STATES.get(wanted["state"]),
            max_results=wanted["max_results"],
            page_token=wanted["page_token"],
        )
        return Response(DeliveriesSerializer({"deliveries": page.rows, "next_page_token": page.next_page_token}).data)


class OneDelivery(View):
    """One delivery."""

    @extend_schema(operation_id="delivery", responses={200: WholeDeliverySerializer, **PROBLEMS})
    def get(self, request: Request, delivery_id: str) -> Response:
        """What is sent, and every attempt."""
        return Response(WholeDeliverySerializer(queries.get_delivery(self.actor, delivery_id)).data)


class SendAgain(View):
    """A delivery that is to be sent once more."""

    @extend_schema(
        operation_id="send_again",
        request=None,
        responses={200: WholeDeliverySerializer, 409: ProblemSerializer, **PROBLEMS},
    )
    def post(self, request: Request, delivery_id: str) -> Response:
        """Have it sent again now, with the same id and body."""
        return Response(WholeDeliverySerializer(services.send_again(self.actor, delivery_id=delivery_id)).data)


# -- background work ---------------------------------------------------------------------------------------------------
class Jobs(View):
    """Background work."""

    @extend_schema(operation_id="jobs", responses={200: JobsSerializer, 401: ProblemSerializer, 403: ProblemSerializer})
    def get(self, request: Request) -> Response:
        """What waits, since when, what failed, and which workers are alive. For administrators."""
        return Response(JobsSerializer(read_jobs(self.actor)).data)


def _with_status(wanted: dict[str, Any]) -> dict[str, Any]:
    """The arguments with the status as services take it."""
    if "status" in wanted:
        wanted["status"] = services.parse_status(wanted["status"])
    return wanted
