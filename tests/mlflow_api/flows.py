"""What many tests of this door start from, done over the door itself."""

import json
from typing import Any

from django.http import HttpResponse

from tests.doors import Api

SOURCE = "s3://models/churn"  # in a store that only clients reach, so that no run is needed


def make_model(api: Api, name: str, **arguments: Any) -> dict[str, Any]:
    """A registered model as it was answered."""
    answer = api.post("registered-models/create", {"name": name, **arguments})
    assert answer.status_code == 200, answer.content
    model: dict[str, Any] = answer.json()["registered_model"]
    return model


def make_version(api: Api, name: str, **arguments: Any) -> dict[str, Any]:
    """A version as it was answered."""
    answer = api.post("model-versions/create", {"name": name, "source": SOURCE, **arguments})
    assert answer.status_code == 200, answer.content
    version: dict[str, Any] = answer.json()["model_version"]
    return version


def model_of(api: Api, name: str) -> dict[str, Any]:
    """A registered model as it is now."""
    model: dict[str, Any] = api.get("registered-models/get", {"name": name}).json()["registered_model"]
    return model


def version_of(api: Api, name: str, version: str = "1") -> dict[str, Any]:
    """A version as it is now."""
    answer = api.get("model-versions/get", {"name": name, "version": version})
    found: dict[str, Any] = answer.json()["model_version"]
    return found


def error_of(answer: HttpResponse) -> tuple[int, str, str]:
    """Status, code and message of a refusal, which must be JSON with these two keys and no others."""
    assert answer.headers["Content-Type"] == "application/json", answer.content[:200]
    body = json.loads(answer.content)
    assert set(body) == {"error_code", "message"}
    return answer.status_code, body["error_code"], body["message"]
