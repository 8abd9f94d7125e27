"""Messages about webhooks."""

from typing import Annotated

import msgspec

from registry_site.mlflow_api.structs.base import Arguments, Int64, Message


class WebhookEvent(Message):
    """What a webhook is told of, in upper case."""

    entity: str
    action: str


class Webhook(Message):
    """A webhook; times are in milliseconds since the epoch. Its secret is never sent."""

    webhook_id: str
    name: str
    url: str
    events: list[WebhookEvent]
    status: str
    creation_timestamp: int
    last_updated_timestamp: int
    description: str = ""


class WebhookAnswer(Message):
    """One webhook."""

    webhook: Webhook


class WebhooksAnswer(Message):
    """A page of webhooks; MLflow's clients want the list even when it is empty."""

    webhooks: list[Webhook]
    next_page_token: str = ""


class TestResult(Message):
    """What came of a test. The body is sent for hosts that the site's administrator allows by name only."""

    success: bool
    response_status: int | None = None
    response_body: str = ""
    error_message: str = ""


class TestAnswer(Message):
    """The result of a test."""

    result: TestResult


class EventArgument(Arguments):
    """An event; the words may come in any letter case."""

    entity: str
    action: str


class CreateWebhookArguments(Arguments):
    """A new webhook."""

    name: str
    url: str
    events: list[EventArgument]
    description: str = ""
    secret: str = ""
    status: str | Int64 = ""


class ListWebhooksArguments(Arguments):
    """How many, and from where; 0 is the default of 100."""

    max_results: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    page_token: str = ""


class WebhookArguments(Arguments):
    """Which webhook."""

    webhook_id: str


class UpdateWebhookArguments(WebhookArguments):
    """What changes of a webhook; what is absent stays."""

    name: str | None = None
    url: str | None = None
    events: list[EventArgument] | None = None
    description: str | None = None
    secret: str | None = None
    status: str | Int64 | None = None


class TestWebhookArguments(WebhookArguments):
    """Which webhook, and of which event an example is sent; by default its first."""

    event: EventArgument | None = None
