"""Registry webhooks, as Databricks' clients manage them: those in Databricks' format, of the whole registry for
administrators and of a registered model for whoever manages it."""

from typing import TYPE_CHECKING, Any

from registry_site.accounts.actors import Actor
from registry_site.core.errors import InvalidParameter
from registry_site.mlflow_api.endpoint import Endpoint
from registry_site.mlflow_api.structs import registry_webhooks as structs
from registry_site.webhooks import queries, services
from registry_site.webhooks.formats import Format

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.webhooks.models import Webhook, WebhookStatus

NAME = "registry-webhook"  # Databricks has no names for them


class CreateRegistryWebhook(Endpoint[structs.CreateRegistryWebhookArguments]):
    """A new webhook: of one model for who manages it, of the whole registry for administrators."""

    path = "registry-webhooks/create"
    methods = ("POST",)
    request_type = structs.CreateRegistryWebhookArguments

    def call(self, actor: Actor, request: structs.CreateRegistryWebhookArguments) -> structs.RegistryWebhookAnswer:
        _refuse_jobs(request.job_spec)
        target = request.http_url_spec
        if target is None:
            raise InvalidParameter("Missing value for required parameter 'http_url_spec'.", field="http_url_spec")
        _require_verification(target.enable_ssl_verification)
        webhook = services.create_webhook(
            actor,
            name=NAME,
            url=target.url,
            events=request.events,
            description=request.description,
            secret=target.secret or "",
            authorization=target.authorization or "",
            status=_status(request.status) or services.ACTIVE,
            format=Format.DATABRICKS,
            model=request.model_name or None,
        )
        return structs.RegistryWebhookAnswer(webhook=_webhook(webhook))


class ListRegistryWebhooks(Endpoint[structs.ListRegistryWebhooksArguments]):
    """A page of the webhooks that the caller manages, newest first."""

    path = "registry-webhooks/list"
    methods = ("GET",)
    request_type = structs.ListRegistryWebhooksArguments

    def call(self, actor: Actor, request: structs.ListRegistryWebhooksArguments) -> structs.RegistryWebhooksAnswer:
        page = queries.list_webhooks(
            actor,
            format=Format.DATABRICKS,
            name=request.model_name or None,
            events=request.events,
            max_results=request.max_results,
            page_token=request.page_token,
        )
        return structs.RegistryWebhooksAnswer(
            webhooks=[_webhook(webhook) for webhook in page.rows], next_page_token=page.next_page_token
        )


class UpdateRegistryWebhook(Endpoint[structs.UpdateRegistryWebhookArguments]):
    """Changes what is sent of a webhook."""

    path = "registry-webhooks/update"
    methods = ("PATCH",)
    request_type = structs.UpdateRegistryWebhookArguments

    def call(self, actor: Actor, request: structs.UpdateRegistryWebhookArguments) -> structs.RegistryWebhookAnswer:
        _refuse_jobs(request.job_spec)
        queries.get_webhook(actor, request.id, format=Format.DATABRICKS)
        target = request.http_url_spec or structs.HttpUrlChange()
        _require_verification(target.enable_ssl_verification)
        webhook = services.update_webhook(
            actor,
            webhook_id=request.id,
            url=target.url,
            events=request.events or None,
            description=request.description,
            secret=target.secret,
            authorization=target.authorization,
            status=_status(request.status),
        )
        return structs.RegistryWebhookAnswer(webhook=_webhook(webhook))


class DeleteRegistryWebhook(Endpoint[structs.RegistryWebhookArguments]):
    """Removes a webhook with its deliveries."""

    path = "registry-webhooks/delete"
    methods = ("DELETE",)
    request_type = structs.RegistryWebhookArguments

    def call(self, actor: Actor, request: structs.RegistryWebhookArguments) -> None:
        queries.get_webhook(actor, request.id, format=Format.DATABRICKS)
        services.delete_webhook(actor, webhook_id=request.id)


class TestRegistryWebhook(Endpoint[structs.TestRegistryWebhookArguments]):
    """Sends an example of an event and says what came of it."""

    path = "registry-webhooks/test"
    methods = ("POST",)
    request_type = structs.TestRegistryWebhookArguments

    def call(self, actor: Actor, request: structs.TestRegistryWebhookArguments) -> structs.RegistryTestAnswer:
        queries.get_webhook(actor, request.id, format=Format.DATABRICKS)
        outcome = services.try_webhook(actor, webhook_id=request.id, event=request.event or None)
        return structs.RegistryTestAnswer(
            status_code=outcome.status, status=outcome.status, body=outcome.text or outcome.error
        )


def _refuse_jobs(job: dict[str, Any] | None) -> None:
    if job is not None:
        raise InvalidParameter(
            "'job_spec' starts a job of Databricks, which this server is not; name an address in 'http_url_spec'.",
            field="job_spec",
        )


def _require_verification(is_wanted: bool) -> None:
    if not is_wanted:
        raise InvalidParameter(
            "'enable_ssl_verification' cannot be false: certificates are always checked. A host inside that has none "
            "can be allowed by name (PODIUM_WEBHOOK_ALLOWED_HOSTS) and called by plain HTTP.",
            field="http_url_spec",
        )


def _status(word: str) -> "WebhookStatus | None":
    """The status of this name; None where none is sent. Raises InvalidParameter for another word."""
    status = services.parse_status(word)
    if word and status is None:
        raise InvalidParameter(
            f"There is no status '{word[:50]}'; choose one of: ACTIVE, DISABLED, TEST_MODE.", field="status"
        )
    return status


def _webhook(webhook: "Webhook") -> structs.RegistryWebhook:
    return structs.RegistryWebhook(
        id=webhook.webhook_id,
        events=list(webhook.events),
        status=webhook.status,
        creation_timestamp=webhook.creation_timestamp,
        last_updated_timestamp=webhook.last_updated_timestamp,
        http_url_spec=structs.HttpUrl(url=webhook.url, enable_ssl_verification=True),
        model_name=webhook.registered_model.name if webhook.registered_model else "",
        description=webhook.description,
    )


ENDPOINTS = (
    CreateRegistryWebhook,
    ListRegistryWebhooks,
    UpdateRegistryWebhook,
    DeleteRegistryWebhook,
    TestRegistryWebhook,
)
