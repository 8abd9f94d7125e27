"""A client of the JSON doors."""

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.test import Client

from registry_site.accounts.models import User
from tests.make import make_token

MLFLOW = "/api/2.0/mlflow/"


class Api:
    """Sends JSON with a token, as a client from outside does: cross-site checks are on and there are no cookies.

    A path without a leading slash is one of MLflow's: `api.get("registered-models/get", {"name": "churn"})`.
    The answer is Django's: `.status_code`, `.json()`, `.headers`.
    """

    def __init__(self, authorization: str = "") -> None:
        self._headers = {"Authorization": authorization} if authorization else {}

    def as_(self, user: User) -> "Api":
        """The same client in the hands of somebody else, with a fresh token."""
        return self.with_authorization(f"Bearer {make_token(user)}")

    def with_authorization(self, header: str) -> "Api":
        """A client that sends this Authorization header."""
        return Api(header)

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> HttpResponse:
        return self._client().get(_absolute(path), data=dict(query or {}), headers=self._headers)

    def post(self, path: str, body: Any = None) -> HttpResponse:
        return self._send("POST", path, body)

    def patch(self, path: str, body: Any = None) -> HttpResponse:
        return self._send("PATCH", path, body)

    def put(self, path: str, content: bytes) -> HttpResponse:
        """Upload these bytes."""
        return self._client().put(
            _absolute(path), data=content, content_type="application/octet-stream", headers=self._headers
        )

    def delete(self, path: str, body: Any = None) -> HttpResponse:
        return self._send("DELETE", path, body)

    def raw(self, method: str, path: str, content: bytes | str, content_type: str = "application/json") -> HttpResponse:
        """Send these very bytes, be they JSON or not."""
        return self._client().generic(
            method, _absolute(path), data=content, content_type=content_type, headers=self._headers
        )

    def _send(self, method: str, path: str, body: Any) -> HttpResponse:
        return self.raw(method, path, "" if body is None else json.dumps(body))

    @staticmethod
    def _client() -> Client:
        return Client(enforce_csrf_checks=True)


def _absolute(path: str) -> str:
    return path if path.startswith("/") else MLFLOW + path
