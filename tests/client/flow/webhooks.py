"""Webhooks, which are MLflow 3's and for administrators."""

import base64
import hashlib
import hmac
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue

from flow.common import NAME, client, refused, step_of_mlflow_3

PORT = 8099  # the server was told to allow it
URL = f"http://127.0.0.1:{PORT}/hook"
SECRET = "known to two"


class Receiver(BaseHTTPRequestHandler):
    taken: "Queue[tuple[dict[str, str], bytes]]" = Queue()

    def do_POST(self) -> None:
        self.taken.put((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"thank you")

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@contextmanager
def administrator() -> Iterator[None]:
    own = os.environ["MLFLOW_TRACKING_TOKEN"]
    os.environ["MLFLOW_TRACKING_TOKEN"] = os.environ["ADMINISTRATOR_TOKEN"]
    try:
        yield
    finally:
        os.environ["MLFLOW_TRACKING_TOKEN"] = own


@contextmanager
def receiver() -> Iterator[None]:
    with HTTPServer(("127.0.0.1", PORT), Receiver) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield
        finally:
            server.shutdown()


@step_of_mlflow_3
def from_making_a_webhook_to_removing_it() -> None:
    with refused("PERMISSION_DENIED"):
        client.create_webhook(name="mine", url=URL, events=["model_version.created"])
    with administrator(), receiver():
        made = client.create_webhook(
            name="ci", url=URL, events=["model_version.created"], description="tells CI", secret=SECRET
        )
        assert (made.name, made.url, str(made.status), made.secret) == ("ci", URL, "ACTIVE", None)
        assert [str(event) for event in made.events] == ["model_version.created"]
        with refused("INVALID_PARAMETER_VALUE", "https://"):
            client.create_webhook(name="ci", url="http://example.org/", events=["model_version.created"])
        assert made.webhook_id in [one.webhook_id for one in client.list_webhooks(max_results=10)]
        changed = client.update_webhook(
            made.webhook_id, description="rests", events=["model_version_tag.set"], status="DISABLED"
        )
        assert (changed.description, str(changed.status)) == ("rests", "DISABLED")
        assert client.get_webhook(made.webhook_id).description == "rests"
        tried = client.test_webhook(made.webhook_id, event="prompt_alias.created")
        assert (tried.success, tried.response_status, tried.response_body) == (True, 200, "thank you")
        assert json.loads(Receiver.taken.get(timeout=5)[1])["entity"] == "prompt_alias"
        client.delete_webhook(made.webhook_id)
        with refused("RESOURCE_DOES_NOT_EXIST", made.webhook_id):
            client.get_webhook(made.webhook_id)


@step_of_mlflow_3
def a_new_version_is_told_and_signed() -> None:
    with receiver():
        with administrator():
            hook = client.create_webhook(name="ci", url=URL, events=["model_version_tag.set"], secret=SECRET)
        version = client.get_registered_model(NAME).latest_versions[0].version
        client.set_model_version_tag(NAME, version, "checked", "by a webhook")
        headers, body = Receiver.taken.get(timeout=20)
        assert json.loads(body)["data"] == {
            "name": NAME,
            "version": version,
            "key": "checked",
            "value": "by a webhook",
        }
        signed = f"{headers['X-MLflow-Delivery-Id']}.{headers['X-MLflow-Timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
        assert headers["X-MLflow-Signature"] == f"v1,{expected}"
        with administrator():
            client.delete_webhook(hook.webhook_id)
