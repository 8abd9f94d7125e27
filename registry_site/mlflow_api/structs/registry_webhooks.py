"""Messages about registry webhooks, as Databricks has them."""

from typing import Annotated, Any

import msgspec

from registry_site.mlflow_api.structs.base import Arguments, Message


class HttpUrl(Message):
    """Where deliveries go. What is secret is never sent."""

    url: str
    enable_ssl_verification: bool


class RegistryWebhook(Message):
    """A webhook; times are in milliseconds since the epoch. Without a model it is one of the whole registry."""

    id: str
    events: list[str]
    status: str
    creation_timestamp: int
    last_updated_timestamp: int
    http_url_spec: HttpUrl
    model_name: str = ""
    description: str = ""


class RegistryWebhookAnswer(Message):
    """One webhook."""

    webhook: RegistryWebhook


class RegistryWebhooksAnswer(Message):
    """A page of webhooks."""

    webhooks: list[RegistryWebhook]
    next_page_token: str = ""


class RegistryTestAnswer(Message):
    """What came of a test: the status of the answer under both names that clients know, none without an answer; and
    why it failed, or what was answered by a host that the site's administrator allows by name."""

    body: str
    status_code: int | None = None
    status: int | None = None


class HttpUrlArgument(Arguments):
    """Where deliveries go, and what is sent with them."""

    url: str
    authorization: str | None = None
    secret: str | None = None
    enable_ssl_verification: bool = True


class HttpUrlChange(Arguments):
    """What changes of it; what is absent stays."""

    url: str | None = None
    authorization: str | None = None
    secret: str | None = None
    enable_ssl_verification: bool = True


class CreateRegistryWebhookArguments(Arguments):
    """A new webhook."""

    events: list[str]
    http_url_spec: HttpUrlArgument | None = None
    job_spec: dict[str, Any] | None = None
    model_name: str = ""
    description: str = ""
    status: str = ""


class ListRegistryWebhooksArguments(Arguments):
    """Which webhooks: of these events, of this model."""

    events: list[str] = []
    model_name: str = ""
    max_results: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    page_token: str = ""


class RegistryWebhookArguments(Arguments):
    """Which webhook."""

    id: str


class UpdateRegistryWebhookArguments(RegistryWebhookArguments):
    """What changes of a webhook; what is absent stays."""

    events: list[str] | None = None
    http_url_spec: HttpUrlChange | None = None
    job_spec: dict[str, Any] | None = None
    description: str | None = None
    status: str = ""


class TestRegistryWebhookArguments(RegistryWebhookArguments):
    """Which webhook, and of which event an example is sent; by default its first."""

    event: str = ""
