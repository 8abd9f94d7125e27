"""What clients ask before anything else.

Plain functions without a session, a database or a sign-in: they are asked often.
"""

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from registry_site.artifacts.direct import offers_direct_transfers, offers_direct_writing

# what of the protocol's optional parts is offered whatever the settings say; for the rest clients take the plain ways
_SERVER_INFO = {
    "store_type": "SqlStore",
    "workspaces_enabled": False,
    "trace_archival_enabled": False,
    "features_enabled": {"gateway": False},
}


def health(request: HttpRequest) -> HttpResponse:
    """`OK`: the process answers."""
    return HttpResponse("OK", content_type="text/plain; charset=utf-8")


def version(request: HttpRequest) -> HttpResponse:
    """The version of MLflow's protocol that is spoken."""
    return HttpResponse(settings.MLFLOW_VERSION, content_type="text/plain; charset=utf-8")


def server_info(request: HttpRequest) -> HttpResponse:
    """Which optional parts of the protocol are there."""
    transfers, writing = offers_direct_transfers(), offers_direct_writing()
    info = _SERVER_INFO | {
        "multipart_uploads_enabled": transfers,
        "multipart_downloads_enabled": transfers,
        "presigned_upload_run_id_supported": writing,
        "presigned_upload_model_id_supported": writing,
    }
    return HttpResponse(msgspec.json.encode(info), content_type="application/json")


def databricks_config(request: HttpRequest) -> HttpResponse:
    """What databricks-sdk asks before its first call; with a token in hand it never uses the address inside."""
    body = msgspec.json.encode({"oidc_endpoint": request.build_absolute_uri("/oidc")})
    return HttpResponse(body, content_type="application/json")
