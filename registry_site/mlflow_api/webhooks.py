"""Endpoints of webhooks."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from registry_site.accounts.actors import Actor
from registry_site.mlflow_api.endpoint import Endpoint
from registry_site.mlflow_api.structs import webhooks as structs
from registry_site.webhooks import queries, services
from registry_site.webhooks.events import Event, parse_event
from registry_site.webhooks.formats import Format

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.webhooks.models import Webhook, WebhookStatus

_STATUSES = {"1": "ACTIVE", "2": "DISABLED"}


class CreateWebhook(Endpoint[structs.CreateWebhookArguments]):
    """A new webhook; for administrators."""

    path = "webhooks"
    methods = ("POST",)
    request_type = structs.CreateWebhookArguments

    def call(self, actor: Actor, request: structs.CreateWebhookArguments) -> structs.WebhookAnswer:
        webhook = services.create_webhook(
            actor,
            name=request.name,
            url=request.url,
            events=_events(request.events),
            description=request.description,
            secret=request.secret,
            status=_status(request.status) or services.ACTIVE,
        )
        return structs.WebhookAnswer(webhook=_webhook(webhook))


class ListWebhooks(Endpoint[structs.ListWebhooksArguments]):
    """A page of all webhooks, newest first; for administrators."""

    path = "webhooks"
    methods = ("GET",)
    request_type = structs.ListWebhooksArguments

    def call(self, actor: Actor, request: structs.ListWebhooksArguments) -> structs.WebhooksAnswer:
        page = queries.list_webhooks(
            actor,
            format=Format.MLFLOW,
            registry_wide=True,
            max_results=request.max_results,
            page_token=request.page_token,
        )
        return structs.WebhooksAnswer(
            webhooks=[_webhook(webhook) for webhook in page.rows], next_page_token=page.next_page_token
        )


class GetWebhook(Endpoint[structs.WebhookArguments]):
    """One webhook; for administrators."""

    path = "webhooks/<str:webhook_id>"
    methods = ("GET",)
    request_type = structs.WebhookArguments

    def call(self, actor: Actor, request: structs.WebhookArguments) -> structs.WebhookAnswer:
        return structs.WebhookAnswer(webhook=_webhook(_found(actor, request.webhook_id)))


class UpdateWebhook(Endpoint[structs.UpdateWebhookArguments]):
    """Changes what is sent of a webhook; for administrators."""

    path = "webhooks/<str:webhook_id>"
    methods = ("PATCH",)
    request_type = structs.UpdateWebhookArguments

    def call(self, actor: Actor, request: structs.UpdateWebhookArguments) -> structs.WebhookAnswer:
        _found(actor, request.webhook_id)
        webhook = services.update_webhook(
            actor,
            webhook_id=request.webhook_id,
            name=request.name,
            url=request.url,
            events=_events(request.events) if request.events else None,
            description=request.description,
            secret=request.secret,
            status=_status(request.status),
        )
        return structs.WebhookAnswer(webhook=_webhook(webhook))


class DeleteWebhook(Endpoint[structs.WebhookArguments]):
    """Removes a webhook with its deliveries; for administrators."""

    path = "webhooks/<str:webhook_id>"
    methods = ("DELETE",)
    request_type = structs.WebhookArguments

    def call(self, actor: Actor, request: structs.WebhookArguments) -> None:
        _found(actor, request.webhook_id)
        services.delete_webhook(actor, webhook_id=request.webhook_id)


class TestWebhook(Endpoint[structs.TestWebhookArguments]):
    """Sends an example of an event and says what came of it; for administrators."""

    path = "webhooks/<str:webhook_id>/test"
    methods = ("POST",)
    request_type = structs.TestWebhookArguments

    def call(self, actor: Actor, request: structs.TestWebhookArguments) -> structs.TestAnswer:
        _found(actor, request.webhook_id)
        event = parse_event(request.event.entity, request.event.action) if request.event else None
        outcome = services.try_webhook(actor, webhook_id=request.webhook_id, event=event)
        return structs.TestAnswer(
            result=structs.TestResult(
                success=outcome.succeeded,
                response_status=outcome.status,
                response_body=outcome.text,
                error_message=outcome.error,
            )
        )


def _events(arguments: Iterable[structs.EventArgument]) -> list[Event]:
    return [parse_event(one.entity, one.action) for one in arguments]


def _found(actor: Actor, webhook_id: str) -> "Webhook":
    """The webhook, if MLflow's clients can understand it: their format, and not of one model alone."""
    return queries.get_webhook(actor, webhook_id, format=Format.MLFLOW, registry_wide=True)


def _status(word: str | int | None) -> "WebhookStatus | None":
    """The status of a name or number; None for all others, which clients expect to change nothing."""
    word = _STATUSES.get(str(word), str(word))
    return services.parse_status(word) if word in _STATUSES.values() else None


def _webhook(webhook: "Webhook") -> structs.Webhook:
    return structs.Webhook(
        webhook_id=webhook.webhook_id,
        name=webhook.name,
        url=webhook.url,
        events=[
            structs.WebhookEvent(entity=event.entity.upper(), action=event.action.upper())
            for event in map(Event, webhook.events)
        ],
        status=webhook.status,
        description=webhook.description,
        creation_timestamp=webhook.creation_timestamp,
        last_updated_timestamp=webhook.last_updated_timestamp,
    )


ENDPOINTS = (CreateWebhook, ListWebhooks, GetWebhook, UpdateWebhook, DeleteWebhook, TestWebhook)
