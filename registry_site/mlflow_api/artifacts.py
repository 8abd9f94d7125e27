"""Endpoints of artifacts: the proxy that clients read and write through, and the files of runs and logged models."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from registry_site.accounts.actors import Actor
from registry_site.core.errors import InvalidParameter, NotSupported
from registry_site.mlflow_api import shapes_tracking as shapes
from registry_site.mlflow_api.endpoint import ARTIFACTS, SITE, Endpoint, View, json_response
from registry_site.mlflow_api.files import file_response, upload
from registry_site.mlflow_api.structs import artifacts as structs
from registry_site.registry.files import list_artifacts, resolve_artifact
from registry_site.tracking import artifact_files


# -- the proxy ---------------------------------------------------------------------------------------------------------
class DownloadArtifact(View):
    """The file, whole or a range of it."""

    path = "artifacts/<path:path>"
    methods = ("GET",)
    roots = ARTIFACTS

    def respond(self, actor: Actor, http: HttpRequest, **path: Any) -> HttpResponseBase:
        return file_response(http, resolve_artifact(actor, path["path"]))


class UploadArtifact(View):
    """Stores the body of the request. The answer has no body."""

    path = "artifacts/<path:path>"
    methods = ("PUT",)
    roots = ARTIFACTS

    def respond(self, actor: Actor, http: HttpRequest, **path: Any) -> HttpResponseBase:
        stream, length = upload(http)
        artifact_files.write_artifact(actor, path["path"], stream, length=length)
        return HttpResponse(content_type="application/json")


class DeleteArtifact(View):
    """Takes a file or folder away."""

    path = "artifacts/<path:path>"
    methods = ("DELETE",)
    roots = ARTIFACTS

    def respond(self, actor: Actor, http: HttpRequest, **path: Any) -> HttpResponseBase:
        artifact_files.delete_artifact(actor, path["path"])
        return json_response(None)


class ListProxiedArtifacts(View):
    """What lies in a folder, by names."""

    path = "artifacts"
    methods = ("GET",)
    roots = ARTIFACTS

    def respond(self, actor: Actor, http: HttpRequest, **path: Any) -> HttpResponseBase:
        entries = list_artifacts(actor, http.GET.get("path", ""))
        return json_response(
            structs.FilesAnswer(
                files=[structs.FileInfo(path=one.name, is_dir=one.is_dir, file_size=one.size) for one in entries]
            )
        )


class _NotOffered(View):
    """Uploads and downloads that pass by this server, which knows none."""

    reads = True

    def respond(self, actor: Actor, http: HttpRequest, **path: Any) -> HttpResponseBase:
        actor.require_signed_in()
        raise NotSupported(
            "This server offers no multipart or presigned transfers: read and write the artifact itself."
        )


class MultipartUpload(_NotOffered):
    """An upload in parts."""

    path = "mpu/<str:step>/<path:path>"
    methods = ("POST",)
    roots = ARTIFACTS


class PresignedDownload(_NotOffered):
    """An address at the store itself."""

    path = "presigned/<path:path>"
    methods = ("GET",)
    roots = ARTIFACTS


class PresignedUploadUrl(_NotOffered):
    """An address at the store itself, to write an artifact of a run or logged model."""

    path = "artifacts/presigned-upload-url"
    methods = ("POST",)


class PresignedDownloadUrl(_NotOffered):
    """An address at the store itself, to read an artifact of a run or logged model."""

    path = "artifacts/presigned-download-url"
    methods = ("POST",)


# -- by run and logged model -------------------------------------------------------------------------------------------
class ListArtifacts(Endpoint[structs.ListArtifactsArguments]):
    """What lies in a folder of a run."""

    path = "artifacts/list"
    methods = ("GET",)
    request_type = structs.ListArtifactsArguments

    def call(self, actor: Actor, request: structs.ListArtifactsArguments) -> structs.RunFilesAnswer:
        listing = artifact_files.run_artifacts(actor, request.run, request.path)
        return structs.RunFilesAnswer(root_uri=listing.root_uri, files=shapes.files(listing.files))


class GetArtifact(View):
    """A file of a run."""

    path = "get-artifact"
    methods = ("GET",)
    roots = SITE

    def respond(self, actor: Actor, http: HttpRequest, **path: Any) -> HttpResponseBase:
        run_id = http.GET.get("run_id") or http.GET.get("run_uuid")
        stored = artifact_files.resolve_run_artifact(
            actor, required(run_id, "run_id"), required(http.GET.get("path"), "path")
        )
        return file_response(http, stored)


class GetLoggedModelArtifact(View):
    """A file of a logged model."""

    path = "logged-models/<str:model_id>/artifacts/files"
    methods = ("GET",)

    def respond(self, actor: Actor, http: HttpRequest, **path: Any) -> HttpResponseBase:
        wanted = required(http.GET.get("artifact_file_path"), "artifact_file_path")
        return file_response(http, artifact_files.resolve_logged_model_artifact(actor, path["model_id"], wanted))


def required(value: str | None, name: str) -> str:
    """The value of a parameter in the query. Raises InvalidParameter without one."""
    if not value:
        raise InvalidParameter(f"Missing value for required parameter '{name}'. It must not be empty.", field=name)
    return value


ENDPOINTS = (
    DownloadArtifact,
    UploadArtifact,
    DeleteArtifact,
    ListProxiedArtifacts,
    MultipartUpload,
    PresignedDownload,
    ListArtifacts,
    PresignedUploadUrl,
    PresignedDownloadUrl,
    GetArtifact,
    GetLoggedModelArtifact,
)
