"""What clients ask before anything else.

Plain functions without a session, a database or a sign-in: they are asked often.
"""

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse

# multipart transfers and features of MLflow's own pages are not offered; clients then take the plain ways
_SERVER_INFO = msgspec.json.encode(
    {
        "store_type": "SqlStore",
        "workspaces_enabled": False,
        "trace_archival_enabled": False,
        "multipart_uploads_enabled": False,
        "multipart_downloads_enabled": False,
        "presigned_upload_run_id_supported": False,
        "presigned_upload_model_id_supported": False,
        "features_enabled": {"gateway": False},
    }
)


def health(request: HttpRequest) -> HttpResponse:
    """`OK`: the process answers."""
    return HttpResponse("OK", content_type="text/plain; charset=utf-8")


def version(request: HttpRequest) -> HttpResponse:
    """The version of MLflow's protocol that is spoken."""
    return HttpResponse(settings.MLFLOW_VERSION, content_type="text/plain; charset=utf-8")


def server_info(request: HttpRequest) -> HttpResponse:
    """Which optional parts of the protocol are there."""
    return HttpResponse(_SERVER_INFO, content_type="application/json")


def databricks_config(request: HttpRequest) -> HttpResponse:
    """What databricks-sdk asks before its first call; with a token in hand it never uses the address inside."""
    body = msgspec.json.encode({"oidc_endpoint": request.build_absolute_uri("/oidc")})
    return HttpResponse(body, content_type="application/json")
