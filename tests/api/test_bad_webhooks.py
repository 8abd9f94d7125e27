"""A webhook that must not be is refused by every door with 400 and the reason, and nothing is made or changed."""

import socket
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.http import HttpResponse

from registry_site.accounts.models import User
from registry_site.webhooks.models import Webhook
from tests.doors import Api

Write = Callable[[Api, Mapping[str, Any], str], HttpResponse]
GOOD: Mapping[str, Any] = {"url": "https://8.8.8.8/hook", "secret": "known to two people"}


def native(api: Api, given: Mapping[str, Any], hook: str = "") -> HttpResponse:
    body = {"name": "ci", "format": "databricks", "events": [given.get("event", "COMMENT_CREATED")]} | dict(given)
    body.pop("event", None)
    if hook and given["secret"] != GOOD["secret"]:
        return api.post(f"/api/v1/webhooks/{hook}/secret", {"secret": given["secret"]})
    if hook:
        return api.patch(f"/api/v1/webhooks/{hook}", {"url": body["url"], "events": body["events"]})
    return api.post("/api/v1/webhooks", body)


def mlflow(api: Api, given: Mapping[str, Any], hook: str = "") -> HttpResponse:
    event = {"entity": given.get("event", "PROMPT"), "action": "CREATED"}
    body = {"name": "ci", "url": given["url"], "secret": given["secret"], "events": [event]}
    return api.patch(f"webhooks/{hook}", body) if hook else api.post("webhooks", body)


def databricks(api: Api, given: Mapping[str, Any], hook: str = "") -> HttpResponse:
    body = {
        "events": [given.get("event", "COMMENT_CREATED")],
        "http_url_spec": {"url": given["url"], "secret": given["secret"]},
    }
    if hook:
        return api.patch("registry-webhooks/update", body | {"id": hook})
    return api.post("registry-webhooks/create", body)


@pytest.fixture(autouse=True)
def name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that does not know everybody."""
    ask = socket.getaddrinfo

    def answer(host: Any, *arguments: Any, **options: Any) -> Any:
        if host == "nobody.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return ask(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", answer)


@pytest.mark.parametrize("write", [native, mlflow, databricks])
@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"url": "http://8.8.8.8/hook"}, "it must begin with https://"),
        ({"url": "ftp://8.8.8.8/hook"}, "it must be like https://host/path"),
        ({"url": "https://127.0.0.1/hook"}, "its host is not a public one"),
        ({"url": "https://169.254.169.254/latest/meta-data/"}, "its host is not a public one"),
        ({"url": "https://[::ffff:10.0.0.1]/hook"}, "its host is not a public one"),
        ({"url": "https://localhost/hook"}, "its host is not a public one"),
        ({"url": "https://nobody.invalid/hook"}, "its host is not known"),
        ({"url": "https://maria:secret@8.8.8.8/hook"}, "it must not hold a user name or password"),
        ({"event": "NOTHING"}, "NOTHING"),
        ({"secret": "short"}, "The secret is too short: it has 8 characters at least."),
    ],
    ids=str,
)
def test_a_bad_webhook_is_refused_with_the_reason(
    write: Write, wrong: Mapping[str, Any], reason: str, api: Api, admin: User
) -> None:
    admins = api.as_(admin)
    refused = write(admins, {**GOOD, **wrong}, "")
    assert refused.status_code == 400, refused.content
    assert reason in str(refused.json())
    assert not Webhook.objects.exists()
    assert write(admins, GOOD, "").status_code in (200, 201)
    hook = Webhook.objects.get()
    refused = write(admins, {**GOOD, **wrong}, hook.webhook_id)
    assert refused.status_code == 400, refused.content
    assert reason in str(refused.json())
    assert Webhook.objects.values().get() == {
        field.attname: getattr(hook, field.attname) for field in Webhook._meta.concrete_fields
    }
