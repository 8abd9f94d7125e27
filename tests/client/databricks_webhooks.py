"""What the webhook calls of Databricks' SDK do against a running server, as Maria and as an administrator.

Run by `test_databricks_sdk` in the client's own environment; prints a line for each step that went well.
"""

import hashlib
import hmac
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, NotFound, PermissionDenied
from databricks.sdk.service.ml import HttpUrlSpec, JobSpec, RegistryWebhookEvent, RegistryWebhookStatus

URL = os.environ["RECEIVER"]
SECRET = "known to two people"


class Receiver(BaseHTTPRequestHandler):
    taken: "Queue[tuple[dict[str, str], bytes]]" = Queue()

    def do_POST(self) -> None:
        self.taken.put((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@contextmanager
def receiver() -> Iterator[None]:
    with HTTPServer(("127.0.0.1", int(URL.rsplit(":", 1)[1].split("/")[0])), Receiver) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield
        finally:
            server.shutdown()


def client(name: str) -> WorkspaceClient:
    """The SDK in the hands of that person."""
    return WorkspaceClient(host=os.environ["HOST"], token=os.environ[f"TOKEN_OF_{name}"], auth_type="pat")


def refused(error: type[Exception], call: object, *arguments: object, **options: object) -> str:
    """What the client is told."""
    try:
        call(*arguments, **options)  # type: ignore[operator]
    except error as told:
        return str(told)
    raise AssertionError(f"{call} was not refused")


def a_webhook_of_the_registry() -> None:
    maria, admin = client("MARIA").model_registry, client("ADMIN").model_registry
    events = [RegistryWebhookEvent.REGISTERED_MODEL_CREATED, RegistryWebhookEvent.MODEL_VERSION_CREATED]
    target = HttpUrlSpec(url=URL, secret=SECRET, authorization="Bearer of news", enable_ssl_verification=True)
    refused(PermissionDenied, maria.create_webhook, events=events, http_url_spec=target)
    made = admin.create_webhook(events=events, http_url_spec=target, description="tells Slack").webhook
    assert (made.description, made.status, made.model_name) == ("tells Slack", RegistryWebhookStatus.ACTIVE, None)
    assert made.events == events
    assert made.http_url_spec.url == URL
    assert made.id in [one.id for one in admin.list_webhooks()]
    assert made.id not in [one.id for one in maria.list_webhooks()]
    with receiver():
        maria.create_model("hooked-sdk")
        headers, body = Receiver.taken.get(timeout=20)
        assert headers["X-Databricks-Signature"] == hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert headers["Authorization"] == "Bearer of news"
        told = json.loads(body)
        assert (told["event"], told["webhook_id"], told["model_name"]) == (
            "REGISTERED_MODEL_CREATED",
            made.id,
            "hooked-sdk",
        )
        assert told["text"].startswith("rosa registered the model hooked-sdk http")
        tried = admin.test_registry_webhook(made.id, event=RegistryWebhookEvent.COMMENT_CREATED)
        assert (tried.status_code, tried.body) == (200, "ok")
        assert json.loads(Receiver.taken.get(timeout=5)[1])["text"].startswith("This is a test")
    admin.delete_webhook(made.id)
    refused(NotFound, admin.delete_webhook, made.id)


def a_webhook_of_a_model() -> None:
    maria, admin = client("MARIA").model_registry, client("ADMIN").model_registry
    commented = RegistryWebhookEvent.COMMENT_CREATED
    tagged = RegistryWebhookEvent.MODEL_VERSION_TAG_SET
    target = HttpUrlSpec(url=URL)
    made = maria.create_webhook(
        events=[commented], http_url_spec=target, model_name="hooked-sdk", status=RegistryWebhookStatus.TEST_MODE
    ).webhook
    assert (made.model_name, made.status) == ("hooked-sdk", RegistryWebhookStatus.TEST_MODE)
    changed = maria.update_webhook(made.id, events=[tagged], status=RegistryWebhookStatus.DISABLED, description="rests")
    assert changed is not None
    [found] = maria.list_webhooks(model_name="hooked-sdk")
    assert (found.events, found.status, found.description) == ([tagged], RegistryWebhookStatus.DISABLED, "rests")
    assert [one.id for one in admin.list_webhooks(events=[tagged])] == [made.id]
    assert list(admin.list_webhooks(events=[commented])) == []
    told = refused(
        InvalidParameterValue,
        maria.create_webhook,
        events=[tagged],
        job_spec=JobSpec(job_id="1", access_token="a"),
        model_name="hooked-sdk",
    )
    assert "job_spec" in told
    maria.delete_webhook(made.id)
    assert list(maria.list_webhooks(model_name="hooked-sdk")) == []


if __name__ == "__main__":
    for step in (a_webhook_of_the_registry, a_webhook_of_a_model):
        step()
        print(step.__name__)  # noqa: T201  what the test reads
