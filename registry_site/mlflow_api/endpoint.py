"""How an endpoint is written.

A class for each method and path. Its docstring says what is answered; its `call` makes one call of a service or
query, and shapes what comes back:

    class GetRegisteredModel(Endpoint[NameArguments]):
        \"\"\"A registered model with its latest versions.\"\"\"

        path = "registered-models/get"
        methods = ("GET",)
        request_type = NameArguments

        def call(self, actor: Actor, request: NameArguments) -> Message:
            return RegisteredModelAnswer(registered_model=registered_model(queries.get_model(actor, request.name)))

- `NameArguments` is a struct of `structs/`, a subclass of `structs.base.Arguments`; parameters in the path
  (`"logged-models/<str:model_id>"`) are fields of it like all others.
- The answer is a `structs.base.Message`, or None for `{}`. Shaping is a function of `shapes_*.py`.
- Errors are raised as `core.errors`; nothing here catches them.
- A POST that changes nothing says `reads = True`, so that tokens for reading may send it.
- `roots` says where the path hangs; the default is MLflow's own, under `/api` and `/ajax-api`.
- A module lists its classes in `ENDPOINTS`, and `urls.py` lists the modules. GET and POST of one path are two classes,
  unless they do the same: then `methods = ("GET", "POST")`.

Files, which are no JSON, are a `View` whose `respond(actor, http, **path)` returns any response of Django's. Its errors
and its authentication are the same.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Generic

import msgspec
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from registry_site.accounts.actors import Actor
from registry_site.accounts.authentication import actor_from_header
from registry_site.audit.kinds import Origin
from registry_site.mlflow_api.decoding import Request, read_arguments
from registry_site.mlflow_api.errors import error_response
from registry_site.mlflow_api.structs.base import Message

MLFLOW = ("api/2.0/mlflow/", "ajax-api/2.0/mlflow/", "api/2.0/preview/mlflow/")
MLFLOW_3 = ("api/3.0/mlflow/", "ajax-api/3.0/mlflow/")
ARTIFACTS = ("api/2.0/mlflow-artifacts/", "ajax-api/2.0/mlflow-artifacts/")
SITE = ("",)

_READING = ("GET", "HEAD")
_encoder = msgspec.json.Encoder()


class View:
    """An address of this door: who calls is known, and what goes wrong is answered as JSON.

    Who calls is proved by the Authorization header alone. Cookies are not looked at, so a foreign page that makes a
    browser send a request makes it send one of a stranger.
    """

    path: ClassVar[str]
    methods: ClassVar[tuple[str, ...]]
    roots: ClassVar[Sequence[str]] = MLFLOW
    reads: ClassVar[bool] = False
    """Whether it changes nothing, though its method is not GET: then a token for reading is enough."""
    name: ClassVar[str | None] = None
    """What `reverse` knows it by, where addresses of it are made."""

    def respond(self, actor: Actor, http: HttpRequest, **path: Any) -> HttpResponseBase:
        """The answer to one request. Raises the errors of core."""
        raise NotImplementedError

    def actor_of(self, http: HttpRequest, **path: Any) -> Actor:
        """Who calls. Raises NotSignedIn for credentials that are wrong."""
        meta = http.META
        return actor_from_header(
            meta.get("HTTP_AUTHORIZATION"), origin=Origin.REST, remote_address=meta.get("REMOTE_ADDR", "")
        )

    def __call__(self, request: HttpRequest, **path: Any) -> HttpResponseBase:
        """What Django calls: the answer, or the error as JSON."""
        try:
            actor = self.actor_of(request, **path)
            # Services ask too; here nobody whom they would refuse learns anything of the arguments either.
            if self.reads or request.method in _READING:
                actor.require_signed_in()
            else:
                actor.require_write()
            return self.respond(actor, request, **path)
        except Exception as error:  # whatever it is, a client of this door reads JSON
            return error_response(error)


class Endpoint(View, Generic[Request]):
    """JSON in, one call, JSON out."""

    request_type: type[Request]

    def call(self, actor: Actor, request: Request) -> Message | None:
        """What the endpoint does. None is answered as `{}`."""
        raise NotImplementedError

    def respond(self, actor: Actor, http: HttpRequest, **path: Any) -> HttpResponse:
        """The answer of `call`, encoded."""
        return json_response(self.call(actor, read_arguments(http, self.request_type, path)))


def json_response(message: Message | None) -> HttpResponse:
    """A message as it is sent: snake_case, what is unset left out."""
    body = b"{}" if message is None else _encoder.encode(message)
    return HttpResponse(body, content_type="application/json")
