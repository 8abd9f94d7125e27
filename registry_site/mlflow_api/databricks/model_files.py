"""The files of versions as clients with the registry URI `databricks` read them: listed by the version, and fetched
from addresses that are signed, as they send no credentials there."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from registry_site.accounts.actors import Actor
from registry_site.accounts.signed_urls import actor_of_signature, sign
from registry_site.audit.kinds import Origin
from registry_site.core.errors import InvalidParameter
from registry_site.mlflow_api import shapes_registry as shapes
from registry_site.mlflow_api import shapes_tracking
from registry_site.mlflow_api.decoding import read_arguments
from registry_site.mlflow_api.endpoint import Endpoint, View, json_response
from registry_site.mlflow_api.files import file_response
from registry_site.mlflow_api.structs import artifacts as structs
from registry_site.registry.queries import get_version
from registry_site.registry.version_files import resolve_version_artifact, version_artifacts_page
from registry_site.tracking.artifact_files import stat_stored

LASTS = timedelta(minutes=15)  # from asking for the address to the last range of a large file


class ListVersionArtifacts(Endpoint[structs.ListVersionArtifactsArguments]):
    """A page of what lies in a folder of a version; of a file, the file itself."""

    path = "model-versions/list-artifacts"
    methods = ("GET",)
    request_type = structs.ListVersionArtifactsArguments

    def call(self, actor: Actor, request: structs.ListVersionArtifactsArguments) -> structs.VersionFilesAnswer:
        version = get_version(actor, request.name, shapes.version_number(request.version))
        page = version_artifacts_page(actor, version, request.path, page_token=request.page_token)
        return structs.VersionFilesAnswer(files=shapes_tracking.files(page.rows), next_page_token=page.next_page_token)


class GetSignedDownloadUri(Endpoint[structs.SignedDownloadArguments]):
    """Where a file of a version can be fetched for a while, without credentials."""

    path = "model-versions/get-signed-download-uri"
    methods = ("GET",)
    request_type = structs.SignedDownloadArguments

    def respond(self, actor: Actor, http: HttpRequest, **path: Any) -> HttpResponse:
        request = read_arguments(http, self.request_type, path)
        version = get_version(actor, request.name, shapes.version_number(request.version))
        if stat_stored(resolve_version_artifact(actor, version, request.path)).is_dir:
            raise InvalidParameter(f"{request.path} is a folder; ask for a file in it.", field="path")
        what = (request.name, str(version.version), request.path)
        signed = sign(actor, "file of a version", *what, lasts=LASTS)
        address = http.build_absolute_uri(reverse("signed_artifact", args=[signed.text, *what]))
        return json_response(structs.SignedDownloadAnswer(signed_uri=address, headers=[]))


class SignedArtifact(View):
    """A file of a version, for whoever has the signature."""

    path = "model-versions/signed/<str:signature>/<str:name>/<str:version>/<path:path>"
    methods = ("GET",)
    roots = ("api/2.0/mlflow/",)
    name = "signed_artifact"

    def actor_of(self, http: HttpRequest, **path: Any) -> Actor:
        what = (path["name"], path["version"], path["path"])
        return actor_of_signature(path["signature"], "file of a version", *what, origin=Origin.REST)

    def respond(self, actor: Actor, http: HttpRequest, **path: Any) -> HttpResponseBase:
        version = get_version(actor, path["name"], shapes.version_number(path["version"]))
        return file_response(http, resolve_version_artifact(actor, version, path["path"]))


ENDPOINTS = (ListVersionArtifacts, GetSignedDownloadUri, SignedArtifact)
